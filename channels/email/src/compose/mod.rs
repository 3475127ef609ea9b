//! An outgoing mail as bytes: pure, the same bytes for the same input, whatever strangers put into it.
//!
//! The structure is lettre's: the message, its parts, their transfer encodings. The values of header fields are written
//! by `header`, because the words of strangers go into almost every one: lettre lets an ASCII `=?utf-8?q?...?=` through
//! as an encoded word and does not break long words. Boundaries and ids come from the message id, never from chance.
//! Bodies leave as 7-bit text, so every server can take them.

mod address;
mod header;
mod mime;
mod subject;

#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use guichet_domain::Moment;
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::HeaderValue;
use lettre::message::{Message, MessageBuilder, MultiPart};

pub use address::{NamedAddress, is_sendable};
pub use subject::reply_subject;

/// References kept besides the first.
const LAST_REFERENCES: usize = 19;

/// One mail to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// Who writes.
    pub from: NamedAddress,
    /// Who reads.
    pub to: NamedAddress,
    /// Where answers go, if not to `from`: an address with a reply token.
    pub reply_to: Option<NamedAddress>,
    /// Any text; line breaks and control characters become spaces.
    pub subject: String,
    /// The body as plain text, with any line ends.
    pub text: String,
    /// The same as a whole HTML document, made safe already.
    pub html: Option<String>,
    /// Files to send along.
    pub attachments: Vec<Attachment>,
    /// Without it a repeated send would be a second mail. With or without angle brackets.
    pub message_id: String,
    /// The mail this one answers.
    pub in_reply_to: Option<String>,
    /// The mails before it, oldest first. The first and the last 19 are kept, `in_reply_to` among them.
    pub references: Vec<String>,
    /// The Date header, shown in UTC to the second.
    pub date: Moment,
    /// Set for everything no person wrote: the other side's machines stay silent then.
    pub auto_submitted: Option<AutoSubmitted>,
    /// Our own signed mark, by which the mail is known if it comes back.
    pub loop_token: Option<String>,
    /// The language of the text, as `fr`.
    pub language: Option<String>,
    /// Further headers. Those this module writes itself are refused.
    pub headers: Vec<(String, String)>,
}

/// A file that goes with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Any name; path separators and control characters are replaced.
    pub name: String,
    /// As `image/png`; what is not a media type is sent as `application/octet-stream`.
    pub media_type: String,
    /// The bytes.
    pub content: Vec<u8>,
}

/// The kinds of automatic mail of RFC 3834.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoSubmitted {
    /// An answer to a mail: the acknowledgement.
    Replied,
    /// Not an answer to one mail: closure, delay, survey.
    Generated,
}

/// Why a mail cannot be written. None of these passes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// An address cannot be written in a header.
    #[error("the address in {0} is no mail address")]
    Address(&'static str),
    /// The message id is empty or not ASCII.
    #[error("the message id cannot be written")]
    MessageId,
    /// A further header has an impossible name, or the name of one written here or before it.
    #[error("further header number {0} has a name that cannot be used")]
    Header(usize),
}

/// The whole message: header, empty line, body; every line ends in CRLF and has at most 998 bytes.
pub fn compose(mail: &OutgoingMail) -> Result<Vec<u8>, ComposeError> {
    let message_id = header::message_id(&mail.message_id).ok_or(ComposeError::MessageId)?;
    let address = |name, who| header::address(name, who).ok_or(ComposeError::Address(name));
    let mut builder = Message::builder()
        .envelope(envelope(&mail.to)?)
        .date(sent_at(mail.date))
        .raw_header(address("From", &mail.from)?)
        .raw_header(address("To", &mail.to)?);
    if let Some(reply_to) = &mail.reply_to {
        builder = builder.raw_header(address("Reply-To", reply_to)?);
    }
    builder = builder
        .raw_header(header::text("Subject", &mail.subject))
        .raw_header(header::written("Message-ID", message_id.clone()));
    for field in thread(mail).into_iter().chain(automatic(mail)) {
        builder = builder.raw_header(field);
    }
    for (index, (name, value)) in mail.headers.iter().enumerate() {
        let before = mail.headers.iter().take(index);
        let field = header::free(name, value)
            .filter(|_| !before.into_iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)));
        builder = builder.raw_header(field.ok_or(ComposeError::Header(index))?);
    }
    // With the envelope and a readable sender given there is nothing lettre can refuse.
    let message = body(builder, mail, &message_id).map_err(|_| ComposeError::Address("From"))?;
    Ok(message.formatted())
}

