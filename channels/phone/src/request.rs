//! A request as the kinds of phone system judge it.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use data_encoding::BASE64;
use guichet_contract::Secret;
use guichet_domain::Moment;
use ring::{digest, hmac};

/// How far a signature's timestamp may be from now, in seconds.
pub(crate) const TOLERANCE: u64 = 300;

/// One request to a source's routes.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    /// Which address it came to.
    pub(crate) door: Door,
    /// `GET` or `POST`.
    pub(crate) method: &'a str,
    /// The token in its path.
    pub(crate) token: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
    /// As it came, without the question mark; empty when there is none.
    pub(crate) query: &'a str,
    /// As it came.
    pub(crate) body: &'a [u8],
    /// The whole address as the phone system knows it: the configured public URL, path and query. Never what the request
    /// says of its host.
    pub(crate) url: &'a str,
    pub(crate) now: Moment,
}

/// The addresses below `/in/{source}/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// `events`: what happened.
    Events,
    /// `voice` (or `answer`, `httapi`): what shall happen, answered while the caller waits.
    Voice,
    /// `status`.
    Status,
    /// `recording`.
    Recording,
    /// `transcription`.
    Transcription,
    /// `sms`: what became of text messages.
    Sms,
}

impl Door {
    /// The door of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "events" => Self::Events,
            "voice" | "answer" | "httapi" => Self::Voice,
            "status" => Self::Status,
            "recording" => Self::Recording,
            "transcription" => Self::Transcription,
            "sms" => Self::Sms,
            _ => return None,
        })
    }
}

/// Why a request is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// 403, and nothing else is said.
    Forbidden,
    /// 401: systems with a name and a password in their address send them only when asked.
    Challenge,
}

/// What a source's requests prove themselves by: of each, the new one and old ones while they change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets {
    /// Words shown in the path, as bearer token, as Basic password or in the body: only their hashes are kept.
    tokens: Vec<[u8; 32]>,
    /// What signatures are made with.
    pub(crate) keys: Vec<Secret>,
    /// What signatures are checked with where the system has a key pair: PEM or base64.
    pub(crate) public_keys: Vec<String>,
}

impl Secrets {
    pub(crate) fn new(tokens: &[String], keys: Vec<Secret>, public_keys: Vec<String>) -> Self {
        Self { tokens: tokens.iter().map(|token| hash(token)).collect(), keys, public_keys }
    }

    /// The same with one token more.
    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.tokens.push(hash(token));
        self
    }

    /// Whether nothing is left to prove anything by.
    pub(crate) fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.keys.is_empty() && self.public_keys.is_empty()
    }

    /// Whether there is a token to be shown.
    pub(crate) fn has_tokens(&self) -> bool {
        !self.tokens.is_empty()
    }

    /// Whether this is one of the tokens. In constant time.
    pub(crate) fn knows(&self, token: &str) -> bool {
        let shown = hash(token);
        // Every one is looked at, so that time does not tell which it was.
        self.tokens.iter().fold(false, |found, known| same(known, &shown) | found)
    }

    /// Believes a request that shows a token: in its path, as `Authorization: Bearer`, as password of `Basic`, or as
    /// `X-Guichet-Token`.
    pub(crate) fn shown(&self, request: &Request<'_>) -> Result<(), Denied> {
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = header(AUTHORIZATION.as_str()).unwrap_or_default();
        let basic = strip_scheme(authorization, "basic ").and_then(basic_password);
        let bearer = strip_scheme(authorization, "bearer ");
        let shown = [request.token, bearer, basic.as_deref(), header("x-guichet-token")];
        let known = shown.into_iter().flatten().fold(false, |found, token| self.knows(token) | found);
        if known { Ok(()) } else { Err(Denied::Forbidden) }
    }
}

impl Request<'_> {
    /// A header's value, when it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether a signature's timestamp, in seconds since 1970, is of now.
    pub(crate) fn is_fresh(&self, secs: i64) -> bool {
        self.now.secs().abs_diff(secs) <= TOLERANCE
    }
}

/// Whether two byte strings are the same, in a time that does not tell where they differ.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    // Of keys nobody knows: what is compared are hashes, whose differences tell nothing.
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"compare");
    hmac::verify(&key, left, hmac::sign(&key, right).as_ref()).is_ok()
}

fn hash(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    hash
}

/// What follows a scheme, whose case does not matter.
pub(crate) fn strip_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = value.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

fn basic_password(encoded: &str) -> Option<String> {
    let decoded = String::from_utf8(BASE64.decode(encoded.as_bytes()).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(token: Option<&str>, authorization: Option<&str>) -> Result<(), Denied> {
        let secrets = Secrets::new(&["new-token-of-2026".to_owned(), "old-token-of-2025".to_owned()], vec![], vec![]);
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        let now = Moment::from_secs(0);
        let (method, query, body, url) = ("POST", "", b"" as &[u8], "");
        secrets.shown(&Request { door: Door::Events, method, token, headers: &headers, query, body, url, now })
    }

    #[test]
    fn a_token_is_believed_wherever_it_is_shown_and_while_it_is_changed() {
        assert_eq!(asks(Some("new-token-of-2026"), None), Ok(()));
        assert_eq!(asks(Some("old-token-of-2025"), None), Ok(()));
        assert_eq!(asks(None, Some("bearer old-token-of-2025")), Ok(()));
        let basic = BASE64.encode(b"pbx:new-token-of-2026");
        assert_eq!(asks(None, Some(&format!("Basic {basic}"))), Ok(()));
    }

    #[test]
    fn anything_else_is_forbidden() {
        for (token, authorization) in [
            (None, None),
            (Some(""), None),
            (Some("new-token-of-202"), None),
            (Some("new-token-of-2027"), None),
            (None, Some("new-token-of-2026")),
            (None, Some("Basic !!!")),
            (None, Some("Bearer")),
        ] {
            assert_eq!(asks(token, authorization), Err(Denied::Forbidden), "{token:?} {authorization:?}");
        }
        assert!(Secrets::default().is_empty());
    }
}
