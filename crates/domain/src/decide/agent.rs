//! An agent acts.

use crate::ambient::Ids;
use crate::decide::arrival::promise;
use crate::decide::notice::{announce, route, tell};
use crate::decide::requester::with_link;
use crate::decide::{Decision, event_entry};
use crate::entry::{Entry, EntryKind};
use crate::event::{Act, Action, Refusal, TimerKind, Transition, UNMERGE_WINDOW};
use crate::ids::{MessageId, TicketId};
use crate::inbound::{Explained, Party};
use crate::outgoing::{Facts, NoticeKind};
use crate::reason;
use crate::rules::Rules;
use crate::ticket::{State, Ticket, Tier};
use crate::time::Moment;

/// Longest text an agent may write, in characters.
const MAX_TEXT: usize = 100_000;

/// What follows from `act`, or why it is refused.
pub(super) fn act(ticket: &Ticket, act: &Act, rules: &Rules, ids: &dyn Ids, now: Moment) -> Result<Decision, Refusal> {
    if ticket.merged_into.is_some() && !matches!(act.what, Action::Unmerge { .. }) {
        return Err(refused(ticket, "it was merged; act on the ticket it was merged into"));
    }
    let mut decision = Decision::on(ticket, now);
    decision.ticket.attention = None;
    let event = match &act.what {
        Action::Reply { text, ask } => reply(&mut decision, act, text, *ask, rules, ids, now)?,
        Action::Note { text } => {
            let note = note(act, checked(text)?, ids, now);
            decision.entries.push(note);
            touch(&mut decision, act, now);
            "ticket.note"
        }
        Action::Assign { to } => assign(&mut decision, act, to.as_deref(), ids, now)?,
        Action::Escalate { to, why } => escalate(&mut decision, act, *to, why.as_deref(), ids, now)?,
        Action::Classify { .. } => classify(&mut decision, act, rules, ids, now)?,
        Action::Close { text, silent } => close(&mut decision, act, text.as_deref(), *silent, rules, ids, now)?,
        Action::Reopen { why } => reopen(&mut decision, act, why.as_deref(), ids, now)?,
        Action::Merge { into } => merge(&mut decision, act, *into, ids, now)?,
        Action::Unmerge { to } => unmerge(&mut decision, act, *to, rules, ids, now)?,
        Action::Seen => "ticket.seen",
    };
    announce(&mut decision, event, act.id, rules, now);
    Ok(decision)
}

fn reply(
    decision: &mut Decision,
    act: &Act,
    text: &str,
    ask: bool,
    rules: &Rules,
    ids: &dyn Ids,
    now: Moment,
) -> Result<&'static str, Refusal> {
    let words = checked(text)?.to_owned();
    if decision.ticket.state == State::Closed {
        return Err(refused(&decision.ticket, "reopen it first, then reply"));
    }
    if route(&decision.ticket, rules).is_none() {
        return Err(value("the request named nobody to write to", "write a note instead"));
    }
    let facts = |ticket: &Ticket| facts(ticket, rules, act, Some(words));
    tell(decision, NoticeKind::Reply, act.id, facts, rules, ids, now);
    sign(decision, act);
    decision.ticket.answered_at.get_or_insert(now);
    decision.timers.push((TimerKind::Promise, None));
    decision.overtaken.push(NoticeKind::Delay);
    let to = if ask { State::Waiting } else { State::Open };
    // A late word on a resolved ticket leaves it resolved, unless it asks something.
    if decision.ticket.state != State::Resolved || ask {
        decision.go(to, Some(&act.agent), reason::AGENT_ACTION, now);
    }
    Ok("ticket.replied")
}

fn assign(
    decision: &mut Decision,
    act: &Act,
    to: Option<&str>,
    ids: &dyn Ids,
    now: Moment,
) -> Result<&'static str, Refusal> {
    if to.is_some_and(|name| name.trim().is_empty()) {
        return Err(value("the agent's name is empty", "name an agent, or leave it out to assign to nobody"));
    }
    decision.ticket.assignee = to.map(str::to_owned);
    let words = to.map_or_else(|| "unassigned".to_owned(), |name| format!("assigned to {name}"));
    note_change(decision, act, words, ids, now);
    touch(decision, act, now);
    Ok("ticket.assigned")
}

fn escalate(
    decision: &mut Decision,
    act: &Act,
    to: Option<Tier>,
    why: Option<&str>,
    ids: &dyn Ids,
    now: Moment,
) -> Result<&'static str, Refusal> {
    if !decision.ticket.state.is_live() {
        return Err(refused(&decision.ticket, "reopen it first, then escalate"));
    }
    let from = decision.ticket.tier;
    let to = to.unwrap_or_else(|| from.above());
    if to <= from {
        return Err(value(
            &format!("it is already at {}", from.as_str()),
            "escalate to a higher tier, or assign it to an agent",
        ));
    }
    decision.ticket.tier = to;
    decision.ticket.assignee = None;
    let mut words = format!("escalated from {} to {}", from.as_str(), to.as_str());
    if let Some(why) = why {
        words.push_str(": ");
        words.push_str(why);
    }
    note_change(decision, act, words, ids, now);
    touch(decision, act, now);
    Ok("ticket.escalated")
}

