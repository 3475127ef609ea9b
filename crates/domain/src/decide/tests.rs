//! The business as people would tell it.

mod requester;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::caps::Counts;
use crate::event::{Act, Action, Arrival, Fresh};
use crate::ids::{InboundId, SourceName, TicketId};
use crate::inbound::{Item, Machine, Nature, Party, Report, Trust};
use crate::outgoing::{DeliveryState, NoticeKind};
use crate::reason::{self, Reason};
use crate::reference::Reference;
use crate::rules::{DeskRules, SourceRules, Subscriber};
use crate::ticket::Tier;

struct Counter(AtomicU64);

impl Ids for Counter {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)) + 1_000)
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// One desk in a test: open day and night, its own ids, a clock that each step names.
struct Desk {
    rules: Rules,
    ids: Counter,
}

const NOON: Moment = Moment::from_secs(1_795_348_800);

fn at(minutes: u64) -> Moment {
    NOON + Duration::from_secs(60 * minutes)
}

impl Desk {
    fn new() -> Self {
        let desk = DeskRules {
            prefix: "GT".into(),
            taxonomy: crate::triage::Taxonomy::default(),
            matrix: crate::priority::Matrix::default(),
            targets: crate::priority::Targets::default(),
            queue: "support".into(),
            calendar: crate::calendar::Calendar::always(),
            window_days: 7,
            caps: crate::caps::Caps::default(),
            public_pages: true,
            delay_notice: true,
            blocked: vec!["@spam.test".into()],
            ours: ["support@desk.test", "hr@desk.test"].map(String::from).into(),
            subscribers: Vec::new(),
        };
        let source = SourceRules {
            name: SourceName::from("support-mail"),
            acknowledge: true,
            trust_all: false,
            addresses: vec!["support@desk.test".into()],
            sends: true,
            in_place: false,
            answer_by: None,
            unread_minutes: 10,
        };
        Self { rules: Rules { desk: Arc::new(desk), source: Arc::new(source) }, ids: Counter(AtomicU64::new(0)) }
    }

    fn arrival<'a>(&self, item: &'a Item) -> Arrival<'a> {
        Arrival {
            item,
            inbound: InboundId(self.ids.uuid()),
            how: reason::LOCATED_NEW,
            known: true,
            delivery: None,
            linked: None,
            quiet: None,
            triage: None,
            fresh: Fresh {
                ticket: TicketId(self.ids.uuid()),
                reference: Reference::from_free(482_109_375),
                status_token: "status-secret".into(),
            },
            counts: Counts::default(),
            undeliverable: false,
            received_at: NOON,
        }
    }

    fn open(&self, item: &Item) -> Decision {
        self.open_with(self.arrival(item))
    }

    fn open_with(&self, arrival: Arrival<'_>) -> Decision {
        decide(None, Event::Arrived(arrival), &self.rules, &self.ids, NOON).unwrap()
    }

    fn writes(&self, ticket: &Ticket, item: &Item, now: Moment) -> Decision {
        let arrival = Arrival { how: reason::LOCATED_ID, ..self.arrival(item) };
        decide(Some(ticket), Event::Arrived(arrival), &self.rules, &self.ids, now).unwrap()
    }

    fn acts(&self, ticket: &Ticket, what: Action, now: Moment) -> Result<Decision, Refusal> {
        let act = Act { agent: "ada".into(), called: Some("Ada Martin".into()), id: self.ids.uuid(), what };
        decide(Some(ticket), Event::Agent(act), &self.rules, &self.ids, now)
    }

    fn closes(&self, ticket: &Ticket, now: Moment) -> Decision {
        self.acts(ticket, Action::Close { text: Some("Toner replaced.".into()), silent: false }, now).unwrap()
    }

    fn due(&self, ticket: &Ticket, kind: TimerKind, now: Moment) -> Decision {
        decide(Some(ticket), Event::Timer(kind), &self.rules, &self.ids, now).unwrap()
    }
}

fn jean(words: &str) -> Item {
    Item {
        from: Some(Party { address: "Jean@client.test".into(), name: Some("Jean".into()) }),
        recipients: vec![Party::new("support@desk.test")],
        subject: Some("Printer broken".into()),
        text: words.into(),
        reply_text: words.into(),
        trust: Trust::Verified(Reason::of("trust.dmarc")),
        ..Item::default()
    }
}

fn reasons(decision: &Decision) -> Vec<&str> {
    decision.entries.iter().flat_map(|entry| &entry.reasons).map(|why| why.code.as_str()).collect()
}

