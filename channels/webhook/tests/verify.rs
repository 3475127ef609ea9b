//! Standard Webhooks from the receiver's side, written anew: HMAC by its definition (RFC 2104) over a plain SHA-256.

use ring::digest::{SHA256, digest};

/// Verifies as a receiver does; answers why not.
pub fn verify(secret: &str, now: i64, head: impl Fn(&str) -> Option<String>, body: &[u8]) -> Result<(), String> {
    let header = |name: &str| head(name).ok_or_else(|| format!("no {name}"));
    let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    let age = now - timestamp.parse::<i64>().map_err(|error| error.to_string())?;
    if age.abs() > 300 {
        return Err(format!("{age} s old"));
    }
    let key = base64(secret.strip_prefix("whsec_").ok_or("no whsec_")?)?;
    let mut signed = format!("{id}.{timestamp}.").into_bytes();
    signed.extend_from_slice(body);
    let expected = hmac(&key, &signed);
    for signature in header("webhook-signature")?.split(' ') {
        let (version, encoded) = signature.split_once(',').ok_or("no version")?;
        if version == "v1" && base64(encoded)? == expected {
            return Ok(());
        }
    }
    Err("no signature fits".to_owned())
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    assert!(key.len() <= 64, "longer keys would be hashed first");
    let pad = |byte: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ byte).collect() };
    let inner = digest(&SHA256, &[pad(0x36), message.to_vec()].concat());
    digest(&SHA256, &[&pad(0x5c), inner.as_ref()].concat()).as_ref().to_vec()
}

fn base64(text: &str) -> Result<Vec<u8>, String> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for letter in text.trim_end_matches('=').bytes() {
        let value = LETTERS.iter().position(|known| *known == letter).ok_or("no base64")?;
        bits = bits << 6 | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    Ok(bytes)
}

#[test]
fn this_receiver_knows_the_standards_example_and_notices_a_change() {
    let head = |name: &str| {
        let value = match name {
            "webhook-id" => "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp" => "1614265330",
            "webhook-signature" => "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert_eq!(verify(secret, 1_614_265_400, head, br#"{"test": 2432232314}"#), Ok(()));
    assert!(verify(secret, 1_614_265_400, head, br#"{"test": 2432232315}"#).is_err());
    assert!(verify(secret, 1_614_266_000, head, br#"{"test": 2432232314}"#).is_err());
}
