//! Content-Transfer-Encoding undone. Never fails: what is not encoded as it says is kept as it is.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;

use super::{entity, uuencode};

/// The bytes a part stands for.
pub(super) fn decode<'x>(encoding: &str, body: &'x [u8]) -> Cow<'x, [u8]> {
    let encoding = encoding.trim();
    if encoding.eq_ignore_ascii_case("base64") {
        Cow::Owned(base64(body))
    } else if encoding.eq_ignore_ascii_case("quoted-printable") {
        Cow::Owned(quoted_printable(body))
    } else if encoding.eq_ignore_ascii_case("x-uuencode") || encoding.eq_ignore_ascii_case("uuencode") {
        uuencode::decode_whole(body).map_or(Cow::Borrowed(body), Cow::Owned)
    } else {
        Cow::Borrowed(body)
    }
}

/// Base64, in one go where it is clean; else whatever letters of its alphabet are there.
pub(super) fn base64(body: &[u8]) -> Vec<u8> {
    base64_decode(body).unwrap_or_else(|| base64_lenient(body))
}

fn base64_lenient(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() / 4 * 3);
    let mut bits: u32 = 0;
    let mut count = 0;
    for &byte in body {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                // Padding ends a group: encoded pieces set one behind the other are common.
                flush(&mut out, bits, count);
                count = 0;
                bits = 0;
                continue;
            }
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        count += 1;
        if count == 4 {
            out.extend_from_slice(bits.to_be_bytes().get(1..).unwrap_or_default());
            count = 0;
            bits = 0;
        }
    }
    flush(&mut out, bits, count);
    out
}

fn flush(out: &mut Vec<u8>, bits: u32, count: u8) {
    let bytes = match count {
        2 => (bits << 12).to_be_bytes(),
        3 => (bits << 6).to_be_bytes(),
        _ => return,
    };
    out.extend_from_slice(bytes.get(1..usize::from(count)).unwrap_or_default());
}

/// Quoted-printable; a `=` that begins no code stays a `=`.
pub(super) fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while !rest.is_empty() {
        let (line, after) = entity::next_line(rest);
        let had_end = line.len() < rest.len() - after.len();
        let trimmed = line.trim_ascii_end();
        let (line, soft) = trimmed.strip_suffix(b"=").map_or((trimmed, false), |cut| (cut, true));
        // Blanks at the end of a hard line were added on the way; those before a soft break were written.
        let line = if soft || had_end { line } else { rest };
        decode_codes(line, &mut out);
        if had_end && !soft {
            out.extend_from_slice(rest.get(trimmed_end(rest, after)..rest.len() - after.len()).unwrap_or(b"\n"));
        }
        rest = after;
    }
    out
}

/// Where the line end begins in `rest`, given what follows it.
fn trimmed_end(rest: &[u8], after: &[u8]) -> usize {
    let end = rest.len() - after.len();
    if end >= 2 && rest.get(end - 2) == Some(&b'\r') { end - 2 } else { end.saturating_sub(1) }
}

fn decode_codes(line: &[u8], out: &mut Vec<u8>) {
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == b'=' {
            let mut ahead = bytes.clone();
            if let (Some(high), Some(low)) = (ahead.next().and_then(nibble), ahead.next().and_then(nibble)) {
                out.push(high << 4 | low);
                bytes = ahead;
                continue;
            }
        }
        out.push(byte);
    }
}

/// The value of a hexadecimal digit.
pub(super) fn nibble(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_base64_is_decoded() {
        assert_eq!(*decode("BASE64", b"SGVsbG8g\r\nV29ybGQ=\r\n"), *b"Hello World");
    }

    #[test]
    fn base64_with_rubbish_in_it_gives_what_can_be_read() {
        assert_eq!(base64(b"SGVs*bG8g!\n--V29ybGQ"), base64_lenient(b"SGVsbG8g--V29ybGQ"));
        assert_eq!(base64_lenient(b"SGVsbG8=\nIQ=="), b"Hello!");
    }

    #[test]
    fn quoted_printable_keeps_line_ends_and_drops_blanks_before_them() {
        assert_eq!(quoted_printable(b"a=3Db  \r\nc=\r\nd =\n e\n"), b"a=b\r\ncd  e\n");
        assert_eq!(quoted_printable(b"=E9t=e9 \t"), b"\xe9t\xe9 \t");
    }

    #[test]
    fn an_equals_sign_that_begins_no_code_stays() {
        assert_eq!(quoted_printable(b"1=2 and =zz and =4"), b"1=2 and =zz and =4");
    }

    #[test]
    fn an_unknown_encoding_leaves_the_bytes_alone() {
        assert_eq!(*decode("x-martian", b"=41"), *b"=41");
    }
}
