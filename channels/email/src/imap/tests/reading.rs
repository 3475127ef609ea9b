//! What is read, in which order, and what other people do to the mailbox meanwhile.

use std::time::Duration;

use guichet_domain::time::Moment;
use tokio_util::sync::CancellationToken;

use super::desk::{Desk, Fixed, Ledger, endpoint, limits, mailbox, password, text, until_failure, while_receiving};
use super::world::{Rule, State, Then, World};
use crate::imap::sink::{Progress, Refusal};
use crate::imap::{Session, receive};

#[tokio::test]
async fn mail_that_waits_and_mail_that_comes_are_taken_in_order() {
    let world = World::start().await;
    for number in 0..250 {
        world.mail_comes(&format!("mail {number}"));
    }
    let desk = Desk::default();
    let story = async {
        desk.until(Ledger::waits).await;
        world.mail_comes("mail 250");
        desk.until(|ledger| ledger.mails.len() == 251).await;
    };
    while_receiving(&mailbox(&world), &desk, story).await;
    let expected: Vec<String> = (0..=250).map(|number| format!("mail {number}")).collect();
    assert_eq!(desk.with(|ledger| ledger.texts()), expected);
    let first = desk.with(|ledger| ledger.mails.remove(0));
    assert_eq!(first.name, "INBOX/7/1");
    assert_eq!(first.received.to_string(), "2023-11-15T10:00:00Z");
}

#[tokio::test]
async fn the_next_batches_are_understood_and_read_while_one_is_being_accepted_and_no_further() {
    let world = World::start().await;
    let mut mailbox = mailbox(&world);
    mailbox.limits.batch_messages = 2;
    let desk = Desk::default();
    let story = async {
        desk.until(Ledger::waits).await;
        desk.close(true);
        world.change(|state| {
            for _ in 0..20 {
                state.deliver("INBOX", "hello", "15-Nov-2023 10:00:00 +0000");
            }
        });
        // One batch at the desk, one understood, one read, one asked for: the fifth is not touched.
        world.until_heard("UID FETCH 7:8 (UID BODY").await;
        assert_eq!(world.heard("UID FETCH 9:10 (UID BODY"), 0);
        assert!(desk.with(|ledger| ledger.mails.is_empty()));
        desk.close(false);
        desk.until(|ledger| ledger.mails.len() == 20).await;
    };
    while_receiving(&mailbox, &desk, story).await;
}

#[tokio::test]
async fn a_mail_that_somebody_removes_before_it_is_read_is_counted_and_passed() {
    let world = World::start().await;
    for text in ["one", "two", "three"] {
        world.mail_comes(text);
    }
    let removed = |state: &mut State| {
        state.inbox().mails.remove(&2);
    };
    world.rule("UID FETCH 1:3 (UID BODY", Then::Meanwhile(removed));
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| (ledger.texts(), ledger.gone)), (vec!["one".into(), "three".into()], 1));
    assert_eq!(desk.with(|ledger| ledger.position.unwrap().last_uid), 3);
}

#[tokio::test]
async fn the_last_mails_may_vanish_too() {
    let world = World::start().await;
    world.mail_comes("one");
    let emptied = |state: &mut State| state.inbox().mails.clear();
    world.rule("UID FETCH 1 (UID RFC822.SIZE", Then::Meanwhile(emptied));
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| (ledger.mails.len(), ledger.gone)), (0, 1));
}

#[tokio::test]
async fn a_mail_the_server_forgets_to_send_is_asked_for_again() {
    let world = World::start().await;
    world.mail_comes("one");
    world.mail_comes("two");
    world.rule("UID FETCH 1:2 (UID BODY", Then::Say("* 2 FETCH (UID 2 BODY[]<0> {3}\r\ntwo)\r\n{tag} OK\r\n"));
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| (ledger.texts(), ledger.gone)), (vec!["one".into(), "two".into()], 0));
}

#[tokio::test]
async fn a_mail_the_server_cannot_hand_out_is_handed_on_as_such_and_blocks_nothing() {
    let world = World::start().await;
    world.mail_comes("broken");
    world.mail_comes("sound");
    world.rule("UID FETCH 1:2 (UID BODY", Then::Say("* 2 FETCH (UID 2 BODY[]<0> {5}\r\nsound)\r\n{tag} NO\r\n"));
    world.rule("UID FETCH 1 (UID BODY", Then::Say("{tag} NO [EXPUNGEISSUED] cannot read the file\r\n"));
    world.rule("UID FETCH 1 (UID BODY", Then::Say("* 1 FETCH (UID 1 BODY[]<0> NIL)\r\n{tag} OK\r\n"));
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(Ledger::waits)).await;
    let texts = desk.with(|ledger| ledger.texts());
    assert_eq!(texts, ["unreadable: the server lists this mail and does not hand it out", "sound"]);
}

