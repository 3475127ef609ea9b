//! The main story: somebody writes, is answered, is told when it is settled, and comes back.

use std::time::{Duration, Instant};

use super::desk::{Desk, Mailbox, reasons, texts};
use super::person::address_in;
use super::rig::Rig;

#[test]
fn a_person_is_acknowledged_answered_and_told_of_the_closure_in_one_thread() {
    let Some(rig) = Rig::shared() else { return };
    let desk = Desk::on(&rig);
    let support = desk.address();
    let jeanne = rig.person("Jeanne");

    let begin = Instant::now();
    let request = jeanne.mails(
        &support,
        "Imprimante en panne",
        "Bonjour,\n\nl'imprimante du troisième étage ne marche plus.\n\nJeanne",
    );
    let ack = jeanne.gets_mail(1);
    println!("mail to acknowledgement in the mailbox: {:?}", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    let reference = ack.reference();
    assert_eq!(ack.subject(), format!("[{reference}] Imprimante en panne"));
    let words = ack.text();
    assert!(words.contains("Bonjour Jeanne,"), "{words}");
    assert!(
        words.contains(&format!(
            "Nous avons bien reçu votre demande « Imprimante en panne ». Son numéro est {reference}."
        )),
        "{words}"
    );
    assert!(words.contains("Vous aurez une réponse de notre part au plus tard"), "{words}");
    assert_eq!(ack.header("Auto-Submitted"), "auto-replied");
    assert_eq!(ack.header("X-Auto-Response-Suppress"), "All");
    assert_eq!(ack.header("In-Reply-To"), request.id);
    assert!(
        ack.header("Return-Path").contains(&desk.user().to_owned()),
        "bounces come back: {}",
        ack.header("Return-Path")
    );

    desk.agent(&["agent", "add", "amelie", "--name", "Amélie Martin"]);
    let told = desk.agent(&["ticket", "reply", &reference, "Nous passons à 15 h."]);
    assert!(told.contains(&format!("{reference} is open")), "{told}");
    let answer = jeanne.gets_mail(2);
    assert!(answer.text().starts_with("Nous passons à 15 h.\n\n-- \nAmélie Martin, Support"), "{}", answer.text());
    assert_eq!(answer.subject(), format!("Re: [{reference}] Imprimante en panne"));
    assert_eq!(address_in(&answer.header("From")), support);
    let plus = address_in(&answer.header("Reply-To"));
    assert!(plus.starts_with(&format!("{}+", desk.user())) && plus.ends_with("@helpdesk.test"), "{plus}");
    assert!(answer.header("References").contains(&request.id), "{}", answer.header("References"));
    assert_eq!(answer.header("Auto-Submitted"), "", "an agent is no machine");

    jeanne.answers(&answer, "Merci, je serai là. Faut-il préparer quelque chose ?");
    desk.has_received(2);
    let beside = jeanne.writes(&support, "Encore moi", "Il y a aussi un bruit.").with("In-Reply-To", &request.id);
    jeanne.sends(&beside);
    desk.has_received(3);
    jeanne.mails(&support, &format!("Re: {}", reference.to_lowercase().replace('-', " ")), "Et une odeur de brûlé.");
    desk.has_received(4);
    let ticket = desk.ticket(&reference);
    let reasons = reasons(&ticket);
    for how in ["located.token", "located.message_id", "located.reference"] {
        assert!(reasons.contains(&how.to_owned()), "{how} is not among {reasons:?}");
    }
    assert_eq!(
        texts(&ticket, "timeline", "text")[3],
        "Merci, je serai là. Faut-il préparer quelque chose ?",
        "without what was quoted"
    );
    assert_eq!(desk.tickets_of(&jeanne.address).len(), 1);

    desk.agent(&["ticket", "close", &reference, "La carte était brûlée, nous l'avons changée."]);
    let closure = jeanne.gets_mail(3);
    let words = closure.text();
    assert!(words.contains(&format!("Votre demande {reference}, « Imprimante en panne », est résolue.")), "{words}");
    assert!(words.contains("La carte était brûlée, nous l'avons changée."), "{words}");
    assert_eq!(closure.header("Auto-Submitted"), "auto-generated");
    assert!(closure.header("References").contains(&request.id));

    jeanne.answers(&closure, "Merci beaucoup !");
    desk.has_received(5);
    assert_eq!(desk.ticket(&reference)["ticket"]["state"], "resolved", "thanks do not reopen");
    jeanne.answers(&closure, "Désolée, elle fume de nouveau. Pouvez-vous revenir ?");
    desk.has_received(6);
    assert_eq!(desk.ticket(&reference)["ticket"]["state"], "open");
    desk.agent(&["ticket", "close", &reference, "Imprimante remplacée."]);
    let second = jeanne.gets_mail(4);
    assert!(second.text().contains("Imprimante remplacée."), "{}", second.text());
    assert_ne!(second.id(), closure.id());

    desk.has_sent_everything();
    assert_eq!(jeanne.inbox().len(), 4, "acknowledgement, answer, two closures and nothing else");
    let ticket = desk.ticket(&reference);
    assert_eq!((&ticket["ticket"]["closures"], &ticket["ticket"]["reopened"]), (&2.into(), &1.into()));
    let explained = desk.agent(&["explain", &reference]);
    assert!(explained.contains("reopen.not.courtesy") && explained.contains("reopen.requester"), "{explained}");
    desk.ends_well();
}

#[test]
fn an_english_mail_is_answered_in_english_and_an_unproved_sender_hears_nothing_of_what_was_written() {
    let Some(rig) = Rig::shared() else { return };
    let desk = Desk::open(&rig, "", &[Mailbox::of(&Rig::desk_user())]);
    let john = rig.person("John");
    john.mails(
        &desk.address(),
        "Cheap pills at http://pills.test",
        "Hello, please have a look at http://pills.test today.",
    );
    let ack = john.gets_mail(1);
    let reference = ack.reference();
    assert_eq!(ack.subject(), format!("[{reference}] We have received your request"));
    let words = ack.text();
    assert!(words.contains(&format!("We have received your request. Its number is {reference}.")), "{words}");
    assert!(words.contains("To add something, just answer this message"), "{words}");
    assert!(
        !ack.raw.contains("pills") && !words.contains("John"),
        "a neutral acknowledgement holds our own words alone: {}",
        ack.raw
    );
    desk.ends_well();
}

#[test]
fn what_agents_do_stands_in_the_list_and_leaves_at_once_while_the_daemon_runs() {
    let Some(rig) = Rig::shared() else { return };
    let desk = Desk::on(&rig);
    let ann = rig.person("Ann");
    ann.mails(&desk.address(), "VPN down", "Hello,\n\nthe VPN is down for everybody in our office since this morning.");
    let reference = ann.gets_mail(1).reference();
    let list = desk.agent(&["ticket", "list"]);
    assert!(list.contains(&reference) && list.contains("VPN down") && list.contains("new"), "{list}");
    desk.agent(&["ticket", "note", &reference, "Known: the concentrator rebooted."]);
    desk.agent(&["ticket", "assign", &reference, "amelie"]);
    desk.agent(&["ticket", "reply", &reference, "Does it work now?", "--ask"]);
    let question = ann.gets_mail(2);
    assert!(!question.raw.contains("concentrator"), "notes are for agents");
    assert_eq!(desk.ticket(&reference)["ticket"]["state"], "waiting");
    ann.answers(&question, "No, it still fails with error 619.");
    desk.has_received(2);
    let ticket = desk.ticket(&reference);
    assert_eq!((&ticket["ticket"]["state"], &ticket["ticket"]["assignee"]), (&"open".into(), &"amelie".into()));
    desk.agent(&["ticket", "escalate", &reference, "--to", "L2"]);
    let shown = desk.agent(&["ticket", "show", &reference]);
    for words in ["No, it still fails with error 619.", "Known: the concentrator rebooted.", "L2"] {
        assert!(shown.contains(words), "{words:?} is not in:\n{shown}");
    }
    let refused = desk.tries(&["ticket", "show", "GT-000-000-0000"]);
    assert_eq!(refused.status.code(), Some(1));
    desk.ends_well();
}
