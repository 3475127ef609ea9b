//! Kamailio (OpenSIPS, IvozProvider): what its configuration posts.
//!
//! Pages: <https://kamailio.org/docs/modules/stable/modules/http_client.html>,
//! <https://kamailio.org/docs/modules/stable/modules/acc_json.html>.
//!
//! Two forms: events in the generic names, posted by the dialog module's event routes (`docs/PHONE.md` has them), and the records
//! of `acc_json`, posted from its queue. Nothing is signed: a token in a header or the path is all there is.
//!
//! A proxy sees a dialog or none: a dialog means that somebody, or a machine behind it, picked up. Behind a PBX that queues or
//! records let the PBX tell instead.

use super::{Habits, Reply, Said, System, Unusable, generic};
use crate::event::{CallEvent, Direction, Disposition, Heard, Stage};
use crate::fields::Fields;
use crate::request::Request;

pub(crate) struct Kamailio;

impl System for Kamailio {
    fn parse(&self, _: &Request<'_>, fields: &Fields, habits: &Habits) -> Result<Vec<Heard>, Unusable> {
        if fields.get(&["call_id", "callid"]).is_none() {
            return Err(Unusable::NoCall);
        }
        let is_record = fields.of("event").is_none() && fields.get(&["method", "start_time"]).is_some();
        let event = if is_record { recorded(fields, habits) } else { Some(told(fields, habits)) };
        let event = event.filter(|event| event.stage != Stage::Unknown);
        Ok(event.map(|event| Heard::Call(Box::new(event))).into_iter().collect())
    }

    fn answer(&self, said: &Said<'_>) -> Reply {
        generic::Generic.answer(said)
    }
}

fn told(fields: &Fields, habits: &Habits) -> CallEvent {
    let mut event = generic::read(fields, habits);
    if event.stage == Stage::Ended {
        event.by_agent = event.answered_at.is_some();
        if event.by_agent {
            event.disposition = Some(Disposition::Answered);
        } else {
            // Never taken: it lasted no time.
            event.duration_s = event.duration_s.or(Some(0));
            event.disposition = fields.of("sip_code").and_then(failure).or(event.disposition);
        }
    }
    event
}

/// A record: of one request (`method`), or of a whole dialog.
fn recorded(fields: &Fields, habits: &Habits) -> Option<CallEvent> {
    let mut event = CallEvent {
        call_id: fields.get(&["callid", "call_id"]).unwrap_or_default().to_owned(),
        direction: Some(Direction::In),
        caller: habits.line(fields.get(&["src_user", "from_user", "caller", "src"])),
        callee: habits.line(fields.get(&["dst_ouser", "dst_user", "to_user", "callee", "dst"])),
        ..CallEvent::default()
    };
    let at = habits.moment(fields.get(&["time_hires", "time"]));
    let code = fields.of("sip_code").unwrap_or_default();
    match fields.of("method") {
        None => {
            event.stage = Stage::Ended;
            (event.disposition, event.by_agent) = (Some(Disposition::Answered), true);
            event.answered_at = habits.moment(fields.of("start_time"));
            event.ended_at = habits.moment(fields.of("end_time"));
            event.duration_s = fields.of("duration").and_then(|secs| secs.split('.').next()?.parse().ok());
        }
        Some("INVITE") if code.starts_with('2') => {
            (event.stage, event.by_agent, event.answered_at) = (Stage::Answered, true, at);
        }
        Some("INVITE") => {
            (event.stage, event.disposition, event.ended_at) = (Stage::Ended, failure(code), at);
        }
        // A call that was taken: how it went was told by its INVITE. Whoever hangs up, the dialog's two ends trade places.
        Some("BYE") => {
            let known = CallEvent { call_id: event.call_id, direction: event.direction, ..CallEvent::default() };
            event = CallEvent { stage: Stage::Ended, ended_at: at, ..known };
        }
        Some("CANCEL") => {
            (event.stage, event.disposition, event.ended_at) = (Stage::Ended, Some(Disposition::Abandoned), at);
        }
        Some(_) => return None,
    }
    Some(event)
}

