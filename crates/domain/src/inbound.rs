//! What a channel hands in: one request, follow-up, report or event, in the core's own words.

use serde::{Deserialize, Serialize};

use crate::ids::{ConversationKey, ExternalId};
use crate::language::Language;
use crate::reason::Reason;
use crate::time::Moment;

/// A person or machine on a network.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Party {
    /// The address in the network's own form, as it will be written to. At most 320 octets on e-mail.
    pub address: String,
    /// The name shown beside it, if any. Free text from outside: never trusted, never with control characters.
    pub name: Option<String>,
}

impl Party {
    /// A party without a name.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), name: None }
    }

    /// The address as it is compared: lower case, outer space gone. (RFC 5321 lets the local part be
    /// case-sensitive; no mail system in use tells two people apart by it.)
    pub fn key(&self) -> String {
        address_key(&self.address)
    }

    /// The part behind the last `@`, lower case; `None` on networks whose addresses have none.
    pub fn domain(&self) -> Option<String> {
        self.address.rsplit_once('@').map(|(_, domain)| domain.trim().to_lowercase())
    }
}

/// The form of an address that is compared and stored as key.
pub fn address_key(address: &str) -> String {
    address.trim().to_lowercase()
}

/// One item taken from a source, before anything is known of it here.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// What the source calls this item. The same item delivered again must carry the same id: it is the first
    /// deduplication key (with the source's name).
    pub external_id: ExternalId,
    /// Further keys under which the same request may arrive by another way (another mailbox, another alias, after a
    /// folder was rebuilt). Compared across all sources of the channel. At most 4.
    pub same_as: Vec<String>,
    /// What it says, or why it could not be read.
    pub content: Content,
    /// When it came into our hands: stamped by the channel.
    pub received_at: Moment,
    /// The bytes as they came, kept whole.
    pub raw: Vec<u8>,
    /// Set when the operator wants no automatic answer to this item whatever it is: history, an import.
    pub quiet: Option<Reason>,
}

/// What came of the bytes.
#[derive(Debug, Clone)]
pub enum Content {
    /// Could be read.
    Read(Box<Item>),
    /// Could not: kept raw, quarantined, releasable.
    Unreadable {
        /// Why, as a stable code.
        reason: Reason,
        /// What exactly, for an agent.
        detail: String,
    },
}

/// A readable item.
#[derive(Debug, Clone, Default)]
pub struct Item {
    /// What kind of thing it is.
    pub nature: Nature,
    /// Who wrote it; `None` when the item names nobody.
    pub from: Option<Party>,
    /// Where the writer wants the answer, when elsewhere.
    pub reply_to: Option<Party>,
    /// Where else the writer can be reached: answers that stay unread on the network go there. Not proved by itself: it
    /// joins no ticket and no contact.
    pub contact: Option<Contact>,
    /// Others addressed (To and Cc on e-mail), our own addresses included.
    pub recipients: Vec<Party>,
    /// The network's own grouping, if it has one.
    pub conversation: Option<ConversationKey>,
    /// What it says it belongs to.
    pub refers_to: RefersTo,
    /// The ids this item itself has on the network, so that answers to it are recognised (a Message-ID).
    pub own_ids: Vec<ExternalId>,
    /// Subject line, one line, no control characters.
    pub subject: Option<String>,
    /// The whole text, readable.
    pub text: String,
    /// The part of the text the writer added; equal to `text` when nothing was quoted, empty when everything was.
    pub reply_text: String,
    /// Sanitised HTML, when the item had any.
    pub html: Option<String>,
    /// Language of `reply_text`, when it could be told.
    pub language: Option<Language>,
    /// Key of the category its writer chose; one that the taxonomy does not have counts for nothing.
    pub category: Option<String>,
    /// Files that came along.
    pub attachments: Vec<Attachment>,
    /// When its writer says it was sent.
    pub sent_at: Option<Moment>,
    /// Why this must get no automatic answer: the verdict of the channel's rules.
    pub machine: Option<Machine>,
    /// Whether it claims to be a message of ours.
    pub own: OwnClaim,
    /// Who vouches for the writer.
    pub trust: Trust,
    /// What was repaired, cut or left out while reading: stable reason codes with details, for the agent.
    pub notes: Vec<Explained>,
}

