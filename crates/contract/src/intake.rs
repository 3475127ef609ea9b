//! What the core offers a channel.

use std::any::Any;
use std::time::Duration;

use async_trait::async_trait;
use guichet_domain::Moment;
use guichet_domain::entry::EntryKind;
use guichet_domain::ids::{ConversationKey, ExternalId, MessageId, Seq};
use guichet_domain::inbound::{Inbound, Party};
use guichet_domain::reason::Reason;
pub use guichet_domain::verdict::Verdict;
use tokio::sync::watch;

use crate::channel::{Fault, Health};

/// What the core offers a channel: one value for each source, made by the daemon.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Takes in a batch, in order. Returns when all of it is durable: the return *is* the acknowledgement to pass
    /// upstream. One receipt for each item, in the batch's order. `moves` are cursors that become durable in the same
    /// transaction: they must not point behind anything that is not in this or an earlier accepted batch.
    ///
    /// Handing in the same item again (same `external_id`, or a shared `same_as` key) is safe and gives a
    /// [`Verdict::Duplicate`] receipt with the same reference.
    ///
    /// Cancellation: dropping the future may leave the batch accepted; hand it in again. An empty batch with moves is
    /// allowed. A batch holds at most 256 items.
    async fn accept(&self, batch: Vec<Inbound>, moves: Vec<CursorMove>) -> Result<Accepted, NotAccepted>;

    /// Does ahead of [`Intake::accept_staged`] what needs no transaction, such as compressing, while an earlier batch is
    /// still being accepted. Takes nothing in: what comes back may be dropped, and is for this intake alone.
    async fn stage(&self, batch: Vec<Inbound>) -> Result<Staged, NotAccepted> {
        Ok(Staged::Raw(batch))
    }

    /// [`Intake::accept`], for a batch that was staged.
    async fn accept_staged(&self, staged: Staged, moves: Vec<CursorMove>) -> Result<Accepted, NotAccepted> {
        match staged {
            Staged::Raw(batch) => self.accept(batch, moves).await,
            Staged::Ready(_) => Err(NotAccepted::Refused { why: "it was staged by another intake".to_owned() }),
        }
    }

    /// Where this source stood, under a key of the channel's choice (`folder`, a thread's id).
    async fn cursor(&self, key: &str) -> Result<Option<Cursor>, Fault>;

    /// A small value this source keeps (an OAuth token, a session's hash), with its version.
    async fn slot(&self, key: &str) -> Result<SlotValue, Fault>;

    /// Writes a slot if nobody wrote it since `seen` was read; answers whether it did. `None` empties it. At most
    /// 64 KiB.
    async fn put_slot(&self, key: &str, seen: i64, value: Option<String>) -> Result<bool, Fault>;

    /// The public entries of a conversation of this source behind `after`, at most 200, without gaps.
    async fn timeline(&self, conversation: &ConversationKey, after: Seq) -> Result<Vec<TimelineEntry>, Fault>;

    /// Wakes when a conversation of this source may have grown. Only a wake-up: the truth is in the timeline.
    fn subscribe(&self, conversation: &ConversationKey) -> Updates;

    /// Says how this source does; the last word stands. Shown on the health pages and in the metrics.
    fn report(&self, health: Health);
}

/// A wake-up whose value only counts up.
pub type Updates = watch::Receiver<u64>;

/// A batch between [`Intake::stage`] and [`Intake::accept_staged`].
pub enum Staged {
    /// As it was handed in.
    Raw(Vec<Inbound>),
    /// In the intake's own form.
    Ready(Box<dyn Any + Send>),
}

/// What became of a batch: its receipts in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// One for each item.
    pub receipts: Vec<Receipt>,
}

/// What became of one item. The requester may be told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The outcome.
    pub verdict: Verdict,
    /// The reference as shown; absent for what is quarantined or tied to no ticket.
    pub reference: Option<String>,
    /// Place in the public timeline; zero when it has none.
    pub seq: Seq,
    /// Why, when quarantined.
    pub reason: Option<Reason>,
}

/// Why nothing of a batch was taken in. What it holds stays upstream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAccepted {
    /// Not now: keep it upstream and come back.
    #[error("busy, come back in {} s: {why}", after.as_secs_f32())]
    Busy {
        /// How long to wait.
        after: Duration,
        /// What is in the way (a full disk, a database that is away).
        why: String,
    },
    /// Never in this form.
    #[error("refused: {why}")]
    Refused {
        /// What is wrong with it.
        why: String,
    },
}

/// A position in a source, in the channel's own words. At most 1 KiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// A cursor that moves with a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorMove {
    /// Which cursor.
    pub key: String,
    /// Its new place.
    pub to: Cursor,
}

/// A small value and its version; version 0 means it was never written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlotValue {
    /// The value.
    pub value: Option<String>,
    /// Grows with each write.
    pub version: i64,
}

/// A public entry of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Its place: one more than the entry before.
    pub seq: Seq,
    /// What it is.
    pub kind: EntryKind,
    /// Who wrote it; nobody for notices.
    pub author: Option<Party>,
    /// The text.
    pub text: String,
    /// When.
    pub at: Moment,
    /// Its key, the same at every reading.
    pub id: MessageId,
    /// Sanitised HTML, if any.
    pub html: Option<String>,
    /// Its files, in order: [`Conversations::file`](crate::Conversations::file) reads them by their place.
    pub files: Vec<TimelineFile>,
    /// How the network names it, for what came by this source: by it a writer knows its own words again.
    pub external_id: Option<ExternalId>,
}

/// A file of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineFile {
    /// Safe to show: one path segment.
    pub name: String,
    /// Media type as found when it came in.
    pub media_type: String,
    /// Octets.
    pub size: u64,
}
