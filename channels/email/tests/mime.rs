//! What a mail says, against what the authors of real mails state, and against mails made to do harm.

mod hostile;
mod mutations;

use guichet_email::understand::{Limits, Mail, ReturnPath, understand};
use serde_json::Value;

use crate::authors::{Sample, Score, hold, samples};

#[derive(Default)]
struct Scores {
    subject: Score,
    from: Score,
    from_name: Score,
    to: Score,
    text: Score,
    text_pieces: Score,
    html: Score,
    names: Score,
    counts: Score,
    sizes: Score,
    content_ids: Score,
    ids: Score,
}

#[test]
fn mails_are_read_as_their_authors_do() {
    let Some(samples) = samples() else { return };
    let mut scores = Scores::default();
    for sample in &samples {
        match understand(&sample.raw, &Limits::default()) {
            Ok(mail) => scores.add(sample, &mail),
            Err(unreadable) => println!("unreadable: {} {}", sample.file, unreadable.reason()),
        }
    }
    hold(&[
        ("subjects", &scores.subject, 1000),
        ("writers' addresses", &scores.from, 1000),
        ("writers' names", &scores.from_name, 1000),
        ("recipients", &scores.to, 1000),
        ("texts", &scores.text, 970),
        ("pieces of texts", &scores.text_pieces, 900),
        ("ends of HTML", &scores.html, 1000),
        ("attachments by name", &scores.names, 830),
        ("numbers of attachments", &scores.counts, 930),
        ("sizes of attachments", &scores.sizes, 850),
        ("content ids", &scores.content_ids, 1000),
        ("message ids and references", &scores.ids, 1000),
    ]);
}

impl Scores {
    fn add(&mut self, sample: &Sample, mail: &Mail) {
        let expect = &sample.expect;
        let file = &sample.file;
        if let Some(wanted) = expect.get("subject") {
            // "No subject" and an empty one are told apart by few authors.
            let right = mail.subject.as_deref().unwrap_or_default() == wanted.as_str().unwrap_or_default().trim();
            self.subject.add(right, || format!("{file}: {:?}, stated {wanted}", mail.subject));
        }
        each(expect, "subject_contains", |wanted| {
            self.subject.add(mail.subject.as_deref().unwrap_or_default().contains(wanted), || {
                format!("{file}: {:?}", mail.subject)
            });
        });
        each(expect, "from", |wanted| {
            let right = mail.from_address().is_some_and(|address| address.eq_ignore_ascii_case(wanted));
            self.from.add(right, || format!("{file}: {:?}, stated {wanted}", mail.from));
        });
        each(expect, "from_name", |wanted| {
            let name = mail.from.first().and_then(|mailbox| mailbox.name.as_deref());
            self.from_name.add(name == Some(wanted), || format!("{file}: {name:?}, stated {wanted}"));
        });
        each(expect, "to", |wanted| {
            self.to.add(mail.to.iter().any(|mailbox| mailbox.address == wanted), || format!("{file}: {:?}", mail.to));
        });
        self.add_words(file, expect, mail);
        self.add_attachments(file, expect, mail);
        if let Some(wanted) = expect.get("message_id") {
            self.ids.add(mail.message_id.as_deref() == wanted.as_str(), || format!("{file}: {:?}", mail.message_id));
        }
        each(expect, "in_reply_to", |wanted| {
            self.ids.add(mail.in_reply_to == [wanted], || format!("{file}: {:?}", mail.in_reply_to));
        });
        if let Some(wanted) = list(expect, "references") {
            self.ids.add(mail.references == wanted, || format!("{file}: {:?}", mail.references));
        }
    }

    fn add_words(&mut self, file: &str, expect: &Value, mail: &Mail) {
        each(expect, "text", |wanted| {
            let wanted = wanted.replace("\r\n", "\n");
            let right = mail.text.trim() == wanted.trim();
            self.text.add(right, || format!("{file}: {:?}, stated {wanted:?}", mail.text));
        });
        each(expect, "text_contains", |wanted| {
            self.text_pieces.add(mail.text.contains(wanted), || format!("{file}: {:?}, stated {wanted:?}", mail.text));
        });
        each(expect, "text_ends", |wanted| {
            self.text_pieces.add(mail.text.trim_end().ends_with(wanted), || format!("{file}: {:?}", mail.text));
        });
        each(expect, "html_ends", |wanted| {
            let html = mail.html.as_deref().unwrap_or_default();
            self.html.add(html.trim_end().ends_with(wanted), || format!("{file}: {html:?}"));
        });
    }

