//! A mail as a person's program shows it: read by a hand of its own, so that what guichet wrote is not judged by guichet.

/// A mail somebody received.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The octets.
    pub raw: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Mail {
    /// Reads the octets of a mail.
    pub fn read(raw: &[u8]) -> Self {
        let raw = String::from_utf8_lossy(raw).replace("\r\n", "\n");
        let (head, body) = raw.split_once("\n\n").unwrap_or((&raw, ""));
        let (headers, body) = (headers(head), body.to_owned());
        Self { raw, headers, body }
    }

    /// The first header of this name, unfolded and decoded; empty when there is none.
    pub fn header(&self, name: &str) -> String {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| decoded(value))
            .unwrap_or_default()
    }

    /// The subject.
    pub fn subject(&self) -> String {
        self.header("Subject")
    }

    /// The Message-ID with its angle brackets.
    pub fn id(&self) -> String {
        self.header("Message-ID")
    }

    /// The first text part, decoded.
    pub fn text(&self) -> String {
        let kind = self.header("Content-Type");
        if let Some(boundary) = parameter(&kind, "boundary") {
            let first = self.body.split(&format!("--{boundary}")).nth(1).unwrap_or_default();
            return Self::read(first.trim_start_matches('\n').as_bytes()).text();
        }
        match self.header("Content-Transfer-Encoding").to_lowercase().as_str() {
            "quoted-printable" => lossy(&quoted_printable(&self.body.replace("=\n", ""))),
            "base64" => lossy(&base64(&self.body)),
            _ => self.body.clone(),
        }
    }

    /// The ticket's number in the subject.
    pub fn reference(&self) -> String {
        let subject = self.subject();
        let found =
            subject.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(number, _)| number.to_owned());
        found.unwrap_or_else(|| panic!("no ticket number in the subject {subject:?}"))
    }
}

fn headers(head: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in head.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = found.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            found.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    found
}

fn parameter(header: &str, name: &str) -> Option<String> {
    let (_, rest) = header.split_once(&format!("{name}="))?;
    let value = rest.strip_prefix('"').map_or_else(|| rest.split(';').next(), |quoted| quoted.split('"').next())?;
    Some(value.trim().to_owned())
}

/// RFC 2047 words decoded; between two of them the space does not count.
fn decoded(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    let mut after_word = false;
    while let Some((before, from)) = rest.split_once("=?") {
        let mut parts = from.splitn(4, '?');
        let (_charset, form, text, tail) = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(form), Some(text), Some(tail)) = (form, text, tail.and_then(|tail| tail.strip_prefix('='))) else {
            break;
        };
        if !(after_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        let bytes =
            if form.eq_ignore_ascii_case("b") { base64(text) } else { quoted_printable(&text.replace('_', " ")) };
        out.push_str(&lossy(&bytes));
        (rest, after_word) = (tail, true);
    }
    out.push_str(rest);
    out
}

fn quoted_printable(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        let pair = [bytes.next().unwrap_or(b'?'), bytes.next().unwrap_or(b'?')];
        out.push(u8::from_str_radix(&String::from_utf8_lossy(&pair), 16).unwrap_or(b'?'));
    }
    out
}

fn base64(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held).to_le_bytes()[0]);
        }
    }
    out
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_mail_is_read_as_a_person_sees_it() {
    let mail = Mail::read(
        b"Subject: =?utf-8?Q?[GT-1]_caf=C3=A9?=\r\n =?utf-8?B?IGZyb2lk?=\r\nContent-Type: multipart/alternative; \
          boundary=\"x\"\r\n\r\n--x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nA =\r\nB=C3=A9\r\n--x--\r\n",
    );
    assert_eq!((mail.subject().as_str(), mail.reference().as_str()), ("[GT-1] café froid", "GT-1"));
    assert_eq!(mail.text().trim(), "A Bé");
}
