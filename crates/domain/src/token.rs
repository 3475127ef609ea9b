//! Tokens that prove where a message belongs: in reply addresses, message ids, the loop header and bounce addresses.
//!
//! A token is letters and digits of the base32 alphabet (`a` to `z`, `2` to `7`): no 0, 1, 8 or 9 to confuse with o, l, b
//! or g, and nothing an MTA rewrites. Case is ignored, since some MTAs fold it. It carries its ids in the clear and an
//! 80-bit mark of HMAC-SHA256: enough that forging one takes 2^79 mails, and the whole still fits beside a mailbox
//! name of twenty octets within the 64 that a local part may have.
//!
//! ```text
//! header (7 bits: kind 3, key 4) | id 128 | second id 128, message ids only | mark 80     packed, five bits a letter
//! ```

use std::fmt;

use ring::{digest, hmac};
use uuid::Uuid;

use crate::ambient::Ids;
use crate::ids::{DeliveryId, TicketId};

/// Letters of a token that carries one id.
pub const SHORT_LEN: usize = 43;
/// Letters of a token that carries two ids (message ids, which have room).
pub const LONG_LEN: usize = 69;
/// Letters of a [`StatusToken`].
pub const STATUS_LEN: usize = 22;

const MARK: usize = 10;
const ID: usize = 16;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Separates these marks from any other use of the same key.
const DOMAIN: &[u8] = b"guichet token 1\0";

/// What a token says, once it is verified. The kind is part of what is signed: a token of one kind is never valid as
/// another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Claim {
    /// In the reply address of a notice: mail sent there belongs to this ticket.
    ReplyAddress {
        /// The ticket.
        ticket: TicketId,
    },
    /// In the Message-ID of a notice: mail that answers it belongs to this ticket.
    MessageId {
        /// The ticket.
        ticket: TicketId,
        /// The outbox row the message left from.
        delivery: DeliveryId,
    },
    /// In the loop header: this mail is our own, come back.
    Loop {
        /// The outbox row the message left from.
        delivery: DeliveryId,
    },
    /// In the envelope sender: mail sent there reports on this delivery.
    Bounce {
        /// The outbox row the message left from.
        delivery: DeliveryId,
    },
}

/// One signing key and its number, 0 to 15, which tokens carry so that a changed key does not break the mail already
/// sent.
#[derive(Clone)]
pub struct Key {
    id: u8,
    key: hmac::Key,
}

/// The key that signs and the older ones that still verify. Cheap to clone and to share.
#[derive(Clone)]
pub struct Keyring {
    current: Key,
    older: Vec<Key>,
}

/// Why keys make no ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// A key number has four bits.
    #[error("key number {id} is out of range: use 0 to 15")]
    IdOutOfRange {
        /// The number given.
        id: u8,
    },
    /// Two keys claim the same number, so a token would not say which one signed it.
    #[error("two keys have the number {id}: give each its own")]
    IdTaken {
        /// The number given twice.
        id: u8,
    },
}

impl Key {
    /// A key of 32 random octets under a number of 0 to 15.
    pub fn new(id: u8, secret: &[u8; 32]) -> Result<Self, KeyringError> {
        if id > 15 {
            return Err(KeyringError::IdOutOfRange { id });
        }
        Ok(Self { id, key: hmac::Key::new(hmac::HMAC_SHA256, secret) })
    }

    /// The key's number.
    pub fn id(&self) -> u8 {
        self.id
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("current", &self.current).field("older", &self.older).finish()
    }
}

impl Keyring {
    /// A ring that signs with `current` and accepts `older` too.
    pub fn new(current: Key, older: Vec<Key>) -> Result<Self, KeyringError> {
        for (at, key) in older.iter().enumerate() {
            if key.id == current.id || older.iter().take(at).any(|other| other.id == key.id) {
                return Err(KeyringError::IdTaken { id: key.id });
            }
        }
        Ok(Self { current, older })
    }

    /// The token of a claim, under the current key: [`SHORT_LEN`] lower-case letters and digits, [`LONG_LEN`] for a
    /// message id. The same claim gives the same token as long as the key stays.
    pub fn mint(&self, claim: &Claim) -> String {
        let mut body = vec![claim.kind() << 4 | self.current.id];
        claim.write_ids(&mut body);
        let mark = mark(&self.current.key, &body);
        body.extend_from_slice(&mark);
        pack(&body)
    }

    /// What a token says, when one of our keys signed it; nothing otherwise. Letter case is ignored, anything around the
    /// token is not. Takes the same time whether the mark is nearly right or quite wrong.
    pub fn verify(&self, token: &str) -> Option<Claim> {
        let bytes = unpack(token)?;
        let (body, given) = bytes.split_at_checked(bytes.len().checked_sub(MARK)?)?;
        let (header, ids) = body.split_first()?;
        let key = std::iter::once(&self.current).chain(&self.older).find(|key| key.id == header & 0x0F)?;
        let claim = Claim::read(header >> 4, ids)?;
        same(&mark(&key.key, body), given).then_some(claim)
    }
}

