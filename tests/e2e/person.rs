//! People who write to a desk and read what it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::mail::Mail;
use super::rig::Rig;
use super::smtp::Smtp;
use super::wait::until;

static LETTERS: AtomicU32 = AtomicU32::new(1);

/// Somebody with an address.
#[derive(Clone)]
pub struct Person {
    rig: Arc<Rig>,
    /// Their name.
    pub name: String,
    /// Their address.
    pub address: String,
}

/// What somebody writes, before it is sent.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Its Message-ID, with angle brackets.
    pub id: String,
    /// Whom the envelope names.
    pub to: Vec<String>,
    headers: Vec<(String, String)>,
    text: String,
}

impl Letter {
    /// The same with this header instead of any of its name; an empty value takes it away.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        if !value.is_empty() {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Its octets.
    pub fn raw(&self) -> Vec<u8> {
        let head: Vec<String> = self.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let raw = format!("{}\r\n\r\n{}\r\n", head.join("\r\n"), self.text.replace('\n', "\r\n"));
        raw.into_bytes()
    }
}

impl Person {
    pub(super) fn new(rig: &Arc<Rig>, name: &str, address: &str) -> Self {
        Self { rig: Arc::clone(rig), name: name.to_owned(), address: address.to_owned() }
    }

    /// A mail of theirs, not sent yet.
    pub fn writes(&self, to: &str, subject: &str, text: &str) -> Letter {
        let number = LETTERS.fetch_add(1, Ordering::Relaxed);
        let id = format!("<letter-{number}.{}@customer.test>", std::process::id());
        let from = format!("{} <{}>", self.name, self.address);
        let headers = [
            ("From", from.as_str()),
            ("To", to),
            ("Subject", subject),
            ("Message-ID", &id),
            ("Date", "Mon, 2 Mar 2026 10:00:00 +0100"),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Letter { id: id.clone(), to: vec![to.to_owned()], headers, text: text.to_owned() }
    }

    /// Hands a mail to their mail server.
    pub fn sends(&self, letter: &Letter) {
        let to: Vec<&str> = letter.to.iter().map(String::as_str).collect();
        let mut smtp = Smtp::connect(self.rig.port("RIG_SMTP")).unwrap();
        smtp.send(&self.address, &to, &letter.raw()).unwrap();
    }

    /// Writes and sends a mail.
    pub fn mails(&self, to: &str, subject: &str, text: &str) -> Letter {
        let letter = self.writes(to, subject, text);
        self.sends(&letter);
        letter
    }

    /// Presses "answer": to Reply-To, in the same thread, the old mail quoted below.
    pub fn answer_to(&self, mail: &Mail, text: &str) -> Letter {
        let reply_to = mail.header("Reply-To");
        let to = address_in(if reply_to.is_empty() { mail.header("From") } else { reply_to }.as_str());
        let theirs = mail.text();
        let quoted: Vec<String> = theirs.lines().map(|line| format!("> {line}")).collect();
        let head = "On Mon, 2 Mar 2026 at 10:05, Support <support@helpdesk.test> wrote:";
        let text = format!("{text}\n\n{head}\n{}", quoted.join("\n"));
        self.writes(&to, &format!("Re: {}", mail.subject()), &text)
            .with("In-Reply-To", &mail.id())
            .with("References", format!("{} {}", mail.header("References"), mail.id()).trim())
    }

    /// Presses "answer" and sends.
    pub fn answers(&self, mail: &Mail, text: &str) -> Letter {
        let letter = self.answer_to(mail, text);
        self.sends(&letter);
        letter
    }

    /// All that has come for them.
    pub fn inbox(&self) -> Vec<Arc<Mail>> {
        self.rig.received_by(&self.address)
    }

    /// Waits until so many mails have come, and gives them in the order of their coming.
    pub fn has_mails(&self, count: usize) -> Vec<Arc<Mail>> {
        until(&format!("{} ({}) has {count} mails", self.name, self.address), || {
            let inbox = self.inbox();
            (inbox.len() >= count).then_some(inbox)
        })
    }

    /// Waits for the mail after so many others.
    pub fn gets_mail(&self, number: usize) -> Arc<Mail> {
        self.has_mails(number).swap_remove(number - 1)
    }
}

/// The bare address in a header.
pub fn address_in(header: &str) -> String {
    let bare =
        header.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(header, |(address, _)| address);
    bare.trim().to_owned()
}
