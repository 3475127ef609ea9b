//! Servers that fall, mailboxes that change under our hands, accounts that do not open.

use std::sync::Arc;

use super::desk::{Desk, Mailbox};
use super::person::Person;
use super::rig::Rig;
use super::smtp::Smtp;
use super::wait::{until, until_told};

/// More acknowledgements than the domain of one organisation gets by default.
const BUSY: &str = "[caps]\nown_domains = [\"customer.test\"]\n";

fn trusting() -> Mailbox {
    Mailbox::of(&Rig::desk_user()).top("trust = \"all\"")
}

fn crowd(rig: &Arc<Rig>, count: usize) -> Vec<Person> {
    (0..count).map(|number| rig.person(&format!("Person {number}"))).collect()
}

fn request(person: &Person, to: &str) -> Vec<u8> {
    person.writes(to, &format!("Request of {}", person.name), "Hello, my screen stays black since this morning.").raw()
}

/// Each of them has one ticket and one acknowledgement; gives how many extra copies of one there are.
fn all_are_served(desk: &Desk, people: &[Person]) -> usize {
    let tickets = desk.has_tickets(people.len());
    let requesters: Vec<&str> = tickets.iter().filter_map(|ticket| ticket["requester"]["name"].as_str()).collect();
    assert_eq!(tickets.len(), people.len(), "nobody has two: {requesters:?}");
    let mut copies = 0;
    for person in people {
        let mails = person.has_mails(1);
        assert!(
            mails.iter().all(|mail| mail.id() == mails[0].id()),
            "{} got two different acknowledgements",
            person.name
        );
        copies += mails.len() - 1;
    }
    copies
}

#[test]
fn a_restart_of_the_imap_server_in_the_middle_of_a_hundred_mails_loses_and_doubles_nothing() {
    let Some(rig) = Rig::own() else { return };
    let desk = Desk::open(&rig, BUSY, &[trusting()]);
    let people = crowd(&rig, 100);
    let mut smtp = Smtp::connect(rig.port("RIG_SMTP")).unwrap();
    for (number, person) in people.iter().enumerate() {
        if number == 30 {
            desk.has_tickets(5);
            rig.halt("dovecot");
        }
        if number == 60 {
            rig.resume("dovecot");
        }
        if number == 80 {
            rig.kick(desk.user());
        }
        smtp.send(&person.address, &[&desk.address()], &request(person, &desk.address())).unwrap();
    }
    // Not copies are counted: people's mailboxes are on the server that was halted, and a delivery into one that was cut off
    // there is made again by the mail server itself.
    all_are_served(&desk, &people);
    desk.has_sent_everything();
    let sent = desk.ask("/api/v1/outbox?state=sent&limit=200").unwrap();
    let attempts: Vec<_> = sent["deliveries"].as_array().unwrap().iter().map(|row| row["attempts"].as_i64()).collect();
    assert_eq!(attempts, vec![Some(1); people.len()], "the mail server that sends was never away");
    desk.ends_well();
}

#[test]
fn a_restart_of_the_smtp_server_in_the_middle_of_acknowledgements_loses_none() {
    let Some(rig) = Rig::own() else { return };
    let desk = Desk::open(&rig, BUSY, &[trusting()]);
    let people = crowd(&rig, 60);
    for (number, person) in people.iter().enumerate() {
        if number == 30 {
            until("acknowledgements leave", || (rig.lying("everyone", "INBOX").len() > 2).then_some(()));
            rig.halt("postfix");
        }
        rig.lay(desk.user(), &request(person, &desk.address()));
    }
    desk.has_tickets(60);
    desk.source_says(&format!("{}-mail", desk.user()), "troubled", "mail cannot leave");
    rig.resume("postfix");
    let copies = all_are_served(&desk, &people);
    println!("extra copies after the SMTP server was restarted: {copies}");
    assert!(copies <= 4, "only what was under way can be in doubt: {copies}");
    desk.has_sent_everything();
    desk.ends_well();
}

#[test]
fn a_mailbox_that_is_numbered_anew_gives_no_ticket_twice() {
    let Some(rig) = Rig::shared() else { return };
    let mailbox = Mailbox { filed: false, ..trusting() };
    let desk = Desk::open(&rig, BUSY, std::slice::from_ref(&mailbox));
    let people = crowd(&rig, 10);
    let (before, after) = people.split_at(9);
    for person in before {
        rig.lay(desk.user(), &request(person, &desk.address()));
    }
    assert_eq!(all_are_served(&desk, before), 0);
    rig.renumber(desk.user());
    rig.lay(desk.user(), &request(&after[0], &desk.address()));
    assert_eq!(all_are_served(&desk, &people), 0);
    desk.has_received(19);
    let balance = desk.ask("/api/v1/reconciliation").unwrap();
    assert_eq!(balance["sources"][0]["duplicate"], 9, "{balance}");
    desk.ends_well();
}