    fn add_attachments(&mut self, file: &str, expect: &Value, mail: &Mail) {
        let names: Vec<&str> = mail.attachments.iter().map(|attachment| attachment.safe_name.as_str()).collect();
        if let Some(wanted) = list(expect, "attachments") {
            let mut wanted: Vec<&str> = wanted.iter().map(|name| name.trim()).collect();
            let mut declared: Vec<&str> =
                mail.attachments.iter().map(|a| a.declared_name.as_deref().unwrap_or(&a.safe_name)).collect();
            wanted.sort_unstable();
            declared.sort_unstable();
            // One library states hashes of its own for parts without a name: those tell a number and no name.
            let hash = |name: &&str| name.len() == 8 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            if wanted.iter().any(hash) {
                self.counts.add(names.len() == wanted.len(), || format!("{file}: {names:?}, stated {wanted:?}"));
                return;
            }
            self.names.add(declared == wanted, || format!("{file}: {names:?}, stated {wanted:?}"));
            self.counts.add(names.len() == wanted.len(), || format!("{file}: {names:?}, stated {wanted:?}"));
        }
        if let Some(wanted) = expect["attachment_count"].as_u64() {
            let right = u64::try_from(names.len()).is_ok_and(|count| count == wanted);
            self.counts.add(right, || format!("{file}: {names:?}, stated {wanted}"));
        }
        if let Some(wanted) = expect["attachment_sizes"].as_array() {
            let sizes: Vec<u64> =
                mail.attachments.iter().filter_map(|attachment| u64::try_from(attachment.size()).ok()).collect();
            let right = sizes == wanted.iter().filter_map(Value::as_u64).collect::<Vec<_>>();
            self.sizes.add(right, || format!("{file}: {sizes:?}, stated {wanted:?}"));
        }
        for key in ["inline_cids", "attachment_cids"] {
            if let Some(wanted) = list(expect, key) {
                let found: Vec<&str> =
                    mail.attachments.iter().filter_map(|attachment| attachment.content_id.as_deref()).collect();
                self.content_ids.add(found == wanted, || format!("{file}: {found:?}, stated {wanted:?}"));
            }
        }
    }
}

#[test]
fn every_mail_of_the_corpus_gives_values_that_are_safe_to_keep() {
    let Some(samples) = samples() else { return };
    for sample in &samples {
        let Ok(mail) = understand(&sample.raw, &Limits::default()) else { continue };
        safe_to_keep(&sample.file, &mail);
    }
}

/// What whoever stores or shows a mail may rely on.
fn safe_to_keep(what: &str, mail: &Mail) {
    let ids = mail.message_id.iter().chain(&mail.in_reply_to).chain(&mail.references).chain(&mail.delivered_to);
    let mailboxes = mail.from.iter().chain(&mail.sender).chain(&mail.reply_to).chain(&mail.to).chain(&mail.cc);
    let one_line: Vec<&String> = ids
        .chain(mail.subject.iter())
        .chain(mail.headers.iter().map(|field| &field.value))
        .chain(mailboxes.flat_map(|mailbox| mailbox.name.iter().chain([&mailbox.address])))
        .chain(mail.attachments.iter().map(|attachment| &attachment.safe_name))
        .chain(match &mail.return_path {
            ReturnPath::Address(address) => Some(address),
            _ => None,
        })
        .collect();
    for text in one_line {
        assert!(!text.chars().any(char::is_control), "{what}: {text:?} holds a control character");
    }
    assert!(!mail.text.contains(['\0', '\r']), "{what}: text");
    for attachment in &mail.attachments {
        assert!((1..=120).contains(&attachment.safe_name.len()), "{what}: {}", attachment.safe_name);
        assert!(!attachment.safe_name.contains(['/', '\\']), "{what}: {}", attachment.safe_name);
    }
    if let Some(html) = &mail.sanitised_html {
        let html = html.to_ascii_lowercase();
        for forbidden in ["<script", "<style", "<form", "<iframe", "<object", "src=\"http", "javascript:"] {
            assert!(!html.contains(forbidden), "{what}: {forbidden}");
        }
    }
}

/// The strings stated under a key, of one or of a list.
fn each(expect: &Value, key: &str, mut check: impl FnMut(&str)) {
    match &expect[key] {
        Value::String(wanted) => check(wanted),
        Value::Array(all) => all.iter().filter_map(Value::as_str).for_each(check),
        _ => {}
    }
}

fn list(expect: &Value, key: &str) -> Option<Vec<String>> {
    let all = expect[key].as_array()?;
    Some(all.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}