fn classify(
    decision: &mut Decision,
    act: &Act,
    rules: &Rules,
    ids: &dyn Ids,
    now: Moment,
) -> Result<&'static str, Refusal> {
    let Action::Classify { kind, category, impact, urgency } = &act.what else { return Ok("ticket.classified") };
    let mut words = Vec::new();
    if let Some(kind) = kind {
        decision.ticket.kind = *kind;
        words.push(format!("kind {}", kind.as_str()));
    }
    if let Some(category) = category {
        let taxonomy = &rules.desk.taxonomy;
        if taxonomy.category(category).is_none() {
            let keys: Vec<&str> = taxonomy.categories().iter().map(|category| category.key.as_str()).collect();
            return Err(value(
                &format!("there is no category \"{category}\""),
                &format!("use one of: {}", keys.join(", ")),
            ));
        }
        decision.ticket.category.clone_from(category);
        words.push(format!("category {category}"));
    }
    decision.ticket.impact = impact.unwrap_or(decision.ticket.impact);
    decision.ticket.urgency = urgency.unwrap_or(decision.ticket.urgency);
    let priority = rules.desk.matrix.priority(decision.ticket.impact, decision.ticket.urgency);
    if impact.is_some() || urgency.is_some() {
        words.push(format!(
            "impact {}, urgency {}: {}",
            decision.ticket.impact.as_str(),
            decision.ticket.urgency.as_str(),
            priority.as_str()
        ));
    }
    if words.is_empty() {
        return Err(value("nothing to change was named", "name a kind, category, impact or urgency"));
    }
    if priority != decision.ticket.priority && decision.ticket.answered_at.is_none() {
        // What the requester was told stands; the desk works to the new promise.
        let opened = decision.ticket.opened_at;
        let promised_at = promise(&rules.desk.calendar, opened, rules.desk.targets.minutes(priority));
        decision.ticket.promised_at = Some(promised_at);
        if rules.desk.delay_notice && promised_at > now && decision.ticket.state.is_live() {
            decision.timers.push((TimerKind::Promise, Some(promised_at)));
        }
    }
    decision.ticket.priority = priority;
    note_change(decision, act, words.join(", "), ids, now);
    if let Some(entry) = decision.entries.last_mut() {
        entry.reasons.push(Explained::new(reason::PRIORITY_AGENT, priority.as_str()));
    }
    Ok("ticket.classified")
}

fn close(
    decision: &mut Decision,
    act: &Act,
    text: Option<&str>,
    silent: bool,
    rules: &Rules,
    ids: &dyn Ids,
    now: Moment,
) -> Result<&'static str, Refusal> {
    if !decision.ticket.state.is_live() {
        return Err(refused(&decision.ticket, "nothing is left to close"));
    }
    let words = text.map(checked).transpose()?.map(str::to_owned);
    decision.go(State::Resolved, Some(&act.agent), reason::AGENT_ACTION, now);
    decision.overtaken.push(NoticeKind::Delay);
    let window = rules.desk.window_days;
    let day = std::time::Duration::from_hours(24);
    decision.timers.push((TimerKind::Window, Some(now + day * window)));
    if silent {
        if let Some(words) = words {
            let note = note(act, &words, ids, now);
            decision.entries.push(note);
        }
    } else {
        if words.is_some() {
            decision.ticket.answered_at.get_or_insert(now);
        }
        // Until somebody vouches for the requester or an agent has written to them, nothing of theirs is repeated.
        let trusted = decision.ticket.verified || decision.ticket.answered_at.is_some();
        let facts = Facts { window_days: Some(i64::from(window)), ..facts(&decision.ticket, rules, act, words) };
        let facts = if trusted { facts } else { Facts { subject: None, name: None, ..facts } };
        let facts = if decision.ticket.verified { with_link(decision, facts, true, rules, ids) } else { facts };
        let facts = |_: &Ticket| facts;
        tell(decision, NoticeKind::Closure, act.id, facts, rules, ids, now);
        sign(decision, act);
    }
    Ok("ticket.resolved")
}

fn reopen(
    decision: &mut Decision,
    act: &Act,
    why: Option<&str>,
    ids: &dyn Ids,
    now: Moment,
) -> Result<&'static str, Refusal> {
    if decision.ticket.state.is_live() {
        return Err(refused(&decision.ticket, "it is not resolved, so there is nothing to reopen"));
    }
    decision.go(State::Open, Some(&act.agent), reason::AGENT_ACTION, now);
    decision.overtaken.push(NoticeKind::Closure);
    note_change(decision, act, why.map_or_else(|| "reopened".to_owned(), |why| format!("reopened: {why}")), ids, now);
    Ok("ticket.reopened")
}

