//! What tells one mail from another: message ids and the keys that recognise a second delivery.

use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};

use super::{
    entity::{Entity, next_line},
    header,
    limits::{Limits, Notes},
    mail::{Mail, Mailbox, PlusToken},
};

/// The ids in a Message-ID, In-Reply-To or References value, without `<>`, in order, none twice in a row.
///
/// Folds, blanks and comments are gone, encoded words are decoded (some mailers encode References). Words without
/// `<>` count only when they hold an `@` or stand alone. Values hold no blanks and no control characters.
pub fn message_ids(raw: &[u8]) -> Vec<String> {
    let text = header::text(raw, None);
    let mut ids: Vec<String> = Vec::new();
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once('<') {
        // An id never closed ends where the next one begins.
        let end = after.find(['>', '<']).unwrap_or(after.len());
        push(&mut ids, after.get(..end).unwrap_or_default());
        rest = after.get(end..).unwrap_or_default();
    }
    if !text.contains('<') {
        let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        let alone = words.len() == 1;
        for word in words.into_iter().filter(|word| alone || word.contains('@')) {
            push(&mut ids, word.trim_matches(['>', '"', '\'']));
        }
    }
    ids
}

/// The id as ids are compared when the exact one is not found: lower case.
pub fn fold_id(id: &str) -> String {
    id.to_lowercase()
}

fn push(ids: &mut Vec<String>, id: &str) {
    let id: String = id.chars().filter(|c| !c.is_whitespace()).take(998).collect();
    if !id.is_empty() && ids.last() != Some(&id) {
        ids.push(id);
    }
}

/// Keys under which a mail is remembered, so that its second delivery is known. Both are short ASCII text, stable
/// between versions; the caller sets the desk before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Message-ID, writer and Date together: the same id from somebody else, or at another time, is another mail.
    pub identity: Option<String>,
    /// The content without what each delivery adds; only where there is no Message-ID.
    pub content: Option<String>,
}

/// The keys of a mail: `mail` as understood from `raw`. Hashes all of `raw` when there is no Message-ID.
pub fn keys(raw: &[u8], mail: &Mail) -> Keys {
    match &mail.message_id {
        Some(id) => {
            let mut digest = Context::new(&SHA256);
            let from = mail.from_address().unwrap_or_default().to_lowercase();
            for part in [id.as_str(), &from, mail.date_raw.as_deref().unwrap_or_default()] {
                digest.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                digest.update(part.as_bytes());
            }
            Keys { identity: Some(format!("mid:{}", HEXLOWER.encode(digest.finish().as_ref()))), content: None }
        }
        None => Keys { identity: None, content: Some(format!("raw:{}", content_digest(raw))) },
    }
}

fn content_digest(raw: &[u8]) -> String {
    let mut digest = Context::new(&SHA256);
    let entity = Entity::split(raw, &Limits::default(), &mut Notes::default());
    for field in entity.fields.iter().filter(|field| !added_on_the_way(field.name)) {
        digest.update(&field.name.to_ascii_lowercase());
        digest.update(b":");
        digest.update(&header::unfold(field.value));
        digest.update(b"\n");
    }
    digest.update(b"\n");
    let mut rest = entity.body.trim_ascii_end();
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        for piece in line.split(|&byte| byte == b'\r') {
            digest.update(piece);
            digest.update(b"\n");
        }
        rest = after;
    }
    HEXLOWER.encode(digest.finish().as_ref())
}

fn added_on_the_way(name: &[u8]) -> bool {
    const EXACT: &[&[u8]] = &[
        b"received",
        b"return-path",
        b"delivered-to",
        b"x-original-to",
        b"envelope-to",
        b"authentication-results",
        b"received-spf",
        b"x-received",
        b"delivery-date",
        b"status",
        b"x-status",
        b"x-uid",
        b"x-keywords",
    ];
    const PREFIXES: &[&[u8]] = &[b"dkim-", b"arc-", b"x-spam", b"x-google-"];
    let name = name.to_ascii_lowercase();
    EXACT.contains(&name.as_slice()) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Tokens in `support+token@example.org`, of all recipients' addresses, none twice.
pub(super) fn plus_tokens<'a>(addresses: impl Iterator<Item = &'a str>) -> Vec<PlusToken> {
    let mut found: Vec<PlusToken> = Vec::new();
    for address in addresses {
        let Some((local, domain)) = address.rsplit_once('@') else { continue };
        let Some((user, token)) = local.split_once('+') else { continue };
        let mailbox = format!("{user}@{domain}").to_lowercase();
        let token = PlusToken { mailbox, token: token.to_owned() };
        if !user.is_empty() && !token.token.is_empty() && !found.contains(&token) && found.len() < 100 {
            found.push(token);
        }
    }
    found
}

/// The recipients' addresses in the order tokens are looked for.
pub(super) fn recipients<'a>(
    delivered_to: &'a [String],
    to: &'a [Mailbox],
    cc: &'a [Mailbox],
) -> impl Iterator<Item = &'a str> {
    delivered_to.iter().map(String::as_str).chain(to.iter().chain(cc).map(|mailbox| mailbox.address.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_however_they_are_written() {
        assert_eq!(message_ids(b"<a@x>\r\n <b@x>\t<c@x>"), ["a@x", "b@x", "c@x"]);
        assert_eq!(message_ids(b"Your message of \"Tue, 3 May\" <a@x> (comment)"), ["a@x"]);
        assert_eq!(message_ids(b"=?utf-8?Q?<a=40x>?= =?utf-8?Q?_<b=40x>?="), ["a@x", "b@x"]);
        assert_eq!(message_ids(b"12345@testrun.org"), ["12345@testrun.org"]);
        assert_eq!(message_ids(b"<long\r\n -id@x>"), ["long-id@x"]);
        assert_eq!(message_ids(b"<a@x <b@x>"), ["a@x", "b@x"]);
        assert_eq!(message_ids(b"<>"), Vec::<String>::new());
        assert_eq!(message_ids(b"no ids here"), Vec::<String>::new());
    }

    #[test]
    fn tokens_of_all_recipients_are_found_once() {
        let found = plus_tokens(["Support+abc@X.org", "support+abc@x.org", "b@x.org", "+x@y", "a+@y"].into_iter());
        assert_eq!(found, [PlusToken { mailbox: "support@x.org".to_owned(), token: "abc".to_owned() }]);
    }
}
