//! Twilio Programmable Voice, and what speaks its dialect: SignalWire, Telnyx TeXML, jambonz, Exotel.
//!
//! Pages: <https://www.twilio.com/docs/voice/twiml>, <https://www.twilio.com/docs/usage/security>.
//!
//! A request is signed over its address and its parameters, sorted, names and values without anything between them. Not
//! covered by that: where a name ends and its value begins, the parameters' order, how often a pair is said, the case of
//! percent-escapes, the other headers, and the time: the same request is believed again for ever, so that events must be known
//! by what they say. A body that is no form is not covered either, unless the address carries its hash.
//!
//! A secret is an account's auth token (SHA-1); `sha256:` before it makes it a shared key of the newer signature. What a request
//! says of its algorithm is not asked.

use data_encoding::BASE64;
use ring::hmac;

use super::signing::{exposed, is_hash_of, is_signed};
use super::{Habits, Reply, Said, System, Unusable, escaped};
use crate::event::{CallEvent, Direction, Disposition, Heard, Recording, Stage, TextReport};
use crate::fields::Fields;
use crate::request::{Denied, Door, Request, Secrets};

pub(crate) struct Twilio;

impl System for Twilio {
    fn verify(&self, request: &Request<'_>, secrets: &Secrets) -> Result<(), Denied> {
        if !secrets.keys.is_empty() {
            return if is_genuine(request, secrets) { Ok(()) } else { Err(Denied::Forbidden) };
        }
        // With a name and a password in its address, Twilio shows them only when asked.
        let nothing_shown = request.token.is_none() && request.header("authorization").is_none();
        secrets.shown(request).map_err(|denied| if nothing_shown { Denied::Challenge } else { denied })
    }

    fn parse(&self, request: &Request<'_>, fields: &Fields, habits: &Habits) -> Result<Vec<Heard>, Unusable> {
        parse(request, fields, habits)
    }

    fn answer(&self, said: &Said<'_>) -> Reply {
        answer(said)
    }

    fn signs_addresses(&self) -> bool {
        true
    }
}

fn is_genuine(request: &Request<'_>, secrets: &Secrets) -> bool {
    let shown = request.header("x-twilio-signature").or_else(|| request.header("x-signalwire-signature"));
    let Some(shown) = shown.and_then(|shown| BASE64.decode(shown.as_bytes()).ok()) else { return false };
    let Some(parameters) = signed_parameters(request) else { return false };
    let shared = |key: &&str| key.starts_with(SHARED);
    addresses(request.url).iter().fold(false, |found, address| {
        let message = format!("{address}{parameters}");
        let message = message.as_bytes();
        let tokens = exposed(&secrets.keys).filter(|key| !shared(key));
        let keys = exposed(&secrets.keys).filter_map(|key| key.strip_prefix(SHARED));
        found
            | is_signed(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, tokens, message, &shown)
            | is_signed(hmac::HMAC_SHA256, keys, message, &shown)
    })
}

/// What a secret begins with that is a shared key.
const SHARED: &str = "sha256:";

/// The body as it is signed; `None` where the signature cannot cover it.
fn signed_parameters(request: &Request<'_>) -> Option<String> {
    let text = std::str::from_utf8(request.body).ok()?.trim_start_matches('\u{feff}').trim();
    // What is read otherwise than as a form.
    if text.starts_with(['{', '[', '<']) || text.starts_with("cdr=") {
        let query = Fields::form(request.query).ok()?;
        let hash = query.of("bodySHA256")?;
        return is_hash_of(hash, request.body).then(String::new);
    }
    let form = Fields::form(text).ok()?;
    let mut pairs: Vec<_> = form.pairs().collect();
    pairs.sort_unstable();
    pairs.dedup();
    Some(pairs.into_iter().flat_map(|(name, value)| [name, value]).collect())
}

/// An address as the several parts of Twilio write it: as it is, and with or without its port.
fn addresses(url: &str) -> Vec<String> {
    let mut addresses = vec![url.to_owned()];
    if let Some((scheme, rest)) = url.split_once("://") {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let port = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        addresses.push(match port {
            Some((host, _)) => format!("{scheme}://{host}{path}"),
            None => format!("{scheme}://{host}:{}{path}", if scheme == "http" { 80 } else { 443 }),
        });
    }
    addresses
}

