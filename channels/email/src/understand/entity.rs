//! Where a mail's fields and parts begin and end: slices of the original, nothing decoded.

use std::io::BufRead;

use super::limits::{Limits, Notes};

/// One header field as it stands in the mail.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'x> {
    /// The name, blanks around it removed.
    pub(super) name: &'x [u8],
    /// Everything after the colon, folds included, the last line end not.
    pub(super) value: &'x [u8],
}

/// A mail or a part of one.
#[derive(Debug)]
pub(super) struct Entity<'x> {
    pub(super) fields: Vec<Field<'x>>,
    pub(super) body: &'x [u8],
}

impl<'x> Entity<'x> {
    /// Splits fields from body. Lenient on purpose: a mailbox line at the top, a byte order mark, stray lines between
    /// fields and a missing blank line before the body are all seen in real mail.
    pub(super) fn split(raw: &'x [u8], limits: &Limits, notes: &mut Notes) -> Self {
        let mut fields = Vec::new();
        let mut taken = 0;
        let mut rest = raw.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(raw);
        loop {
            let (line, after) = next_line(rest);
            if line.is_empty() && after.is_empty() {
                return Self { fields, body: after };
            }
            let Some(name) = field_name(line) else {
                match odd_line(line, after, fields.is_empty()) {
                    OddLine::PassOver => rest = after,
                    OddLine::EndOfFields => return Self { fields, body: after },
                    OddLine::Body => return Self { fields, body: rest },
                }
                continue;
            };
            let (span, next) = whole_field(rest);
            rest = next;
            if fields.len() >= limits.headers {
                notes.add("mime.too_many_headers");
                continue;
            }
            taken += span.len();
            if taken > limits.header_bytes {
                notes.add("mime.headers_too_long");
                continue;
            }
            let mut value = span.get(name.len_with_colon..).unwrap_or_default();
            if value.len() > limits.field_bytes {
                notes.add("mime.header_too_long");
                value = value.get(..limits.field_bytes).unwrap_or_default();
            }
            fields.push(Field { name: name.bytes, value });
        }
    }

    /// The first field of that name, compared without case.
    pub(super) fn field(&self, name: &str) -> Option<&'x [u8]> {
        self.all(name).next()
    }

    /// Every field of that name, topmost first.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'x [u8]> + 'a {
        self.fields
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value)
    }
}

/// The parts between the delimiter lines of a multipart body, at most `limit`; true when there were more.
///
/// A delimiter must be a line of its own: a boundary that begins like another one's (`=_1`, `=_10`) is no match.
/// What follows the last part without a closing delimiter (a mail cut short) still counts as a part.
pub(super) fn parts<'x>(body: &'x [u8], boundary: &[u8], limit: usize) -> (Vec<&'x [u8]>, bool) {
    let mut found = Vec::new();
    let mut start: Option<usize> = None;
    let mut at = 0;
    while at < body.len() {
        let (line, after) = next_line(body.get(at..).unwrap_or_default());
        let next = body.len() - after.len();
        if let Some(closing) = delimiter(line, boundary) {
            if let Some(begin) = start {
                if found.len() >= limit {
                    return (found, true);
                }
                found.push(without_line_end(body.get(begin..at.max(begin)).unwrap_or_default()));
            }
            if closing {
                return (found, false);
            }
            start = Some(next);
        }
        at = next;
    }
    if let Some(begin) = start {
        let last = body.get(begin..).unwrap_or_default();
        if found.len() >= limit {
            return (found, true);
        }
        if !last.iter().all(u8::is_ascii_whitespace) {
            found.push(last);
        }
    }
    (found, false)
}

/// The boundary the body itself uses, where the header names none or a wrong one: the first line that looks like one
/// and is followed by a header field.
pub(super) fn guess_boundary(body: &[u8]) -> Option<&[u8]> {
    let mut rest = body;
    for _ in 0..200 {
        let (line, after) = next_line(rest);
        if line.len() > 4
            && let Some(boundary) = line.trim_ascii_end().strip_prefix(b"--")
            && boundary.len() <= 100
            && field_name(next_line(after).0).is_some()
        {
            return Some(boundary);
        }
        if after.is_empty() {
            return None;
        }
        rest = after;
    }
    None
}

