//! Plivo Voice.
//!
//! Pages: <https://www.plivo.com/docs/voice/concepts/signature-validation>, <https://www.plivo.com/docs/voice/xml/request>.
//!
//! A request is signed (HMAC, SHA-256, version 3) over its address, its parameters, sorted, names and values without anything
//! between them, and a nonce. Not covered: where a name ends and its value begins in a body, the parameters' order, the case of
//! percent-escapes, the other headers, and the time: nonces are not remembered, so that events must be known by what they say.

use data_encoding::BASE64;
use jiff::tz::TimeZone;
use ring::hmac;

use super::signing::{exposed, is_signed};
use super::{Habits, Reply, Said, System, Unusable, escaped};
use crate::event::{CallEvent, Direction, Disposition, Heard, Recording, Stage, TextReport};
use crate::fields::Fields;
use crate::request::{Denied, Door, Request, Secrets};
use crate::time;

pub(crate) struct Plivo;

impl System for Plivo {
    fn verify(&self, request: &Request<'_>, secrets: &Secrets) -> Result<(), Denied> {
        if secrets.keys.is_empty() {
            return secrets.shown(request);
        }
        // By the (sub-)account's token, and by that of the account above it; there may be several while tokens change.
        let shown =
            ["x-plivo-signature-v3", "x-plivo-signature-ma-v3"].into_iter().filter_map(|name| request.header(name));
        let shown = shown.flat_map(|list| list.split(',')).take(10);
        let shown: Vec<Vec<u8>> = shown.filter_map(|shown| BASE64.decode(shown.trim().as_bytes()).ok()).collect();
        let nonce = request.header("x-plivo-signature-v3-nonce").ok_or(Denied::Forbidden)?;
        let message = format!("{}.{nonce}", signed(request).ok_or(Denied::Forbidden)?);
        let known = shown.iter().fold(false, |found, shown| {
            is_signed(hmac::HMAC_SHA256, exposed(&secrets.keys), message.as_bytes(), shown) | found
        });
        if known { Ok(()) } else { Err(Denied::Forbidden) }
    }

    fn parse(&self, _: &Request<'_>, fields: &Fields, habits: &Habits) -> Result<Vec<Heard>, Unusable> {
        if let Some(id) = fields.of("MessageUUID") {
            let report = TextReport {
                message_id: id.to_owned(),
                state: fields.of("Status").unwrap_or_default().to_owned(),
                error: fields.of("ErrorCode").filter(|code| *code != "000").map(str::to_owned),
            };
            return Ok(vec![Heard::Text(report)]);
        }
        let call_id = fields.get(&["DialALegUUID", "CallUUID", "call_uuid"]).ok_or(Unusable::NoCall)?.to_owned();
        let mut event = CallEvent {
            call_id,
            direction: direction(fields),
            caller: habits.line(fields.of("From")),
            callee: habits.line(fields.of("To")),
            digits: fields.of("Digits").map(str::to_owned),
            attested: fields.of("STIRAttestation").map(str::to_owned),
            ..CallEvent::default()
        };
        event.name = fields.of("CallerName").filter(|_| !event.caller.withheld).map(str::to_owned);
        if let Some(url) = fields.get(&["RecordUrl", "RecordFile", "recording_url"]) {
            event.stage = Stage::Recording;
            let duration_s = fields.of("RecordingDuration").and_then(|secs| secs.parse().ok());
            event.recording = Some(Recording { url: url.to_owned(), duration_s });
        } else if let Some(text) = fields.of("transcription") {
            (event.stage, event.transcript) = (Stage::Transcription, Some(text.to_owned()));
        } else if let Some(word) = fields.get(&["DialAction", "DialStatus", "DialBLegStatus"]) {
            // The leg to whoever was to answer, not the call: that goes on.
            event.by_agent = matches!(word, "answer" | "connected" | "completed");
            event.stage = if event.by_agent { Stage::Answered } else { Stage::Unknown };
        } else {
            status(fields, &mut event);
        }
        Ok(vec![Heard::Call(Box::new(event))])
    }

