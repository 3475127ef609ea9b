//! A submission in the core's words. Pure.

use data_encoding::{BASE64, HEXLOWER};
use guichet_domain::Moment;
use guichet_domain::ids::{ConversationKey, ExternalId};
use guichet_domain::inbound::{Attachment, Content, Explained, Inbound, Item, Party};
use guichet_domain::language::Language;
use guichet_domain::reason::Reason;
use ring::digest;
use serde::{Deserialize, Serialize};

/// Kept aside: a field was filled in that people do not see.
pub(crate) const HONEYPOT: &str = "form.honeypot";

/// The form it came by.
pub(crate) const SUBMITTED: &str = "form.submitted";

/// What each code of this channel means.
pub(crate) const EXPLANATIONS: &[(&str, &str)] = &[
    (SUBMITTED, "It came by a web form; the detail names the form."),
    (HONEYPOT, "A field that people do not see was filled in: likely a program. Release it if a person wrote it."),
];

/// What was sent, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Submission {
    /// Its id: 32 hexadecimal digits.
    pub(crate) id: String,
    /// The form's key.
    pub(crate) form: String,
    /// The form's title as it was shown.
    pub(crate) title: String,
    /// The language of the page.
    pub(crate) lang: String,
    /// The category the form is for, if the operator says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    pub(crate) message: String,
    /// The operator's own fields: label and answer.
    #[serde(default)]
    pub(crate) answers: Vec<(String, String)>,
    #[serde(default)]
    pub(crate) files: Vec<SentFile>,
    /// Whether files came with the very posting, not only with an earlier one of the same form that was not yet right.
    #[serde(default)]
    pub(crate) with_files: bool,
    /// Whether the trap for programs was filled in.
    #[serde(default)]
    pub(crate) trapped: bool,
}

/// A file of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SentFile {
    pub(crate) name: String,
    pub(crate) media_type: String,
    /// In base64 (RFC 4648 section 4).
    pub(crate) content: String,
}

impl Submission {
    /// The conversation of the submissions of one form by one person. Whoever goes back and mends the address is another
    /// one: the first address may be a stranger's, and answers would go there.
    pub(crate) fn conversation(id: &str, email: &str) -> ConversationKey {
        ConversationKey::new(format!("form-{id}-{}", short(email.to_lowercase().as_bytes())))
    }

    /// For the intake. What filled in the trap is kept aside, whole: some people's browsers fill in everything.
    pub(crate) fn inbound(self, now: Moment) -> Inbound {
        let raw = serde_json::to_vec(&self).unwrap_or_default();
        // The same words twice are one request; other words or files on the same page (back, mended, sent again) are a
        // follow-up. Files of an earlier posting do not count: pressed twice, the second finds them handed in already.
        let words = serde_json::to_vec(&Self { files: Vec::new(), with_files: false, trapped: false, ..self.clone() })
            .unwrap_or_default();
        let mut external_id = format!("{}-{}", self.id, short(&words));
        if self.with_files && !self.files.is_empty() {
            let files = serde_json::to_vec(&self.files).unwrap_or_default();
            external_id = format!("{external_id}-{}", short(&files));
        }
        let external_id = ExternalId::new(external_id);
        let content = if self.trapped {
            let detail = "a field that is hidden from people was filled in".to_owned();
            Content::Unreadable { reason: Reason::from(HONEYPOT), detail }
        } else {
            Content::Read(Box::new(self.item()))
        };
        Inbound { external_id, same_as: Vec::new(), content, received_at: now, raw, quiet: None }
    }

    /// Reads what [`inbound`](Self::inbound) kept: for a release from quarantine the trap no longer counts.
    pub(crate) fn read(bytes: &[u8], now: Moment) -> Option<Inbound> {
        let submission: Self = serde_json::from_slice(bytes).ok()?;
        let mut inbound = Self { trapped: false, ..submission }.inbound(now);
        inbound.raw = bytes.to_vec();
        Some(inbound)
    }

    fn item(&self) -> Item {
        let from = Party { address: self.email.clone(), name: self.name.clone() };
        let mut text = self.message.clone();
        if !self.answers.is_empty() {
            text.push_str("\n\n");
            text.extend(self.answers.iter().map(|(label, answer)| {
                let label = label.trim_end_matches([':', '?', ' ', '\u{a0}']);
                format!("{label}: {answer}\n")
            }));
        }
        let text = text.trim_end().to_owned();
        let content = |file: &SentFile| BASE64.decode(file.content.as_bytes()).ok();
        let attachments = self.files.iter().filter_map(|file| {
            let (name, media_type) = (file.name.clone(), file.media_type.clone());
            Some(Attachment { name, media_type, content_id: None, bytes: content(file)? })
        });
        Item {
            from: Some(from),
            conversation: Some(Self::conversation(&self.id, &self.email)),
            subject: Some(self.subject.clone().unwrap_or_else(|| self.title.clone())),
            reply_text: text.clone(),
            text,
            language: Language::parse(&self.lang),
            attachments: attachments.collect(),
            category: self.category.clone(),
            notes: vec![Explained::new(SUBMITTED, self.form.clone())],
            ..Item::default()
        }
    }
}

/// A quarter of a SHA-256: enough to tell apart what one form was sent with.
fn short(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref().get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission() -> Submission {
        Submission {
            id: "ab".repeat(16),
            form: "request".to_owned(),
            title: "Ask for help".to_owned(),
            lang: "fr".to_owned(),
            category: Some("hardware".to_owned()),
            name: Some("Ana".to_owned()),
            email: "Ana@example.org".to_owned(),
            subject: None,
            message: "My screen flickers.".to_owned(),
            answers: vec![("Room :".to_owned(), "B 2.14".to_owned())],
            files: vec![SentFile {
                name: "a.txt".to_owned(),
                media_type: "text/plain".to_owned(),
                content: BASE64.encode(b"hello"),
            }],
            with_files: true,
            trapped: false,
        }
    }

    fn item(inbound: Inbound) -> Item {
        match inbound.content {
            Content::Read(item) => *item,
            Content::Unreadable { reason, .. } => panic!("{reason:?}"),
        }
    }

    #[test]
    fn the_answers_stand_below_the_message_and_the_title_is_the_subject_of_last_resort() {
        let item = item(submission().inbound(Moment::from_secs(0)));
        assert_eq!(item.text, "My screen flickers.\n\nRoom: B 2.14");
        assert_eq!(item.subject.as_deref(), Some("Ask for help"));
        assert_eq!(item.language, Some(Language::Fr));
        assert_eq!(item.attachments[0].bytes, b"hello");
        assert_eq!(item.category.as_deref(), Some("hardware"));
    }

    #[test]
    fn what_fell_into_the_trap_is_kept_whole_and_can_be_released() {
        let kept = Submission { trapped: true, ..submission() }.inbound(Moment::from_secs(0));
        assert!(matches!(&kept.content, Content::Unreadable { reason, .. } if reason.as_str() == HONEYPOT));
        let released = Submission::read(&kept.raw, Moment::from_secs(9)).unwrap();
        assert_eq!(released.external_id, kept.external_id);
        assert_eq!(item(released).attachments[0].bytes, b"hello");
        assert!(Submission::read(b"{\"id\": 3}", Moment::from_secs(0)).is_none());
    }
}
