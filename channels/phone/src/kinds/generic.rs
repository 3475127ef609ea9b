//! Anything that can post JSON or a form, or get an address with variables in it.
//!
//! The names are those of Zammad's generic CTI interface, which many systems can be made to speak, with what others call the same.
//! Signed by Standard Webhooks where the source has a `secret`, else a token.

use data_encoding::BASE64;
use ring::hmac;
use serde_json::json;

use super::{Habits, Reply, Said, System, Unusable};
use crate::event::{CallEvent, Direction, Disposition, Heard, Recording, Stage};
use crate::fields::Fields;
use crate::request::{Denied, Door, Request, Secrets};

pub(crate) struct Generic;

const CALL: [&str; 9] =
    ["call_id", "callId", "callid", "uuid", "linkedid", "callref", "CallId", "context_variables.channel_uid", "id"];
const CALLER: [&str; 9] = [
    "from",
    "caller",
    "caller_number",
    "number",
    "src",
    "calling",
    "callerid",
    "From",
    "context_variables.caller_number",
];
const CALLEE: [&str; 9] =
    ["to", "callee", "called", "called_number", "numcalled", "dst", "ddi", "To", "context_variables.called_number"];
const EVENT: [&str; 5] = ["event", "type", "event_type", "state", "status"];

impl System for Generic {
    fn verify(&self, request: &Request<'_>, secrets: &Secrets) -> Result<(), Denied> {
        if secrets.keys.is_empty() { secrets.shown(request) } else { signed(request, secrets) }
    }

    fn parse(&self, _: &Request<'_>, fields: &Fields, habits: &Habits) -> Result<Vec<Heard>, Unusable> {
        if fields.is_empty() {
            return Err(Unusable::Malformed("there is nothing in it".to_owned()));
        }
        let event = read(fields, habits);
        let nobody = event.caller == event.callee && event.caller.number.is_none() && event.caller.raw.is_none();
        if event.call_id.is_empty() && event.also.is_none() && nobody {
            return Err(Unusable::NoCall);
        }
        Ok(vec![Heard::Call(Box::new(event))])
    }

    fn answer(&self, said: &Said<'_>) -> Reply {
        let mut answer = serde_json::Map::new();
        if let Some(reference) = said.reference {
            answer.insert("ticket".to_owned(), json!(reference));
        }
        if said.reject {
            answer.insert("action".to_owned(), json!("reject"));
            answer.insert("reason".to_owned(), json!("busy"));
        } else if said.door == Door::Voice {
            answer.insert("say".to_owned(), json!(said.words.unwrap_or_default()));
            answer.insert("action".to_owned(), json!("none"));
        }
        Reply::json(&answer.into())
    }
}

/// An event in the generic names.
pub(super) fn read(fields: &Fields, habits: &Habits) -> CallEvent {
    let withheld = fields.get(&["withheld", "is_anonymous", "anonymous", "num_pres"]).is_some_and(is_withheld);
    let mut caller = habits.line(fields.get(&CALLER));
    if withheld {
        caller = crate::event::Line { withheld: true, ..Default::default() };
    }
    let (url, transcript) = (
        fields.get(&["recording_url", "recordingUrl", "recording"]),
        fields.get(&["transcript", "transcription", "text"]),
    );
    let (answered_at, ended_at) =
        (habits.moment(fields.of("answered_at")), habits.moment(fields.get(&["ended_at", "end"])));
    let word = fields.get(&EVENT).map(plain).unwrap_or_default();
    let by_word = by_word(&word);
    let by_fields = || {
        if !word.is_empty() {
            Stage::Unknown
        } else if url.is_some() {
            Stage::Recording
        } else if transcript.is_some() {
            Stage::Transcription
        } else if ended_at.is_some() {
            Stage::Ended
        } else if answered_at.is_some() {
            Stage::Answered
        } else {
            Stage::Ringing
        }
    };
    let stage = by_word.map_or_else(by_fields, |(stage, _)| stage);
    let agent = fields.get(&["user", "agent", "answeringNumber", "user.0", "user[]"]);
    let voicemail = agent.is_some_and(|agent| agent.eq_ignore_ascii_case("voicemail"));
    let said = fields.get(&["disposition", "result"]).and_then(|word| disposition(&plain(word)));
    let caused = fields.of("cause").filter(|_| stage == Stage::Ended).and_then(|word| cause(&plain(word)));
    let disposition = if voicemail && stage == Stage::Answered {
        Some(Disposition::Voicemail)
    } else {
        said.or(by_word.and_then(|(_, disposition)| disposition)).or(caused)
    };
    let seconds = |name: &[&str]| fields.get(name).and_then(|text| text.split('.').next()?.parse().ok());
    CallEvent {
        call_id: fields.get(&CALL).unwrap_or_default().to_owned(),
        also: fields.get(&["conversation_id", "leg_id"]).map(str::to_owned),
        stage,
        direction: fields
            .get(&["direction", "Direction"])
            .and_then(|word| direction(&plain(word)))
            .or(Some(Direction::In)),
        caller,
        callee: habits.line(fields.get(&CALLEE)),
        name: fields.get(&["name", "caller_name", "callerName", "clid"]).filter(|_| !withheld).map(str::to_owned),
        disposition,
        by_agent: stage == Stage::Answered && !voicemail,
        agent: agent.filter(|_| stage != Stage::Ringing && !voicemail).map(str::to_owned),
        queue: fields.of("queue").map(str::to_owned),
        started_at: habits.moment(fields.get(&["started_at", "start"])),
        answered_at,
        ended_at,
        duration_s: seconds(&["duration_s", "duration", "billsec"]),
        recording: url.map(|url| Recording {
            url: url.to_owned(),
            duration_s: seconds(&["recording_duration_s", "recording_duration"]),
        }),
        transcript: transcript.map(str::to_owned),
        digits: fields.get(&["digits", "dtmf"]).map(str::to_owned),
        attested: fields.of("attestation").map(str::to_owned),
    }
}