    fn answer(&self, said: &Said<'_>) -> Reply {
        if said.door != Door::Voice {
            return Reply::empty();
        }
        let recorded = said.query.split('&').any(|pair| pair == RECORDED) || said.asked.of("RecordUrl").is_some();
        let instructions = match said.words {
            _ if said.reject => r#"<Hangup reason="busy"/>"#.to_owned(),
            Some(words) if !recorded => spoken(said, words),
            _ => "<Hangup/>".to_owned(),
        };
        Reply::xml(format!(r#"<?xml version="1.0" encoding="UTF-8"?><Response>{instructions}</Response>"#))
    }

    fn is_plusless(&self) -> bool {
        true
    }

    fn signs_addresses(&self) -> bool {
        true
    }
}

/// What the address after a message carries.
const RECORDED: &str = "step=recorded";

fn spoken(said: &Said<'_>, words: &str) -> String {
    let speak = format!(r#"<Speak language="{}">{}</Speak>"#, said.voice(), escaped(words));
    if !said.record {
        return speak;
    }
    let (action, recording) = (said.address("voice"), said.address("recording"));
    format!(
        r#"{speak}<Record action="{}?{RECORDED}" maxLength="120" playBeep="true" callbackUrl="{}"/>"#,
        escaped(&action),
        escaped(&recording),
    )
}

/// Address and parameters as they are signed; `None` where the signature cannot cover the body.
fn signed(request: &Request<'_>) -> Option<String> {
    let text = std::str::from_utf8(request.body).ok()?.trim_start_matches('\u{feff}').trim();
    // What is read otherwise than as a form.
    if text.starts_with(['{', '[', '<']) || text.starts_with("cdr=") {
        return None;
    }
    let sorted = |form: &str| {
        let form = Fields::form(form).ok()?;
        let mut pairs: Vec<(String, String)> =
            form.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        pairs.sort_unstable();
        Some(pairs)
    };
    let query =
        sorted(request.query)?.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let body: String = sorted(text)?.into_iter().flat_map(|(name, value)| [name, value]).collect();
    let address = request.url.split('?').next().unwrap_or_default();
    Some(match (query.is_empty(), body.is_empty()) {
        (true, true) => address.to_owned(),
        (false, true) => format!("{address}?{query}"),
        (true, false) => format!("{address}?{body}"),
        (false, false) => format!("{address}?{query}.{body}"),
    })
}

fn direction(fields: &Fields) -> Option<Direction> {
    Some(match fields.of("Direction")? {
        "inbound" => Direction::In,
        _ => Direction::Out,
    })
}

fn status(fields: &Fields, event: &mut CallEvent) {
    (event.stage, event.disposition) = match fields.of("CallStatus").unwrap_or_default() {
        "ringing" | "initiated" => (Stage::Ringing, None),
        "in-progress" => (Stage::Answered, None),
        "completed" => (Stage::Ended, Some(Disposition::Answered)),
        "busy" => (Stage::Ended, Some(Disposition::Busy)),
        "no-answer" | "timeout" => (Stage::Ended, Some(Disposition::Missed)),
        "cancel" | "canceled" => (Stage::Ended, Some(Disposition::Abandoned)),
        "failed" | "machine" => (Stage::Ended, Some(Disposition::Failed)),
        _ => (Stage::Unknown, None),
    };
    // Times are of UTC and do not say so.
    let moment = |name: &str| time::moment(fields.of(name)?, &TimeZone::UTC);
    event.started_at = moment("StartTime");
    event.answered_at = moment("AnswerTime");
    event.ended_at = moment("EndTime");
    // `BillDuration` is what is paid for.
    event.duration_s = fields.of("Duration").filter(|_| event.stage == Stage::Ended).and_then(|secs| secs.parse().ok());
}

#[cfg(test)]
mod tests {
    use rlibphonenumber::Region;

    use super::super::probe::*;
    use super::*;

    const URL: &str = "https://desk.example.com/in/pbx/events";
    const BODY: &str = "CallUUID=c-1&From=33612345678&To=33140000001&CallStatus=completed&Digits=";
    const TOKEN: &str = "the account's token";
    const NONCE: &str = "12345678901234567890";

    fn signature(message: &str) -> String {
        BASE64.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, TOKEN.as_bytes()), message.as_bytes()).as_ref())
    }

    fn asked(asked: Asked, message: &str) -> Asked {
        asked.with("x-plivo-signature-v3", &signature(message)).with("x-plivo-signature-v3-nonce", NONCE)
    }

