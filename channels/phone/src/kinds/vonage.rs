//! Vonage (Nexmo) Voice API.
//!
//! Pages: <https://developer.vonage.com/en/voice/voice-api/webhook-reference>,
//! <https://developer.vonage.com/en/getting-started/concepts/webhooks>.
//!
//! A request carries a signed token (JWT, HS256) with the hash of what it tells: of its body, or of its query as JSON. Not
//! covered: the address's path and the other headers. Its time is (`iat`), so that it is believed for five minutes.
//!
//! A call has two names: `uuid`, and `conversation_uuid`, which it shares with the calls it is connected to and which is all that
//! recordings know. What is told of a call that goes out from one is whether somebody took it.

use ring::hmac;
use serde_json::{Value, json};

use super::signing::is_hash_of;
use super::{Habits, Reply, Said, System, Unusable, jwt};
use crate::event::{CallEvent, Direction, Disposition, Heard, Recording, Stage};
use crate::fields::Fields;
use crate::request::{Denied, Door, Request, Secrets};

pub(crate) struct Vonage;

impl System for Vonage {
    fn verify(&self, request: &Request<'_>, secrets: &Secrets) -> Result<(), Denied> {
        if secrets.keys.is_empty() {
            return secrets.shown(request);
        }
        let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let claims = token.and_then(|token| jwt::claims(token, "HS256", hmac::HMAC_SHA256, &secrets.keys));
        let claims = claims.ok_or(Denied::Forbidden)?;
        let is_fresh = claims.get("iat").and_then(Value::as_i64).is_some_and(|secs| request.is_fresh(secs));
        let hash = claims.get("payload_hash").and_then(Value::as_str).unwrap_or_default();
        let is_bound = if request.body.is_empty() {
            is_hash_of(hash, asked(request.query).as_bytes())
        } else {
            // What stands in the address beside a body is not signed; `parse` does not look at it.
            is_hash_of(hash, request.body)
        };
        if is_fresh && is_bound { Ok(()) } else { Err(Denied::Forbidden) }
    }

    fn parse(&self, _: &Request<'_>, fields: &Fields, habits: &Habits) -> Result<Vec<Heard>, Unusable> {
        let conversation = fields.of("conversation_uuid").map(str::to_owned);
        let call_id = fields.of("uuid").unwrap_or_default().to_owned();
        if call_id.is_empty() && conversation.is_none() {
            return Err(Unusable::NoCall);
        }
        let mut event = CallEvent {
            call_id,
            also: conversation,
            direction: direction(fields),
            digits: fields.get(&["dtmf.digits", "dtmf"]).map(str::to_owned),
            ..CallEvent::default()
        };
        if let Some(url) = fields.of("recording_url") {
            event.stage = Stage::Recording;
            event.recording = Some(Recording { url: url.to_owned(), duration_s: None });
        } else if event.direction == Some(Direction::Out) {
            let is_taken = fields.of("status") == Some("answered");
            event.by_agent = is_taken;
            event.stage = if is_taken { Stage::Answered } else { Stage::Unknown };
        } else {
            event.caller = habits.line(fields.get(&["from", "from_user"]));
            event.callee = habits.line(fields.of("to"));
            status(fields, habits, &mut event);
        }
        Ok(vec![Heard::Call(Box::new(event))])
    }

    fn answer(&self, said: &Said<'_>) -> Reply {
        if said.door != Door::Voice {
            return Reply::empty();
        }
        let mut steps = Vec::new();
        // No steps end the call.
        if let Some(words) = said.words.filter(|_| !said.reject) {
            steps.push(json!({"action": "talk", "text": words, "language": said.voice()}));
            if said.record {
                let event_url = [said.address("recording")];
                steps.push(json!({
                    "action": "record", "eventUrl": event_url, "beepStart": true, "endOnSilence": 5, "timeOut": 120,
                }));
            }
        }
        Reply::json(&steps.into())
    }

    fn is_plusless(&self) -> bool {
        true
    }
}

