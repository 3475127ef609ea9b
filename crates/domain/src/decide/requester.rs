//! The requester acts on their own ticket, by the conversation or by its page.
//!
//! Whoever calls has made sure that it is the requester who asks (the channel that made the conversation's key, or the holder
//! of the page's secret). What is asked twice is refused the second time as [`ACT_ALREADY`](crate::reason::ACT_ALREADY): nothing
//! is left to do.

use uuid::Uuid;

use crate::ambient::Ids;
use crate::caps::Allowance;
use crate::decide::contact::{is_usable, mail_address};
use crate::decide::notice::{Route, announce, mail_route, row};
use crate::decide::{Decision, Rating, Worded, event_entry};
use crate::entry::{Entry, EntryKind};
use crate::event::{Answer, Asked, Line, Refusal, RequesterAct, TimerKind};
use crate::ids::MessageId;
use crate::inbound::{Contact, Explained, address_key};
use crate::outgoing::{DeliveryState, Facts, NoticeKind};
use crate::reason::{self, Reason};
use crate::rules::Rules;
use crate::ticket::{State, Ticket};
use crate::time::Moment;
use crate::token::StatusToken;

/// Longest words of a rating, in characters.
const LONGEST_RATING: usize = 2_000;
/// Longest words of one mail of unread answers or of a transcript, in characters.
const LONGEST_MAIL: usize = 200_000;

/// What follows from an act, or why it is refused.
pub(super) fn act(
    ticket: &Ticket,
    act: &RequesterAct,
    rules: &Rules,
    ids: &dyn Ids,
    now: Moment,
) -> Result<Decision, Refusal> {
    let mut decision = Decision::on(ticket, now);
    match &act.what {
        Asked::Close => close(&mut decision, act.id, rules, ids, now)?,
        Asked::Reopen => reopen(&mut decision, act.id, rules, ids, now)?,
        Asked::Rate { score, text } => rate(&mut decision, act.id, (*score, text.as_deref()), rules, ids, now)?,
        Asked::Contact { address } => contact(&mut decision, address, rules, ids, now)?,
        Asked::Transcript { lines, counts } => {
            let route = mail_route(ticket, rules).ok_or_else(|| no_address("give an e-mail address first"))?;
            let proved = mail_address(ticket).is_some_and(|(_, proved)| proved);
            // Whoever gives the address of somebody else must not be able to write to them in our name.
            let words = lines.iter().filter(|line| proved || line.ours).map(Line::shown).collect::<Vec<_>>();
            let facts =
                Facts { words: Some(cut(&words.join("\n\n"))), whole: proved, ..facts(&decision, proved, rules) };
            let why = reason::TRANSCRIPT;
            send(&mut decision, NoticeKind::Transcript, act.id, route, facts, counts, why, rules, ids, now)?;
        }
        Asked::Link { address, counts } => {
            let route = mail_route(ticket, rules).ok_or_else(|| no_address("this ticket has no e-mail address"))?;
            if !rules.desk.public_pages || route.to.key() != address_key(address) {
                return Err(refused(reason::ACT_ADDRESS, "the address is not this ticket's"));
            }
            link(&mut decision, act.id, route, counts, rules, ids, now)?;
        }
        Asked::Renew { by, counts } => renew(&mut decision, act.id, by.as_deref(), counts, rules, ids, now)?,
    }
    Ok(decision)
}

/// Answers lay unread for a while: they are mailed once, together.
pub(super) fn unread(ticket: &Ticket, answers: &[Answer], rules: &Rules, ids: &dyn Ids, now: Moment) -> Decision {
    let mut decision = Decision::on(ticket, now);
    decision.timers.push((TimerKind::Unread, None));
    let proved = mail_address(ticket).is_some_and(|(_, proved)| proved);
    let (Some(last), Some(route)) = (answers.last(), mail_route(ticket, rules)) else { return decision };
    if !rules.source.mails_unread() || ticket.merged_into.is_some() || ticket.machine {
        return decision;
    }
    let words = answers.iter().map(Answer::shown).collect::<Vec<_>>().join("\n\n");
    let facts = Facts { words: Some(cut(&words)), ..facts(&decision, proved, rules) };
    let facts = with_link(&mut decision, facts, proved, rules, ids);
    let delivery = row(&decision, NoticeKind::Unread, last.entry.0, route, facts, None, now);
    decision.deliveries.push(delivery);
    note(&mut decision, reason::UNREAD_MAILED, answers.len().to_string(), ids, now);
    decision
}

