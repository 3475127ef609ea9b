//! Content-Type and Content-Disposition: a value and its parameters (RFC 2045, RFC 2231), as mailers really write them.

use super::{charset, header, transfer};

/// A value with parameters.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// What stands before the first `;`, lower case.
    pub(super) value: String,
    all: Vec<Parameter>,
}

#[derive(Debug)]
struct Parameter {
    /// Lower case, without the `*` parts.
    name: String,
    /// The place in a value cut into pieces.
    piece: Option<u32>,
    /// Whether the value is in percent codes.
    percent: bool,
    bytes: Vec<u8>,
}

impl Parameters {
    /// Parses a field's value.
    pub(super) fn parse(raw: &[u8]) -> Self {
        let unfolded = header::unfold(raw);
        let end = unfolded.iter().position(|&byte| byte == b';' || byte.is_ascii_whitespace());
        let (value, mut rest) = unfolded.split_at(end.unwrap_or(unfolded.len()));
        let value = value.split(|&byte| byte == b'(').next().unwrap_or_default();
        let value = String::from_utf8_lossy(value).trim_matches('"').to_ascii_lowercase();
        let mut all = Vec::new();
        while !rest.is_empty() && all.len() < 100 {
            let (parameter, after) = parameter(rest);
            rest = after;
            all.extend(parameter);
        }
        Self { value, all }
    }

    /// A parameter as text. Where it was given both plainly and in percent codes, whichever says more.
    pub(super) fn text(&self, name: &str, fallback: Option<&str>) -> Option<String> {
        let plain = self.plain(name).map(|bytes| header::decode_words(bytes, fallback));
        if let Some(plain) = plain.as_ref().filter(|plain| !plain.is_ascii() && !plain.contains('\u{fffd}')) {
            return Some(plain.clone());
        }
        self.extended(name, fallback).or(plain)
    }

    /// A parameter exactly as sent: for boundaries and charset names.
    pub(super) fn plain(&self, name: &str) -> Option<&[u8]> {
        self.all
            .iter()
            .find(|parameter| parameter.name == name && parameter.piece.is_none() && !parameter.percent)
            .map(|parameter| parameter.bytes.as_slice())
    }

    /// A token parameter: lower case, comment removed.
    pub(super) fn token(&self, name: &str) -> Option<String> {
        let text = match self.plain(name) {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => self.extended(name, None)?,
        };
        let token = text.split('(').next().unwrap_or_default().trim().to_ascii_lowercase();
        (!token.is_empty()).then_some(token)
    }

    fn extended(&self, name: &str, fallback: Option<&str>) -> Option<String> {
        let mut pieces: Vec<&Parameter> = self
            .all
            .iter()
            .filter(|parameter| parameter.name == name && (parameter.piece.is_some() || parameter.percent))
            .collect();
        pieces.sort_by_key(|parameter| parameter.piece.unwrap_or(0));
        pieces.dedup_by_key(|parameter| parameter.piece.unwrap_or(0));
        let first = pieces.first()?;
        let (label, start) = if first.percent { label(&first.bytes) } else { (None, 0) };
        let mut bytes = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            let value = piece.bytes.get(if index == 0 { start } else { 0 }..).unwrap_or_default();
            if piece.percent { percent_decode(value, &mut bytes) } else { bytes.extend_from_slice(value) }
        }
        Some(match label {
            Some(label) => charset::decode(Some(&label), &bytes).text.into_owned(),
            None => header::decode_words(&bytes, fallback),
        })
    }
}

/// `charset'language'` at the beginning, and where the value begins.
fn label(bytes: &[u8]) -> (Option<String>, usize) {
    let mut quotes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\'').map(|(at, _)| at);
    let (Some(first), Some(second)) = (quotes.next(), quotes.next()) else {
        return (None, 0);
    };
    let label = bytes.get(..first).unwrap_or_default();
    if label.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte)) {
        (Some(String::from_utf8_lossy(label).into_owned()), second + 1)
    } else {
        (None, 0)
    }
}

