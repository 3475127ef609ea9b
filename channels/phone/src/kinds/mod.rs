//! The kinds of phone system: how each proves itself, what it tells, and what it wants to hear.
//!
//! To add one: a file beside this with a unit struct that implements [`System`], one variant of [`SystemName`] and one line in
//! [`system`]. Its tests: a table over its events, and every byte of what it signs changed in turn (`placetel.rs` is the shortest to
//! learn from, `probe.rs` helps); `corpus.rs` runs a folder of samples, `papers.rs` holds `docs/PHONE.md` against the settings.
//!
//! A kind is pure: it sees one request and knows nothing of calls. What it cannot tell it leaves empty; other events of the
//! call will say it.

mod aircall;
mod asterisk;
#[cfg(test)]
mod corpus;
mod freeswitch;
mod generic;
#[cfg(test)]
mod hostile;
mod jwt;
mod kamailio;
#[cfg(test)]
mod papers;
mod placetel;
mod plivo;
#[cfg(test)]
mod probe;
mod ringover;
mod signing;
mod sipgate;
mod telnyx;
mod twilio;
mod vonage;

use axum::http::StatusCode;
use guichet_domain::Moment;
use guichet_domain::language::Language;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::event::{Heard, Line};
use crate::fields::Fields;
use crate::number::Numbers;
use crate::request::{Denied, Door, Request, Secrets};
use crate::time;

/// One kind of phone system.
pub(crate) trait System: Send + Sync {
    /// Whether the source `secrets` belong to sent this request. Judged on the bytes as they came, before anything of them is read. Where
    /// a kind signs and `secrets` hold a key, only the signature counts; which algorithm is used depends on the kind of secret,
    /// never on the request. All comparisons in constant time ([`same`](crate::request::same), `ring`'s `verify`). By default: a
    /// token, wherever it is shown.
    fn verify(&self, request: &Request<'_>, secrets: &Secrets) -> Result<(), Denied> {
        secrets.shown(request)
    }

    /// What the request tells; nothing for events that mean nothing to us. `fields` are those of the body, or of the
    /// query when there is no body.
    fn parse(&self, request: &Request<'_>, fields: &Fields, habits: &Habits) -> Result<Vec<Heard>, Unusable>;

    /// What the system is answered.
    fn answer(&self, said: &Said<'_>) -> Reply;

    /// Whether it switches its webhook off after errors: what cannot be used is then answered with 200 and kept aside.
    fn is_touchy(&self) -> bool {
        false
    }

    /// Whether what it signs covers the address it posts to: that must then be known.
    fn signs_addresses(&self) -> bool {
        false
    }

    /// Whether it writes numbers of the public network without their plus.
    fn is_plusless(&self) -> bool {
        false
    }

    /// Largest body, in bytes.
    fn body_limit(&self) -> usize {
        256 << 10
    }
}

/// What a source writes that its kind alone does not tell.
#[derive(Debug, Clone)]
pub(crate) struct Habits {
    pub(crate) numbers: Numbers,
    /// Of times without a zone.
    pub(crate) zone: TimeZone,
}

impl Habits {
    /// The number in a field, if it holds one.
    pub(crate) fn line(&self, text: Option<&str>) -> Line {
        text.map(|text| self.numbers.read(text)).unwrap_or_default()
    }

    /// The instant in a field, if it holds one.
    pub(crate) fn moment(&self, text: Option<&str>) -> Option<Moment> {
        time::moment(text?, &self.zone)
    }
}

/// A request that proved itself and tells nothing that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// Its form is broken.
    Malformed(String),
    /// Nothing says which call it is about.
    NoCall,
}

/// What there is to say to a phone system, while or after it tells us of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    pub(crate) door: Door,
    /// The ticket's reference as shown, when the call has a ticket.
    pub(crate) reference: Option<&'a str>,
    /// What to say to the caller, whole sentences with the number digit by digit; nothing when there is nothing to say.
    pub(crate) words: Option<&'a str>,
    pub(crate) language: Language,
    /// The caller is not to be served.
    pub(crate) reject: bool,
    /// Whether the caller may leave a message behind the words.
    pub(crate) record: bool,
    /// `https://desk.example.com/in/pbx`: where further events go.
    pub(crate) base: &'a str,
    /// The token of the path this request came by: to be put behind the addresses given, so that they work as well.
    pub(crate) token: Option<&'a str>,
    /// What was asked: body and query.
    pub(crate) asked: &'a Fields,
    pub(crate) query: &'a str,
}

