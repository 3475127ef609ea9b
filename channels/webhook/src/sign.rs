//! Signatures by Standard Webhooks, version `v1`: HMAC-SHA256 over `id.timestamp.body`, one for each secret.

use data_encoding::BASE64;
use guichet_contract::{Secret, SettingsError};
use ring::hmac;

/// Most secrets at once: the new one, and old ones while receivers change over.
const MAX_SECRETS: usize = 5;
/// How many bytes a secret has, by the standard.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The secrets of one hook.
pub(crate) struct Signer {
    keys: Vec<hmac::Key>,
}

impl Signer {
    /// Reads `whsec_...` secrets, separated by white space; the first is the newest.
    pub(crate) fn new(secret: &Secret) -> Result<Self, SettingsError> {
        let words: Vec<&str> = secret.expose().split_whitespace().collect();
        if words.is_empty() || words.len() > MAX_SECRETS {
            return Err(wrong(format!("it holds {} secrets", words.len()), format!("give 1 to {MAX_SECRETS}")));
        }
        let keys = words.into_iter().map(key).collect::<Result<_, _>>()?;
        Ok(Self { keys })
    }

    /// The value of `webhook-signature`.
    pub(crate) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let signatures = self.keys.iter().map(|key| {
            let mut context = hmac::Context::with_key(key);
            context.update(format!("{id}.{timestamp}.").as_bytes());
            context.update(body);
            format!("v1,{}", BASE64.encode(context.sign().as_ref()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

fn key(word: &str) -> Result<hmac::Key, SettingsError> {
    let remedy = "make one with: echo \"whsec_$(openssl rand -base64 32)\"";
    let Some(encoded) = word.strip_prefix("whsec_") else {
        return Err(wrong("it does not begin with whsec_", remedy));
    };
    let bytes = BASE64.decode(encoded.as_bytes()).map_err(|_| wrong("what follows whsec_ is not base64", remedy))?;
    if !BYTES.contains(&bytes.len()) {
        return Err(wrong(
            format!("it has {} bytes instead of {} to {}", bytes.len(), BYTES.start(), BYTES.end()),
            remedy,
        ));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

fn wrong(what: impl Into<String>, remedy: impl Into<String>) -> SettingsError {
    SettingsError { key: "secret".to_owned(), value: None, what: what.into(), remedy: remedy.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(words: &str) -> Result<Signer, String> {
        Signer::new(&Secret::new(words)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_standards_own_example_gives_its_signature() {
        let signer = signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn while_secrets_rotate_each_signs() {
        let signer =
            signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nwhsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n").unwrap();
        let signed = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        let parts: Vec<&str> = signed.split(' ').collect();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_ne!(parts[0], parts[1]);
    }

    #[test]
    fn a_secret_that_cannot_be_used_is_refused_without_being_shown() {
        for (words, what) in [
            ("", "secret: it holds 0 secrets; give 1 to 5"),
            ("hunter2hunter2", "secret: it does not begin with whsec_; make one with: "),
            ("whsec_!!!!", "secret: what follows whsec_ is not base64; make one with: "),
            ("whsec_aHVudGVyMg==", "secret: it has 7 bytes instead of 24 to 64; make one with: "),
        ] {
            let error = signer(words).err().unwrap();
            assert!(error.starts_with(what), "{error}");
            assert!(words.is_empty() || !error.contains(words), "{error}");
        }
    }
}
