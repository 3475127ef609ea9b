//! Links to files: signed, and good for a while. Whoever holds one may read the one file it names.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use guichet_contract::{Fault, Port};
use guichet_domain::Moment;
use guichet_domain::ids::{ConversationKey, MessageId};
use ring::hmac;
use uuid::Uuid;

use crate::person::Place;

/// How long a link holds.
const LIFE: Duration = Duration::from_hours(12);
/// The slot the key is kept in, so that links survive a restart.
const SLOT: &str = "files-key";
/// Bytes of the signature that are kept.
const TAG: usize = 16;

/// Makes and checks links.
pub(crate) struct Links(hmac::Key);

/// What a link names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) key: ConversationKey,
    pub(crate) entry: MessageId,
    pub(crate) position: usize,
}

impl Links {
    /// With the key of this source, made when first needed.
    pub(crate) async fn load(port: &Port) -> Result<Self, Fault> {
        for _ in 0..3 {
            let slot = port.intake.slot(SLOT).await?;
            let kept = slot.value.and_then(|value| BASE64URL_NOPAD.decode(value.as_bytes()).ok());
            if let Some(key) = kept.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
                return Ok(Self::of(key));
            }
            let mut key = [0; 32];
            port.ids.random(&mut key);
            if port.intake.put_slot(SLOT, slot.version, Some(BASE64URL_NOPAD.encode(&key))).await? {
                return Ok(Self::of(key));
            }
            // Another node was quicker: its key is read the next time round.
        }
        Err(Fault::passing("the key of the links is being made elsewhere"))
    }

    pub(crate) fn of(key: [u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// A link to a file of an entry, and until when it holds.
    pub(crate) fn link(&self, place: &Place, entry: MessageId, position: usize, now: Moment) -> (String, Moment) {
        let expires = now + LIFE;
        let mut bytes = Vec::with_capacity(100);
        bytes.extend_from_slice(&expires.secs().to_be_bytes());
        bytes.extend_from_slice(entry.0.as_bytes());
        bytes.extend_from_slice(&u16::try_from(position).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(place.key.as_str().as_bytes());
        let tag = hmac::sign(&self.0, &bytes);
        let tag = tag.as_ref().first_chunk::<TAG>().copied().unwrap_or_default();
        (
            format!("{}{}", BASE64URL_NOPAD.encode(&tag), BASE64URL_NOPAD.encode(&bytes)),
            Moment::from_secs(expires.secs()),
        )
    }

    /// What a link names, if we made it and it still holds.
    pub(crate) fn read(&self, link: &str, now: Moment) -> Option<Named> {
        // 16 bytes are 22 characters.
        let (tag, body) = link.split_at_checked(22)?;
        let (tag, body) = (BASE64URL_NOPAD.decode(tag.as_bytes()).ok()?, BASE64URL_NOPAD.decode(body.as_bytes()).ok()?);
        let known = hmac::sign(&self.0, &body);
        let known = known.as_ref().first_chunk::<TAG>()?;
        // Takes the same time wherever the first difference is.
        let differs = tag.iter().zip(known).fold(tag.len() ^ TAG, |sum, (one, other)| sum | usize::from(one ^ other));
        let (expires, rest) = body.split_first_chunk::<8>()?;
        let (entry, rest) = rest.split_first_chunk::<16>()?;
        let (position, key) = rest.split_first_chunk::<2>()?;
        if differs != 0 || i64::from_be_bytes(*expires) <= now.secs() {
            return None;
        }
        Some(Named {
            key: ConversationKey::new(String::from_utf8(key.to_vec()).ok()?),
            entry: MessageId(Uuid::from_bytes(*entry)),
            position: u16::from_be_bytes(*position).into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_its_file_until_it_expires_and_nothing_else() {
        let (links, now) = (Links::of([7; 32]), Moment::from_secs(1_795_424_400));
        let key = ConversationKey::new("s1:c1");
        let place = Place { conv: Uuid::nil(), key: key.clone(), verified: false };
        let entry = MessageId(Uuid::from_u128(77));
        let (link, until) = links.link(&place, entry, 2, now);
        assert!(link.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        assert_eq!(links.read(&link, now), Some(Named { key, entry, position: 2 }));
        assert_eq!(links.read(&link, until), None);
        assert_eq!(Links::of([8; 32]).read(&link, now), None);
        for at in 0..link.len() {
            let mut forged = link.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(links.read(&String::from_utf8(forged).unwrap(), now), None, "{at}");
            assert_eq!(links.read(link.get(..at).unwrap(), now), None, "{at}");
        }
        assert_eq!(links.read("é", now), None);
        assert_eq!(links.read(&"é".repeat(40), now), None);
    }
}
