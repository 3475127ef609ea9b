//! From which sites browsers may come.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};

/// The origins of a source, as browsers write them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins(Vec<String>);

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing: no browser, or a browser on the very same site.
    Absent,
    /// One that may come.
    Allowed(String),
    /// One that may not, or nonsense.
    Foreign,
}

impl Origins {
    /// A list as the operator wrote it. The error is the entry that is no origin.
    pub(crate) fn new(list: Vec<String>) -> Result<Self, String> {
        match list.iter().find(|entry| !is_origin(entry)) {
            Some(wrong) => Err(wrong.clone()),
            None => Ok(Self(list)),
        }
    }

    /// The list.
    pub(crate) fn list(&self) -> &[String] {
        &self.0
    }

    /// Judges a request. The server's own origin is always allowed: it is whatever the request was sent to.
    pub(crate) fn seen(&self, headers: &HeaderMap, uri: &Uri) -> Seen {
        let mut given = headers.get_all(ORIGIN).iter();
        let (first, second) = (given.next(), given.next());
        let Some(first) = first else { return Seen::Absent };
        let Some(origin) = first.to_str().ok().filter(|_| second.is_none()) else { return Seen::Foreign };
        let host = headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .or_else(|| uri.authority().map(axum::http::uri::Authority::as_str));
        let own = host.is_some_and(|host| is_origin(origin) && authority(origin) == Some(bare(origin, host)));
        if own || self.0.iter().any(|entry| entry == origin) { Seen::Allowed(origin.to_owned()) } else { Seen::Foreign }
    }
}

/// The host and port of an origin.
fn authority(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, authority)| authority)
}

/// A `Host` as an origin of the same scheme would write it: without the port that goes without saying.
fn bare<'a>(origin: &str, host: &'a str) -> &'a str {
    let usual = if origin.starts_with("https:") { ":443" } else { ":80" };
    host.strip_suffix(usual).unwrap_or(host)
}

/// Scheme, host, perhaps a port, in lower case; no path, no wildcard (RFC 6454 section 6.2).
fn is_origin(text: &str) -> bool {
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || b"-.:[]".contains(&letter);
    authority.is_some_and(|authority| {
        !authority.is_empty()
            && authority.len() <= 260
            && authority.bytes().all(plain)
            && !authority.ends_with([':', '.'])
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn seen(origin: &str, host: &str, list: &[&str]) -> bool {
        let origins = Origins::new(list.iter().map(|entry| (*entry).to_owned()).collect()).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        matches!(origins.seen(&headers, &Uri::from_static("/ws")), Seen::Allowed(_))
    }

    #[test]
    fn only_what_is_listed_letter_for_letter_and_the_server_itself_may_come() {
        let list = ["https://shop.example", "https://shop.example:8443"];
        for good in ["https://shop.example", "https://shop.example:8443", "https://help.example", "http://help.example"]
        {
            assert!(seen(good, "help.example", &list), "{good}");
        }
        for bad in [
            "null",
            "https://shop.example.evil.test",
            "https://evil.test/https://shop.example",
            "https://shop.example:444",
            "http://shop.example",
            "https://SHOP.example",
            "https://xshop.example",
            "https://help.example:8425",
            "https://help.example.",
            "help.example",
            "javascript://help.example",
            "",
        ] {
            assert!(!seen(bad, "help.example", &list), "{bad}");
        }
        assert!(seen("http://127.0.0.1:8425", "127.0.0.1:8425", &[]));
        assert!(seen("https://help.example", "help.example:443", &[]));
        assert!(!seen("https://shop.example", "help.example", &[]));
    }

    #[test]
    fn two_origins_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(ORIGIN, HeaderValue::from_static("https://help.example"));
        headers.append(ORIGIN, HeaderValue::from_static("https://evil.test"));
        headers.insert(HOST, HeaderValue::from_static("help.example"));
        assert_eq!(Origins::default().seen(&headers, &Uri::from_static("/ws")), Seen::Foreign);
        assert_eq!(Origins::default().seen(&HeaderMap::new(), &Uri::from_static("/ws")), Seen::Absent);
    }

    #[test]
    fn an_entry_that_no_browser_would_send_is_refused() {
        for wrong in [
            "*",
            "https://*.shop.example",
            "shop.example",
            "https://shop.example/",
            "https://Shop.example",
            "ftp://x.y",
        ] {
            assert_eq!(Origins::new(vec![wrong.to_owned()]).err().as_deref(), Some(wrong));
        }
    }
}
