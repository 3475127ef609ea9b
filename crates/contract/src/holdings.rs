//! What a source still holds upstream: the other side of the books.

use guichet_domain::ids::ExternalId;

/// What a source's network holds at one moment, as [`Channel::holdings`](crate::Channel::holdings) lists it: everything
/// that lies there is in exactly one of the four.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holdings {
    /// What must have been taken in by now: it lies at or before the cursor, or bears our own mark.
    pub due: Vec<Held>,
    /// What lies behind the cursor: it will be taken in.
    pub ahead: u64,
    /// What is not for us to take in: history that was left aside, what others have put there.
    pub aside: u64,
    /// What must have been taken in, and can be told from others no more.
    pub nameless: u64,
}

/// One item that must have been taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Where it lies, for a person who goes and looks: `INBOX, UID 17`. Holds no address and no word of the item.
    pub place: String,
    /// What the source calls it, where that can still be told.
    pub external_id: Option<ExternalId>,
    /// Keys it may share with what other sources hand in, as in
    /// [`Inbound::same_as`](guichet_domain::inbound::Inbound::same_as): it is known when its id or one of these is.
    pub same_as: Vec<String>,
}

impl Holdings {
    /// Everything that lies there.
    pub fn held(&self) -> u64 {
        let due = u64::try_from(self.due.len()).unwrap_or(u64::MAX);
        due.saturating_add(self.ahead).saturating_add(self.aside).saturating_add(self.nameless)
    }
}