/// What a SIP status says of a call that nobody took.
fn failure(code: &str) -> Option<Disposition> {
    Some(match code {
        "486" | "600" => Disposition::Busy,
        "487" => Disposition::Abandoned,
        "408" | "480" | "603" => Disposition::Missed,
        code if code.len() == 3 && code.starts_with(['3', '4', '5', '6']) => Disposition::Failed,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::probe::*;
    use super::*;
    use crate::event::Line;
    use crate::request::{Denied, Door};

    fn base(stage: Stage) -> CallEvent {
        CallEvent {
            call_id: "1-8696@127.0.0.1".to_owned(),
            stage,
            direction: Some(Direction::In),
            caller: line("+33612345678"),
            callee: line("+33140000001"),
            ..CallEvent::default()
        }
    }

    #[test]
    fn every_event_of_the_dialog_module_is_understood() {
        let ended = |disposition, secs| CallEvent {
            disposition: Some(disposition),
            started_at: at(NOW - 42),
            ended_at: at(NOW),
            duration_s: Some(secs),
            ..base(Stage::Ended)
        };
        let taken = CallEvent { by_agent: true, answered_at: at(NOW - 32), ..ended(Disposition::Answered, 32) };
        let times = format!(r#""started_at":"{}.0","ended_at":"{NOW}.0""#, NOW - 42);
        for (rest, expected) in [
            (
                format!(r#""event":"newCall","started_at":"{}.000000""#, NOW - 42),
                CallEvent { started_at: at(NOW - 42), ..base(Stage::Ringing) },
            ),
            (
                format!(r#""event":"answer","answered_at":"{}.000000""#, NOW - 32),
                CallEvent { answered_at: at(NOW - 32), by_agent: true, ..base(Stage::Answered) },
            ),
            (
                format!(
                    r#""event":"hangup","cause":"normalClearing",{times},"answered_at":"{}","duration_s":32"#,
                    NOW - 32
                ),
                taken,
            ),
            (format!(r#""event":"hangup","cause":"busy",{times}"#), ended(Disposition::Busy, 0)),
            (format!(r#""event":"hangup","cause":"cancel",{times}"#), ended(Disposition::Abandoned, 0)),
            (format!(r#""event":"hangup","cause":"noAnswer","sip_code":486,{times}"#), ended(Disposition::Busy, 0)),
            (format!(r#""event":"hangup","cause":"noAnswer","sip_code":408,{times}"#), ended(Disposition::Missed, 0)),
            (format!(r#""event":"hangup","cause":"noAnswer","sip_code":404,{times}"#), ended(Disposition::Failed, 0)),
            (format!(r#""event":"hangup","cause":"noAnswer",{times}"#), ended(Disposition::Missed, 0)),
        ] {
            let who = r#""direction":"in","call_id":"1-8696@127.0.0.1","from":"+33612345678","to":"+33140000001""#;
            assert_eq!(call(&Kamailio, Door::Events, &format!("{{{who},{rest}}}")), expected, "{rest}");
        }
    }

    #[test]
    fn every_record_of_acc_json_is_understood() {
        let who = r#""callid":"1-8696@127.0.0.1","from_tag":"a","to_tag":"b","src_user":"+33612345678","dst_ouser":"0140000001""#;
        let failed =
            |disposition| CallEvent { disposition: Some(disposition), ended_at: at(NOW), ..base(Stage::Ended) };
        let bye =
            CallEvent { caller: Line::default(), callee: Line::default(), ended_at: at(NOW), ..base(Stage::Ended) };
        let dialog = CallEvent {
            by_agent: true,
            answered_at: at(NOW - 32),
            duration_s: Some(32),
            ..failed(Disposition::Answered)
        };
        for (rest, expected) in [
            (
                format!(r#""method":"INVITE","sip_code":"200","sip_reason":"OK","time":{NOW}"#),
                CallEvent { by_agent: true, answered_at: at(NOW), ..base(Stage::Answered) },
            ),
            (format!(r#""method":"INVITE","sip_code":"486","time":{NOW}.0"#), failed(Disposition::Busy)),
            (format!(r#""method":"INVITE","sip_code":"487","time":{NOW}"#), failed(Disposition::Abandoned)),
            (format!(r#""method":"INVITE","sip_code":"480","time":{NOW}"#), failed(Disposition::Missed)),
            (format!(r#""method":"INVITE","sip_code":"503","time":{NOW}"#), failed(Disposition::Failed)),
            (format!(r#""method":"CANCEL","sip_code":"200","time":{NOW}"#), failed(Disposition::Abandoned)),
            (r#""method":"BYE","sip_code":"200","time":"2026-11-22 10:15:42""#.to_owned(), bye),
            (format!(r#""start_time":"{}.000","end_time":"{NOW}.000","duration":"32.000""#, NOW - 32), dialog),
        ] {
            assert_eq!(call(&Kamailio, Door::Events, &format!("{{{who},{rest}}}")), expected, "{rest}");
        }
        assert_means_nothing(&Kamailio, &[r#"{"callid":"1","method":"OPTIONS","sip_code":"200"}"#]);
    }

    #[test]
    fn whoever_asks_for_privacy_gets_it() {
        let event =
            call(&Kamailio, Door::Events, r#"{"event":"newCall","call_id":"1","from":"anonymous","to":"0140000001"}"#);
        assert_eq!(event.caller, withheld());
    }

    #[test]
    fn a_token_is_needed() {
        let asked = Asked::post(Door::Events, "https://desk.example.com/in/sip/events", "{}");
        let secrets = tokens(&["token-of-16-signs"]);
        assert_eq!(asked.verified(&Kamailio, &secrets), Err(Denied::Forbidden));
        let asked = asked.with("authorization", "Bearer token-of-16-signs");
        assert_eq!(asked.verified(&Kamailio, &secrets), Ok(()));
    }

    #[test]
    fn what_tells_of_no_call_is_unusable() {
        assert_unusable(&Kamailio, &["", "{}", "{", r#"{"event":"newCall"}"#, r#"{"callid":"","method":"BYE"}"#]);
    }
}
