//! Reports about mail we sent: bounces, delays, delivery and read receipts, complaints, challenges.
//!
//! The standards first (RFC 3464, 8098, 5965 and their internationalised forms), then what servers write when they follow none.
//! Nothing here knows one server by name: a text bounce is cut from the mail it returns, the lines that name a recipient are found,
//! and what stands under each is its diagnostic. To teach it a new wording, add a row to the tables of `marks.rs` (where the
//! returned mail begins, how a line names a recipient) or `words.rs` (what went wrong).

mod anatomy;
mod challenge;
mod codes;
mod dsn;
mod feedback;
mod fields;
mod marks;
mod original;
mod reason;
mod receipt;
mod sns;
mod text;
mod words;

use mail_parser::Message;

use crate::machine::{self, Nature, OwnAddresses};
use anatomy::Anatomy;

pub use original::Original;
pub use reason::Reason;

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// At least one recipient did not get the mail and will not.
    Bounce,
    /// Not delivered yet; the server goes on trying.
    Delay,
    /// Delivered, relayed or expanded: good news.
    Delivery,
    /// A read receipt (message disposition notification).
    Receipt,
    /// A complaint: somebody pressed "this is spam".
    Complaint,
    /// A challenge-response service asks the sender to prove being a person.
    Challenge,
}

/// What happened for one recipient (RFC 3464, 2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Given up.
    Failed,
    /// Still trying.
    Delayed,
    /// Delivered, or displayed to the recipient.
    Delivered,
    /// Handed to a server that sends no reports.
    Relayed,
    /// Delivered to a list or alias and sent on from there.
    Expanded,
}

/// One recipient of the reported mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The address we sent to, as far as the report tells; the final one otherwise. May lack a domain.
    pub address: String,
    /// The address the reporting server ended at, where it differs.
    pub final_address: Option<String>,
    /// What happened.
    pub action: Action,
    /// The enhanced status code `class.subject.detail`, only as the report states it.
    pub status: Option<String>,
    /// The three-digit SMTP reply code, only as the report states it and of the same class as the status.
    pub reply: Option<String>,
    /// The server's own words, one line.
    pub diagnostic: String,
    /// What went wrong, in one word.
    pub reason: Reason,
    /// The address itself is dead: sending again is useless and harms our reputation.
    pub hard: bool,
}

/// A report, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it is about.
    pub kind: Kind,
    /// The recipients it speaks of; may be empty for a receipt, a complaint or a challenge.
    pub recipients: Vec<Recipient>,
    /// What it tells about our mail.
    pub original: Original,
}

/// Reads a report; `None` when the mail is none (a person's mail, a newsletter, a holiday message).
///
/// Whatever [`machine::judge`] takes for a person's mail is no report either: ask it first, and this only about machines.
///
/// `raw` are the bytes `message` was parsed from: some servers break their own MIME so badly that only these are left.
pub fn parse(message: &Message<'_>, raw: &[u8]) -> Option<Report> {
    let mut report = read(message, raw)?;
    // Whatever was written in its place: nobody is told of an address with a line break or a NUL in it.
    let fits = |address: &str| !address.is_empty() && !address.chars().any(char::is_control);
    report.recipients.retain(|one| fits(&one.address));
    for one in &mut report.recipients {
        one.final_address = one.final_address.take().filter(|address| fits(address));
    }
    Some(report)
}

fn read(message: &Message<'_>, raw: &[u8]) -> Option<Report> {
    if let Some(report) = sns::parse(message) {
        return Some(report);
    }
    if let Some(report) = challenge::parse(message) {
        return Some(report);
    }
    let verdict = machine::judge(message, &OwnAddresses::default())?;
    if verdict.nature != Nature::Report {
        return None;
    }
    let anatomy = Anatomy::of(message, raw);
    if anatomy.status.trim().is_empty()
        && let Some(inner) = relayed_report(message, raw)
    {
        return Some(inner);
    }
    let original = original::of(message, &anatomy, raw);
    if let Some(recipients) = feedback::recipients(message, &anatomy) {
        return Some(Report { kind: Kind::Complaint, recipients, original });
    }
    if let Some(recipients) = receipt::recipients(&anatomy) {
        return Some(Report { kind: Kind::Receipt, recipients, original });
    }
    let mut recipients = dsn::recipients(&anatomy);
    if recipients.is_empty() {
        recipients = text::recipients(message, &anatomy, &original);
    }
    if !believable(&verdict, &anatomy, &recipients) {
        return None;
    }
    let with = |action| recipients.iter().any(|one: &Recipient| one.action == action);
    let kind = if with(Action::Failed) || recipients.is_empty() {
        Kind::Bounce
    } else if with(Action::Delayed) {
        Kind::Delay
    } else {
        Kind::Delivery
    };
    Some(Report { kind, recipients, original })
}

/// Whether there is more than a name or a subject to say that a server wrote this: a person may write as postmaster, and may write
/// about undeliverable mail.
fn believable(verdict: &machine::Verdict, anatomy: &Anatomy, recipients: &[Recipient]) -> bool {
    let detail = verdict.detail.to_ascii_lowercase();
    let named = matches!(verdict.reason, machine::reason::SUBJECT | machine::reason::SENDER_NAME);
    if named && !detail.contains("daemon") && !detail.contains("mail deliver") {
        let coded = recipients.iter().any(|one| one.status.is_some() || one.reply.is_some());
        return coded
            || !anatomy.returned.trim().is_empty()
            || !anatomy.status.is_empty()
            || anatomy.says_itself_automatic();
    }
    // Nobody named: an aggregate report of DMARC or TLS, a notice. Only the server's own words make it a bounce.
    !recipients.is_empty() || anatomy.says_failure()
}

/// A gateway that reports a report it got: the inner one knows.
fn relayed_report(message: &Message<'_>, raw: &[u8]) -> Option<Report> {
    let inner = message.parts.iter().skip(1).find_map(|part| part.message())?;
    let reported = machine::judge(inner, &OwnAddresses::default())?.reason == machine::reason::REPORT;
    reported.then(|| parse(inner, raw)).flatten()
}

#[cfg(test)]
mod tests;
