//! The one way by which anything that happened is written: what came in, what an agent did, what a timer did.
//!
//! A [`Batch`] says everything; [`record`] writes it with one statement a table, however many items it holds, and
//! asserts how many rows each touched.

mod rows;
mod write;

use guichet_domain::Moment;
use guichet_domain::entry::Entry;
use guichet_domain::event::{TimerKind, Transition};
use guichet_domain::ids::{DeliveryId, ExternalId, InboundId, MessageId, Seq, SourceName, TicketId};
use guichet_domain::inbound::{Explained, Party};
use guichet_domain::language::Language;
use guichet_domain::outgoing::NewDelivery;
use guichet_domain::reason::Reason;
use guichet_domain::ticket::Ticket;
use uuid::Uuid;

use crate::blob::{BlobHash, Packed};

pub use guichet_domain::verdict::Verdict;
pub use write::record;

/// Everything one transaction writes. Empty parts cost nothing. At most 256 items' worth.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    /// When: what the rows have as the instant they were made, where nothing else says.
    pub at: Moment,
    /// New tickets. A reference that is taken fails the batch ([`StoreError::Taken`](crate::StoreError::Taken)): ask
    /// [`taken_references`](crate::intake::taken_references) first.
    pub opened: Vec<Opened<'a>>,
    /// Changed tickets, each once.
    pub changed: Vec<Changed<'a>>,
    /// New entries of timelines, with their ids on the network and their reasons.
    pub entries: Vec<NewEntry<'a>>,
    /// Further ids by which answers find a ticket. Known pairs of id and ticket are left as they are.
    pub ids: Vec<NewId<'a>>,
    /// Threads of mail programs, by ticket.
    pub threads: Vec<(&'a str, TicketId)>,
    /// Reasons that belong to no entry.
    pub explanations: Vec<Explanation<'a>>,
    /// Who takes part. Whoever does already stays as he is, but gains a name if he had none.
    pub participants: Vec<Participant<'a>>,
    /// What is known of addresses.
    pub identities: Vec<Identity<'a>>,
    /// What came in.
    pub inbounds: Vec<NewInbound<'a>>,
    /// Quarantined items that were let in after all.
    pub released: Vec<Released<'a>>,
    /// Raw bytes of what came in, and files of entries. Known files are left as they are.
    pub blobs: Vec<&'a Packed>,
    /// What must leave. Rows that exist already (the same decision taken twice) are left as they are.
    pub deliveries: Vec<&'a NewDelivery>,
    /// Changes of state.
    pub transitions: Vec<(TicketId, &'a Transition)>,
    /// Timers to set, or to set anew.
    pub timers_set: Vec<(TicketId, TimerKind, Moment)>,
    /// Timers to clear, set or not.
    pub timers_cleared: Vec<(TicketId, TimerKind)>,
    /// Positions of sources.
    pub cursors: Vec<(&'a SourceName, &'a str, &'a str)>,
    /// Counts by source and verdict; negative when something is counted elsewhere from now on.
    pub tally: Vec<(&'a SourceName, Verdict, i64)>,
}

/// A new ticket. Stored with the version it has.
#[derive(Debug, Clone)]
pub struct Opened<'a> {
    /// The ticket.
    pub ticket: &'a Ticket,
    /// Hash of its status page's token.
    pub status_hash: Option<String>,
}

/// A changed ticket.
#[derive(Debug, Clone, Copy)]
pub struct Changed<'a> {
    /// As it is now. Its version is stored as `seen + 1`, whatever it says.
    pub ticket: &'a Ticket,
    /// The version that was read. When the stored one differs the batch fails with
    /// [`StoreError::Conflict`](crate::StoreError::Conflict).
    pub seen: i64,
}

/// A new entry.
#[derive(Debug, Clone)]
pub struct NewEntry<'a> {
    /// Whose.
    pub ticket: TicketId,
    /// The item it came from.
    pub inbound: Option<InboundId>,
    /// The entry.
    pub entry: &'a Entry,
    /// Its files, in order; their blobs are in [`Batch::blobs`].
    pub attachments: Vec<NewAttachment<'a>>,
}

