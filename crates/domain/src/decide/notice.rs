//! What leaves because of a decision: acknowledgements, replies, closure and delay notices, events for programs.

use crate::ambient::Ids;
use crate::caps::{Allowance, is_public_provider};
use crate::decide::Decision;
use crate::decide::contact::mail_address;
use crate::entry::{Entry, EntryKind};
use crate::event::{Arrival, TimerKind};
use crate::ids::{ConversationKey, DeliveryId, MessageId, SourceName};
use crate::inbound::{Explained, Item, Party, Trust};
use crate::outgoing::{DeliveryState, Facts, NewDelivery, NoticeKind};
use crate::reason::{self, Reason};
use crate::rules::Rules;
use crate::ticket::Ticket;
use crate::time::Moment;
use uuid::Uuid;

/// Queues the acknowledgement of a new ticket, or says why there is none. `decision.entries` holds the item.
pub(super) fn acknowledge(decision: &mut Decision, arrival: &Arrival<'_>, rules: &Rules, ids: &dyn Ids, now: Moment) {
    if let Some(none) = no_acknowledgement(&decision.ticket, arrival, rules) {
        explain(decision, none);
        return;
    }
    let Some(route) = route(&decision.ticket, rules) else { return };
    let to = route.to.clone();
    let (state, why, due_at) = match rules.desk.caps.allow(&arrival.counts, to.domain().as_deref(), now) {
        Allowance::Allowed => (DeliveryState::Pending, None, now),
        Allowance::Suppressed(reason) => (DeliveryState::Suppressed, Some(reason), now),
        Allowance::DelayUntil { until, reason } => (DeliveryState::Pending, Some(reason), until),
    };
    let neutral = !decision.ticket.verified;
    explain(
        decision,
        match &why {
            Some(reason) => Explained::new(reason.clone(), ""),
            None if neutral => Explained::new(reason::ACK_NEUTRAL, ""),
            None => Explained::new(reason::ACK_SENT, ""),
        },
    );
    let status_token = decision.status_token.clone().filter(|_| !neutral && rules.desk.public_pages);
    let ticket = &decision.ticket;
    let facts = Facts {
        reference: ticket.reference.shown(&rules.desk.prefix).to_string(),
        subject: Some(ticket.subject.clone()).filter(|subject| !neutral && !subject.is_empty()),
        category: Some(ticket.category.clone()).filter(|_| !neutral),
        promised_at: ticket.promised_at,
        zone: Some(rules.desk.calendar.zone_name().to_owned()),
        name: to.name.clone().filter(|_| !neutral),
        status_token,
        ..Facts::default()
    };
    let mut delivery = queue(decision, NoticeKind::Acknowledgement, arrival.inbound.0, route, facts, ids, now);
    delivery.state = state;
    delivery.reason = why;
    delivery.due_at = due_at;
    delivery.expires_at = due_at + NoticeKind::Acknowledgement.life();
    if delivery.state == DeliveryState::Suppressed {
        // What never leaves has no place in what the requester can read.
        decision.entries.retain(|entry| Some(entry.id) != delivery.message);
        decision.ticket.last_seq -= 1;
        delivery.message = None;
    }
    decision.deliveries.push(delivery);
}

/// Why a new ticket gets no acknowledgement at all; caps are not asked here.
fn no_acknowledgement(ticket: &Ticket, arrival: &Arrival<'_>, rules: &Rules) -> Option<Explained> {
    let none = |code: Reason| Some(Explained::new(code, ""));
    if let Some(quiet) = &arrival.quiet {
        return none(quiet.clone());
    }
    if let Some(machine) = &arrival.item.machine {
        return Some(Explained::new(reason::ACK_MACHINE, format!("{}: {}", machine.reason, machine.detail)));
    }
    if !rules.source.acknowledge {
        return none(reason::ACK_OFF);
    }
    if route(ticket, rules).is_none() {
        return none(reason::ACK_NO_ADDRESS);
    }
    if arrival.undeliverable {
        return none(reason::ACK_UNDELIVERABLE);
    }
    let ours = &rules.source.addresses;
    let addressed = arrival.item.recipients.iter().any(|party| ours.contains(&party.key()));
    if !ours.is_empty() && !addressed {
        return none(reason::ACK_NOT_ADDRESSED);
    }
    None
}

/// Queues words to the requester; gives nothing when there is nobody to write to, with the reason explained.
pub(super) fn tell(
    decision: &mut Decision,
    kind: NoticeKind,
    cause: Uuid,
    facts: impl FnOnce(&Ticket) -> Facts,
    rules: &Rules,
    ids: &dyn Ids,
    now: Moment,
) {
    let Some(route) = route(&decision.ticket, rules) else {
        explain(decision, Explained::new(reason::ACK_NO_ADDRESS, kind.as_str()));
        return;
    };
    if kind.is_automatic() && decision.ticket.machine {
        explain(decision, Explained::new(reason::NOTICE_MACHINE, kind.as_str()));
        return;
    }
    let facts = facts(&decision.ticket);
    let delivery = queue(decision, kind, cause, route, facts, ids, now);
    decision.deliveries.push(delivery);
    if rules.source.mails_unread() && matches!(kind, NoticeKind::Reply | NoticeKind::Closure) {
        decision.timers.push((TimerKind::Unread, Some(now + rules.source.unread_pause())));
    }
}

/// By which source something leaves, in which order, and to whom.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) source: SourceName,
    pub(super) conversation: ConversationKey,
    pub(super) to: Party,
    /// Whether people read and answer right there.
    pub(super) in_place: bool,
}

