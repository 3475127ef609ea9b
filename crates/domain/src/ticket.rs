//! The ticket: what is registered of a request, its states and how they follow each other.

use serde::{Deserialize, Serialize};

use crate::ids::{ConversationKey, SourceName, TicketId};
use crate::inbound::{Contact, Party};
use crate::language::Language;
use crate::priority::{Impact, Priority, Urgency};
use crate::reason::Reason;
use crate::reference::Reference;
use crate::time::Moment;

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Registered; no agent has touched it.
    New,
    /// An agent works on it.
    Open,
    /// An agent asked the requester something.
    Waiting,
    /// Answered and told; the requester's answer reopens it within the window.
    Resolved,
    /// Locked: an answer opens a new ticket that follows it.
    Closed,
}

impl State {
    /// All states, in the order of a ticket's life.
    pub const ALL: [Self; 5] = [Self::New, Self::Open, Self::Waiting, Self::Resolved, Self::Closed];

    /// The stable word, as in the database, the API and the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }

    /// The state with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether work is still to be done.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::New | Self::Open | Self::Waiting)
    }
}

/// What kind of request it is (ITIL).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something is broken.
    #[default]
    Incident,
    /// Something is wanted.
    ServiceRequest,
    /// The cause behind incidents.
    Problem,
    /// Somebody asks.
    Question,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Incident, Self::ServiceRequest, Self::Problem, Self::Question];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::ServiceRequest => "service_request",
            Self::Problem => "problem",
            Self::Question => "question",
        }
    }

    /// The kind with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// The level a ticket is worked at: functional escalation raises it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum Tier {
    /// First line.
    #[default]
    L1,
    /// Second line.
    L2,
    /// Third line: specialists and vendors.
    L3,
}

impl Tier {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::L1 => "L1",
            Self::L2 => "L2",
            Self::L3 => "L3",
        }
    }

    /// The tier with this stable word, in either case.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::L1, Self::L2, Self::L3].into_iter().find(|tier| tier.as_str().eq_ignore_ascii_case(word))
    }

    /// The next level up; the last stays.
    #[must_use]
    pub const fn above(self) -> Self {
        match self {
            Self::L1 => Self::L2,
            Self::L2 | Self::L3 => Self::L3,
        }
    }
}

/// A ticket, whole: what a decision reads and gives back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its key.
    pub id: TicketId,
    /// The number people read aloud.
    pub reference: Reference,
    /// Where it stands.
    pub state: State,
    /// What kind of request it is.
    pub kind: Kind,
    /// One line; empty when the requester gave none.
    pub subject: String,
    /// The language the requester is answered in.
    pub language: Language,
    /// The source it came by, and by which it is answered.
    pub source: SourceName,
    /// The conversation on that source, by which answers are ordered.
    pub conversation: ConversationKey,
    /// Who asks; `None` when the request named nobody.
    pub requester: Option<Party>,
    /// Whether somebody vouched for the requester when the ticket was opened.
    pub verified: bool,
    /// Whether a machine opened it: it gets no automatic message.
    pub machine: bool,
    /// The queue it waits in.
    pub queue: String,
    /// Key of its category in the taxonomy.
    pub category: String,
    /// How wide.
    pub impact: Impact,
    /// How soon.
    pub urgency: Urgency,
    /// Computed from both.
    pub priority: Priority,
    /// The agent it is assigned to.
    pub assignee: Option<String>,
    /// The level it is worked at.
    pub tier: Tier,
    /// Something an agent must look at (a refused answer, a bad address), until an agent acts.
    pub attention: Option<Reason>,
    /// When an answer is promised.
    pub promised_at: Option<Moment>,
    /// When it was registered.
    pub opened_at: Moment,
    /// When an agent first wrote to the requester.
    pub answered_at: Option<Moment>,
    /// When it was last resolved.
    pub resolved_at: Option<Moment>,
    /// When it was locked.
    pub closed_at: Option<Moment>,
    /// When anything last happened.
    pub updated_at: Moment,
    /// How many times it was resolved: each has its own closure notice.
    pub closures: i64,
    /// How many times it was reopened.
    pub reopened: i64,
    /// The closed ticket this one follows.
    pub follows: Option<TicketId>,
    /// A ticket a stranger named when this one was opened.
    pub linked: Option<TicketId>,
    /// Where later messages go since it was merged.
    pub merged_into: Option<TicketId>,
    /// The last public entry's place.
    pub last_seq: i64,
    /// Grows with each change: the guard against two people changing at once.
    pub version: i64,
    /// Where the requester can be reached by mail, when that is not the address on the source's own network.
    pub contact: Option<Contact>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_itself_back() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(State::parse("done"), None);
        assert_eq!(Tier::parse("l2"), Some(Tier::L2));
    }

    #[test]
    fn escalation_ends_at_the_last_tier() {
        assert_eq!(Tier::L1.above().above().above(), Tier::L3);
    }
}