/// A file of an entry.
#[derive(Debug, Clone, Copy)]
pub struct NewAttachment<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its media type.
    pub media_type: &'a str,
    /// Its Content-ID when it is shown inline.
    pub content_id: Option<&'a str>,
    /// Its content.
    pub hash: BlobHash,
    /// Octets before packing.
    pub size: u64,
}

/// An id on the network.
#[derive(Debug, Clone, Copy)]
pub struct NewId<'a> {
    /// The id. From 396 octets on it is stored cut, with its hash.
    pub id: &'a ExternalId,
    /// The ticket it leads to.
    pub ticket: TicketId,
    /// The entry it names.
    pub entry: Option<MessageId>,
    /// The delivery it names, when it is ours.
    pub delivery: Option<DeliveryId>,
    /// Since when.
    pub at: Moment,
}

/// Reasons of one cause.
#[derive(Debug, Clone, Copy)]
pub struct Explanation<'a> {
    /// What they explain: an inbound, an agent's act, a timer's firing.
    pub cause: Uuid,
    /// The ticket, if any: [`explanations`](crate::timeline::explanations) finds them by it.
    pub ticket: Option<TicketId>,
    /// In order.
    pub reasons: &'a [Explained],
    /// When.
    pub at: Moment,
}

/// Somebody who takes part in a ticket.
#[derive(Debug, Clone, Copy)]
pub struct Participant<'a> {
    /// The ticket.
    pub ticket: TicketId,
    /// Who.
    pub party: &'a Party,
    /// As what.
    pub role: Role,
}

/// As what somebody takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Asks.
    Requester,
    /// Wrote with a valid token or message id, or was addressed.
    Other,
}

impl Role {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requester => "requester",
            Self::Other => "other",
        }
    }

    /// The role with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Requester, Self::Other].into_iter().find(|role| role.as_str() == word)
    }
}

/// What is newly known of an address. What is `None` stays as it was.
#[derive(Debug, Clone)]
pub struct Identity<'a> {
    /// The address key.
    pub address: &'a str,
    /// The language last written in.
    pub language: Option<Language>,
    /// Somebody vouched for it now.
    pub verified: bool,
    /// It is known not to work, and why. A message from it ([`Identity::works`]) clears it.
    pub undeliverable: Option<&'a Reason>,
    /// It wrote: whatever was said of it, it exists.
    pub works: bool,
    /// When.
    pub at: Moment,
}

/// What came in. Quarantined ones are held until somebody releases or discards them.
#[derive(Debug, Clone)]
pub struct NewInbound<'a> {
    /// Its key.
    pub id: InboundId,
    /// By which source.
    pub source: &'a SourceName,
    /// What the source calls it.
    pub external_id: &'a ExternalId,
    /// What became of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Option<&'a Reason>,
    /// What exactly, for an agent.
    pub detail: Option<&'a str>,
    /// Its ticket.
    pub ticket: Option<TicketId>,
    /// Its entry.
    pub entry: Option<MessageId>,
    /// Its place in the public timeline.
    pub seq: Option<Seq>,
    /// Address key of its writer, if one could be read.
    pub from_key: Option<String>,
    /// Its subject, if one could be read; shown in the list of what is quarantined.
    pub subject: Option<&'a str>,
    /// Its raw bytes: one of the batch's blobs. Read with [`raw`](crate::inbound::raw).
    pub raw: Option<BlobHash>,
    /// Octets before packing.
    pub raw_size: u64,
    /// When it came into the source's hands.
    pub received_at: Moment,
    /// When it is recorded.
    pub recorded_at: Moment,
}

/// A quarantined item that was let in. Fails the batch with [`StoreError::Rows`](crate::StoreError::Rows) when it is not
/// held any more.
#[derive(Debug, Clone, Copy)]
pub struct Released<'a> {
    /// Its row.
    pub id: InboundId,
    /// What became of it now.
    pub verdict: Verdict,
    /// Why.
    pub reason: Option<&'a Reason>,
    /// Its ticket.
    pub ticket: Option<TicketId>,
    /// Its entry.
    pub entry: Option<MessageId>,
    /// Its place in the public timeline.
    pub seq: Option<Seq>,
}

/// What [`record`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recorded {
    /// How many deliveries were new.
    pub deliveries: u64,
}
