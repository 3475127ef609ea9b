//! Signed tokens (JWT, RFC 7519) as phone systems send them: HMAC alone, one algorithm for each kind of system.

use data_encoding::BASE64URL_NOPAD;
use guichet_contract::Secret;
use ring::hmac;
use serde_json::Value;

use super::signing::{exposed, is_signed};

/// The claims of a token that one of `keys` signed, by the algorithm of this `name` and no other: what a token says of its own
/// algorithm is only held against it.
pub(super) fn claims(token: &str, name: &str, algorithm: hmac::Algorithm, keys: &[Secret]) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, body) = signed.split_once('.')?;
    let shown = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
    if !is_signed(algorithm, exposed(keys), signed.as_bytes(), &shown) {
        return None;
    }
    let part =
        |text: &str| -> Option<Value> { serde_json::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok() };
    (part(head)?.get("alg")? == name).then(|| part(body)).flatten()
}

#[cfg(test)]
pub(super) fn made(name: &str, algorithm: hmac::Algorithm, key: &str, claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(&serde_json::json!({"alg": name, "typ": "JWT"})), part(claims));
    let signature = hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), signed.as_bytes());
    format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = "a key that nobody knows";

    fn read(token: &str) -> Option<Value> {
        claims(token, "HS256", hmac::HMAC_SHA256, &[Secret::new("an older key"), Secret::new(KEY)])
    }

    #[test]
    fn a_token_is_read_when_one_of_the_keys_signed_it() {
        let claims = json!({"iat": 1_795_338_942});
        assert_eq!(read(&made("HS256", hmac::HMAC_SHA256, KEY, &claims)), Some(claims.clone()));
        assert_eq!(read(&made("HS256", hmac::HMAC_SHA256, "another key", &claims)), None);
    }

    #[test]
    fn a_token_does_not_choose_its_algorithm() {
        let claims = json!({"iat": 1});
        // Signed rightly, but saying something else; signed by another algorithm; not signed at all.
        assert_eq!(read(&made("HS512", hmac::HMAC_SHA256, KEY, &claims)), None);
        assert_eq!(read(&made("HS512", hmac::HMAC_SHA512, KEY, &claims)), None);
        let none = BASE64URL_NOPAD.encode(br#"{"alg":"none"}"#);
        for token in [&format!("{none}.e30."), &format!("{none}.e30"), "", "..", "a.b.c", "e30.e30.e30"] {
            assert_eq!(read(token), None, "{token}");
        }
    }
}