/// What a request in this dialect tells.
pub(super) fn parse(request: &Request<'_>, fields: &Fields, habits: &Habits) -> Result<Vec<Heard>, Unusable> {
    if let (Some(id), Some(state)) =
        (fields.get(&["MessageSid", "SmsSid"]), fields.get(&["MessageStatus", "SmsStatus"]))
    {
        let error = fields.of("ErrorCode").filter(|code| *code != "0").map(str::to_owned);
        return Ok(vec![Heard::Text(TextReport { message_id: id.to_owned(), state: state.to_owned(), error })]);
    }
    let call_id = fields.of("CallSid").ok_or(Unusable::NoCall)?.to_owned();
    let caller = habits.line(fields.get(&["From", "Caller"]));
    let mut event = CallEvent {
        call_id,
        direction: fields.of("Direction").map(|word| match word {
            "inbound" => Direction::In,
            _ => Direction::Out,
        }),
        name: fields.of("CallerName").filter(|_| !caller.withheld).map(str::to_owned),
        caller,
        callee: habits.line(fields.get(&["To", "Called"])),
        digits: fields.of("Digits").filter(|keys| keys.chars().all(|c| "0123456789*#".contains(c))).map(str::to_owned),
        attested: fields.of("StirVerstat").map(str::to_owned),
        ..CallEvent::default()
    };
    if fields.get(&["TranscriptionSid", "TranscriptionEvent"]).is_some() {
        return Ok(transcription(fields, event));
    }
    if fields.get(&["RecordingSid", "RecordingUrl"]).is_some() {
        event.stage = Stage::Recording;
        event.recording = recording(fields);
    } else if let Some(word) = fields.of("DialCallStatus") {
        // The leg to whoever was to answer, not the call: that goes on.
        event.by_agent = matches!(word, "completed" | "answered");
        event.stage = if event.by_agent { Stage::Answered } else { Stage::Unknown };
    } else {
        status(request, fields, habits, &mut event);
    }
    Ok(vec![Heard::Call(Box::new(event))])
}

fn status(request: &Request<'_>, fields: &Fields, habits: &Habits, event: &mut CallEvent) {
    let at = habits.moment(fields.of("Timestamp"));
    let word = fields.of("CallStatus").unwrap_or_default();
    let waits = request.door == Door::Voice;
    (event.stage, event.disposition) = match word {
        "queued" | "initiated" | "ringing" => (Stage::Ringing, None),
        // A call may have come by other instructions before it comes to ours: its caller waits for words all the same.
        "in-progress" if waits => (Stage::Ringing, None),
        "in-progress" | "answered" => (Stage::Answered, None),
        "completed" => (Stage::Ended, Some(Disposition::Answered)),
        "busy" => (Stage::Ended, Some(Disposition::Busy)),
        "no-answer" => (Stage::Ended, Some(Disposition::Missed)),
        "canceled" => (Stage::Ended, Some(Disposition::Abandoned)),
        "failed" => (Stage::Ended, Some(Disposition::Failed)),
        _ => (Stage::Unknown, None),
    };
    match event.stage {
        Stage::Ringing => event.started_at = at,
        Stage::Answered => event.answered_at = at,
        Stage::Ended => event.ended_at = at,
        _ => {}
    }
    // `Duration` is in minutes as billed.
    event.duration_s = fields.of("CallDuration").and_then(|secs| secs.parse().ok());
}

fn recording(fields: &Fields) -> Option<Recording> {
    let is_there = fields.of("RecordingStatus").is_none_or(|status| status == "completed");
    let url = fields.of("RecordingUrl").filter(|_| is_there)?;
    Some(Recording {
        url: url.to_owned(),
        duration_s: fields.of("RecordingDuration").and_then(|secs| secs.parse().ok()),
    })
}

