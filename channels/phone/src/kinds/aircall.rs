//! Aircall.
//!
//! Page: <https://developer.aircall.io/api-references/#webhooks>.
//!
//! Nothing is signed: each body carries the hook's token. It covers nothing, not even the rest of the body, and whoever reads one
//! request can send others. Ten hooks in a row that fail and Aircall switches the hook off, so that what cannot be used is taken
//! all the same.

use super::{Habits, Reply, Said, System, Unusable};
use crate::event::{CallEvent, Direction, Disposition, Heard, Recording, Stage};
use crate::fields::Fields;
use crate::request::{Denied, Request, Secrets};

pub(crate) struct Aircall;

impl System for Aircall {
    fn verify(&self, request: &Request<'_>, secrets: &Secrets) -> Result<(), Denied> {
        let fields = Fields::read(request.body).unwrap_or_default();
        // The token of the hook, wherever the operator wrote it: as `token` or as `secret`.
        let hook = fields.of("token").unwrap_or_default();
        let secrets = secrets.keys.iter().fold(secrets.clone(), |secrets, key| secrets.with_token(key.expose()));
        if secrets.knows(hook) { Ok(()) } else { secrets.shown(request) }
    }

    fn parse(&self, _: &Request<'_>, fields: &Fields, habits: &Habits) -> Result<Vec<Heard>, Unusable> {
        let word = fields.of("event").unwrap_or_default();
        let Some(word) = word.strip_prefix("call.") else {
            return if word.is_empty() { Err(Unusable::NoCall) } else { Ok(Vec::new()) };
        };
        let call_id = fields.get(&["data.id", "data.call_id"]).ok_or(Unusable::NoCall)?.to_owned();
        let stage = match word {
            "created" | "ringing_on_agent" => Stage::Ringing,
            "answered" => Stage::Answered,
            "hungup" | "ended" => Stage::Ended,
            "voicemail_left" | "assigned" | "transferred" | "external_transferred" | "commented" | "tagged" => {
                Stage::Unknown
            }
            _ => return Ok(Vec::new()),
        };
        let answered_at = habits.moment(fields.of("data.answered_at"));
        let recording = recording(fields);
        let by_agent = stage == Stage::Answered || answered_at.is_some();
        let caller = habits.line(fields.of("data.raw_digits"));
        let us = habits.line(fields.of("data.number.digits"));
        let direction = direction(fields);
        let (caller, callee) = if direction == Some(Direction::Out) { (us, caller) } else { (caller, us) };
        let name = name(fields).filter(|_| !caller.withheld && direction != Some(Direction::Out));
        let event = CallEvent {
            call_id,
            direction,
            name,
            disposition: disposition(word, fields, answered_at.is_some()),
            by_agent,
            agent: fields.get(&["data.user.name", "data.user.email"]).filter(|_| by_agent).map(str::to_owned),
            queue: fields.of("data.teams.0.name").map(str::to_owned),
            started_at: habits.moment(fields.of("data.started_at")),
            answered_at,
            ended_at: habits.moment(fields.of("data.ended_at")),
            duration_s: fields.of("data.duration").filter(|_| stage == Stage::Ended).and_then(|secs| secs.parse().ok()),
            stage: if stage == Stage::Unknown && recording.is_some() { Stage::Recording } else { stage },
            recording,
            caller,
            callee,
            ..CallEvent::default()
        };
        Ok(vec![Heard::Call(Box::new(event))])
    }

    fn answer(&self, _: &Said<'_>) -> Reply {
        Reply::empty()
    }

    fn is_touchy(&self) -> bool {
        true
    }
}

fn direction(fields: &Fields) -> Option<Direction> {
    Some(match fields.of("data.direction")? {
        "inbound" => Direction::In,
        "outbound" => Direction::Out,
        _ => return None,
    })
}

fn recording(fields: &Fields) -> Option<Recording> {
    let url = fields.get(&["data.recording", "data.voicemail"])?;
    Some(Recording { url: url.to_owned(), duration_s: None })
}

/// Told by `ended` alone: of `hungup` the vendor says that not all is known yet.
fn disposition(word: &str, fields: &Fields, answered: bool) -> Option<Disposition> {
    if fields.of("data.voicemail").is_some() && !answered {
        return Some(Disposition::Voicemail);
    }
    if word != "ended" {
        return None;
    }
    Some(match fields.of("data.missed_call_reason") {
        _ if answered => Disposition::Answered,
        Some("abandoned_in_ivr" | "abandoned_in_classic" | "short_abandoned") => Disposition::Abandoned,
        Some("blocked" | "blacklisted") => Disposition::Blocked,
        _ => Disposition::Missed,
    })
}