impl Said<'_> {
    /// An address of ours with the token of this request, for the events that follow.
    pub(crate) fn address(&self, door: &str) -> String {
        match self.token {
            Some(token) => format!("{}/{door}/{token}", self.base),
            None => format!("{}/{door}", self.base),
        }
    }

    /// `fr-FR`, `en-US`: how speech engines name the language.
    pub(crate) fn voice(&self) -> &'static str {
        if self.language == Language::Fr { "fr-FR" } else { "en-US" }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) media_type: &'static str,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self { status: StatusCode::OK, media_type: "application/json", body: value.to_string() }
    }

    pub(crate) fn xml(body: String) -> Self {
        Self { status: StatusCode::OK, media_type: "text/xml; charset=utf-8", body }
    }

    /// 200 and nothing.
    pub(crate) fn empty() -> Self {
        Self { status: StatusCode::OK, media_type: "text/plain; charset=utf-8", body: String::new() }
    }
}

/// Text as it may stand in XML, between tags and in attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // What XML cannot hold, even escaped, and what would break a line.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The kinds there are, as `kind = "..."`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SystemName {
    /// Anything that can post JSON or a form, or get an address.
    #[default]
    Generic,
    /// Twilio, SignalWire, TeXML and what else speaks TwiML.
    Twilio,
    /// FreeSWITCH: json_cdr, xml_cdr, httapi.
    #[serde(rename = "freeswitch")]
    FreeSwitch,
    /// Asterisk, by the dialplan snippets that come with this program.
    Asterisk,
    /// sipgate.io.
    Sipgate,
    /// Placetel.
    Placetel,
    /// Ringover.
    Ringover,
    /// Aircall.
    Aircall,
    /// Vonage (Nexmo).
    Vonage,
    /// Telnyx.
    Telnyx,
    /// Plivo.
    Plivo,
    /// Kamailio and its kin, by their configuration.
    Kamailio,
}

impl SystemName {
    /// All of them, with the words of `kind`.
    pub(crate) const ALL: [(Self, &'static str); 12] = [
        (Self::Generic, "generic"),
        (Self::Twilio, "twilio"),
        (Self::FreeSwitch, "freeswitch"),
        (Self::Asterisk, "asterisk"),
        (Self::Sipgate, "sipgate"),
        (Self::Placetel, "placetel"),
        (Self::Ringover, "ringover"),
        (Self::Aircall, "aircall"),
        (Self::Vonage, "vonage"),
        (Self::Telnyx, "telnyx"),
        (Self::Plivo, "plivo"),
        (Self::Kamailio, "kamailio"),
    ];
}

/// Whether this is the public half of a key pair: PEM, or bare base64.
pub(crate) fn is_public_key(text: &str) -> bool {
    signing::public_key(text).is_some_and(|key| key.len() >= 32)
}

/// The kind of this name.
pub(crate) fn system(name: SystemName) -> &'static dyn System {
    match name {
        SystemName::Generic => &generic::Generic,
        SystemName::Twilio => &twilio::Twilio,
        SystemName::FreeSwitch => &freeswitch::FreeSwitch,
        SystemName::Asterisk => &asterisk::Asterisk,
        SystemName::Sipgate => &sipgate::Sipgate,
        SystemName::Placetel => &placetel::Placetel,
        SystemName::Ringover => &ringover::Ringover,
        SystemName::Aircall => &aircall::Aircall,
        SystemName::Vonage => &vonage::Vonage,
        SystemName::Telnyx => &telnyx::Telnyx,
        SystemName::Plivo => &plivo::Plivo,
        SystemName::Kamailio => &kamailio::Kamailio,
    }
}
