//! Bytes to [`Mail`]: the one way in.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use guichet_domain::Moment;
use mail_parser::DateTime;

use super::{
    address, body,
    entity::Entity,
    header, identity,
    limits::{Limits, Notes, Unreadable},
    mail::{HeaderField, Mail, Mailbox, ReturnPath},
    parameter::Parameters,
    transfer, walk,
};

/// Understands one mail. Pure, bounded by `limits` in time and memory, and it fails only for what is no mail at all.
///
/// The same bytes give the same value each time. Costs some ten microseconds for a short plain mail; two to three
/// times the size of `raw` in memory for one full of attachments.
///
/// # Errors
/// [`Unreadable::Empty`] for nothing but blanks, [`Unreadable::NoHeaders`] where no header field can be recognised.
pub fn understand(raw: &[u8], limits: &Limits) -> Result<Mail, Unreadable> {
    if raw.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
        return Err(Unreadable::Empty);
    }
    let raw = with_line_feeds(raw);
    let mut notes = Notes::default();
    let top = Entity::split(&raw, limits, &mut notes);
    if top.fields.is_empty() {
        return Err(Unreadable::NoHeaders);
    }
    let fields = top.fields.clone();
    let tree = walk::open(top, limits, &mut notes);
    let fallback = walk::body_charset(&tree);
    let fallback = fallback.as_deref();
    let bodies = body::bodies(&tree, fallback, limits, &mut notes);
    drop(tree);
    let mut mail = Mail {
        text: bodies.text,
        html: bodies.html,
        sanitised_html: bodies.sanitised_html,
        attachments: bodies.attachments,
        ..Mail::default()
    };
    read_headers(&mut mail, &Entity { fields, body: &[] }, fallback, limits, &mut notes);
    mail.notes = notes.into_vec();
    Ok(mail)
}

/// [`understand`], where a panic inside becomes [`Unreadable::Crashed`]: one mail must never stop the ones behind it.
///
/// # Errors
/// Those of [`understand`], and [`Unreadable::Crashed`].
pub fn understand_caught(raw: &[u8], limits: &Limits) -> Result<Mail, Unreadable> {
    // Nothing is shared with the closure but what it reads.
    catch_unwind(AssertUnwindSafe(|| understand(raw, limits))).unwrap_or(Err(Unreadable::Crashed))
}

/// Mail whose lines end in a bare CR, as old Macs wrote it, is given line feeds; any other is left as it is.
fn with_line_feeds(raw: &[u8]) -> Cow<'_, [u8]> {
    let begin = raw.get(..4_096).unwrap_or(raw);
    if begin.contains(&b'\n') || !begin.contains(&b'\r') {
        return Cow::Borrowed(raw);
    }
    let mut out = raw.to_vec();
    let mut bytes = out.iter_mut().peekable();
    while let Some(byte) = bytes.next() {
        if *byte == b'\r' && bytes.peek().is_none_or(|next| **next != b'\n') {
            *byte = b'\n';
        }
    }
    Cow::Owned(out)
}

fn read_headers(mail: &mut Mail, top: &Entity<'_>, fallback: Option<&str>, limits: &Limits, notes: &mut Notes) {
    let mut mailboxes = |name: &str| {
        let mut found: Vec<Mailbox> = Vec::new();
        for raw in top.all(name) {
            let (more, cut) = address::addresses(raw, fallback, limits.addresses.saturating_sub(found.len()));
            found.extend(more);
            if cut {
                notes.add("mime.too_many_addresses");
            }
        }
        found
    };
    mail.from = mailboxes("from");
    mail.sender = mailboxes("sender").into_iter().next();
    mail.reply_to = mailboxes("reply-to");
    mail.to = mailboxes("to");
    mail.cc = mailboxes("cc");
    mail.delivered_to = delivered_to(&mut mailboxes);
    mail.return_path = return_path(top);
    mail.message_id = top.all("message-id").find_map(|raw| identity::message_ids(raw).into_iter().next());
    mail.in_reply_to = ids(top, "in-reply-to", limits, notes);
    mail.references = ids(top, "references", limits, notes);
    mail.date_raw = top.field("date").map(|raw| header::text(raw, fallback)).filter(|raw| !raw.is_empty());
    mail.date = mail.date_raw.as_deref().and_then(date);
    mail.subject = top.field("subject").map(|raw| subject(raw, fallback, limits, notes));
    mail.thread_index = top.field("thread-index").and_then(thread_index);
    mail.plus_tokens = identity::plus_tokens(identity::recipients(&mail.delivered_to, &mail.to, &mail.cc));
    let content_type = top.field("content-type").map(Parameters::parse).unwrap_or_default();
    mail.report_type = content_type.token("report-type");
    mail.media_type =
        if content_type.value.is_empty() { "text/plain".to_owned() } else { header::clean(&content_type.value) };
    if mail.media_type == "multipart/encrypted" || mail.media_type.ends_with("pkcs7-mime") {
        notes.add("mime.encrypted");
    }
    mail.headers = top
        .fields
        .iter()
        .map(|field| HeaderField {
            name: String::from_utf8_lossy(field.name).into_owned(),
            value: value(field.name, field.value, fallback),
        })
        .collect();
}

/// A verdict on the sender stays as our server wrote it: it quotes what strangers said, and decoding that could make
/// them say `; dmarc=pass`.
fn value(name: &[u8], raw: &[u8], fallback: Option<&str>) -> String {
    if name.eq_ignore_ascii_case(b"authentication-results") {
        header::clean(&String::from_utf8_lossy(&header::unfold(raw)))
    } else {
        header::text(raw, fallback)
    }
}

fn delivered_to(mailboxes: &mut impl FnMut(&str) -> Vec<Mailbox>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to"] {
        for mailbox in mailboxes(name) {
            let known = found.iter().any(|address| address.eq_ignore_ascii_case(&mailbox.address));
            if !known && !mailbox.address.is_empty() {
                found.push(mailbox.address);
            }
        }
    }
    found
}

fn return_path(top: &Entity<'_>) -> ReturnPath {
    let Some(raw) = top.field("return-path") else {
        return ReturnPath::Absent;
    };
    let text = header::text(raw, None);
    let inside = text.split_once('<').map_or(text.as_str(), |(_, rest)| rest.split('>').next().unwrap_or_default());
    address::tidy_address(inside).map_or(ReturnPath::Null, ReturnPath::Address)
}

fn ids(top: &Entity<'_>, name: &str, limits: &Limits, notes: &mut Notes) -> Vec<String> {
    let mut found: Vec<String> = top.all(name).flat_map(identity::message_ids).collect();
    if found.len() > limits.references {
        notes.add("mime.too_many_references");
        found.drain(..found.len() - limits.references);
    }
    found
}

fn subject(raw: &[u8], fallback: Option<&str>, limits: &Limits, notes: &mut Notes) -> String {
    let subject = header::text(raw, fallback);
    match subject.char_indices().nth(limits.subject_chars) {
        Some((at, _)) => {
            notes.add("mime.subject_cut");
            subject.get(..at).unwrap_or_default().to_owned()
        }
        None => subject,
    }
}

fn date(raw: &str) -> Option<Moment> {
    // The parser reads a header field and wants its line end.
    let parsed = DateTime::parse_rfc822(&format!("{raw}\n"))?;
    parsed.is_valid().then(|| Moment::from_secs(parsed.to_timestamp()))
}

fn thread_index(raw: &[u8]) -> Option<[u8; 22]> {
    transfer::base64(&header::unfold(raw)).first_chunk::<22>().copied()
}

#[cfg(test)]
mod tests;