/// Lower case, letters and digits alone: `call.ended` and `Call-Ended` are one word.
pub(super) fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_withheld(value: &str) -> bool {
    let value = value.to_lowercase();
    matches!(value.as_str(), "1" | "true" | "yes") || value.starts_with("prohib")
}

fn by_word(word: &str) -> Option<(Stage, Option<Disposition>)> {
    Some(match word {
        "newcall" | "ringing" | "ring" | "start" | "started" | "setup" | "startringing" | "incoming"
        | "incomingcall" | "callstart" | "callstarted" | "callringing" | "callincoming" | "callcreated"
        | "initiated" | "created" => (Stage::Ringing, None),
        "answer" | "answered" | "connect" | "connected" | "pickup" | "callanswered" | "accepted" | "inprogress" => {
            (Stage::Answered, None)
        }
        "hangup" | "ended" | "end" | "release" | "released" | "completed" | "callended" | "callhangup"
        | "terminated" | "bye" | "disconnect" | "disconnected" | "finished" | "endringing" | "cdr" => {
            (Stage::Ended, None)
        }
        "recording" | "recordingready" | "recordingavailable" | "recordavailable" | "callrecording" => {
            (Stage::Recording, None)
        }
        "transcription" | "transcript" | "transcriptionready" | "transcriptionavailable" => {
            (Stage::Transcription, None)
        }
        other => (Stage::Ended, Some(disposition(other)?)),
    })
}

/// What a word for a call's end means.
pub(super) fn disposition(word: &str) -> Option<Disposition> {
    Some(match word.strip_prefix("call").unwrap_or(word) {
        "answered" => Disposition::Answered,
        "missed" | "noanswer" | "notanswered" | "unanswered" => Disposition::Missed,
        "voicemail" => Disposition::Voicemail,
        "busy" => Disposition::Busy,
        "abandoned" | "abandon" | "cancelled" | "canceled" | "cancel" => Disposition::Abandoned,
        "ivr" => Disposition::Ivr,
        "blocked" | "rejected" => Disposition::Blocked,
        "failed" | "error" => Disposition::Failed,
        _ => return None,
    })
}

/// What the cause of a hang-up tells of the call; a normal clearing tells nothing.
pub(super) fn cause(word: &str) -> Option<Disposition> {
    Some(match word {
        "cancel" | "originatorcancel" => Disposition::Abandoned,
        "busy" | "userbusy" => Disposition::Busy,
        "noanswer" | "timeout" | "nouserresponse" | "allotedtimeout" => Disposition::Missed,
        "forwarded" | "blocked" | "callrejected" => Disposition::Blocked,
        "notfound" | "unallocatednumber" | "congestion" | "failed" => Disposition::Failed,
        _ => return None,
    })
}

