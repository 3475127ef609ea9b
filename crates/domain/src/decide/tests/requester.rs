//! What requesters do with their own tickets, and where answers go that their network cannot carry.

use proptest::prelude::*;

use super::*;
use crate::event::{Answer, Asked, Line, RequesterAct};
use crate::ids::MessageId;
use crate::inbound::Contact;

impl Desk {
    /// A desk whose people talk on a page (`sends`) or fill in a form; mail carries the rest.
    fn of_pages(sends: bool) -> Self {
        let mut desk = Self::new();
        let mail = desk.rules.source.name.clone();
        desk.rules.source = Arc::new(SourceRules {
            name: SourceName::from("page"),
            addresses: Vec::new(),
            sends,
            answer_by: Some(mail),
            ..(*desk.rules.source).clone()
        });
        desk
    }

    fn asks(&self, ticket: &Ticket, what: Asked, now: Moment) -> Result<Decision, Refusal> {
        let act = RequesterAct { id: self.ids.uuid(), what };
        decide(Some(ticket), Event::Requester(act), &self.rules, &self.ids, now)
    }

    fn lies_unread(&self, ticket: &Ticket, words: &[&str]) -> Decision {
        let answer = |text: &&str| Answer {
            entry: MessageId(Uuid::from_u128(9)),
            name: Some("Ada".into()),
            text: (*text).to_owned(),
        };
        let answers = words.iter().map(answer).collect();
        decide(Some(ticket), Event::Unread(answers), &self.rules, &self.ids, at(20)).unwrap()
    }
}

/// Somebody who talks, and gave an address nobody vouches for, or none.
fn visitor(contact: Option<&str>) -> Item {
    Item {
        from: Some(Party { address: "talk:jean".into(), name: Some("Jean".into()) }),
        recipients: Vec::new(),
        contact: contact.map(|address| Contact { address: address.into(), verified: false }),
        trust: Trust::Unverified,
        ..jean("Printer broken")
    }
}

