//! The timeline of a ticket: its messages.

use serde::{Deserialize, Serialize};

use crate::ids::{ExternalId, MessageId, Seq, SourceName};
use crate::inbound::{Explained, Party};
use crate::time::Moment;

/// What an entry of the timeline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// The requester, or another participant, wrote.
    Inbound,
    /// An agent wrote to the requester.
    Reply,
    /// An agent wrote for the other agents.
    Note,
    /// An automatic message to the requester.
    Notice,
    /// Something happened: a delivery report, a change of state, a merge.
    Event,
}

impl EntryKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Inbound, Self::Reply, Self::Note, Self::Notice, Self::Event];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Reply => "reply",
            Self::Note => "note",
            Self::Notice => "notice",
            Self::Event => "event",
        }
    }

    /// The kind with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One item in a ticket's timeline, as a decision makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its key.
    pub id: MessageId,
    /// What it is.
    pub kind: EntryKind,
    /// Its place among the public entries; `None` for what the requester does not see.
    pub seq: Option<Seq>,
    /// Who wrote it: a participant's address, an agent's name, or nobody for automatic entries.
    pub author: Option<Party>,
    /// Whether its writer was known or vouched for.
    pub verified: bool,
    /// One line, if it has one.
    pub subject: Option<String>,
    /// The text that is shown: of an inbound message the part its writer added.
    pub text: String,
    /// The whole text, when more than `text`.
    pub full_text: Option<String>,
    /// Sanitised HTML, if any.
    pub html: Option<String>,
    /// The source it came by or leaves by.
    pub source: Option<SourceName>,
    /// Its ids on the network.
    pub external_ids: Vec<ExternalId>,
    /// When it was made here.
    pub at: Moment,
    /// Why things were decided as they were at this entry.
    pub reasons: Vec<Explained>,
}
