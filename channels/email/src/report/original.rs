//! What a report tells about the mail it is about: enough to find it among ours.

use std::sync::LazyLock;

use mail_parser::parsers::MessageStream;
use mail_parser::{HeaderName, HeaderValue, Message};
use regex::Regex;

use super::anatomy::{Anatomy, head_of};
use super::fields::{groups, value};
use super::marks::pattern;

/// Our mail, as far as a report tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Original {
    /// Its Message-ID, without brackets.
    pub message_id: Option<String>,
    /// Its subject, decoded.
    pub subject: Option<String>,
    /// The first address of its To.
    pub recipient: Option<String>,
    /// The addresses this report was sent to, envelope first: where a VERP recipient or a token stands. Without repeats.
    pub reported_to: Vec<String>,
}

static MESSAGE_ID: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[\s>*]*(?:original[- ]|x-original-)?message[- ]?id\s*:?\s*<?([^\s<>]+@[^\s<>]+)>?"));

const RAW_LIMIT: usize = 256 * 1024;

/// Collects it from the returned header, the report's fields, the text, in this order.
pub(super) fn of(message: &Message<'_>, anatomy: &Anatomy, raw: &[u8]) -> Original {
    let returned = groups(&anatomy.returned);
    let header = returned.iter().find(|group| group.len() > 1).or(returned.first());
    let returned = |name: &str| header.and_then(|group| value(group, name));
    let message_id = returned("message-id").and_then(bare_id).or_else(|| stated_id(message, anatomy, raw));
    Original {
        message_id,
        subject: returned("subject").map(|subject| decoded(head_of(subject, 2048))),
        recipient: returned("to").and_then(first_address),
        reported_to: reported_to(message),
    }
}

/// The Message-ID this mail answers, without brackets.
pub(super) fn replied_to(message: &Message<'_>) -> Option<String> {
    let ids = |value: &HeaderValue<'_>| match value {
        HeaderValue::Text(id) => Some(id.to_string()),
        HeaderValue::TextList(ids) => ids.last().map(ToString::to_string),
        _ => None,
    };
    ids(message.in_reply_to()).or_else(|| ids(message.references()))
}

fn stated_id(message: &Message<'_>, anatomy: &Anatomy, raw: &[u8]) -> Option<String> {
    let own = message.message_id();
    let fields = [&anatomy.disposition, &anatomy.status, &anatomy.feedback];
    let stated = fields.into_iter().flat_map(|part| groups(part)).find_map(|group| {
        value(&group, "original-message-id").or_else(|| value(&group, "x-original-message-id")).and_then(bare_id)
    });
    let header = |name: &'static str| {
        let value = message.header_raw(HeaderName::Other(name.into())).or_else(|| message.header_raw(name))?;
        bare_id(value)
    };
    let in_text = |text: &str| {
        let found = MESSAGE_ID.captures_iter(text).filter_map(|found| found.get(1));
        found.map(|id| id.as_str().to_owned()).find(|id| Some(id.as_str()) != own)
    };
    stated
        .or_else(|| header("X-Original-Message-ID"))
        .or_else(|| in_text(&anatomy.returned))
        .or_else(|| in_text(&anatomy.said))
        // Boundaries that do not match their declaration hide whole parts from the parser, never from the eye.
        .or_else(|| in_text(&String::from_utf8_lossy(raw.get(..raw.len().min(RAW_LIMIT)).unwrap_or_default())))
        .or_else(|| replied_to(message))
}

fn reported_to(message: &Message<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |address: &str| {
        let address = address.trim().trim_matches(['<', '>']);
        if address.contains('@') && !found.iter().any(|known| known.eq_ignore_ascii_case(address)) {
            found.push(address.to_owned());
        }
    };
    for header in message.headers() {
        let name = header.name.as_str();
        if ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to"]
            .iter()
            .any(|wanted| name.eq_ignore_ascii_case(wanted))
        {
            add(header.value.as_text().unwrap_or_default());
        }
    }
    for address in [message.to(), message.cc()].into_iter().flatten().flat_map(mail_parser::Address::iter) {
        add(address.address.as_deref().unwrap_or_default());
    }
    found
}

fn bare_id(value: &str) -> Option<String> {
    let inner = value.split_once('<').map_or(value, |(_, rest)| rest);
    let id = inner.split(['>', ' ', '\t', '\r', '\n']).find(|piece| !piece.is_empty())?;
    (id.contains('@') && id.len() < 998).then(|| id.to_owned())
}

fn decoded(value: &str) -> String {
    match MessageStream::new(ended(value).as_bytes()).parse_unstructured() {
        HeaderValue::Text(text) => text.trim().to_owned(),
        _ => value.to_owned(),
    }
}

fn first_address(value: &str) -> Option<String> {
    match MessageStream::new(ended(value).as_bytes()).parse_address() {
        HeaderValue::Address(address) => address.first().and_then(|first| first.address.as_deref()).map(str::to_owned),
        _ => None,
    }
}

/// The parser drops the last word of a value that does not end its line.
fn ended(value: &str) -> String {
    format!("{value}\n")
}
