//! What a receiver's answer means.

use std::time::Duration;

use guichet_contract::Delivery;
use guichet_domain::Moment;

/// Bounds of what is believed of `Retry-After`.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));
/// Most of the receiver's words that are kept, in characters.
const MAX_WORDS: usize = 200;

/// An answer, as far as it matters.
pub(crate) struct Answer<'a> {
    /// The status.
    pub(crate) status: u16,
    /// The value of `Retry-After`.
    pub(crate) retry_after: Option<&'a str>,
    /// The beginning of the body.
    pub(crate) body: &'a [u8],
}

/// What came of a request that was answered. 2xx is yes; 410 says that the hook is gone for good; 408, 425, 429 and 5xx
/// are not now, and everything else is never in this form, redirects included: they are not followed, because they
/// would lead where nobody has looked.
pub(crate) fn outcome(answer: &Answer<'_>, now: Moment) -> Delivery {
    let detail = detail(answer);
    match answer.status {
        200..=299 => Delivery::Delivered { external_id: None, detail },
        410 => Delivery::Refused { detail, hard: true },
        300..=399 => {
            let detail = format!("{detail}; redirects are not followed: put the final address into url");
            Delivery::Refused { detail, hard: false }
        }
        408 | 425 | 429 | 500.. => {
            let after = answer.retry_after.and_then(|value| wait(value, now));
            // A gateway that says so speaks of the whole receiver; 500 may be about this one event.
            Delivery::Retry { detail, after, source_down: matches!(answer.status, 502..=504) }
        }
        _ => Delivery::Refused { detail, hard: false },
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110 section 10.2.3).
fn wait(value: &str, now: Moment) -> Option<Duration> {
    let value = value.trim();
    let asked = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are as long as any wait.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let date = jiff::fmt::rfc2822::parse(value).ok()?;
        Moment::from(date.timestamp()).since(now)
    };
    Some(asked.clamp(WAITS.0, WAITS.1))
}

/// The status and the receiver's words in one line.
fn detail(answer: &Answer<'_>) -> String {
    let words = String::from_utf8_lossy(answer.body);
    let clean: String = words.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let words: String = clean.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_WORDS).collect();
    if words.is_empty() { format!("HTTP {}", answer.status) } else { format!("HTTP {}: {words}", answer.status) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T09:00:00Z.
    const NOW: Moment = Moment::from_secs(1_795_338_000);

    fn told(status: u16, retry_after: Option<&str>) -> Delivery {
        outcome(&Answer { status, retry_after, body: b"" }, NOW)
    }

    fn after(value: &str) -> Option<u64> {
        match told(429, Some(value)) {
            Delivery::Retry { after, .. } => after.map(|after| after.as_secs()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_status_has_its_meaning() {
        for status in [200, 201, 202, 204, 299] {
            assert!(matches!(told(status, None), Delivery::Delivered { .. }), "{status}");
        }
        for status in [400, 401, 403, 404, 405, 409, 413, 415, 422, 451] {
            assert!(matches!(told(status, None), Delivery::Refused { hard: false, .. }), "{status}");
        }
        for status in [408, 425, 429, 500, 501, 599] {
            assert!(matches!(told(status, None), Delivery::Retry { source_down: false, after: None, .. }), "{status}");
        }
        for status in [502, 503, 504] {
            assert!(matches!(told(status, None), Delivery::Retry { source_down: true, .. }), "{status}");
        }
        assert!(matches!(told(410, None), Delivery::Refused { hard: true, .. }));
        let Delivery::Refused { detail, .. } = told(301, None) else { panic!("a redirect was followed") };
        assert_eq!(detail, "HTTP 301; redirects are not followed: put the final address into url");
    }

    #[test]
    fn a_wait_is_given_in_seconds_or_as_a_date_and_believed_within_bounds() {
        assert_eq!(after("30"), Some(30));
        assert_eq!(after("0"), Some(1));
        assert_eq!(after("99999999999999999999999"), Some(3600));
        assert_eq!(after("Sun, 22 Nov 2026 09:02:00 GMT"), Some(120));
        assert_eq!(after("Sun, 22 Nov 2026 08:00:00 GMT"), Some(1));
        assert_eq!(after("Tue, 22 Nov 2033 08:00:00 GMT"), Some(3600));
        for nonsense in ["", "soon", "-5", "1.5", "١٢"] {
            assert_eq!(after(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn the_receivers_words_are_one_short_line() {
        let body = format!("no\r\nsuch\u{7} \u{85} thing {}", "x".repeat(500));
        let Delivery::Refused { detail, .. } =
            outcome(&Answer { status: 404, retry_after: None, body: body.as_bytes() }, NOW)
        else {
            panic!("404 is a refusal")
        };
        assert!(detail.starts_with("HTTP 404: no such thing xxx"), "{detail}");
        assert_eq!(detail.chars().count(), "HTTP 404: ".len() + 200);
    }
}
