//! Ringover.
//!
//! Page: <https://developer.ringover.com/>; the shapes of its events stand in the tests of its webhook libraries.
//!
//! A request carries a signed token (JWT, HS512), one key for each kind of event. Its claims say nothing of the body: whoever
//! reads one request can send others with the same token. So it is no more than a password that is not sent as such, and covers
//! neither body nor address nor time; `exp`, where there is one, is kept to. Events carry how often they were sent (`attempt`).
//!
//! Call ids are larger than a floating-point number holds: they are read as text.

use data_encoding::BASE64;
use ring::hmac;

use super::{Habits, Reply, Said, System, Unusable, jwt};
use crate::event::{CallEvent, Direction, Disposition, Heard, Line, Recording, Stage};
use crate::fields::Fields;
use crate::request::{Denied, Request, Secrets, strip_scheme};

pub(crate) struct Ringover;

impl System for Ringover {
    fn verify(&self, request: &Request<'_>, secrets: &Secrets) -> Result<(), Denied> {
        if secrets.keys.is_empty() {
            return secrets.shown(request).or_else(|denied| api_key(request, secrets).ok_or(denied));
        }
        let token = request.header("x-ringover-webhook-signature").ok_or(Denied::Forbidden)?;
        let claims = jwt::claims(token, "HS512", hmac::HMAC_SHA512, &secrets.keys).ok_or(Denied::Forbidden)?;
        let is_over = claims.get("exp").is_some_and(|end| end.as_i64().is_none_or(|end| end < request.now.secs()));
        if is_over { Err(Denied::Forbidden) } else { Ok(()) }
    }

    fn parse(&self, _: &Request<'_>, fields: &Fields, habits: &Habits) -> Result<Vec<Heard>, Unusable> {
        let call_id = fields.of("data.call_id").ok_or(Unusable::NoCall)?.to_owned();
        let word = fields.of("event").unwrap_or_default();
        let (stage, disposition) = match word {
            "ringing" => (Stage::Ringing, None),
            "answered" => (Stage::Answered, None),
            // After an answer; whether there was one the other events tell.
            "hangup" => (Stage::Ended, None),
            "missed" => (Stage::Ended, Some(missed(fields.of("data.reason").unwrap_or_default()))),
            "voicemail" => (Stage::Ended, Some(Disposition::Voicemail)),
            "record_available" | "voicemail_available" => (Stage::Recording, None),
            "transcription_available" | "summary_available" => (Stage::Transcription, None),
            _ => return Ok(Vec::new()),
        };
        let mut event = CallEvent { call_id, stage, disposition, ..CallEvent::default() };
        event.direction = direction(fields);
        event.caller = match fields.of("data.is_anonymous") {
            Some("true") => Line { withheld: true, ..Line::default() },
            _ => habits.line(fields.of("data.from_number")),
        };
        event.callee = habits.line(fields.of("data.to_number"));
        event.by_agent = stage == Stage::Answered;
        event.agent = agent(fields).filter(|_| matches!(stage, Stage::Answered));
        event.queue = fields.get(&["data.ivr.name", "data.ivr_data.ivr_name"]).map(str::to_owned);
        event.started_at = habits.moment(fields.of("data.start_time"));
        let answered_at =
            fields.of("data.answered_time").or_else(|| fields.of("timestamp").filter(|_| word == "answered"));
        event.answered_at = habits.moment(answered_at);
        event.ended_at = habits.moment(fields.of("data.hangup_time"));
        event.duration_s = fields.of("data.duration_in_seconds").and_then(seconds);
        event.recording = recording(fields);
        if stage == Stage::Transcription {
            let text = ["data.transcription", "data.transcription_text", "data.text", "data.summary"];
            event.transcript = fields.get(&text).map(str::to_owned).or_else(|| speeches(fields));
        }
        Ok(vec![Heard::Call(Box::new(event))])
    }

    fn answer(&self, _: &Said<'_>) -> Reply {
        Reply::empty()
    }

    fn is_touchy(&self) -> bool {
        true
    }

    fn is_plusless(&self) -> bool {
        true
    }
}

/// Where a hook has a key of the API instead of a signature, it is shown in base64.
fn api_key(request: &Request<'_>, secrets: &Secrets) -> Option<()> {
    let shown = strip_scheme(request.header("authorization")?, "bearer ")?;
    let key = String::from_utf8(BASE64.decode(shown.as_bytes()).ok()?).ok()?;
    secrets.knows(&key).then_some(())
}

fn missed(reason: &str) -> Disposition {
    match reason {
        "BUSY" => Disposition::Busy,
        "ABANDONED" | "CANCEL" | "CANCELED" | "CANCELLED" => Disposition::Abandoned,
        "BLACKLISTED" | "BLOCKED" => Disposition::Blocked,
        _ => Disposition::Missed,
    }
}

