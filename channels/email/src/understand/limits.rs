//! How much of a mail is looked at, and what makes one unreadable.

/// Bounds on what one mail may cost. Whatever is over is cut and named in `Mail::notes`; nothing here refuses a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Header fields kept, of one entity. The rest are passed over (`mime.too_many_headers`).
    pub headers: usize,
    /// Bytes of header fields kept, of one entity (`mime.headers_too_long`).
    pub header_bytes: usize,
    /// Bytes of one header field decoded (`mime.header_too_long`).
    pub field_bytes: usize,
    /// Addresses kept of one header field (`mime.too_many_addresses`).
    pub addresses: usize,
    /// Message ids kept of one header field, the last ones, which are the nearest (`mime.too_many_references`).
    pub references: usize,
    /// Levels of multipart opened; a deeper one is kept whole as an attachment (`mime.too_deep`).
    pub nesting: usize,
    /// Leaf parts looked at (`mime.too_many_parts`).
    pub parts: usize,
    /// Bytes of decoded attachments kept, all together (`mime.too_large`).
    pub decoded_bytes: usize,
    /// Bytes of text kept in `Mail::text` (`mime.text_cut`).
    pub text_bytes: usize,
    /// Bytes of HTML kept; longer HTML is cut before it is converted (`mime.html_cut`).
    pub html_bytes: usize,
    /// Characters of a subject (`mime.subject_cut`).
    pub subject_chars: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            headers: 1_000,
            header_bytes: 512 * 1024,
            field_bytes: 64 * 1024,
            addresses: 1_000,
            references: 200,
            nesting: 20,
            parts: 500,
            decoded_bytes: 100 * 1024 * 1024,
            text_bytes: 1024 * 1024,
            html_bytes: 512 * 1024,
            subject_chars: 500,
        }
    }
}

/// Why bytes are no mail. The bytes are still kept whole by whoever called; the reason code is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No byte at all, or nothing but blanks.
    #[error("the message is empty; nothing to make a ticket of")]
    Empty,
    /// Not one header field could be recognised.
    #[error("the message has no header field at its beginning; look at the raw bytes and release or discard them")]
    NoHeaders,
    /// Reading it panicked, which is a fault of this program and not of the mail.
    #[error("reading the message failed inside this program; the raw bytes are kept, please report it")]
    Crashed,
}

impl Unreadable {
    /// The reason code stored beside the quarantined bytes.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Empty => "mime.empty",
            Self::NoHeaders => "mime.no_headers",
            Self::Crashed => "mime.crashed",
        }
    }
}

/// Notes gathered while reading, each at most once, in the order they came up.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<&'static str>);

impl Notes {
    pub(super) fn add(&mut self, reason: &'static str) {
        if !self.0.contains(&reason) {
            self.0.push(reason);
        }
    }

    pub(super) fn into_vec(self) -> Vec<&'static str> {
        self.0
    }
}
