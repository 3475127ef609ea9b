//! What must leave: the rows of the outbox as decisions make them, and their states.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::{ConversationKey, DeliveryId, MessageId, SourceName, TicketId};
use crate::inbound::Party;
use crate::language::Language;
use crate::reason::Reason;
use crate::time::Moment;

/// What an outbound message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// First automatic notice on the originating channel: we have it, this is its number.
    Acknowledgement,
    /// An agent's words.
    Reply,
    /// It is resolved; answering reopens it.
    Closure,
    /// The promised time is over: an apology and a new promise.
    Delay,
    /// Answers that nobody has read where they were written.
    Unread,
    /// The conversation, as its requester asked for.
    Transcript,
    /// The link to the status page, as its requester asked for.
    Link,
    /// An event of a ticket for another program (an outbound webhook).
    Event,
}

impl NoticeKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Acknowledgement,
        Self::Reply,
        Self::Closure,
        Self::Delay,
        Self::Unread,
        Self::Transcript,
        Self::Link,
        Self::Event,
    ];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledgement => "acknowledgement",
            Self::Reply => "reply",
            Self::Closure => "closure",
            Self::Delay => "delay",
            Self::Unread => "unread",
            Self::Transcript => "transcript",
            Self::Link => "link",
            Self::Event => "event",
        }
    }

    /// The kind with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether no person wrote it: loop marks, caps and the breaker apply.
    pub const fn is_automatic(self) -> bool {
        !matches!(self, Self::Reply | Self::Event)
    }

    /// How long it is tried before it expires.
    pub const fn life(self) -> Duration {
        match self {
            Self::Reply => Duration::from_hours(5 * 24),
            Self::Acknowledgement
            | Self::Closure
            | Self::Delay
            | Self::Unread
            | Self::Transcript
            | Self::Link
            | Self::Event => Duration::from_hours(48),
        }
    }
}

/// Where a delivery stands. The words are used everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its turn or its next try.
    Pending,
    /// A worker holds it.
    Sending,
    /// The network took it.
    Sent,
    /// The network refused it for good.
    Refused,
    /// Nobody can know whether the network took it.
    Unknown,
    /// Decided not to send; the reason says why.
    Suppressed,
    /// Its life ended before it could be sent.
    Expired,
}

impl DeliveryState {
    /// All states.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Sending, Self::Sent, Self::Refused, Self::Unknown, Self::Suppressed, Self::Expired];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Suppressed => "suppressed",
            Self::Expired => "expired",
        }
    }

    /// The state with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// What a notice says, as facts: the words are made from them when it leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Facts {
    /// The reference as shown, `GT-482-109-3755`.
    pub reference: String,
    /// The requester's subject; absent in a neutral notice, which carries nothing the sender wrote.
    pub subject: Option<String>,
    /// Key of the category; absent in a neutral notice.
    pub category: Option<String>,
    /// When an answer is promised.
    pub promised_at: Option<Moment>,
    /// The IANA zone the promise is told in.
    pub zone: Option<String>,
    /// The agent's words (a reply; a closure with a resolution).
    pub words: Option<String>,
    /// The agent's name, when it is shown.
    pub agent: Option<String>,
    /// Name of the recipient, when it may be used.
    pub name: Option<String>,
    /// Secret of the status page: only in notices to verified people, and only when pages are public.
    pub status_token: Option<String>,
    /// Days within which an answer reopens (closure).
    pub window_days: Option<i64>,
    /// Whether the requester closed it (closure).
    #[serde(default)]
    pub by_requester: bool,
    /// Whether it is read and answered right there, and not as a mail.
    #[serde(default)]
    pub in_place: bool,
    /// Whether everything that was said is there, and not only what we said (transcript).
    #[serde(default)]
    pub whole: bool,
    /// The event, for programs (kind `event`): a JSON document.
    pub event: Option<String>,
}

/// A row of the outbox, as a decision makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDelivery {
    /// Derived: [`DeliveryId::derive`].
    pub id: DeliveryId,
    /// What it is.
    pub kind: NoticeKind,
    /// What it speaks of.
    pub ticket: TicketId,
    /// Its entry in the timeline.
    pub message: Option<MessageId>,
    /// By which source it leaves.
    pub source: SourceName,
    /// Rows of one conversation leave in order.
    pub conversation: ConversationKey,
    /// Whom it is for.
    pub to: Party,
    /// The language it is written in.
    pub language: Language,
    /// What it says.
    pub facts: Facts,
    /// Pending, or suppressed from the first with its reason.
    pub state: DeliveryState,
    /// Why it is suppressed.
    pub reason: Option<Reason>,
    /// Not before.
    pub due_at: Moment,
    /// Not after.
    pub expires_at: Moment,
}