fn direction(fields: &Fields) -> Option<Direction> {
    // `is_internal` is said of calls from outside as well: it means the number, not the caller.
    Some(match fields.of("data.direction")? {
        "inbound" | "in" | "IN" => Direction::In,
        "outbound" | "out" | "OUT" => Direction::Out,
        _ => return None,
    })
}

fn agent(fields: &Fields) -> Option<String> {
    let names = [fields.of("data.user.firstname"), fields.of("data.user.lastname")];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    if name.is_empty() { fields.of("data.user.email").map(str::to_owned) } else { Some(name) }
}

fn recording(fields: &Fields) -> Option<Recording> {
    let url = fields.get(&["data.record", "data.record_link", "data.voicemail", "data.voicemail_link"])?;
    let duration = fields.get(&["data.voicemail_duration", "data.record_duration"]);
    Some(Recording { url: url.to_owned(), duration_s: duration.and_then(seconds) })
}

/// A transcript that comes as what one said after the other.
fn speeches(fields: &Fields) -> Option<String> {
    let said = fields
        .pairs()
        .filter(|(name, _)| name.starts_with("data.speeches.") && name.rsplit('.').next() == Some("text"));
    let text: Vec<&str> = said.map(|(_, text)| text).collect();
    (!text.is_empty()).then(|| text.join("\n"))
}

