//! Whose ticket is this? The ordered rules by which an item joins a ticket.
//!
//! The caller looks up whatever the item mentions and hands it in as [`Found`]; here is decided what counts. A
//! reference can be guessed, so it counts only from somebody who takes part already; a token or a message id cannot,
//! so it counts from anybody, and the writer is marked unverified when unknown.

use std::collections::{HashMap, HashSet};

use crate::ids::{DeliveryId, ExternalId, TicketId};
use crate::inbound::{Explained, Item, Nature, OwnClaim, Party};
use crate::reason::{self, Reason};
use crate::reference::Reference;
use crate::token::Claim;

/// What the store knows of the things an item mentions. Tickets are given after merges were followed.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The item's tokens whose signature is ours, in the item's order, with the ticket where it still exists.
    pub tokens: Vec<(Claim, Option<TicketId>)>,
    /// Tokens that prove the item is a message of ours.
    pub own: Vec<Claim>,
    /// The tickets of known message ids, by id.
    pub ids: HashMap<ExternalId, KnownId>,
    /// The tickets of references that stand in the item, in the item's order.
    pub references: Vec<(Reference, TicketId)>,
    /// The ticket of the network's conversation.
    pub conversation: Option<TicketId>,
    /// The ticket of the mail program's thread.
    pub thread: Option<TicketId>,
    /// Who takes part, by ticket, as address keys. Holds at least the tickets named above.
    pub participants: HashMap<TicketId, HashSet<String>>,
}

/// What is known of a message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownId {
    /// The ticket it is in.
    pub ticket: TicketId,
    /// The delivery, when it is a message we sent.
    pub delivery: Option<DeliveryId>,
}

/// Where an item goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Route {
    /// Our own message has come back: counted, nothing else; proof that the delivery left.
    Own {
        /// The delivery it proves.
        delivery: DeliveryId,
    },
    /// Kept aside.
    Quarantine(Explained),
    /// Into this ticket (unless it is closed: then into one that follows).
    Join {
        /// The ticket.
        ticket: TicketId,
        /// How it was found.
        how: Reason,
        /// Whether the writer took part before or the item is vouched for.
        known: bool,
        /// The delivery a report is about.
        delivery: Option<DeliveryId>,
    },
    /// A new ticket.
    New {
        /// The ticket whose reference a stranger named.
        linked: Option<TicketId>,
    },
}

/// Decides where `item` goes. Pure; the same arguments give the same answer.
///
/// Order: our own mail come back, reports by what they are about, then token, message ids, reference from a
/// participant, network conversation, mail-program thread from a participant, else new.
pub fn locate(item: &Item, found: &Found) -> Route {
    if let OwnClaim::Claimed { .. } = item.own {
        let proof = found.own.iter().chain(found.tokens.iter().map(|(claim, _)| claim)).find_map(delivery_of);
        // Mail of ours to ourselves never carries a request; without proof somebody uses our name.
        return if let Some(delivery) = proof {
            Route::Own { delivery }
        } else if matches!(item.nature, Nature::Report(_)) {
            report(item, found)
        } else {
            Route::Quarantine(Explained::new(reason::OWN_FORGED, sender(item)))
        };
    }
    if matches!(item.nature, Nature::Report(_)) {
        return report(item, found);
    }
    let known = |ticket: &TicketId| is_known(item, found, ticket);
    if let Some(ticket) = found.tokens.iter().find_map(|(_, ticket)| *ticket) {
        return join(ticket, reason::LOCATED_TOKEN, known(&ticket));
    }
    if let Some(hit) = item.refers_to.ids.iter().find_map(|id| found.ids.get(id)) {
        return join(hit.ticket, reason::LOCATED_ID, known(&hit.ticket));
    }
    if let Some((_, ticket)) = found.references.iter().find(|(_, ticket)| known(ticket)) {
        return join(*ticket, reason::LOCATED_REFERENCE, true);
    }
    if let Some(ticket) = found.conversation {
        return join(ticket, reason::LOCATED_CONVERSATION, true);
    }
    if let Some(ticket) = found.thread.filter(|ticket| known(ticket)) {
        return join(ticket, reason::LOCATED_THREAD, true);
    }
    Route::New { linked: found.references.first().map(|(_, ticket)| *ticket) }
}

fn join(ticket: TicketId, how: Reason, known: bool) -> Route {
    Route::Join { ticket, how, known, delivery: None }
}

/// A report belongs to the message it is about, or to nothing: a report never opens a ticket.
fn report(item: &Item, found: &Found) -> Route {
    let by_token = found.tokens.iter().find_map(|(claim, ticket)| ticket.map(|ticket| (ticket, delivery_of(claim))));
    let by_id = || item.refers_to.ids.iter().find_map(|id| found.ids.get(id)).map(|hit| (hit.ticket, hit.delivery));
    match by_token.or_else(by_id) {
        Some((ticket, delivery)) => Route::Join { ticket, how: reason::LOCATED_ID, known: true, delivery },
        None => Route::Quarantine(Explained::new(reason::REPORT_UNMATCHED, report_detail(item))),
    }
}

fn report_detail(item: &Item) -> String {
    let Nature::Report(reports) = &item.nature else { return String::new() };
    reports.first().and_then(|report| report.status.clone().or_else(|| report.diagnostic.clone())).unwrap_or_default()
}

fn is_known(item: &Item, found: &Found, ticket: &TicketId) -> bool {
    let Some(participants) = found.participants.get(ticket) else { return false };
    item.from.as_ref().is_some_and(|from| participants.contains(&from.key()))
}

fn delivery_of(claim: &Claim) -> Option<DeliveryId> {
    match claim {
        Claim::MessageId { delivery, .. } | Claim::Loop { delivery } | Claim::Bounce { delivery } => Some(*delivery),
        Claim::ReplyAddress { .. } => None,
    }
}

fn sender(item: &Item) -> String {
    item.from.as_ref().map(Party::key).unwrap_or_default()
}