    #[test]
    fn a_signed_request_is_bound_to_its_address_and_its_parameters() {
        let form = "CallStatuscompletedCallUUIDc-1DigitsFrom33612345678To33140000001";
        let parts = [Part::Url, Part::Header("x-plivo-signature-v3"), Part::Header("x-plivo-signature-v3-nonce")];
        let secrets = keys(&["an older token", TOKEN]);
        let query = format!("{URL}?b=2&a=1");
        for (made, message) in [
            (Asked::post(Door::Events, URL, BODY), format!("{URL}?{form}.{NONCE}")),
            (Asked::post(Door::Events, &query, BODY), format!("{URL}?a=1&b=2.{form}.{NONCE}")),
            (Asked::post(Door::Events, &query, ""), format!("{URL}?a=1&b=2.{NONCE}")),
            (Asked::get(Door::Events, &query), format!("{URL}?a=1&b=2.{NONCE}")),
            (Asked::get(Door::Events, URL), format!("{URL}.{NONCE}")),
        ] {
            let asked = asked(made, &message);
            assert_bound(&Plivo, &secrets, &asked, &parts);
            assert_bound(&Plivo, &secrets, &asked, &[Part::Body]);
        }
    }

    #[test]
    fn what_the_vendors_library_signs_is_believed() {
        // Made with the vendor's Python library.
        let form = "CallUUID=c-1&CallerName=Jo+%26+fils&From=&Digits=2&Digits=1";
        let post = |url, body| Asked::post(Door::Voice, url, body);
        let url = "https://desk.example.com/in/pbx/voice";
        for (asked, shown) in [
            (post(&format!("{url}?step=recorded&x=a+b"), form), "KISO7SqQk1Y5e0wY4gDct73p5YMsRH3T0TUkNcvH3OQ="),
            (Asked::get(Door::Voice, &format!("{url}?b=2&a=1&a=0&c=")), "NHq15PzhdFgchkUSzc2WhULHlBxcS2PRY7pzzNxWFQo="),
            (post(url, "CallUUID=c-1"), "YutFOktQsRbNKspnpBOPMjDh3TPIeGAUCepWK4pMxak="),
            (post(&format!("{url}?b=x%26+y"), ""), "cTkU42RSarOQMl2sTobGd85AYog+vRVdiuZVwQFQ+4Q="),
        ] {
            let asked = asked.with("x-plivo-signature-v3", shown).with("x-plivo-signature-v3-nonce", "12345");
            assert_eq!(asked.verified(&Plivo, &keys(&["an older token", "my_auth_token"])), Ok(()), "{shown}");
        }
    }

    #[test]
    fn several_signatures_may_be_shown_and_a_body_that_is_no_form_is_refused() {
        let message = format!("{URL}.{NONCE}");
        let list = format!("AAAA, {},!", signature(&message));
        let asked = asked(Asked::post(Door::Events, URL, ""), &message);
        let several = asked.clone().with("x-plivo-signature-v3", &list);
        assert_eq!(several.verified(&Plivo, &keys(&[TOKEN])), Ok(()));
        for body in [r#"{"CallUUID":"c-1"}"#, " [1]", "<x/>", "cdr=%7B%7D"] {
            assert_eq!(asked.clone().body(body).verified(&Plivo, &keys(&[TOKEN])), Err(Denied::Forbidden), "{body}");
        }
    }