fn kinds(decision: &Decision) -> Vec<NoticeKind> {
    decision.deliveries.iter().map(|delivery| delivery.kind).collect()
}

#[test]
fn a_request_opens_one_ticket_with_one_acknowledgement_that_promises() {
    let desk = Desk::new();
    let opened = desk.open(&jean("The printer on the third floor is broken."));
    assert!(opened.opened);
    assert_eq!(opened.ticket.state, State::New);
    assert_eq!(opened.ticket.category, "hardware");
    assert_eq!(kinds(&opened), [NoticeKind::Acknowledgement]);
    let ack = &opened.deliveries[0];
    assert_eq!(ack.to.address, "Jean@client.test");
    assert_eq!(ack.facts.subject.as_deref(), Some("Printer broken"));
    assert_eq!(ack.facts.status_token.as_deref(), Some("status-secret"));
    let promised = opened.ticket.promised_at.unwrap();
    assert_eq!(ack.facts.promised_at, Some(promised));
    assert_eq!(opened.timers, [(TimerKind::Promise, Some(promised))]);
    assert_eq!(opened.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [Some(Seq(1)), Some(Seq(2))]);
}

#[test]
fn an_acknowledgement_to_somebody_nobody_vouches_for_repeats_nothing_of_theirs() {
    let desk = Desk::new();
    let opened = desk.open(&Item { trust: Trust::Unverified, ..jean("Buy now http://evil.test") });
    let facts = &opened.deliveries[0].facts;
    assert_eq!((&facts.subject, &facts.category, &facts.name, &facts.status_token), (&None, &None, &None, &None));
    assert!(!facts.reference.is_empty());
    assert!(reasons(&opened).contains(&"ack.neutral"));
}

#[test]
fn vouching_for_the_writer_does_not_vouch_for_another_reply_address() {
    let desk = Desk::new();
    let victim = Item { reply_to: Some(Party::new("victim@elsewhere.test")), ..jean("Read my advertisement") };
    let opened = desk.open(&victim);
    assert_eq!(opened.deliveries[0].to.address, "victim@elsewhere.test");
    assert_eq!(opened.deliveries[0].facts.subject, None);
}

#[test]
fn a_colleague_hears_the_subject_and_a_stranger_at_the_same_public_provider_does_not() {
    let desk = Desk::new();
    let subject_told = |from: &str, reply_to: &str| {
        let item = jean("Read my advertisement");
        let item = Item { from: Some(Party::new(from)), reply_to: Some(Party::new(reply_to)), ..item };
        desk.open(&item).deliveries[0].facts.subject.is_some()
    };
    assert!(subject_told("jean@client.test", "team@client.test"));
    assert!(!subject_told("eve@gmail.com", "victim@gmail.com"));
}

#[test]
fn our_own_mailboxes_are_never_written_to_and_take_part_in_nothing() {
    let desk = Desk::new();
    let between = Item {
        from: Some(Party::new("HR@desk.test")),
        recipients: vec![
            Party::new("support@desk.test"),
            Party::new("hr+token@desk.test"),
            Party::new("eva@client.test"),
        ],
        ..jean("Please answer me.")
    };
    let opened = desk.open(&between);
    assert_eq!(opened.ticket.requester, None);
    assert_eq!(opened.participants.iter().map(Party::key).collect::<Vec<_>>(), ["eva@client.test"]);
    assert_eq!(kinds(&opened), []);
    assert!(reasons(&opened).contains(&"ack.none.no_address"));

    let bait = Item { reply_to: Some(Party::new("hr@desk.test")), ..jean("Please answer there.") };
    let opened = desk.open(&bait);
    assert_eq!(opened.ticket.requester.map(|party| party.key()), Some("jean@client.test".to_owned()));
    assert_eq!(opened.participants.iter().map(Party::key).collect::<Vec<_>>(), ["jean@client.test"]);
}

#[test]
fn the_requester_reads_an_agents_name_and_never_a_login() {
    let desk = Desk::new();
    let ticket = desk.open(&jean("Toner?")).ticket;
    for decision in [
        desk.acts(&ticket, Action::Reply { text: "On my way.".into(), ask: false }, at(1)).unwrap(),
        desk.closes(&ticket, at(1)),
    ] {
        assert_eq!(decision.deliveries[0].facts.agent.as_deref(), Some("Ada Martin"));
        let told = decision.entries.iter().find(|entry| entry.seq.is_some()).unwrap();
        let author = told.author.as_ref().unwrap();
        assert_eq!(
            (author.address.as_str(), author.name.as_deref()),
            ("ada", Some("Ada Martin")),
            "agents see who it was"
        );
    }
}

