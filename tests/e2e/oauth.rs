//! Mailboxes that are opened with tokens instead of passwords.

use super::desk::{Desk, Mailbox};
use super::rig::Rig;

/// A mailbox whose refresh token is `refresh`, presented as `auth` says.
fn tokened(rig: &Rig, user: &str, auth: &str, refresh: &str, place: &std::path::Path) -> Mailbox {
    let (secret, token) = (place.join(format!("{user}.client")), place.join(format!("{user}.refresh")));
    std::fs::write(&secret, "rig-secret\n").unwrap();
    std::fs::write(&token, format!("{refresh}\n")).unwrap();
    let auth = format!("auth = \"{auth}\"");
    Mailbox {
        oauth: Some(format!(
            "[source.oauth]\ntoken_url = \"{}\"\nclient_id = \"guichet\"\nclient_secret_file = \"{}\"\n\
             refresh_token_file = \"{}\"\nca_file = \"{}\"\n",
            rig.says("RIG_TOKEN_URL"),
            secret.display(),
            token.display(),
            rig.authority()
        )),
        imap: auth.clone(),
        smtp: auth,
        ..Mailbox::of(user).top("trust = \"all\"")
    }
}

#[test]
fn both_kinds_of_tokens_open_mailboxes_and_a_renewed_refresh_token_outlives_a_restart() {
    let Some(rig) = Rig::shared() else { return };
    let place = tempfile::tempdir().unwrap();
    let (one, two) = (Rig::desk_user(), Rig::desk_user());
    // The provider refuses a rotating token that was used before: after the restart only the one that was kept is good.
    let mailboxes = [
        tokened(&rig, &one, "xoauth2", &format!("rotating-{one}-1"), place.path()),
        tokened(&rig, &two, "oauthbearer", &format!("refresh-{two}"), place.path()),
    ];
    let mut desk = Desk::open(&rig, "", &mailboxes);
    let (ann, bob) = (rig.person("Ann"), rig.person("Bob"));
    ann.mails(&mailboxes[0].address(), "Badge", "Hello, my badge does not open the door.");
    bob.mails(&mailboxes[1].address(), "Badge", "Hello, my badge does not open the door either.");
    ann.gets_mail(1);
    bob.gets_mail(1);
    desk.stop();

    desk.start();
    desk.is_listening();
    ann.mails(&mailboxes[0].address(), "Lift", "Hello, the lift is stuck between two floors.");
    assert_ne!(ann.gets_mail(2).reference(), ann.gets_mail(1).reference());
    desk.ends_well();
}

#[test]
fn a_revoked_token_is_named_with_its_remedy_and_the_other_mailboxes_go_on() {
    let Some(rig) = Rig::shared() else { return };
    let place = tempfile::tempdir().unwrap();
    let (revoked, works) = (Rig::desk_user(), Rig::desk_user());
    let mailboxes = [
        tokened(&rig, &revoked, "xoauth2", &format!("revoked-{revoked}"), place.path()),
        Mailbox::of(&works).top("trust = \"all\""),
    ];
    let mut desk = Desk::plan(&rig, "", &mailboxes);
    desk.start();
    let note = desk.source_says(&mailboxes[0].name, "down", "invalid_grant");
    assert!(note.contains("refresh token"), "the remedy: {note}");
    desk.source_says(&mailboxes[1].name, "good", "");
    let ann = rig.person("Ann");
    ann.mails(&mailboxes[1].address(), "Window", "Hello, the window of room 12 does not close.");
    ann.gets_mail(1);
    assert!(!desk.log().contains("revoked-"), "no token is logged:\n{}", desk.log());
    desk.ends_well_cut_off();
}