fn close(decision: &mut Decision, id: Uuid, rules: &Rules, ids: &dyn Ids, now: Moment) -> Result<(), Refusal> {
    if !decision.ticket.state.is_live() {
        return Err(already());
    }
    decision.go(State::Resolved, None, reason::CLOSED_BY_REQUESTER, now);
    decision.overtaken.push(NoticeKind::Delay);
    let window = rules.desk.window_days;
    let over = now + std::time::Duration::from_hours(24) * window;
    decision.timers.push((TimerKind::Window, Some(over)));
    if rules.source.mails_unread() {
        decision.timers.push((TimerKind::Unread, None));
    }
    let trusted = decision.ticket.verified || decision.ticket.answered_at.is_some();
    let facts = Facts {
        window_days: Some(i64::from(window)),
        by_requester: true,
        in_place: rules.source.in_place,
        ..facts(decision, trusted, rules)
    };
    let seq = decision.next_seq();
    let entry = Entry {
        id: MessageId(ids.uuid()),
        kind: EntryKind::Notice,
        seq: Some(seq),
        source: Some(decision.ticket.source.clone()),
        reasons: vec![Explained::new(reason::CLOSED_BY_REQUESTER, "")],
        ..event_entry(ids, now, String::new())
    };
    decision.worded.push(Worded { entry: entry.id, kind: NoticeKind::Closure, facts });
    decision.entries.push(entry);
    announce(decision, "ticket.resolved", id, rules, now);
    Ok(())
}

fn reopen(decision: &mut Decision, id: Uuid, rules: &Rules, ids: &dyn Ids, now: Moment) -> Result<(), Refusal> {
    match decision.ticket.state {
        State::Resolved => {}
        State::Closed => {
            return Err(refused(reason::ACT_WINDOW_OVER, "write instead: a new ticket that follows is opened"));
        }
        State::New | State::Open | State::Waiting => return Err(already()),
    }
    decision.go(State::Open, None, reason::REOPENED_BY_REQUESTER, now);
    decision.overtaken.push(NoticeKind::Closure);
    let window = format!("{} d", rules.desk.window_days);
    note(decision, reason::REOPENED_BY_REQUESTER, window, ids, now);
    announce(decision, "ticket.reopened", id, rules, now);
    Ok(())
}

fn rate(
    decision: &mut Decision,
    id: Uuid,
    (score, text): (u8, Option<&str>),
    rules: &Rules,
    ids: &dyn Ids,
    now: Moment,
) -> Result<(), Refusal> {
    if !(1..=5).contains(&score) {
        return Err(refused(reason::ACT_INVALID, "a score is 1 to 5"));
    }
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().nth(LONGEST_RATING).is_some()) {
        return Err(refused(reason::ACT_INVALID, "say it in at most 2,000 characters"));
    }
    match decision.ticket.state {
        State::Resolved => {}
        State::Closed => return Err(refused(reason::ACT_WINDOW_OVER, "the time in which it can be rated is over")),
        State::New | State::Open | State::Waiting => {
            return Err(refused(reason::ACT_NOT_RESOLVED, "rate it when it is closed"));
        }
    }
    decision.rating =
        Some(Rating { closure: decision.ticket.closures, score: i64::from(score), text: text.map(str::to_owned) });
    let words = text.map_or_else(|| format!("{score} of 5"), |text| format!("{score} of 5: {text}"));
    note(decision, reason::RATED, words, ids, now);
    announce(decision, "ticket.rated", id, rules, now);
    Ok(())
}

fn contact(decision: &mut Decision, address: &str, rules: &Rules, ids: &dyn Ids, now: Moment) -> Result<(), Refusal> {
    let address = address.trim();
    if !is_usable(address, rules) {
        return Err(refused(reason::ACT_ADDRESS, "this is no e-mail address that can be written to"));
    }
    match &decision.ticket.contact {
        Some(known) if address_key(&known.address) == address_key(address) => return Err(already()),
        Some(known) if known.verified => {
            return Err(refused(reason::ACT_CONTACT_KEPT, "a proved address is known, and answers go there"));
        }
        _ => {}
    }
    decision.ticket.contact = Some(Contact { address: address.to_owned(), verified: false });
    if rules.source.mails_unread() {
        // Answers may lie unread since before: whether they do is seen when the time comes.
        decision.timers.push((TimerKind::Unread, Some(now + rules.source.unread_pause())));
    }
    note(decision, reason::CONTACT_GIVEN, address.to_owned(), ids, now);
    Ok(())
}