/// `text`; or text and HTML; either of them before the attachments.
fn body(builder: MessageBuilder, mail: &OutgoingMail, message_id: &str) -> Result<Message, lettre::error::Error> {
    let text = mime::text("plain", &mail.text);
    let alternative = |html| {
        let boundary = mime::boundary("alternative", message_id);
        MultiPart::alternative().boundary(boundary).singlepart(text.clone()).singlepart(mime::text("html", html))
    };
    let html = mail.html.as_deref().map(alternative);
    if mail.attachments.is_empty() {
        return match html {
            Some(both) => builder.multipart(both),
            None => builder.singlepart(text),
        };
    }
    let mixed = MultiPart::mixed().boundary(mime::boundary("mixed", message_id));
    let readable = match html {
        Some(both) => mixed.multipart(both),
        None => mixed.singlepart(text),
    };
    builder.multipart(mail.attachments.iter().map(mime::file).fold(readable, MultiPart::singlepart))
}

/// One id a line and never encoded: some programs that write these headers differently break their own threads.
fn thread(mail: &OutgoingMail) -> Vec<HeaderValue> {
    let mut fields = Vec::new();
    let parent = mail.in_reply_to.as_deref().and_then(header::message_id);
    let mut references: Vec<String> = mail.references.iter().filter_map(|id| header::message_id(id)).collect();
    if let Some(parent) = parent {
        references.retain(|id| *id != parent);
        references.push(parent.clone());
        fields.push(header::written("In-Reply-To", parent));
    }
    let cut = references.len().saturating_sub(LAST_REFERENCES).max(1);
    let kept: Vec<&str> =
        references.iter().enumerate().filter(|(at, _)| *at == 0 || *at >= cut).map(|(_, id)| id.as_str()).collect();
    if !kept.is_empty() {
        fields.push(header::written("References", kept.join("\r\n ")));
    }
    fields
}

/// What tells machines whom they have before them, and in which language.
fn automatic(mail: &OutgoingMail) -> Vec<HeaderValue> {
    let mut fields = Vec::new();
    if let Some(kind) = mail.auto_submitted {
        let word = if kind == AutoSubmitted::Replied { "auto-replied" } else { "auto-generated" };
        fields.push(header::written("Auto-Submitted", word.to_owned()));
        fields.push(header::written("X-Auto-Response-Suppress", "All".to_owned()));
    }
    if let Some(token) = &mail.loop_token {
        fields.push(header::text("X-Guichet-Loop", token));
    }
    if let Some(language) = mail.language.as_deref().filter(|tag| is_language_tag(tag)) {
        fields.push(header::written("Content-Language", language.to_owned()));
    }
    fields
}

/// Not used to send; without it lettre would read the addresses back out of the header by a grammar that refuses many.
fn envelope(to: &NamedAddress) -> Result<Envelope, ComposeError> {
    let (local, domain) = to.address.rsplit_once('@').ok_or(ComposeError::Address("To"))?;
    Envelope::new(None, vec![Address::new_dangerous(local, domain)]).map_err(|_| ComposeError::Address("To"))
}

/// Times before 1970, which lettre cannot write, as its first second.
fn sent_at(moment: Moment) -> SystemTime {
    let secs = moment.timestamp().as_second();
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(secs).unwrap_or(0))
}

fn is_language_tag(tag: &str) -> bool {
    (1..=35).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
