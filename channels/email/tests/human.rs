//! Mails by people, in the shapes their programs give them: none may be taken for a machine, and what each person
//! wrote, and in which language, must come out as stated in `human/index.jsonl`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use guichet_domain::language::Language;
use guichet_email::language::detect;
use guichet_email::machine::{OwnAddresses, judge};
use guichet_email::reply::{has_content, separate_under};
use guichet_email::understand::{Limits, understand};
use mail_parser::MessageParser;
use serde::Deserialize;

/// One line of the index.
#[derive(Deserialize)]
struct Stated {
    file: String,
    client: String,
    language: String,
    subject: Option<String>,
    reply_text: String,
    has_content: bool,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/human")
}

fn stated() -> Vec<(Stated, Vec<u8>)> {
    let index = std::fs::read_to_string(folder().join("index.jsonl")).unwrap();
    let read = |line: &str| {
        let stated: Stated = serde_json::from_str(line).unwrap();
        let raw = std::fs::read(folder().join(&stated.file)).unwrap();
        (stated, raw)
    };
    index.lines().map(read).collect()
}

#[test]
fn every_person_is_taken_for_a_person() {
    let own = OwnAddresses::new(["support@desk.example"]);
    let mut silenced = Vec::new();
    for (stated, raw) in stated() {
        let message = MessageParser::default().parse(&raw).unwrap();
        if let Some(verdict) = judge(&message, &own) {
            silenced.push(format!("{}: {} {}", stated.file, verdict.reason, verdict.detail));
        }
    }
    assert!(silenced.is_empty(), "silenced: {silenced:#?}");
}

#[test]
fn what_each_person_wrote_comes_out_as_stated() {
    let mut wrong = Vec::new();
    let mut clients: BTreeMap<String, usize> = BTreeMap::new();
    let mails = stated();
    for (stated, raw) in &mails {
        let mail = understand(raw, &Limits::default()).unwrap();
        assert_eq!(mail.subject.as_deref(), stated.subject.as_deref(), "{}", stated.file);
        let parts = separate_under(mail.subject.as_deref().unwrap_or_default(), &mail.text);
        if parts.reply != stated.reply_text {
            wrong.push(format!(
                "{}: wanted {:?}, got {:?} of {:?}",
                stated.file, stated.reply_text, parts.reply, mail.text
            ));
        }
        if has_content(&parts.reply) != stated.has_content {
            wrong.push(format!("{}: content is stated as {}", stated.file, stated.has_content));
        }
        *clients.entry(stated.client.clone()).or_default() += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(mails.len() >= 130 && clients.len() >= 20, "{} mails of {} programs", mails.len(), clients.len());
}

#[test]
fn the_language_of_each_person_is_known() {
    let mut wrong = Vec::new();
    for (stated, raw) in stated() {
        let mail = understand(&raw, &Limits::default()).unwrap();
        let subject = mail.subject.unwrap_or_default();
        let parts = separate_under(&subject, &mail.text);
        let found = detect(&subject, &parts.reply);
        if found != Language::parse(&stated.language) {
            wrong.push(format!("{}: {} stated, {found:?} found", stated.file, stated.language));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
