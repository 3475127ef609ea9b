//! Bodies (RFC 2045, 2046): always 7-bit lines, whatever is in them.

use data_encoding::HEXLOWER;
use lettre::message::header::{
    ContentDisposition, ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
};
use lettre::message::{Body, SinglePart};

use super::Attachment;
use super::header::{clean, encoded_words};

/// The media type of anything.
const BYTES: &str = "application/octet-stream";
/// Longest line of a transfer encoding.
const LINE: usize = 76;
/// Longest file name as it is percent-encoded, extension not counted.
const NAME_LIMIT: usize = 400;

/// Text of `subtype`, with any line ends.
pub(super) fn text(subtype: &str, text: &str) -> SinglePart {
    let charset = if text.is_ascii() { "us-ascii" } else { "utf-8" };
    let kind = ContentType::parse(&format!("text/{subtype}; charset={charset}")).unwrap_or(ContentType::TEXT_PLAIN);
    SinglePart::builder().content_type(kind).body(text_body(with_crlf(text)))
}

/// A file. What is not a media type is sent as bytes.
pub(super) fn file(file: &Attachment) -> SinglePart {
    let name = file_name(&file.name);
    let kind = Some(file.media_type.as_str()).filter(|kind| is_media_type(kind)).unwrap_or(BYTES);
    // For Outlook the encoded words it has always taken in this place.
    let help = Disposition::needs_help(&name).then(|| format!("; name=\"{}\"", encoded_words(&name)));
    let kind = format!("{kind}{}", help.unwrap_or_default());
    let builder = SinglePart::builder().header(Disposition(name));
    let builder = match ContentType::parse(&kind).or_else(|_| ContentType::parse(BYTES)) {
        Ok(kind) => builder.content_type(kind),
        Err(_) => builder,
    };
    builder.body(base64(file.content.clone()))
}

/// The boundary of a multipart `subtype` in the message `seed`.
///
/// It begins with `=_`, which neither quoted-printable nor base64 can write and text with which is never sent as it is:
/// it cannot occur in a part.
pub(super) fn boundary(subtype: &str, seed: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, format!("{subtype} {seed}").as_bytes());
    "=_".chars().chain(HEXLOWER.encode(digest.as_ref()).chars().take(24)).collect()
}

/// The shortest encoding that text in CRLF lines passes every server in.
fn text_body(lines: String) -> Body {
    if is_short_ascii(&lines)
        && let Ok(body) = Body::new_with_encoding(lines.clone(), ContentTransferEncoding::SevenBit)
    {
        return body;
    }
    let length = lines.len();
    match Body::new_with_encoding(lines.clone(), ContentTransferEncoding::QuotedPrintable) {
        Ok(quoted) if quoted.len() <= length.div_ceil(3) * 4 + length / 20 => {
            let guarded = guarded(quoted.as_ref());
            Body::dangerous_pre_encoded(guarded, ContentTransferEncoding::QuotedPrintable)
        }
        _ => base64(lines.into_bytes()),
    }
}

fn base64(content: Vec<u8>) -> Body {
    // Base64 takes everything; the fallback is not reached.
    Body::new_with_encoding(content, ContentTransferEncoding::Base64).unwrap_or_else(Body::new)
}

/// `quoted` with what may not begin a line written out: "From " is changed by mailbox files, "." by careless servers.
fn guarded(quoted: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(quoted.len() + 32);
    for line in quoted.split_inclusive(|&byte| byte == b'\n') {
        let shy: Option<&[u8]> = match line {
            [b'.', ..] => Some(b"=2E"),
            [b'F', b'r', b'o', b'm', b' ', ..] => Some(b"=46"),
            _ => None,
        };
        let (Some(shy), Some((_, rest))) = (shy, line.split_first()) else {
            out.extend_from_slice(line);
            continue;
        };
        out.extend_from_slice(shy);
        // A line that gets too long by it goes on in the next.
        if shy.len() + rest.trim_ascii_end().len() > LINE {
            out.extend_from_slice(b"=\r\n");
        }
        out.extend_from_slice(rest);
    }
    out
}

/// `Content-Disposition: attachment` and the name of the file.
#[derive(Clone)]
struct Disposition(String);

impl Disposition {
    /// Whether the name cannot stand between quotes as it is.
    fn needs_help(name: &str) -> bool {
        !name.is_ascii() || name.contains("=?")
    }
}

impl Header for Disposition {
    fn name() -> HeaderName {
        ContentDisposition::name()
    }

    fn parse(value: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(value.to_owned()))
    }

    /// RFC 2231 in one piece. lettre's own form cuts a name in numbered pieces, which fewer programs put together
    /// again, and lets one through that looks like an encoded word.
    fn display(&self) -> HeaderValue {
        let name = &self.0;
        let value = if Self::needs_help(name) {
            let percent: String = name.bytes().map(percent).collect();
            format!("attachment;\r\n filename*=utf-8''{percent}")
        } else {
            format!("attachment;\r\n filename=\"{name}\"")
        };
        HeaderValue::dangerous_new_pre_encoded(Self::name(), name.clone(), value)
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
