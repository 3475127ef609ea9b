//! An outgoing mail as bytes: pure, the same bytes for the same input, whatever strangers put into it.
//!
//! Written here and not by a mail builder, because the words of strangers go into almost every header: lettre lets an
//! ASCII `=?utf-8?q?...?=` in a subject through as an encoded word, does not break long words, and draws its
//! boundaries from an ambient random source. Bodies leave as 7-bit text, so every server can take them.

mod address;
mod header;
mod mime;
mod subject;

#[cfg(test)]
mod tests;

use guichet_domain::Moment;

pub use address::{NamedAddress, is_sendable};
pub use subject::reply_subject;

use header::Headers;
use mime::Part;

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
    /// A further header has an impossible name, or the name of one written here.
    #[error("further header number {0} has a name that cannot be used")]
    Header(usize),
}

/// The whole message: header, empty line, body; every line ends in CRLF and has at most 998 bytes.
pub fn compose(mail: &OutgoingMail) -> Result<Vec<u8>, ComposeError> {
    let message_id = header::message_id(&mail.message_id).ok_or(ComposeError::MessageId)?;
    let mut headers = Headers::default();
    headers.raw("Date", &date(mail.date));
    headers.address("From", &mail.from).ok_or(ComposeError::Address("From"))?;
    headers.address("To", &mail.to).ok_or(ComposeError::Address("To"))?;
    if let Some(reply_to) = &mail.reply_to {
        headers.address("Reply-To", reply_to).ok_or(ComposeError::Address("Reply-To"))?;
    }
    headers.text("Subject", &mail.subject);
    headers.raw("Message-ID", &message_id);
    thread(&mut headers, mail);
    if let Some(kind) = mail.auto_submitted {
        headers.raw("Auto-Submitted", if kind == AutoSubmitted::Replied { "auto-replied" } else { "auto-generated" });
        headers.raw("X-Auto-Response-Suppress", "All");
    }
    if let Some(token) = &mail.loop_token {
        headers.text("X-Guichet-Loop", token);
    }
    if let Some(language) = mail.language.as_deref().filter(|tag| is_language_tag(tag)) {
        headers.raw("Content-Language", language);
    }
    for (index, (name, value)) in mail.headers.iter().enumerate() {
        if !header::is_free_name(name) {
            return Err(ComposeError::Header(index));
        }
        headers.text(name, value);
    }
    headers.raw("MIME-Version", "1.0");
    let mut message = headers.into_bytes();
    body(mail, &message_id).write(&mut message);
    Ok(message)
}

/// `text`; or text and HTML; either of them before the attachments.
fn body(mail: &OutgoingMail, message_id: &str) -> Part {
    let text = Part::text("plain", &mail.text);
    let readable = match &mail.html {
        Some(html) => Part::multi("alternative", message_id, vec![text, Part::text("html", html)]),
        None => text,
    };
    if mail.attachments.is_empty() {
        return readable;
    }
    let files = mail.attachments.iter().map(|file| Part::file(&file.name, &file.media_type, &file.content));
    Part::multi("mixed", message_id, std::iter::once(readable).chain(files).collect())
}

/// One id a line and never encoded: some programs that write these headers differently break their own threads.
fn thread(headers: &mut Headers, mail: &OutgoingMail) {
    let parent = mail.in_reply_to.as_deref().and_then(header::message_id);
    let mut references: Vec<String> = mail.references.iter().filter_map(|id| header::message_id(id)).collect();
    if let Some(parent) = &parent {
        headers.raw("In-Reply-To", parent);
        references.retain(|id| id != parent);
        references.push(parent.clone());
    }
    let cut = references.len().saturating_sub(LAST_REFERENCES).max(1);
    let kept: Vec<&str> =
        references.iter().enumerate().filter(|(at, _)| *at == 0 || *at >= cut).map(|(_, id)| id.as_str()).collect();
    if !kept.is_empty() {
        headers.raw("References", &kept.join("\r\n "));
    }
}

fn date(moment: Moment) -> String {
    moment.timestamp().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

fn is_language_tag(tag: &str) -> bool {
    (1..=35).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
