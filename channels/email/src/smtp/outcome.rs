//! What became of one mail.

use std::time::Duration;

use super::reply::Reply;
use crate::oauth::OAuthFault;

/// The end of one send. Only [`Outcome::Unknown`] leaves open whether the recipient gets the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server took it (25x to the final dot). `text` is its answer, often with its queue id.
    Sent {
        /// The server's words.
        text: String,
    },
    /// The server refused this mail for now (4xx).
    Transient {
        /// The reply code.
        code: u16,
        /// The server's words; they may repeat the recipient's address.
        text: String,
        /// How long the server asked to wait, where it said so.
        retry_after: Option<Duration>,
    },
    /// The server refused this mail for good (5xx), or cannot take it by what it announced.
    Permanent {
        /// The reply code.
        code: u16,
        /// The enhanced status, as `5.1.1`.
        enhanced: Option<String>,
        /// The server's words; they may repeat the recipient's address.
        text: String,
    },
    /// The connection ended between the final dot and its answer: accepted or not, nobody can say.
    Unknown {
        /// What happened, without addresses.
        why: String,
    },
    /// Nothing of this mail can have reached anyone: the server was not reached, or the dialogue ended before the final
    /// dot. To be tried again as it is.
    NotTried(NotTried),
}

/// Why a mail was not tried; it says something about the source, not about the mail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTried {
    /// Likely to pass by itself.
    #[error("{why}")]
    Passing {
        /// What happened, where; without addresses.
        why: String,
        /// The least useful wait, where one is known.
        retry_after: Option<Duration>,
    },
    /// Stays until a person changes something.
    #[error("{why}; {remedy}")]
    Lasting {
        /// What happened, where; without addresses.
        why: String,
        /// What to do.
        remedy: String,
    },
}

impl NotTried {
    pub(super) fn passing(why: impl Into<String>) -> Self {
        Self::Passing { why: why.into(), retry_after: None }
    }

    pub(super) fn lasting(why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Lasting { why: why.into(), remedy: remedy.into() }
    }
}

impl From<OAuthFault> for NotTried {
    fn from(fault: OAuthFault) -> Self {
        match fault {
            OAuthFault::Passing { why, retry_after } => Self::Passing { why, retry_after },
            OAuthFault::Lasting { why, remedy } => Self::Lasting { why, remedy },
        }
    }
}

impl Outcome {
    /// The outcome of a reply of no to a command. Without a status, a no to RCPT means the recipient and any other no need
    /// not: those get the undefined status 5.0.0 (RFC 3463), or a bare `550 spam` would pass for a dead address.
    pub(super) fn refused(reply: &Reply, at_recipient: bool) -> Self {
        if reply.is_permanent() {
            let enhanced = reply.enhanced().or((!at_recipient).then_some("5.0.0")).map(str::to_owned);
            Self::Permanent { code: reply.code, enhanced, text: reply.short_text() }
        } else {
            Self::Transient { code: reply.code, text: reply.short_text(), retry_after: reply.retry_after() }
        }
    }
}
