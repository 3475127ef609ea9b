//! Whatever happens, in whatever order: random stories against what must always be true.
//!
//! The stories come from a fixed seed, so that a run that passed passes again. `GUICHET_WORLD_SEED` tells others and
//! `GUICHET_WORLD_CASES` more of them; a story that fails is told with its seed, cut down to the steps that matter.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use guichet::desk::TicketQuery;
use guichet::desk::Wanted;
use guichet::desk::views::{TicketDetail, Transition};
use guichet_contract::conformance::Behaviour;
use guichet_domain::entry::EntryKind;
use guichet_domain::outgoing::NoticeKind;
use guichet_testkit::{Letter, PaperOptions};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::end::all_rows;
use super::network::Halt;
use super::place::Place;
use super::{Plan, Spans, World};

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    /// Somebody asks for something new.
    Asks { who: u8 },
    /// Somebody answers one of the letters we wrote to them.
    Answers { who: u8, which: usize, thanks: bool },
    /// Somebody names the number of some ticket.
    Names { who: u8, which: usize },
    /// The network delivers a letter once more.
    Redelivers { which: usize },
    /// The channel takes the letters out of their boxes.
    Receives,
    /// The daemon is killed on the way.
    DiesReceiving { durable: bool },
    /// An agent does something to some ticket.
    Acts { which: usize, act: u8 },
    /// The next attempts to send go so.
    Weather { attempts: Vec<u8> },
    /// The daemon does what is due.
    Works,
    /// The daemon is killed on the way.
    DiesSending { taken: bool },
    /// Time goes on, with the daemon or without it.
    Passes { minutes: u32, running: bool },
    /// The daemon starts again.
    Restarts,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..4_u8;
    let which = 0..30_usize;
    prop_oneof![
        6 => who.clone().prop_map(|who| Step::Asks { who }),
        5 => (who.clone(), which.clone(), any::<bool>()).prop_map(|(who, which, thanks)| Step::Answers { who, which, thanks }),
        2 => (who, which.clone()).prop_map(|(who, which)| Step::Names { who, which }),
        3 => which.clone().prop_map(|which| Step::Redelivers { which }),
        6 => Just(Step::Receives),
        1 => any::<bool>().prop_map(|durable| Step::DiesReceiving { durable }),
        7 => (which, 0..7_u8).prop_map(|(which, act)| Step::Acts { which, act }),
        2 => prop::collection::vec(0..6_u8, 1..4).prop_map(|attempts| Step::Weather { attempts }),
        2 => (0..5_u8, 2..5_usize).prop_map(|(one, times)| Step::Weather { attempts: vec![one; times] }),
        6 => Just(Step::Works),
        1 => any::<bool>().prop_map(|taken| Step::DiesSending { taken }),
        3 => (1..20_000_u32, any::<bool>()).prop_map(|(minutes, running)| Step::Passes { minutes, running }),
        1 => Just(Step::Restarts),
    ]
}

/// A network of some abilities, and what happens on it.
fn story() -> impl Strategy<Value = (u8, u64, Vec<Step>)> {
    // Networks that can do little are the ones on which most can go wrong.
    let abilities = prop_oneof![2 => Just(4_u8), 1 => Just(0_u8), 3 => 0..8_u8];
    (abilities, any::<u64>(), prop::collection::vec(step(), 20..60))
}

#[test]
fn whatever_happens_on_sqlite_what_must_be_true_is() {
    tell_random(64, false);
}

#[test]
fn whatever_happens_on_postgres_what_must_be_true_is() {
    tell_random(16, true);
}

fn tell_random(cases: u32, postgres: bool) {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seed = number("GUICHET_WORLD_SEED").unwrap_or(1);
    let cases = number("GUICHET_WORLD_CASES").and_then(|cases| u32::try_from(cases).ok()).unwrap_or(cases);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let told = runner.run(&story(), |(abilities, ids, steps)| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(tell_one(abilities, ids, &steps, postgres));
        Ok(())
    });
    if let Err(error) = told {
        panic!("with GUICHET_WORLD_SEED={seed}: {error}");
    }
}

async fn tell_one(abilities: u8, ids: u64, steps: &[Step], postgres: bool) {
    let place = if postgres { Place::postgres().await } else { Some(Place::sqlite()) };
    let Some(place) = place else { return };
    let letters = PaperOptions {
        idempotent_send: abilities & 1 != 0,
        finds_sent: abilities & 2 != 0,
        repeats_once: abilities & 4 != 0,
        ..PaperOptions::default()
    };
    let world = World::at(place, Plan { seed: ids, ..Plan::on(letters) }).await;
    let mut told = Told::default();
    for step in steps {
        told.goes_on(&world, step).await;
    }
    told.ends(&world).await;
    world.ends().await;
    world.stops().await;
}

