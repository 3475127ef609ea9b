//! Signed tokens: the one a drawn form carries, and the one of the page after.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use guichet_domain::{Ids, Moment};
use ring::hmac;
use serde::{Deserialize, Serialize};

/// How long a form may lie open before it must be drawn anew, in seconds.
const LIFE: i64 = 24 * 3600;

/// The source's key for what it signs.
pub(crate) struct Signer(hmac::Key);

/// What a form's token says once its signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawn {
    /// The submission's id: 32 hexadecimal digits.
    pub(crate) id: String,
    /// When the form was drawn, in seconds since 1970.
    pub(crate) at: i64,
}

/// What the page after shows. Signed, so that nobody can make a page of ours that says a request was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Received {
    /// The reference as shown; absent where the request waits to be looked at.
    #[serde(rename = "r", skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    /// The address the acknowledgement goes to, with its local part hidden.
    #[serde(rename = "m")]
    pub(crate) masked: String,
    /// The submission's conversation.
    #[serde(rename = "i")]
    pub(crate) conversation: String,
    /// When, in seconds since 1970.
    #[serde(rename = "a")]
    pub(crate) at: i64,
}

impl Signer {
    /// From 32 bytes that only this source knows.
    pub(crate) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// A token for a form drawn now.
    pub(crate) fn draw(&self, ids: &dyn Ids, now: Moment) -> String {
        let mut random = [0; 16];
        ids.random(&mut random);
        self.seal("form", &format!("{}.{}", HEXLOWER.encode(&random), now.secs()))
    }

    /// Reads a form's token; `None` when it is not ours or lay open for more than a day.
    pub(crate) fn drawn(&self, token: &str, now: Moment) -> Option<Drawn> {
        let said = self.open("form", token)?;
        let (id, at) = said.split_once('.')?;
        let at: i64 = at.parse().ok()?;
        (0..=LIFE).contains(&(now.secs() - at)).then(|| Drawn { id: id.to_owned(), at })
    }

    /// The address part of the page after.
    pub(crate) fn receipt(&self, received: &Received) -> String {
        let said = serde_json::to_vec(received).unwrap_or_default();
        self.seal("received", &BASE64URL_NOPAD.encode(&said))
    }

    /// Reads the address part of a page after; `None` when it is not ours or older than a day.
    pub(crate) fn received(&self, token: &str, now: Moment) -> Option<Received> {
        let said = BASE64URL_NOPAD.decode(self.open("received", token)?.as_bytes()).ok()?;
        let received: Received = serde_json::from_slice(&said).ok()?;
        (0..=LIFE).contains(&(now.secs() - received.at)).then_some(received)
    }

    fn seal(&self, purpose: &str, said: &str) -> String {
        let tag = hmac::sign(&self.0, format!("{purpose}.{said}").as_bytes());
        format!("{said}~{}", BASE64URL_NOPAD.encode(tag.as_ref()))
    }

    fn open<'a>(&self, purpose: &str, token: &'a str) -> Option<&'a str> {
        let (said, tag) = token.rsplit_once('~')?;
        let tag = BASE64URL_NOPAD.decode(tag.as_bytes()).ok()?;
        hmac::verify(&self.0, format!("{purpose}.{said}").as_bytes(), &tag).ok()?;
        Some(said)
    }
}

#[cfg(test)]
mod tests {
    use guichet_testkit::TestIds;

    use super::*;

    fn at(secs: i64) -> Moment {
        Moment::from_secs(secs)
    }

    #[test]
    fn a_drawn_form_is_known_again_for_a_day() {
        let signer = Signer::new(&[1; 32]);
        let token = signer.draw(&TestIds::default(), at(1_000));
        let drawn = signer.drawn(&token, at(1_000 + LIFE)).unwrap();
        assert_eq!((drawn.id.len(), drawn.at), (32, 1_000));
        assert_eq!(signer.drawn(&token, at(1_001 + LIFE)), None);
        assert_eq!(signer.drawn(&token, at(999)), None);
    }

    #[test]
    fn one_flipped_byte_or_another_key_or_another_purpose_is_refused() {
        let signer = Signer::new(&[1; 32]);
        let token = signer.draw(&TestIds::default(), at(1_000));
        for place in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[place] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert_eq!(signer.drawn(&changed, at(1_000)), None, "{changed}");
        }
        assert_eq!(Signer::new(&[2; 32]).drawn(&token, at(1_000)), None);
        assert_eq!(signer.received(&token, at(1_000)), None);
    }

    #[test]
    fn the_page_after_reads_back_what_it_was_made_of() {
        let signer = Signer::new(&[1; 32]);
        let reference = Some("GT-482-109-3753".to_owned());
        let received =
            Received { reference, masked: "…@example.org".to_owned(), conversation: "c".to_owned(), at: 1_000 };
        assert_eq!(signer.received(&signer.receipt(&received), at(1_500)), Some(received));
    }
}