fn name(fields: &Fields) -> Option<String> {
    let names = [fields.of("data.contact.first_name"), fields.of("data.contact.last_name")];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::probe::*;
    use super::*;
    use crate::request::Door;

    const URL: &str = "https://desk.example.com/in/pbx/events";

    fn body(event: &str, more: &Value) -> String {
        let mut data = json!({
            "id": 812_345_678, "direction": "inbound", "started_at": NOW - 42, "answered_at": null, "ended_at": null,
            "raw_digits": "+33 6 12 34 56 78", "number": {"digits": "+33 1 40 00 00 01"}, "duration": 42,
        });
        for (name, value) in more.as_object().unwrap() {
            data[name] = value.clone();
        }
        json!({"resource": "call", "event": event, "timestamp": NOW, "token": "token-of-the-hook", "data": data})
            .to_string()
    }

    #[test]
    fn the_token_in_the_body_is_what_is_believed() {
        let asked = Asked::post(Door::Events, URL, &body("call.created", &json!({})));
        for secrets in [tokens(&["an-older-token", "token-of-the-hook"]), keys(&["token-of-the-hook"])] {
            assert_eq!(asked.verified(&Aircall, &secrets), Ok(()));
            let whole = body("call.created", &json!({}));
            let from = whole.find("token-of-the-hook").unwrap();
            for (at, changed) in asked.flips(Part::Body) {
                if (from..from + "token-of-the-hook".len()).contains(&at) {
                    assert_eq!(changed.verified(&Aircall, &secrets), Err(Denied::Forbidden), "byte {at}");
                }
            }
        }
        for bad in ["", "{", "{}", r#"{"token":null}"#, r#"{"token":""}"#, r#"{"data":{"token":"token-of-the-hook"}}"#]
        {
            let asked = Asked::post(Door::Events, URL, bad);
            assert_eq!(asked.verified(&Aircall, &tokens(&["token-of-the-hook"])), Err(Denied::Forbidden), "{bad}");
        }
    }

    #[test]
    fn every_event_is_understood() {
        let base = |stage| CallEvent {
            call_id: "812345678".to_owned(),
            stage,
            direction: Some(Direction::In),
            caller: line("+33612345678"),
            callee: line("+33140000001"),
            started_at: at(NOW - 42),
            ..CallEvent::default()
        };
        let media = |url: &str| Some(Recording { url: url.to_owned(), duration_s: None });
        let ended =
            |disposition| CallEvent { disposition, ended_at: at(NOW), duration_s: Some(42), ..base(Stage::Ended) };
        let agent = Some("Jean Agent".to_owned());
        let taken =
            |stage| CallEvent { by_agent: true, agent: agent.clone(), answered_at: at(NOW - 32), ..base(stage) };
        let picked = json!({"answered_at": NOW - 32, "user": {"name": "Jean Agent", "email": "jean@example.org"}});
        let mut done = picked.clone();
        done["ended_at"] = json!(NOW);
        done["recording"] = json!("https://assets.aircall.io/r.mp3?X-Amz-Expires=3600");
        let missed = |reason: &str| json!({"ended_at": NOW, "missed_call_reason": reason});
        let voicemail =
            json!({"ended_at": NOW, "voicemail": "https://assets.aircall.io/v.mp3", "missed_call_reason": "x"});
        for (event, more, expected) in [
            ("call.created", json!({}), base(Stage::Ringing)),
            (
                "call.ringing_on_agent",
                json!({"contact": {"first_name": "Ann", "last_name": "B"}}),
                CallEvent { name: Some("Ann B".to_owned()), ..base(Stage::Ringing) },
            ),
            ("call.answered", picked, taken(Stage::Answered)),
            ("call.hungup", json!({"ended_at": NOW, "missed_call_reason": "no_available_agent"}), ended(None)),
            (
                "call.ended",
                done,
                CallEvent {
                    disposition: Some(Disposition::Answered),
                    ended_at: at(NOW),
                    duration_s: Some(42),
                    recording: media("https://assets.aircall.io/r.mp3?X-Amz-Expires=3600"),
                    ..taken(Stage::Ended)
                },
            ),
            ("call.ended", missed("no_available_agent"), ended(Some(Disposition::Missed))),
            ("call.ended", missed("out_of_opening_hours"), ended(Some(Disposition::Missed))),
            ("call.ended", missed("abandoned_in_ivr"), ended(Some(Disposition::Abandoned))),
            ("call.ended", missed("short_abandoned"), ended(Some(Disposition::Abandoned))),
            (
                "call.ended",
                voicemail.clone(),
                CallEvent {
                    recording: media("https://assets.aircall.io/v.mp3"),
                    ..ended(Some(Disposition::Voicemail))
                },
            ),
            (
                "call.voicemail_left",
                voicemail,
                CallEvent {
                    disposition: Some(Disposition::Voicemail),
                    ended_at: at(NOW),
                    recording: media("https://assets.aircall.io/v.mp3"),
                    ..base(Stage::Recording)
                },
            ),
            ("call.tagged", json!({}), base(Stage::Unknown)),
        ] {
            assert_eq!(call(&Aircall, Door::Events, &body(event, &more)), expected, "{event}");
        }
        let hidden = call(&Aircall, Door::Events, &body("call.created", &json!({"raw_digits": "anonymous"})));
        assert_eq!(hidden.caller, withheld());
        let out = call(&Aircall, Door::Events, &body("call.created", &json!({"direction": "outbound"})));
        assert_eq!((out.caller, out.callee), (line("+33140000001"), line("+33612345678")), "they name the customer");
    }

    #[test]
    fn what_tells_of_no_call_is_unusable_and_kept_aside_in_silence() {
        assert_unusable(&Aircall, &["", "{", "{}", r#"{"event":"call.created","data":{}}"#]);
        assert_means_nothing(
            &Aircall,
            &[r#"{"event":"user.connected","data":{"id":1}}"#, &body("call.levitated", &json!({}))],
        );
        assert!(Aircall.is_touchy());
        assert_eq!(answered(&Aircall, Door::Voice, "", |_| {}), Reply::empty());
    }
}