/// The way to the requester: the source's own where it sends, else by mail; `None` when there is none.
pub(super) fn route(ticket: &Ticket, rules: &Rules) -> Option<Route> {
    if rules.source.sends {
        let (source, conversation) = (ticket.source.clone(), ticket.conversation.clone());
        return ticket.requester.clone().map(|to| Route { source, conversation, to, in_place: rules.source.in_place });
    }
    by_mail(ticket, rules)
}

/// The way to the requester by mail, whatever the source's own network is; `None` when there is none.
pub(super) fn mail_route(ticket: &Ticket, rules: &Rules) -> Option<Route> {
    match &rules.source.answer_by {
        Some(_) => by_mail(ticket, rules),
        // Where nothing else answers, the source speaks for itself: if that is by mail, so is this.
        None => route(ticket, rules)
            .filter(|route| mail_address(ticket).is_some_and(|(party, _)| party.key() == route.to.key())),
    }
}

fn by_mail(ticket: &Ticket, rules: &Rules) -> Option<Route> {
    let source = rules.source.answer_by.clone()?;
    // Their own order: they are not held up by what waits on the source's network, nor hold it up.
    let conversation = ConversationKey::new(ticket.id.to_string());
    mail_address(ticket).map(|(to, _)| Route { source, conversation, to, in_place: false })
}

/// A row of the outbox about the ticket, with its entry in the timeline if it has one; the caller pushes it.
pub(super) fn row(
    decision: &Decision,
    kind: NoticeKind,
    cause: Uuid,
    route: Route,
    facts: Facts,
    message: Option<MessageId>,
    now: Moment,
) -> NewDelivery {
    let ticket = &decision.ticket;
    NewDelivery {
        id: DeliveryId::derive(ticket.id, kind.as_str(), cause, &route.to.key()),
        kind,
        ticket: ticket.id,
        message,
        source: route.source,
        conversation: route.conversation,
        to: route.to,
        language: ticket.language,
        facts: Facts { in_place: route.in_place, ..facts },
        state: DeliveryState::Pending,
        reason: None,
        due_at: now,
        expires_at: now + kind.life(),
    }
}

/// Tells the programs that want to know. Their rows never wait for a person's.
pub(super) fn announce(decision: &mut Decision, event: &str, cause: Uuid, rules: &Rules, now: Moment) {
    for subscriber in &rules.desk.subscribers {
        if !subscriber.events.is_empty() && !subscriber.events.iter().any(|wanted| wanted == event) {
            continue;
        }
        let ticket = &decision.ticket;
        let body = serde_json::json!({
            "type": event,
            "timestamp": now,
            "data": {
                "reference": ticket.reference.shown(&rules.desk.prefix).to_string(),
                "state": ticket.state.as_str(),
                "source": ticket.source.as_str(),
                "queue": ticket.queue,
                "category": ticket.category,
                "priority": ticket.priority.as_str(),
                "tier": ticket.tier.as_str(),
                "assignee": ticket.assignee,
                "attention": ticket.attention,
            },
        });
        let to = Party::new(subscriber.source.as_str());
        let kind = format!("{}/{event}", NoticeKind::Event.as_str());
        let facts = Facts {
            reference: ticket.reference.shown(&rules.desk.prefix).to_string(),
            event: Some(body.to_string()),
            ..Facts::default()
        };
        decision.deliveries.push(NewDelivery {
            id: DeliveryId::derive(ticket.id, &kind, cause, subscriber.source.as_str()),
            kind: NoticeKind::Event,
            ticket: ticket.id,
            message: None,
            source: subscriber.source.clone(),
            conversation: ConversationKey::new(ticket.id.to_string()),
            to,
            language: ticket.language,
            facts,
            state: DeliveryState::Pending,
            reason: None,
            due_at: now,
            expires_at: now + NoticeKind::Event.life(),
        });
    }
}

/// Adds the timeline entry and makes the row; the caller pushes it.
fn queue(
    decision: &mut Decision,
    kind: NoticeKind,
    cause: Uuid,
    route: Route,
    facts: Facts,
    ids: &dyn Ids,
    now: Moment,
) -> NewDelivery {
    let entry_kind = if kind == NoticeKind::Reply { EntryKind::Reply } else { EntryKind::Notice };
    let seq = decision.next_seq();
    let entry = Entry {
        id: MessageId(ids.uuid()),
        kind: entry_kind,
        seq: Some(seq),
        author: None,
        verified: true,
        subject: None,
        text: facts.words.clone().unwrap_or_default(),
        full_text: None,
        html: None,
        source: Some(decision.ticket.source.clone()),
        external_ids: Vec::new(),
        at: now,
        reasons: Vec::new(),
    };
    let delivery = row(decision, kind, cause, route, facts, Some(entry.id), now);
    decision.entries.push(entry);
    delivery
}

/// Adds a reason to the first entry of the decision.
pub(super) fn explain(decision: &mut Decision, why: Explained) {
    if let Some(entry) = decision.entries.first_mut() {
        entry.reasons.push(why);
    }
}

/// Whether somebody vouches for the person our answers go to. Who vouches for a writer does not vouch for another
/// address the writer names: answers sent there are neutral, or our words would carry the writer's to a third person.
pub(super) fn is_verified(item: &Item, rules: &Rules) -> bool {
    let elsewhere = match (&item.from, &item.reply_to) {
        (Some(from), Some(reply_to)) => {
            // A colleague's address is vouched for by the same domain; that of another person at a public provider is not.
            let colleague = from
                .domain()
                .is_some_and(|domain| !is_public_provider(&domain) && reply_to.domain().as_ref() == Some(&domain));
            from.key() != reply_to.key() && !colleague
        }
        (None, _) => true,
        (Some(_), None) => false,
    };
    rules.source.trust_all || (!elsewhere && matches!(item.trust, Trust::Verified(_)))
}
