//! What can happen to a ticket.

use serde::{Deserialize, Serialize};

use crate::caps::Counts;
use crate::ids::{DeliveryId, InboundId, MessageId, TicketId};
use crate::inbound::{Explained, Item};
use crate::language::Language;
use crate::priority::{Impact, Urgency};
use crate::reason::Reason;
use crate::reference::Reference;
use crate::ticket::{Kind, State, Tier};
use crate::time::Moment;
use crate::triage::Classification;

/// Something that happens to a ticket, or makes one.
#[derive(Debug)]
pub enum Event<'a> {
    /// An item came in and was located.
    Arrived(Arrival<'a>),
    /// An agent acts.
    Agent(Act),
    /// The requester acts.
    Requester(RequesterAct),
    /// A timer is due.
    Timer(TimerKind),
    /// Answers lay unread where they were written: these, in order.
    Unread(Vec<Answer>),
    /// A delivery ended in a way an agent must see.
    Failed {
        /// The row.
        delivery: DeliveryId,
        /// Refused, unknown or expired, and why.
        why: Explained,
    },
}

/// An item that came in, and what is known around it.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// The item.
    pub item: &'a Item,
    /// Its row: the cause of what is sent because of it.
    pub inbound: InboundId,
    /// How its ticket was found.
    pub how: Reason,
    /// Whether its writer took part before.
    pub known: bool,
    /// The delivery a report is about.
    pub delivery: Option<DeliveryId>,
    /// The ticket whose reference a stranger named.
    pub linked: Option<TicketId>,
    /// Set when the operator wants no automatic answer.
    pub quiet: Option<Reason>,
    /// What a new ticket would be called.
    pub fresh: Fresh,
    /// What the desk's triage makes of it when read in that language, where that was worked out ahead.
    pub triage: Option<&'a (Language, Classification)>,
    /// Automatic messages of late, for the caps.
    pub counts: Counts,
    /// Whether the writer's address is known not to work.
    pub undeliverable: bool,
    /// When it came.
    pub received_at: Moment,
}

/// Unguessable values for a ticket that may be opened.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// Its key.
    pub ticket: TicketId,
    /// Its public number; the caller redraws when it is taken.
    pub reference: Reference,
    /// The secret of its status page.
    pub status_token: String,
}

/// An agent's act on one ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// Who acts: the agent's name, as shown to other agents.
    pub agent: String,
    /// The name requesters read of the agent; `None`: the desk's.
    pub called: Option<String>,
    /// The one key by which the act is told from its repetition.
    pub id: uuid::Uuid,
    /// What is done.
    pub what: Action,
}

/// What an agent can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Writes to the requester.
    Reply {
        /// The words; not empty.
        text: String,
        /// Whether an answer is waited for.
        #[serde(default)]
        ask: bool,
    },
    /// Writes for the other agents.
    Note {
        /// The words; not empty.
        text: String,
    },
    /// Gives it to an agent, or to nobody.
    Assign {
        /// The agent.
        to: Option<String>,
    },
    /// Hands it to a higher tier.
    Escalate {
        /// Which; the next above when absent.
        to: Option<Tier>,
        /// Why, for the agents there.
        #[serde(default)]
        why: Option<String>,
    },
    /// Says what it is.
    Classify {
        /// Another kind.
        #[serde(default)]
        kind: Option<Kind>,
        /// Another category, by key.
        #[serde(default)]
        category: Option<String>,
        /// Another impact.
        #[serde(default)]
        impact: Option<Impact>,
        /// Another urgency.
        #[serde(default)]
        urgency: Option<Urgency>,
    },
    /// Resolves it and tells the requester.
    Close {
        /// The resolution, told to the requester.
        #[serde(default)]
        text: Option<String>,
        /// Says nothing to the requester.
        #[serde(default)]
        silent: bool,
    },
    /// Takes it up again.
    Reopen {
        /// Why, for the other agents.
        #[serde(default)]
        why: Option<String>,
    },
    /// Makes it part of another ticket.
    Merge {
        /// The ticket that goes on.
        into: TicketId,
    },
    /// Takes a merge back, within [`UNMERGE_WINDOW`].
    Unmerge {
        /// The state it had before.
        to: State,
    },
    /// Says that what needed attention was seen.
    Seen,
}

/// How long a merge can be taken back.
pub const UNMERGE_WINDOW: std::time::Duration = std::time::Duration::from_mins(10);

/// What a requester does with their own ticket besides writing.
#[derive(Debug, Clone, PartialEq)]
pub struct RequesterAct {
    /// The one key by which the act is told from its repetition.
    pub id: uuid::Uuid,
    /// What is asked for.
    pub what: Asked,
}

/// What a requester can ask for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// It is settled.
    Close,
    /// It is not.
    Reopen,
    /// How it was.
    Rate {
        /// 1 to 5.
        score: u8,
        /// Free words.
        text: Option<String>,
    },
    /// An e-mail address nobody vouches for.
    Contact {
        /// The address.
        address: String,
    },
    /// The conversation by mail.
    Transcript {
        /// What was said, in order.
        lines: Vec<Line>,
        /// Automatic messages of late to the ticket's mail address.
        counts: Counts,
    },
    /// A link to the status page, by whoever says they have this address.
    Link {
        /// The address.
        address: String,
        /// Automatic messages of late to the ticket's mail address.
        counts: Counts,
    },
    /// A new key for the status page; every earlier one ends.
    Renew {
        /// The agent who wants it; nobody when the requester does.
        by: Option<String>,
        /// Automatic messages of late to the ticket's mail address.
        counts: Counts,
    },
}

/// One thing that was said, as a transcript has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whether the desk said it.
    pub ours: bool,
    /// Who and when, in words.
    pub head: String,
    /// What.
    pub text: String,
}

impl Line {
    /// As it is written down.
    pub fn shown(&self) -> String {
        format!("{}\n{}", self.head, self.text.trim())
    }
}

/// An answer that nobody has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its entry.
    pub entry: MessageId,
    /// Who wrote it, as requesters see it.
    pub name: Option<String>,
    /// What.
    pub text: String,
}

impl Answer {
    /// As it is written down.
    pub fn shown(&self) -> String {
        let text = self.text.trim();
        self.name.as_ref().map_or_else(|| text.to_owned(), |name| format!("{name}:\n{text}"))
    }
}

/// What a timer is for. One of each kind a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// The window in which an answer reopens is over.
    Window,
    /// The promised time is over.
    Promise,
    /// Answers that nobody has read where they were written are mailed.
    Unread,
}

impl TimerKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Window, Self::Promise, Self::Unread];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Promise => "promise",
            Self::Unread => "unread",
        }
    }

    /// The kind with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A change of state, kept with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// From; `None` when it was opened.
    pub from: Option<State>,
    /// To.
    pub to: State,
    /// Who: an agent's name, or nobody for the requester and for timers.
    pub by: Option<String>,
    /// Why.
    pub why: Reason,
    /// When.
    pub at: Moment,
}

/// Why an act is refused: nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The state does not allow it.
    #[error("the ticket is {}: {remedy}", state.as_str())]
    State {
        /// The state.
        state: State,
        /// What to do instead.
        remedy: &'static str,
    },
    /// A value is not usable.
    #[error("{what}: {remedy}")]
    Value {
        /// What is wrong.
        what: String,
        /// What to do instead.
        remedy: String,
    },
    /// A requester's act is not possible as things stand.
    #[error("{why}")]
    Impossible {
        /// The stable code.
        code: Reason,
        /// What to do instead.
        why: &'static str,
    },
}
