//! What the core hands a channel to send, and what the channel answers.

use std::time::Duration;

use guichet_domain::ids::{ConversationKey, DeliveryId, ExternalId};
use guichet_domain::inbound::{Attachment, Party};
use guichet_domain::language::Language;
use guichet_domain::outgoing::NoticeKind;

/// One message to send, complete: the channel adds only what its network needs.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The same for every attempt at this message: the idempotency key where the network takes one.
    pub id: DeliveryId,
    /// 1 for the first attempt.
    pub attempt: i64,
    /// What it is.
    pub kind: NoticeKind,
    /// Whom it is for.
    pub to: Party,
    /// The conversation it belongs to.
    pub conversation: ConversationKey,
    /// The ticket's reference as shown.
    pub reference: String,
    /// The language of the words.
    pub language: Language,
    /// One line, without control characters.
    pub subject: String,
    /// The words as plain text.
    pub text: String,
    /// The words as HTML, where a template for it exists.
    pub html: Option<String>,
    /// Files to send along.
    pub attachments: Vec<Attachment>,
    /// A signed token to put where an answer carries it back (a reply address).
    pub reply_token: String,
    /// A signed token to build the network's message id from; the same for every attempt.
    pub message_token: String,
    /// A signed token that marks the message as ours.
    pub loop_token: String,
    /// A signed token for the place reports come back to (the envelope sender).
    pub bounce_token: String,
    /// The message it answers, on the network.
    pub in_reply_to: Option<ExternalId>,
    /// The messages of the conversation before it, oldest first, at most 20.
    pub thread: Vec<ExternalId>,
}

/// What came of one attempt. The channel decides: it alone knows what its network's answers mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The network took it.
    Delivered {
        /// Its id there, so that answers to it are recognised.
        external_id: Option<ExternalId>,
        /// The network's words, for the attempt's record; no secrets.
        detail: String,
    },
    /// Not now. Nothing was taken; the core comes back.
    Retry {
        /// What was in the way.
        detail: String,
        /// When the network asked to come back.
        after: Option<Duration>,
        /// Whether the whole source is down, not only this message: such time does not count towards its life.
        source_down: bool,
    },
    /// Never in this form. An agent sees it.
    Refused {
        /// The network's words.
        detail: String,
        /// Whether the address itself is bad for good.
        hard: bool,
    },
    /// It may or may not have been taken.
    Unknown {
        /// What happened.
        detail: String,
    },
}
