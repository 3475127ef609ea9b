//! `inject`: exit 0 when the mail is durable, 75 in every other case.

use super::{Desk, MAIL};

#[test]
fn a_mail_becomes_a_ticket_and_its_reference_is_printed() {
    let desk = Desk::new();
    let ran = desk.pipe(MAIL, &["inject", "--source", "local"]);
    assert!(
        ran.err.contains("the daemon is not running: 1 message waits in the outbox and leaves when it starts"),
        "{ran:?}"
    );
    let out = ran.well();
    assert!(out.starts_with("GT-") && out.ends_with(" opened\n"), "{out}");
}

#[test]
fn the_same_mail_again_gives_the_same_ticket() {
    let desk = Desk::new();
    let first = desk.ticket_of(MAIL);
    let file = desk.file("mail.eml", MAIL);
    assert_eq!(desk.does(&["inject", "--source", "local", &file]), format!("{first} duplicate\n"));
    let by_another_way = format!("Received: from x by y; Sun, 22 Nov 2026 09:00:01 +0100\n{MAIL}");
    assert_eq!(desk.pipe(by_another_way, &["inject", "-s", "local"]).well(), format!("{first} duplicate\n"));
}

#[test]
fn a_pipe_that_wants_silence_gets_it() {
    let desk = Desk::new();
    let ran = desk.pipe(MAIL, &["inject", "-q", "-s", "local", "-"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    assert_eq!(desk.json(&["ticket", "list"])["tickets"].as_array().unwrap().len(), 1);
}

#[test]
fn a_program_gets_the_receipt_as_json() {
    let desk = Desk::new();
    let file = desk.file("mail.eml", MAIL);
    let receipt = desk.json(&["inject", "-s", "local", &file]);
    assert_eq!((&receipt["verdict"], &receipt["seq"]), (&"opened".into(), &1.into()));
}

#[test]
fn a_bounce_is_known_by_the_envelope_the_mail_server_tells() {
    let desk = Desk::new();
    let mail = "From: MAILER-DAEMON@mx.test\nSubject: Undelivered Mail\nMessage-ID: <b1@mx.test>\n\nIt failed.\n";
    let mut command = desk.command(&["inject", "-s", "local"]);
    command.env("SENDER", "").env("RECIPIENT", "support@desk.test");
    super::desk::ran(command, mail.as_bytes()).well();
    let sent = desk.json(&["outbox", "list", "--all"]);
    let states: Vec<_> =
        sent["deliveries"].as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert!(states.iter().all(|state| *state == "suppressed"), "no machine is answered: {sent}");
}

#[test]
fn a_source_that_does_not_exist_keeps_the_mail_with_the_mail_server() {
    let said = Desk::new().pipe(MAIL, &["inject", "--source", "lcoal"]).failed(75);
    assert!(
        said.starts_with("guichet: there is no source \"lcoal\"; use one of: ") && said.contains("local"),
        "{said}"
    );
}

#[test]
fn nothing_handed_in_is_nothing_taken_in() {
    let said = Desk::new().pipe("", &["inject", "--source", "local"]).failed(75);
    assert!(said.starts_with("guichet: standard input is empty; "), "{said}");
}

#[test]
fn a_wrong_configuration_or_command_line_sends_no_mail_back() {
    let desk = Desk::new();
    assert_eq!(desk.pipe(MAIL, &["inject", "--sauce", "local"]).code, 75);
    desk.configure("[desk]\nnmae = \"x\"\n");
    desk.pipe(MAIL, &["inject", "--source", "local"]).failed(75);
}

#[test]
fn what_is_not_a_mail_is_kept_aside_and_can_be_let_in() {
    let desk = Desk::new();
    let out = desk.pipe("   \n", &["inject", "-s", "local"]).well();
    assert!(out.starts_with("- quarantined: "), "{out}");
    let page = desk.json(&["quarantine", "list"]);
    let id = page["items"][0]["id"].as_str().unwrap().to_owned();
    let end = &id[id.len() - 12..];
    assert!(desk.does(&["quarantine", "list"]).contains(end));
    assert_eq!(desk.does(&["quarantine", "show", "--raw", end]), "   \n");
    assert!(desk.does(&["quarantine", "show", end]).contains("standing  held"));
    desk.does(&["quarantine", "discard", end]);
    assert_eq!(desk.does(&["quarantine", "list"]), "nothing is kept aside\n");
    assert!(desk.does(&["quarantine", "list", "--standing", "discarded"]).contains(end));
    assert!(desk.run(&["quarantine", "show", "ffffffffffff"]).failed(1).contains("there is no \"ffffffffffff\""));
}

#[test]
fn a_simulation_tells_all_and_keeps_nothing() {
    let desk = Desk::new();
    let file = desk.file("mail.eml", MAIL);
    let out = desk.does(&["simulate", "--source", "local", &file]);
    assert!(out.starts_with("it would be opened") && out.contains("acknowledgement"), "{out}");
    assert_eq!(desk.json(&["ticket", "list", "--all"])["tickets"], serde_json::json!([]));
    assert_eq!(desk.json(&["simulate", "-s", "local", &file])["verdict"], "opened");
}
