//! Who vouches for the writer of a mail.

use guichet_domain::reason::Reason;

use crate::understand::Mail;

/// The word of our own mail server: the topmost Authentication-Results (RFC 8601) that bears one of `authserv_ids` and
/// says that DMARC passed for the domain the mail names as its writer's. Our server removes forged ones of its own name
/// (RFC 8601 section 5) and writes its own on top, so only the topmost of that name counts.
pub fn by_header(mail: &Mail, authserv_ids: &[String]) -> Option<Reason> {
    let domain = mail.from_address()?.rsplit_once('@')?.1.to_lowercase();
    let ours = |value: &&str| {
        let id = value.split(';').next().unwrap_or_default().split_whitespace().next().unwrap_or_default();
        authserv_ids.iter().any(|trusted| trusted.eq_ignore_ascii_case(id))
    };
    let value = mail.header_values("authentication-results").find(ours)?.to_lowercase();
    let passed = value.split(';').skip(1).any(|result| {
        let mut words = result.split_whitespace();
        let named = result.split_whitespace().find_map(|word| word.strip_prefix("header.from="));
        words.next() == Some("dmarc=pass") && named.is_some_and(|named| named.trim_matches('"') == domain)
    });
    // One writer only: RFC 7489 section 6.6.1 leaves several undefined, and forgers live there.
    (passed && mail.from.len() == 1).then_some(Reason::of("trust.dmarc"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understand::{Limits, understand};

    fn trusts(headers: &str) -> bool {
        let raw = format!("From: a@client.test\r\n{headers}\r\n\r\nHi\r\n");
        by_header(&understand(raw.as_bytes(), &Limits::default()).unwrap(), &["mx.desk.test".to_owned()]).is_some()
    }

    #[test]
    fn only_our_own_servers_topmost_word_counts() {
        assert!(trusts("Authentication-Results: mx.desk.test 1; spf=fail; dmarc=pass (p=none) header.from=client.test"));
        assert!(!trusts("Authentication-Results: mx.evil.test; dmarc=pass header.from=client.test"));
        assert!(!trusts("Authentication-Results: mx.desk.test; dmarc=pass header.from=other.test"));
        assert!(!trusts("Authentication-Results: mx.desk.test; dmarc=fail header.from=client.test"));
        assert!(!trusts("X: y"));
        assert!(!trusts(
            "Authentication-Results: mx.desk.test; dmarc=fail header.from=client.test\r\nAuthentication-Results: \
             mx.desk.test; dmarc=pass header.from=client.test"
        ));
    }

    #[test]
    fn two_writers_are_never_vouched_for() {
        assert!(!trusts("From: b@client.test\r\nAuthentication-Results: mx.desk.test; dmarc=pass header.from=client.test"));
    }
}
