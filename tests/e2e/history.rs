//! The first look at a mailbox that was in use before, and what comes while nobody looks.

use std::sync::Arc;
use std::time::Duration;

use super::desk::{Desk, Mailbox, reasons};
use super::person::Person;
use super::rig::Rig;

const MONTH: Duration = Duration::from_hours(30 * 24);

/// Half of them wrote a month ago, half today; nobody answered.
fn wrote_before(rig: &Arc<Rig>, mailbox: &Mailbox, count: usize) -> Vec<Person> {
    let people: Vec<Person> = (0..count).map(|number| rig.person(&format!("Old {number}"))).collect();
    for (number, person) in people.iter().enumerate() {
        let letter = person.writes(&mailbox.address(), "From before", "Hello, is this still open?");
        rig.lay_aged(&mailbox.user, &letter.raw(), if number < count / 2 { MONTH } else { Duration::ZERO });
    }
    people
}

#[test]
fn the_first_look_takes_what_was_asked_for_and_acknowledges_none_of_it() {
    let Some(rig) = Rig::shared() else { return };
    let mailbox =
        |history: &str| Mailbox::of(&Rig::desk_user()).top("trust = \"all\"").imap(&format!("history = \"{history}\""));
    let mailboxes = [mailbox("none"), mailbox("since 7d"), mailbox("all")];
    let crowds = mailboxes.each_ref().map(|mailbox| wrote_before(&rig, mailbox, 50));
    let mut desk = Desk::open(&rig, "[caps]\nown_domains = [\"customer.test\"]\n", &mailboxes);
    let tickets = desk.has_tickets(75);
    assert_eq!(tickets.len(), 75);
    let taken = crowds.each_ref().map(|crowd| {
        let has =
            |person: &&Person| tickets.iter().any(|ticket| ticket["requester"]["address"] == person.address.as_str());
        (crowd[..25].iter().filter(has).count(), crowd[25..].iter().filter(has).count())
    });
    assert_eq!(taken, [(0, 0), (0, 25), (25, 25)], "none, the last seven days, all");
    let old = desk.ticket(tickets[0]["reference"].as_str().unwrap());
    assert!(reasons(&old).contains(&"ack.none.history".to_owned()), "{:?}", reasons(&old));

    let news: Vec<Person> = mailboxes
        .iter()
        .map(|mailbox| {
            let person = rig.person("New");
            person.mails(&mailbox.address(), "News", "Hello, this is new.");
            person
        })
        .collect();
    for person in &news {
        person.gets_mail(1);
    }
    desk.stop();
    // What comes while nobody looks is no history.
    let late: Vec<Person> = mailboxes.iter().flat_map(|mailbox| wrote_before(&rig, mailbox, 6)).collect();
    desk.start();
    for person in &late {
        person.gets_mail(1);
    }
    desk.has_sent_everything();
    assert!(crowds.iter().flatten().all(|person| person.inbox().is_empty()), "history is never acknowledged");
    desk.ends_well();
}

#[test]
fn history_is_acknowledged_where_the_operator_says_so() {
    let Some(rig) = Rig::shared() else { return };
    let mailbox = Mailbox::of(&Rig::desk_user()).imap("history = \"all\"\nacknowledge_history = true");
    let people = wrote_before(&rig, &mailbox, 4);
    let desk = Desk::open(&rig, "", &[mailbox]);
    for person in &people {
        person.gets_mail(1);
    }
    desk.ends_well();
}
