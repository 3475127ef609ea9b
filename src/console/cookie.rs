//! The one cookie: the secret of a session, for requests of the console itself alone.

use axum::http::{HeaderMap, HeaderValue, header};

/// Where the connection is encrypted: browsers then hold to it that the cookie is Secure and of this host alone.
const SECURE: &str = "__Host-guichet";
/// Elsewhere.
const PLAIN: &str = "guichet";

/// The secret a browser shows.
pub(super) fn read(headers: &HeaderMap) -> Option<String> {
    let named = |wanted: &str| {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
    };
    // A neighbour's host may plant a cookie of the plain name, but none with this prefix.
    let secret = named(SECURE).or_else(|| named(PLAIN))?;
    let sound = (20..=100).contains(&secret.len());
    sound.then(|| secret.to_owned())
}

/// Gives a browser a secret.
pub(super) fn give(secret: &str, secure: bool) -> HeaderValue {
    write(secret, secure, "")
}

/// Takes it away again.
pub(super) fn take(secure: bool) -> HeaderValue {
    write("", secure, "; Max-Age=0")
}

fn write(secret: &str, secure: bool, end: &str) -> HeaderValue {
    let (name, secure) = if secure { (SECURE, "; Secure") } else { (PLAIN, "") };
    let value = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Strict{secure}{end}");
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""))
}
