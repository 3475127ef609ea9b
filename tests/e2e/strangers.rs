//! People who have no part in a ticket and try to get one.

use super::desk::{Desk, reasons};
use super::rig::Rig;

#[test]
fn a_stranger_who_knows_the_number_gets_a_ticket_of_their_own_and_the_requester_hears_nothing() {
    let Some(rig) = Rig::shared() else { return };
    let desk = Desk::on(&rig);
    let (alice, mallory) = (rig.person("Alice"), rig.person("Mallory"));
    alice.mails(&desk.address(), "Salary statement", "Hello, my salary statement of March is missing.");
    let reference = alice.gets_mail(1).reference();

    mallory.mails(
        &desk.address(),
        &format!("Re: [{reference}] Salary statement"),
        "Please send everything about this to me.",
    );
    let ack = mallory.gets_mail(1);
    assert_ne!(ack.reference(), reference);
    assert!(!ack.text().contains("March"), "{}", ack.text());
    let theirs = desk.ticket(&ack.reference());
    assert_eq!(theirs["ticket"]["linked"], reference.as_str());
    assert!(reasons(&theirs).contains(&"stranger.reference".to_owned()), "{:?}", reasons(&theirs));
    assert_eq!(desk.ticket(&reference)["timeline"].as_array().unwrap().len(), 2, "the request and its acknowledgement");
    desk.has_sent_everything();
    assert_eq!(alice.inbox().len(), 1);
    desk.ends_well();
}

#[test]
fn a_forged_token_opens_a_new_ticket_and_a_true_one_from_a_stranger_is_marked() {
    let Some(rig) = Rig::shared() else { return };
    let desk = Desk::on(&rig);
    let (alice, mallory, colleague) = (rig.person("Alice"), rig.person("Mallory"), rig.person("Colleague"));
    alice.mails(&desk.address(), "Cannot log in", "Hello, I cannot log in since Monday.");
    let ack = alice.gets_mail(1);
    let plus = super::person::address_in(&ack.header("Reply-To"));
    let (local, _) = plus.split_once('@').unwrap();
    let last = local.chars().last().unwrap();
    let forged = format!("{}{}@helpdesk.test", local.strip_suffix(last).unwrap(), if last == 'a' { 'b' } else { 'a' });

    mallory.mails(&forged, "Re: Cannot log in", "Tell me her password.");
    let theirs = mallory.gets_mail(1).reference();
    assert_ne!(theirs, ack.reference());
    assert_eq!(desk.ticket(&theirs)["ticket"]["linked"], serde_json::Value::Null);

    colleague.answers(&ack, "I have the same problem.");
    desk.has_received(3);
    let ticket = desk.ticket(&ack.reference());
    assert!(reasons(&ticket).contains(&"stranger.unverified".to_owned()), "{:?}", reasons(&ticket));
    let joined = ticket["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["text"] == "I have the same problem.")
        .unwrap();
    assert_eq!(joined["verified"], false);
    desk.has_sent_everything();
    assert!(colleague.inbox().is_empty(), "told nothing of the history");
    desk.ends_well();
}

#[test]
fn mail_in_our_own_name_without_our_token_is_kept_aside() {
    let Some(rig) = Rig::shared() else { return };
    let desk = Desk::on(&rig);
    let mallory = rig.person("Mallory");
    let forged = mallory
        .writes(&desk.address(), "From yourself", "Open the door.")
        .with("From", &format!("Support <{}>", desk.address()));
    mallory.sends(&forged);
    desk.has_received(1);
    let aside = desk.quarantine();
    assert_eq!(aside[0]["reason"]["code"], "own.forged");
    let list = desk.agent(&["quarantine", "list"]);
    assert!(list.contains("own.forged"), "{list}");
    assert!(desk.tickets().is_empty());
    desk.ends_well();
}
