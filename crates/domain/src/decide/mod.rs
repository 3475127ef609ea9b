//! The whole business: what follows from an event.
//!
//! [`decide`] takes the ticket as it is (none, when one may be opened), what happened, the operator's rules and the
//! time, and gives back everything that must be recorded in one transaction. It reads and writes nothing.

mod agent;
mod arrival;
mod contact;
mod notice;
mod requester;
mod timer;

#[cfg(test)]
mod tests;

pub use contact::mail_address;

use crate::ambient::Ids;
use crate::entry::{Entry, EntryKind};
use crate::event::{Event, Refusal, TimerKind, Transition};
use crate::ids::{DeliveryId, MessageId, Seq};
use crate::inbound::{Explained, ReportOutcome};
use crate::outgoing::{Facts, NewDelivery, NoticeKind};
use crate::reason::Reason;
use crate::rules::Rules;
use crate::ticket::{State, Ticket};
use crate::time::Moment;

/// Everything that follows from one event, to be recorded together or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The ticket as it is now.
    pub ticket: Ticket,
    /// Whether it is new.
    pub opened: bool,
    /// Entries added to its timeline. The first is the item itself, when the event was an item.
    pub entries: Vec<Entry>,
    /// Rows for the outbox.
    pub deliveries: Vec<NewDelivery>,
    /// Changes of state.
    pub transitions: Vec<Transition>,
    /// Timers set (with their time) or cleared (without).
    pub timers: Vec<(TimerKind, Option<Moment>)>,
    /// People who take part from now on: address keys with the address as written.
    pub participants: Vec<crate::inbound::Party>,
    /// Addresses known from now on not to work.
    pub undeliverable: Vec<(String, Reason)>,
    /// What a report says of a delivery.
    pub outcomes: Vec<(DeliveryId, ReportOutcome, String)>,
    /// Rows of the outbox that are no longer true, if they have not left.
    pub overtaken: Vec<NoticeKind>,
    /// Secret of the status page of a new ticket.
    pub status_token: Option<String>,
    /// Further secrets of the status page.
    pub page_keys: Vec<String>,
    /// Whether every earlier secret of the status page ends: the first of `page_keys` takes their place.
    pub page_renewed: bool,
    /// How the requester found it.
    pub rating: Option<Rating>,
    /// Entries whose words are made of facts though nothing leaves.
    pub worded: Vec<Worded>,
}

/// How a requester found what was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    /// After which closure, from 1.
    pub closure: i64,
    /// 1 (bad) to 5.
    pub score: i64,
    /// Free words.
    pub text: Option<String>,
}

/// An entry that says what a notice would, with nothing that leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Worded {
    /// The entry.
    pub entry: MessageId,
    /// As which notice it is put into words.
    pub kind: NoticeKind,
    /// What it says.
    pub facts: Facts,
}

/// Decides. `ticket` is the ticket an item was located in, or the one an agent or a timer acts on; `None` opens one.
///
/// Only acts of agents and requesters can be refused. Pure, but for new keys drawn from `ids`.
pub fn decide(
    ticket: Option<&Ticket>,
    event: Event<'_>,
    rules: &Rules,
    ids: &dyn Ids,
    now: Moment,
) -> Result<Decision, Refusal> {
    match (ticket, event) {
        (None, Event::Arrived(arrival)) => Ok(arrival::open(&arrival, None, rules, ids, now)),
        (Some(ticket), Event::Arrived(arrival)) => Ok(arrival::join(ticket, &arrival, rules, ids, now)),
        (Some(ticket), Event::Agent(act)) => agent::act(ticket, &act, rules, ids, now),
        (Some(ticket), Event::Requester(act)) => requester::act(ticket, &act, rules, ids, now),
        (Some(ticket), Event::Unread(answers)) => Ok(requester::unread(ticket, &answers, rules, ids, now)),
        (Some(ticket), Event::Timer(kind)) => Ok(timer::due(ticket, kind, rules, ids, now)),
        (Some(ticket), Event::Failed { delivery, why }) => Ok(failed(ticket, delivery, why, rules, ids, now)),
        (None, _) => {
            Err(Refusal::Value { what: "there is no such ticket".to_owned(), remedy: "check the reference".to_owned() })
        }
    }
}

/// A delivery ended badly: an agent must see it.
fn failed(
    ticket: &Ticket,
    delivery: DeliveryId,
    why: Explained,
    rules: &Rules,
    ids: &dyn Ids,
    now: Moment,
) -> Decision {
    let mut decision = Decision::on(ticket, now);
    decision.ticket.attention = Some(why.code.clone());
    let mut entry = event_entry(ids, now, format!("delivery {delivery}: {}", why.code.explanation()));
    entry.reasons.push(why);
    decision.entries.push(entry);
    notice::announce(&mut decision, "ticket.attention", delivery.0, rules, now);
    decision
}

impl Decision {
    /// Nothing yet, about `ticket`.
    fn on(ticket: &Ticket, now: Moment) -> Self {
        let mut ticket = ticket.clone();
        ticket.updated_at = now;
        ticket.version += 1;
        Self::about(ticket, false)
    }

    fn about(ticket: Ticket, opened: bool) -> Self {
        Self {
            ticket,
            opened,
            entries: Vec::new(),
            deliveries: Vec::new(),
            transitions: Vec::new(),
            timers: Vec::new(),
            participants: Vec::new(),
            undeliverable: Vec::new(),
            outcomes: Vec::new(),
            overtaken: Vec::new(),
            status_token: None,
            page_keys: Vec::new(),
            page_renewed: false,
            rating: None,
            worded: Vec::new(),
        }
    }

    /// Gives the next public place.
    fn next_seq(&mut self) -> Seq {
        self.ticket.last_seq += 1;
        Seq(self.ticket.last_seq)
    }

    /// Moves the ticket to `to`, stamping the times that belong to it.
    fn go(&mut self, to: State, by: Option<&str>, why: Reason, now: Moment) {
        let from = self.ticket.state;
        if from == to {
            return;
        }
        match to {
            State::Resolved => {
                self.ticket.resolved_at = Some(now);
                self.ticket.closures += 1;
                self.timers.push((TimerKind::Promise, None));
            }
            State::Closed => {
                self.ticket.closed_at = Some(now);
                self.timers.push((TimerKind::Window, None));
                self.timers.push((TimerKind::Promise, None));
            }
            State::New | State::Open | State::Waiting => {
                if !from.is_live() {
                    self.ticket.reopened += 1;
                    self.ticket.resolved_at = None;
                    self.ticket.closed_at = None;
                    self.timers.push((TimerKind::Window, None));
                }
            }
        }
        self.ticket.state = to;
        self.transitions.push(Transition { from: Some(from), to, by: by.map(str::to_owned), why, at: now });
    }
}

/// An entry nobody outside sees.
fn event_entry(ids: &dyn Ids, now: Moment, text: String) -> Entry {
    Entry {
        id: MessageId(ids.uuid()),
        kind: EntryKind::Event,
        seq: None,
        author: None,
        verified: true,
        subject: None,
        text,
        full_text: None,
        html: None,
        source: None,
        external_ids: Vec::new(),
        at: now,
        reasons: Vec::new(),
    }
}