#[tokio::test]
async fn a_mail_at_which_the_server_falls_over_each_time_does_not_block_what_is_behind() {
    let world = World::start().await;
    for text in ["one", "two", "three"] {
        world.mail_comes(text);
    }
    let half = Then::SayAndClose("* 1 FETCH (UID 1 BODY[]<0> {3}\r\none)\r\n* BYE internal error\r\n");
    world.change(|state| state.rules.push(Rule { when: "UID FETCH 1:3 (UID BODY", times: 9, then: half }));
    let (mailbox, desk) = (mailbox(&world), Desk::default());
    for _ in 0..5 {
        until_failure(&mailbox, &desk).await;
    }
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    let why = "unreadable: the server ends the connection each time it is asked for this mail";
    assert_eq!(desk.with(|ledger| ledger.texts()), ["one", why, "three"]);
}

#[tokio::test]
async fn sizes_that_the_server_will_not_tell_do_not_keep_mail_from_being_read() {
    let world = World::start().await;
    world.mail_comes("one");
    world.mail_comes("two");
    world.rule("UID FETCH 1:2 (UID RFC822.SIZE", Then::Say("{tag} NO [SERVERBUG] cannot open a file\r\n"));
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| ledger.texts()), ["one", "two"]);
}

#[tokio::test]
async fn an_empty_mail_is_a_mail() {
    let world = World::start().await;
    world.mail_comes("");
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(|ledger| ledger.mails.len() == 1)).await;
    assert_eq!(desk.with(|ledger| ledger.texts()), [""]);
}

#[tokio::test]
async fn a_large_mail_comes_in_parts_and_alone() {
    let world = World::start().await;
    let mut mailbox = mailbox(&world);
    (mailbox.limits.whole, mailbox.limits.part) = (1_000, 400);
    let large: String = ('a'..='z').cycle().take(1_500).collect();
    for text in ["before", large.as_str(), "after"] {
        world.mail_comes(text);
    }
    let desk = Desk::default();
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| ledger.texts()), ["before", large.as_str(), "after"]);
    assert_eq!(world.heard("UID FETCH 2 (UID BODY"), 4);
}

#[tokio::test]
async fn a_mail_larger_than_the_server_says_is_still_read_whole() {
    let world = World::start().await;
    let mut mailbox = mailbox(&world);
    (mailbox.limits.whole, mailbox.limits.part) = (1_000, 400);
    let large: String = ('a'..='z').cycle().take(2_345).collect();
    world.mail_comes(&large);
    world.change(|state| state.inbox().mails.get_mut(&1).unwrap().said_size = Some(10));
    let desk = Desk::default();
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| ledger.texts()), [large]);
}

#[tokio::test]
async fn of_a_mail_beyond_the_limit_only_the_head_is_read() {
    let world = World::start().await;
    let mut mailbox = mailbox(&world);
    mailbox.limits.message_max = 400_000;
    (mailbox.limits.whole, mailbox.limits.part) = (300_000, 100_000);
    world.mail_comes(&"x".repeat(500_000));
    world.mail_comes(&"y".repeat(500_000));
    world.change(|state| state.inbox().mails.get_mut(&2).unwrap().said_size = Some(10));
    world.mail_comes("next");
    let desk = Desk::default();
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    let head = "too large: 262144 bytes read".to_owned();
    assert_eq!(desk.with(|ledger| ledger.texts()), [head.clone(), head, "next".to_owned()]);
}

#[tokio::test]
async fn a_busy_intake_leaves_mail_on_the_server_until_it_takes_it() {
    let world = World::start().await;
    let desk = Desk::default();
    let story = async {
        desk.until(Ledger::waits).await;
        let busy = || Refusal::Busy { after: Duration::from_millis(10), why: "disk full".into() };
        desk.with(|ledger| ledger.refusals = vec![busy(), busy()]);
        world.mail_comes("patient");
        desk.until(|ledger| ledger.progress.contains(&Progress::Busy { why: "disk full".into() })).await;
        desk.until(|ledger| ledger.mails.len() == 1 && ledger.waits()).await;
    };
    while_receiving(&mailbox(&world), &desk, story).await;
    assert_eq!(world.folder("Processed"), ["patient"]);
}

