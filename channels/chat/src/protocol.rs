//! The frames of `guichet.v1`. Their meaning is in `docs/CHAT-PROTOCOL.md`, their form also in
//! `protocol/guichet.v1.schema.json`.

use std::collections::BTreeMap;

use guichet_contract::{Hours, Standing};
use guichet_domain::ids::Seq;
use guichet_domain::ticket::State;
use guichet_domain::{Moment, ids::MessageId};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::trouble::{Code, Trouble};

/// The version spoken here.
pub(crate) const VERSION: i64 = 1;
/// The WebSocket subprotocol.
pub(crate) const SUBPROTOCOL: &str = "guichet.v1";
/// Largest frame of a client, and largest body of frames, in bytes.
pub(crate) const MAX_FRAME: usize = 64 << 10;
/// Most frames in one body.
pub(crate) const MAX_FRAMES: usize = 20;
/// Most conversations in a welcome, and most cursors.
pub(crate) const MAX_CONVERSATIONS: usize = 20;
/// Most entries of one answer to `sync`.
pub(crate) const MAX_SYNC: i64 = 200;

/// A frame of a client.
#[derive(Debug)]
pub(crate) enum Asked {
    Hello(Box<Hello>),
    Msg(Box<Msg>),
    Typing(Typing),
    Read(Read),
    Sync(Sync),
    Rate(Rate),
    Close(Plain),
    Reopen(Plain),
    Transcript(Plain),
    Contact(Contact),
    Identify(Identify),
    Logout,
    Ping(Ping),
}