fn seconds(text: &str) -> Option<u32> {
    text.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use guichet_domain::Moment;
    use serde_json::{Value, json};

    use super::super::probe::*;
    use super::*;
    use crate::request::Door;

    const URL: &str = "https://desk.example.com/in/pbx/events";
    const HEADER: &str = "x-ringover-webhook-signature";

    fn asked(claims: &Value) -> Asked {
        let token = jwt::made("HS512", hmac::HMAC_SHA512, "the key of ringing", claims);
        Asked::post(Door::Events, URL, "{}").with(HEADER, &token)
    }

    #[test]
    fn a_signed_token_is_bound_and_every_kind_of_event_has_a_key() {
        let secrets = keys(&["the key of answered", "the key of ringing"]);
        let asked = asked(&json!({"iat": NOW}));
        assert_bound(&Ringover, &secrets, &asked, &[Part::Header(HEADER)]);
        assert_eq!(asked.verified(&Ringover, &keys(&["another key"])), Err(Denied::Forbidden));
    }

    #[test]
    fn a_token_that_is_over_or_of_another_algorithm_is_refused() {
        let secrets = keys(&["the key of ringing"]);
        assert_eq!(asked(&json!({"exp": NOW})).verified(&Ringover, &secrets), Ok(()));
        for claims in [json!({"exp": NOW - 1}), json!({"exp": "never"})] {
            assert_eq!(asked(&claims).verified(&Ringover, &secrets), Err(Denied::Forbidden), "{claims}");
        }
        let weaker = jwt::made("HS256", hmac::HMAC_SHA256, "the key of ringing", &json!({"iat": NOW}));
        let weaker = Asked::post(Door::Events, URL, "{}").with(HEADER, &weaker);
        assert_eq!(weaker.verified(&Ringover, &secrets), Err(Denied::Forbidden));
    }

    #[test]
    fn a_key_of_the_api_may_be_shown_instead() {
        let secrets = tokens(&["api-key-of-ringover"]);
        let shown =
            |word: &str| Asked::post(Door::Events, URL, "{}").with("authorization", word).verified(&Ringover, &secrets);
        assert_eq!(shown(&format!("Bearer {}", BASE64.encode(b"api-key-of-ringover"))), Ok(()));
        assert_eq!(shown("Bearer api-key-of-ringover"), Ok(()));
        assert_eq!(shown(&format!("Bearer {}", BASE64.encode(b"api-key-of-nobody"))), Err(Denied::Forbidden));
    }

    fn data(more: &Value) -> Value {
        let mut data = json!({
            "call_id": 1_234_567_890_987_654_400_u64, "direction": "inbound", "from_number": "33601020304",
            "to_number": "33101020304", "is_internal": true, "is_anonymous": false, "start_time": 1_795_338_900.5,
        });
        for (name, value) in more.as_object().unwrap() {
            data[name] = value.clone();
        }
        data
    }

    fn heard(event: &str, more: &Value) -> CallEvent {
        let body = json!({"event": event, "timestamp": NOW, "data": data(more), "attempt": 2}).to_string();
        call(&Ringover, Door::Events, &body)
    }

    fn base(stage: Stage) -> CallEvent {
        CallEvent {
            call_id: "1234567890987654400".to_owned(),
            stage,
            direction: Some(Direction::In),
            caller: line("+33601020304"),
            callee: line("+33101020304"),
            started_at: Some(Moment::from_micros(1_795_338_900_500_000)),
            ..CallEvent::default()
        }
    }

    #[test]
    fn every_event_of_a_call_is_understood() {
        let end = json!({"hangup_time": NOW, "duration_in_seconds": 32, "record": "https://cdr.ringover.com/r.mp3"});
        let record = Recording { url: "https://cdr.ringover.com/r.mp3".to_owned(), duration_s: None };
        let ended = |disposition| CallEvent { disposition, ended_at: at(NOW), ..base(Stage::Ended) };
        let user = json!({"user": {"firstname": "Jean", "lastname": "D", "email": "jean@example.org"}});
        let voicemail = json!({"answered_time": NOW - 20, "hangup_time": NOW, "duration_in_seconds": 32});
        let missed = |reason: &str| json!({"hangup_time": NOW, "reason": reason});
        for (event, more, expected) in [
            ("ringing", json!({"ivr_data": {"ivr_name": "menu"}}), {
                CallEvent { queue: Some("menu".to_owned()), ..base(Stage::Ringing) }
            }),
            ("answered", user, {
                let agent = Some("Jean D".to_owned());
                CallEvent { by_agent: true, agent, answered_at: at(NOW), ..base(Stage::Answered) }
            }),
            ("hangup", end, CallEvent { duration_s: Some(32), recording: Some(record), ..ended(None) }),
            ("missed", missed("NO_ANSWER"), ended(Some(Disposition::Missed))),
            ("missed", missed("OUT_PLANNING"), ended(Some(Disposition::Missed))),
            ("missed", missed("BUSY"), ended(Some(Disposition::Busy))),
            ("missed", missed("ABANDONED"), ended(Some(Disposition::Abandoned))),
            ("missed", missed("BLACKLISTED"), ended(Some(Disposition::Blocked))),
            ("voicemail", voicemail, {
                let answered_at = at(NOW - 20);
                CallEvent { answered_at, duration_s: Some(32), ..ended(Some(Disposition::Voicemail)) }
            }),
        ] {
            assert_eq!(heard(event, &more), expected, "{event}");
        }
    }

    #[test]
    fn what_comes_after_a_call_knows_its_id_alone() {
        let after = |event: &str, data: Value| {
            let mut data = data;
            data["call_id"] = json!(1_234_567_890_987_654_400_u64);
            let body = json!({"event": event, "resource": "aftercall", "timestamp": NOW, "data": data}).to_string();
            call(&Ringover, Door::Events, &body)
        };
        let blank = |stage| CallEvent { call_id: "1234567890987654400".to_owned(), stage, ..CallEvent::default() };
        let recorded = |url: &str, duration_s| CallEvent {
            recording: Some(Recording { url: url.to_owned(), duration_s }),
            ..blank(Stage::Recording)
        };
        let said = |text: &str| CallEvent { transcript: Some(text.to_owned()), ..blank(Stage::Transcription) };
        for (event, data, expected) in [
            ("record_available", json!({"record_link": "https://a/r.mp3"}), recorded("https://a/r.mp3", None)),
            (
                "voicemail_available",
                json!({"voicemail_link": "https://a/v.mp3", "voicemail_duration": "30"}),
                recorded("https://a/v.mp3", Some(30)),
            ),
            ("transcription_available", json!({"transcription": "Bonjour"}), said("Bonjour")),
            (
                "transcription_available",
                json!({"speeches": [{"text": "Oui ?"}, {"text": "Bonjour"}]}),
                said("Oui ?\nBonjour"),
            ),
            ("summary_available", json!({"summary": "Une panne"}), said("Une panne")),
        ] {
            assert_eq!(after(event, data), expected, "{event}");
        }
    }

    #[test]
    fn whoever_is_anonymous_is_withheld_whatever_number_is_given() {
        assert_eq!(heard("missed", &json!({"is_anonymous": true})).caller, withheld());
        assert_eq!(heard("missed", &json!({"from_number": "anonymous"})).caller, withheld());
    }

    #[test]
    fn what_tells_of_no_call_is_unusable_and_kept_aside_in_silence() {
        assert_unusable(
            &Ringover,
            &["", "{", r#"{"event":"ringing","data":{}}"#, r#"{"event":"ringing","data":null}"#],
        );
        assert_means_nothing(&Ringover, &[r#"{"event":"sms_received","data":{"call_id":1}}"#]);
        assert!(Ringover.is_touchy());
        assert_eq!(answered(&Ringover, Door::Voice, "", |_| {}), Reply::empty());
    }
}
