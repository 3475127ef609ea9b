//! A timer is due. It may come late or twice: what it finds decides, not that it came.

use crate::ambient::Ids;
use crate::decide::arrival::promise;
use crate::decide::notice::{announce, tell};
use crate::decide::{Decision, event_entry};
use crate::event::TimerKind;
use crate::inbound::Explained;
use crate::outgoing::{Facts, NoticeKind};
use crate::reason;
use crate::rules::Rules;
use crate::ticket::{State, Ticket};
use crate::time::Moment;

/// What follows when `kind` is due on `ticket`. The timer itself is always cleared or set anew.
pub(super) fn due(ticket: &Ticket, kind: TimerKind, rules: &Rules, ids: &dyn Ids, now: Moment) -> Decision {
    let mut decision = Decision::on(ticket, now);
    decision.timers.push((kind, None));
    match kind {
        TimerKind::Window if ticket.state == State::Resolved => {
            decision.go(State::Closed, None, reason::TIMER_WINDOW, now);
            announce(&mut decision, "ticket.closed", cause(ticket), rules, now);
        }
        TimerKind::Promise if ticket.state.is_live() && ticket.answered_at.is_none() => {
            missed(&mut decision, ticket, rules, ids, now);
        }
        TimerKind::Window | TimerKind::Promise | TimerKind::Unread => {}
    }
    decision
}

/// The promise was missed: agents see it, and the requester hears it once, with a new promise.
fn missed(decision: &mut Decision, ticket: &Ticket, rules: &Rules, ids: &dyn Ids, now: Moment) {
    let next = promise(&rules.desk.calendar, now, rules.desk.targets.minutes(ticket.priority));
    decision.ticket.attention = Some(reason::TIMER_PROMISE);
    let mut entry = event_entry(ids, now, reason::TIMER_PROMISE.explanation().to_owned());
    entry.reasons.push(Explained::new(reason::TIMER_PROMISE, ""));
    decision.entries.push(entry);
    if rules.desk.delay_notice && ticket.verified {
        decision.ticket.promised_at = Some(next);
        let facts = |ticket: &Ticket| Facts {
            reference: ticket.reference.shown(&rules.desk.prefix).to_string(),
            subject: Some(ticket.subject.clone()).filter(|subject| !subject.is_empty()),
            promised_at: Some(next),
            zone: Some(rules.desk.calendar.zone_name().to_owned()),
            name: ticket.requester.as_ref().and_then(|party| party.name.clone()),
            ..Facts::default()
        };
        tell(decision, NoticeKind::Delay, ticket.id.0, facts, rules, ids, now);
    }
    announce(decision, "ticket.promise_missed", ticket.id.0, rules, now);
}

/// One closing for each resolution: the cause changes with it, so that its event is sent once each.
fn cause(ticket: &Ticket) -> uuid::Uuid {
    uuid::Uuid::new_v5(&ticket.id.0, &ticket.closures.to_be_bytes())
}
