//! Telnyx: Voice API (v2) events, and TeXML, which speaks Twilio's dialect.
//!
//! Pages: <https://developers.telnyx.com/docs/voice/programmable-voice/voice-api-webhooks>,
//! <https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks>.
//!
//! A request's time and body are signed (Ed25519); it is believed for five minutes. Not covered: the address and the other
//! headers. What stands in the address is not read.
//!
//! All legs of a call are one session, and only some events say which way their leg goes: that a phone of ours did not answer may
//! look like the end of the call until the next event of the session corrects it.

use data_encoding::BASE64;
use ring::signature::{ED25519, UnparsedPublicKey};

use super::signing::public_key;
use super::{Habits, Reply, Said, System, Unusable, twilio};
use crate::event::{CallEvent, Direction, Disposition, Heard, Recording, Stage, TextReport};
use crate::fields::Fields;
use crate::request::{Denied, Request, Secrets};

pub(crate) struct Telnyx;

impl System for Telnyx {
    fn verify(&self, request: &Request<'_>, secrets: &Secrets) -> Result<(), Denied> {
        if secrets.public_keys.is_empty() {
            return secrets.shown(request);
        }
        let timestamp = request.header("telnyx-timestamp").ok_or(Denied::Forbidden)?;
        let is_fresh = timestamp.parse().is_ok_and(|secs| request.is_fresh(secs));
        let shown = request.header("telnyx-signature-ed25519").and_then(|shown| BASE64.decode(shown.as_bytes()).ok());
        let shown = shown.ok_or(Denied::Forbidden)?;
        let message = [timestamp.as_bytes(), b"|", request.body].concat();
        let signed = secrets
            .public_keys
            .iter()
            .filter_map(|key| public_key(key))
            .any(|key| UnparsedPublicKey::new(&ED25519, key).verify(&message, &shown).is_ok());
        if signed && is_fresh && !request.body.is_empty() { Ok(()) } else { Err(Denied::Forbidden) }
    }

    fn parse(&self, request: &Request<'_>, fields: &Fields, habits: &Habits) -> Result<Vec<Heard>, Unusable> {
        let Some(word) = fields.of("data.event_type") else { return twilio::parse(request, fields, habits) };
        if word.starts_with("message.") {
            return Ok(message(fields).map(Heard::Text).into_iter().collect());
        }
        let of = |name: &str| fields.of(&format!("data.payload.{name}"));
        let call_id = of("call_session_id").or_else(|| of("call_leg_id")).ok_or(Unusable::NoCall)?.to_owned();
        let direction = match of("direction") {
            Some("incoming" | "inbound") => Some(Direction::In),
            Some("outgoing" | "outbound") => Some(Direction::Out),
            _ => None,
        };
        let mut event = CallEvent { call_id, direction, ..CallEvent::default() };
        let at = habits.moment(fields.of("data.occurred_at"));
        match word {
            "call.initiated" => {
                event.stage = Stage::Ringing;
                event.started_at = habits.moment(of("start_time")).or(at);
            }
            // By our instructions, not by a person: of that tells the bridge to one.
            "call.answered" => (event.stage, event.answered_at) = (Stage::Answered, at),
            "call.bridged" => (event.stage, event.by_agent) = (Stage::Answered, true),
            "call.hangup" => {
                event.stage = Stage::Ended;
                event.disposition = of("hangup_cause").and_then(disposition);
                event.started_at = habits.moment(of("start_time"));
                event.ended_at = habits.moment(of("end_time")).or(at);
            }
            "call.recording.saved" => {
                let url = [
                    "recording_urls.wav",
                    "recording_urls.mp3",
                    "public_recording_urls.wav",
                    "public_recording_urls.mp3",
                ];
                event.recording = url.iter().find_map(|name| of(name)).map(recording);
                event.stage = Stage::Recording;
            }
            "call.recording.transcription.saved" => {
                (event.stage, event.transcript) = (Stage::Transcription, of("transcription_text").map(str::to_owned));
            }
            "call.transcription" if of("transcription_data.is_final") == Some("true") => {
                let text = of("transcription_data.transcript").map(str::to_owned);
                (event.stage, event.transcript) = (Stage::Transcription, text);
            }
            "call.dtmf.received" => event.digits = of("digit").map(str::to_owned),
            "call.gather.ended" => event.digits = of("digits").map(str::to_owned),
            _ => return Ok(Vec::new()),
        }
        // The numbers of a leg to a phone of ours are not the caller's.
        if direction != Some(Direction::Out) && matches!(event.stage, Stage::Ringing | Stage::Answered | Stage::Ended) {
            event.caller = habits.line(of("from"));
            event.callee = habits.line(of("to"));
            event.name = of("caller_id_name").filter(|_| !event.caller.withheld).map(str::to_owned);
            event.attested = of("shaken_stir_attestation").map(str::to_owned);
        }
        Ok(vec![Heard::Call(Box::new(event))])
    }

