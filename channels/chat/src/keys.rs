//! The keys identity tokens are checked by.

use data_encoding::BASE64;
use guichet_contract::Secret;
use ring::hmac;
use ring::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

/// Shortest secret, in bytes: what RFC 7518 section 3.2 asks of HS256.
const SHORTEST: usize = 32;
/// rsaEncryption and id-Ed25519 as object identifiers in DER.
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const ED: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];

/// Keys of one algorithm.
pub(crate) enum Keys {
    /// Secrets, newest first: two while they are changed.
    Hs256(Vec<hmac::Key>),
    EdDsa(UnparsedPublicKey<Vec<u8>>),
    Rs256(UnparsedPublicKey<Vec<u8>>),
}

impl Keys {
    /// One or two secrets, separated by white space.
    pub(crate) fn hs256(secret: &Secret) -> Result<Self, String> {
        let secrets: Vec<&str> = secret.expose().split_whitespace().collect();
        if !(1..=2).contains(&secrets.len()) {
            return Err(format!("it holds {} secrets, and one or two are possible", secrets.len()));
        }
        if secrets.iter().any(|secret| secret.len() < SHORTEST) {
            return Err(format!("a secret has less than {SHORTEST} characters"));
        }
        Ok(Self::Hs256(secrets.iter().map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())).collect()))
    }

    /// A public key as PEM.
    pub(crate) fn ed25519(pem: &str) -> Result<Self, String> {
        let key = public_key(pem, ED)?;
        if key.len() != 32 {
            return Err("it holds no Ed25519 public key".to_owned());
        }
        Ok(Self::EdDsa(UnparsedPublicKey::new(&ED25519, key)))
    }

    /// A public key as PEM, of 2,048 bits or more.
    pub(crate) fn rs256(pem: &str) -> Result<Self, String> {
        let key = if pem.contains("BEGIN RSA PUBLIC KEY") { der(pem)? } else { public_key(pem, RSA)? };
        Ok(Self::Rs256(UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)))
    }

    /// The one algorithm these keys are for, as a token's header names it.
    pub(crate) const fn algorithm(&self) -> &'static str {
        match self {
            Self::Hs256(_) => "HS256",
            Self::EdDsa(_) => "EdDSA",
            Self::Rs256(_) => "RS256",
        }
    }

    /// Whether one of them made this signature. Takes the same time for every wrong one.
    pub(crate) fn signed(&self, text: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hs256(keys) => {
                keys.iter().fold(false, |known, key| hmac::verify(key, text, signature).is_ok() | known)
            }
            Self::EdDsa(key) | Self::Rs256(key) => key.verify(text, signature).is_ok(),
        }
    }
}

/// The key inside a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) of this algorithm.
fn public_key(pem: &str, algorithm: &[u8]) -> Result<Vec<u8>, String> {
    let der = der(pem)?;
    let wrong = || "it is no public key of this algorithm".to_owned();
    let (whole, _) = element(&der, 0x30).ok_or_else(wrong)?;
    let (named, rest) = element(whole, 0x30).ok_or_else(wrong)?;
    let (bits, _) = element(rest, 0x03).ok_or_else(wrong)?;
    match bits.split_first() {
        Some((0, key)) if named.starts_with(algorithm) => Ok(key.to_vec()),
        _ => Err(wrong()),
    }
}

fn der(pem: &str) -> Result<Vec<u8>, String> {
    let body: String = pem.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    let is_pem = pem.contains("-----BEGIN ") && pem.contains("PUBLIC KEY-----");
    let bytes = BASE64.decode(body.as_bytes()).ok().filter(|_| is_pem);
    bytes.ok_or_else(|| "it is no PEM file that begins with -----BEGIN PUBLIC KEY-----".to_owned())
}

/// The content of the DER element at the beginning, which has this tag, and what is behind it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (short, rest) = rest.split_first()?;
    let (length, rest) = match short {
        0..=0x7f => (usize::from(*short), rest),
        0x81 => rest.split_first().map(|(one, rest)| (usize::from(*one), rest))?,
        0x82 => {
            let (two, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*two)), rest)
        }
        _ => return None,
    };
    (*first == tag).then(|| rest.split_at_checked(length)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_cannot_be_used_says_why() {
        let said = |end: Result<Keys, String>| end.err().unwrap_or_default();
        assert_eq!(said(Keys::hs256(&Secret::new("short"))), "a secret has less than 32 characters");
        assert!(said(Keys::hs256(&Secret::new("a b c"))).starts_with("it holds 3 secrets"));
        assert!(said(Keys::ed25519("hello")).starts_with("it is no PEM file"));
        let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";
        assert!(said(Keys::ed25519(private)).starts_with("it is no PEM file"));
        let other = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n";
        assert_eq!(said(Keys::rs256(other)), "it is no public key of this algorithm");
    }

    #[test]
    fn what_is_cut_off_is_no_element() {
        let whole = [0x30, 0x82, 0x00, 0x03, 1, 2, 3, 9];
        assert_eq!(element(&whole, 0x30), Some((&[1, 2, 3][..], &[9][..])));
        for end in 0..7 {
            assert_eq!(element(&whole[..end], 0x30), None);
        }
        assert_eq!(element(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], 0x30), None);
    }
}
