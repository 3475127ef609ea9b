//! What machines write back: bounces, absences, and other desks.

use serde_json::Value;

use super::desk::{Desk, reasons};
use super::person::address_in;
use super::rig::Rig;
use super::wait::until_told;

#[test]
fn a_bounced_acknowledgement_marks_the_address_and_tells_an_agent() {
    let Some(rig) = Rig::shared() else { return };
    let desk = Desk::on(&rig);
    // Postfix takes mail for this address, Dovecot refuses it: the mail server itself writes the report.
    let ghost = rig.person_at("Ghost", "ghost@customer.test");
    ghost.mails(&desk.address(), "Mouse broken", "Hello, my mouse is broken.");
    desk.has_received(2);
    let ticket = &desk.tickets_of(&ghost.address)[0];
    assert_eq!(ticket["attention"]["code"], "report.hard");
    let reference = ticket["reference"].as_str().unwrap();
    let shown = desk.agent(&["ticket", "show", reference]);
    assert!(shown.contains("The network says the address does not exist"), "{shown}");
    assert!(desk.agent(&["ticket", "list", "--attention"]).contains(reference));

    ghost.mails(&desk.address(), "Mouse still broken", "Hello, is anybody there?");
    desk.has_received(3);
    desk.has_sent_everything();
    let second = desk.tickets_of(&ghost.address);
    let second = desk.ticket(second[0]["reference"].as_str().unwrap());
    assert!(reasons(&second).contains(&"ack.none.undeliverable".to_owned()), "{:?}", reasons(&second));
    desk.ends_well();
}

/// What a mail server writes to the envelope sender of `about` while it goes on trying.
fn delayed(to: &str, about: &str) -> String {
    format!(
        "--b\nContent-Type: text/plain\n\nYour message could not be delivered for 4 hours. It will be retried until it is 5 days \
         old.\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.customer.test\n\n\
         Final-Recipient: rfc822; {to}\nAction: delayed\nStatus: 4.4.1\n\
         Diagnostic-Code: X-Postfix; connect to customer.test: Connection timed out\n\n--b\n\
         Content-Type: message/rfc822-headers\n\nMessage-ID: {about}\nTo: {to}\n\n--b--"
    )
}

#[test]
fn a_delay_is_noted_and_neither_gives_the_address_up_nor_reopens() {
    let Some(rig) = Rig::shared() else { return };
    let desk = Desk::on(&rig);
    let bob = rig.person("Bob");
    bob.mails(&desk.address(), "Keyboard", "Hello, three keys of my keyboard are stuck.");
    let reference = bob.gets_mail(1).reference();
    desk.agent(&["ticket", "close", &reference, "A new keyboard lies on your desk."]);
    let closure = bob.gets_mail(2);
    let daemon = rig.person("Mail Delivery System");
    let back = address_in(&closure.header("Return-Path"));
    let report = daemon
        .writes(&back, "Delayed Mail (still being retried)", &delayed(&bob.address, &closure.id()))
        .with("Auto-Submitted", "auto-replied")
        .with("Content-Transfer-Encoding", "")
        .with("Content-Type", "multipart/report; report-type=delivery-status; boundary=b");
    daemon.sends(&report);
    desk.has_received(2);
    let ticket = desk.ticket(&reference);
    assert!(reasons(&ticket).contains(&"report.delayed".to_owned()), "{:?}", reasons(&ticket));
    assert_eq!((&ticket["ticket"]["state"], &ticket["ticket"]["attention"]), (&"resolved".into(), &Value::Null));
    let shown = desk.agent(&["ticket", "show", &reference]);
    assert!(shown.contains("could not be delivered for 4 hours"), "{shown}");

    bob.mails(&desk.address(), "Mouse", "Hello, now my mouse is stuck, too.");
    assert_ne!(bob.gets_mail(3).reference(), reference, "the address still gets acknowledgements");
    desk.has_sent_everything();
    assert!(daemon.inbox().is_empty(), "a report is never answered");
    desk.ends_well();
}

