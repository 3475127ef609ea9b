//! What a request is about, how wide and how soon: by rules that anybody can read and change.
//!
//! Rules are data (`default.toml` beside this file, extended or replaced by the operator): phrases and patterns that
//! vote for categories and state facts. Impact and urgency come from facts alone, priority from the matrix, and every
//! step says why. Nothing is learnt from the text alone: that was measured to fail for priority.

mod classify;
mod levels;
mod settings;
mod taxonomy;
mod words;

use serde::{Deserialize, Serialize};

pub use settings::{CategorySettings, RuleSettings, TaxonomySettings};
pub use taxonomy::{Category, Taxonomy, TaxonomyError};

use crate::inbound::Explained;
use crate::priority::{Impact, Urgency};
use crate::ticket::Kind;

/// What a rule found out about a request besides its category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Several people or a team are affected.
    AffectedMany,
    /// A site or the whole organisation is affected.
    AffectedAll,
    /// Somebody cannot work.
    Blocked,
    /// A date or an event is near.
    Deadline,
    /// Harm is being done or may be: fraud, malware, lost devices, leaked data.
    Security,
    /// A service that several people share is down.
    Outage,
    /// The request is about somebody whose work others depend on.
    Vip,
    /// The writer says that it is urgent. Says so only.
    Pressing,
    /// The writer says that it can wait.
    NoHurry,
}

impl Fact {
    /// The stable word, as rules write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AffectedMany => "affected_many",
            Self::AffectedAll => "affected_all",
            Self::Blocked => "blocked",
            Self::Deadline => "deadline",
            Self::Security => "security",
            Self::Outage => "outage",
            Self::Vip => "vip",
            Self::Pressing => "pressing",
            Self::NoHurry => "no_hurry",
        }
    }
}

/// What the rules make of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Classification {
    /// Key of the category; the taxonomy's default one when no rule spoke.
    pub category: String,
    /// How far the category leads before the next, 0 to 1: much was said for it and little for any other. From 0.5 on it
    /// is mostly right; below it is no more than a suggestion; 0 where nothing was said, or as much for another.
    pub confidence: f32,
    /// What kind of request it is.
    pub kind: Kind,
    /// How wide, from the facts.
    pub impact: Impact,
    /// How soon, from the kind and the facts.
    pub urgency: Urgency,
    /// The facts, each once, in order.
    pub facts: Vec<Fact>,
    /// Which rules spoke and on which words, then how impact and urgency came about. At most 16 rules are told.
    pub why: Vec<Explained>,
}

#[cfg(test)]
mod tests;
