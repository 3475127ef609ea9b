//! RFC 8098 disposition notifications: read receipts.

use super::anatomy::Anatomy;
use super::fields::{groups, value};
use super::{Action, Reason, Recipient};

/// The reader a disposition notification speaks for; `None` when the mail has no such part.
pub(super) fn recipients(anatomy: &Anatomy) -> Option<Vec<Recipient>> {
    // Dovecot's sieve `reject` dresses a bounce as a receipt of a mail deleted unread: the words decide.
    if anatomy.disposition.trim().is_empty() || anatomy.said.contains("was automatically rejected") {
        return None;
    }
    let groups = groups(&anatomy.disposition);
    let field = |name: &str| groups.iter().find_map(|group| value(group, name));
    let address = field("original-recipient").or_else(|| field("final-recipient")).map(|address| {
        address.split_once(';').map_or(address, |(_, rest)| rest).trim().trim_matches(['<', '>']).to_owned()
    });
    let disposition = field("disposition").unwrap_or_default().to_owned();
    let recipient = |address| Recipient {
        address,
        final_address: None,
        // Displayed, dispatched, processed or deleted unread: in every case it arrived.
        action: Action::Delivered,
        status: None,
        reply: None,
        diagnostic: disposition.clone(),
        reason: Reason::Delivered,
        hard: false,
    };
    Some(address.into_iter().map(recipient).collect())
}
