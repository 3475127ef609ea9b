//! What a mail says, as plain values that outlive its bytes.

use data_encoding::HEXLOWER;
use guichet_domain::Moment;

/// Longest address that is written to; RFC 5321 grants 64 and 255 octets.
pub const ADDRESS_LIMIT: usize = 320;

/// One mail, understood. Every text in it is valid UTF-8 without control characters; header values hold no CR or LF.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mail {
    /// The Message-ID without `<>`, exactly as sent; one mail in five has none.
    pub message_id: Option<String>,
    /// The ids in In-Reply-To, without `<>`. Usually one.
    pub in_reply_to: Vec<String>,
    /// The ids in References, oldest first, without `<>`.
    pub references: Vec<String>,
    /// Who wrote it; none in one mail in ten, several in a few.
    pub from: Vec<Mailbox>,
    /// Sender, when it was said.
    pub sender: Option<Mailbox>,
    /// Where answers should go, when it was said.
    pub reply_to: Vec<Mailbox>,
    /// The envelope sender, from the topmost Return-Path.
    pub return_path: ReturnPath,
    /// To.
    pub to: Vec<Mailbox>,
    /// Cc.
    pub cc: Vec<Mailbox>,
    /// The addresses it was delivered to: Delivered-To, X-Original-To, Envelope-To, topmost first, no address twice.
    pub delivered_to: Vec<String>,
    /// The instant of the Date header, as the sender's clock had it. Never trust it for deadlines.
    pub date: Option<Moment>,
    /// The Date header as sent, unfolded.
    pub date_raw: Option<String>,
    /// Subject; `None` when there was no such header, empty when it said nothing.
    pub subject: Option<String>,
    /// What a person reads: all bodies joined, lines ended by `\n`; HTML converted where there is no plain text.
    pub text: String,
    /// The HTML bodies as sent. Hostile: show `sanitised_html` instead.
    pub html: Option<String>,
    /// The HTML fit to show: no script, style, form or remote image; `cid:` images kept.
    pub sanitised_html: Option<String>,
    /// Every part that is no body, in the order of the mail.
    pub attachments: Vec<Attachment>,
    /// Outlook's Thread-Index: the 22 bytes all messages of one conversation share.
    pub thread_index: Option<[u8; 22]>,
    /// Tokens found in recipients' addresses, `support+token@...`, in the order delivered_to, to, cc.
    pub plus_tokens: Vec<PlusToken>,
    /// The media type of the whole mail, lower case; `text/plain` when it says none.
    pub media_type: String,
    /// The `report-type` of a `multipart/report`, lower case.
    pub report_type: Option<String>,
    /// All header fields in order, for the rules.
    pub headers: Vec<HeaderField>,
    /// What was cut or guessed, as stable reason codes: `mime.too_many_parts`.
    pub notes: Vec<&'static str>,
}

impl Mail {
    /// The first value of a header field, by name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value.as_str())
    }

    /// Every value of a header field, topmost first, by name in any case.
    pub fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value.as_str())
    }

    /// The address of the first writer that has one, as sent.
    pub fn from_address(&self) -> Option<&str> {
        self.from.iter().map(|mailbox| mailbox.address.as_str()).find(|address| !address.is_empty())
    }
}

/// Whether a mail could be sent there: something, one `@`-sign that parts it, and something; no longer than
/// [`ADDRESS_LIMIT`].
pub fn is_routable(address: &str) -> bool {
    let parted = address.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    parted && address.len() <= ADDRESS_LIMIT
}

/// A name and an address. Lenient: the address is what was written, if it holds no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mailbox {
    /// The display name, decoded.
    pub name: Option<String>,
    /// The address; empty when only a name was given, without `@` when only a local part was.
    pub address: String,
}

impl Mailbox {
    /// See [`is_routable`].
    pub fn is_routable(&self) -> bool {
        is_routable(&self.address)
    }

    /// The address as addresses are compared: lower case.
    pub fn folded(&self) -> String {
        self.address.to_lowercase()
    }
}

/// The envelope sender as the delivering server wrote it down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ReturnPath {
    /// No Return-Path header: not known.
    #[default]
    Absent,
    /// `<>`: a machine that wants no answer.
    Null,
    /// An address to which delivery failures go.
    Address(String),
}

/// A token in a recipient's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlusToken {
    /// The address without the token, lower case: `support@example.org`.
    pub mailbox: String,
    /// What stood between the first `+` and the `@`, as sent.
    pub token: String,
}

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderField {
    /// The name as sent.
    pub name: String,
    /// The value on one line, encoded words decoded; that of Authentication-Results as it was written.
    pub value: String,
}

/// What an attachment is to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentKind {
    /// A file somebody attached.
    File,
    /// A picture shown inside the HTML body, referred to by its content id.
    Inline,
    /// A whole message, unopened.
    Message,
    /// An appointment.
    Calendar,
    /// Part of a delivery or disposition report.
    Report,
    /// A signature over the mail: PGP or S/MIME.
    Signature,
    /// Outlook's `winmail.dat`, which holds files of its own.
    Tnef,
}

/// A part that is no body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// A name safe to store and to offer: no path, no control or direction characters, at most 120 bytes, never empty.
    pub safe_name: String,
    /// The name the sender gave, decoded, for showing why the safe one differs. Hostile.
    pub declared_name: Option<String>,
    /// The media type the sender gave, lower case, without parameters.
    pub media_type: String,
    /// The media type its first bytes speak of, where they speak clearly.
    pub sniffed: Option<&'static str>,
    /// Content-ID without `<>`, as `cid:` links in the HTML name it.
    pub content_id: Option<String>,
    /// What it is to the reader.
    pub kind: AttachmentKind,
    /// The names of the files inside a TNEF container.
    pub inner_names: Vec<String>,
    /// The bytes, transfer encoding undone and nothing else.
    pub content: Vec<u8>,
    /// Set when `content` was cut at a limit.
    pub cut: bool,
}

impl Attachment {
    /// Size in bytes.
    pub fn size(&self) -> usize {
        self.content.len()
    }

    /// SHA-256 of the content in lower-case hexadecimal; computed at each call.
    pub fn sha256(&self) -> String {
        HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, &self.content).as_ref())
    }
}