fn code(refused: Result<Decision, Refusal>) -> String {
    match refused {
        Err(Refusal::Impossible { code, .. }) => code.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_form_cannot_say_is_mailed_in_an_order_of_its_own() {
    let desk = Desk::of_pages(false);
    let opened = desk.open(&Item { recipients: Vec::new(), ..jean("A chair, please.") });
    let ack = &opened.deliveries[0];
    assert_eq!((ack.kind, ack.source.as_str()), (NoticeKind::Acknowledgement, "support-mail"));
    assert_eq!(ack.conversation.as_str(), opened.ticket.id.to_string());
    assert_eq!(ack.to.key(), "jean@client.test");
    let replied = desk.acts(&opened.ticket, Action::Reply { text: "Which?".into(), ask: true }, at(1)).unwrap();
    assert_eq!(replied.deliveries[0].source.as_str(), "support-mail");
    assert!(!replied.timers.iter().any(|(kind, _)| *kind == TimerKind::Unread), "it was mailed already");

    let nameless = desk.open(&Item { from: None, recipients: Vec::new(), ..jean("A chair, please.") });
    assert_eq!(kinds(&nameless), []);
    assert!(reasons(&nameless).contains(&"ack.none.no_address"));
    let refused = desk.acts(&nameless.ticket, Action::Reply { text: "Which?".into(), ask: true }, at(1)).unwrap_err();
    assert!(refused.to_string().contains("nobody to write to"), "{refused}");
    let given = Some(Contact { address: "jean@home.test".into(), verified: false });
    let reached = desk.open(&Item { from: None, contact: given, recipients: Vec::new(), ..jean("A chair, please.") });
    assert_eq!(reached.deliveries[0].to.address, "jean@home.test");
}

#[test]
fn answers_lie_unread_until_somebody_reads_or_writes() {
    let desk = Desk::of_pages(true);
    let ticket = desk.open(&visitor(Some("jean@home.test"))).ticket;
    let replied = desk.acts(&ticket, Action::Reply { text: "Is it on?".into(), ask: true }, at(1)).unwrap();
    assert_eq!(replied.deliveries[0].source.as_str(), "page", "it is said where it was asked");
    assert!(replied.timers.contains(&(TimerKind::Unread, Some(at(11)))));
    let wrote = desk.writes(&replied.ticket, &visitor(None), at(2));
    assert!(wrote.timers.contains(&(TimerKind::Unread, None)));
    assert!(wrote.overtaken.contains(&NoticeKind::Unread));
    assert_eq!(wrote.ticket.contact.as_ref().unwrap().address, "jean@home.test", "what was given stays given");

    let mailed = desk.lies_unread(&replied.ticket, &["Is it on?", "Hello?"]);
    assert_eq!(kinds(&mailed), [NoticeKind::Unread]);
    let row = &mailed.deliveries[0];
    assert_eq!((row.source.as_str(), row.to.address.as_str()), ("support-mail", "jean@home.test"));
    assert_eq!(row.facts.words.as_deref(), Some("Ada:\nIs it on?\n\nAda:\nHello?"));
    assert_eq!(
        (row.facts.subject.as_deref(), row.facts.status_token.as_deref()),
        (None, None),
        "nobody vouches for it"
    );
    assert!(mailed.entries.iter().all(|entry| entry.seq.is_none()), "nothing is said twice");
    let again = desk.lies_unread(&replied.ticket, &["Is it on?", "Hello?"]);
    assert_eq!(row.id, again.deliveries[0].id, "decided twice, sent once");
    assert_eq!(kinds(&desk.lies_unread(&replied.ticket, &[])), [], "everything was read meanwhile");
    let nowhere = Ticket { contact: None, ..replied.ticket };
    assert_eq!(kinds(&desk.lies_unread(&nowhere, &["Is it on?"])), []);
}

#[test]
fn a_closed_window_stays_closed_and_a_rating_belongs_to_its_closure() {
    let desk = Desk::of_pages(true);
    let ticket = desk.open(&visitor(None)).ticket;
    let rate = || Asked::Rate { score: 3, text: None };
    assert_eq!(code(desk.asks(&ticket, rate(), at(1))), "act.not_resolved");
    let closed = desk.asks(&ticket, Asked::Close, at(1)).unwrap();
    assert_eq!((closed.ticket.state, kinds(&closed)), (State::Resolved, vec![]));
    assert!(closed.worded[0].facts.by_requester && closed.entries[0].seq.is_some());
    assert_eq!(code(desk.asks(&closed.ticket, Asked::Close, at(2))), "act.already");
    assert_eq!(desk.asks(&closed.ticket, rate(), at(2)).unwrap().rating.unwrap().closure, 1);
    let reopened = desk.asks(&closed.ticket, Asked::Reopen, at(3)).unwrap();
    let again = desk.closes(&reopened.ticket, at(4));
    assert_eq!(desk.asks(&again.ticket, rate(), at(5)).unwrap().rating.unwrap().closure, 2);
    let over = desk.due(&again.ticket, TimerKind::Window, at(20_000));
    for late in [Asked::Reopen, rate()] {
        assert_eq!(code(desk.asks(&over.ticket, late, at(20_001))), "act.window_over");
    }
    let long = Asked::Rate { score: 3, text: Some("x".repeat(2_001)) };
    assert_eq!(code(desk.asks(&again.ticket, long, at(5))), "act.invalid");
}

#[test]
fn no_address_of_ours_and_none_that_is_blocked_is_taken_for_a_requesters() {
    let desk = Desk::of_pages(true);
    let ticket = desk.open(&visitor(Some("support@desk.test"))).ticket;
    assert_eq!(ticket.contact, None);
    for address in ["hr+x@desk.test", "a@spam.test", "jean", "a@b@c.test", "a b@c.test", "a@c.test\r\nBcc: x@y.test"] {
        let given = Asked::Contact { address: address.into() };
        assert_eq!(code(desk.asks(&ticket, given, at(1))), "act.address", "{address}");
    }
}

fn step() -> impl Strategy<Value = u8> {
    0..10_u8
}

proptest! {
    #[test]
    fn whatever_people_do_places_have_no_gaps_and_a_proved_address_stays(
        steps in proptest::collection::vec(step(), 0..24),
        sends: bool,
    ) {
        let desk = Desk::of_pages(sends);
        let proved = Contact { address: "jean@work.test".into(), verified: true };
        let item = Item { contact: Some(proved.clone()), ..visitor(None) };
        let mut now = 1;
        let opened = desk.open(&item);
        let mut ticket = opened.ticket;
        let mut places: Vec<i64> = opened.entries.iter().filter_map(|entry| entry.seq).map(|seq| seq.0).collect();
        for step in steps {
            now += 1;
            let line = Line { ours: true, head: "Ada".into(), text: "Hello".into() };
            let decision = match step {
                0 => desk.asks(&ticket, Asked::Close, at(now)),
                1 => desk.asks(&ticket, Asked::Reopen, at(now)),
                2 => desk.asks(&ticket, Asked::Rate { score: 5, text: None }, at(now)),
                3 => desk.asks(&ticket, Asked::Contact { address: "eve@evil.test".into() }, at(now)),
                4 => desk.asks(&ticket, Asked::Transcript { lines: vec![line], counts: Counts::default() }, at(now)),
                5 => desk.acts(&ticket, Action::Reply { text: "Hello".into(), ask: false }, at(now)),
                6 => desk.acts(&ticket, Action::Close { text: None, silent: false }, at(now)),
                7 => Ok(desk.lies_unread(&ticket, &["Hello"])),
                8 => Ok(desk.due(&ticket, TimerKind::Window, at(now))),
                _ => {
                    let decision = desk.writes(&ticket, &visitor(Some("eve@evil.test")), at(now));
                    // A closed ticket is followed by another: this story goes on with the first.
                    if decision.opened {
                        continue;
                    }
                    Ok(decision)
                }
            };
            let Ok(decision) = decision else { continue };
            prop_assert_eq!(decision.ticket.version, ticket.version + 1);
            prop_assert_eq!(decision.ticket.contact.as_ref(), Some(&proved));
            places.extend(decision.entries.iter().filter_map(|entry| entry.seq).map(|seq| seq.0));
            for row in &decision.deliveries {
                let by_mail = row.source.as_str() == "support-mail";
                let must = !sends || matches!(row.kind, NoticeKind::Unread | NoticeKind::Transcript);
                prop_assert_eq!(by_mail, must, "{:?}", row);
                prop_assert!(!by_mail || row.to.address == "jean@work.test");
            }
            ticket = decision.ticket;
        }
        prop_assert_eq!(&places, &(1..=ticket.last_seq).collect::<Vec<_>>());
    }
}