/// What was said in a recording (`transcribe`), or while it was said (`<Transcription>`): of that, what is final.
fn transcription(fields: &Fields, mut event: CallEvent) -> Vec<Heard> {
    event.stage = Stage::Transcription;
    if let Some(word) = fields.of("TranscriptionEvent") {
        let is_final = word == "transcription-content" && fields.of("Final").is_none_or(|word| word != "false");
        let data = fields.of("TranscriptionData").filter(|_| is_final);
        let data = data.and_then(|data| Fields::read(data.as_bytes()).ok());
        let Some(text) = data.as_ref().and_then(|data| data.of("transcript")) else { return Vec::new() };
        event.transcript = Some(text.to_owned());
    } else {
        let worked = fields.of("TranscriptionStatus").is_none_or(|status| status == "completed");
        event.transcript = fields.of("TranscriptionText").filter(|_| worked).map(str::to_owned);
        event.recording = recording(fields);
    }
    vec![Heard::Call(Box::new(event))]
}

/// What a system of this dialect is answered: instructions (TwiML) where it asks for them.
pub(super) fn answer(said: &Said<'_>) -> Reply {
    if said.door != Door::Voice {
        return Reply::empty();
    }
    let recorded = said.query.split('&').any(|pair| pair == RECORDED) || said.asked.of("RecordingUrl").is_some();
    let instructions = if said.reject {
        r#"<Reject reason="busy"/>"#.to_owned()
    } else if recorded {
        "<Hangup/>".to_owned()
    } else {
        spoken(said)
    };
    Reply::xml(format!(r#"<?xml version="1.0" encoding="UTF-8"?><Response>{instructions}</Response>"#))
}

/// What the address after a message carries.
const RECORDED: &str = "step=recorded";

fn spoken(said: &Said<'_>) -> String {
    let Some(words) = said.words else { return String::new() };
    let say = format!(r#"<Say language="{}">{}</Say>"#, said.voice(), escaped(words));
    if !said.record {
        return say;
    }
    let (action, recording) = (said.address("voice"), said.address("recording"));
    format!(
        r#"{say}<Record action="{}?{RECORDED}" maxLength="120" playBeep="true" recordingStatusCallback="{}"/>"#,
        escaped(&action),
        escaped(&recording),
    )
}

#[cfg(test)]
mod tests {
    use super::super::probe::*;
    use super::*;

    const URL: &str = "https://desk.example.com/in/pbx/status?a=1&b=2";
    const BODY: &str = "CallSid=CA01&From=%2B33612345678&To=%2B33140000001&CallStatus=completed&CallerName=&Digits=12";
    const TOKEN: &str = "the account's auth token";

    /// As the vendor's page tells to sign.
    fn signature(algorithm: hmac::Algorithm, key: &str, message: &str) -> String {
        BASE64.encode(hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), message.as_bytes()).as_ref())
    }

    fn sha1(message: &str) -> String {
        signature(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOKEN, message)
    }

    fn message(url: &str) -> String {
        format!("{url}CallSidCA01CallStatuscompletedCallerNameDigits12From+33612345678To+33140000001")
    }

    fn asked(signature: &str) -> Asked {
        Asked::post(Door::Status, URL, BODY).with("x-twilio-signature", signature)
    }

    #[test]
    fn a_signed_request_is_bound_to_its_address_and_its_form() {
        let parts = [Part::Url, Part::Body, Part::Header("x-twilio-signature")];
        assert_bound(&Twilio, &keys(&["an older token", TOKEN]), &asked(&sha1(&message(URL))), &parts);
    }

    #[test]
    fn the_newer_signature_is_bound_likewise_and_its_header_chooses_nothing() {
        let shown = signature(hmac::HMAC_SHA256, TOKEN, &message(URL));
        let asked = asked(&shown).with("x-twilio-webhooks-signature-settings", "key=k,algorithm=HMAC_SHA256");
        let parts = [Part::Url, Part::Body, Part::Header("x-twilio-signature")];
        assert_bound(&Twilio, &keys(&[&format!("sha256:{TOKEN}")]), &asked, &parts);
        assert_eq!(asked.verified(&Twilio, &keys(&[TOKEN])), Err(Denied::Forbidden), "an auth token makes SHA-1 alone");
        let older = super::tests::asked(&sha1(&message(URL)));
        let shared = keys(&[&format!("sha256:{TOKEN}")]);
        assert_eq!(older.verified(&Twilio, &shared), Err(Denied::Forbidden), "a shared key makes SHA-256 alone");
    }

    #[test]
    fn the_vendors_own_vectors_are_believed() {
        // Of the vendor's Python library.
        let form = "CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309";
        let twice = "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234";
        let json = r#"{"property": "value", "boolean": true}"#;
        let hash = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
        let address = "https://mycompany.com/myapp.php?foo=1&bar=2";
        for (url, body, shown) in [
            (address, form, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
            ("https://mycompany.com:1234/myapp.php?foo=1&bar=2", form, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
            ("http://mycompany.com:1234/myapp.php?foo=1&bar=2", form, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
            (address, form, "kvajT1Ptam85bY51eRf/AJRuM3w="),
            ("http://mycompany.com/myapp.php?foo=1&bar=2", form, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
            (address, twice, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
            (&format!("{address}&bodySHA256={hash}"), json, "a9nBmqA0ju/hNViExpshrM61xv4="),
        ] {
            let asked = Asked::post(Door::Events, url, body).with("x-twilio-signature", shown);
            assert_bound(&Twilio, &keys(&["12345"]), &asked, &[Part::Body, Part::Header("x-twilio-signature")]);
        }
    }

    #[test]
    fn what_the_vendors_library_signs_is_believed_whatever_letters_it_holds() {
        // Made with version 9.13.0 of the vendor's Python library.
        let url = "https://desk.example.com/in/pbx/voice/t?step=recorded&x=%C3%A9";
        let names = "CallSid=CA1&FromCity=&CallerName=Jos%C3%A9+%26+fils%3D%22%3Cb%3E&To=%2B33140000001&Digits=2&Digits=1&Digits=2";
        let text = "TranscriptionText=l%27%C3%A9cran%20%E2%82%AC%20%F0%9F%93%9E&CallSid=CA2";
        let order = "b=1&a=&A=2&aa=3&a=%20x";
        for (body, sha1, sha256) in [
            (names, "bnQxYhBefypp9ETChZDZNacdSdg=", "IJme+1gVxuTKNnRMEa72MePbzpGPmZeEJdN37f8lZQA="),
            (order, "yw5HlRQ7EyDI+WLhN28c8BXmvs4=", "5cBLNYWwigPoD8/vsvTNxjEvJO9c/Ha+MuPN+Nu1Gj8="),
            (text, "6tJrIV2Klocifi3wswyiVFnVin8=", "zveDOCW1jXgGtbdpKh0/fO9zotogR5hw1E2/GIRxmSY="),
        ] {
            let asked = Asked::post(Door::Voice, url, body);
            let shown = |signature: &str| asked.clone().with("x-twilio-signature", signature);
            assert_eq!(shown(sha1).verified(&Twilio, &keys(&["12345"])), Ok(()), "{body}");
            assert_eq!(shown(sha256).verified(&Twilio, &keys(&["sha256:12345"])), Ok(()), "{body}");
        }
    }

    #[test]
    fn a_body_that_the_signature_does_not_cover_is_refused() {
        let json = r#"{"CallSid":"CA1"}"#;
        for body in [json, "  [1]", "\u{feff}{}", "<Response/>", "cdr=%7B%7D"] {
            let asked = Asked::post(Door::Events, URL, body).with("x-twilio-signature", &sha1(URL));
            assert_eq!(asked.verified(&Twilio, &keys(&[TOKEN])), Err(Denied::Forbidden), "{body}");
        }
    }

    #[test]
    fn without_a_signing_key_a_name_and_a_password_are_asked_for() {
        let asked = Asked::post(Door::Events, URL, BODY);
        let secrets = tokens(&["a-long-password"]);
        assert_eq!(asked.verified(&Twilio, &secrets), Err(Denied::Challenge));
        let basic = |password: &str| format!("Basic {}", BASE64.encode(format!("twilio:{password}").as_bytes()));
        let shown = |password: &str| asked.clone().with("authorization", &basic(password)).verified(&Twilio, &secrets);
        assert_eq!(shown("a-long-password"), Ok(()));
        assert_eq!(shown("a-wrong-password"), Err(Denied::Forbidden));
    }

    /// What every event of the call below says.
    fn base() -> CallEvent {
        CallEvent {
            call_id: "CA01".to_owned(),
            direction: Some(Direction::In),
            caller: line("+33612345678"),
            callee: line("+33140000001"),
            ..CallEvent::default()
        }
    }

    #[test]
    fn every_state_of_a_call_is_understood() {
        let when = "Timestamp=Sun%2C%2022%20Nov%202026%2009%3A15%3A42%20%2B0000";
        let texml = "Timestamp=2026-11-22%2009%3A15%3A42.000000Z";
        let at = at(NOW);
        let ended = |disposition, secs| CallEvent {
            stage: Stage::Ended,
            disposition: Some(disposition),
            ended_at: at,
            duration_s: Some(secs),
            ..base()
        };
        for (rest, expected) in [
            ("CallStatus=ringing".to_owned(), CallEvent { stage: Stage::Ringing, ..base() }),
            (format!("CallStatus=initiated&{when}"), CallEvent { stage: Stage::Ringing, started_at: at, ..base() }),
            (format!("CallStatus=in-progress&{when}"), CallEvent { stage: Stage::Answered, answered_at: at, ..base() }),
            (format!("CallStatus=completed&CallDuration=42&Duration=1&{when}"), ended(Disposition::Answered, 42)),
            (format!("CallStatus=completed&CallDuration=42&{texml}"), ended(Disposition::Answered, 42)),
            (format!("CallStatus=busy&CallDuration=0&{when}"), ended(Disposition::Busy, 0)),
            (format!("CallStatus=no-answer&CallDuration=0&{when}"), ended(Disposition::Missed, 0)),
            (format!("CallStatus=canceled&CallDuration=0&{when}"), ended(Disposition::Abandoned, 0)),
            (format!("CallStatus=failed&CallDuration=0&{when}"), ended(Disposition::Failed, 0)),
            ("CallStatus=levitating".to_owned(), base()),
            (
                "CallStatus=in-progress&DialCallStatus=completed&DialCallDuration=30".to_owned(),
                CallEvent { stage: Stage::Answered, by_agent: true, ..base() },
            ),
            ("CallStatus=in-progress&DialCallStatus=no-answer".to_owned(), base()),
            (
                "CallStatus=ringing&CallerName=JEANNE%20D&StirVerstat=TN-Validation-Passed-A&Digits=12%23".to_owned(),
                CallEvent {
                    stage: Stage::Ringing,
                    name: Some("JEANNE D".to_owned()),
                    attested: Some("TN-Validation-Passed-A".to_owned()),
                    digits: Some("12#".to_owned()),
                    ..base()
                },
            ),
        ] {
            let body = format!("CallSid=CA01&From=%2B33612345678&To=%2B33140000001&Direction=inbound&{rest}");
            assert_eq!(call(&Twilio, Door::Status, &body), expected, "{rest}");
        }
    }

    #[test]
    fn whoever_comes_to_the_door_for_voices_waits_for_words() {
        for word in ["ringing", "in-progress"] {
            let event = call(&Twilio, Door::Voice, &format!("CallSid=CA01&Direction=inbound&CallStatus={word}"));
            assert_eq!(event.stage, Stage::Ringing, "{word}");
        }
    }

    #[test]
    fn a_withheld_number_leaves_neither_number_nor_name() {
        for from in ["anonymous", "%2B266696687", "%2B86282452253", "Restricted"] {
            let event =
                call(&Twilio, Door::Voice, &format!("CallSid=CA01&From={from}&CallerName=J&CallStatus=ringing"));
            assert_eq!((event.caller, event.name), (withheld(), None), "{from}");
        }
    }

    #[test]
    fn recordings_and_what_was_said_in_them_come_after_the_call() {
        let place = "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1";
        let recorded = Recording { url: place.to_owned(), duration_s: Some(17) };
        let blank = CallEvent { call_id: "CA01".to_owned(), ..CallEvent::default() };
        let recording = CallEvent { stage: Stage::Recording, recording: Some(recorded), ..blank.clone() };
        let absent = CallEvent { stage: Stage::Recording, ..blank.clone() };
        let text = |text: Option<&str>| CallEvent {
            stage: Stage::Transcription,
            transcript: text.map(str::to_owned),
            ..blank.clone()
        };
        let live = "TranscriptionEvent=transcription-content&TranscriptionData=%7B%22transcript%22%3A%22Bonjour%22%7D";
        for (rest, expected) in [
            (
                format!("RecordingSid=RE1&RecordingUrl={place}&RecordingStatus=completed&RecordingDuration=17"),
                recording,
            ),
            (format!("RecordingSid=RE1&RecordingUrl={place}&RecordingStatus=absent&ErrorCode=16101"), absent),
            (
                "TranscriptionSid=TR1&TranscriptionStatus=completed&TranscriptionText=Bonjour".to_owned(),
                text(Some("Bonjour")),
            ),
            ("TranscriptionSid=TR1&TranscriptionStatus=failed&TranscriptionText=Bo".to_owned(), text(None)),
            (format!("{live}&Final=true"), text(Some("Bonjour"))),
        ] {
            assert_eq!(call(&Twilio, Door::Events, &format!("CallSid=CA01&{rest}")), expected, "{rest}");
        }
        let unfinished = format!("CallSid=CA01&{live}&Final=false");
        assert_means_nothing(&Twilio, &[&unfinished, "CallSid=CA01&TranscriptionEvent=transcription-started"]);
    }

    #[test]
    fn text_messages_are_reported() {
        for (body, error) in [("&ErrorCode=30006", Some("30006")), ("", None), ("&ErrorCode=0", None)] {
            let body = format!("MessageSid=SM1&SmsSid=SM1&MessageStatus=undelivered&SmsStatus=undelivered{body}");
            let asked = Asked::post(Door::Sms, URL, &body);
            let heard = asked.heard(&Twilio, &habits(&Twilio, rlibphonenumber::Region::FR));
            let (message_id, state) = ("SM1".to_owned(), "undelivered".to_owned());
            assert_eq!(heard, Ok(vec![Heard::Text(TextReport { message_id, state, error: error.map(str::to_owned) })]));
        }
    }

    #[test]
    fn what_tells_of_no_call_is_unusable() {
        assert_unusable(&Twilio, &["", "CallStatus=ringing", "CallSid=", "{\"CallSid\":", "a%", "<x"]);
    }

    #[test]
    fn callers_hear_their_number_and_may_leave_a_message() {
        let say = r#"<Say language="fr-FR">Numéro &lt;4 8 2&gt;.</Say>"#;
        let head = r#"<?xml version="1.0" encoding="UTF-8"?><Response>"#;
        let body = |query: &str, change: fn(&mut Said<'_>)| answered(&Twilio, Door::Voice, query, change).body;
        assert_eq!(body("", |_| {}), format!("{head}{say}</Response>"));
        let record = concat!(
            r#"<Record action="https://desk.example.com/in/pbx/voice/t?step=recorded" maxLength="120" playBeep="true" "#,
            r#"recordingStatusCallback="https://desk.example.com/in/pbx/recording/t"/>"#
        );
        let asks = |said: &mut Said<'_>| (said.record, said.token) = (true, Some("t"));
        assert_eq!(body("", asks), format!("{head}{say}{record}</Response>"));
        assert_eq!(body("step=recorded", |_| {}), format!("{head}<Hangup/></Response>"));
        assert_eq!(body("", |said| said.reject = true), format!(r#"{head}<Reject reason="busy"/></Response>"#));
        assert_eq!(body("", |said| said.words = None), format!("{head}</Response>"));
        assert_eq!(answered(&Twilio, Door::Status, "", |_| {}), Reply::empty());
    }
}