impl Item {
    /// What is shown of it: what its writer added, or all of it when that is nothing.
    pub fn words(&self) -> &str {
        if self.reply_text.trim().is_empty() { self.text.trim() } else { &self.reply_text }
    }
}

/// An e-mail address somebody gave on another network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The address as it will be written to.
    pub address: String,
    /// Whether somebody we believe vouches for it (an identity token).
    pub verified: bool,
}

/// What kind of thing an item is.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Nature {
    /// Somebody writes: a request or a follow-up.
    #[default]
    Message,
    /// An automatic answer of a person's mailbox: noted, never reopens, never answered.
    AutoReply,
    /// The network tells what became of something we sent.
    Report(Vec<Report>),
}

/// What became of one thing we sent, for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What happened.
    pub outcome: ReportOutcome,
    /// Whom it was for, when the report says so.
    pub recipient: Option<String>,
    /// Enhanced status code (RFC 3463) or the network's own, when given.
    pub status: Option<String>,
    /// The words of the report, cut to 500 characters.
    pub diagnostic: Option<String>,
    /// Whether the address itself is bad for good (not a full mailbox, not a refused content).
    pub hard: bool,
}

/// The outcome a report tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportOutcome {
    /// It will not arrive.
    Failed,
    /// Not yet; the network goes on trying.
    Delayed,
    /// It arrived, was relayed or was shown.
    Delivered,
    /// The recipient says it is abuse.
    Complaint,
}

/// What an item says it belongs to; nothing of it is believed before the core has checked it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefersTo {
    /// Candidates for our signed tokens, found where we put them (a plus address, a message id, a VERP return path).
    pub tokens: Vec<String>,
    /// Ids of messages it answers, nearest first (In-Reply-To, then References from last to first).
    pub ids: Vec<ExternalId>,
    /// Text that may hold a reference (the subject line): a reference counts only from a participant.
    pub spoken_in: Option<String>,
    /// The network's own weak grouping (Outlook's Thread-Index): counts only from a participant.
    pub thread: Option<String>,
}

/// Whether an item claims to be a message we sent ourselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum OwnClaim {
    /// It does not.
    #[default]
    No,
    /// It comes from one of our own addresses; these tokens may prove it.
    Claimed {
        /// Candidates for our signed tokens.
        tokens: Vec<String>,
    },
    /// It carries a loop mark such as ours and comes from somebody else: ours under a changed name when one of these tokens
    /// proves it, else what another desk sent, by one of its agents or by itself.
    Marked {
        /// Candidates for our signed tokens.
        tokens: Vec<String>,
    },
}

/// Why an item must not be answered automatically.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The rule that hit, as a stable code.
    pub reason: Reason,
    /// What it hit on, for the agent.
    pub detail: String,
}

/// Who vouches that the writer is who it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    /// Nobody: an acknowledgement to it carries our own words only.
    #[default]
    Unverified,
    /// Somebody we believe: how, as a stable code.
    Verified(Reason),
}

/// A file that came along or goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Safe to show and to store: one path segment, no control characters, at most 120 characters.
    pub name: String,
    /// Media type as declared, `application/octet-stream` when none was.
    pub media_type: String,
    /// Content-ID when the HTML shows it inline.
    pub content_id: Option<String>,
    /// The content.
    pub bytes: Vec<u8>,
}

/// A decision or remark with its stable code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// The stable code.
    pub code: Reason,
    /// What it was about, for a person; may be empty.
    pub detail: String,
}

impl Explained {
    /// A code with its detail.
    pub fn new(code: impl Into<Reason>, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: detail.into() }
    }
}