#[derive(Debug, Deserialize)]
pub(crate) struct Hello {
    #[serde(default)]
    pub(crate) v: Value,
    #[serde(default)]
    pub(crate) token: String,
    pub(crate) identity: Option<String>,
    #[serde(default)]
    pub(crate) cursors: BTreeMap<String, i64>,
    pub(crate) lang: Option<String>,
    pub(crate) tz: Option<String>,
    pub(crate) page: Option<Page>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Page {
    pub(crate) url: Option<String>,
    pub(crate) title: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Msg {
    #[serde(deserialize_with = "uuid")]
    pub(crate) cid: Uuid,
    #[serde(default, deserialize_with = "maybe_uuid")]
    pub(crate) conv: Option<Uuid>,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) files: Vec<String>,
    #[serde(default)]
    pub(crate) form: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Typing {
    #[serde(deserialize_with = "uuid")]
    pub(crate) conv: Uuid,
    pub(crate) on: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Read {
    #[serde(deserialize_with = "uuid")]
    pub(crate) conv: Uuid,
    pub(crate) upto: i64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sync {
    #[serde(deserialize_with = "uuid")]
    pub(crate) conv: Uuid,
    pub(crate) after: Option<i64>,
    pub(crate) before: Option<i64>,
    pub(crate) limit: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Rate {
    #[serde(flatten)]
    pub(crate) plain: Plain,
    pub(crate) score: u8,
    pub(crate) text: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Plain {
    #[serde(deserialize_with = "uuid")]
    pub(crate) cid: Uuid,
    #[serde(deserialize_with = "uuid")]
    pub(crate) conv: Uuid,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Contact {
    #[serde(flatten)]
    pub(crate) plain: Plain,
    pub(crate) email: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Identify {
    pub(crate) jwt: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Ping {
    pub(crate) t: Option<i64>,
}

/// Reads one frame; what is wrong with it carries its `cid` and `conv`, as far as they could be read.
pub(crate) fn read(value: Value) -> Result<Asked, Trouble> {
    let Some(kind) = value.get("type").and_then(Value::as_str).map(str::to_owned) else {
        let what = if value.is_object() { "`type` is missing" } else { "a frame is a JSON object" };
        return Err(Trouble::bad_frame(what));
    };
    let named = |field: &str| value.get(field).and_then(Value::as_str).and_then(|text| canonical(text).ok());
    let (cid, conv) = (named("cid"), named("conv"));
    let asked = match kind.as_str() {
        "hello" => take(value).map(|hello| Asked::Hello(Box::new(hello))),
        "msg" => take(value).map(|msg| Asked::Msg(Box::new(msg))),
        "typing" => take(value).map(Asked::Typing),
        "read" => take(value).map(Asked::Read),
        "sync" => take(value).map(Asked::Sync),
        "rate" => take(value).map(Asked::Rate),
        "close" => take(value).map(Asked::Close),
        "reopen" => take(value).map(Asked::Reopen),
        "transcript" => take(value).map(Asked::Transcript),
        "contact" => take(value).map(Asked::Contact),
        "identify" => take(value).map(Asked::Identify),
        "logout" => Ok(Asked::Logout),
        "ping" => take(value).map(Asked::Ping),
        _ => Err(Trouble::new(Code::UnknownType)),
    };
    asked.map_err(|trouble| trouble.about(cid, conv))
}

/// Reads one frame out of its bytes.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Trouble> {
    serde_json::from_slice(bytes).map_err(|_| Trouble::bad_frame("a frame is a JSON object"))
}

fn take<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Trouble> {
    T::deserialize(value).map_err(|error| Trouble::bad_frame(&error.to_string()))
}

/// A UUID in the one form in which it is compared.
fn canonical(text: &str) -> Result<Uuid, &'static str> {
    let uuid = Uuid::parse_str(text).map_err(|_| "a UUID in lower case with dashes is wanted")?;
    if uuid.to_string() == text { Ok(uuid) } else { Err("a UUID in lower case with dashes is wanted") }
}

fn uuid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    canonical(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn maybe_uuid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uuid>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| canonical(&text)).transpose().map_err(D::Error::custom)
}

/// A cursor's conversation, where it is one.
pub(crate) fn cursors<'a>(named: impl Iterator<Item = (&'a str, i64)>) -> BTreeMap<Uuid, Seq> {
    let known = named.filter_map(|(conv, seq)| Some((canonical(conv).ok()?, Seq(seq.max(0)))));
    known.take(MAX_CONVERSATIONS).collect()
}

/// A frame of the server.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Said {
    Welcome(Box<Welcome>),
    Ack {
        cid: Uuid,
        conv: Uuid,
        ticket: String,
        seq: Seq,
        at: Moment,
        dup: bool,
    },
    Done {
        cid: Uuid,
        conv: Uuid,
        dup: bool,
    },
    Event(Box<Event>),
    Synced {
        conv: Uuid,
        from: Seq,
        upto: Seq,
        more: bool,
    },
    Conv(Box<Summary>),
    Typing {
        conv: Uuid,
        from: From,
        on: bool,
        ttl_ms: u32,
    },
    Read {
        conv: Uuid,
        upto: Seq,
    },
    Presence {
        conv: Uuid,
        name: String,
        on: bool,
        ttl_ms: u32,
    },
    Desk(Desk),
    Error(Box<Trouble>),
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        t: Option<i64>,
    },
}

#[derive(Debug, Serialize)]
pub(crate) struct Welcome {
    pub(crate) v: i64,
    pub(crate) verified: bool,
    pub(crate) resumed: bool,
    pub(crate) heartbeat_ms: u64,
    pub(crate) limits: Limits,
    pub(crate) desk: Desk,
    pub(crate) convs: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Limits {
    pub(crate) text: usize,
    pub(crate) files: usize,
    pub(crate) file_bytes: u64,
    pub(crate) types: Vec<&'static str>,
    pub(crate) frame: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Desk {
    pub(crate) open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_open_at: Option<Moment>,
    pub(crate) tz: String,
}

impl std::convert::From<Hours> for Desk {
    fn from(hours: Hours) -> Self {
        Self { open: hours.open, next_open_at: hours.next_open_at, tz: hours.zone }
    }
}

/// Where a conversation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    pub(crate) conv: Uuid,
    pub(crate) ticket: String,
    pub(crate) status: State,
    pub(crate) last_seq: Seq,
    pub(crate) read_upto: Seq,
    pub(crate) seen_upto: Seq,
    pub(crate) unread: i64,
    pub(crate) ask_rating: bool,
    pub(crate) has_contact: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) promised_at: Option<Moment>,
}

impl Summary {
    /// All of it but what is unread, which takes a look at the timeline.
    pub(crate) fn of(conv: Uuid, standing: &Standing) -> Self {
        Self {
            conv,
            ticket: standing.reference.clone(),
            status: standing.state,
            last_seq: standing.last_seq,
            read_upto: standing.read_upto,
            seen_upto: standing.seen_upto,
            unread: 0,
            ask_rating: standing.state == State::Resolved && !standing.rated,
            has_contact: standing.has_contact,
            promised_at: standing.promised_at,
        }
    }

    /// Whether something has changed since `before` that no entry tells.
    pub(crate) fn differs(&self, before: &Self) -> bool {
        let bare = |summary: &Self| Self { last_seq: Seq(0), unread: 0, ..summary.clone() };
        bare(self) != bare(before)
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Event {
    pub(crate) conv: Uuid,
    pub(crate) seq: Seq,
    pub(crate) id: MessageId,
    pub(crate) at: Moment,
    pub(crate) kind: &'static str,
    pub(crate) from: From,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) html: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cid: Option<Uuid>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) cut: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct From {
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) media_type: String,
    pub(crate) size: u64,
    pub(crate) url: String,
    pub(crate) expires_at: Moment,
}

impl Said {
    /// The frame as it is sent.
    pub(crate) fn text(&self) -> Box<str> {
        // Nothing in it can fail to be written: no map has keys that are no strings, and nothing is borrowed twice.
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(frame: Value) -> String {
        let trouble = read(frame).unwrap_err();
        format!("{} {}", trouble.code.as_str(), trouble.message)
    }

    #[test]
    fn what_is_wrong_with_a_frame_is_named() {
        let cid = "0a3cbb2e-9a0f-4b2f-9d0e-0c8a5b1f2d11";
        for (frame, words) in [
            (json!([]), "bad_frame a frame is a JSON object"),
            (json!({}), "bad_frame `type` is missing"),
            (json!({"type": 7}), "bad_frame `type` is missing"),
            (json!({"type": "dance"}), "unknown_type "),
            (json!({"type": "msg", "text": "x"}), "bad_frame missing field `cid`"),
            (json!({"type": "msg", "cid": cid}), "bad_frame missing field `text`"),
            (json!({"type": "msg", "cid": cid.to_uppercase(), "text": "x"}), "bad_frame a UUID in lower case"),
            (json!({"type": "msg", "cid": cid, "conv": 7, "text": "x"}), "bad_frame invalid type: integer `7`"),
            (json!({"type": "rate", "cid": cid, "conv": cid, "score": "5"}), "bad_frame invalid type: string"),
            (json!({"type": "rate", "cid": cid, "conv": cid, "score": 500}), "bad_frame invalid value: integer `500`"),
        ] {
            let said = refused(frame);
            assert!(said.starts_with(words), "{said}");
        }
    }

    #[test]
    fn an_error_speaks_of_the_frame_it_is_about() {
        let cid = "0a3cbb2e-9a0f-4b2f-9d0e-0c8a5b1f2d11";
        let trouble = read(json!({"type": "msg", "cid": cid, "conv": cid})).unwrap_err();
        assert_eq!((trouble.cid, trouble.conv), (Some(cid.parse().unwrap()), Some(cid.parse().unwrap())));
    }

    #[test]
    fn fields_nobody_knows_are_passed_over() {
        let frame = json!({"type": "ping", "t": 7, "colour": {"of": ["the", "sky"]}});
        assert!(matches!(read(frame), Ok(Asked::Ping(Ping { t: Some(7) }))));
    }
}
