//! mbox files, read message by message.

use std::io::{self, BufRead};

/// The messages of an mbox, in order; at most one is held at a time. `>From ` lines lose one `>` (mboxrd).
pub struct Mbox<R> {
    lines: R,
    line: Vec<u8>,
    /// The line that was read last begins the next message.
    begun: bool,
    most: usize,
}

/// A message, or that it was larger than may be held.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// Its octets.
    Message(Vec<u8>),
    /// How many octets it has.
    TooLarge(usize),
}

impl<R: BufRead> Mbox<R> {
    /// Reads from `lines`; messages of more than `most` octets are passed over.
    pub fn new(lines: R, most: usize) -> Self {
        Self { lines, line: Vec::new(), begun: false, most }
    }

    /// The next message; `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<Piece>> {
        let mut message = Vec::new();
        let mut size = 0;
        // A separator counts at the top and behind an empty line; the empty line belongs to it.
        let mut after_empty = true;
        let mut empty: Vec<u8> = Vec::new();
        let mut open = std::mem::take(&mut self.begun);
        loop {
            self.line.clear();
            if self.lines.read_until(b'\n', &mut self.line)? == 0 {
                break;
            }
            if after_empty && is_separator(&self.line) {
                if open {
                    self.begun = true;
                    break;
                }
                open = true;
                after_empty = false;
                continue;
            }
            // What stands before the first separator is part of no message, unless it is all there is.
            open |= !self.line.trim_ascii().is_empty();
            let line = unquoted(&self.line);
            size += empty.len() + line.len();
            if size <= self.most {
                message.extend_from_slice(&empty);
                message.extend_from_slice(line);
            }
            empty.clear();
            after_empty = line.trim_ascii().is_empty();
            if after_empty {
                size -= line.len();
                let kept = message.len().saturating_sub(line.len());
                if size <= self.most {
                    message.truncate(kept);
                }
                empty.extend_from_slice(line);
            }
        }
        Ok(match (open && size > 0, size > self.most) {
            (false, _) => None,
            (true, true) => Some(Piece::TooLarge(size)),
            (true, false) => Some(Piece::Message(message)),
        })
    }
}

/// `From somebody Sun Nov 22 10:00:00 2026`: a line of running text rarely has the time of day in it.
pub fn is_separator(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    let is_time =
        |word: &[u8]| matches!(word, [a, b, b':', c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()));
    rest.trim_ascii().split(u8::is_ascii_whitespace).any(is_time)
}

fn unquoted(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|byte| **byte == b'>').count();
    match line.get(quotes..) {
        Some(rest) if quotes > 0 && rest.starts_with(b"From ") => line.get(1..).unwrap_or_default(),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(mbox: &str, most: usize) -> Vec<Piece> {
        let mut reader = Mbox::new(mbox.as_bytes(), most);
        let mut found = Vec::new();
        while let Some(piece) = reader.next().unwrap() {
            found.push(piece);
        }
        found
    }

    fn message(text: &str) -> Piece {
        Piece::Message(text.as_bytes().to_vec())
    }

    const SEPARATOR: &str = "From a@b.test Sun Nov 22 10:00:00 2026\n";

    #[test]
    fn each_message_begins_behind_its_separator_and_ends_before_the_empty_line() {
        let mbox = format!("{SEPARATOR}Subject: 1\n\none\n\n{SEPARATOR}Subject: 2\n\ntwo\n\nlast\n\n");
        assert_eq!(messages(&mbox, 1000), [message("Subject: 1\n\none\n"), message("Subject: 2\n\ntwo\n\nlast\n")]);
    }

    #[test]
    fn quoted_from_lines_get_back_their_form_and_plain_ones_split_nothing() {
        let mbox = format!("{SEPARATOR}Subject: 1\n\n>From me\n>>From you\n\nFrom here on all is well\n>x\n");
        assert_eq!(
            messages(&mbox, 1000),
            [message("Subject: 1\n\nFrom me\n>From you\n\nFrom here on all is well\n>x\n")]
        );
    }

    #[test]
    fn a_message_that_is_too_large_is_told_and_the_next_one_is_read() {
        let mbox = format!("{SEPARATOR}Subject: 1\n\n{}\n\n{SEPARATOR}Subject: 2\n\ntwo\n", "x".repeat(100));
        assert_eq!(messages(&mbox, 50), [Piece::TooLarge(113), message("Subject: 2\n\ntwo\n")]);
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(messages("", 50), []);
        assert_eq!(messages("\n\n", 50), []);
    }
}
