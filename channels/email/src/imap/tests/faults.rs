//! Servers that answer oddly, half, or not at all. Whatever they do, no mail is lost and none is held for read that was not.

use std::time::Duration;

use super::desk::{Desk, Ledger, impatient, mailbox, until_failure, while_receiving};
use super::world::{State, Then, World};
use crate::imap::Error;

const TEXTS: &str = "UID FETCH 1:3 (UID BODY";

async fn world_with_three() -> World {
    let world = World::start().await;
    for text in ["one", "two", "three"] {
        world.mail_comes(text);
    }
    world
}

/// After `fault` once, and as many connections as it takes, all three mails are in and moved.
async fn all_arrive_in_spite_of(when: &'static str, fault: Then) -> World {
    let world = world_with_three().await;
    let (mailbox, desk) = (mailbox(&world), Desk::default());
    let first = if matches!(fault, Then::Silence) { impatient(&mailbox) } else { mailbox.clone() };
    world.rule(when, fault);
    let error = until_failure(&first, &desk).await;
    assert!(!error.lasting(), "{error}");
    while_receiving(&mailbox, &desk, desk.until(|ledger| ledger.mails.len() == 3 && ledger.waits())).await;
    assert_eq!(desk.with(|ledger| ledger.texts()), ["one", "two", "three"]);
    assert_eq!(world.folder("Processed").len(), 3);
    assert!(world.folder("INBOX").is_empty());
    world
}

#[tokio::test]
async fn a_fetch_refused_halfway_loses_nothing_and_needs_no_new_connection() {
    let world = world_with_three().await;
    world.rule(TEXTS, Then::Say("* 1 FETCH (UID 1 BODY[]<0> {3}\r\none)\r\n{tag} NO [SERVERBUG] disk\r\n"));
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(|ledger| ledger.mails.len() == 3)).await;
    assert_eq!(desk.with(|ledger| ledger.texts()), ["one", "two", "three"]);
}

#[tokio::test]
async fn a_fetch_cut_between_two_mails_is_no_end_of_mail() {
    let cut = Then::SayAndClose("* 1 FETCH (UID 1 BODY[]<0> {3}\r\none)\r\n");
    all_arrive_in_spite_of(TEXTS, cut).await;
}

#[tokio::test]
async fn a_fetch_cut_inside_a_mail_is_no_mail() {
    all_arrive_in_spite_of(TEXTS, Then::SayAndClose("* 1 FETCH (UID 1 BODY[]<0> {3}\r\non")).await;
}

#[tokio::test]
async fn a_search_that_ends_with_the_connection_is_not_an_empty_mailbox() {
    all_arrive_in_spite_of("UID SEARCH", Then::SayAndClose("")).await;
    all_arrive_in_spite_of("UID SEARCH", Then::SayAndClose("* SEARCH\r\n")).await;
}

#[tokio::test]
async fn a_select_that_ends_with_the_connection_is_not_an_open_folder() {
    all_arrive_in_spite_of("SELECT", Then::SayAndClose("* 3 EXISTS\r\n")).await;
}

#[tokio::test]
async fn a_goodbye_in_the_middle_is_seen() {
    all_arrive_in_spite_of(TEXTS, Then::First("* BYE shutting down\r\n")).await;
}

#[tokio::test]
async fn silence_at_any_step_ends_within_its_limit() {
    for when in ["CAPABILITY", "SELECT", "UID SEARCH", "UID FETCH", "UID MOVE"] {
        all_arrive_in_spite_of(when, Then::Silence).await;
    }
}

#[tokio::test]
async fn cut_at_any_byte_of_the_dialogue_every_mail_is_taken_once_and_moved_once() {
    let world = World::start().await;
    let texts: Vec<String> = (0..12).map(|number| format!("mail {number}")).collect();
    for text in &texts {
        world.mail_comes(text);
    }
    world.change(|state| state.cut_step = Some(17));
    let (mut mailbox, desk) = (mailbox(&world), Desk::default());
    (mailbox.limits.batch_messages, mailbox.processed, mailbox.failed) = (3, Some("Processed".into()), None);
    let mut cuts = 0;
    while !desk.with(|ledger| ledger.waits()) {
        until_failure(&mailbox, &desk).await;
        cuts += 1;
    }
    assert!(cuts > 50, "{cuts}");
    assert_eq!(desk.with(|ledger| ledger.texts()), texts);
    // What was accepted just before a cut is moved after what came since; in whichever order, each once.
    let (mut moved, mut all) = (world.folder("Processed"), texts);
    moved.sort();
    all.sort();
    assert_eq!((moved, world.folder("INBOX").len()), (all, 0));
}

