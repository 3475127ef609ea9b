//! One walk over the top header block: every rule then reads from here, and a person's mail costs one pass.

use std::borrow::Cow;

use mail_parser::{Header, HeaderName, HeaderValue, Message, MimeHeaders, PartType, parsers::MessageStream};

/// The headers the rules ask for, still undecoded: a person's mail has almost none of them.
pub(super) struct Facts<'m> {
    message: &'m Message<'m>,
    pub(super) from: Option<&'m Header<'m>>,
    pub(super) sender: Option<&'m Header<'m>>,
    pub(super) reply_to: Option<&'m Header<'m>>,
    pub(super) return_path: Option<&'m Header<'m>>,
    pub(super) auto_submitted: Vec<&'m Header<'m>>,
    pub(super) precedence: Vec<&'m Header<'m>>,
    pub(super) list: Option<&'m Header<'m>>,
    pub(super) suppress: Vec<&'m Header<'m>>,
    pub(super) failed_recipients: Option<&'m Header<'m>>,
    /// Every other header that is not a plain RFC 5322 one, with the names as written.
    pub(super) other: Vec<&'m Header<'m>>,
}

const LIST_NAMES: [&str; 4] = ["mailing-list", "x-mailing-list", "x-ml-name", "x-mailman-version"];

impl<'m> Facts<'m> {
    pub(super) fn gather(message: &'m Message<'m>) -> Self {
        let mut facts = Facts {
            message,
            from: None,
            sender: None,
            reply_to: None,
            return_path: None,
            auto_submitted: Vec::new(),
            precedence: Vec::new(),
            list: None,
            suppress: Vec::new(),
            failed_recipients: None,
            other: Vec::new(),
        };
        for header in top_headers(message) {
            match &header.name {
                HeaderName::From => facts.from = facts.from.or(Some(header)),
                HeaderName::Sender => facts.sender = facts.sender.or(Some(header)),
                HeaderName::ReplyTo => facts.reply_to = facts.reply_to.or(Some(header)),
                // The first one: it is the one the last server on the way wrote.
                HeaderName::ReturnPath => facts.return_path = facts.return_path.or(Some(header)),
                HeaderName::AutoSubmitted | HeaderName::Autosubmitted => facts.auto_submitted.push(header),
                HeaderName::ListId
                | HeaderName::ListPost
                | HeaderName::ListUnsubscribe
                | HeaderName::ListHelp
                | HeaderName::ListOwner
                | HeaderName::ListArchive => facts.list = facts.list.or(Some(header)),
                name => facts.take_by_name(header, name.as_str()),
            }
        }
        facts
    }

    fn take_by_name(&mut self, header: &'m Header<'m>, name: &str) {
        // Content-, DKIM-, ARC-, Received and the like can be told by their first letter: most headers end here.
        if !matches!(name.as_bytes().first().map(u8::to_ascii_lowercase), Some(b'x' | b'p' | b'm' | b'd')) {
            return;
        }
        if name.eq_ignore_ascii_case("precedence") || name.eq_ignore_ascii_case("x-precedence") {
            self.precedence.push(header);
        } else if name.eq_ignore_ascii_case("x-auto-response-suppress") {
            self.suppress.push(header);
        } else if name.eq_ignore_ascii_case("x-failed-recipients") {
            self.failed_recipients = self.failed_recipients.or(Some(header));
        } else if LIST_NAMES.iter().any(|list| name.eq_ignore_ascii_case(list)) {
            self.list = self.list.or(Some(header));
        } else {
            self.other.push(header);
        }
    }

    /// The value as the sender meant it: unfolded and RFC 2047 decoded, whatever the parser made of this header.
    pub(super) fn value(&self, header: &Header<'_>) -> String {
        decoded(self.message, header)
    }

    /// The subject, decoded; empty when there is none.
    pub(super) fn subject(&self) -> &'m str {
        self.message.subject().unwrap_or_default()
    }

    /// The content type of the part that makes this mail a report, when there is one outside an attached message.
    pub(super) fn report_part(&self) -> Option<String> {
        let mut parts = self.message.parts.iter();
        let top = parts.next()?;
        if let Some(kind) = top.content_type().filter(|kind| is_type(kind, "multipart", &["report"])) {
            return Some(format!("multipart/report; report-type={}", kind.attribute("report-type").unwrap_or("?")));
        }
        std::iter::once(top).chain(parts).find_map(|part| {
            let kind = part.content_type()?;
            let named = is_type(kind, "message", &REPORT_PARTS) && !matches!(part.body, PartType::Message(_));
            named.then(|| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()))
        })
    }
}

const REPORT_PARTS: [&str; 5] = [
    "delivery-status",
    "global-delivery-status",
    "disposition-notification",
    "global-disposition-notification",
    "feedback-report",
];

/// The top header block; empty for a message the parser made nothing of.
pub(super) fn top_headers<'m>(message: &'m Message<'m>) -> &'m [Header<'m>] {
    message.parts.first().map_or(&[], |part| part.headers.as_slice())
}

/// Decodes a header from the raw bytes: the parser leaves unknown headers encoded, and drops what it takes for a malformed id.
pub(super) fn decoded(message: &Message<'_>, header: &Header<'_>) -> String {
    let range = header.offset_start as usize..header.offset_end as usize;
    let bytes = message.raw_message.get(range).unwrap_or_default();
    let value = match MessageStream::new(bytes).parse_unstructured() {
        HeaderValue::Text(text) => text,
        _ => String::from_utf8_lossy(bytes),
    };
    match value {
        Cow::Borrowed(text) => text.trim().to_owned(),
        Cow::Owned(text) => text.trim().to_owned(),
    }
}

fn is_type(kind: &mail_parser::ContentType<'_>, main: &str, sub: &[&str]) -> bool {
    kind.ctype().eq_ignore_ascii_case(main)
        && kind.subtype().is_some_and(|name| sub.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)))
}
