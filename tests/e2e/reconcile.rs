//! The books against the live mailbox.

use std::process::Command;

use super::desk::{Desk, Mailbox};
use super::rig::Rig;
use super::wait::until;

/// Somebody changes the database by hand.
fn by_hand(desk: &Desk, sql: &str) {
    let program =
        "import sqlite3, sys\nd = sqlite3.connect(sys.argv[1], timeout=30)\nd.executescript(sys.argv[2])\nd.commit()";
    let database = desk.state().join("guichet.db");
    let done = Command::new("python3").args(["-c", program]).arg(database).arg(sql).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// What `reconcile` tells, and whether it is content.
fn reconcile(desk: &Desk) -> (bool, String) {
    let told = desk.tries(&["reconcile"]);
    (told.status.success(), String::from_utf8_lossy(&told.stdout).into_owned())
}

/// The numbers of the mailbox's line: held, known, missing, ahead, aside, nameless.
fn numbers(told: &str, mailbox: &Mailbox) -> Vec<u64> {
    let rest = told.split("HELD").nth(1).unwrap_or_else(|| panic!("no mailbox was listed:\n{told}"));
    let line = rest.lines().find(|line| line.starts_with(&mailbox.name)).unwrap_or_else(|| panic!("{told}"));
    line.split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect()
}

#[test]
fn a_mail_whose_row_is_gone_is_named_where_it_lies_and_what_others_put_there_is_none_of_ours() {
    let Some(rig) = Rig::shared() else { return };
    let mailbox = Mailbox::of(&Rig::desk_user()).top("trust = \"all\"").imap("history = \"none\"");
    let before = rig.person("Bea").writes(&mailbox.address(), "From before", "Hello, is this still open?");
    rig.lay(&mailbox.user, &before.raw());
    let mut desk = Desk::open(&rig, "", std::slice::from_ref(&mailbox));
    let people = [rig.person("Ann"), rig.person("Ben")];
    for (number, person) in people.iter().enumerate() {
        person.mails(&desk.address(), "Headset", "Hello, my headset is silent.");
        person.gets_mail(1);
        until("the mail is filed", || (rig.lying(desk.user(), "Processed").len() > number).then_some(()));
    }
    // By another mail program, past us.
    rig.other_client(desk.user(), &["SELECT INBOX", "UID COPY 1 Processed"]);
    let (content, told) = reconcile(&desk);
    assert!(content, "{told}");
    assert_eq!(numbers(&told, &mailbox), [4, 2, 0, 0, 2, 0], "{told}");

    by_hand(
        &desk,
        "CREATE TABLE lost AS SELECT * FROM inbound ORDER BY recorded_at LIMIT 1; DELETE FROM inbound WHERE id IN (SELECT id FROM lost)",
    );
    let (content, told) = reconcile(&desk);
    assert!(!content, "{told}");
    assert_eq!(numbers(&told, &mailbox), [4, 1, 1, 0, 2, 0], "{told}");
    assert!(told.contains(&format!("{}: not here: Processed, UID 1", mailbox.name)), "{told}");
    let offline = desk.tries(&["reconcile", "--offline"]);
    assert!(!String::from_utf8_lossy(&offline.stdout).contains("HELD"), "no server is asked");

    by_hand(&desk, "INSERT INTO inbound SELECT * FROM lost; DROP TABLE lost");
    // Without a daemon as with one; what comes now is not taken in yet.
    desk.stop();
    people[0].mails(&desk.address(), "Another", "Hello, and my screen flickers.");
    until("the mail lies in the inbox", || (rig.lying(desk.user(), "INBOX").len() > 1).then_some(()));
    let (content, told) = reconcile(&desk);
    assert!(content, "{told}");
    assert_eq!(numbers(&told, &mailbox), [5, 2, 0, 1, 2, 0], "{told}");
    desk.start();
    people[0].gets_mail(2);
    desk.ends_well();
}
