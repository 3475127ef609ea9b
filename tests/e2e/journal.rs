//! A copy of each mail to ourselves: what a killed process cannot know, its copy tells.

use std::os::unix::process::ExitStatusExt as _;

use super::desk::{Desk, Mailbox};
use super::rig::Rig;
use super::wait::until;

#[test]
fn an_attempt_in_doubt_is_settled_by_its_copy_and_nobody_gets_it_twice() {
    let Some(rig) = Rig::shared() else { return };
    let user = Rig::desk_user();
    let mailbox = Mailbox::of(&user).top(&format!("trust = \"all\"\njournal = \"{user}+sent@helpdesk.test\""));
    let mut desk = Desk::open(&rig, "", std::slice::from_ref(&mailbox));
    desk.stop();
    desk.start_with(&[("GUICHET_CRASH", "sender.after_delivery:1")]);
    let ann = rig.person("Ann");
    ann.mails(&mailbox.address(), "Headset", "Hello, my headset is silent.");
    assert_eq!(desk.dies().signal(), Some(9));
    ann.gets_mail(1);
    until("the copy lies in our own mailbox", || {
        (rig.lying(&user, "INBOX").len() + rig.lying(&user, "Processed").len() >= 2).then_some(())
    });

    desk.start();
    let reference = ann.gets_mail(1).reference();
    desk.has_sent_everything();
    let ticket = desk.ticket(&reference);
    assert_eq!(ticket["deliveries"][0]["state"], "sent", "{ticket}");
    assert_eq!(ann.inbox().len(), 1, "the copy proved that it had left");
    // The copy itself is no request.
    assert_eq!(desk.tickets().len(), 1);
    desk.ends_well();
}
