//! Identity tokens: JWT (RFC 7519) signed by the site, checked against the keys of this source alone.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use guichet_domain::Moment;
use guichet_domain::ids::SourceName;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::keys::Keys;

/// Longest token, in bytes.
const LONGEST: usize = 8 << 10;
/// How far ahead a token may expire.
const LONGEST_LIFE: Duration = Duration::from_hours(24);
/// How far clocks may be apart.
const LEEWAY: Duration = Duration::from_secs(60);

/// What a valid token says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Who, in the site's own words.
    pub(crate) sub: String,
    /// Until when.
    pub(crate) expires: Moment,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
}

/// Why a token is not believed. Told to nobody but tests: an attacker learns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    Form,
    Algorithm,
    Signature,
    Claims,
    Expired,
    TooLong,
    TooEarly,
    Audience,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that must be understood: none is (RFC 7515 section 4.1.11).
    crit: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Body {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
    aud: Option<Audience>,
    name: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Checks a token. The algorithm is that of the keys, whatever the token says it is.
pub(crate) fn check(token: &str, keys: &Keys, source: &SourceName, now: Moment) -> Result<Claims, Wrong> {
    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, signature] = parts.as_slice() else { return Err(Wrong::Form) };
    if token.len() > LONGEST {
        return Err(Wrong::Form);
    }
    let header: Header = part(head)?;
    if header.alg != keys.algorithm() || header.crit.is_some() {
        return Err(Wrong::Algorithm);
    }
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| Wrong::Form)?;
    if !keys.signed(format!("{head}.{body}").as_bytes(), &signature) {
        return Err(Wrong::Signature);
    }
    claims(part(body)?, source, now)
}

fn part<T: DeserializeOwned>(text: &str) -> Result<T, Wrong> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| Wrong::Form)?;
    serde_json::from_slice(&bytes).map_err(|_| Wrong::Claims)
}

fn claims(body: Body, source: &SourceName, now: Moment) -> Result<Claims, Wrong> {
    if body.sub.is_empty() || body.sub.len() > 255 {
        return Err(Wrong::Claims);
    }
    let expires = moment(body.exp).ok_or(Wrong::Claims)?;
    if expires + LEEWAY <= now {
        return Err(Wrong::Expired);
    }
    if expires > now + LONGEST_LIFE + LEEWAY {
        return Err(Wrong::TooLong);
    }
    let begins = body.nbf.map(|nbf| moment(nbf).ok_or(Wrong::Claims)).transpose()?;
    if begins.is_some_and(|begins| begins > now + LEEWAY) {
        return Err(Wrong::TooEarly);
    }
    let meant = match &body.aud {
        None => true,
        Some(Audience::One(name)) => name == source.as_str(),
        Some(Audience::Many(names)) => names.iter().any(|name| name == source.as_str()),
    };
    if !meant {
        return Err(Wrong::Audience);
    }
    let name = body.name.map(|name| line(&name)).filter(|name| !name.is_empty());
    let email = body.email.filter(|email| is_email(email));
    Ok(Claims { sub: body.sub, expires: expires + LEEWAY, name, email })
}

/// NumericDate: seconds, perhaps with a fraction.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn moment(secs: f64) -> Option<Moment> {
    (0.0..1e11).contains(&secs).then(|| Moment::from_secs(secs as i64))
}

/// One line of at most 100 characters without control characters or marks that turn text around.
pub(crate) fn line(text: &str) -> String {
    let turning = |letter: char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let kept: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let words: Vec<&str> = kept.split_whitespace().collect();
    words.join(" ").chars().filter(|letter| !turning(*letter)).take(100).collect()
}

/// Whether it has the form of an e-mail address that can be written to; whether it exists is another question.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |letter: char| {
        !letter.is_control()
            && !letter.is_whitespace()
            && !matches!(letter, '<' | '>' | ',' | ';' | '"' | '(' | ')' | '@' | ':' | '\\' | '[' | ']')
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
            && !label.starts_with('-')
    };
    text.len() <= 254
        && (1..=64).contains(&local.len())
        && local.chars().all(plain)
        && domain.contains('.')
        && domain.split('.').all(label)
}

#[cfg(test)]
mod tests;
