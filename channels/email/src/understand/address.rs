//! Address lists, read the way people and broken mailers write them.

use guichet_domain::file_name::is_direction;

use super::{charset, header, mail::Mailbox};

/// How far the end of a quoted string or a comment is looked for, in letters. One that is longer was never closed.
const LONGEST: usize = 1_000;

/// The mailboxes of an address field, at most `limit`; true when there were more.
///
/// Nothing is refused: an address may have two dots in a row, a name may hold commas, quotes may stay open. Groups are
/// opened, comments become the name where there is no other. A name without an address is kept with an empty address.
/// `fallback` is the charset for names in raw eight-bit text.
pub fn addresses(raw: &[u8], fallback: Option<&str>, limit: usize) -> (Vec<Mailbox>, bool) {
    let unfolded = header::unfold(raw);
    let around = fallback.filter(|label| keeps_ascii(label));
    let text = header::undecoded(&unfolded, around);
    let mut reader = Reader { limit, fallback, around, ..Reader::default() };
    let cut = reader.read(&text);
    (reader.found, cut)
}

/// Whether ASCII is itself in a charset. Where it is not (UTF-7, UTF-16), only names are decoded: an address is what its
/// letters say, to us as to the server that vouches for it.
fn keeps_ascii(label: &str) -> bool {
    const PROBE: &[u8] = b"\"a+AEA-b\" <c@d.org>, ~{e~}";
    charset::decode(Some(label), PROBE).text.as_bytes() == PROBE
}

/// Whether text holds an encoded word in UTF-7, in which an address could hide.
fn holds_utf_7(phrase: &str) -> bool {
    let phrase = phrase.to_ascii_lowercase();
    phrase.contains("=?") && ["utf-7", "utf7"].iter().any(|label| phrase.contains(label))
}

/// An address as it may be used: no blanks, quotes, controls or source route around it. `None` when nothing is left.
pub(super) fn tidy_address(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('<').trim_end_matches('>');
    let text = text
        .get(..7)
        .filter(|begin| begin.eq_ignore_ascii_case("mailto:"))
        .map_or(text, |_| text.get(7..).unwrap_or(text));
    let text = if text.starts_with('@') { text.split_once(':').map_or(text, |(_, rest)| rest) } else { text };
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\'' || c == ',' || c == ';');
    let text = match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if inner.contains('@') => inner,
        _ => text,
    };
    let text = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let kept: String = text
        .chars()
        .filter(|&c| {
            !c.is_control()
                && (!c.is_whitespace() || (c == ' ' && text.starts_with('"')))
                && !is_direction(c)
                && !matches!(c, '<' | '>')
        })
        .take(320)
        .collect();
    (!kept.is_empty()).then_some(kept)
}

#[derive(Default)]
struct Reader<'f> {
    found: Vec<Mailbox>,
    limit: usize,
    /// The charset of names.
    fallback: Option<&'f str>,
    /// The charset of everything else.
    around: Option<&'f str>,
    phrase: String,
    quoted: bool,
    comment: String,
    angle: Option<String>,
    in_group: bool,
}

