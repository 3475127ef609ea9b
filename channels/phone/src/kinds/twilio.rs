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
    let withheld = habits.line(fields.get(&["From", "Caller"]));
    let mut event = CallEvent {
        call_id,
        direction: fields.of("Direction").map(|word| match word {
            "inbound" => Direction::In,
            _ => Direction::Out,
        }),
        name: fields.of("CallerName").filter(|_| !withheld.withheld).map(str::to_owned),
        caller: withheld,
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
#[path = "twilio_tests.rs"]
mod tests;