#[test]
fn a_machine_gets_a_ticket_and_no_automatic_word_ever() {
    let desk = Desk::new();
    let machine = Some(Machine { reason: Reason::of("machine.precedence"), detail: "Precedence: bulk".into() });
    let opened = desk.open(&Item { machine, ..jean("Nightly backup failed") });
    assert_eq!(kinds(&opened), []);
    assert!(reasons(&opened).contains(&"ack.none.machine"));
    let resolved = desk.closes(&opened.ticket, at(5));
    assert_eq!(kinds(&resolved), []);
    assert!(resolved.ticket.state == State::Resolved);
}

#[test]
fn history_blind_copies_and_dead_addresses_are_registered_without_acknowledgement() {
    let desk = Desk::new();
    let item = jean("Hello");
    let history = Arrival { quiet: Some(reason::ACK_HISTORY), ..desk.arrival(&item) };
    assert!(reasons(&desk.open_with(history)).contains(&"ack.none.history"));
    let dead = Arrival { undeliverable: true, ..desk.arrival(&item) };
    assert!(reasons(&desk.open_with(dead)).contains(&"ack.none.undeliverable"));
    let blind = Item { recipients: vec![Party::new("list@elsewhere.test")], ..jean("Hello") };
    assert!(reasons(&desk.open(&blind)).contains(&"ack.none.not_addressed"));
    let nobody = Item { from: None, ..jean("Hello") };
    assert!(reasons(&desk.open(&nobody)).contains(&"ack.none.no_address"));
}

#[test]
fn the_sixth_acknowledgement_of_an_hour_is_suppressed_and_says_so() {
    let desk = Desk::new();
    let item = jean("Again");
    let sixth = Arrival { counts: Counts { sender_hour: 5, ..Counts::default() }, ..desk.arrival(&item) };
    let opened = desk.open_with(sixth);
    let ack = &opened.deliveries[0];
    assert_eq!(ack.state, DeliveryState::Suppressed);
    assert_eq!(ack.reason, Some(reason::CAP_SENDER_HOUR));
    assert_eq!(opened.ticket.last_seq, 1, "what never leaves has no place in the timeline");
    assert_eq!(opened.entries.len(), 1);
}

#[test]
fn the_breaker_delays_and_suppresses_nothing() {
    let desk = Desk::new();
    let item = jean("Flood");
    let flood = Counts { global_hour: 1_000, trailing_mean: 2.0, ..Counts::default() };
    let opened = desk.open_with(Arrival { counts: flood, ..desk.arrival(&item) });
    let ack = &opened.deliveries[0];
    assert_eq!(ack.state, DeliveryState::Pending);
    assert!(ack.due_at > NOON && ack.expires_at > ack.due_at);
}

#[test]
fn an_agents_first_act_opens_the_ticket_and_an_answer_ends_the_promise() {
    let desk = Desk::new();
    let ticket = desk.open(&jean("Help")).ticket;
    let assigned = desk.acts(&ticket, Action::Assign { to: Some("Ada".into()) }, at(1)).unwrap();
    assert_eq!(assigned.ticket.state, State::Open);
    let replied = desk.acts(&assigned.ticket, Action::Reply { text: "On our way".into(), ask: false }, at(2)).unwrap();
    assert_eq!(kinds(&replied), [NoticeKind::Reply]);
    assert_eq!(replied.ticket.answered_at, Some(at(2)));
    assert!(replied.timers.contains(&(TimerKind::Promise, None)));
}

#[test]
fn a_question_waits_and_the_answer_opens_again() {
    let desk = Desk::new();
    let ticket = desk.open(&jean("Help")).ticket;
    let asked = desk.acts(&ticket, Action::Reply { text: "Which floor?".into(), ask: true }, at(1)).unwrap().ticket;
    assert_eq!(asked.state, State::Waiting);
    assert_eq!(desk.writes(&asked, &jean("The third one"), at(2)).ticket.state, State::Open);
}