impl Reader<'_> {
    fn read(&mut self, text: &str) -> bool {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if self.found.len() >= self.limit {
                return true;
            }
            let after = rest.get(c.len_utf8()..).unwrap_or_default();
            rest = match c {
                '=' if header::word_length(rest).is_some() => {
                    let (word, after) = rest.split_at(header::word_length(rest).unwrap_or(1));
                    self.phrase.push_str(word);
                    after
                }
                '"' => self.quoted_string(after),
                '(' => self.comment(after),
                '<' => self.angle(after),
                ',' => {
                    self.comma();
                    after
                }
                ';' => {
                    self.end();
                    self.in_group = false;
                    after
                }
                ':' if !self.phrase.contains('@') && self.angle.is_none() && after.contains(';') && !self.in_group => {
                    self.phrase.clear();
                    self.quoted = false;
                    self.in_group = true;
                    after
                }
                _ => {
                    self.phrase.push(c);
                    after
                }
            };
        }
        self.end();
        false
    }

    fn quoted_string<'t>(&mut self, after: &'t str) -> &'t str {
        let mut text = String::new();
        let mut chars = after.char_indices().take(LONGEST);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.quoted = true;
                    // A quoted local part stays quoted: `"john doe"@example.org` is one address.
                    let rest = after.get(at + 1..).unwrap_or_default();
                    if rest.starts_with('@') && !text.contains('@') {
                        self.phrase.push('"');
                        self.phrase.push_str(&text);
                        self.phrase.push('"');
                    } else {
                        self.phrase.push_str(&text);
                    }
                    return rest;
                }
                '\\' => text.extend(chars.next().map(|(_, escaped)| escaped)),
                _ => text.push(c),
            }
        }
        // Never closed: the quote means nothing.
        after
    }

    fn comment<'t>(&mut self, after: &'t str) -> &'t str {
        let mut depth = 1_u32;
        let mut escaped = false;
        for (at, c) in after.char_indices().take(LONGEST) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let text = after.get(..at).unwrap_or_default();
                // Inside a name it belongs to the name: `Jean (Support) <j@x>`.
                if !self.phrase.trim().is_empty() && !self.phrase.contains('@') && self.angle.is_none() {
                    self.phrase.push('(');
                    self.phrase.push_str(text);
                    self.phrase.push(')');
                } else if self.comment.is_empty() {
                    text.clone_into(&mut self.comment);
                }
                return after.get(at + 1..).unwrap_or_default();
            }
        }
        self.phrase.push('(');
        after
    }

    fn angle<'t>(&mut self, after: &'t str) -> &'t str {
        let (inside, rest) = match after.split_once('>') {
            // A `<` never closed before the next address ends where that one's comma is.
            Some((inside, rest)) if !inside.contains(',') || inside.starts_with('@') => (inside, rest),
            _ => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        // The last one counts: names such as `a@b <mailto:a@b> <a@b>` repeat it.
        if self.angle.is_none() || inside.contains('@') {
            self.angle = Some(inside.to_owned());
        }
        rest
    }

    fn comma(&mut self) {
        // `Müller, Hans <h@x>`: a comma before any address is part of the name.
        if self.angle.is_none()
            && !self.phrase.contains('@')
            && !self.phrase.trim().is_empty()
            && self.comment.is_empty()
        {
            self.phrase.push(',');
        } else {
            self.end();
        }
    }

    fn end(&mut self) {
        let phrase = std::mem::take(&mut self.phrase);
        let comment = std::mem::take(&mut self.comment);
        let quoted = std::mem::take(&mut self.quoted);
        let mailbox = if let Some(angle) = self.angle.take() {
            Mailbox { name: self.name(&phrase, &comment), address: tidy_address(&angle).unwrap_or_default() }
        } else {
            self.bare(&phrase, &comment, quoted)
        };
        if mailbox != Mailbox::default() {
            self.found.push(mailbox);
        }
    }

    /// A mailbox without angle brackets: an address, a name, or one word that may be either.
    fn bare(&self, phrase: &str, comment: &str, quoted: bool) -> Mailbox {
        if holds_utf_7(phrase) {
            return Mailbox { name: self.name(phrase, comment), address: String::new() };
        }
        let whole = header::clean(&header::decode_words(phrase.as_bytes(), self.around));
        // Some mailers encode name and address in one word.
        if whole.contains('<') && whole.contains('@') && phrase.contains("=?") && !whole.contains("=?") {
            return addresses(whole.as_bytes(), None, 1).0.into_iter().next().unwrap_or_default();
        }
        if let Some(address) = bare_address(&whole, quoted).as_deref().and_then(tidy_address) {
            let rest = phrase.replace(&address, "");
            let rest = if rest.len() == phrase.len() { "" } else { rest.as_str() };
            return Mailbox { name: self.name(rest, comment), address };
        }
        if whole.contains(char::is_whitespace) || whole.ends_with(',') || quoted {
            return Mailbox { name: self.name(phrase, comment), address: String::new() };
        }
        Mailbox { name: self.name("", comment), address: tidy_address(&whole).unwrap_or_default() }
    }

    fn name(&self, phrase: &str, comment: &str) -> Option<String> {
        let tidy = |text: &str| {
            let text = header::clean(&header::decode_words(text.as_bytes(), self.fallback));
            let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | '<' | '>'));
            let text = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(text);
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let name = tidy(phrase);
        let name = if name.is_empty() { tidy(comment) } else { name };
        (!name.is_empty()).then_some(name)
    }
}

