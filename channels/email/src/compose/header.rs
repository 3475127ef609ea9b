//! Header fields (RFC 5322, RFC 2047): whatever the value, one field, and the value read back.

use std::fmt::Write as _;

use data_encoding::BASE64;

use super::address::{NamedAddress, is_sendable};

/// Length at which lines are broken where they can be.
const LINE: usize = 76;
/// Longest encoded word (RFC 2047 section 2).
const WORD: usize = 75;
/// `=?utf-8?q?` and `?=`.
const WORD_FRAME: usize = 12;
/// Longest message id: a line of its own must stay under 998 bytes.
const MESSAGE_ID_LIMIT: usize = 900;

/// Fields written by `compose` itself, or not to be seen by a recipient.
const OWN: [&str; 17] = [
    "auto-submitted",
    "bcc",
    "cc",
    "date",
    "from",
    "in-reply-to",
    "message-id",
    "mime-version",
    "references",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
    "x-auto-response-suppress",
    "x-guichet-loop",
    "received",
];

/// Fields being put together.
#[derive(Default)]
pub(super) struct Headers {
    out: String,
}

impl Headers {
    /// A field whose value is ASCII of our own making, folded already.
    pub(super) fn raw(&mut self, name: &str, value: &str) {
        self.out.push_str(name);
        self.out.push_str(": ");
        self.out.push_str(value);
        self.out.push_str("\r\n");
    }

    /// An unstructured field with any value.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        let value = clean(value);
        self.out.push_str(name);
        self.out.push(':');
        let mut column = name.len() + 1;
        if is_plain(&value) {
            fold(&mut self.out, &mut column, &value);
        } else {
            encode(&mut self.out, &mut column, &value);
        }
        self.out.push_str("\r\n");
    }

    /// A field with one address; `None`, and nothing written, when it cannot be written.
    pub(super) fn address(&mut self, name: &str, who: &NamedAddress) -> Option<()> {
        if !is_sendable(&who.address) {
            return None;
        }
        self.out.push_str(name);
        self.out.push(':');
        let mut column = name.len() + 1;
        let shown = who.name.as_deref().map(clean).filter(|shown| !shown.is_empty());
        if let Some(shown) = shown {
            let quotable = is_plain(&shown) && shown.len() < 60;
            if quotable && shown.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -_'".contains(&byte)) {
                fold(&mut self.out, &mut column, &shown);
            } else if quotable {
                let quoted = shown.replace('\\', "\\\\").replace('"', "\\\"");
                self.push(&mut column, &format!("\"{quoted}\""));
            } else {
                encode(&mut self.out, &mut column, &shown);
            }
        }
        self.push(&mut column, &format!("<{}>", who.address));
        self.out.push_str("\r\n");
        Some(())
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out.into_bytes()
    }

    /// A word that must not be broken.
    fn push(&mut self, column: &mut usize, word: &str) {
        space(&mut self.out, column, word.len());
        self.out.push_str(word);
        *column += word.len();
    }
}

/// `id` in angle brackets; `None` where it could not be written without changing it.
pub(super) fn message_id(id: &str) -> Option<String> {
    let id = id.trim();
    let id = id.strip_prefix('<').unwrap_or(id);
    let id = id.strip_suffix('>').unwrap_or(id);
    let fits = (1..=MESSAGE_ID_LIMIT).contains(&id.len());
    (fits && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'<' && byte != b'>')).then(|| format!("<{id}>"))
}

/// Whether `name` can be a further field.
pub(super) fn is_free_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let fits = name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
    (1..=60).contains(&name.len()) && fits && !OWN.contains(&lower.as_str()) && !lower.starts_with("content-")
}

/// One line: line breaks and control characters as spaces, none at the ends. Characters that turn the direction of the
/// text go too: in a name they would show another address than the one written.
pub(super) fn clean(value: &str) -> String {
    let odd = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let spaced: String = value.chars().map(|letter| if odd(letter) { ' ' } else { letter }).collect();
    spaced.trim().to_owned()
}

/// `value` as encoded words, one a line.
pub(super) fn encoded_words(value: &str) -> String {
    let (mut out, mut column) = (String::new(), LINE);
    encode(&mut out, &mut column, value);
    out.trim_start().to_owned()
}

/// Whether the value reads back as it is: ASCII, words not too long, single spaces, nothing like an encoded word.
fn is_plain(value: &str) -> bool {
    value.is_ascii()
        && !value.contains("=?")
        && !value.contains("  ")
        && value.split(' ').all(|word| word.len() < LINE - 10)
}

/// Begins a new line where `length` more would make this one too long, else a space.
fn space(out: &mut String, column: &mut usize, length: usize) {
    if *column + 1 + length > LINE && !out.ends_with("\r\n ") {
        out.push_str("\r\n");
        *column = 0;
    }
    out.push(' ');
    *column += 1;
}

fn fold(out: &mut String, column: &mut usize, value: &str) {
    for word in value.split(' ') {
        space(out, column, word.len());
        out.push_str(word);
        *column += word.len();
    }
}

/// The whole value as encoded words, in whichever encoding is shorter. Between two of them a reader drops the space.
fn encode(out: &mut String, column: &mut usize, value: &str) {
    let quoted: usize = value.chars().map(quoted_length).sum();
    let base64 = value.len().div_ceil(3) * 4;
    let in_base64 = base64 < quoted;
    let mut rest = value;
    while !rest.is_empty() {
        // What is left of the line, or a whole one if that is too little for a few letters.
        let left = LINE.saturating_sub(*column + 1);
        let room = if left < 30 { WORD } else { left.min(WORD) } - WORD_FRAME;
        let piece = if in_base64 { first_bytes(rest, room / 4 * 3) } else { first_quoted(rest, room) };
        let word = if in_base64 {
            format!("=?utf-8?b?{}?=", BASE64.encode(piece.as_bytes()))
        } else {
            format!("=?utf-8?q?{}?=", quote(piece))
        };
        space(out, column, word.len());
        out.push_str(&word);
        *column += word.len();
        rest = rest.strip_prefix(piece).unwrap_or_default();
    }
}

/// The longest beginning of whole characters with at most `limit` bytes.
fn first_bytes(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or_default()
}

/// The longest beginning of whole characters with at most `room` bytes once quoted.
fn first_quoted(text: &str, room: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, letter)| {
        used += quoted_length(*letter);
        used > room
    });
    text.get(..end.map_or(text.len(), |(at, _)| at)).unwrap_or_default()
}

/// The letters that stand for themselves in the "Q" encoding, even in a name (RFC 2047 section 5 (3)).
fn is_literal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!*+-/".contains(&byte)
}

fn quoted_length(letter: char) -> usize {
    if letter == ' ' || (letter.is_ascii() && u8::try_from(letter).is_ok_and(is_literal)) {
        1
    } else {
        letter.len_utf8() * 3
    }
}

fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte == b' ' {
            out.push('_');
        } else if is_literal(byte) {
            out.push(char::from(byte));
        } else if write!(out, "={byte:02X}").is_err() {
            // Writing to a String cannot fail.
            break;
        }
    }
    out
}