/// A query as it is hashed: one JSON object, in its order.
fn asked(query: &str) -> String {
    let Ok(fields) = Fields::form(query) else { return String::new() };
    let text = |text: &str| Value::from(text).to_string();
    let pairs: Vec<String> = fields.pairs().map(|(name, value)| format!("{}:{}", text(name), text(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

fn direction(fields: &Fields) -> Option<Direction> {
    Some(match fields.of("direction")? {
        "inbound" => Direction::In,
        "outbound" => Direction::Out,
        _ => return None,
    })
}

fn status(fields: &Fields, habits: &Habits, event: &mut CallEvent) {
    let moment = |name: &str| habits.moment(fields.of(name));
    let Some(word) = fields.of("status") else {
        // The request for instructions has none.
        let asks = fields.of("from").is_some() && fields.of("to").is_some() && event.digits.is_none();
        event.stage = if asks { Stage::Ringing } else { Stage::Unknown };
        return;
    };
    (event.stage, event.disposition) = match word {
        "started" | "ringing" => (Stage::Ringing, None),
        // By our instructions, not by a person.
        "answered" => (Stage::Answered, None),
        "completed" => (Stage::Ended, Some(Disposition::Answered)),
        "busy" => (Stage::Ended, Some(Disposition::Busy)),
        "cancelled" => (Stage::Ended, Some(Disposition::Abandoned)),
        "unanswered" | "timeout" | "rejected" => (Stage::Ended, Some(Disposition::Missed)),
        "failed" => (Stage::Ended, Some(Disposition::Failed)),
        "disconnected" => (Stage::Ended, None),
        _ => (Stage::Unknown, None),
    };
    match event.stage {
        Stage::Ringing => event.started_at = moment("timestamp"),
        // A call's start is the start of talking here.
        Stage::Answered => event.answered_at = moment("start_time").or_else(|| moment("timestamp")),
        Stage::Ended => {
            event.answered_at = moment("start_time");
            event.ended_at = moment("end_time").or_else(|| moment("timestamp"));
            event.duration_s = fields.of("duration").and_then(|secs| secs.parse().ok());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use ring::digest;

    use super::super::probe::*;
    use super::*;
    use crate::event::Line;

    const URL: &str = "https://desk.example.com/in/pbx/events";
    const KEY: &str = "our signature secret of 32 bytes";

    fn token(payload: &str, iat: i64) -> String {
        let hash = HEXLOWER.encode(digest::digest(&digest::SHA256, payload.as_bytes()).as_ref());
        let claims = json!({"iat": iat, "jti": "j", "api_key": "k", "payload_hash": hash});
        format!("Bearer {}", jwt::made("HS256", hmac::HMAC_SHA256, KEY, &claims))
    }

    #[test]
    fn a_signed_body_is_bound_and_the_key_may_be_changed() {
        let body = r#"{"uuid":"u-1","status":"completed"}"#;
        let asked = Asked::post(Door::Events, URL, body).with("authorization", &token(body, NOW));
        let secrets = keys(&["an older secret", KEY]);
        assert_bound(&Vonage, &secrets, &asked, &[Part::Body, Part::Header("authorization")]);
        assert_eq!(asked.verified(&Vonage, &keys(&["another secret"])), Err(Denied::Forbidden));
    }

    #[test]
    fn a_signed_query_is_bound() {
        let query = "to=442079460000&from=447700900000&conversation_uuid=CON-1&uuid=u-1&name=l%27%C3%A9cran+%22";
        let payload = r#"{"to":"442079460000","from":"447700900000","conversation_uuid":"CON-1","uuid":"u-1","name":"l'écran \""}"#;
        let url = format!("{URL}?{query}");
        let asked = Asked::get(Door::Voice, &url).with("authorization", &token(payload, NOW));
        assert_eq!(asked.verified(&Vonage, &keys(&[KEY])), Ok(()));
        for (at, changed) in asked.flips(Part::Url).into_iter().skip(URL.len() + 1) {
            assert_eq!(changed.verified(&Vonage, &keys(&[KEY])), Err(Denied::Forbidden), "byte {at}");
        }
        // A body beside a signed query is not what was signed.
        assert_eq!(asked.body("{}").verified(&Vonage, &keys(&[KEY])), Err(Denied::Forbidden));
    }

    #[test]
    fn a_request_is_believed_for_five_minutes() {
        let body = r#"{"uuid":"u-1"}"#;
        let asked = Asked::post(Door::Events, URL, body).with("authorization", &token(body, NOW));
        for (secs, expected) in
            [(300, Ok(())), (-300, Ok(())), (301, Err(Denied::Forbidden)), (-301, Err(Denied::Forbidden))]
        {
            assert_eq!(asked.clone().at(NOW + secs).verified(&Vonage, &keys(&[KEY])), expected, "{secs} s later");
        }
    }

    #[test]
    fn a_token_that_binds_nothing_is_refused() {
        for claims in [json!({"iat": NOW}), json!({"payload_hash": "", "iat": NOW}), json!({"payload_hash": "00"})] {
            let token = format!("Bearer {}", jwt::made("HS256", hmac::HMAC_SHA256, KEY, &claims));
            let asked = Asked::post(Door::Events, URL, r#"{"uuid":"u-1"}"#).with("authorization", &token);
            assert_eq!(asked.verified(&Vonage, &keys(&[KEY])), Err(Denied::Forbidden), "{claims}");
        }
    }

    fn base(stage: Stage) -> CallEvent {
        CallEvent {
            call_id: "u-1".to_owned(),
            also: Some("CON-1".to_owned()),
            stage,
            direction: Some(Direction::In),
            caller: line("+33612345678"),
            callee: line("+33140000001"),
            ..CallEvent::default()
        }
    }

    #[test]
    fn every_state_of_a_call_is_understood() {
        let said = at(NOW);
        let ended = |disposition| CallEvent { disposition, ended_at: said, ..base(Stage::Ended) };
        for (status, expected) in [
            ("started", CallEvent { started_at: said, ..base(Stage::Ringing) }),
            ("ringing", CallEvent { started_at: said, ..base(Stage::Ringing) }),
            ("answered", CallEvent { answered_at: said, ..base(Stage::Answered) }),
            ("busy", ended(Some(Disposition::Busy))),
            ("cancelled", ended(Some(Disposition::Abandoned))),
            ("unanswered", ended(Some(Disposition::Missed))),
            ("timeout", ended(Some(Disposition::Missed))),
            ("rejected", ended(Some(Disposition::Missed))),
            ("failed", ended(Some(Disposition::Failed))),
            ("disconnected", ended(None)),
            ("machine", base(Stage::Unknown)),
        ] {
            let body = json!({
                "from": "33612345678", "to": "33140000001", "uuid": "u-1", "conversation_uuid": "CON-1",
                "status": status, "direction": "inbound", "timestamp": "2026-11-22T09:15:42.000Z",
            });
            assert_eq!(call(&Vonage, Door::Events, &body.to_string()), expected, "{status}");
        }
        let body = json!({
            "from": "33612345678", "to": "33140000001", "uuid": "u-1", "conversation_uuid": "CON-1", "direction": "inbound",
            "status": "completed", "start_time": "2026-11-22T09:15:00.000Z", "end_time": "2026-11-22T09:15:42.000Z",
            "duration": "42", "timestamp": "2026-11-22T09:15:42.511Z",
        });
        let completed =
            CallEvent { answered_at: at(NOW - 42), duration_s: Some(42), ..ended(Some(Disposition::Answered)) };
        assert_eq!(call(&Vonage, Door::Events, &body.to_string()), completed);
    }

    #[test]
    fn whoever_takes_a_call_that_goes_out_of_ours_is_an_agent() {
        let leg = |status: &str| {
            let body = json!({
                "from": "33140000001", "to": "33699999999", "uuid": "u-2", "conversation_uuid": "CON-1",
                "status": status, "direction": "outbound", "timestamp": "2026-11-22T09:15:42.000Z",
            });
            call(&Vonage, Door::Events, &body.to_string())
        };
        let of_leg = |stage, by_agent| CallEvent {
            call_id: "u-2".to_owned(),
            direction: Some(Direction::Out),
            caller: Line::default(),
            callee: Line::default(),
            by_agent,
            ..base(stage)
        };
        assert_eq!(leg("answered"), of_leg(Stage::Answered, true));
        // That one of several phones is busy does not end the call.
        assert_eq!(leg("busy"), of_leg(Stage::Unknown, false));
    }

    #[test]
    fn a_request_for_instructions_rings_and_a_recording_knows_the_conversation_alone() {
        let url = format!("{URL}?to=33140000001&from=33612345678&conversation_uuid=CON-1&uuid=u-1");
        let heard = Asked::get(Door::Voice, &url).heard(&Vonage, &habits(&Vonage, rlibphonenumber::Region::FR));
        assert_eq!(one_call(&heard, &url), CallEvent { direction: None, ..base(Stage::Ringing) });
        let body = r#"{"recording_url":"https://api.nexmo.com/v1/files/f","conversation_uuid":"CON-1","size":12}"#;
        let recording = Some(Recording { url: "https://api.nexmo.com/v1/files/f".to_owned(), duration_s: None });
        let blank = CallEvent { also: Some("CON-1".to_owned()), ..CallEvent::default() };
        let expected = CallEvent { stage: Stage::Recording, recording, ..blank.clone() };
        assert_eq!(call(&Vonage, Door::Recording, body), expected);
        let keys = r#"{"dtmf":{"digits":"12"},"conversation_uuid":"CON-1"}"#;
        assert_eq!(call(&Vonage, Door::Events, keys), CallEvent { digits: Some("12".to_owned()), ..blank });
        let anonymous = r#"{"from":"anonymous","to":"33140000001","uuid":"u-1"}"#;
        assert_eq!(call(&Vonage, Door::Voice, anonymous).caller, withheld());
    }

    #[test]
    fn what_tells_of_no_call_is_unusable() {
        assert_unusable(&Vonage, &["", "{", "{}", r#"{"status":"ringing","from":"33612345678"}"#]);
    }

    #[test]
    fn callers_hear_their_number_and_may_leave_a_message() {
        let body = |change: fn(&mut Said<'_>)| answered(&Vonage, Door::Voice, "", change).body;
        let talk = r#"{"action":"talk","language":"fr-FR","text":"Numéro <4 8 2>."}"#;
        assert_eq!(body(|_| {}), format!("[{talk}]"));
        let record = concat!(
            r#"{"action":"record","beepStart":true,"endOnSilence":5,"#,
            r#""eventUrl":["https://desk.example.com/in/pbx/recording"],"timeOut":120}"#
        );
        assert_eq!(body(|said| said.record = true), format!("[{talk},{record}]"));
        assert_eq!(body(|said| said.reject = true), "[]");
        assert_eq!(answered(&Vonage, Door::Events, "", |_| {}), Reply::empty());
    }
}