/// What the people of a random story remember.
#[derive(Default)]
struct Told {
    /// The words of every letter, with its id.
    words: BTreeMap<String, guichet_domain::ids::ExternalId>,
    /// How many letters were put into boxes, copies too.
    posted: i64,
}

impl Told {
    async fn goes_on(&mut self, world: &World, step: &Step) {
        match step {
            Step::Asks { who } => {
                let letter = letter(world, *who).about("A wish");
                self.posts(world, letter);
            }
            Step::Answers { who, which, thanks } => {
                let letters = world.post.received_by(&address(*who));
                let Some(read) = letters.get(which % letters.len().max(1)) else { return };
                let letter = letter(world, *who).answering(read);
                if *thanks {
                    world.post.write(letter.says("Thank you very much!"));
                    self.posted += 1;
                } else {
                    self.posts(world, letter);
                }
            }
            Step::Names { who, which } => {
                let Some(ticket) = some_ticket(world, *which).await else { return };
                let letter = letter(world, *who).about(&format!("About {ticket}"));
                self.posts(world, letter);
            }
            Step::Redelivers { which } => {
                let Some(id) = self.words.values().nth(which % self.words.len().max(1)) else { return };
                world.post.redeliver(id);
                self.posted += 1;
            }
            Step::Receives => world.receives().await,
            Step::DiesReceiving { durable } => {
                // With nothing in the boxes nobody would come to the place where he is killed.
                let id = world.post.write(letter(world, 0).about("A last wish").says("A last wish"));
                self.posted += 1;
                let halt = if *durable { Halt::After } else { Halt::Before };
                world.is_killed_receiving(halt).await;
                world.receives().await;
                assert!(world.post.state(&id).is_some());
            }
            Step::Acts { which, act } => acts(world, *which, *act).await,
            Step::Weather { attempts } => world.post.behave_next(attempts.iter().map(|n| weather(*n))),
            Step::Works => {
                world.works().await;
            }
            Step::DiesSending { taken } => {
                world.works().await;
                let last = letter(world, 1).about("Before the end").says("Before the end");
                world.post.write(last);
                self.posted += 1;
                world.receives().await;
                world.may_be_killed_sending(if *taken { Halt::After } else { Halt::Before }).await;
            }
            Step::Passes { minutes, running: true } => world.forward((*minutes).minutes()).await,
            Step::Passes { minutes, running: false } => {
                world.clock.advance((*minutes).minutes());
                world.restarts().await;
            }
            Step::Restarts => world.restarts().await,
        }
    }

    fn posts(&mut self, world: &World, letter: Letter) {
        let words = format!("wish number {}", self.words.len() + 1);
        let id = world.post.write(letter.says(&words));
        self.words.insert(words, id);
        self.posted += 1;
    }

    /// The weather clears, a month goes by, and everything is looked at.
    async fn ends(&self, world: &World) {
        world.receives().await;
        world.forward(30.days()).await;
        let life = world.life();
        let balance = life.desk.reconcile().await.unwrap();
        assert_eq!(
            balance.received, self.posted,
            "every letter put into a box was counted once: {:?}",
            balance.sources
        );
        let tickets = all_tickets(world).await;
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for ticket in &tickets {
            check_ticket(ticket);
            for entry in ticket.timeline.iter().filter(|entry| entry.kind == EntryKind::Inbound) {
                *seen.entry(entry.text.as_str()).or_default() += 1;
            }
        }
        for words in self.words.keys() {
            assert_eq!(seen.get(words.as_str()), Some(&1), "{words:?} stands in exactly one ticket, once");
        }
        let waiting = tickets.iter().flat_map(|ticket| &ticket.deliveries).filter(|row| row.settled_at.is_none());
        assert_eq!(waiting.collect::<Vec<_>>(), Vec::<&_>::new(), "after a month everything has come to its end");
    }
}

