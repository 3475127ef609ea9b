use guichet_contract::Secret;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_795_424_400;

fn keys(secrets: &str) -> Keys {
    Keys::hs256(&Secret::new(secrets)).unwrap()
}

fn encode(part: &Value) -> String {
    BASE64URL_NOPAD.encode(part.to_string().as_bytes())
}

fn signed(header: &Value, claims: &Value, secret: &str) -> String {
    let text = format!("{}.{}", encode(header), encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = BASE64URL_NOPAD.encode(hmac::sign(&key, text.as_bytes()).as_ref());
    format!("{text}.{signature}")
}

const OLD: &str = "an-old-secret-of-at-least-32-bytes";
const NEW: &str = "a-new-secret-of-at-least-32-bytes!";

fn checked(claims: &Value) -> Result<Claims, Wrong> {
    let token = signed(&json!({"alg": "HS256", "typ": "JWT"}), claims, NEW);
    check(&token, &keys(NEW), &SourceName::from("site"), Moment::from_secs(NOW))
}

#[test]
fn a_valid_token_says_who_it_is() {
    let claims =
        json!({"sub": "u1", "exp": NOW + 60, "name": " Ines\nCanary ", "email": "ines@example.org", "aud": ["site"]});
    let claims = checked(&claims).unwrap();
    assert_eq!(claims.sub, "u1");
    assert_eq!(claims.name.as_deref(), Some("Ines Canary"));
    assert_eq!(claims.email.as_deref(), Some("ines@example.org"));
}

#[test]
fn what_a_token_says_must_hold() {
    for (claims, wrong) in [
        (json!({"exp": NOW + 60}), Wrong::Claims),
        (json!({"sub": "", "exp": NOW + 60}), Wrong::Claims),
        (json!({"sub": 7, "exp": NOW + 60}), Wrong::Claims),
        (json!({"sub": "u1"}), Wrong::Claims),
        (json!({"sub": "u1", "exp": "soon"}), Wrong::Claims),
        (json!({"sub": "u1", "exp": 1e300}), Wrong::Claims),
        (json!({"sub": "u1", "exp": -1}), Wrong::Claims),
        (json!({"sub": "u1", "exp": NOW - 61}), Wrong::Expired),
        (json!({"sub": "u1", "exp": NOW + 25 * 3600}), Wrong::TooLong),
        (json!({"sub": "u1", "exp": NOW + 60, "nbf": NOW + 120}), Wrong::TooEarly),
        (json!({"sub": "u1", "exp": NOW + 60, "aud": "other"}), Wrong::Audience),
        (json!({"sub": "u1", "exp": NOW + 60, "aud": []}), Wrong::Audience),
    ] {
        assert_eq!(checked(&claims), Err(wrong), "{claims}");
    }
}

#[test]
fn two_secrets_live_side_by_side_and_a_third_does_not() {
    let claims = json!({"sub": "u1", "exp": NOW + 60});
    let both = keys(&format!("{NEW}\n{OLD}"));
    let header = json!({"alg": "HS256"});
    let check = |token: &str, keys: &Keys| check(token, keys, &SourceName::from("site"), Moment::from_secs(NOW));
    assert!(check(&signed(&header, &claims, OLD), &both).is_ok());
    assert!(check(&signed(&header, &claims, NEW), &both).is_ok());
    assert_eq!(check(&signed(&header, &claims, OLD), &keys(NEW)), Err(Wrong::Signature));
}

#[test]
fn the_algorithm_is_ours_whatever_the_token_says() {
    let claims = json!({"sub": "u1", "exp": NOW + 60});
    let source = SourceName::from("site");
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "hs256"}),
        json!({"alg": "RS256"}),
        json!({"alg": "HS256", "crit": ["x"]}),
        json!({"alg": "HS512"}),
    ] {
        let token = signed(&header, &claims, NEW);
        assert_eq!(check(&token, &keys(NEW), &source, Moment::from_secs(NOW)), Err(Wrong::Algorithm), "{header}");
    }
    let unsigned = format!("{}.{}.", encode(&json!({"alg": "HS256"})), encode(&claims));
    assert_eq!(check(&unsigned, &keys(NEW), &source, Moment::from_secs(NOW)), Err(Wrong::Signature));
    for broken in ["", "a.b", "a.b.c.d", "....", &"x".repeat(9000), "é.é.é"] {
        assert!(check(broken, &keys(NEW), &source, Moment::from_secs(NOW)).is_err(), "{broken}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a key pair for one test")]
fn a_site_that_signs_with_ed25519_is_believed_by_its_public_key() {
    let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap();
    // SubjectPublicKeyInfo of RFC 8410 section 4.
    let mut info = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    info.extend_from_slice(pair.public_key().as_ref());
    let pem =
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", data_encoding::BASE64.encode(&info));
    let keys = Keys::ed25519(&pem).unwrap();
    let text = format!("{}.{}", encode(&json!({"alg": "EdDSA"})), encode(&json!({"sub": "u1", "exp": NOW + 60})));
    let token = format!("{text}.{}", BASE64URL_NOPAD.encode(pair.sign(text.as_bytes()).as_ref()));
    let source = SourceName::from("site");
    assert_eq!(check(&token, &keys, &source, Moment::from_secs(NOW)).unwrap().sub, "u1");
    // The public key used as a secret: the oldest trick.
    let forged = signed(&json!({"alg": "HS256"}), &json!({"sub": "u1", "exp": NOW + 60}), &pem);
    assert_eq!(check(&forged, &keys, &source, Moment::from_secs(NOW)), Err(Wrong::Algorithm));
}

#[test]
fn addresses_that_cannot_be_written_to_are_told_apart() {
    for good in ["a@b.co", "first.last+tag@sub.example.org", "o'neil@example.org", "ü@exämple.org"] {
        assert!(is_email(good), "{good}");
    }
    let long = format!("{}@example.org", "x".repeat(65));
    for bad in
        ["", "a", "@b.co", "a@b", "a@@b.co", "a b@c.de", "a@b.co\nBcc: x@y.z", "<a@b.co>", "a@-b.co", "a@b..co", &long]
    {
        assert!(!is_email(bad), "{bad}");
    }
}