#[test]
fn an_absence_does_not_reopen_and_gets_no_answer() {
    let Some(rig) = Rig::shared() else { return };
    let desk = Desk::on(&rig);
    let bob = rig.person("Bob");
    bob.mails(&desk.address(), "Keyboard", "Hello, three keys of my keyboard are stuck.");
    let reference = bob.gets_mail(1).reference();
    desk.agent(&["ticket", "close", &reference, "A new keyboard lies on your desk."]);
    let closure = bob.gets_mail(2);
    let away = bob.answer_to(&closure, "I am out of office until Monday. In urgent cases call my colleague.");
    bob.sends(&away.with("Auto-Submitted", "auto-replied").with("Subject", "Out of office: Re: Keyboard"));
    desk.has_received(2);
    let ticket = desk.ticket(&reference);
    assert_eq!(ticket["ticket"]["state"], "resolved");
    assert!(reasons(&ticket).contains(&"reopen.not.machine".to_owned()), "{:?}", reasons(&ticket));
    desk.has_sent_everything();
    assert_eq!(bob.inbox().len(), 2);
    desk.ends_well();
}

#[test]
fn two_desks_that_write_to_each_other_stop_after_one_acknowledgement_each() {
    let Some(rig) = Rig::shared() else { return };
    let (ours, theirs) = (Desk::on(&rig), Desk::on(&rig));
    // Somebody makes each desk believe that the other is the requester.
    let mallory = rig.person("Mallory");
    for (to, from) in [(&ours, &theirs), (&theirs, &ours)] {
        let bait =
            mallory.writes(&to.address(), "Let us talk", "Hello, please answer me about the printer, it is broken.");
        mallory.sends(&bait.with("Reply-To", &from.address()));
    }
    for desk in [&ours, &theirs] {
        until_told("the bait and the other desk's acknowledgement are in", || {
            let tickets = desk.tickets().len();
            if tickets == 2 { Ok(()) } else { Err(format!("There are {tickets} tickets.\n{}", desk.log())) }
        });
        desk.has_sent_everything();
    }
    // Whatever one sends now would be a third item at the other; nothing is under way any more, in neither.
    for desk in [&ours, &theirs] {
        desk.has_received(2);
        let page = desk.ask("/api/v1/outbox?limit=50").unwrap();
        assert_eq!(page["deliveries"].as_array().unwrap().len(), 1, "{page}");
        assert!(desk.tickets().iter().any(|ticket| ticket["machine"] == true));
    }
    // An agent of the other desk is a person, whatever program they write with.
    let of_ours =
        |ticket: &&Value| ticket["requester"]["address"] == ours.address().as_str() && ticket["machine"] == false;
    let tickets = theirs.tickets();
    let reference = tickets.iter().find(of_ours).unwrap()["reference"].as_str().unwrap();
    theirs.agent(&["ticket", "reply", reference, "We have no printer. What do you mean?"]);
    ours.has_received(3);
    let joined = ours
        .tickets()
        .iter()
        .map(|ticket| ours.ticket(ticket["reference"].as_str().unwrap()).to_string())
        .collect::<String>();
    assert!(joined.contains("We have no printer. What do you mean?"), "{joined}");
    assert!(ours.quarantine().is_empty(), "it is nobody's forgery");
    ours.ends_well();
    theirs.ends_well();
}

#[test]
fn somebody_whose_server_is_busy_keeps_nobody_else_waiting() {
    let Some(rig) = Rig::shared() else { return };
    let desk = Desk::on(&rig);
    let busy = rig.person_at("Busy", "busy@customer.test");
    busy.mails(&desk.address(), "Cable", "Hello, the cable of my screen is loose.");
    let number = until_told("the attempt is refused for now", || {
        let tickets = desk.tickets_of(&busy.address);
        let reference = tickets.first().and_then(|ticket| ticket["reference"].as_str()).ok_or("There is no ticket.")?;
        let delivery = desk.ticket(reference)["deliveries"][0].clone();
        if delivery["attempts"] == 1 && delivery["state"] == "pending" {
            Ok(reference.to_owned())
        } else {
            Err(delivery.to_string())
        }
    });
    let ann = rig.person("Ann");
    ann.mails(&desk.address(), "Cable", "Hello, mine is loose, too.");
    ann.gets_mail(1);
    let waiting = desk.agent(&["outbox", "list"]);
    assert!(waiting.contains(&number) && waiting.contains("451"), "{waiting}");
    desk.ends_well();
}
