//! What the core offers a channel whose people talk with the desk: chats, forms with a page of their own, bots.
//!
//! What is said goes through [`Intake::accept`](crate::Intake::accept) and is read by
//! [`Intake::timeline`](crate::Intake::timeline), as everywhere. Here is what surrounds it: where a conversation stands,
//! what its requester may do besides writing, files, and the passing signs (typing, reading) that are never stored.

use async_trait::async_trait;
use guichet_domain::Moment;
use guichet_domain::ids::{ConversationKey, MessageId, Seq};
use guichet_domain::reason::Reason;
use guichet_domain::ticket::State;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::channel::Fault;
use crate::intake::NotAccepted;

/// The conversations of one source. A channel asks only for keys it made itself for the person who asks: the core
/// checks that a conversation belongs to the source, not who stands before it.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// Where a conversation stands; `None` when nothing has opened it. A merged ticket's standing is that of the ticket it
    /// became part of.
    async fn standing(&self, conversation: &ConversationKey) -> Result<Option<Standing>, Fault>;

    /// The conversations whose keys begin with `prefix` (one person's, where the channel makes keys so), newest first,
    /// at most `limit` (at most 100).
    async fn begun_with(&self, prefix: &str, limit: usize) -> Result<Vec<(ConversationKey, Standing)>, Fault>;

    /// The requester acts on the ticket of a conversation. Durable when it returns. `id` tells the act from its repetition:
    /// the same id again changes nothing and answers [`Acted::Already`].
    async fn act(&self, conversation: &ConversationKey, id: Uuid, act: RequesterAct) -> Result<Acted, NotAccepted>;

    /// A file of a public entry, by its place among the entry's files from 0; `None` when there is none.
    async fn file(
        &self,
        conversation: &ConversationKey,
        entry: MessageId,
        position: usize,
    ) -> Result<Option<FileContent>, Fault>;

    /// Passes a sign of the requester to the agents who look at the ticket. Never stored, may be lost.
    fn signal(&self, conversation: &ConversationKey, signal: Signal);

    /// Signs for the requester: what agents do. A slow reader misses the oldest.
    fn signals(&self, conversation: &ConversationKey) -> broadcast::Receiver<Signal>;

    /// Whether the desk is open, and when next.
    fn hours(&self) -> Hours;
}

/// Where a conversation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The ticket's reference as shown.
    pub reference: String,
    /// The ticket's state.
    pub state: State,
    /// The last public entry.
    pub last_seq: Seq,
    /// How far the requester has read.
    pub read_upto: Seq,
    /// How far an agent has looked.
    pub seen_upto: Seq,
    /// Whether the last closure was rated.
    pub rated: bool,
    /// Whether the requester proved who they are.
    pub verified: bool,
    /// Whether an address is known to which unread answers are mailed.
    pub has_contact: bool,
    /// When an answer is promised.
    pub promised_at: Option<Moment>,
}

/// What a requester may do besides writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequesterAct {
    /// It is settled for them.
    Close,
    /// It is not settled. Refused when the window is over: writing then opens a new ticket that follows.
    Reopen,
    /// How it was, after a closure: 1 (bad) to 5. The last word within the window stands.
    Rate {
        /// 1 to 5.
        score: u8,
        /// Free words, at most 2,000 characters.
        text: Option<String>,
    },
    /// Has read up to here. Never goes back.
    Read {
        /// The last entry that was shown.
        upto: Seq,
    },
    /// An address to which unread answers may be mailed. Unproved: it joins no other ticket and no contact.
    Contact {
        /// An e-mail address.
        address: String,
    },
    /// Wants the conversation by mail: goes only to an address the ticket has already.
    Transcript,
}

/// What came of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acted {
    /// Done.
    Done,
    /// The same id did it before, or nothing was left to do.
    Already,
    /// Not possible as things stand; nothing was changed.
    Refused {
        /// The stable code.
        code: Reason,
        /// What to do instead, in English.
        why: String,
    },
}

/// A file with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileContent {
    /// Safe to show: one path segment.
    pub name: String,
    /// Media type as found when it came in.
    pub media_type: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// A passing sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// Somebody writes, or has stopped.
    Typing {
        /// The agent's name as requesters see it; `None` for the requester.
        name: Option<String>,
        /// Whether.
        on: bool,
    },
    /// The other side has read up to here.
    Read {
        /// The last entry that was shown.
        upto: Seq,
    },
    /// An agent looks at the conversation, or no longer.
    Present {
        /// The agent's name as requesters see it.
        name: String,
        /// Whether.
        on: bool,
    },
}

/// When the desk works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// Whether it is open now.
    pub open: bool,
    /// When it opens next; `None` while it is open, or when the calendar has no such time.
    pub next_open_at: Option<Moment>,
    /// The IANA zone of its calendar.
    pub zone: String,
}

/// Of a source whose people hold no conversations: nothing is there, and every act is refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoConversations;

#[async_trait]
impl Conversations for NoConversations {
    async fn standing(&self, _: &ConversationKey) -> Result<Option<Standing>, Fault> {
        Ok(None)
    }

    async fn begun_with(&self, _: &str, _: usize) -> Result<Vec<(ConversationKey, Standing)>, Fault> {
        Ok(Vec::new())
    }

    async fn act(&self, _: &ConversationKey, _: Uuid, _: RequesterAct) -> Result<Acted, NotAccepted> {
        let why = "this source holds no conversations".to_owned();
        Ok(Acted::Refused { code: Reason::from("act.no_conversation"), why })
    }

    async fn file(&self, _: &ConversationKey, _: MessageId, _: usize) -> Result<Option<FileContent>, Fault> {
        Ok(None)
    }

    fn signal(&self, _: &ConversationKey, _: Signal) {}

    fn signals(&self, _: &ConversationKey) -> broadcast::Receiver<Signal> {
        broadcast::channel(1).1
    }

    fn hours(&self) -> Hours {
        Hours { open: true, next_open_at: None, zone: "UTC".to_owned() }
    }
}
