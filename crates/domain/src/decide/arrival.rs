//! An item came in: it opens a ticket, or joins one.

use crate::ambient::Ids;
use crate::calendar::Calendar;
use crate::courtesy;
use crate::decide::contact;
use crate::decide::notice::{acknowledge, announce, explain, is_verified};
use crate::decide::{Decision, event_entry};
use crate::entry::{Entry, EntryKind};
use crate::event::{Arrival, TimerKind, Transition};
use crate::ids::{ConversationKey, MessageId, TicketId};
use crate::inbound::{Explained, Item, Nature, Party, Report, ReportOutcome, address_key};
use crate::language::Language;
use crate::outgoing::NoticeKind;
use crate::reason;
use crate::rules::Rules;
use crate::ticket::{State, Ticket, Tier};
use crate::time::Moment;

/// Opens a ticket, following `before` when that one is closed.
pub(super) fn open(
    arrival: &Arrival<'_>,
    before: Option<&Ticket>,
    rules: &Rules,
    ids: &dyn Ids,
    now: Moment,
) -> Decision {
    let item = arrival.item;
    let desk = &rules.desk;
    let subject = item.subject.clone().unwrap_or_default();
    let language = item.language.or(before.map(|ticket| ticket.language)).unwrap_or(Language::En);
    let worked_out;
    let triage = match arrival.triage {
        Some((read_in, ahead)) if *read_in == language => ahead,
        _ => {
            worked_out = desk.taxonomy.classify(&subject, item.words(), language);
            &worked_out
        }
    };
    let chosen = item.category.clone().filter(|key| desk.taxonomy.category(key).is_some());
    let priority = desk.matrix.priority(triage.impact, triage.urgency);
    let promised_at = promise(&desk.calendar, arrival.received_at, desk.targets.minutes(priority));
    let ticket = Ticket {
        id: arrival.fresh.ticket,
        reference: arrival.fresh.reference,
        state: State::New,
        kind: triage.kind,
        subject,
        language,
        source: rules.source.name.clone(),
        conversation: conversation(item, arrival.fresh.ticket),
        requester: requester(item, rules),
        verified: is_verified(item, rules),
        machine: item.machine.is_some(),
        queue: desk.queue.clone(),
        category: chosen.unwrap_or_else(|| triage.category.clone()),
        impact: triage.impact,
        urgency: triage.urgency,
        priority,
        assignee: None,
        tier: Tier::L1,
        attention: arrival.linked.is_some().then_some(reason::STRANGER_REFERENCE),
        promised_at: Some(promised_at),
        opened_at: now,
        answered_at: None,
        resolved_at: None,
        closed_at: None,
        updated_at: now,
        closures: 0,
        reopened: 0,
        follows: before.map(|ticket| ticket.id),
        linked: arrival.linked,
        merged_into: None,
        last_seq: 0,
        version: 1,
        contact: contact::of_item(None, item, rules),
    };
    let mut decision = Decision::about(ticket, true);
    decision.status_token = Some(arrival.fresh.status_token.clone());
    let mut entry = item_entry(&mut decision, arrival, true, ids, now);
    entry.reasons.extend(triage.why.iter().cloned());
    entry.reasons.push(Explained::new(
        reason::PRIORITY_MATRIX,
        format!("{} x {} = {}", triage.impact.as_str(), triage.urgency.as_str(), priority.as_str()),
    ));
    entry.reasons.push(Explained::new(reason::PROMISE, promised_at.to_string()));
    if arrival.linked.is_some() {
        entry.reasons.push(Explained::new(reason::STRANGER_REFERENCE, ""));
    }
    if before.is_some() {
        entry.reasons.push(Explained::new(reason::FOLLOWS_CLOSED, ""));
    }
    decision.entries.push(entry);
    decision.participants.extend(participants(item, rules));
    decision.transitions.push(Transition { from: None, to: State::New, by: None, why: arrival.how.clone(), at: now });
    if desk.delay_notice && arrival.quiet.is_none() {
        decision.timers.push((TimerKind::Promise, Some(promised_at)));
    }
    acknowledge(&mut decision, arrival, rules, ids, now);
    announce(&mut decision, "ticket.opened", arrival.inbound.0, rules, now);
    decision
}

