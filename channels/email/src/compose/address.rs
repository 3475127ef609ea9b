//! Mail addresses as the world writes them, held only to what cannot break a header or an SMTP command.

/// Longest address taken; RFC 5321 grants 64 and 255 octets.
const ADDRESS_LIMIT: usize = 320;

/// A person's name, if known, and address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedAddress {
    /// Any text.
    pub name: Option<String>,
    /// `local@domain`, without brackets.
    pub address: String,
}

impl NamedAddress {
    /// An address without a name.
    pub fn bare(address: &str) -> Self {
        Self { name: None, address: address.to_owned() }
    }

    /// An address with a name.
    pub fn named(name: &str, address: &str) -> Self {
        Self { name: Some(name.to_owned()), address: address.to_owned() }
    }
}

/// Whether `address` can stand between angle brackets, in a header as in an SMTP command.
///
/// Laxer than the grammar where real addresses are (`a..b@docomo.ne.jp`, letters of any script), and never so lax that
/// an address could end the brackets, the line or the list.
pub fn is_sendable(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    address.len() <= ADDRESS_LIMIT && is_local(local) && is_domain(domain)
}

fn is_local(local: &str) -> bool {
    match local.strip_prefix('"').map(|rest| rest.strip_suffix('"')) {
        Some(Some(inner)) => is_quoted(inner),
        Some(None) => false,
        None => {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(letter);
            !local.is_empty() && local.chars().all(|letter| plain(letter) || is_foreign(letter))
        }
    }
}

/// The inside of a quoted string: every quote and backslash is escaped.
fn is_quoted(inner: &str) -> bool {
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        let fits = match letter {
            '\\' => letters.next().is_some_and(|next| (' '..='~').contains(&next)),
            // Brackets are legal between quotes, but too many programs would see the end of the address.
            '"' | '<' | '>' => false,
            letter => (' '..='~').contains(&letter),
        };
        if !fits {
            return false;
        }
    }
    true
}

fn is_domain(domain: &str) -> bool {
    if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return !literal.is_empty()
            && literal.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-".contains(&byte));
    }
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter) || is_foreign(letter);
    !domain.is_empty() && domain.chars().all(fits)
}

/// Letters and marks beyond ASCII; no spaces, controls or invisible directions.
fn is_foreign(letter: char) -> bool {
    let invisible =
        matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !letter.is_ascii() && !letter.is_control() && !letter.is_whitespace() && !invisible
}

#[cfg(test)]
mod tests {
    use super::is_sendable;

    #[test]
    fn real_addresses_are_taken_as_they_are() {
        for address in [
            "a..b@docomo.ne.jp",
            ".dot@docomo.ne.jp",
            "o'hara+desk@example.org",
            "\"john smith\"@example.org",
            "\"a\\\"b\"@example.org",
            "jürgen@exämple.org",
            "用户@例子.广告",
            "root@localhost",
            "x@[192.0.2.1]",
            "x@[IPv6:2001:db8::1]",
        ] {
            assert!(is_sendable(address), "{address}");
        }
    }

    #[test]
    fn nothing_that_could_end_the_brackets_or_the_line_is_taken() {
        for address in [
            "",
            "x",
            "@y",
            "x@",
            "a b@c",
            "a@b c",
            "a@b>\r\nDATA",
            "a@b\0",
            "<a@b>",
            "a@b\u{85}c",
            "a,b@c",
            "a(b)@c",
            "a@b,c@d",
            "\"a@b",
            "\"a\"b\"@c",
            "\"a\r\n\"@b",
            "a@[1]]",
            "a@b\u{202e}c",
            "\"<\"@b",
        ] {
            assert!(!is_sendable(address), "{address:?}");
        }
        assert!(!is_sendable(&format!("{}@example.org", "a".repeat(400))));
    }
}
