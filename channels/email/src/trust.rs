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
    let passed = results(&value)?.iter().skip(1).any(|result| {
        let mut words = result.split_whitespace();
        words.next() == Some("dmarc=pass")
            && words.find_map(|word| word.strip_prefix("header.from=")) == Some(domain.as_str())
    });
    // One writer only: RFC 7489 section 6.6.1 leaves several undefined, and forgers live there.
    (passed && mail.from.len() == 1).then_some(Reason::of("trust.dmarc"))
}

/// The value cut at its semicolons, without comments. What stands between quotes cuts nothing: our server repeats there
/// what strangers said, such as an envelope sender `"x; dmarc=pass"@evil.example`. `None` where a quote or a comment
/// stays open.
fn results(value: &str) -> Option<Vec<String>> {
    let mut results = Vec::new();
    let mut result = String::new();
    let (mut quoted, mut depth) = (false, 0_u32);
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quoted || depth > 0 => drop(letters.next()?),
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => {
                depth += 1;
                result.push(' ');
            }
            ')' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            ';' if !quoted => results.push(std::mem::take(&mut result)),
            _ if quoted && letter.is_whitespace() => result.push('_'),
            _ => result.push(letter),
        }
    }
    results.push(result);
    (!quoted && depth == 0).then_some(results)
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
        assert!(trusts(
            "Authentication-Results: mx.desk.test 1; spf=fail; dmarc=pass (p=none) header.from=client.test"
        ));
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
        assert!(!trusts(
            "From: b@client.test\r\nAuthentication-Results: mx.desk.test; dmarc=pass header.from=client.test"
        ));
    }

    #[test]
    fn what_our_server_repeats_of_a_stranger_is_no_word_of_its_own() {
        let fail = "dmarc=fail header.from=client.test";
        for mailfrom in [
            "\"x; dmarc=pass header.from=client.test; y\"@evil.test",
            "\"x\\\"; dmarc=pass header.from=client.test; y\"@evil.test",
            "=?utf-8?q?x=3B_dmarc=3Dpass_header.from=3Dclient.test=3B?=@evil.test",
            "x+ADs- dmarc+AD0-pass header.from=client.test+ADs-@evil.test\r\nContent-Type: text/plain; charset=utf-7",
            "a@evil.test (said; dmarc=pass header.from=client.test; y)",
            "a@evil.test (left open; dmarc=pass header.from=client.test",
        ] {
            let (mailfrom, more) = mailfrom.split_once("\r\n").unwrap_or((mailfrom, "X: y"));
            let header = format!("Authentication-Results: mx.desk.test; {fail}; spf=pass smtp.mailfrom={mailfrom}");
            assert!(!trusts(&format!("{header}\r\n{more}")), "{mailfrom}");
        }
        assert!(trusts(
            "Authentication-Results: mx.desk.test; spf=pass smtp.mailfrom=\"x; y\"@client.test; dmarc=pass (p=none; \
             dis=none) header.from=\"client.test\""
        ));
    }
}
