//! Challenge-response services, told by their own headers, addresses and subjects.

use super::facts::Facts;

/// Domains that send nothing but challenges.
const DOMAINS: [&str; 5] = ["boxbe.com", "spamarrest.com", "mailblocks.com", "vanquish.com", "knowspam.net"];

/// Words of a sender's local part: `ann-confirm-1034.abcdef@example.org` (TMDA), `automated-response@earthlink.net`.
const LOCAL_PIECES: [&str; 3] = ["-confirm-", "+confirm+", "-challenge-"];

/// Beginnings of the subject.
const SUBJECTS: [&str; 8] = [
    "please confirm your message",
    "please confirm that you sent",
    "please verify your email to",
    "verify your email to",
    "message verification required",
    "sender verification required",
    "[spamarrest]",
    "your message is waiting for approval",
];

/// The header that tells, and its value.
pub(super) fn found(facts: &Facts<'_>) -> Option<(&'static str, String)> {
    let from = facts.from.and_then(|header| header.value.as_address()).and_then(mail_parser::Address::first);
    if let Some(address) = from.and_then(|one| one.address.as_deref()) {
        let lower = address.to_ascii_lowercase();
        let (local, domain) = lower.rsplit_once('@')?;
        let service = DOMAINS
            .iter()
            .any(|known| domain == *known || domain.strip_suffix(known).is_some_and(|sub| sub.ends_with('.')));
        if service || LOCAL_PIECES.iter().any(|piece| local.contains(piece)) {
            return Some(("From", address.to_owned()));
        }
    }
    let start: String = facts.subject().trim_start().chars().take(48).flat_map(char::to_lowercase).collect();
    SUBJECTS.iter().any(|begin| start.starts_with(begin)).then(|| ("Subject", facts.subject().to_owned()))
}
