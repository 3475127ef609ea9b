//! Bodies (RFC 2045, 2046): always 7-bit lines, whatever is in them.

use data_encoding::{BASE64, HEXLOWER};

use super::header::{clean, encoded_words};

/// Longest line of a transfer encoding.
const LINE: usize = 76;
/// Longest file name as it is percent-encoded, extension not counted.
const NAME_LIMIT: usize = 400;

/// One part: its own headers, and its content as it is sent.
pub(super) struct Part {
    headers: String,
    content: Content,
}

enum Content {
    Encoded(Vec<u8>),
    Parts { boundary: String, parts: Vec<Part> },
}

impl Part {
    /// Text of `subtype`, with any line ends.
    pub(super) fn text(subtype: &str, text: &str) -> Self {
        let lines = with_crlf(text);
        let (encoding, content) = if is_short_ascii(&lines) {
            ("7bit", lines.into_bytes())
        } else {
            let quoted = quoted_printable(&lines);
            if quoted.len() > lines.len().div_ceil(3) * 4 + lines.len() / 20 {
                ("base64", base64(lines.as_bytes()))
            } else {
                ("quoted-printable", quoted)
            }
        };
        let headers = format!(
            "Content-Type: text/{subtype}; charset={}\r\nContent-Transfer-Encoding: {encoding}\r\n",
            if text.is_ascii() { "us-ascii" } else { "utf-8" }
        );
        Self { headers, content: Content::Encoded(content) }
    }

    /// A file.
    pub(super) fn file(name: &str, media_type: &str, content: &[u8]) -> Self {
        let name = file_name(name);
        let kind = if is_media_type(media_type) { media_type } else { "application/octet-stream" };
        let headers = if name.is_ascii() && !name.contains("=?") {
            format!("Content-Type: {kind}\r\nContent-Disposition: attachment;\r\n filename=\"{name}\"\r\n")
        } else {
            // RFC 2231 for who reads it, and for Outlook the encoded words it has always taken in this place.
            let (words, percent): (_, String) = (encoded_words(&name), name.bytes().map(percent).collect());
            format!(
                "Content-Type: {kind};\r\n name=\"{words}\"\r\n\
                 Content-Disposition: attachment;\r\n filename*=utf-8''{percent}\r\n"
            )
        };
        let headers = format!("{headers}Content-Transfer-Encoding: base64\r\n");
        Self { headers, content: Content::Encoded(base64(content)) }
    }

    /// `parts` one after the other. `seed` makes the boundary.
    ///
    /// A boundary begins with `=_`, which neither quoted-printable nor base64 can write and text with which is never sent
    /// as it is: it cannot occur in a part.
    pub(super) fn multi(subtype: &str, seed: &str, parts: Vec<Self>) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, format!("{subtype} {seed}").as_bytes());
        let boundary: String = "=_".chars().chain(HEXLOWER.encode(digest.as_ref()).chars().take(24)).collect();
        let headers = format!("Content-Type: multipart/{subtype};\r\n boundary=\"{boundary}\"\r\n");
        Self { headers, content: Content::Parts { boundary, parts } }
    }

    /// Appends headers, the empty line and the content, which ends in CRLF.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.headers.as_bytes());
        out.extend_from_slice(b"\r\n");
        match &self.content {
            Content::Encoded(content) => {
                out.extend_from_slice(content);
                out.extend_from_slice(b"\r\n");
            }
            Content::Parts { boundary, parts } => {
                for part in parts {
                    out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
                    part.write(out);
                }
                out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
            }
        }
    }
}

/// Every line end as CRLF; none at the end, which the writer adds.
fn with_crlf(text: &str) -> String {
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    unix.trim_end_matches('\n').replace('\n', "\r\n")
}

/// Whether the text can be sent as it is and arrive as it is: no long lines, no spaces at the end of one, no `From `
/// that a mailbox file would change, nothing like a boundary.
fn is_short_ascii(lines: &str) -> bool {
    let fits = |line: &str| {
        line.len() <= LINE
            && !line.ends_with([' ', '\t'])
            && !line.starts_with("From ")
            && line.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
    };
    lines.is_ascii() && !lines.contains("=_") && lines.split("\r\n").all(fits)
}

/// Quoted-printable (RFC 2045 section 6.7) of text whose lines end in CRLF.
fn quoted_printable(lines: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(lines.len() * 2);
    for (index, line) in lines.split("\r\n").enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\r\n");
        }
        let bytes = line.as_bytes();
        let mut column = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            let last = at + 1 == bytes.len();
            let shy = match byte {
                b' ' | b'\t' => last,
                b'=' => true,
                // "From " at the beginning of a line is changed by mailbox files, "." by careless servers.
                b'F' | b'.' => column == 0,
                byte => !(b'!'..=b'~').contains(&byte),
            };
            let width = if shy { 3 } else { 1 };
            if column + width > LINE - usize::from(!last) {
                out.extend_from_slice(b"=\r\n");
                column = 0;
            }
            if shy {
                out.extend_from_slice(format!("={byte:02X}").as_bytes());
            } else {
                out.push(byte);
            }
            column += width;
        }
    }
    out
}

fn base64(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() / 3 * 4 + content.len() / 38 + 8);
    for (index, block) in content.chunks(LINE / 4 * 3).enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(BASE64.encode(block).as_bytes());
    }
    out
}

/// `type/subtype` of plain tokens. Composite types may not be sent as base64, so they go as bytes.
fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        (1..=100).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    let composite = |kind: &str| kind.eq_ignore_ascii_case("multipart") || kind.eq_ignore_ascii_case("message");
    text.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype) && !composite(kind))
}

/// A name that stays in its folder, fits on a line, and needs no escapes between quotes.
fn file_name(name: &str) -> String {
    let cleaned = clean(name).replace(['/', '\\', '"'], "_");
    if cleaned.trim_matches('.').is_empty() { "file".to_owned() } else { shortened(&cleaned) }
}

/// Cut in the middle, so that the extension stays.
fn shortened(name: &str) -> String {
    if name.bytes().map(|byte| percent(byte).len()).sum::<usize>() <= NAME_LIMIT {
        return name.to_owned();
    }
    let dot = name.rfind('.').filter(|dot| (2..=12).contains(&(name.len() - dot)));
    let (stem, extension) = name.split_at_checked(dot.unwrap_or(name.len())).unwrap_or((name, ""));
    let mut length = 0;
    let kept = stem.chars().take_while(|letter| {
        length += letter.len_utf8() * 3;
        length <= NAME_LIMIT
    });
    kept.chain(extension.chars()).collect()
}

fn percent(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}
