//! Agents at work, without a daemon.

use super::{Desk, MAIL};

#[test]
fn an_agent_reads_answers_and_closes() {
    let desk = Desk::new();
    let reference = desk.ticket_of(MAIL);
    assert!(desk.does(&["ticket", "list"]).contains(&reference));
    assert!(desk.does(&["ticket", "show", &reference]).contains("l'imprimante ne marche plus"));
    let out = desk.does(&["ticket", "reply", &reference, "--ask", "Which printer?"]);
    assert!(out.starts_with(&format!("{reference} is waiting, P")), "{out}");
    let closed = desk.run(&["ticket", "close", &reference, "New toner."]);
    assert!(
        closed.err.contains("the daemon is not running: 3 messages wait in the outbox and leave when it starts"),
        "{closed:?}"
    );
    assert!(closed.well().starts_with(&format!("{reference} is resolved")));
    assert_eq!(desk.does(&["ticket", "list"]), "no tickets\n");
    assert!(desk.does(&["ticket", "list", "--all"]).contains("resolved"));
    let page = desk.does(&["ticket", "show", &reference]);
    assert!(page.contains("reply by ada") && page.contains("New toner."), "{page}");
}

#[test]
fn a_page_leaves_out_what_is_quoted_unless_all_is_wanted() {
    let desk = Desk::new();
    let quoted =
        "\nToujours en panne.\n\nLe lun. 2 nov. 2026 à 10:00, Support <support@desk.test> a écrit :\n> Bonjour Jean\n";
    let reference = desk.ticket_of(&MAIL.replace("\nBonjour, l'imprimante ne marche plus.\n\nJean\n", quoted));
    assert!(!desk.does(&["ticket", "show", &reference]).contains("> Bonjour Jean"));
    assert!(desk.does(&["ticket", "show", &reference, "--full"]).contains("> Bonjour Jean"));
}

#[test]
fn words_come_from_the_command_line_a_file_or_a_pipe() {
    let desk = Desk::new();
    let reference = desk.ticket_of(MAIL);
    let file = desk.file("note.txt", "out of a file\n");
    desk.does(&["ticket", "note", &reference, "--file", &file]);
    desk.pipe("out of a pipe\n", &["ticket", "note", &reference]).well();
    desk.pipe("out of a dash\n", &["ticket", "note", &reference, "-"]).well();
    let page = desk.does(&["ticket", "show", &reference]);
    for words in ["out of a file", "out of a pipe", "out of a dash"] {
        assert!(page.contains(words), "{page}");
    }
    let said = desk.pipe("", &["ticket", "reply", &reference]).failed(2);
    assert!(said.starts_with("guichet: there is no text; "), "{said}");
}

#[test]
fn a_number_is_read_as_people_write_it_and_a_wrong_digit_is_told() {
    let desk = Desk::new();
    let reference = desk.ticket_of(MAIL);
    let digits: String = reference.chars().filter(char::is_ascii_digit).collect();
    let spoken = format!("{} {}.{}", &digits[..3], &digits[3..6], &digits[6..]);
    for way in [digits.as_str(), spoken.as_str(), &reference.to_lowercase()] {
        assert_eq!(desk.json(&["ticket", "show", way])["ticket"]["reference"], reference.as_str());
    }
    let last = digits.chars().last().and_then(|digit| digit.to_digit(10)).unwrap();
    let mistyped = format!("{}{}", &digits[..9], (last + 1) % 10);
    let said = desk.run(&["ticket", "show", &mistyped]).failed(1);
    assert!(said.contains("one digit of this ticket number is wrong; please read it again"), "{said}");
    assert!(desk.run(&["ticket", "show", "12"]).failed(1).contains("a ticket number has 10 digits, this has 2"));
}

#[test]
fn a_ticket_is_assigned_classified_escalated_and_merged() {
    let desk = Desk::new();
    let first = desk.ticket_of(MAIL);
    let second = desk.ticket_of(&MAIL.replace("a1@", "a2@").replace("jean@", "paul@"));
    assert!(desk.does(&["ticket", "assign", &first, "amelie"]).contains("assigned to amelie"));
    assert!(desk.does(&["ticket", "list", "--assignee", "amelie"]).contains(&first));
    assert!(!desk.does(&["ticket", "list", "--unassigned"]).contains(&first));
    assert!(desk.does(&["ticket", "classify", &first, "--impact", "high", "--urgency", "high"]).contains(", P1, "));
    assert!(desk.does(&["ticket", "escalate", &first, "needs a specialist"]).contains(", L2"));
    assert!(desk.does(&["ticket", "merge", &second, &first]).contains(&format!("part of {first}")));
    let said = desk.run(&["ticket", "note", &second, "x"]).failed(1);
    assert!(said.contains(&format!("act on {first} instead")), "{said}");
    assert_eq!(desk.run(&["ticket", "classify", &first]).code, 2, "something must be said of it");
    assert_eq!(desk.run(&["ticket", "list", "--is", "done"]).code, 2);
}

#[test]
fn a_ticket_that_cannot_do_it_says_what_it_can() {
    let desk = Desk::new();
    let reference = desk.ticket_of(MAIL);
    let said = desk.run(&["ticket", "reopen", &reference]).failed(1);
    assert!(said.contains("the ticket is new"), "{said}");
    let other = guichet_domain::reference::Reference::from_free(1);
    let said = desk.run(&["ticket", "show", &other.to_string()]).failed(1);
    assert!(said.starts_with("guichet: there is no ticket GT-"), "{said}");
}

#[test]
fn every_decision_is_explained_with_its_code() {
    let desk = Desk::new();
    let reference = desk.ticket_of(MAIL);
    let out = desk.does(&["explain", &reference]);
    for code in ["located.new: ", "priority.matrix: ", "ack.neutral: "] {
        assert!(out.contains(code), "{out}");
    }
    assert!(out.lines().all(|line| line.chars().count() <= 100), "{out}");
}

#[test]
fn what_must_leave_is_shown_taken_out_and_sent_again() {
    let desk = Desk::new();
    desk.ticket_of(MAIL);
    let rows = desk.json(&["outbox", "list"]);
    let id = rows["deliveries"][0]["id"].as_str().unwrap().to_owned();
    let end = &id[id.len() - 12..];
    assert!(desk.does(&["outbox", "list"]).contains(end));
    assert!(desk.does(&["outbox", "show", end]).contains("it was not tried yet"));
    assert_eq!(desk.does(&["outbox", "cancel", end]), format!("{end} is suppressed\n"));
    assert_eq!(desk.does(&["outbox", "list"]), "nothing waits, and nothing failed\n");
    assert_eq!(desk.does(&["outbox", "retry", end]), format!("{end} is pending\n"));
}

#[test]
fn what_came_in_balances() {
    let desk = Desk::new();
    desk.ticket_of(MAIL);
    desk.ticket_of(MAIL);
    let out = desk.does(&["reconcile"]);
    assert!(
        out.contains("SOURCE  RECEIVED  OPENED  APPENDED  DUPLICATE  QUARANTINED\nlocal          2       1"),
        "{out}"
    );
    assert_eq!(desk.json(&["reconcile"])["sound"], true);
}

#[test]
fn a_stranger_cannot_write_to_the_agents_terminal() {
    let desk = Desk::new();
    let mail = MAIL.replace("Imprimante en panne", "=?utf-8?B?G1syShtdMDtvd25lZAc=?=");
    let reference = desk.ticket_of(&mail);
    for page in [desk.does(&["ticket", "list"]), desk.does(&["ticket", "show", &reference])] {
        assert!(!page.contains(['\u{1b}', '\u{7}']), "{page:?}");
    }
}