impl Claim {
    fn kind(&self) -> u8 {
        match self {
            Self::ReplyAddress { .. } => 1,
            Self::MessageId { .. } => 2,
            Self::Loop { .. } => 3,
            Self::Bounce { .. } => 4,
        }
    }

    fn write_ids(&self, body: &mut Vec<u8>) {
        match self {
            Self::ReplyAddress { ticket } => body.extend_from_slice(ticket.0.as_bytes()),
            Self::Loop { delivery } | Self::Bounce { delivery } => body.extend_from_slice(delivery.0.as_bytes()),
            Self::MessageId { ticket, delivery } => {
                body.extend_from_slice(ticket.0.as_bytes());
                body.extend_from_slice(delivery.0.as_bytes());
            }
        }
    }

    fn read(kind: u8, ids: &[u8]) -> Option<Self> {
        let (first, rest) = ids.split_at_checked(ID)?;
        let first = Uuid::from_slice(first).ok()?;
        match (kind, rest.is_empty()) {
            (1, true) => Some(Self::ReplyAddress { ticket: TicketId(first) }),
            (2, false) => {
                let delivery = DeliveryId(Uuid::from_slice(rest).ok()?);
                Some(Self::MessageId { ticket: TicketId(first), delivery })
            }
            (3, true) => Some(Self::Loop { delivery: DeliveryId(first) }),
            (4, true) => Some(Self::Bounce { delivery: DeliveryId(first) }),
            _ => None,
        }
    }
}

/// The secret of a ticket's status page: 128 random bits. Shown once, in the link; only [`StatusToken::hash`] is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusToken(String);

impl StatusToken {
    /// Draws a new one.
    pub fn draw(ids: &dyn Ids) -> Self {
        let mut bytes = [0; 16];
        ids.random(&mut bytes);
        Self(data_encoding::BASE64URL_NOPAD.encode(&bytes))
    }

    /// Takes the text of a link; nothing when it cannot be a status token. Case counts here.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        (text.len() == STATUS_LEN && bytes.len() == 16).then(|| Self(text.to_owned()))
    }

    /// The 22 letters for the link.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is stored and looked up: 64 hexadecimal digits from which the token cannot be had back.
    pub fn hash(&self) -> String {
        digest_of(b"guichet status token\0", &self.0)
    }
}

impl fmt::Debug for StatusToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StatusToken(..)")
    }
}

/// A new secret for a webhook or an API token: 256 random bits as 43 letters, digits, `-` and `_`.
pub fn new_secret(ids: &dyn Ids) -> String {
    let mut bytes = [0; 32];
    ids.random(&mut bytes);
    data_encoding::BASE64URL_NOPAD.encode(&bytes)
}

/// What is stored of a machine-made secret, 64 hexadecimal digits. Fast on purpose: such secrets have 128 bits or more
/// and cannot be guessed through. Never use it for a password that a person chose.
pub fn secret_hash(secret: &str) -> String {
    digest_of(b"guichet secret\0", secret)
}

/// Whether two texts or digests are equal, in a time that does not tell where they differ. Lengths are not secret.
pub fn same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let differing = left.iter().zip(right).fold(0_u8, |seen, (l, r)| std::hint::black_box(seen | (l ^ r)));
    differing == 0
}

fn mark(key: &hmac::Key, body: &[u8]) -> [u8; MARK] {
    let mut context = hmac::Context::with_key(key);
    context.update(DOMAIN);
    context.update(body);
    let mut mark = [0; MARK];
    for (slot, byte) in mark.iter_mut().zip(context.sign().as_ref()) {
        *slot = *byte;
    }
    mark
}

fn digest_of(domain: &[u8], secret: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(domain);
    context.update(secret.as_bytes());
    data_encoding::HEXLOWER.encode(context.finish().as_ref())
}

/// Five bits a letter, beginning at the second bit: the first bit of the header is always clear, and leaving it out is
/// what makes one id fit in 43 letters.
fn pack(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(LONG_LEN);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for (at, byte) in bytes.iter().enumerate() {
        held = held << 8 | u32::from(*byte);
        bits += if at == 0 { 7 } else { 8 };
        while bits >= 5 {
            bits -= 5;
            text.push(letter(held >> bits));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(letter(held << (5 - bits)));
    }
    text
}

/// The inverse of [`pack`]. Only the one spelling that `pack` makes is accepted, letter case aside.
fn unpack(token: &str) -> Option<Vec<u8>> {
    let len = match token.len() {
        SHORT_LEN => 1 + ID + MARK,
        LONG_LEN => 1 + 2 * ID + MARK,
        _ => return None,
    };
    let mut bytes = Vec::with_capacity(len);
    // One clear bit in front stands for the one that `pack` leaves out.
    let (mut held, mut bits) = (0_u32, 1_u32);
    for letter in token.bytes() {
        let value = match letter.to_ascii_lowercase() {
            letter @ b'a'..=b'z' => letter - b'a',
            letter @ b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        held = held << 5 | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    (held == 0 && bytes.len() == len).then_some(bytes)
}

fn letter(bits: u32) -> char {
    ALPHABET.get((bits & 31) as usize).map_or('a', |letter| char::from(*letter))
}

#[cfg(test)]
mod tests;
