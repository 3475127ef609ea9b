//! Why something was not done.

use std::time::Duration;

use guichet_contract::NotAccepted;
use guichet_domain::event::Refusal;
use guichet_store::StoreError;

use crate::desk::views::EntryView;

/// Why something was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// There is no such thing.
    #[error("{what}; {remedy}")]
    NotFound {
        /// What there is not.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// A value cannot be used.
    #[error("{what}; {remedy}")]
    Invalid {
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// It is in a state that does not allow it.
    #[error("{what}; {remedy}")]
    State {
        /// How it stands.
        what: String,
        /// What to do instead.
        remedy: String,
    },
    /// The ticket does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The ticket has changed since the version that was named.
    #[error("the ticket has changed since: it is at version {version} now")]
    Outdated {
        /// Its version now.
        version: i64,
        /// What came since, oldest first; at most 20 entries.
        meanwhile: Vec<EntryView>,
    },
    /// The key came with another request before.
    #[error("this key came with another request before; use a new key for a new request")]
    KeyReused,
    /// The same request is being carried out.
    #[error("the same request is being carried out")]
    KeyInProgress,
    /// Not now.
    #[error("{why}")]
    Busy {
        /// How long to wait.
        after: Duration,
        /// What is in the way.
        why: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeskError {
    /// A value that cannot be used.
    pub(crate) fn invalid(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Invalid { what: what.into(), remedy: remedy.into() }
    }

    /// Something that is not there.
    pub(crate) fn not_found(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::NotFound { what: what.into(), remedy: remedy.into() }
    }

    /// A state that does not allow it.
    pub(crate) fn state(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::State { what: what.into(), remedy: remedy.into() }
    }
}

impl From<NotAccepted> for DeskError {
    fn from(refusal: NotAccepted) -> Self {
        match refusal {
            NotAccepted::Busy { after, why } => Self::Busy { after, why },
            NotAccepted::Refused { why } => Self::invalid(why, "change it, then hand it in again"),
        }
    }
}