#[test]
fn people_who_read_move_and_delete_in_the_same_mailbox_disturb_nothing_else() {
    let Some(rig) = Rig::shared() else { return };
    let mut desk = Desk::open(&rig, BUSY, &[trusting()]);
    let people = crowd(&rig, 14);
    desk.stop();
    for person in &people[..10] {
        rig.lay(desk.user(), &request(person, &desk.address()));
    }
    // Read by somebody: taken in all the same. Moved or deleted by somebody: theirs.
    rig.other_client(
        desk.user(),
        &["SELECT INBOX", "STORE 1:* +FLAGS (\\Seen)", "MOVE 2:4 Processed", "STORE 1 +FLAGS (\\Deleted)", "EXPUNGE"],
    );
    desk.start();
    let (taken, later) = (&people[4..10], &people[10..]);
    assert_eq!(all_are_served(&desk, taken), 0);
    for person in later {
        rig.lay(desk.user(), &request(person, &desk.address()));
        rig.other_client(desk.user(), &["SELECT INBOX", "STORE 1:* +FLAGS (\\Seen \\Flagged)", "EXPUNGE"]);
    }
    assert_eq!(all_are_served(&desk, &people[4..]), 0);
    desk.ends_well();
}

#[test]
fn a_wrong_password_and_an_unknown_host_take_their_mailboxes_down_with_a_remedy_and_no_others() {
    let Some(rig) = Rig::shared() else { return };
    let wrong = Mailbox { password: "wrong-one".to_owned(), ..trusting() };
    let lost = Mailbox { host: "no-such-host.invalid".to_owned(), ..trusting() };
    let works = trusting();
    let mut desk = Desk::plan(&rig, "", &[wrong.clone(), lost.clone(), works.clone()]);
    desk.start();
    let note = desk.source_says(&wrong.name, "down", "");
    assert!(note.contains("user and password"), "{note}");
    let note = desk.source_says(&lost.name, "troubled", "no-such-host.invalid");
    assert!(!note.contains('\n'), "{note}");
    desk.source_says(&works.name, "good", "");
    let ann = rig.person("Ann");
    rig.lay(&works.user, &request(&ann, &works.address()));
    ann.gets_mail(1);
    until_told("the log names the mailbox that is down, once", || {
        let log = desk.log();
        let lines = log.lines().filter(|line| line.contains("ERROR") && line.contains(&wrong.name)).count();
        if lines == 1 { Ok(()) } else { Err(log) }
    });
    let doctor = desk.tries(&["doctor"]);
    let said = format!("{}{}", String::from_utf8_lossy(&doctor.stdout), String::from_utf8_lossy(&doctor.stderr));
    assert_eq!(doctor.status.code(), Some(1), "{said}");
    assert!(said.contains("no-such-host.invalid") && said.contains("user and password"), "{said}");
    assert!(!said.contains("wrong-one") && !desk.log().contains("wrong-one"), "the password is never shown");
    desk.ends_well_cut_off();
}

#[test]
fn a_full_disk_leaves_the_mail_on_the_server_until_there_is_room() {
    let Some(rig) = Rig::shared() else { return };
    let mailbox = trusting();
    let mut desk = Desk::open(&rig, "", std::slice::from_ref(&mailbox));
    desk.stop();
    let roomy = std::fs::read_to_string(desk.settings()).unwrap();
    desk.write_settings(&format!("[storage]\nfloor_mib = 1000000000\n{roomy}"));
    desk.start();
    let ann = rig.person("Ann");
    rig.lay(&mailbox.user, &request(&ann, &mailbox.address()));
    let note = desk.source_says(&mailbox.name, "troubled", "mail waits on the server");
    assert!(note.contains("are free where the state folder is") && note.contains("free some space"), "{note}");
    let mail = desk.settings().with_file_name("some.eml");
    std::fs::write(&mail, request(&ann, &mailbox.address())).unwrap();
    let pipe = desk.tries(&["inject", "--source", &mailbox.name, &mail.display().to_string()]);
    assert_eq!(pipe.status.code(), Some(75), "{}", String::from_utf8_lossy(&pipe.stderr));
    assert_eq!(rig.lying(&mailbox.user, "INBOX").len(), 1);
    assert!(desk.tickets().is_empty());
    desk.stop();
    desk.write_settings(&roomy);
    desk.start();
    ann.gets_mail(1);
    desk.ends_well();
}
