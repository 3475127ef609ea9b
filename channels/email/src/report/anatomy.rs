//! A report taken apart: what the server says, what it states in fields, and what it returns of our mail.

use mail_parser::decoders::html::html_to_text;
use mail_parser::{Message, MessagePart, MimeHeaders, PartType};

use super::marks;
use crate::machine;

/// The parts of a report, each as text.
#[derive(Default)]
pub(super) struct Anatomy {
    /// What the server wrote for people, up to where the returned mail begins.
    pub(super) said: String,
    /// The delivery status parts.
    pub(super) status: String,
    /// The disposition notification part.
    pub(super) disposition: String,
    /// The feedback report part.
    pub(super) feedback: String,
    /// The report's own subject.
    subject: String,
    /// The header block of our mail, and whatever of its body stands with it.
    pub(super) returned: String,
}

/// Longer than any server's explanation; a returned mail that was not recognised as one may be megabytes.
const SAID_LIMIT: usize = 64 * 1024;
const RETURNED_LIMIT: usize = 32 * 1024;

impl Anatomy {
    pub(super) fn of(message: &Message<'_>, raw: &[u8]) -> Self {
        let mut anatomy = Anatomy { subject: message.subject().unwrap_or_default().to_owned(), ..Anatomy::default() };
        for part in &message.parts {
            anatomy.take(part);
        }
        // Broken MIME: boundaries that never come, a content type nobody knows.
        if anatomy.said.trim().is_empty() && anatomy.status.is_empty() {
            let text = String::from_utf8_lossy(raw);
            let body = text.split_once("\r\n\r\n").or_else(|| text.split_once("\n\n")).map_or("", |(_, body)| body);
            head_of(body, SAID_LIMIT).clone_into(&mut anatomy.said);
        }
        anatomy.cut_returned();
        anatomy
    }

    /// Whether the text at least speaks of mail that did not arrive.
    pub(super) fn says_failure(&self) -> bool {
        // Lines are folded anywhere, in the middle of "could not / be delivered" too.
        let said: String = self.said.split_whitespace().take(600).collect::<Vec<_>>().join(" ");
        machine::is_report_subject(&self.subject) || marks::FAILURE.is_match(&said)
    }

    /// Whether the text has the set phrases of servers, beyond what a person telling of the same trouble would write.
    pub(super) fn says_itself_automatic(&self) -> bool {
        marks::AUTOMATIC.is_match(&self.said)
    }

    /// Whether the server says that it is still trying.
    pub(super) fn says_delay(&self) -> bool {
        marks::DELAY.is_match(&self.said)
    }

    fn take(&mut self, part: &MessagePart<'_>) {
        let kind = part
            .content_type()
            .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase());
        match (kind.as_deref().unwrap_or("text/plain"), &part.body) {
            (_, PartType::Message(inner)) => self.take_returned(&whole(inner)),
            (_, PartType::Multipart(_)) => {}
            ("message/delivery-status" | "message/global-delivery-status", _) => {
                add(&mut self.status, part, SAID_LIMIT);
            }
            ("message/disposition-notification" | "message/global-disposition-notification", _) => {
                add(&mut self.disposition, part, SAID_LIMIT);
            }
            ("message/feedback-report", _) => add(&mut self.feedback, part, SAID_LIMIT),
            (
                "text/rfc822-headers"
                | "text/rfc822-header"
                | "text/rfc822"
                | "message/rfc822"
                | "message/rfc822-headers"
                | "message/global"
                | "message/global-headers"
                | "message/partial",
                _,
            ) => self.take_returned(&String::from_utf8_lossy(part.contents())),
            (_, PartType::Html(html)) if self.said.trim().is_empty() => {
                self.said = html_to_text(head_of(html, SAID_LIMIT));
            }
            (_, PartType::Text(text)) => {
                let spoken = !self.said.trim().is_empty();
                if spoken && marks::is_header(text) {
                    self.take_returned(text);
                } else if !spoken || !part.content_disposition().is_some_and(mail_parser::ContentType::is_attachment) {
                    // A log or a text that is attached came with our mail: it is not the server speaking.
                    self.said.push_str(head_of(text, SAID_LIMIT));
                    self.said.push('\n');
                }
            }
            _ => {}
        }
    }

    fn take_returned(&mut self, text: &str) {
        if self.returned.is_empty() {
            head_of(text, RETURNED_LIMIT).clone_into(&mut self.returned);
        }
    }

    /// Cuts the returned mail off what the server said.
    fn cut_returned(&mut self) {
        let Some((said, returned)) = marks::split_returned(&self.said) else { return };
        let (said, returned) = (said.to_owned(), head_of(returned, RETURNED_LIMIT).to_owned());
        if self.returned.is_empty() {
            self.returned = returned;
        }
        self.said = said;
    }
}

fn add(to: &mut String, part: &MessagePart<'_>, limit: usize) {
    let text = String::from_utf8_lossy(part.contents()).into_owned();
    to.push_str(head_of(&text, limit));
    to.push_str("\n\n");
}

/// The bytes of a nested message: its offsets count from the whole mail.
fn whole(inner: &Message<'_>) -> String {
    let from = inner.parts.first().map_or(0, |part| part.offset_header as usize);
    let bytes = inner.raw_message.get(from..).unwrap_or_default();
    String::from_utf8_lossy(bytes.get(..bytes.len().min(RETURNED_LIMIT)).unwrap_or_default()).into_owned()
}

/// At most `limit` bytes, cut at a character.
pub(super) fn head_of(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
