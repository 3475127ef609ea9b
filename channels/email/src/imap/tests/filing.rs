//! Where accepted mail goes, and what happens when it cannot go there.

use super::desk::{Desk, Ledger, mailbox, until_failure, while_receiving};
use super::world::{State, Then, World};
use crate::imap::Error;
use crate::imap::sink::Progress;

async fn three_kinds() -> World {
    let world = World::start().await;
    for text in ["question", "spam", "keep this"] {
        world.mail_comes(text);
    }
    world
}

#[tokio::test]
async fn accepted_mail_is_moved_in_one_command_and_marked() {
    let world = three_kinds().await;
    world.mail_comes("another question");
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(Ledger::waits)).await;
    assert_eq!(world.folder("Processed"), ["question", "another question"]);
    assert_eq!(world.folder("Failed"), ["spam"]);
    assert_eq!(world.folder("INBOX"), ["keep this"]);
    assert_eq!(world.heard("UID MOVE 1,4 \"Processed\""), 1);
    let marked = world.change(|state| state.folder("Processed").mails[&1].keywords.contains("$GuichetDone"));
    assert!(marked);
}

#[tokio::test]
async fn mail_may_stay_in_place_and_is_then_not_read_twice() {
    let world = three_kinds().await;
    let mut mailbox = mailbox(&world);
    (mailbox.processed, mailbox.failed) = (None, None);
    let desk = Desk::default();
    for _ in 0..2 {
        desk.with(|ledger| ledger.progress.clear());
        while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    }
    assert_eq!(desk.with(|ledger| ledger.mails.len()), 3);
    assert_eq!(world.folder("INBOX").len(), 3);
    assert_eq!((world.heard("UID FETCH 1:3 (UID BODY"), world.heard("CREATE")), (1, 0));
    assert!(world.change(|state| state.inbox().mails[&1].keywords.contains("$GuichetDone")));
}

#[tokio::test]
async fn without_move_mail_is_copied_and_only_it_is_expunged() {
    let world = three_kinds().await;
    world.change(|state| {
        state.capabilities = "IMAP4rev1 AUTH=PLAIN IDLE UIDPLUS";
        state.inbox().mails.get_mut(&3).unwrap().keywords.insert("\\Deleted".to_owned());
    });
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(Ledger::waits)).await;
    assert_eq!(world.folder("Processed"), ["question"]);
    // Somebody else marked the third as deleted; removing it is theirs to do.
    assert_eq!(world.folder("INBOX"), ["keep this"]);
    assert_eq!(world.heard("UID EXPUNGE 1"), 1);
}

#[tokio::test]
async fn without_move_and_uidplus_nothing_of_others_is_expunged() {
    let world = three_kinds().await;
    world.change(|state| state.capabilities = "IMAP4rev1 AUTH=PLAIN IDLE");
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(Ledger::waits)).await;
    assert_eq!(world.folder("Processed"), ["question"]);
    assert_eq!((world.heard("EXPUNGE"), world.heard("UID EXPUNGE")), (0, 0));
}

#[tokio::test]
async fn mail_accepted_before_a_crash_is_moved_after_it_and_not_taken_twice() {
    let world = three_kinds().await;
    world.rule("UID MOVE", Then::SayAndClose(""));
    let (mailbox, desk) = (mailbox(&world), Desk::default());
    until_failure(&mailbox, &desk).await;
    assert_eq!(world.folder("INBOX").len(), 3);
    while_receiving(&mailbox, &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| ledger.mails.len()), 3);
    assert_eq!(world.folder("Processed"), ["question"]);
    assert_eq!(world.folder("Failed"), ["spam"]);
}

#[tokio::test]
async fn a_folder_that_somebody_deletes_is_made_again() {
    let world = three_kinds().await;
    world.rule("UID MOVE", Then::Say("{tag} NO [TRYCREATE] no such folder\r\n"));
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(Ledger::waits)).await;
    assert_eq!(world.folder("Processed"), ["question"]);
}

#[tokio::test]
async fn a_full_target_folder_is_reported_and_does_not_stop_the_intake() {
    let world = three_kinds().await;
    world.rule("UID MOVE", Then::Say("{tag} NO [OVERQUOTA] the mailbox of bob@example.org is full\r\n"));
    let desk = Desk::default();
    let story = async {
        desk.until(Ledger::waits).await;
        world.mail_comes("still taken");
        desk.until(|ledger| ledger.mails.len() == 4 && ledger.rounds() > 1).await;
    };
    while_receiving(&mailbox(&world), &desk, story).await;
    let told = desk.with(|ledger| {
        ledger.progress.iter().find_map(|progress| match progress {
            Progress::NotFiled { why } => Some(why.clone()),
            _ => None,
        })
    });
    let told = told.unwrap();
    assert!(told.contains("refuses MOVE: [OVERQUOTA] the mailbox of (address) is full"), "{told}");
    assert_eq!(world.folder("Processed"), ["question", "still taken"]);
}

#[tokio::test]
async fn a_server_that_keeps_no_more_keywords_still_moves() {
    let world = three_kinds().await;
    world.rule("UID STORE", Then::Say("{tag} NO [LIMIT] too many keywords\r\n"));
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(Ledger::waits)).await;
    assert_eq!((world.folder("Processed"), world.folder("Failed")), (vec!["question".into()], vec!["spam".into()]));
}

#[tokio::test]
async fn mail_that_others_move_away_meanwhile_is_no_fault() {
    let world = three_kinds().await;
    let emptied = |state: &mut State| state.inbox().mails.clear();
    world.rule("UID STORE", Then::Meanwhile(emptied));
    let desk = Desk::default();
    while_receiving(&mailbox(&world), &desk, desk.until(Ledger::waits)).await;
    assert_eq!(desk.with(|ledger| ledger.mails.len()), 3);
}

#[tokio::test]
async fn a_missing_folder_stops_the_source_with_its_name() {
    let world = World::start().await;
    let mut mailbox = mailbox(&world);
    mailbox.folder = "Anfragen".to_owned();
    let error = until_failure(&mailbox, &Desk::default()).await;
    assert!(matches!(error, Error::FolderMissing { .. }) && error.lasting(), "{error}");
    assert!(error.to_string().contains("\"Anfragen\"") && error.to_string().contains("\"INBOX.\""), "{error}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_stops_the_source() {
    let world = World::start().await;
    world.rule("CREATE", Then::Say("{tag} NO permission denied\r\n"));
    let error = until_failure(&mailbox(&world), &Desk::default()).await;
    assert!(error.lasting() && error.to_string().contains("no folder \"Processed\": permission denied"), "{error}");
}

#[tokio::test]
async fn a_read_only_mailbox_stops_the_source_if_mail_is_to_be_moved() {
    let world = World::start().await;
    world.rule("SELECT", Then::Say("* 0 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n{tag} OK [READ-ONLY] look only\r\n"));
    let error = until_failure(&mailbox(&world), &Desk::default()).await;
    assert!(matches!(error, Error::ReadOnly { .. }) && error.lasting(), "{error}");
}