#[tokio::test]
async fn mail_is_still_in_its_folder_while_it_is_being_accepted() {
    let world = World::start().await;
    world.mail_comes("precious");
    let desk = Desk::default();
    desk.close(true);
    let story = async {
        // The first acceptance stores the position, before anything is read.
        desk.until_begun(1).await;
        desk.close(false);
        desk.until(|ledger| ledger.position.is_some()).await;
        desk.close(true);
        world.until_heard("UID FETCH 1 (UID BODY").await;
        assert_eq!((world.folder("INBOX").len(), world.heard("UID MOVE")), (1, 0));
        desk.close(false);
        desk.until(|ledger| ledger.mails.len() == 1 && ledger.waits()).await;
        assert_eq!(world.folder("Processed"), ["precious"]);
    };
    while_receiving(&mailbox(&world), &desk, story).await;
}

#[tokio::test]
async fn a_refused_batch_ends_the_session_with_the_reason_and_stays() {
    let world = World::start().await;
    let desk = Desk::default();
    let story = async {
        world.mail_comes("unwanted");
        desk.with(|ledger| ledger.refusals = vec![Refusal::Refused { why: "the source is closed".into() }]);
    };
    story.await;
    let error = until_failure(&mailbox(&world), &desk).await;
    assert!(error.to_string().contains("the source is closed"), "{error}");
    assert_eq!(world.folder("INBOX"), ["unwanted"]);
}

#[tokio::test]
async fn a_stop_ends_waiting_at_once_and_an_endless_acceptance_soon() {
    let world = World::start().await;
    let (mailbox, credentials) = (mailbox(&world), password());
    let desk = Desk::default();
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;

    desk.close(true);
    world.mail_comes("stuck");
    let stop = CancellationToken::new();
    let begun = desk.begun();
    let stopped = async {
        desk.until_begun(begun + 1).await;
        stop.cancel();
        tokio::time::Instant::now()
    };
    let (received, since) = tokio::join!(receive(&mailbox, &credentials, &desk, &Fixed, &stop), stopped);
    received.unwrap();
    assert!(since.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn an_acceptance_under_way_at_a_stop_is_awaited() {
    let world = World::start().await;
    let (mailbox, credentials) = (mailbox(&world), password());
    let desk = Desk::default();
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    desk.close(true);
    world.mail_comes("in hand");
    let stop = CancellationToken::new();
    let begun = desk.begun();
    let stopped = async {
        desk.until_begun(begun + 1).await;
        stop.cancel();
        desk.close(false);
    };
    let (received, ()) = tokio::join!(receive(&mailbox, &credentials, &desk, &Fixed, &stop), stopped);
    received.unwrap();
    assert_eq!(desk.with(|ledger| ledger.texts()), ["in hand"]);
}

#[tokio::test]
async fn a_search_after_the_last_mail_finds_nothing_although_the_star_names_it() {
    let world = World::start().await;
    world.mail_comes("one");
    let stop = CancellationToken::new();
    let mut session = Session::open(&endpoint(&world), &password(), &limits(), &stop).await.unwrap();
    session.select("INBOX").await.unwrap();
    assert_eq!(session.search_after(0).await.unwrap(), [1]);
    assert!(session.search_after(1).await.unwrap().is_empty());
    assert_eq!(session.search_since(Moment::EARLIEST, 9).await.unwrap(), [1]);
}

#[tokio::test]
async fn names_stay_the_same_when_mail_is_read_again() {
    let world = World::start().await;
    world.mail_comes("keep me here");
    let (mailbox, desk) = (mailbox(&world), Desk::default());
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    let other = Desk::default();
    while_receiving(&mailbox, &other, other.until(Ledger::waits)).await;
    let key = |desk: &Desk| {
        desk.with(|ledger| ledger.mails.iter().map(|mail| (mail.name.clone(), text(mail))).collect::<Vec<_>>())
    };
    assert_eq!(key(&desk), key(&other));
    assert_eq!(key(&desk), [("INBOX/7/1".to_owned(), "keep me here".to_owned())]);
}

#[tokio::test]
async fn a_huge_folder_is_searched_piece_by_piece_and_nothing_is_missed() {
    let world = World::start().await;
    for number in 0..40 {
        world.change(|state| state.inbox().uidnext = 1 + number * number);
        world.mail_comes(&format!("mail {number}"));
    }
    let mut mailbox = mailbox(&world);
    mailbox.limits.search_at_once = 8;
    let desk = Desk::default();
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| ledger.mails.len()), 40);
    assert_eq!((world.folder("Processed").len(), world.folder("INBOX").len()), (40, 0));
    assert!(world.heard("UID SEARCH UID 1:8") > 0);
}
