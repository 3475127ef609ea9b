//! Header fields (RFC 5322, RFC 2047): whatever the value, one field, and the value read back.

use std::fmt::Write as _;

use data_encoding::BASE64;
use lettre::message::header::{HeaderName, HeaderValue};

use super::address::{NamedAddress, is_sendable};

/// Length at which lines are broken where they can be.
const LINE: usize = 76;
/// Longest encoded word (RFC 2047 section 2).
const WORD: usize = 75;
/// `=?utf-8?q?` and `?=`.
const WORD_FRAME: usize = 12;
/// Longest message id: a line of its own must stay under 998 bytes.
const MESSAGE_ID_LIMIT: usize = 900;

/// A sender lettre's grammar knows.
const STAND_IN: &str = "sender@localhost";

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

/// A field whose value is ASCII of our own making, folded already.
///
/// lettre reads the value back in one place only: to find the sender. See [`address`].
pub(super) fn written(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), String::new(), value)
}

/// An unstructured field with any value.
pub(super) fn text(name: &'static str, value: &str) -> HeaderValue {
    let value = unstructured(name, value);
    written(name, value)
}

/// A further field with any value; `None` where `name` cannot be one.
pub(super) fn free(name: &str, value: &str) -> Option<HeaderValue> {
    let value = unstructured(name, value);
    let name = HeaderName::new_from_ascii(name.to_owned()).ok().filter(|_| is_free_name(name))?;
    Some(HeaderValue::dangerous_new_pre_encoded(name, String::new(), value))
}

/// A field with one address; `None` when the address cannot be written.
///
/// Not lettre's own form, which does not break a word longer than a line. What lettre reads back, to see that there is a
/// sender, is a stand-in: its grammar refuses addresses that exist.
pub(super) fn address(name: &'static str, who: &NamedAddress) -> Option<HeaderValue> {
    if !is_sendable(&who.address) {
        return None;
    }
    let mut line = Line::behind(name);
    let shown = who.name.as_deref().map(clean).filter(|shown| !shown.is_empty());
    if let Some(shown) = shown {
        let quotable = is_plain(&shown) && shown.len() < 60;
        if quotable && shown.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -_'".contains(&byte)) {
            line.fold(&shown);
        } else if quotable {
            let quoted = shown.replace('\\', "\\\\").replace('"', "\\\"");
            line.push(&format!("\"{quoted}\""));
        } else {
            line.encode(&shown);
        }
    }
    line.push(&format!("<{}>", who.address));
    let name = HeaderName::new_from_ascii_str(name);
    Some(HeaderValue::dangerous_new_pre_encoded(name, STAND_IN.to_owned(), line.out))
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
fn is_free_name(name: &str) -> bool {
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

/// `value` as encoded words, with a space between.
pub(super) fn encoded_words(value: &str) -> String {
    let mut line = Line { out: String::new(), column: 0 };
    line.encode(value);
    line.out.replace("\r\n", "")
}

/// Whether the value reads back as it is: ASCII, words not too long, single spaces, nothing like an encoded word.
fn is_plain(value: &str) -> bool {
    value.is_ascii()
        && !value.contains("=?")
        && !value.contains("  ")
        && value.split(' ').all(|word| word.len() < LINE - 10)
}

fn unstructured(name: &str, value: &str) -> String {
    let value = clean(value);
    let mut line = Line::behind(name);
    if is_plain(&value) {
        line.fold(&value);
    } else {
        line.encode(&value);
    }
    line.out
}

/// A value being written, and where on its line it has come to.
struct Line {
    out: String,
    column: usize,
}

impl Line {
    /// The value of the field `name`, which stands before it with a colon and a space.
    fn behind(name: &str) -> Self {
        Self { out: String::new(), column: name.len() + 2 }
    }

    /// A word that must not be broken, on a new line where it would make this one too long.
    fn push(&mut self, word: &str) {
        let first = self.out.is_empty();
        if self.column + usize::from(!first) + word.len() > LINE {
            self.out.push_str("\r\n ");
            self.column = 1;
        } else if !first {
            self.out.push(' ');
            self.column += 1;
        }
        self.out.push_str(word);
        self.column += word.len();
    }

    fn fold(&mut self, value: &str) {
        for word in value.split(' ') {
            self.push(word);
        }
    }

    /// The whole value as encoded words, in whichever encoding is shorter. Between two of them a reader drops the space.
    fn encode(&mut self, value: &str) {
        let quoted: usize = value.chars().map(quoted_length).sum();
        let base64 = value.len().div_ceil(3) * 4;
        let in_base64 = base64 < quoted;
        let mut rest = value;
        while !rest.is_empty() {
            // What is left of the line, or a whole one if that is too little for a few letters.
            let left = LINE.saturating_sub(self.column + 1);
            let room = if left < 30 { WORD } else { left.min(WORD) } - WORD_FRAME;
            let piece = if in_base64 { first_bytes(rest, room / 4 * 3) } else { first_quoted(rest, room) };
            self.push(&if in_base64 {
                format!("=?utf-8?b?{}?=", BASE64.encode(piece.as_bytes()))
            } else {
                format!("=?utf-8?q?{}?=", quote(piece))
            });
            rest = rest.strip_prefix(piece).unwrap_or_default();
        }
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
