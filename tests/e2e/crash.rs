//! Killed at every crash point, and at any moment: each mail one ticket, each acknowledgement there, and of none another copy
//! than one with the same Message-ID.

use std::collections::HashSet;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::desk::{Desk, Mailbox};
use super::person::Person;
use super::rig::Rig;
use super::wait::{let_pass, until_told};

/// A promise that is missed at once, and acknowledgements for a whole organisation.
const RESTLESS: &str = "[desk.calendar]\nhours = [\"24x7\"]\n[desk.targets]\nP1 = 0\nP2 = 0\nP3 = 0\nP4 = 0\nP5 = 0\n\
    [caps]\nown_domains = [\"customer.test\"]\n";

/// Mails of one kind (`auto-replied`: acknowledgements, `auto-generated`: notices of delay) that reached one person: how many, and
/// under how many Message-IDs.
fn mails(person: &Person, kind: &str) -> (usize, usize) {
    let mails: Vec<_> = person.inbox().into_iter().filter(|mail| mail.header("Auto-Submitted") == kind).collect();
    let ids: HashSet<String> = mails.iter().map(|mail| mail.id()).collect();
    (mails.len(), ids.len())
}

/// Each has one ticket and an acknowledgement under one Message-ID, twice at the most; gives how many extra copies there are.
fn nothing_is_lost_or_doubled(desk: &Desk, people: &[Person], story: &str) -> usize {
    let tickets = desk.has_tickets(people.len());
    let requesters: HashSet<&str> =
        tickets.iter().filter_map(|ticket| ticket["requester"]["address"].as_str()).collect();
    assert_eq!(
        (tickets.len(), requesters.len()),
        (people.len(), people.len()),
        "{story}: tickets, and people who have one"
    );
    desk.has_sent_everything();
    let mut extra = 0;
    for person in people {
        until_told(&format!("{story}: {} is acknowledged", person.address), || {
            let (mails, _) = mails(person, "auto-replied");
            if mails > 0 { Ok(()) } else { Err(desk.log()) }
        });
        let (mails, ids) = mails(person, "auto-replied");
        assert_eq!(ids, 1, "{story}: {} has acknowledgements under several Message-IDs", person.address);
        assert!(mails <= 2, "{story}: {} has {mails} copies", person.address);
        extra += mails - 1;
    }
    let balance = desk.agent(&["reconcile"]);
    assert!(!balance.contains("BAD"), "{story}: {balance}");
    extra
}

/// One crash point at one hit. Gives how many extra copies came of it.
fn killed_at(rig: &Arc<Rig>, point: &str, hit: u32) -> usize {
    let story = format!("{point}:{hit}");
    let mut desk = Desk::open(rig, RESTLESS, &[Mailbox::of(&Rig::desk_user()).top("trust = \"all\"")]);
    desk.stop();
    desk.start_with(&[("GUICHET_CRASH", &story)]);
    let people: Vec<Person> = (0..4).map(|number| rig.person(&format!("Person {number}"))).collect();
    let mut notes = 0;
    for person in &people {
        person.mails(&desk.address(), "Crash", "Hello, my screen stays black since this morning.");
        // One after the other, so that the point is passed more than once: the next when this one is served or all is dead.
        until_told(&format!("{story}: {} is served, or the daemon dead", person.address), || {
            let over = desk.ended().is_some() || !person.inbox().is_empty();
            if over { Ok(()) } else { Err(desk.log()) }
        });
        if desk.ended().is_none() && point.starts_with("act.") {
            let reference = person.gets_mail(1).reference();
            notes += usize::from(desk.tries(&["ticket", "note", &reference, "seen"]).status.success());
        }
    }
    let status = desk.dies();
    assert_eq!(status.signal(), Some(9), "{story}: {status}\n{}", desk.log());
    if point == "act.before_commit" {
        assert_eq!(notes, hit as usize - 1, "{story}: an agent was told of a note that was not kept");
    }
    desk.start();
    let extra = nothing_is_lost_or_doubled(&desk, &people, &story);
    for person in people.iter().filter(|_| point.starts_with("timer.")) {
        until_told(&format!("{story}: {} is told of the delay", person.address), || {
            let (told, ids) = mails(person, "auto-generated");
            assert!(ids < 2, "{story}: {} is told of one delay twice", person.address);
            if told > 0 { Ok(()) } else { Err(desk.log()) }
        });
    }
    let kept = people.iter().map(|person| {
        let reference = desk.tickets_of(&person.address)[0]["reference"].as_str().unwrap().to_owned();
        let ticket = desk.ticket(&reference);
        ticket["timeline"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "note").count()
    });
    assert!(kept.sum::<usize>() >= notes, "{story}: a note an agent was told is kept was lost");
    desk.ends_well();
    extra
}