fn direction(word: &str) -> Option<Direction> {
    Some(match word {
        "in" | "inbound" | "incoming" => Direction::In,
        "out" | "outbound" | "outgoing" => Direction::Out,
        "internal" | "local" => Direction::Internal,
        _ => return None,
    })
}

/// Standard Webhooks, version `v1`: HMAC-SHA256 over id, timestamp and body. A request without a body signs nothing.
pub(crate) fn signed(request: &Request<'_>, secrets: &Secrets) -> Result<(), Denied> {
    let header = |name| request.header(name).ok_or(Denied::Forbidden);
    let (id, timestamp, signatures) =
        (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
    let secs: i64 = timestamp.parse().map_err(|_| Denied::Forbidden)?;
    if request.body.is_empty() || !request.is_fresh(secs) {
        return Err(Denied::Forbidden);
    }
    let mut signed = format!("{id}.{timestamp}.").into_bytes();
    signed.extend_from_slice(request.body);
    let shown = signatures.split(' ').filter_map(|part| part.strip_prefix("v1,"));
    let shown: Vec<Vec<u8>> = shown.filter_map(|part| BASE64.decode(part.as_bytes()).ok()).take(10).collect();
    let keys = secrets.keys.iter().map(|secret| {
        let encoded = secret.expose().strip_prefix("whsec_").unwrap_or(secret.expose());
        // A secret that is no base64 is used as it stands.
        let bytes = BASE64.decode(encoded.as_bytes()).unwrap_or_else(|_| encoded.as_bytes().to_vec());
        hmac::Key::new(hmac::HMAC_SHA256, &bytes)
    });
    let known = keys.fold(false, |found, key| {
        shown.iter().fold(found, |found, shown| hmac::verify(&key, &signed, shown).is_ok() | found)
    });
    if known { Ok(()) } else { Err(Denied::Forbidden) }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use rlibphonenumber::Region;

    use super::*;
    use crate::number::Numbers;

    fn heard(body: &str) -> CallEvent {
        let numbers = Numbers { country: Region::FR, plusless: false };
        read(&Fields::read(body.as_bytes()).unwrap(), &Habits { numbers, zone: TimeZone::UTC })
    }

    #[test]
    fn one_call_told_in_many_dialects() {
        for (body, stage, disposition, by_agent) in [
            ("event=newCall&from=0612345678&to=0140000001&call_id=1&user=a", "ringing", None, false),
            ("event=start_ringing&number=0033612345678&called=0033140000001&callref=1", "ringing", None, false),
            ("callid=1&caller=0612345678&numcalled=0140000001", "ringing", None, false),
            ("event=answer&from=+33612345678&to=+33140000001&call_id=1", "answered", None, true),
            (
                "event=answer&from=+33612345678&to=+33140000001&call_id=1&user=voicemail",
                "answered",
                Some("voicemail"),
                false,
            ),
            ("event=hangup&from=+33612345678&to=+33140000001&call_id=1&cause=normalClearing", "ended", None, false),
            (
                "event=hangup&from=+33612345678&to=+33140000001&call_id=1&cause=cancel",
                "ended",
                Some("abandoned"),
                false,
            ),
            ("event=RELEASE&from=+33612345678&to=+33140000001&call_id=1&cause=busy", "ended", Some("busy"), false),
            (
                r#"{"type":"call.missed","uuid":"1","caller":"+33612345678","callee":"+33140000001"}"#,
                "ended",
                Some("missed"),
                false,
            ),
        ] {
            let event = heard(body);
            assert_eq!(event.call_id, "1", "{body}");
            assert_eq!(event.caller.number.as_deref(), Some("+33612345678"), "{body}");
            assert_eq!(event.callee.number.as_deref(), Some("+33140000001"), "{body}");
            assert_eq!(event.stage.as_str(), stage, "{body}");
            assert_eq!(event.disposition.map(Disposition::as_str), disposition, "{body}");
            assert_eq!(event.by_agent, by_agent, "{body}");
        }
    }

    #[test]
    fn a_number_that_is_withheld_by_a_flag_is_dropped() {
        let event = heard("event=newCall&from=+33600000009&to=+33140000001&call_id=1&withheld=1&name=Jeanne");
        assert!(event.caller.withheld && event.caller.number.is_none() && event.name.is_none());
    }

    #[test]
    fn an_event_nobody_knows_moves_nothing() {
        assert_eq!(heard("event=dtmf&call_id=1&dtmf=42").stage, Stage::Unknown);
    }
}