fn merge(
    decision: &mut Decision,
    act: &Act,
    into: TicketId,
    ids: &dyn Ids,
    now: Moment,
) -> Result<&'static str, Refusal> {
    if into == decision.ticket.id {
        return Err(value("a ticket cannot be merged into itself", "name another ticket"));
    }
    decision.ticket.merged_into = Some(into);
    decision.overtaken.push(NoticeKind::Delay);
    decision.go(State::Closed, Some(&act.agent), reason::MERGED, now);
    note_change(decision, act, "merged into another ticket".to_owned(), ids, now);
    // What is said in the other ticket from here on is said to this one's requester too.
    if let Some(entry) = decision.entries.last_mut() {
        entry.reasons.push(Explained::new(reason::MERGED, ""));
    }
    Ok("ticket.merged")
}

/// Puts a ticket back to where it stood before its merge; what went to the other ticket meanwhile stays there.
fn unmerge(
    decision: &mut Decision,
    act: &Act,
    to: State,
    rules: &Rules,
    ids: &dyn Ids,
    now: Moment,
) -> Result<&'static str, Refusal> {
    let (ticket, by) = (&mut decision.ticket, Some(act.agent.clone()));
    if ticket.merged_into.is_none() {
        return Err(refused(ticket, "it is not merged, so there is nothing to take back"));
    }
    let merged_at = ticket.closed_at.unwrap_or(ticket.opened_at);
    if merged_at + UNMERGE_WINDOW <= now {
        return Err(refused(ticket, "the time to take the merge back is over; work on the ticket it was merged into"));
    }
    ticket.merged_into = None;
    ticket.closed_at = None;
    let from = std::mem::replace(&mut ticket.state, to);
    let day = std::time::Duration::from_hours(24);
    match to {
        State::Resolved => {
            let window = ticket.resolved_at.unwrap_or(now) + day * rules.desk.window_days;
            decision.timers.push((TimerKind::Window, Some(window)));
        }
        State::Closed => ticket.closed_at = Some(now),
        State::New | State::Open | State::Waiting => {
            let promised = ticket.promised_at.filter(|at| ticket.answered_at.is_none() && *at > now);
            if let Some(promised) = promised.filter(|_| rules.desk.delay_notice) {
                decision.timers.push((TimerKind::Promise, Some(promised)));
            }
        }
    }
    decision.transitions.push(Transition { from: Some(from), to, by, why: reason::UNMERGED, at: now });
    note_change(decision, act, "the merge was taken back".to_owned(), ids, now);
    Ok("ticket.unmerged")
}

/// The first act of an agent on a new ticket opens it.
fn touch(decision: &mut Decision, act: &Act, now: Moment) {
    if decision.ticket.state == State::New {
        decision.go(State::Open, Some(&act.agent), reason::AGENT_ACTION, now);
    }
}

fn facts(ticket: &Ticket, rules: &Rules, act: &Act, words: Option<String>) -> Facts {
    Facts {
        reference: ticket.reference.shown(&rules.desk.prefix).to_string(),
        subject: Some(ticket.subject.clone()).filter(|subject| !subject.is_empty()),
        words,
        agent: act.called.clone(),
        name: ticket.requester.as_ref().and_then(|party| party.name.clone()),
        ..Facts::default()
    }
}

/// Enters who wrote what the requester reads: under the address the agent is known by here, which only agents see, and the
/// name the requester reads.
fn sign(decision: &mut Decision, act: &Act) {
    for entry in decision.entries.iter_mut().filter(|entry| entry.seq.is_some()) {
        entry.author = Some(Party { address: act.agent.clone(), name: act.called.clone() });
    }
}

fn note(act: &Act, text: &str, ids: &dyn Ids, now: Moment) -> Entry {
    Entry {
        id: MessageId(ids.uuid()),
        kind: EntryKind::Note,
        author: Some(Party { address: String::new(), name: Some(act.agent.clone()) }),
        ..event_entry(ids, now, text.to_owned())
    }
}

/// Records a change as an event by the agent.
fn note_change(decision: &mut Decision, act: &Act, words: String, ids: &dyn Ids, now: Moment) {
    let entry = event_entry(ids, now, words);
    let author = Some(Party { address: String::new(), name: Some(act.agent.clone()) });
    let reasons = vec![Explained::new(reason::AGENT_ACTION, act.agent.clone())];
    decision.entries.push(Entry { author, reasons, ..entry });
}

fn checked(text: &str) -> Result<&str, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Err(value("the text is empty", "write something"));
    }
    if text.chars().nth(MAX_TEXT).is_some() {
        return Err(value("the text is too long", "write at most 100,000 characters; send the rest as a file"));
    }
    Ok(text)
}

fn refused(ticket: &Ticket, remedy: &'static str) -> Refusal {
    Refusal::State { state: ticket.state, remedy }
}

fn value(what: &str, remedy: &str) -> Refusal {
    Refusal::Value { what: what.to_owned(), remedy: remedy.to_owned() }
}