    fn answer(&self, said: &Said<'_>) -> Reply {
        // To an event of the Voice API nothing is said: it is commanded by other means.
        if said.asked.of("data.event_type").is_some() { Reply::empty() } else { twilio::answer(said) }
    }
}

fn recording(url: &str) -> Recording {
    Recording { url: url.to_owned(), duration_s: None }
}

fn disposition(cause: &str) -> Option<Disposition> {
    Some(match cause {
        "originator_cancel" => Disposition::Abandoned,
        "user_busy" => Disposition::Busy,
        "timeout" | "no_answer" | "no_user_response" => Disposition::Missed,
        // Whether anybody was spoken to is told by other events.
        "normal_clearing" | "time_limit" | "session_completed" => return None,
        _ => Disposition::Failed,
    })
}

fn message(fields: &Fields) -> Option<TextReport> {
    let state = fields.get(&["data.payload.to.0.status", "data.payload.status"])?;
    Some(TextReport {
        message_id: fields.of("data.payload.id")?.to_owned(),
        // In the words other networks use.
        state: match state {
            "delivery_failed" => "undelivered",
            "sending_failed" => "failed",
            other => other,
        }
        .to_owned(),
        error: fields.of("data.payload.errors.0.code").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};
    use rlibphonenumber::Region;
    use serde_json::{Value, json};

    use super::super::probe::*;
    use super::*;
    use crate::request::Door;

    const URL: &str = "https://desk.example.com/in/pbx/events";

    fn pair() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
    }

    fn secrets() -> Secrets {
        Secrets::new(&[], vec![], vec!["an older key".to_owned(), BASE64.encode(pair().public_key().as_ref())])
    }

    fn signed(body: &str) -> Asked {
        let signature = pair().sign(format!("{NOW}|{body}").as_bytes());
        let asked = Asked::post(Door::Events, URL, body).with("telnyx-timestamp", &NOW.to_string());
        asked.with("telnyx-signature-ed25519", &BASE64.encode(signature.as_ref()))
    }

    #[test]
    fn a_signed_body_and_its_time_are_bound_and_the_key_may_be_changed() {
        let asked = signed(r#"{"data":{"event_type":"call.initiated"}}"#);
        let parts = [Part::Body, Part::Header("telnyx-signature-ed25519"), Part::Header("telnyx-timestamp")];
        assert_bound(&Telnyx, &secrets(), &asked, &parts);
        assert_eq!(
            signed("").verified(&Telnyx, &secrets()),
            Err(Denied::Forbidden),
            "what is in the address is not signed"
        );
    }

    #[test]
    fn a_request_is_believed_for_five_minutes() {
        let asked = signed("{}");
        for (secs, expected) in
            [(300, Ok(())), (-300, Ok(())), (301, Err(Denied::Forbidden)), (-301, Err(Denied::Forbidden))]
        {
            assert_eq!(asked.clone().at(NOW + secs).verified(&Telnyx, &secrets()), expected, "{secs} s later");
        }
    }

    fn told(word: &str, more: &Value) -> String {
        let mut payload =
            json!({"call_session_id": "s-1", "call_leg_id": "l-1", "from": "+33612345678", "to": "+33140000001"});
        for (name, value) in more.as_object().unwrap() {
            payload[name] = value.clone();
        }
        json!({"data": {"event_type": word, "id": "e-1", "occurred_at": "2026-11-22T09:15:42.000000Z", "payload": payload}})
            .to_string()
    }

    #[test]
    fn every_event_is_understood() {
        let blank = |stage| CallEvent { call_id: "s-1".to_owned(), stage, ..CallEvent::default() };
        let base = |stage| CallEvent { caller: line("+33612345678"), callee: line("+33140000001"), ..blank(stage) };
        let said = at(NOW);
        let ended = |disposition| CallEvent { disposition, ended_at: said, ..base(Stage::Ended) };
        let recorded = |url: &str| CallEvent { recording: Some(recording(url)), ..blank(Stage::Recording) };
        let text = |text: &str| CallEvent { transcript: Some(text.to_owned()), ..blank(Stage::Transcription) };
        let rings = CallEvent {
            direction: Some(Direction::In),
            name: Some("JEANNE D".to_owned()),
            attested: Some("A".to_owned()),
            started_at: at(NOW - 2),
            ..base(Stage::Ringing)
        };
        for (word, more, expected) in [
            (
                "call.initiated",
                json!({
                    "direction": "incoming", "start_time": "2026-11-22T09:15:40Z", "caller_id_name": "JEANNE D",
                    "shaken_stir_attestation": "A",
                }),
                rings,
            ),
            ("call.initiated", json!({"direction": "outgoing"}), {
                CallEvent { direction: Some(Direction::Out), started_at: said, ..blank(Stage::Ringing) }
            }),
            ("call.answered", json!({}), CallEvent { answered_at: said, ..base(Stage::Answered) }),
            ("call.bridged", json!({}), CallEvent { by_agent: true, ..base(Stage::Answered) }),
            ("call.hangup", json!({"hangup_cause": "normal_clearing"}), ended(None)),
            ("call.hangup", json!({"hangup_cause": "originator_cancel"}), ended(Some(Disposition::Abandoned))),
            ("call.hangup", json!({"hangup_cause": "user_busy"}), ended(Some(Disposition::Busy))),
            ("call.hangup", json!({"hangup_cause": "timeout"}), ended(Some(Disposition::Missed))),
            ("call.hangup", json!({"hangup_cause": "call_rejected"}), ended(Some(Disposition::Failed))),
            (
                "call.recording.saved",
                json!({"recording_urls": {"wav": "https://a/r.wav"}}),
                recorded("https://a/r.wav"),
            ),
            (
                "call.recording.saved",
                json!({"recording_urls": {"wav": null}, "public_recording_urls": {"mp3": "https://a/r.mp3"}}),
                recorded("https://a/r.mp3"),
            ),
            ("call.recording.transcription.saved", json!({"transcription_text": "Bonjour"}), text("Bonjour")),
            (
                "call.transcription",
                json!({"transcription_data": {"transcript": "Bonjour", "is_final": true}}),
                text("Bonjour"),
            ),
            (
                "call.dtmf.received",
                json!({"digit": "5"}),
                CallEvent { digits: Some("5".to_owned()), ..blank(Stage::Unknown) },
            ),
            (
                "call.gather.ended",
                json!({"digits": "55"}),
                CallEvent { digits: Some("55".to_owned()), ..blank(Stage::Unknown) },
            ),
        ] {
            assert_eq!(call(&Telnyx, Door::Events, &told(word, &more)), expected, "{word}");
        }
        let partial =
            told("call.transcription", &json!({"transcription_data": {"transcript": "Bon", "is_final": false}}));
        assert_means_nothing(&Telnyx, &[&partial, &told("call.speak.ended", &json!({}))]);
        assert_eq!(
            call(&Telnyx, Door::Events, &told("call.initiated", &json!({"from": "anonymous"}))).caller,
            withheld()
        );
    }

    #[test]
    fn text_messages_are_reported() {
        for (status, state) in
            [("delivered", "delivered"), ("delivery_failed", "undelivered"), ("sending_failed", "failed")]
        {
            let payload = json!({"id": "m-1", "to": [{"status": status}], "errors": [{"code": "40300"}]});
            let body = json!({"data": {"event_type": "message.finalized", "payload": payload}}).to_string();
            let heard = Asked::post(Door::Sms, URL, &body).heard(&Telnyx, &habits(&Telnyx, Region::FR));
            let (message_id, error) = ("m-1".to_owned(), Some("40300".to_owned()));
            assert_eq!(heard, Ok(vec![Heard::Text(TextReport { message_id, state: state.to_owned(), error })]));
        }
    }

    #[test]
    fn texml_is_understood_and_answered_as_twilios_dialect() {
        let event =
            call(&Telnyx, Door::Status, "CallSid=v2%3A7V&CallStatus=completed&CallDuration=2&From=%2B33612345678");
        assert_eq!((event.call_id.as_str(), event.duration_s), ("v2:7V", Some(2)));
        assert!(answered(&Telnyx, Door::Voice, "", |_| {}).body.contains("<Say"));
        let asked = Fields::read(told("call.initiated", &json!({})).as_bytes()).unwrap();
        assert_eq!(Telnyx.answer(&Said { door: Door::Voice, ..said(&asked) }), Reply::empty());
    }

    #[test]
    fn what_tells_of_no_call_is_unusable() {
        assert_unusable(&Telnyx, &["", "{", "{}", r#"{"data":{"event_type":"call.hangup","payload":{}}}"#]);
    }
}
