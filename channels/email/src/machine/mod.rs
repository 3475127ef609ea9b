//! Machine or person: may an automatic message be sent to whoever wrote this mail?
//!
//! Ten ordered rules over the headers and the MIME structure, first hit wins; a body is never read, so that a person who quotes a
//! bounce, or signs with a list's footer, is still a person. To add a rule: a variant in `rules.rs`, its reason code in
//! [`reason`], a row in `docs/email-scores.md`.

mod challenge;
mod facts;
mod own;
mod rules;
mod sender;
mod subject;

pub use own::{OwnAddresses, OwnClaim, own_claim};

use mail_parser::Message;

use facts::Facts;

/// The stable reason codes of [`Verdict::reason`]; they are stored, shown to agents and never renamed.
pub mod reason {
    /// From, Sender or Reply-To is one of our own addresses: an answer would come back to us.
    pub const OWN_ADDRESS: &str = "machine.own_address";
    /// A multipart/report, or a part that is a delivery, disposition or feedback report.
    pub const REPORT: &str = "machine.report";
    /// The first Return-Path is empty or MAILER-DAEMON.
    pub const NULL_SENDER: &str = "machine.null_sender";
    /// X-Failed-Recipients stands in the header.
    pub const FAILED_RECIPIENTS: &str = "machine.failed_recipients";
    /// Auto-Submitted says anything but `no`.
    pub const AUTO_SUBMITTED: &str = "machine.auto_submitted";
    /// A sender nobody reads: mailer-daemon, no-reply, a list's own addresses.
    pub const SENDER_NAME: &str = "machine.sender_name";
    /// No usable From: there is nobody to answer.
    pub const NO_SENDER: &str = "machine.no_sender";
    /// Precedence or X-Precedence bulk, junk, list or auto_reply.
    pub const PRECEDENCE: &str = "machine.precedence";
    /// A header that only list servers write.
    pub const LIST: &str = "machine.list";
    /// The sender asks for no automatic answer.
    pub const AUTO_RESPONSE_SUPPRESS: &str = "machine.auto_response_suppress";
    /// A header one product writes on what it sends by itself.
    pub const VENDOR_HEADER: &str = "machine.vendor_header";
    /// A challenge-response service asks the sender to prove being human.
    pub const CHALLENGE: &str = "machine.challenge";
    /// The subject begins as automatic mails do.
    pub const SUBJECT: &str = "machine.subject";
}

/// What kind of machine wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// A bounce, a delivery or read receipt, a complaint: [`crate::report`] reads it.
    Report,
    /// A person's holiday message.
    OutOfOffice,
    /// Any other automatic answer.
    AutoReply,
    /// Mail through a mailing list.
    List,
    /// Newsletters and mass mail.
    Bulk,
    /// Anything else a program sent by itself.
    Notification,
}

/// Why no automatic message may go to the sender of this mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// One of [`reason`].
    pub reason: &'static str,
    /// The header that decided and its value, at most 120 characters; for agents, never for logs.
    pub detail: String,
    /// What kind of machine.
    pub nature: Nature,
}

/// Judges a mail by its headers: `None` is a person, who may be answered.
///
/// `own` are the addresses the desk receives at. A mail of ours that came back carries a token, which [`own_claim`] reports and the
/// core checks before this is asked; here an own address among the senders only silences.
pub fn judge(message: &Message<'_>, own: &OwnAddresses) -> Option<Verdict> {
    rules::first_hit(&Facts::gather(message), own)
}

/// Whether a subject is the one Hotmail puts on a complaint: its report is no standard part.
pub(crate) fn is_complaint_subject(subject: &str) -> bool {
    subject::is_complaint(subject)
}

/// Whether a subject begins as a bounce's does.
pub(crate) fn is_report_subject(subject: &str) -> bool {
    subject::nature(subject) == Some(Nature::Report)
}

/// Whether this is a challenge-response service's question to the sender.
pub(crate) fn is_challenge(message: &Message<'_>) -> bool {
    challenge::found(&Facts::gather(message)).is_some()
}

#[cfg(test)]
mod tests;