/// What must be true of every ticket.
fn check_ticket(detail: &TicketDetail) {
    let reference = &detail.ticket.reference;
    let rows = |kind| detail.deliveries.iter().filter(move |row| row.kind == kind).count();
    assert!(rows(NoticeKind::Acknowledgement) <= 1, "{reference} is acknowledged once: {:?}", detail.deliveries);
    assert!(rows(NoticeKind::Delay) <= 1, "{reference} hears of a delay once: {:?}", detail.deliveries);
    let closures = detail.transitions.iter().filter(|change| change.to.as_str() == "resolved").count();
    assert_eq!(rows(NoticeKind::Closure), closures, "{reference}: a notice a closure: {:?}", detail.transitions);
    let seqs: Vec<i64> = detail.timeline.iter().filter_map(|entry| entry.seq).collect();
    let whole: Vec<i64> = (1..).take(seqs.len()).collect();
    assert_eq!(seqs, whole, "{reference}: the public entries stand in their order, without gaps");
    let mut before = None;
    for change in &detail.transitions {
        assert_eq!(change.from, before, "{reference}: {:?}", detail.transitions);
        let step = (change.from.map_or("", |from| from.as_str()), change.to.as_str());
        assert!(LEGAL.contains(&step), "{reference} went {step:?}");
        before = Some(change.to);
    }
    assert_eq!(before, Some(detail.ticket.state), "{reference}");
    assert!(detail.transitions.is_sorted_by_key(|change| change.at), "{reference}: {:?}", detail.transitions);
}

/// How a ticket may go; a merge closes it from wherever it is.
const LEGAL: [(&str, &str); 16] = [
    ("", "new"),
    ("new", "open"),
    ("new", "waiting"),
    ("new", "resolved"),
    ("new", "closed"),
    ("open", "waiting"),
    ("open", "resolved"),
    ("open", "closed"),
    ("waiting", "open"),
    ("waiting", "resolved"),
    ("waiting", "closed"),
    ("resolved", "open"),
    ("resolved", "waiting"),
    ("resolved", "closed"),
    ("closed", "open"),
    ("closed", "waiting"),
];

fn address(who: u8) -> String {
    format!("person{who}@client.test")
}

/// Three are vouched for and one is not.
fn letter(world: &World, who: u8) -> Letter {
    let person = if who == 3 { world.stranger(&address(who)) } else { world.person(&format!("person{who}")) };
    person.letter()
}

fn weather(n: u8) -> Behaviour {
    match n {
        0 => Behaviour::Refuses,
        1 => Behaviour::AsksToWait(Duration::from_mins(15)),
        2 => Behaviour::Down,
        3 => Behaviour::DiesBefore,
        4 => Behaviour::DiesAfter,
        _ => Behaviour::Works,
    }
}

async fn acts(world: &World, which: usize, act: u8) {
    let Some(ticket) = some_ticket(world, which).await else { return };
    let ada = world.agent("ada");
    let other = some_ticket(world, which / 2).await.unwrap_or_default();
    let transition = match act {
        0 => Transition::Close { text: Some("Done.".into()), silent: false, version: None },
        1 => Transition::Close { text: None, silent: false, version: None },
        2 => Transition::Reopen { why: None, version: None },
        3 => Transition::Merge { into: other, version: None },
        4 => Transition::Assign { to: Some("grace".into()), version: None },
        _ => {
            let message = guichet::desk::views::NewMessage {
                kind: guichet::desk::views::MessageKind::Reply,
                text: "We look into it.".into(),
                ask: act == 5,
                version: None,
            };
            // An act that the state does not allow is refused, and changes nothing.
            drop(ada.tries(&ticket, &Wanted::Message(message)).await);
            return;
        }
    };
    drop(ada.tries(&ticket, &Wanted::Transition(transition)).await);
}

/// Every ticket there is, merged ones too: whatever was opened has its row in the outbox, if only a suppressed one.
async fn all_tickets(world: &World) -> Vec<TicketDetail> {
    let life = world.life();
    let mut tx = life.kernel.db.read().await.unwrap();
    let rows = all_rows(&mut tx).await;
    drop(tx);
    let references: BTreeSet<String> = rows.into_iter().map(|row| row.facts.reference).collect();
    let mut tickets = Vec::new();
    for reference in references {
        let ticket = life.desk.read(&reference, 0).await.unwrap();
        assert_eq!(ticket.next, None, "a timeline longer than a page");
        tickets.push(ticket);
    }
    tickets
}

async fn listed(world: &World) -> Vec<String> {
    let desk = world.life().desk;
    let query = TicketQuery { sort: Some("opened".into()), limit: Some(200), ..TicketQuery::default() };
    let page = desk.list(&query).await.unwrap();
    page.tickets.into_iter().map(|ticket| ticket.reference).collect()
}

async fn some_ticket(world: &World, which: usize) -> Option<String> {
    let tickets = listed(world).await;
    tickets.get(which % tickets.len().max(1)).cloned()
}
