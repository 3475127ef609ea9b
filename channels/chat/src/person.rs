//! Who talks: a session, and perhaps an identity somebody vouches for.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use guichet_domain::ids::{ConversationKey, ExternalId, SourceName};
use guichet_domain::inbound::{Contact, Party, Trust};
use guichet_domain::reason::Reason;
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use crate::identity::Claims;
use crate::trouble::{Code, Trouble};

/// Who vouches for a person with an identity token.
const VOUCHED: Reason = Reason::of("chat.identity");
/// The space of the ids made of a session and a `cid`.
const SPACE: Uuid = Uuid::from_u128(0x5d1f_9a60_7c1b_4e0a_9b35_61c7_40ee_2fd8);
/// Bytes of a hash that are kept, so many hexadecimal digits twice.
const KEPT: usize = 16;

/// A session: the hash of a secret only its client knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session(String);

impl Session {
    /// Of a token as it is shown: 43 characters of base64url.
    pub(crate) fn of(token: &str) -> Result<Self, Trouble> {
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok().filter(|bytes| bytes.len() == 32);
        match bytes {
            Some(_) => Ok(Self(hash(token.as_bytes()))),
            None => Err(Trouble::new(Code::SessionUnknown).fatal()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A person.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) session: Session,
    pub(crate) identity: Option<Identity>,
}

/// A person somebody vouches for.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// `sub-` and a hash of the source's name and the subject.
    owner: String,
    pub(crate) claims: Claims,
}

impl Identity {
    /// Of verified claims. The source is part of it: the subject 1 of one site is not the subject 1 of another.
    pub(crate) fn of(source: &SourceName, claims: Claims) -> Self {
        let owner = format!("sub-{}", hash(format!("{source}\n{}", claims.sub).as_bytes()));
        Self { owner, claims }
    }

    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }
}

/// One conversation of a person, by the name the client knows and the core's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) conv: Uuid,
    pub(crate) key: ConversationKey,
    pub(crate) verified: bool,
}

impl Place {
    /// Whose it is: the part of its key that conversations of one person share.
    pub(crate) fn owner(&self) -> &str {
        self.key.as_str().split(':').next().unwrap_or_default()
    }

    /// The requester of its ticket.
    pub(crate) fn address(&self) -> String {
        format!("chat:{}", self.owner())
    }
}

impl Person {
    /// The keys its conversations begin with: those of the identity first.
    pub(crate) fn owners(&self) -> impl Iterator<Item = &str> {
        let identity = self.identity.iter().map(|identity| identity.owner.as_str());
        identity.chain(std::iter::once(self.session.as_str()))
    }

    /// Whose new conversations are.
    fn owner(&self) -> &str {
        self.owners().next().unwrap_or_default()
    }

    /// Somebody vouches for the person from now on. A session speaks for one person.
    pub(crate) fn meets(&mut self, known: Option<Identity>) -> Result<(), Trouble> {
        match (&self.identity, known) {
            (Some(before), Some(now)) if before.owner != now.owner => Err(Trouble::new(Code::SessionUnknown).fatal()),
            (_, Some(now)) => {
                self.identity = Some(now);
                Ok(())
            }
            (_, None) => Ok(()),
        }
    }

    /// Where `conv` lies when it belongs to `owner`, one of [`owners`](Self::owners).
    pub(crate) fn place(&self, owner: &str, conv: Uuid) -> Place {
        let verified = owner != self.session.as_str();
        Place { conv, key: ConversationKey::new(format!("{owner}:{conv}")), verified }
    }

    /// The conversation that the message `cid` begins: the same for each repetition.
    pub(crate) fn new_place(&self, cid: Uuid) -> Place {
        self.place(self.owner(), self.derived("conv", cid))
    }

    /// An id that is the same for each repetition of `cid`.
    pub(crate) fn derived(&self, what: &str, cid: Uuid) -> Uuid {
        Uuid::new_v5(&SPACE, format!("{what}/{}/{cid}", self.session.0).as_bytes())
    }