/// Adds the item to `ticket`; a closed one is followed by a new one instead.
pub(super) fn join(ticket: &Ticket, arrival: &Arrival<'_>, rules: &Rules, ids: &dyn Ids, now: Moment) -> Decision {
    match &arrival.item.nature {
        Nature::Report(reports) => return report(ticket, arrival, reports, rules, ids, now),
        Nature::Message if ticket.state == State::Closed && !is_machine(arrival) => {
            return open(arrival, Some(ticket), rules, ids, now);
        }
        Nature::Message | Nature::AutoReply => {}
    }
    let mut decision = Decision::on(ticket, now);
    let mut entry = item_entry(&mut decision, arrival, arrival.known, ids, now);
    // What came by another way is told apart: its id means nothing on the ticket's own network.
    entry.source = (ticket.source != rules.source.name).then(|| rules.source.name.clone());
    decision.entries.push(entry);
    if arrival.known {
        decision.participants.extend(participants(arrival.item, rules));
        decision.ticket.contact = contact::of_item(ticket.contact.as_ref(), arrival.item, rules);
    } else if is_contact(ticket, arrival.item) {
        explain(&mut decision, Explained::new(reason::CONTACT_ANSWERED, ""));
    } else {
        explain(&mut decision, Explained::new(reason::STRANGER_THREAD, ""));
        decision.ticket.attention = Some(reason::STRANGER_THREAD);
    }
    let window = i64::from(rules.desk.window_days);
    match ticket.state {
        State::New | State::Open | State::Closed => {}
        State::Waiting | State::Resolved if is_machine(arrival) => {
            explain(&mut decision, Explained::new(reason::REOPEN_MACHINE, ""));
        }
        State::Resolved if !courtesy::has_content(&arrival.item.reply_text) && arrival.item.attachments.is_empty() => {
            explain(&mut decision, Explained::new(reason::REOPEN_COURTESY, ""));
        }
        State::Waiting | State::Resolved => {
            explain(&mut decision, Explained::new(reason::REOPENED_BY_REQUESTER, format!("{window} d")));
            decision.go(State::Open, None, reason::REOPENED_BY_REQUESTER, now);
        }
    }
    // Whoever writes has read what was written; a ticket of mail alone has no such timer.
    if !is_machine(arrival) && (ticket.source != rules.source.name || rules.source.mails_unread()) {
        decision.timers.push((TimerKind::Unread, None));
        decision.overtaken.push(NoticeKind::Unread);
    }
    announce(&mut decision, "ticket.message", arrival.inbound.0, rules, now);
    decision
}

/// The network tells what became of something we sent: noted, shown, never answered.
fn report(
    ticket: &Ticket,
    arrival: &Arrival<'_>,
    reports: &[Report],
    rules: &Rules,
    ids: &dyn Ids,
    now: Moment,
) -> Decision {
    let mut decision = Decision::on(ticket, now);
    let mut entry = event_entry(ids, now, arrival.item.words().to_owned());
    entry.subject.clone_from(&arrival.item.subject);
    entry.source = Some(rules.source.name.clone());
    entry.external_ids.clone_from(&arrival.item.own_ids);
    entry.reasons.push(Explained::new(arrival.how.clone(), ""));
    let mut grave = false;
    for report in reports {
        let code = match report.outcome {
            ReportOutcome::Failed if report.hard => reason::REPORT_HARD,
            ReportOutcome::Failed => reason::REPORT_FAILED,
            ReportOutcome::Delayed => reason::REPORT_DELAYED,
            ReportOutcome::Delivered => reason::REPORT_DELIVERED,
            ReportOutcome::Complaint => reason::REPORT_COMPLAINT,
        };
        let words = [report.status.as_deref(), report.diagnostic.as_deref()].into_iter().flatten().collect::<Vec<_>>();
        let words = words.join(" ");
        if matches!(report.outcome, ReportOutcome::Failed | ReportOutcome::Complaint) {
            grave = true;
            decision.ticket.attention = Some(code.clone());
        }
        // A report can be forged by anybody who saw one of our tokens: it may only condemn the ticket's own requester.
        let ours =
            |address: &&String| ticket.requester.as_ref().is_some_and(|party| party.key() == address.to_lowercase());
        if report.hard && report.outcome == ReportOutcome::Failed {
            let address = report.recipient.as_ref().filter(ours).cloned().or_else(|| {
                arrival.delivery.and(ticket.requester.as_ref()).map(Party::key).filter(|_| report.recipient.is_none())
            });
            decision.undeliverable.extend(address.map(|address| (address.to_lowercase(), reason::REPORT_HARD)));
        }
        if let Some(delivery) = arrival.delivery {
            decision.outcomes.push((delivery, report.outcome, words.clone()));
        }
        entry.reasons.push(Explained::new(code, words));
    }
    decision.entries.push(entry);
    if grave {
        announce(&mut decision, "ticket.attention", arrival.inbound.0, rules, now);
    }
    decision
}