#[test]
fn killed_at_any_crash_point_nothing_is_lost_and_nothing_doubled() {
    let Some(rig) = Rig::shared() else { return };
    let cases: Vec<(&str, u32)> = POINTS.iter().flat_map(|point| [(*point, 1), (*point, 3)]).collect();
    let next = AtomicUsize::new(0);
    let copies = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                while let Some((point, hit)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let extra = killed_at(&rig, point, *hit);
                    copies.lock().unwrap().push(format!("{point}:{hit} {extra}"));
                }
            });
        }
    });
    let copies = copies.into_inner().unwrap();
    assert_eq!(copies.len(), cases.len());
    let doubled: Vec<&String> = copies.iter().filter(|line| !line.ends_with(" 0")).collect();
    println!("killed at {} crash points; extra copies with the same Message-ID: {doubled:?}", copies.len());
    for line in doubled {
        assert!(line.starts_with("sender."), "{line}: only what the sender had begun can be in doubt");
    }
}

#[test]
fn thirty_random_kills_while_300_people_write_give_300_tickets_and_every_acknowledgement() {
    let Some(rig) = Rig::own() else { return };
    let extra = killed_at_random(&rig, Mailbox::of("support").top("trust = \"all\""), 30);
    println!("30 kills, 300 mails: 300 tickets, {extra} extra copies, all with the same Message-ID");
}

#[test]
fn with_a_journal_random_kills_double_no_acknowledgement() {
    let Some(rig) = Rig::shared() else { return };
    let mailbox = Mailbox::of(&Rig::desk_user());
    let journal = mailbox.address().replace('@', "+sent@");
    let extra = killed_at_random(&rig, mailbox.top(&format!("trust = \"all\"\njournal = \"{journal}\"")), 10);
    assert_eq!(extra, 0, "the copies tell what had left");
}

/// So many lives end by kill -9 while ten people write in each. Gives how many extra copies of acknowledgements there are.
fn killed_at_random(rig: &Arc<Rig>, mailbox: Mailbox, lives: usize) -> usize {
    const EACH: usize = 10;
    let mut dice = Dice::thrown();
    let mut desk = Desk::open(rig, "[caps]\nown_domains = [\"customer.test\"]\n", &[mailbox]);
    let people: Vec<Person> = (0..lives * EACH).map(|number| rig.person(&format!("Person {number}"))).collect();
    for crowd in people.chunks(EACH) {
        for person in crowd {
            let letter = person.writes(&desk.address(), "Kill", "Hello, my screen stays black since this morning.");
            rig.lay(desk.user(), &letter.raw());
        }
        let_pass(Duration::from_millis(dice.below(400)));
        desk.kill();
        desk.start();
        let_pass(Duration::from_millis(dice.below(100)));
    }
    let extra = nothing_is_lost_or_doubled(&desk, &people, "random kills");
    desk.ends_well();
    extra
}

/// Chance that can be repeated: the seed is printed, and `GUICHET_SEED` sets it.
struct Dice(u64);

impl Dice {
    fn thrown() -> Self {
        let given = std::env::var("GUICHET_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| u64::from(std::process::id()) * 0x9e37_79b9 + 1);
        println!("GUICHET_SEED={seed}");
        Self(seed)
    }

    /// A number below `limit` (xorshift).
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[cfg(feature = "failpoints")]
use guichet::crash::POINTS;

/// Without the feature nothing can be killed at a point; `tests/run` builds with it.
#[cfg(not(feature = "failpoints"))]
const POINTS: &[&str] = &[];