    /// How the core names the message `cid`.
    pub(crate) fn external_id(&self, cid: Uuid) -> ExternalId {
        ExternalId::new(format!("{}:{cid}", self.session.0))
    }

    /// The writer of a message in `place`. A name that somebody typed never stands for a verified person.
    pub(crate) fn party(&self, place: &Place, typed: Option<String>) -> Party {
        let vouched = self.identity.as_ref().filter(|_| place.verified);
        let name = vouched.map_or(typed, |identity| identity.claims.name.clone());
        Party { address: place.address(), name }
    }

    /// Who vouches for what is written in `place`.
    pub(crate) fn trust(&self, place: &Place) -> Trust {
        if place.verified && self.identity.is_some() { Trust::Verified(VOUCHED) } else { Trust::Unverified }
    }

    /// Where else the writer can be reached.
    pub(crate) fn contact(&self, place: &Place, typed: Option<String>) -> Option<Contact> {
        let vouched = self.identity.as_ref().filter(|_| place.verified).and_then(|one| one.claims.email.clone());
        let vouched = vouched.map(|address| Contact { address, verified: true });
        vouched.or_else(|| typed.map(|address| Contact { address, verified: false }))
    }
}

/// The `cid` in the id of a message that came by this channel.
pub(crate) fn cid_of(external: &ExternalId) -> Option<Uuid> {
    external.as_str().split_once(':').and_then(|(_, cid)| Uuid::parse_str(cid).ok())
}

fn hash(bytes: &[u8]) -> String {
    let whole = digest(&SHA256, bytes);
    HEXLOWER.encode(whole.as_ref().get(..KEPT).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn person(sub: Option<&str>) -> Person {
        let claims = |sub: &str| Claims { sub: sub.to_owned(), name: Some("Ines".to_owned()), ..Claims::default() };
        let identity = sub.map(|sub| Identity::of(&SourceName::from("site"), claims(sub)));
        Person { session: Session::of(TOKEN).unwrap(), identity }
    }

    #[test]
    fn a_session_is_the_hash_of_32_bytes_and_of_nothing_else() {
        assert_eq!(Session::of(TOKEN).unwrap().as_str().len(), 32);
        for wrong in
            ["", "short", TOKEN.get(1..).unwrap(), &format!("{TOKEN}A"), &TOKEN.replace('A', "+"), &format!("{TOKEN}=")]
        {
            assert!(Session::of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_same_first_message_begins_the_same_conversation_and_another_session_another() {
        let cid = Uuid::from_u128(7);
        assert_eq!(person(None).new_place(cid), person(None).new_place(cid));
        let other = Person { session: Session::of(&format!("B{}", TOKEN.get(1..).unwrap())).unwrap(), identity: None };
        assert_ne!(person(None).new_place(cid).conv, other.new_place(cid).conv);
        assert!(person(None).new_place(cid).key.as_str().starts_with(person(None).session.as_str()));
    }

    #[test]
    fn what_was_said_before_the_login_stays_unverified() {
        let known = person(Some("u1"));
        let session = known.session.as_str().to_owned();
        let before = known.place(&session, Uuid::from_u128(1));
        assert_eq!(known.trust(&before), Trust::Unverified);
        assert_eq!(known.party(&before, None).address, format!("chat:{session}"));
        let after = known.new_place(Uuid::from_u128(2));
        assert_eq!(known.trust(&after), Trust::Verified(VOUCHED));
        assert!(known.party(&after, Some("Mallory".to_owned())).address.starts_with("chat:sub-"));
        assert_eq!(known.party(&after, Some("Mallory".to_owned())).name.as_deref(), Some("Ines"));
    }

    #[test]
    fn one_subject_on_two_sites_is_two_people() {
        let claims = Claims { sub: "1".to_owned(), ..Claims::default() };
        let one = Identity::of(&SourceName::from("a"), claims.clone());
        assert_ne!(one.owner(), Identity::of(&SourceName::from("b"), claims).owner());
    }
}
