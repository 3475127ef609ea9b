//! What the tests of the kinds share: requests made by hand, and the same with one byte of them changed.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use guichet_contract::Secret;
use guichet_domain::Moment;
use guichet_domain::language::Language;
use jiff::tz::TimeZone;
use rlibphonenumber::Region;

use super::{Habits, Reply, Said, System, Unusable};
use crate::event::{CallEvent, Heard, Line};
use crate::fields::Fields;
use crate::number::Numbers;
use crate::request::{Denied, Door, Request, Secrets};

/// The instant at which the tests' requests come: Sunday, 22 November 2026, 09:15:42 UTC.
pub(super) const NOW: i64 = 1_795_338_942;

/// A request.
#[derive(Clone)]
pub(super) struct Asked {
    door: Door,
    method: &'static str,
    headers: HeaderMap,
    url: String,
    body: Vec<u8>,
    now: Moment,
}

/// What a byte of is changed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    Url,
    Body,
    Header(&'a str),
}

impl Asked {
    pub(super) fn post(door: Door, url: &str, body: &str) -> Self {
        let (headers, url, body) = (HeaderMap::new(), url.to_owned(), body.as_bytes().to_vec());
        Self { door, method: "POST", headers, url, body, now: Moment::from_secs(NOW) }
    }

    pub(super) fn get(door: Door, url: &str) -> Self {
        Self { method: "GET", ..Self::post(door, url, "") }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        self
    }

    pub(super) fn body(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self
    }

    pub(super) fn at(mut self, secs: i64) -> Self {
        self.now = Moment::from_secs(secs);
        self
    }

    fn request<T>(&self, then: impl FnOnce(&Request<'_>) -> T) -> T {
        let query = self.url.split_once('?').map_or("", |(_, query)| query);
        then(&Request {
            door: self.door,
            method: self.method,
            token: None,
            headers: &self.headers,
            query,
            body: &self.body,
            url: &self.url,
            now: self.now,
        })
    }

    pub(super) fn verified(&self, system: &dyn System, secrets: &Secrets) -> Result<(), Denied> {
        self.request(|request| system.verify(request, secrets))
    }

    pub(super) fn heard(&self, system: &dyn System, habits: &Habits) -> Result<Vec<Heard>, Unusable> {
        self.request(|request| {
            let fields = if request.body.is_empty() { Fields::form(request.query) } else { Fields::read(request.body) };
            let fields = fields.map_err(|unreadable| Unusable::Malformed(unreadable.0))?;
            system.parse(request, &fields, habits)
        })
    }

    /// The same request with each byte of one part of it changed in turn.
    pub(super) fn flips(&self, part: Part<'_>) -> Vec<(usize, Self)> {
        let bytes = match part {
            Part::Url => self.url.as_bytes(),
            Part::Body => &self.body,
            Part::Header(name) => self.headers.get(name).unwrap().as_bytes(),
        };
        let flipped = |at: usize| {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 1;
            let mut asked = self.clone();
            match part {
                Part::Url => asked.url = String::from_utf8(bytes).unwrap(),
                Part::Body => asked.body = bytes,
                Part::Header(name) => {
                    asked.headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(&bytes).unwrap());
                }
            }
            (at, asked)
        };
        (0..bytes.len()).map(flipped).collect()
    }
}

/// That `asked` is believed, and not with any byte of `parts` changed, nor without a header among them.
pub(super) fn assert_bound(system: &dyn System, secrets: &Secrets, asked: &Asked, parts: &[Part<'_>]) {
    assert_eq!(asked.verified(system, secrets), Ok(()), "the request as it is");
    for part in parts {
        for (at, changed) in asked.flips(*part) {
            assert!(changed.verified(system, secrets).is_err(), "byte {at} of {part:?}");
        }
        if let Part::Header(name) = part {
            let mut without = asked.clone();
            without.headers.remove(*name);
            assert!(without.verified(system, secrets).is_err(), "without {name}");
        }
    }
}

pub(super) fn keys(keys: &[&str]) -> Secrets {
    Secrets::new(&[], keys.iter().copied().map(Secret::new).collect(), Vec::new())
}

pub(super) fn tokens(tokens: &[&str]) -> Secrets {
    Secrets::new(&tokens.iter().map(|&token| token.to_owned()).collect::<Vec<_>>(), Vec::new(), Vec::new())
}

/// Habits of a source in this country, whose local time is of Paris.
pub(super) fn habits(system: &dyn System, country: Region) -> Habits {
    let numbers = Numbers { country, plusless: system.is_plusless() };
    Habits { numbers, zone: TimeZone::get("Europe/Paris").unwrap() }
}

/// The one event of a call that a French source tells with this body.
pub(super) fn call(system: &dyn System, door: Door, body: &str) -> CallEvent {
    let asked = Asked::post(door, "https://desk.example.com/in/pbx/events", body);
    one_call(&asked.heard(system, &habits(system, Region::FR)), body)
}

/// The one event in what was heard.
pub(super) fn one_call(heard: &Result<Vec<Heard>, Unusable>, of: &str) -> CallEvent {
    match heard.as_deref() {
        Ok([Heard::Call(event)]) => (**event).clone(),
        other => panic!("{of}: {other:?}"),
    }
}

/// That none of `bodies` gives an event, and whether as broken (`Some`) or as of no call (`None`).
pub(super) fn assert_unusable(system: &dyn System, bodies: &[&str]) {
    for body in bodies {
        let asked = Asked::post(Door::Events, "https://desk.example.com/in/pbx/events", body);
        assert!(asked.heard(system, &habits(system, Region::FR)).is_err(), "{body}");
    }
}

/// That each of `bodies` is understood and tells nothing.
pub(super) fn assert_means_nothing(system: &dyn System, bodies: &[&str]) {
    for body in bodies {
        let asked = Asked::post(Door::Events, "https://desk.example.com/in/pbx/events", body);
        assert_eq!(asked.heard(system, &habits(system, Region::FR)), Ok(Vec::new()), "{body}");
    }
}

/// What is answered at a door, in French.
pub(super) fn answered(system: &dyn System, door: Door, query: &str, change: impl FnOnce(&mut Said<'_>)) -> Reply {
    let asked = Fields::default();
    let mut said = Said { door, query, ..said(&asked) };
    change(&mut said);
    system.answer(&said)
}

/// What there is to say to a caller who asked this, in French.
pub(super) fn said(asked: &Fields) -> Said<'_> {
    Said {
        door: Door::Events,
        reference: Some("GT-482-109-3755"),
        words: Some("Numéro <4 8 2>."),
        language: Language::Fr,
        reject: false,
        record: false,
        base: "https://desk.example.com/in/pbx",
        token: None,
        asked,
        query: "",
    }
}

pub(super) fn line(number: &str) -> Line {
    Line { number: Some(number.to_owned()), ..Line::default() }
}

pub(super) fn extension(raw: &str) -> Line {
    Line { raw: Some(raw.to_owned()), ..Line::default() }
}

pub(super) fn withheld() -> Line {
    Line { withheld: true, ..Line::default() }
}

#[expect(clippy::unnecessary_wraps, reason = "as the fields of an event have it")]
pub(super) fn at(secs: i64) -> Option<Moment> {
    Some(Moment::from_secs(secs))
}
