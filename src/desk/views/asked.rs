//! What agents and programs ask for.

use guichet_domain::language::Language;
use guichet_domain::priority::{Impact, Urgency};
use guichet_domain::ticket::{Kind, Tier};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ticket::PartyView;
use super::words;

/// A request for a new ticket, on behalf of somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTicket {
    /// One line; at most 500 characters.
    #[schema(example = "The printer on the second floor is jammed")]
    pub subject: String,
    /// The request; at most 100,000 characters.
    pub text: String,
    /// Who asks, and is answered; null when nobody is.
    #[serde(default)]
    pub requester: Option<PartyView>,
    /// The source by which the requester is answered; may be left out when only one sends to people.
    #[serde(default)]
    pub source: Option<String>,
    /// The language the requester is answered in; told from the text when left out.
    #[serde(default)]
    #[schema(schema_with = words::maybe_language)]
    pub language: Option<Language>,
    /// Whether the requester is acknowledged.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub acknowledge: bool,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// To the requester.
    Reply,
    /// For the other agents.
    Note,
}

/// A message an agent writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// To whom.
    pub kind: MessageKind,
    /// The words; at most 100,000 characters.
    pub text: String,
    /// Whether an answer is waited for (replies).
    #[serde(default)]
    pub ask: bool,
    /// The version the writer saw: refused with what came meanwhile when the ticket has changed since.
    #[serde(default)]
    pub version: Option<i64>,
}

/// What an agent does to a ticket, besides writing. Each takes the `version` the agent saw, and is then refused with what
/// came meanwhile when the ticket has changed since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Transition {
    /// Gives it to an agent, or to nobody.
    Assign {
        /// The agent's name; null for nobody.
        to: Option<String>,
        /// The version seen.
        #[serde(default)]
        version: Option<i64>,
    },
    /// Hands it to a higher tier.
    Escalate {
        /// Which; the next above when left out.
        #[serde(default)]
        #[schema(schema_with = words::maybe_tier)]
        to: Option<Tier>,
        /// Why, for the agents there.
        #[serde(default)]
        why: Option<String>,
        /// The version seen.
        #[serde(default)]
        version: Option<i64>,
    },
    /// Says what it is.
    Classify {
        /// Another kind.
        #[serde(default)]
        #[schema(schema_with = words::maybe_kind)]
        kind: Option<Kind>,
        /// Another category, by key.
        #[serde(default)]
        category: Option<String>,
        /// Another impact.
        #[serde(default)]
        #[schema(schema_with = words::maybe_impact)]
        impact: Option<Impact>,
        /// Another urgency.
        #[serde(default)]
        #[schema(schema_with = words::maybe_urgency)]
        urgency: Option<Urgency>,
        /// The version seen.
        #[serde(default)]
        version: Option<i64>,
    },
    /// Resolves it and tells the requester.
    Close {
        /// The resolution, told to the requester.
        #[serde(default)]
        text: Option<String>,
        /// Says nothing to the requester.
        #[serde(default)]
        silent: bool,
        /// The version seen.
        #[serde(default)]
        version: Option<i64>,
    },
    /// Takes it up again.
    Reopen {
        /// Why, for the other agents.
        #[serde(default)]
        why: Option<String>,
        /// The version seen.
        #[serde(default)]
        version: Option<i64>,
    },
    /// Makes it part of another ticket: later messages go there.
    Merge {
        /// The reference of the ticket that goes on.
        into: String,
        /// The version seen.
        #[serde(default)]
        version: Option<i64>,
    },
    /// Says that what needed attention was seen.
    Seen {
        /// The version seen.
        #[serde(default)]
        version: Option<i64>,
    },
}

impl Transition {
    /// The version the agent saw.
    pub fn version(&self) -> Option<i64> {
        match self {
            Self::Assign { version, .. }
            | Self::Escalate { version, .. }
            | Self::Classify { version, .. }
            | Self::Close { version, .. }
            | Self::Reopen { version, .. }
            | Self::Merge { version, .. }
            | Self::Seen { version } => *version,
        }
    }
}

fn yes() -> bool {
    true
}