/// Whether the writer has the address the requester gave. It has no say beyond this ticket, and nobody vouches for it.
fn is_contact(ticket: &Ticket, item: &Item) -> bool {
    let contact = ticket.contact.as_ref().map(|contact| address_key(&contact.address));
    contact.is_some() && contact == item.from.as_ref().map(Party::key)
}

fn is_machine(arrival: &Arrival<'_>) -> bool {
    arrival.item.machine.is_some() || arrival.item.nature == Nature::AutoReply
}

/// When an answer is promised for something received at `from`.
pub(super) fn promise(calendar: &Calendar, from: Moment, minutes: u32) -> Moment {
    calendar.add_open_time(from, i64::from(minutes))
}

fn conversation(item: &Item, ticket: TicketId) -> ConversationKey {
    item.conversation.clone().unwrap_or_else(|| ConversationKey::new(ticket.to_string()))
}

/// Whom the answers go to: where the writer wants them, else the writer. Never the other recipients, and never ourselves:
/// two of our mailboxes would answer each other.
fn requester(item: &Item, rules: &Rules) -> Option<Party> {
    let theirs = |party: &&Party| !rules.desk.is_ours(&party.key());
    let from = item.from.clone().filter(|from| theirs(&from));
    match (item.reply_to.as_ref().filter(theirs), from) {
        (Some(reply_to), Some(from)) if reply_to.key() != from.key() => {
            Some(Party { address: reply_to.address.clone(), name: reply_to.name.clone().or(from.name) })
        }
        (Some(reply_to), None) => Some(reply_to.clone()),
        (_, from) => from,
    }
}

/// Who takes part: the writer, where the writer wants answers, and the others addressed, without ourselves.
fn participants(item: &Item, rules: &Rules) -> Vec<Party> {
    let mut people: Vec<Party> = Vec::new();
    let proved = item.contact.as_ref().filter(|contact| contact.verified).map(|contact| Party::new(&contact.address));
    for party in item.from.iter().chain(&item.reply_to).chain(&item.recipients).chain(&proved) {
        let key = party.key();
        if !rules.desk.is_ours(&key) && !people.iter().any(|known| known.key() == key) {
            people.push(party.clone());
        }
    }
    people
}

/// The item as an entry of the timeline, with the reasons that are known already.
fn item_entry(decision: &mut Decision, arrival: &Arrival<'_>, known: bool, ids: &dyn Ids, now: Moment) -> Entry {
    let item = arrival.item;
    let mut reasons = vec![Explained::new(arrival.how.clone(), "")];
    reasons.extend(item.notes.iter().cloned());
    let seq = decision.next_seq();
    Entry {
        id: MessageId(ids.uuid()),
        kind: EntryKind::Inbound,
        seq: Some(seq),
        author: item.from.clone(),
        verified: known,
        subject: item.subject.clone(),
        text: item.words().to_owned(),
        full_text: Some(&item.text).filter(|text| text.trim() != item.words().trim()).cloned(),
        html: item.html.clone(),
        source: None,
        external_ids: item.own_ids.clone(),
        at: now,
        reasons,
    }
}