/// The first line without its end, and what follows it.
pub(super) fn next_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut after = bytes;
    // Reading from a slice cannot fail, and the standard library searches it many bytes at a time.
    let length = after.skip_until(b'\n').unwrap_or(bytes.len());
    let line = bytes.get(..length).unwrap_or_default();
    (without_line_end(line), after)
}

/// Without one `\r\n` or `\n` at the end.
fn without_line_end(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").map_or(bytes, |cut| cut.strip_suffix(b"\r").unwrap_or(cut))
}

fn delimiter(line: &[u8], boundary: &[u8]) -> Option<bool> {
    // Some gateways indent delimiters; a boundary this long stands in no text by chance.
    let line = if boundary.len() >= 10 { line.trim_ascii_start() } else { line };
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    let (closing, rest) = rest.strip_prefix(b"--").map_or((false, rest), |rest| (true, rest));
    rest.iter().all(u8::is_ascii_whitespace).then_some(closing)
}

struct Name<'x> {
    bytes: &'x [u8],
    len_with_colon: usize,
}

fn field_name(line: &[u8]) -> Option<Name<'_>> {
    let colon = line.iter().take(200).position(|&byte| byte == b':')?;
    let bytes = line.get(..colon)?.trim_ascii_end();
    let fine = bytes.first().is_some_and(|first| !first.is_ascii_whitespace())
        && bytes.iter().all(|&byte| byte.is_ascii_graphic());
    fine.then_some(Name { bytes, len_with_colon: colon + 1 })
}

/// A field with its folded lines, line end of the last one removed, and what follows.
fn whole_field(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (_, mut after) = next_line(bytes);
    while after.first().is_some_and(|&byte| byte == b' ' || byte == b'\t') {
        let (line, rest) = next_line(after);
        // A line of blanks alone ends the fields unless another field or fold follows: gateways pad the empty line.
        if line.iter().all(u8::is_ascii_whitespace) && !continues(rest) {
            break;
        }
        after = rest;
    }
    let span = bytes.get(..bytes.len() - after.len()).unwrap_or_default();
    (without_line_end(span), after)
}

fn continues(rest: &[u8]) -> bool {
    let (line, _) = next_line(rest);
    line.first().is_some_and(|&byte| byte == b' ' || byte == b'\t') && !line.iter().all(u8::is_ascii_whitespace)
        || field_name(line).is_some()
}

enum OddLine {
    PassOver,
    EndOfFields,
    Body,
}

fn odd_line(line: &[u8], after: &[u8], first: bool) -> OddLine {
    if line.iter().all(u8::is_ascii_whitespace) {
        return if first { OddLine::PassOver } else { OddLine::EndOfFields };
    }
    let mailbox_line = line.starts_with(b"From ") || line.starts_with(b">From ");
    if (first && mailbox_line) || field_name(next_line(after).0).is_some() || fields_follow(after) {
        OddLine::PassOver
    } else {
        OddLine::Body
    }
}

/// Whether, before the next empty line, a field comes that only a mail's head has: the stray line is then a damaged
/// part of the head and not the beginning of the text.
fn fields_follow(after: &[u8]) -> bool {
    const HEAD: &[&[u8]] =
        &[b"received", b"return-path", b"message-id", b"mime-version", b"content-type", b"subject", b"from", b"date"];
    let mut rest = after;
    for _ in 0..30 {
        let (line, after) = next_line(rest);
        if line.is_empty() {
            return false;
        }
        if field_name(line).is_some_and(|name| HEAD.iter().any(|head| head.eq_ignore_ascii_case(name.bytes))) {
            return true;
        }
        rest = after;
    }
    false
}