#[tokio::test]
async fn a_server_that_sends_far_more_than_its_sizes_say_is_stopped() {
    let world = world_with_three().await;
    world.change(|state| {
        state.inbox().mails.values_mut().for_each(|mail| {
            (mail.text, mail.said_size) = (vec![b'x'; 700], Some(1));
        });
    });
    let mut mailbox = mailbox(&world);
    (mailbox.limits.whole, mailbox.limits.part, mailbox.limits.batch_bytes) = (900, 900, 400);
    let error = until_failure(&mailbox, &Desk::default()).await;
    assert!(error.to_string().contains("much more mail than its sizes announced"), "{error}");
}

#[tokio::test]
async fn an_announcement_of_half_a_gigabyte_ends_the_connection_and_not_our_memory() {
    let world = world_with_three().await;
    world.rule(TEXTS, Then::Say("* 1 FETCH (UID 1 BODY[]<0> {500000000}\r\nabc"));
    let error = until_failure(&mailbox(&world), &Desk::default()).await;
    assert!(error.to_string().contains("an announcement of 500000000 bytes"), "{error}");
}

#[tokio::test]
async fn words_that_are_no_imap_are_not_repeated_in_the_error() {
    let world = world_with_three().await;
    world.rule(TEXTS, Then::Say("* BOGUS my secret mail\r\n"));
    let error = until_failure(&mailbox(&world), &Desk::default()).await;
    assert!(error.to_string().contains("bytes that are no IMAP") && !error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_select_without_uidvalidity_is_refused() {
    let world = world_with_three().await;
    world.rule("SELECT", Then::Say("* 3 EXISTS\r\n{tag} OK\r\n"));
    let error = until_failure(&mailbox(&world), &Desk::default()).await;
    assert!(matches!(error, Error::NoUidValidity { .. }) && !error.lasting(), "{error}");
}

#[tokio::test]
async fn flags_that_others_change_meanwhile_are_not_taken_for_mail() {
    let world = world_with_three().await;
    world.rule(TEXTS, Then::First("* 2 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n"));
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| ledger.texts()), ["one", "two", "three"]);
}

#[tokio::test]
async fn a_server_that_refuses_to_idle_is_polled() {
    let world = World::start().await;
    world.rule("IDLE", Then::Say("{tag} NO not today\r\n"));
    let desk = Desk::default();
    let story = async {
        desk.until(Ledger::waits).await;
        world.mail_comes("found by looking");
        desk.until(|ledger| ledger.mails.len() == 1).await;
    };
    while_receiving(&mailbox(&world), &desk, story).await;
    assert_eq!(world.heard("IDLE"), 1);
}

#[tokio::test]
async fn mail_announced_before_the_plus_is_taken_at_once() {
    let world = World::start().await;
    let comes = |state: &mut State| {
        state.deliver("INBOX", "early", "15-Nov-2023 10:00:00 +0000");
    };
    world.rule("UID SEARCH", Then::Afterwards(comes));
    world.rule("IDLE", Then::Say("* 1 EXISTS\r\n+ idling\r\n"));
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(|ledger| ledger.mails.len() == 1)).await;
}

#[tokio::test]
async fn mail_announced_at_the_end_of_the_search_is_taken_before_waiting() {
    let world = World::start().await;
    world.rule("UID SEARCH", Then::Say("* SEARCH\r\n* 1 EXISTS\r\n{tag} OK\r\n"));
    world.mail_comes("just now");
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| ledger.texts()), ["just now"]);
}

#[tokio::test]
async fn mail_that_idle_never_announces_is_found_by_the_poll() {
    let world = World::start().await;
    let mut mailbox = mailbox(&world);
    mailbox.limits.poll = Duration::from_millis(30);
    let desk = Desk::default();
    let story = async {
        desk.until(Ledger::waits).await;
        // Nothing tells the waiting server's connection of it.
        world.quietly(|state| state.deliver("INBOX", "unannounced", "15-Nov-2023 10:00:00 +0000"));
        desk.until(|ledger| ledger.mails.len() == 1).await;
    };
    while_receiving(&mailbox, &desk, story).await;
}

#[tokio::test]
async fn a_connection_that_dies_while_waiting_is_noticed() {
    let world = World::start().await;
    world.rule("IDLE", Then::SayAndClose("+ idling\r\n"));
    let error = until_failure(&mailbox(&world), &Desk::default()).await;
    assert!(matches!(error, Error::Closed { during: "IDLE", .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_does_not_end_the_wait_is_held_for_dead() {
    let world = World::start().await;
    let mut mailbox = impatient(&mailbox(&world));
    mailbox.limits.poll = Duration::from_millis(10);
    world.rule("IDLE", Then::Say("+ idling\r\n"));
    world.rule("DONE", Then::Silence);
    let error = until_failure(&mailbox, &Desk::default()).await;
    assert!(matches!(error, Error::Silent { during: "IDLE", .. }), "{error}");
}
