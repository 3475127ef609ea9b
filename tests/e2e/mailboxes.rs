//! Several mailboxes, several addresses, one desk.

use super::desk::{Desk, Mailbox};
use super::rig::Rig;

#[test]
fn a_mail_to_two_mailboxes_and_an_alias_is_one_ticket_with_one_acknowledgement() {
    let Some(rig) = Rig::own() else { return };
    let trusting = "trust = \"all\"";
    let support = Mailbox::of("support").top(&format!("{trusting}\naliases = [\"helpdesk@helpdesk.test\"]"));
    let desk = Desk::open(&rig, "", &[support, Mailbox::of("support2").top(trusting)]);
    let (ann, bob, eve) = (rig.person("Ann"), rig.person("Bob"), rig.person("Eve"));

    let mut both =
        ann.writes("support@helpdesk.test, support2@helpdesk.test", "Scanner", "Hello, the scanner is jammed.");
    both.to = vec!["support@helpdesk.test".to_owned(), "support2@helpdesk.test".to_owned()];
    ann.sends(&both);
    desk.has_received(2);
    let mut aliased =
        bob.writes("helpdesk@helpdesk.test, support@helpdesk.test", "Monitor", "Hello, my monitor is black.");
    aliased.to = vec!["helpdesk@helpdesk.test".to_owned(), "support@helpdesk.test".to_owned()];
    bob.sends(&aliased);
    desk.has_received(4);
    eve.mails("support2+anything@helpdesk.test", "Chair", "Hello, my chair squeaks.");
    desk.has_received(5);
    desk.has_sent_everything();

    for person in [&ann, &bob, &eve] {
        person.gets_mail(1);
        assert_eq!(person.inbox().len(), 1, "{}", person.name);
        assert_eq!(desk.tickets_of(&person.address).len(), 1, "{}", person.name);
    }
    let balance = desk.ask("/api/v1/reconciliation").unwrap();
    let count = |key: &str| {
        balance["sources"].as_array().unwrap().iter().map(|source| source[key].as_i64().unwrap()).sum::<i64>()
    };
    assert_eq!((count("opened"), count("duplicate")), (3, 2));
    // The answer leaves by the mailbox the mail came to.
    let ack = eve.gets_mail(1);
    assert_eq!(super::person::address_in(&ack.header("From")), "support2@helpdesk.test");
    desk.ends_well();
}

#[test]
fn mail_that_was_taken_in_lies_in_the_processed_folder() {
    let Some(rig) = Rig::shared() else { return };
    let desk = Desk::on(&rig);
    let ann = rig.person("Ann");
    ann.mails(&desk.address(), "Lamp", "Hello, the lamp above my desk flickers.");
    ann.gets_mail(1);
    super::wait::until("the mail lies in Processed", || {
        let moved = rig.lying(desk.user(), "Processed").len() == 1 && rig.lying(desk.user(), "INBOX").is_empty();
        moved.then_some(())
    });
    let found = desk.agent(&["doctor"]);
    assert!(found.contains("SMTP: connected and let in"), "{found}");
    desk.ends_well();
}
