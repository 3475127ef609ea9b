//! The outcome of intake.

use serde::{Deserialize, Serialize};

/// The four outcomes of intake; every item has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A new ticket.
    Opened,
    /// Tied to an existing one.
    Appended,
    /// Was here already, or is our own message come back.
    Duplicate,
    /// Kept aside whole.
    Quarantined,
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Self; 4] = [Self::Opened, Self::Appended, Self::Duplicate, Self::Quarantined];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Appended => "appended",
            Self::Duplicate => "duplicate",
            Self::Quarantined => "quarantined",
        }
    }

    /// The verdict with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == word)
    }
}
