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
    // An answer of another desk carries its mark and, among what it answers, our tokens: only a mark of ours proves it ours.
    if let OwnClaim::Marked { .. } = item.own
        && let Some(delivery) = found.own.iter().find_map(delivery_of)
    {
        return Route::Own { delivery };
    }
    if let OwnClaim::Claimed { .. } = item.own {
        // What it answers proves nothing: whoever had a mail of ours can name it, an agent in the shared mailbox too.
        let proof = found.own.iter().find_map(delivery_of);
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::inbound::{RefersTo, Report, ReportOutcome};

    fn ticket(n: u128) -> TicketId {
        TicketId(Uuid::from_u128(n))
    }

    fn delivery() -> DeliveryId {
        DeliveryId(Uuid::from_u128(77))
    }

    fn from(address: &str) -> Item {
        Item { from: Some(Party::new(address)), ..Item::default() }
    }

    fn found() -> Found {
        let participants = HashMap::from([(ticket(1), HashSet::from(["jean@client.test".to_owned()]))]);
        Found { participants, ..Found::default() }
    }

    fn joins(route: &Route) -> Option<(TicketId, &str, bool)> {
        match route {
            Route::Join { ticket, how, known, .. } => Some((*ticket, how.as_str(), *known)),
            _ => None,
        }
    }

    #[test]
    fn a_reference_counts_from_a_participant_and_links_from_a_stranger() {
        let found = Found { references: vec![(Reference::from_free(1), ticket(1))], ..found() };
        let known = locate(&from("Jean@Client.test"), &found);
        assert_eq!(joins(&known), Some((ticket(1), "located.reference", true)));
        assert_eq!(locate(&from("eve@evil.test"), &found), Route::New { linked: Some(ticket(1)) });
        assert_eq!(locate(&Item::default(), &found), Route::New { linked: Some(ticket(1)) });
    }

    #[test]
    fn a_token_counts_from_anybody_and_marks_who_is_unknown() {
        let claim = Claim::ReplyAddress { ticket: ticket(1) };
        let found = Found { tokens: vec![(claim, Some(ticket(1)))], ..found() };
        assert_eq!(joins(&locate(&from("eve@evil.test"), &found)), Some((ticket(1), "located.token", false)));
        assert_eq!(joins(&locate(&from("jean@client.test"), &found)), Some((ticket(1), "located.token", true)));
    }

    #[test]
    fn the_nearest_known_message_id_wins_over_a_reference() {
        let ids = ["<far@x>", "<near@x>"].map(ExternalId::from);
        let known = |n| KnownId { ticket: ticket(n), delivery: None };
        let found = Found {
            ids: HashMap::from([(ids[0].clone(), known(1)), (ids[1].clone(), known(2))]),
            references: vec![(Reference::from_free(1), ticket(1))],
            ..found()
        };
        let refers_to =
            RefersTo { ids: vec!["<unknown@x>".into(), ids[1].clone(), ids[0].clone()], ..RefersTo::default() };
        let item = Item { refers_to, ..from("jean@client.test") };
        assert_eq!(joins(&locate(&item, &found)), Some((ticket(2), "located.message_id", false)));
    }

    #[test]
    fn our_own_mail_is_counted_with_proof_and_kept_aside_without() {
        let own = Item { own: OwnClaim::Claimed { tokens: vec![] }, ..from("support@desk.test") };
        let proof = Found { own: vec![Claim::Loop { delivery: delivery() }], ..found() };
        assert_eq!(locate(&own, &proof), Route::Own { delivery: delivery() });
        let Route::Quarantine(why) = locate(&own, &found()) else { panic!("it must be kept aside") };
        assert_eq!(why.code.as_str(), "own.forged");
    }

    #[test]
    fn an_answer_written_by_hand_in_our_own_mailbox_is_kept_aside_and_not_dropped_as_ours() {
        let by_hand = Item { own: OwnClaim::Claimed { tokens: vec![] }, ..from("support@desk.test") };
        let answered = Claim::MessageId { delivery: delivery(), ticket: ticket(1) };
        let found = Found { tokens: vec![(answered, Some(ticket(1)))], ..found() };
        assert!(matches!(locate(&by_hand, &found), Route::Quarantine(why) if why.code == reason::OWN_FORGED));
    }

    #[test]
    fn an_answer_by_an_agent_of_another_desk_is_nobodys_forgery() {
        let theirs = Item { own: OwnClaim::Marked { tokens: vec![] }, ..from("support@other.test") };
        assert_eq!(locate(&theirs, &found()), Route::New { linked: None });
        let ours = Claim::MessageId { delivery: delivery(), ticket: ticket(1) };
        let answer = Found { tokens: vec![(ours, Some(ticket(1)))], ..found() };
        assert_eq!(joins(&locate(&theirs, &answer)), Some((ticket(1), "located.token", false)));
        let came_back = Found { own: vec![Claim::Loop { delivery: delivery() }], ..found() };
        assert_eq!(locate(&theirs, &came_back), Route::Own { delivery: delivery() });
    }

    #[test]
    fn a_report_joins_what_it_is_about_and_never_opens_a_ticket() {
        let report =
            Report { outcome: ReportOutcome::Failed, recipient: None, status: None, diagnostic: None, hard: true };
        let item = Item { nature: Nature::Report(vec![report]), ..from("mailer-daemon@x.test") };
        assert!(matches!(locate(&item, &found()), Route::Quarantine(why) if why.code == reason::REPORT_UNMATCHED));
        let claim = Claim::Bounce { delivery: delivery() };
        let about = Found { tokens: vec![(claim, Some(ticket(1)))], ..found() };
        let Route::Join { delivery: about, .. } = locate(&item, &about) else { panic!("it must join") };
        assert_eq!(about, Some(delivery()));
    }

    #[test]
    fn a_mail_programs_thread_counts_only_from_a_participant() {
        let found = Found { thread: Some(ticket(1)), ..found() };
        assert_eq!(joins(&locate(&from("jean@client.test"), &found)), Some((ticket(1), "located.thread", true)));
        assert_eq!(locate(&from("eve@evil.test"), &found), Route::New { linked: None });
    }
}