fn link(
    decision: &mut Decision,
    id: Uuid,
    route: Route,
    counts: &crate::caps::Counts,
    rules: &Rules,
    ids: &dyn Ids,
    now: Moment,
) -> Result<(), Refusal> {
    let proved = mail_address(&decision.ticket).is_some_and(|(_, proved)| proved);
    let facts = facts(decision, proved, rules);
    let facts = with_link(decision, facts, true, rules, ids);
    send(decision, NoticeKind::Link, id, route, facts, counts, reason::PAGE_LINK, rules, ids, now)
}

/// Every earlier key of the page ends. By an agent, the new one is mailed; the requester who asks by the page is shown it.
fn renew(
    decision: &mut Decision,
    id: Uuid,
    by: Option<&str>,
    counts: &crate::caps::Counts,
    rules: &Rules,
    ids: &dyn Ids,
    now: Moment,
) -> Result<(), Refusal> {
    if !rules.desk.public_pages {
        return Err(refused(reason::ACT_INVALID, "this desk has no public pages: set [desk] public_url"));
    }
    decision.page_renewed = true;
    if by.is_some() {
        let route = mail_route(&decision.ticket, rules)
            .ok_or_else(|| no_address("there is no e-mail address the new link could go to"))?;
        link(decision, id, route, counts, rules, ids, now)?;
    } else {
        decision.page_keys.push(StatusToken::draw(ids).as_str().to_owned());
    }
    note(decision, reason::PAGE_RENEWED, by.unwrap_or_default().to_owned(), ids, now);
    Ok(())
}

/// Queues one mail about the ticket within the caps, with nothing in the public timeline.
#[expect(clippy::too_many_arguments, reason = "what a mail is made of, each from elsewhere")]
fn send(
    decision: &mut Decision,
    kind: NoticeKind,
    cause: Uuid,
    route: Route,
    facts: Facts,
    counts: &crate::caps::Counts,
    why: Reason,
    rules: &Rules,
    ids: &dyn Ids,
    now: Moment,
) -> Result<(), Refusal> {
    if decision.ticket.machine {
        return Err(no_address("the requester is a machine"));
    }
    let mut delivery = row(decision, kind, cause, route, facts, None, now);
    match rules.desk.caps.allow(counts, delivery.to.domain().as_deref(), now) {
        Allowance::Allowed => {}
        Allowance::Suppressed(_) => {
            return Err(refused(reason::ACT_CAPPED, "too many messages went to this address; try again later"));
        }
        Allowance::DelayUntil { until, reason } => {
            delivery.state = DeliveryState::Pending;
            delivery.reason = Some(reason);
            delivery.due_at = until;
            delivery.expires_at = until + kind.life();
        }
    }
    let address = delivery.to.address.clone();
    decision.deliveries.push(delivery);
    note(decision, why, address, ids, now);
    Ok(())
}

/// Facts of a mail about the ticket: nothing a stranger wrote goes to an address nobody vouches for.
fn facts(decision: &Decision, trusted: bool, rules: &Rules) -> Facts {
    let ticket = &decision.ticket;
    Facts {
        reference: ticket.reference.shown(&rules.desk.prefix).to_string(),
        subject: Some(ticket.subject.clone()).filter(|subject| trusted && !subject.is_empty()),
        name: ticket.requester.as_ref().and_then(|party| party.name.clone()).filter(|_| trusted),
        ..Facts::default()
    }
}

/// Adds a link to the status page with a key of its own, where there are pages and the reader may see this one.
pub(super) fn with_link(decision: &mut Decision, facts: Facts, may_see: bool, rules: &Rules, ids: &dyn Ids) -> Facts {
    if !rules.desk.public_pages || !may_see {
        return facts;
    }
    let token = StatusToken::draw(ids).as_str().to_owned();
    decision.page_keys.push(token.clone());
    Facts { status_token: Some(token), ..facts }
}

/// Enters what happened for the agents, by nobody of the desk.
fn note(decision: &mut Decision, code: Reason, detail: String, ids: &dyn Ids, now: Moment) {
    let words =
        if detail.is_empty() { code.explanation().to_owned() } else { format!("{} {detail}", code.explanation()) };
    let entry = event_entry(ids, now, words);
    let author = decision.ticket.requester.clone();
    decision.entries.push(Entry { author, reasons: vec![Explained::new(code, detail)], ..entry });
}

fn cut(words: &str) -> String {
    match words.char_indices().nth(LONGEST_MAIL) {
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
        None => words.to_owned(),
    }
}

fn refused(code: Reason, why: &'static str) -> Refusal {
    Refusal::Impossible { code, why }
}

fn already() -> Refusal {
    refused(reason::ACT_ALREADY, "nothing is left to do")
}

fn no_address(why: &'static str) -> Refusal {
    refused(reason::ACT_NO_ADDRESS, why)
}
