//! Who works here, and copies of what they work on.

use super::{Desk, MAIL};

#[test]
fn a_token_is_shown_once_and_can_be_ended() {
    let desk = Desk::new();
    desk.does(&["agent", "add", "amelie", "--lead", "--display", "Amélie"]);
    let made = desk.run(&["agent", "token", "create", "amelie", "--for", "monitoring", "--scope", "read"]);
    assert!(made.err.contains("keep it now, it is not shown again"), "{made:?}");
    let secret = made.well().trim().to_owned();
    assert!(secret.len() > 40 && !secret.contains(' '), "{secret}");
    let listed = desk.does(&["agent", "token", "list", "amelie"]);
    assert!(listed.contains("monitoring") && listed.contains("valid") && !listed.contains(&secret), "{listed}");
    let database = std::fs::read(desk.state().join("guichet.db")).unwrap();
    assert!(!database.windows(secret.len()).any(|part| part == secret.as_bytes()), "only its hash is kept");
    let id = desk.json(&["agent", "token", "list", "amelie"])[0]["id"].as_str().unwrap().to_owned();
    desk.does(&["agent", "token", "revoke", "amelie", &id[..8]]);
    assert!(desk.does(&["agent", "token", "list", "amelie"]).contains("revoked"));
}

#[test]
fn a_token_lives_a_year_unless_said_otherwise() {
    let desk = Desk::new();
    desk.does(&["agent", "add", "amelie"]);
    let token = desk.json(&["agent", "token", "create", "amelie"])["token"].clone();
    let at = |key: &str| token[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let days = at("expires_at").duration_since(at("created_at")).as_hours() / 24;
    assert_eq!(days, 365);
}

#[test]
fn agents_are_added_once_listed_disabled_and_let_in_again() {
    let desk = Desk::new();
    assert!(desk.does(&["agent", "list"]).starts_with("no agents yet"));
    desk.does(&["agent", "add", "amelie", "--admin"]);
    let said = desk.run(&["agent", "add", "amelie"]).failed(1);
    assert!(said.contains("there is an agent \"amelie\" already"), "{said}");
    desk.does(&["agent", "disable", "amelie"]);
    assert!(desk.does(&["agent", "list"]).contains("disabled 2"));
    desk.does(&["agent", "enable", "amelie"]);
    let listed = desk.does(&["agent", "list"]);
    assert!(listed.contains("admin") && listed.contains("active"), "{listed}");
}

#[test]
fn a_backup_is_a_whole_desk_and_is_never_written_over() {
    let desk = Desk::new();
    let reference = desk.ticket_of(MAIL);
    let copy = desk.at("copy.db").display().to_string();
    desk.does(&["backup", &copy]);
    let said = desk.run(&["backup", &copy]).failed(1);
    assert!(said.ends_with("copy.db exists already; name a file that does not exist yet"), "{said}");
    let restored = Desk::new();
    std::fs::create_dir(restored.state()).unwrap();
    std::fs::copy(desk.at("copy.db"), restored.state().join("guichet.db")).unwrap();
    assert!(restored.does(&["ticket", "list"]).contains(&reference));
}
