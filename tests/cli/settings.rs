//! The first run, and configurations that are wrong.

use super::desk::{bare, ran};
use super::{Desk, MAIL};

#[test]
fn a_first_run_needs_no_file_and_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut check = bare(folder.path());
    check.arg("check");
    let out = ran(check, b"").well();
    assert!(out.contains("state folder   var") && out.contains("source         local: email"), "{out}");
    assert!(!folder.path().join("var").exists(), "checking makes nothing");
    let mut inject = bare(folder.path());
    inject.args(["inject", "--source", "local"]);
    assert!(ran(inject, MAIL.as_bytes()).well().ends_with(" opened\n"));
    assert!(folder.path().join("var/guichet.db").exists());
}

#[test]
fn a_wrong_key_is_told_with_file_line_and_remedy() {
    let desk = Desk::new();
    desk.configure("[desk]\nname = \"Help\"\nnmae = \"x\"\n");
    let file = desk.at("guichet.toml").display().to_string();
    assert_eq!(
        desk.run(&["check"]).failed(78),
        format!("guichet: {file}:3: nmae: there is no such key; did you mean \"name\"?")
    );
}

#[test]
fn wrong_values_are_told_with_what_would_be_right() {
    let desk = Desk::new();
    let says = |toml: &str| {
        desk.configure(toml);
        desk.run(&["check"]).failed(78)
    };
    let port = says("[http]\nlisten = \"nowhere\"\n");
    assert!(port.contains("guichet.toml:2: ") && port.contains("socket address"), "{port}");
    let channel = says("[[source]]\nname = \"a\"\nchannel = \"pigeon\"\n");
    assert!(
        channel.contains("source \"a\": channel = \"pigeon\": ") && channel.contains("use one of: chat, email"),
        "{channel}"
    );
    let secret = says(
        "[[source]]\nname = \"a\"\nchannel = \"email\"\naddress = \"a@b.test\"\n[source.imap]\nhost = \"h\"\nuser = \
         \"u\"\npassword_file = \"/nonexistent\"\n",
    );
    assert!(secret.contains("password_file = \"/nonexistent\": ") && secret.contains("; name a file"), "{secret}");
}

#[test]
fn a_file_that_is_named_and_not_there_is_told() {
    let desk = Desk::new();
    std::fs::remove_file(desk.at("guichet.toml")).unwrap();
    let said = desk.run(&["ticket", "list"]).failed(78);
    assert!(said.ends_with("; name a file that exists and that this user can read"), "{said}");
}

#[test]
fn a_template_that_does_not_render_is_found_before_a_requester_finds_it() {
    let desk = Desk::new();
    desk.file("texts/closure.fr.txt", "Subject: x\n\n{{ refrence }}\n");
    desk.configure("[texts]\nfolder = \"texts\"\n");
    let said = desk.run(&["check"]).failed(78);
    assert!(said.contains("closure.fr.txt") && said.contains("mend the template"), "{said}");
}

#[test]
fn the_example_is_a_configuration_and_the_schema_is_json() {
    let desk = Desk::new();
    desk.configure(&desk.does(&["config", "example"]));
    assert!(desk.does(&["check"]).ends_with("all is well\n"));
    let schema: serde_json::Value = serde_json::from_str(&desk.does(&["config", "schema"])).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn a_doctor_finds_a_desk_without_a_daemon_and_without_smtp_worth_a_look() {
    let desk = Desk::new();
    let out = desk.does(&["doctor"]);
    assert!(out.contains("look  daemon ") && out.contains("ok    database       sqlite, schema "), "{out}");
    assert!(out.contains("look  source local   no `smtp` is configured: outgoing mail is written to files"), "{out}");
    let findings = desk.json(&["doctor"]);
    assert!(findings["findings"].as_array().unwrap().iter().any(|finding| finding["what"] == "disk"));
}

#[test]
fn the_command_line_is_explained_and_a_wrong_one_is_told() {
    let desk = Desk::new();
    assert!(desk.does(&["--version"]).contains("channels: chat, email"));
    assert!(desk.does(&["help", "inject"]).contains("Exit codes: 0 when the message is durable"));
    assert_eq!(desk.run(&["tikcet"]).code, 2);
    assert!(desk.does(&["completions", "bash"]).contains("_guichet()"));
}

#[test]
fn a_log_filter_that_cannot_be_read_is_told() {
    let said = Desk::new().run(&["--log", "guichet=loud", "ticket", "list"]).failed(78);
    assert!(said.starts_with("guichet: --log = \"guichet=loud\": "), "{said}");
}
