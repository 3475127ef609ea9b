//! Reading what a command is given: a message of a mail server, an agent's words.

use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use super::failure::Failure;

/// Largest message.
pub const MOST: u64 = 64 << 20;
/// Largest text of an agent.
const MOST_TEXT: u64 = 1 << 20;

/// A message out of a file, or out of standard input when it is absent or `-`.
pub fn message(file: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let (name, bytes) = octets(file, MOST)?;
    if bytes.is_empty() {
        return Err(Failure::new(format!("{name} is empty"), "hand in a whole message, headers first"));
    }
    Ok(bytes)
}

/// An agent's words: given, out of a file, or out of standard input for `-`. `None` when nothing was given.
pub fn words(given: Option<&str>, file: Option<&Path>) -> Result<Option<String>, Failure> {
    match (given, file) {
        (Some("-"), _) => text(octets(None, MOST_TEXT)?.1),
        (Some(words), _) => Ok(Some(words.to_owned())),
        (None, Some(file)) => text(octets(Some(file), MOST_TEXT)?.1),
        (None, None) => Ok(None),
    }
}

/// Words that must be there; out of standard input when none were given and nobody sits at it.
pub fn some_words(given: Option<&str>, file: Option<&Path>) -> Result<String, Failure> {
    let piped = given.is_none() && file.is_none() && !io::stdin().is_terminal();
    let words = words(if piped { Some("-") } else { given }, file)?;
    words.filter(|words| !words.trim().is_empty()).ok_or_else(|| {
        Failure::usage(
            "there is no text",
            "write it behind the number, name a file with --file, or pass it on standard input",
        )
    })
}

fn text(bytes: Vec<u8>) -> Result<Option<String>, Failure> {
    let words = String::from_utf8(bytes)
        .map_err(|_| Failure::new("the text is not UTF-8", "save it as UTF-8, then send it again"))?;
    let words = words.trim_end();
    Ok((!words.trim().is_empty()).then(|| words.to_owned()))
}

fn octets(file: Option<&Path>, most: u64) -> Result<(String, Vec<u8>), Failure> {
    match file.filter(|file| file.as_os_str() != "-") {
        Some(file) => {
            let name = file.display().to_string();
            let opened = std::fs::File::open(file).map_err(|error| Failure::of_file(&name, &error))?;
            bounded(opened, &name, most).map(|bytes| (name, bytes))
        }
        None => bounded(io::stdin().lock(), "standard input", most).map(|bytes| ("standard input".to_owned(), bytes)),
    }
}

fn bounded(from: impl Read, name: &str, most: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes).map_err(|error| Failure::of_file(name, &error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        let what = format!("{name} holds more than {} MiB", most >> 20);
        return Err(Failure::new(what, "have the mail server refuse such messages"));
    }
    Ok(bytes)
}

/// The message with the envelope a mail server tells beside it, where the message itself does not: without it neither a
/// bounce (no sender) nor the address a mail was really for could be told. Also drops the `From ` line that pipes add.
pub fn with_envelope(message: Vec<u8>, sender: Option<&str>, recipient: Option<&str>) -> Vec<u8> {
    let message = without_from_line(message);
    let clean = |address: &str| address.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect::<String>();
    let mut head = Vec::new();
    if let Some(sender) = sender.filter(|_| !has_header(&message, "return-path")) {
        let sender = clean(sender.trim().trim_start_matches('<').trim_end_matches('>'));
        let sender = if sender.eq_ignore_ascii_case("mailer-daemon") { String::new() } else { sender };
        head.extend_from_slice(format!("Return-Path: <{sender}>\r\n").as_bytes());
    }
    if let Some(recipient) = recipient.map(clean).filter(|to| !to.is_empty() && !has_header(&message, "delivered-to")) {
        head.extend_from_slice(format!("Delivered-To: {recipient}\r\n").as_bytes());
    }
    if head.is_empty() {
        return message;
    }
    head.extend_from_slice(&message);
    head
}

fn without_from_line(mut message: Vec<u8>) -> Vec<u8> {
    if message.starts_with(b"From ") {
        let end = message.iter().position(|byte| *byte == b'\n').map_or(message.len(), |at| at + 1);
        message.drain(..end);
    }
    message
}

/// Whether a header field of this (lower-case) name stands in the head of the message.
fn has_header(message: &[u8], name: &str) -> bool {
    for line in message.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return false;
        }
        let field: Vec<u8> = line.iter().take_while(|byte| **byte != b':').map(u8::to_ascii_lowercase).collect();
        if field.trim_ascii_end() == name.as_bytes() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enveloped(message: &str, sender: Option<&str>, recipient: Option<&str>) -> String {
        String::from_utf8(with_envelope(message.as_bytes().to_vec(), sender, recipient)).unwrap()
    }

    #[test]
    fn what_the_mail_server_knows_is_put_where_a_mailbox_would_have_put_it() {
        assert_eq!(
            enveloped("Subject: x\n\nhi\n", Some("a@b.test"), Some("support+t@desk.test")),
            "Return-Path: <a@b.test>\r\nDelivered-To: support+t@desk.test\r\nSubject: x\n\nhi\n"
        );
        assert_eq!(enveloped("Subject: x\n\n", Some("<>"), None), "Return-Path: <>\r\nSubject: x\n\n");
        assert_eq!(enveloped("Subject: x\n\n", Some("MAILER-DAEMON"), None), "Return-Path: <>\r\nSubject: x\n\n");
    }

    #[test]
    fn what_the_message_says_itself_stands() {
        let message = "Return-path: <x@y.test>\r\nDelivered-To: z@y.test\r\n\r\nReturn-Path: no\r\n";
        assert_eq!(enveloped(message, Some("a@b.test"), Some("c@d.test")), message);
        assert_eq!(enveloped("Subject: x\n\nReturn-Path: <q>\n", Some("a@b.test"), None).lines().count(), 4);
    }

    #[test]
    fn an_address_cannot_bring_a_header_of_its_own() {
        let shown = enveloped("Subject: x\n\n", Some("a@b.test\r\nBcc: c@d.test"), None);
        assert!(shown.starts_with("Return-Path: <a@b.testBcc:c@d.test>\r\nSubject"), "{shown}");
    }

    #[test]
    fn the_line_a_pipe_puts_before_a_message_is_dropped() {
        assert_eq!(enveloped("From a@b.test Sun Nov 22 10:00:00 2026\nSubject: x\n\n", None, None), "Subject: x\n\n");
    }

    #[test]
    fn more_than_the_bound_is_refused_without_reading_on() {
        let error = bounded(io::repeat(b'x'), "standard input", 1 << 20).unwrap_err().to_string();
        assert!(error.starts_with("standard input holds more than 1 MiB; "), "{error}");
    }
}