#[test]
fn closing_tells_and_a_question_within_the_window_reopens() {
    let desk = Desk::new();
    let ticket = desk.open(&jean("Help")).ticket;
    let resolved = desk.closes(&ticket, at(10));
    assert_eq!(kinds(&resolved), [NoticeKind::Closure]);
    assert_eq!(resolved.deliveries[0].facts.words.as_deref(), Some("Toner replaced."));
    assert!(resolved.timers.contains(&(TimerKind::Window, Some(at(10 + 7 * 24 * 60)))));
    let again = desk.writes(&resolved.ticket, &jean("It is still broken, what now?"), at(20));
    assert_eq!(again.ticket.state, State::Open);
    assert_eq!(again.ticket.reopened, 1);
    assert!(again.timers.contains(&(TimerKind::Window, None)));
    let closed_again = desk.closes(&again.ticket, at(30));
    assert_eq!(kinds(&closed_again), [NoticeKind::Closure]);
    assert_ne!(closed_again.deliveries[0].id, resolved.deliveries[0].id, "a new closure has its own notice");
}

#[test]
fn thanks_and_absences_do_not_reopen() {
    let desk = Desk::new();
    let ticket = desk.open(&jean("Help")).ticket;
    let resolved = desk.closes(&ticket, at(10)).ticket;
    let thanks = desk.writes(&resolved, &jean("Merci beaucoup !"), at(20));
    assert_eq!(thanks.ticket.state, State::Resolved);
    assert!(reasons(&thanks).contains(&"reopen.not.courtesy"));
    let machine = Some(Machine { reason: Reason::of("machine.auto_submitted"), detail: String::new() });
    let absent = Item { nature: Nature::AutoReply, machine, ..jean("I am away until Monday. Why not call me?") };
    let away = desk.writes(&resolved, &absent, at(20));
    assert_eq!(away.ticket.state, State::Resolved);
    assert_eq!(kinds(&away), []);
}

#[test]
fn after_the_window_it_is_locked_silently_and_an_answer_follows_it() {
    let desk = Desk::new();
    let ticket = desk.open(&jean("Help")).ticket;
    let resolved = desk.closes(&ticket, at(10)).ticket;
    let closed = desk.due(&resolved, TimerKind::Window, at(20_000));
    assert_eq!(closed.ticket.state, State::Closed);
    assert_eq!(kinds(&closed), []);
    let late = desk.writes(&closed.ticket, &jean("Broken again?"), at(30_000));
    assert!(late.opened);
    assert_ne!(late.ticket.id, ticket.id);
    assert_eq!(late.ticket.follows, Some(ticket.id));
    assert_eq!(kinds(&late), [NoticeKind::Acknowledgement]);
}

#[test]
fn a_missed_promise_apologises_once_with_a_new_promise() {
    let desk = Desk::new();
    let ticket = desk.open(&jean("Help")).ticket;
    let missed = desk.due(&ticket, TimerKind::Promise, at(600));
    assert_eq!(kinds(&missed), [NoticeKind::Delay]);
    assert!(missed.ticket.promised_at.unwrap() > at(600));
    assert_eq!(missed.ticket.attention, Some(reason::TIMER_PROMISE));
    let replied = desk.acts(&ticket, Action::Reply { text: "Here".into(), ask: false }, at(1)).unwrap().ticket;
    assert_eq!(kinds(&desk.due(&replied, TimerKind::Promise, at(600))), [], "an answer was given in time");
}

#[test]
fn a_hard_bounce_marks_the_requesters_address_and_no_other() {
    let desk = Desk::new();
    let ticket = desk.open(&jean("Help")).ticket;
    let bounce = |recipient: &str| Item {
        nature: Nature::Report(vec![Report {
            outcome: ReportOutcome::Failed,
            recipient: Some(recipient.into()),
            status: Some("5.1.1".into()),
            diagnostic: Some("no such user".into()),
            hard: true,
        }]),
        ..Item::default()
    };
    let marked = desk.writes(&ticket, &bounce("JEAN@client.test"), at(1));
    assert_eq!(marked.undeliverable, [("jean@client.test".to_owned(), reason::REPORT_HARD)]);
    assert_eq!(marked.ticket.attention, Some(reason::REPORT_HARD));
    assert_eq!(kinds(&marked), []);
    assert_eq!(marked.ticket.state, State::New);
    let forged = desk.writes(&ticket, &bounce("boss@client.test"), at(1));
    assert_eq!(forged.undeliverable, []);
}

#[test]
fn a_stranger_with_a_valid_token_is_attached_and_flagged() {
    let desk = Desk::new();
    let ticket = desk.open(&jean("Help")).ticket;
    let item = Item { from: Some(Party::new("eve@evil.test")), ..jean("Me too") };
    let arrival = Arrival { known: false, how: reason::LOCATED_TOKEN, ..desk.arrival(&item) };
    let joined = decide(Some(&ticket), Event::Arrived(arrival), &desk.rules, &desk.ids, at(1)).unwrap();
    assert!(!joined.entries[0].verified);
    assert_eq!(joined.ticket.attention, Some(reason::STRANGER_THREAD));
    assert_eq!(kinds(&joined), []);
    assert_eq!(joined.participants, [], "a stranger does not become a participant by writing");
}

