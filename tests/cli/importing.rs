//! `import`: mbox files, maildirs, single mails.

use super::{Desk, MAIL};

fn mbox(numbers: std::ops::Range<u32>) -> String {
    let one = |number| {
        format!("From jean@client.test Sun Nov 22 10:00:00 2026\n{}\n", MAIL.replace("a1@", &format!("a{number}@")))
    };
    numbers.map(one).collect()
}

fn imported(desk: &Desk, arguments: &[&str]) -> serde_json::Value {
    desk.json(&[&["import", "--source", "local"], arguments].concat())
}

#[test]
fn an_mbox_becomes_tickets_without_a_word_to_anybody() {
    let desk = Desk::new();
    let file = desk.file("archive.mbox", mbox(0..40));
    let done = imported(&desk, &[&file]);
    assert_eq!((&done["messages"], &done["opened"], &done["failed"]), (&40.into(), &40.into(), &0.into()));
    assert_eq!(desk.does(&["outbox", "list"]), "nothing waits, and nothing failed\n");
    assert!(desk.does(&["reconcile"]).contains("local         40      40"));
}

#[test]
fn an_import_that_was_interrupted_is_run_again() {
    let desk = Desk::new();
    let half = desk.file("half", mbox(0..10));
    let whole = desk.file("whole", mbox(0..25));
    imported(&desk, &[&half]);
    let done = imported(&desk, &[&whole]);
    assert_eq!((&done["duplicate"], &done["opened"]), (&10.into(), &15.into()));
}

#[test]
fn an_answer_joins_what_stands_just_before_it() {
    let desk = Desk::new();
    let answer = "From: Jean Dupont <jean@client.test>\nSubject: Re: Imprimante\nMessage-ID: <r@client.test>\nIn-Reply-To: \
        <a0@client.test>\n\nToujours en panne.\n";
    let text = format!("{}From jean@client.test Sun Nov 22 11:00:00 2026\n{answer}\n", mbox(0..1));
    let done = imported(&desk, &[&desk.file("thread", text)]);
    assert_eq!((&done["opened"], &done["appended"]), (&1.into(), &1.into()));
}

#[test]
fn a_maildir_and_a_folder_of_mails_are_read_whole() {
    let desk = Desk::new();
    for (number, file) in
        ["Maildir/cur/1:2,S", "Maildir/new/2", "Maildir/tmp/3", "mails/a.eml", "mails/b.EML"].iter().enumerate()
    {
        desk.file(file, MAIL.replace("a1@", &format!("a{number}@")));
    }
    desk.file("mails/readme.txt", "no mail");
    let done = imported(&desk, &[&desk.at("Maildir").display().to_string(), &desk.at("mails").display().to_string()]);
    assert_eq!((&done["opened"], &done["messages"]), (&4.into(), &4.into()));
}

#[test]
fn people_are_acknowledged_when_that_is_asked_for() {
    let desk = Desk::new();
    let file = desk.file("mail.eml", MAIL);
    let ran = desk.run(&["import", "--source", "local", "--acknowledge", &file]);
    assert!(ran.err.contains("1 message waits in the outbox"), "{ran:?}");
    assert!(ran.well().ends_with(": 1 opened, 0 appended, 0 duplicate, 0 quarantined\n"));
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_goes_on() {
    let desk = Desk::new();
    let file = desk.file("mail.eml", MAIL);
    let ran = desk.run(&["import", "--source", "local", "/nonexistent.mbox", &file]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("/nonexistent.mbox: ") && ran.err.contains("1 could not be imported"), "{ran:?}");
    assert!(ran.out.contains("1 opened"), "{ran:?}");
}

#[test]
fn a_message_that_is_too_large_is_named_and_the_next_one_is_taken() {
    let desk = Desk::new();
    desk.configure("[http]\nmax_body = 100000\n");
    let large = MAIL.replace("plus.", &"plus. ".repeat(50_000));
    let from = "From jean@client.test Sun Nov 22 10:00:00 2026\n";
    let file = desk.file("archive.mbox", format!("{from}{large}\n{}", mbox(5..7)));
    let ran = desk.run(&["import", "--source", "local", &file]);
    assert!(ran.err.contains("archive.mbox message 1: the body is larger than is taken here"), "{ran:?}");
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("2 opened"), "{ran:?}");
}

#[test]
fn a_wrong_source_ends_an_import_at_once() {
    let desk = Desk::new();
    let file = desk.file("archive.mbox", mbox(0..40));
    let said = desk.run(&["import", "--source", "lcoal", &file]).failed(1);
    assert!(
        said.starts_with("guichet: there is no source \"lcoal\"; use one of: ") && said.contains("local"),
        "{said}"
    );
}