/// The address in text without angle brackets. A quoted local part may hold blanks; a quoted phrase is no address.
fn bare_address(text: &str, quoted: bool) -> Option<String> {
    if text.starts_with('"')
        && let Some((local, rest)) = text.split_once("\"@")
    {
        return Some(format!("{local}\"@{}", rest.split_whitespace().next().unwrap_or_default()));
    }
    let word = text.split_whitespace().find(|word| word.contains('@') && !quoted);
    word.or_else(|| text.contains('@').then_some(text)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let (found, _) = addresses(text.as_bytes(), None, 100);
        found.into_iter().map(|mailbox| (mailbox.name.unwrap_or_default(), mailbox.address)).collect()
    }

    fn one(text: &str) -> (String, String) {
        let mut all = read(text);
        assert_eq!(all.len(), 1, "{text}: {all:?}");
        all.remove(0)
    }

    fn pair(name: &str, address: &str) -> (String, String) {
        (name.to_owned(), address.to_owned())
    }

    #[test]
    fn addresses_as_people_write_them() {
        assert_eq!(one("Jean Dupont <jean@example.org>"), pair("Jean Dupont", "jean@example.org"));
        assert_eq!(one("jean@example.org"), pair("", "jean@example.org"));
        assert_eq!(one("jean@example.org (Jean Dupont)"), pair("Jean Dupont", "jean@example.org"));
        assert_eq!(one("\"Dupont, Jean\" <jean@example.org>"), pair("Dupont, Jean", "jean@example.org"));
        assert_eq!(one("Müller, Hans <h@example.org>"), pair("Müller, Hans", "h@example.org"));
        assert_eq!(one("a..b.@docomo.ne.jp"), pair("", "a..b.@docomo.ne.jp"));
        assert_eq!(one("<a..b@docomo.ne.jp>"), pair("", "a..b@docomo.ne.jp"));
        assert_eq!(one("'jean@example.org' <jean@example.org>"), pair("jean@example.org", "jean@example.org"));
        assert_eq!(one("Help: Desk <d@example.org>"), pair("Help: Desk", "d@example.org"));
        assert_eq!(one("\"john doe\"@example.org"), pair("", "\"john doe\"@example.org"));
        assert_eq!(one("Jean (Support) <j@example.org>"), pair("Jean (Support)", "j@example.org"));
        assert_eq!(one("CRM [crm@example.org]").1, "crm@example.org");
        assert_eq!(one("<@relay.example:user@example.org>"), pair("", "user@example.org"));
    }

    #[test]
    fn encoded_names_are_decoded_whatever_they_hold() {
        assert_eq!(one("=?utf-8?Q?Andr=C3=A9,_Jean?= <a@example.org>"), pair("André, Jean", "a@example.org"));
        assert_eq!(one("\"=?iso-8859-1?Q?Andr=E9?=\" <a@example.org>"), pair("André", "a@example.org"));
        assert_eq!(one("=?utf-8?B?SmVhbiA8amVhbkBleGFtcGxlLm9yZz4=?="), pair("Jean", "jean@example.org"));
        let (raw, _) = addresses(b"Andr\xe9 <a@example.org>", None, 9);
        assert_eq!(raw.first().and_then(|mailbox| mailbox.name.as_deref()), Some("André"));
    }

    #[test]
    fn utf_7_makes_names_and_never_addresses() {
        for (raw, name, address) in [
            ("a+AEA-evil.test, <b@x.org>", "a@evil.test", "b@x.org"),
            ("Zo+AOk- <zo+AOk-@x.org>", "Zoé", "zo+AOk-@x.org"),
            ("ann+ADw-boss+AEA-evil.test+AD4-@x.org", "", "ann+ADw-boss+AEA-evil.test+AD4-@x.org"),
            ("=?utf-7?Q?boss+AEA-evil.test?=", "boss@evil.test", ""),
        ] {
            let one =
                Mailbox { name: Some(name.to_owned()).filter(|name| !name.is_empty()), address: address.to_owned() };
            assert_eq!(addresses(raw.as_bytes(), Some("utf-7"), 9), (vec![one], false), "{raw}");
            for label in ["unicode-1-1-utf-7", "csUTF7", "utf-16"] {
                let (found, _) = addresses(raw.as_bytes(), Some(label), 9);
                let found: Vec<_> = found.into_iter().map(|found| found.address).collect();
                assert_eq!(found, [address], "{label}: {raw}");
            }
        }
        for label in ["utf-7", "utf-16"] {
            let (found, _) = addresses(b"Andr\xe9+AEA-evil.test <a@x.org>", Some(label), 9);
            assert_eq!(found.into_iter().map(|found| found.address).collect::<Vec<_>>(), ["a@x.org"]);
        }
    }

    #[test]
    fn lists_groups_and_outlook_semicolons_are_parted() {
        assert_eq!(read("a@x.org, B <b@x.org>,, c@x.org").len(), 3);
        assert_eq!(read("a@x.org; b@x.org"), [pair("", "a@x.org"), pair("", "b@x.org")]);
        assert_eq!(read("Friends: a@x.org, b@x.org; c@x.org").len(), 3);
        assert!(read("undisclosed-recipients:;").is_empty());
        assert_eq!(
            addresses(b"a@x,b@x,c@x", None, 2),
            (read("a@x,b@x").into_iter().map(|(_, address)| Mailbox { name: None, address }).collect(), true)
        );
    }

    #[test]
    fn what_is_broken_still_gives_what_can_be_used() {
        assert_eq!(one("Jean <jean@example.org"), pair("Jean", "jean@example.org"));
        assert_eq!(one("\"Jean <jean@example.org>"), pair("Jean", "jean@example.org"));
        assert_eq!(one("MAILER-DAEMON"), pair("", "MAILER-DAEMON"));
        assert_eq!(one("Mail Delivery System <>"), pair("Mail Delivery System", ""));
        assert!(read("").is_empty());
        assert!(read(" , ;").is_empty());
        let hostile = one("x\u{202e} <a@example.org\r\n>");
        assert_eq!(hostile, pair("x", "a@example.org"));
    }
}