#[test]
fn refusals_say_what_to_do_and_change_nothing() {
    let desk = Desk::new();
    let ticket = desk.open(&jean("Help")).ticket;
    let refused = |what| desk.acts(&ticket, what, at(1)).unwrap_err().to_string();
    assert_eq!(refused(Action::Reply { text: "  ".into(), ask: false }), "the text is empty: write something");
    let category = Action::Classify { kind: None, category: Some("plants".into()), impact: None, urgency: None };
    assert!(refused(category).starts_with("there is no category \"plants\": use one of: "));
    let again = desk.acts(&desk.closes(&ticket, at(1)).ticket, Action::Close { text: None, silent: false }, at(2));
    assert_eq!(again.unwrap_err().to_string(), "the ticket is resolved: nothing is left to close");
    assert_eq!(
        refused(Action::Merge { into: ticket.id }),
        "a ticket cannot be merged into itself: name another ticket"
    );
}

#[test]
fn escalation_goes_up_only_and_frees_the_assignment() {
    let desk = Desk::new();
    let ticket = desk.open(&jean("Help")).ticket;
    let ticket = desk.acts(&ticket, Action::Assign { to: Some("Ada".into()) }, at(1)).unwrap().ticket;
    let up = desk.acts(&ticket, Action::Escalate { to: None, why: Some("needs a vendor".into()) }, at(2)).unwrap();
    assert_eq!((up.ticket.tier, up.ticket.assignee.as_deref()), (Tier::L2, None));
    assert_eq!(up.entries[0].text, "escalated from L1 to L2: needs a vendor");
    assert_eq!(up.entries[0].seq, None, "the requester does not see it");
    assert!(desk.acts(&up.ticket, Action::Escalate { to: Some(Tier::L1), why: None }, at(3)).is_err());
}

#[test]
fn a_merge_is_taken_back_within_ten_minutes_and_the_ticket_stands_as_before() {
    let desk = Desk::new();
    let ticket = desk.open(&jean("Help")).ticket;
    let other = desk.open(&jean("Help again")).ticket;
    let merged = desk.acts(&ticket, Action::Merge { into: other.id }, at(1)).unwrap().ticket;
    let back = desk.acts(&merged, Action::Unmerge { to: State::New }, at(10)).unwrap();
    assert_eq!((back.ticket.state, back.ticket.merged_into, back.ticket.closed_at), (State::New, None, None));
    assert_eq!(back.timers, [(TimerKind::Promise, ticket.promised_at)]);
    assert_eq!(back.transitions[0].why, reason::UNMERGED);
    assert!(desk.acts(&merged, Action::Unmerge { to: State::New }, at(11)).is_err(), "the window is over");
    assert!(desk.acts(&back.ticket, Action::Unmerge { to: State::New }, at(10)).is_err(), "it is not merged");
}

#[test]
fn programs_hear_only_the_events_they_asked_for() {
    let mut desk = Desk::new();
    let subscriber = Subscriber { source: SourceName::from("webhook:ops"), events: vec!["ticket.resolved".into()] };
    let rules = DeskRules { subscribers: vec![subscriber], ..(*desk.rules.desk).clone() };
    desk.rules.desk = Arc::new(rules);
    let opened = desk.open(&jean("Help"));
    assert_eq!(kinds(&opened), [NoticeKind::Acknowledgement]);
    let resolved = desk.closes(&opened.ticket, at(1));
    assert_eq!(kinds(&resolved), [NoticeKind::Closure, NoticeKind::Event]);
    let event = resolved.deliveries[1].facts.event.as_deref().unwrap();
    assert!(event.contains("\"type\":\"ticket.resolved\"") && event.contains("GT-482-109-375"), "{event}");
    assert!(!event.contains("Printer"), "an event carries no words of the requester: {event}");
}

#[test]
fn deciding_the_same_arrival_twice_gives_the_same_outbox_row() {
    let desk = Desk::new();
    let item = jean("Help");
    let arrival = desk.arrival(&item);
    let (inbound, fresh) = (arrival.inbound, arrival.fresh.clone());
    let first = desk.open_with(arrival);
    let second = desk.open_with(Arrival { inbound, fresh, ..desk.arrival(&item) });
    assert_eq!(first.deliveries[0].id, second.deliveries[0].id);
}
