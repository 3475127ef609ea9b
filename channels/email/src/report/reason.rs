//! What went wrong, from the server's words first and its codes second: codes lie more often than words.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::marks::{ADDRESS, pattern, set};
use super::words;

/// What went wrong, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// SPF, DKIM or DMARC.
    AuthFailure,
    /// The sending address or network has a bad name.
    BadReputation,
    /// The sending host is refused.
    Blocked,
    /// The content cannot be taken as it is.
    ContentError,
    /// Nothing went wrong.
    Delivered,
    /// Bigger than this recipient may get.
    ExceedLimit,
    /// Given up after trying for long.
    Expired,
    /// A complaint.
    Feedback,
    /// Refused by the recipient's own filter, after the address was taken.
    Filtered,
    /// The mailbox has moved.
    HasMoved,
    /// No such domain.
    HostUnknown,
    /// No room in the mailbox.
    MailboxFull,
    /// A program behind the mailbox failed.
    MailerError,
    /// Bigger than the server takes.
    MesgTooBig,
    /// DNS, routing, connection.
    NetworkError,
    /// The server is no relay for us.
    NoRelaying,
    /// The domain takes no mail at all.
    NotAccept,
    /// The mail breaks a rule of its format.
    NotCompliant,
    /// Taken back for a moment.
    OnHold,
    /// Refused by a policy.
    PolicyViolation,
    /// The sender address is refused.
    Rejected,
    /// The sending host has no reverse name.
    RequirePtr,
    /// Not authenticated, not permitted.
    SecurityError,
    /// Taken for spam.
    SpamDetected,
    /// The mailbox is disabled.
    Suspend,
    /// A protocol mistake.
    SyntaxError,
    /// The receiving system is out of order.
    SystemError,
    /// Too many at once.
    TooManyConn,
    /// Not said.
    Undefined,
    /// No such mailbox.
    UserUnknown,
    /// A virus.
    VirusDetected,
}

impl Reason {
    /// The stable word: stored, shown to agents, used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::AuthFailure => "authfailure",
            Reason::BadReputation => "badreputation",
            Reason::Blocked => "blocked",
            Reason::ContentError => "contenterror",
            Reason::Delivered => "delivered",
            Reason::ExceedLimit => "exceedlimit",
            Reason::Expired => "expired",
            Reason::Feedback => "feedback",
            Reason::Filtered => "filtered",
            Reason::HasMoved => "hasmoved",
            Reason::HostUnknown => "hostunknown",
            Reason::MailboxFull => "mailboxfull",
            Reason::MailerError => "mailererror",
            Reason::MesgTooBig => "mesgtoobig",
            Reason::NetworkError => "networkerror",
            Reason::NoRelaying => "norelaying",
            Reason::NotAccept => "notaccept",
            Reason::NotCompliant => "notcompliantrfc",
            Reason::OnHold => "onhold",
            Reason::PolicyViolation => "policyviolation",
            Reason::Rejected => "rejected",
            Reason::RequirePtr => "requireptr",
            Reason::SecurityError => "securityerror",
            Reason::SpamDetected => "spamdetected",
            Reason::Suspend => "suspend",
            Reason::SyntaxError => "syntaxerror",
            Reason::SystemError => "systemerror",
            Reason::TooManyConn => "toomanyconn",
            Reason::Undefined => "undefined",
            Reason::UserUnknown => "userunknown",
            Reason::VirusDetected => "virusdetected",
        }
    }

    /// What a diagnostic says; `Undefined` when neither its words nor the status tell.
    pub fn of(diagnostic: &str, status: Option<&str>) -> Reason {
        Reason::of_words(diagnostic).or_else(|| status.and_then(Reason::of_status)).unwrap_or(Reason::Undefined)
    }

    /// What the words say, without their codes.
    pub(super) fn of_words(diagnostic: &str) -> Option<Reason> {
        // A mailbox called `mailbox-full@` says nothing about its quota.
        let words_alone = ADDRESSES.replace_all(diagnostic.trim(), "@");
        let first = PATTERNS.matches(&words_alone).iter().next()?;
        words::WORDS.get(first).map(|(reason, _)| *reason)
    }

    fn of_status(status: &str) -> Option<Reason> {
        let (_, detail) = status.split_once('.')?;
        Some(match detail {
            "1.0" | "1.1" | "1.3" | "1.10" => Reason::UserUnknown,
            "1.2" | "4.4" => Reason::HostUnknown,
            "1.6" => Reason::HasMoved,
            "1.7" | "1.8" => Reason::Rejected,
            "2.1" => Reason::Suspend,
            "2.2" => Reason::MailboxFull,
            "2.3" => Reason::ExceedLimit,
            "3.4" => Reason::MesgTooBig,
            "4.1" | "4.7" => Reason::Expired,
            "5.0" => return None,
            "7.25" => Reason::RequirePtr,
            "7.26" => Reason::AuthFailure,
            _ => match detail.split('.').next()? {
                "3" => Reason::SystemError,
                "4" => Reason::NetworkError,
                "5" => Reason::SyntaxError,
                "6" => Reason::ContentError,
                "7" => Reason::SecurityError,
                _ => return None,
            },
        })
    }
}

static ADDRESSES: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("<?{ADDRESS}>?")));

static PATTERNS: LazyLock<RegexSet> = LazyLock::new(|| set(words::WORDS.iter().map(|(_, phrases)| phrases.join("|"))));