/// One parameter, if what comes next is one, and what follows it.
fn parameter(bytes: &[u8]) -> (Option<Parameter>, &[u8]) {
    let begin = bytes.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != b';').unwrap_or(bytes.len());
    let bytes = bytes.get(begin..).unwrap_or_default();
    let Some(end) = bytes.iter().position(|&byte| byte == b'=' || byte == b';') else {
        return (None, &[]);
    };
    let (name, after) = bytes.split_at(end);
    let Some(after) = after.strip_prefix(b"=") else {
        return (None, after);
    };
    let (value, after) = value(after.trim_ascii_start());
    let name = String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase();
    let (name, percent) = name.strip_suffix('*').map_or((name.as_str(), false), |cut| (cut, true));
    let (name, piece) = match name.split_once('*') {
        Some((name, piece)) => (name, piece.parse().ok()),
        None => (name, None),
    };
    (Some(Parameter { name: name.to_owned(), piece, percent, bytes: value }), after)
}

fn value(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(quoted) = bytes.strip_prefix(b"\"") else {
        let end = bytes.iter().position(|&byte| byte == b';').unwrap_or(bytes.len());
        let (value, after) = bytes.split_at(end);
        return (value.trim_ascii().to_vec(), after);
    };
    let mut value = Vec::new();
    let mut rest = quoted;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => break,
            // Only what had to be escaped: Windows paths come with bare backslashes.
            b'\\' if matches!(after.first(), Some(b'"' | b'\\')) => {
                value.extend(after.first());
                rest = after.get(1..).unwrap_or_default();
            }
            _ => value.push(byte),
        }
    }
    let end = rest.iter().position(|&byte| byte == b';').unwrap_or(rest.len());
    (value, rest.get(end..).unwrap_or_default())
}

fn percent_decode(value: &[u8], out: &mut Vec<u8>) {
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut ahead = bytes.clone();
            if let (Some(high), Some(low)) =
                (ahead.next().and_then(transfer::nibble), ahead.next().and_then(transfer::nibble))
            {
                out.push(high << 4 | low);
                bytes = ahead;
                continue;
            }
        }
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(raw: &str) -> String {
        Parameters::parse(raw.as_bytes()).text("filename", None).unwrap_or_default()
    }

    #[test]
    fn every_way_to_write_a_file_name_is_read() {
        assert_eq!(name("attachment; filename=\"a b.txt\""), "a b.txt");
        assert_eq!(name("attachment; filename=plain name.txt"), "plain name.txt");
        assert_eq!(name("attachment; filename*=utf-8''Ma%C3%9F.html"), "Maß.html");
        assert_eq!(
            name("attachment; filename*0*=\"utf-8''Ma%C3%9Fna\"; filename*1*=hm; filename*2=\"en.html\""),
            "Maßnahmen.html"
        );
        assert_eq!(name("attachment; filename*1=b.txt; filename*0=a"), "ab.txt");
        assert_eq!(name("attachment; filename*=Cp1252''Auftragsbest%E4tigung.pdf;"), "Auftragsbestätigung.pdf");
        assert_eq!(name("attachment; filename=\"=?utf-8?Q?=C3=A4?= 1.pdf\""), "ä 1.pdf");
        assert_eq!(name("attachment; filename*=\"=?utf-8?Q?somed=C3=A4.zip?=\""), "somedä.zip");
        assert_eq!(name("attachment; filename=\"M_nchen.pdf\"; filename*=utf-8''M%C3%BCnchen.pdf"), "München.pdf");
        assert_eq!(name("attachment; filename=\"C:\\dir\\f.txt\""), "C:\\dir\\f.txt");
        assert_eq!(name("attachment; filename=\"unfinished.txt"), "unfinished.txt");
        assert_eq!(name("attachment; filename=\"say \\\"hi\\\".txt\""), "say \"hi\".txt");
    }

    #[test]
    fn boundaries_and_charsets_are_found_in_sloppy_headers() {
        let sloppy = Parameters::parse(b"Text/Plain charset=\"UTF-8\" ;; format=flowed; boundary==_x=1 ");
        assert_eq!(sloppy.value, "text/plain");
        assert_eq!(sloppy.token("charset").as_deref(), Some("utf-8"));
        assert_eq!(sloppy.plain("boundary"), Some(&b"=_x=1"[..]));
        let comment = Parameters::parse(b"text/plain (hi); charset=us-ascii (Plain text)");
        assert_eq!((comment.value.as_str(), comment.token("charset").as_deref()), ("text/plain", Some("us-ascii")));
    }
}
