//! The first look into a full mailbox, and folders whose numbering starts anew.

use std::time::Duration;

use super::desk::{Desk, Ledger, mailbox, until_failure, while_receiving};
use super::world::{Then, World};
use crate::imap::position::History;
use crate::imap::sink::Progress;

const DAY: Duration = Duration::from_hours(24);

/// Mail of 1 October, of 8 November 11:59 and 12:01, and of 14 November; it is 15 November 2023, noon.
async fn full_mailbox() -> World {
    let world = World::start().await;
    world.change(|state| {
        state.deliver("INBOX", "old", "01-Oct-2023 10:00:00 +0000");
        state.deliver("INBOX", "just too old", "08-Nov-2023 11:59:00 +0000");
        state.deliver("INBOX", "just in time", "08-Nov-2023 13:01:00 +0100");
        state.deliver("INBOX", "old, imported late", "02-Oct-2023 10:00:00 +0000");
        state.deliver("INBOX", "yesterday", "14-Nov-2023 10:00:00 +0000");
    });
    world
}

async fn first_look(world: &World, history: History) -> Desk {
    let mut mailbox = mailbox(world);
    mailbox.history = history;
    let desk = Desk::default();
    let story = async {
        desk.until(Ledger::waits).await;
        world.mail_comes("new");
        desk.until(|ledger| ledger.texts().last().is_some_and(|text| text == "new") && ledger.rounds() > 1).await;
    };
    while_receiving(&mailbox, &desk, story).await;
    desk
}

fn seen(desk: &Desk) -> Vec<(String, bool)> {
    desk.with(|ledger| ledger.texts().into_iter().zip(ledger.mails.iter().map(|mail| mail.history)).collect())
}

fn expected(texts: &[(&str, bool)]) -> Vec<(String, bool)> {
    texts.iter().map(|(text, history)| ((*text).to_owned(), *history)).collect()
}

#[tokio::test]
async fn since_seven_days_takes_what_is_younger_to_the_minute_and_counts_the_rest() {
    let world = full_mailbox().await;
    let desk = first_look(&world, History::Since(7 * DAY)).await;
    assert_eq!(seen(&desk), expected(&[("just in time", true), ("yesterday", true), ("new", false)]));
    assert_eq!(desk.with(|ledger| ledger.skipped), 3);
    assert_eq!(world.folder("INBOX"), ["old", "just too old", "old, imported late"]);
}

#[tokio::test]
async fn none_takes_only_what_comes_later_and_leaves_the_rest_in_place() {
    let world = full_mailbox().await;
    let desk = first_look(&world, History::None).await;
    assert_eq!(seen(&desk), expected(&[("new", false)]));
    assert_eq!(desk.with(|ledger| ledger.skipped), 5);
    assert_eq!(world.folder("INBOX").len(), 5);
}

#[tokio::test]
async fn all_takes_everything_as_history() {
    let world = full_mailbox().await;
    let desk = first_look(&world, History::All).await;
    assert_eq!(seen(&desk).iter().filter(|(_, history)| *history).count(), 5);
    assert!(world.folder("INBOX").is_empty());
}

#[tokio::test]
async fn what_was_left_aside_stays_so_after_a_restart_whatever_the_setting_says_then() {
    let world = full_mailbox().await;
    let desk = first_look(&world, History::Since(7 * DAY)).await;
    desk.with(|ledger| ledger.progress.clear());
    let mut mailbox = mailbox(&world);
    mailbox.history = History::All;
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| (ledger.mails.len(), ledger.skipped)), (3, 3));
    assert_eq!(world.folder("INBOX").len(), 3);
}

#[tokio::test]
async fn a_first_look_that_breaks_off_goes_on_with_the_same_bounds() {
    let world = full_mailbox().await;
    let mut mailbox = mailbox(&world);
    mailbox.history = History::Since(7 * DAY);
    world.rule("UID FETCH 3,5 (UID BODY", Then::SayAndClose(""));
    let desk = Desk::default();
    until_failure(&mailbox, &desk).await;
    // Mail that comes while we are away is no history, however late we are back.
    world.mail_comes("while away");
    mailbox.history = History::None;
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    assert_eq!(seen(&desk), expected(&[("just in time", true), ("yesterday", true), ("while away", false)]));
    assert_eq!(desk.with(|ledger| ledger.skipped), 3);
}

#[tokio::test]
async fn a_new_uidvalidity_has_everything_read_again_under_new_names() {
    let world = full_mailbox().await;
    let mut mailbox = mailbox(&world);
    (mailbox.processed, mailbox.failed, mailbox.history) = (None, None, History::Since(7 * DAY));
    let desk = Desk::default();
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| ledger.mails.len()), 2);
    world.change(|state| state.inbox().uidvalidity = 8);
    desk.with(|ledger| ledger.progress.clear());
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    let names: Vec<String> = desk.with(|ledger| ledger.mails.iter().map(|mail| mail.name.clone()).collect());
    assert_eq!(names, ["INBOX/7/3", "INBOX/7/5", "INBOX/8.1/3", "INBOX/8.1/5"]);
    assert!(desk.with(|ledger| ledger.progress.contains(&Progress::NewEpoch)));
}

#[tokio::test]
async fn uids_that_count_down_do_not_hide_new_mail() {
    let world = full_mailbox().await;
    let (mailbox, desk) = (mailbox(&world), Desk::default());
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    world.change(|state| {
        state.inbox().uidnext = 2;
        state.deliver("INBOX", "after the backup was restored", "15-Nov-2023 13:00:00 +0000");
    });
    desk.with(|ledger| ledger.progress.clear());
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    let last = desk.with(|ledger| ledger.mails.pop()).unwrap();
    assert_eq!((super::desk::text(&last).as_str(), last.history), ("after the backup was restored", false));
    assert_eq!(last.name, "INBOX/7.1/2");
}

#[tokio::test]
async fn a_server_that_does_not_tell_uidnext_is_counted_by_hand() {
    let world = full_mailbox().await;
    world.rule("SELECT", Then::Say("* 5 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n{tag} OK\r\n"));
    world.rule("UID SEARCH", Then::Say("* SEARCH 1 2 3 4 5\r\n{tag} OK\r\n"));
    let mut mailbox = mailbox(&world);
    (mailbox.processed, mailbox.failed, mailbox.history) = (None, None, History::None);
    let desk = Desk::default();
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| ledger.position.unwrap().last_uid), 5);
}