    #[test]
    fn every_event_is_understood() {
        let base = |stage| CallEvent {
            call_id: "c-1".to_owned(),
            stage,
            direction: Some(Direction::In),
            caller: line("+33612345678"),
            callee: line("+33140000001"),
            ..CallEvent::default()
        };
        let ended = |disposition, secs| CallEvent {
            disposition: Some(disposition),
            duration_s: Some(secs),
            ..base(Stage::Ended)
        };
        let times = "StartTime=2026-11-22%2009%3A15%3A00&AnswerTime=2026-11-22%2009%3A15%3A03&EndTime=2026-11-22%2009%3A15%3A42";
        let full = CallEvent {
            started_at: at(NOW - 42),
            answered_at: at(NOW - 39),
            ended_at: at(NOW),
            ..ended(Disposition::Answered, 42)
        };
        let record = Some(Recording { url: "https://media.plivo.com/r.mp3".to_owned(), duration_s: Some(17) });
        let hangup = format!("CallStatus=completed&Event=Hangup&Duration=42&BillDuration=60&{times}");
        for (rest, expected) in [
            ("CallStatus=ringing&Event=StartApp", base(Stage::Ringing)),
            ("CallStatus=ringing&CallerName=J&STIRAttestation=A", {
                CallEvent { name: Some("J".to_owned()), attested: Some("A".to_owned()), ..base(Stage::Ringing) }
            }),
            ("CallStatus=in-progress", base(Stage::Answered)),
            (hangup.as_str(), full),
            ("CallStatus=busy&Duration=0", ended(Disposition::Busy, 0)),
            ("CallStatus=no-answer&Duration=0", ended(Disposition::Missed, 0)),
            ("CallStatus=timeout&Duration=0", ended(Disposition::Missed, 0)),
            ("CallStatus=cancel&Duration=0", ended(Disposition::Abandoned, 0)),
            ("CallStatus=failed&Duration=0", ended(Disposition::Failed, 0)),
            ("CallStatus=in-progress&DialStatus=completed", CallEvent { by_agent: true, ..base(Stage::Answered) }),
            ("CallStatus=in-progress&DialStatus=busy", base(Stage::Unknown)),
            ("RecordUrl=https%3A%2F%2Fmedia.plivo.com%2Fr.mp3&RecordingDuration=17", {
                CallEvent { recording: record, ..base(Stage::Recording) }
            }),
            (
                "transcription=Bonjour",
                CallEvent { transcript: Some("Bonjour".to_owned()), ..base(Stage::Transcription) },
            ),
        ] {
            let body = format!("CallUUID=c-1&From=33612345678&To=33140000001&Direction=inbound&{rest}");
            assert_eq!(call(&Plivo, Door::Events, &body), expected, "{rest}");
        }
        let agent = call(&Plivo, Door::Events, "DialAction=answer&DialALegUUID=c-1&DialBLegUUID=c-2&CallUUID=c-1");
        assert!(agent.by_agent && agent.call_id == "c-1");
        assert_eq!(call(&Plivo, Door::Voice, "CallUUID=c-1&From=anonymous&CallStatus=ringing").caller, withheld());
    }

    #[test]
    fn text_messages_are_reported() {
        for (code, error) in [("&ErrorCode=30", Some("30")), ("&ErrorCode=000", None), ("", None)] {
            let asked = Asked::post(Door::Sms, URL, &format!("MessageUUID=m-1&Status=undelivered{code}"));
            let (message_id, state) = ("m-1".to_owned(), "undelivered".to_owned());
            let expected = vec![Heard::Text(TextReport { message_id, state, error: error.map(str::to_owned) })];
            assert_eq!(asked.heard(&Plivo, &habits(&Plivo, Region::FR)), Ok(expected));
        }
    }

    #[test]
    fn what_tells_of_no_call_is_unusable() {
        assert_unusable(&Plivo, &["", "{", "CallStatus=ringing", "<x"]);
    }

    #[test]
    fn callers_hear_their_number_and_may_leave_a_message() {
        let head = r#"<?xml version="1.0" encoding="UTF-8"?><Response>"#;
        let speak = r#"<Speak language="fr-FR">Numéro &lt;4 8 2&gt;.</Speak>"#;
        let body = |query: &str, change: fn(&mut Said<'_>)| answered(&Plivo, Door::Voice, query, change).body;
        assert_eq!(body("", |_| {}), format!("{head}{speak}</Response>"));
        let record = concat!(
            r#"<Record action="https://desk.example.com/in/pbx/voice?step=recorded" maxLength="120" playBeep="true" "#,
            r#"callbackUrl="https://desk.example.com/in/pbx/recording"/>"#
        );
        assert_eq!(body("", |said| said.record = true), format!("{head}{speak}{record}</Response>"));
        assert_eq!(body("step=recorded", |_| {}), format!("{head}<Hangup/></Response>"));
        assert_eq!(body("", |said| said.reject = true), format!(r#"{head}<Hangup reason="busy"/></Response>"#));
        assert_eq!(answered(&Plivo, Door::Events, "", |_| {}), Reply::empty());
    }
}
