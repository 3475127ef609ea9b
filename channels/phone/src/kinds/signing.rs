//! What the signatures of several kinds have in common.

use data_encoding::BASE64;
use guichet_contract::Secret;
use ring::{digest, hmac};

use crate::request::same;

/// Whether one of `keys` made `shown` over `message`. Every key is tried, so that time does not tell which it was.
pub(super) fn is_signed<'k>(
    algorithm: hmac::Algorithm,
    keys: impl IntoIterator<Item = &'k str>,
    message: &[u8],
    shown: &[u8],
) -> bool {
    keys.into_iter().fold(false, |found, key| {
        let key = hmac::Key::new(algorithm, key.as_bytes());
        hmac::verify(&key, message, shown).is_ok() | found
    })
}

/// The keys as text.
pub(super) fn exposed(keys: &[Secret]) -> impl Iterator<Item = &str> {
    keys.iter().map(Secret::expose)
}

/// Whether `shown` is the SHA-256 of `bytes` in hexadecimal.
pub(super) fn is_hash_of(shown: &str, bytes: &[u8]) -> bool {
    let hash = digest::digest(&digest::SHA256, bytes);
    data_encoding::HEXLOWER_PERMISSIVE.decode(shown.as_bytes()).is_ok_and(|shown| same(&shown, hash.as_ref()))
}

/// The bytes of a key pair's public half, written as PEM or bare base64, and of the RSA or Ed25519 key in it where it comes in its
/// wrapping (SubjectPublicKeyInfo).
pub(super) fn public_key(text: &str) -> Option<Vec<u8>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    let encoded: String = lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    let bytes = BASE64.decode(encoded.as_bytes()).ok()?;
    Some(unwrapped(&bytes).map_or_else(|| bytes.clone(), <[u8]>::to_vec))
}

/// What is inside `SEQUENCE { SEQUENCE { algorithm }, BIT STRING { key } }`.
fn unwrapped(der: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const BIT_STRING: u8 = 0x03;
    let (outer, _) = element(der, SEQUENCE)?;
    let (_, rest) = element(outer, SEQUENCE)?;
    let (bits, _) = element(rest, BIT_STRING)?;
    let (unused, key) = bits.split_first()?;
    (*unused == 0).then_some(key)
}

/// The contents of the DER element of this kind that `der` begins with, and what follows it.
fn element(der: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = if *length < 0x80 {
        (usize::from(*length), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(*length & 0x7f))?;
        if digits.len() > 4 {
            return None;
        }
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
    };
    let contents = rest.split_at_checked(length)?;
    (*first == kind).then_some(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_found_in_its_wrapping_or_bare() {
        // An Ed25519 key of 32 times the byte 7, wrapped by hand.
        let key = [7; 32];
        let mut wrapped = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        wrapped.extend_from_slice(&key);
        let encoded = BASE64.encode(&wrapped);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----\n");
        for text in [pem, encoded, BASE64.encode(&key)] {
            assert_eq!(public_key(&text).as_deref(), Some(&key as &[u8]));
        }
        assert_eq!(public_key("no key at all"), None);
    }

    #[test]
    fn broken_wrappings_are_looked_at_without_harm() {
        for der in [&[][..], &[0x30], &[0x30, 0x84], &[0x30, 0xff, 1], &[0x30, 5, 0x30], &[0x30, 3, 0x30, 0, 3]] {
            assert_eq!(unwrapped(der), None, "{der:?}");
        }
    }
}
