//! FreeSWITCH: the records of ended calls (mod_json_cdr, mod_xml_cdr) and calls that ask what shall happen (mod_httapi).
//!
//! Pages: <https://developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Modules/mod_json_cdr_6586541/>,
//! <https://developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Modules/mod_xml_cdr_1049001/>, and `mod_httapi_doc.txt` beside
//! its source.
//!
//! Nothing is signed: a token in the path or as Basic password (`cred`) is all there is, and whoever knows it may tell anything.
//! Whether FreeSWITCH checks our certificate is its own setting, off by default.
//!
//! A record may come as JSON, as XML or as either behind `cdr=`, percent-encoded, in base64 or bare, with any Content-Type; the
//! values of its variables are mostly percent-encoded once more.

use super::{Habits, Reply, Said, System, Unusable, escaped};
use crate::event::{CallEvent, Direction, Disposition, Heard, Line, Stage};
use crate::fields::{Fields, percent_decoded};
use crate::number::is_withheld;
use crate::request::{Door, Request};

pub(crate) struct FreeSwitch;

impl System for FreeSwitch {
    fn parse(&self, _: &Request<'_>, fields: &Fields, habits: &Habits) -> Result<Vec<Heard>, Unusable> {
        if let Some(session) = fields.of("session_id") {
            return Ok(vec![Heard::Call(Box::new(asking(session, fields, habits)))]);
        }
        let record = Record(fields);
        let call_id = record.of("uuid").ok_or(Unusable::NoCall)?;
        if record.is_outbound() && record.of("originating_leg_uuid").or_else(|| record.of("originator")).is_some() {
            // A call to one of the phones that rang for another call, which has a record of its own.
            return Ok(Vec::new());
        }
        Ok(vec![Heard::Call(Box::new(ended(call_id, &record, habits)))])
    }

    fn answer(&self, said: &Said<'_>) -> Reply {
        if said.door != Door::Voice {
            return Reply::empty();
        }
        let work = match said.words {
            _ if said.reject => r#"<hangup cause="USER_BUSY"/>"#.to_owned(),
            // `break`: the dialplan goes on behind it; without it the same would be asked again.
            Some(words) => format!(r#"<pause milliseconds="500"/><speak>{}</speak><break/>"#, escaped(words)),
            None => "<break/>".to_owned(),
        };
        Reply::xml(format!(r#"<document type="xml/freeswitch-httapi"><work>{work}</work></document>"#))
    }

    /// Records hold every variable of a call.
    fn body_limit(&self) -> usize {
        1 << 20
    }
}

/// The variables of a record, decoded.
struct Record<'a>(&'a Fields);

impl Record<'_> {
    fn of(&self, name: &str) -> Option<String> {
        let value = self.0.of(&format!("variables.{name}"))?;
        Some(percent_decoded(value, false)).filter(|value| !value.trim().is_empty())
    }

    fn is(&self, name: &str, wanted: &str) -> bool {
        self.of(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted))
    }

    /// A count or an instant that is not zero.
    fn count(&self, name: &str) -> Option<u64> {
        self.of(name)?.parse().ok().filter(|count| *count > 0)
    }

    fn is_outbound(&self) -> bool {
        self.is("direction", "outbound")
    }

    fn is_withheld(&self) -> bool {
        let hidden =
            ["privacy_hide_number", "origination_privacy_hide_number"].iter().any(|name| self.is(name, "true"));
        hidden
            || self.of("sip_Privacy").or_else(|| self.of("sip_h_Privacy")).is_some_and(|word| word.contains("id"))
            || self.of("caller_id_number").is_some_and(|number| is_withheld(&number))
    }
}

fn ended(call_id: String, record: &Record<'_>, habits: &Habits) -> CallEvent {
    let moment = |name: &str| {
        let value = record.of(&format!("{name}_uepoch")).or_else(|| record.of(&format!("{name}_epoch")));
        habits.moment(value.or_else(|| record.of(&format!("{name}_stamp"))).as_deref())
    };
    // What was never answered has zero there, not nothing.
    let was_answered = record.count("answer_uepoch").or_else(|| record.count("answer_epoch")).is_some();
    let disposition = disposition(record, was_answered);
    let withheld = record.is_withheld();
    let caller = match record.of("caller_id_number").or_else(|| record.of("effective_caller_id_number")) {
        _ if withheld => Line { withheld: true, ..Line::default() },
        number => habits.line(number.as_deref()),
    };
    let callee = habits.line(record.of("destination_number").as_deref());
    let by_agent = disposition == Some(Disposition::Answered);
    let agent = record.of("cc_agent").or_else(|| record.of("last_bridge_to_name")).filter(|_| by_agent);
    CallEvent {
        call_id,
        stage: Stage::Ended,
        direction: Some(direction(record, &caller, &callee)),
        name: record.of("caller_id_name").filter(|_| !withheld),
        caller,
        callee,
        disposition,
        by_agent,
        agent,
        queue: record.of("cc_queue"),
        started_at: moment("start"),
        answered_at: moment("answer").filter(|_| was_answered),
        ended_at: moment("end"),
        duration_s: record.of("duration").and_then(|secs| secs.parse().ok()),
        ..CallEvent::default()
    }
}

/// To FreeSWITCH a call of an agent to the outside comes in as well.
fn direction(record: &Record<'_>, caller: &Line, callee: &Line) -> Direction {
    match (caller.raw.is_some(), callee.raw.is_some()) {
        _ if record.is_outbound() => Direction::Out,
        (true, true) => Direction::Internal,
        (true, false) if callee.number.is_some() => Direction::Out,
        _ => Direction::In,
    }
}

/// That a call was answered says nothing: queues, menus and voicemail answer too.
fn disposition(record: &Record<'_>, was_answered: bool) -> Option<Disposition> {
    let last = record.of("last_app").unwrap_or_default();
    let cause = record.of("hangup_cause").unwrap_or_default();
    if last == "voicemail" || record.count("voicemail_message_len").is_some() {
        return Some(Disposition::Voicemail);
    }
    let queue = if record.is("cc_cause", "cancel") {
        // `BREAK_OUT`: the caller went; else nobody came in time.
        let gone = record.is("cc_cancel_reason", "BREAK_OUT");
        Some(if gone { Disposition::Abandoned } else { Disposition::Missed })
    } else {
        None
    };
    if queue.is_some() {
        return queue;
    }
    if was_answered {
        let bridged = ["bridge_uuid", "last_bridge_to", "cc_queue_answered_epoch"];
        let to_somebody = bridged.iter().any(|name| record.of(name).is_some_and(|value| value != "0"))
            || record.is("originate_disposition", "SUCCESS");
        return Some(match (to_somebody, record.of("cc_queue")) {
            (true, _) => Disposition::Answered,
            (false, Some(_)) => Disposition::Abandoned,
            (false, None) => Disposition::Ivr,
        });
    }
    Some(match cause.as_str() {
        "USER_BUSY" => Disposition::Busy,
        "ORIGINATOR_CANCEL" | "NORMAL_CLEARING" | "LOSE_RACE" => Disposition::Abandoned,
        "NO_ANSWER"
        | "NO_USER_RESPONSE"
        | "ALLOTTED_TIMEOUT"
        | "CALL_REJECTED"
        | "USER_NOT_REGISTERED"
        | "SUBSCRIBER_ABSENT"
        | "PICKED_OFF"
        | "PROGRESS_TIMEOUT" => Disposition::Missed,
        "" => return None,
        _ => Disposition::Failed,
    })
}

/// A call that asks what shall happen.
fn asking(session: &str, fields: &Fields, habits: &Habits) -> CallEvent {
    // Asked once more when the call goes.
    let goes = fields.of("exiting").is_some_and(|word| word == "true");
    let caller = habits.line(fields.get(&["Caller-Caller-ID-Number", "variable_caller_id_number"]));
    let outbound = fields.get(&["caller-direction", "Caller-Direction"]) == Some("outbound");
    CallEvent {
        call_id: session.to_owned(),
        stage: if goes { Stage::Unknown } else { Stage::Ringing },
        direction: Some(if outbound { Direction::Out } else { Direction::In }),
        name: fields.of("Caller-Caller-ID-Name").filter(|_| !caller.withheld).map(str::to_owned),
        caller,
        callee: habits.line(fields.get(&["Caller-Destination-Number", "variable_destination_number"])),
        ..CallEvent::default()
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use serde_json::{Value, json};

    use super::super::probe::*;
    use super::*;

    /// What every call below has in common.
    fn variables(more: &Value) -> Value {
        let mut variables = json!({
            "uuid": "u-1", "direction": "inbound", "caller_id_number": "+33612345678", "destination_number": "+33140000001",
            "start_epoch": "1795338900", "start_uepoch": "1795338900102334", "end_uepoch": "1795338942000771",
            "answer_epoch": "0", "answer_uepoch": "0", "duration": "42", "hangup_cause": "NORMAL_CLEARING",
        });
        for (name, value) in more.as_object().unwrap() {
            variables[name] = value.clone();
        }
        json!({"core-uuid": "c", "channel_data": {"direction": "inbound"}, "variables": variables})
    }

    fn base() -> CallEvent {
        CallEvent {
            call_id: "u-1".to_owned(),
            stage: Stage::Ended,
            direction: Some(Direction::In),
            caller: line("+33612345678"),
            callee: line("+33140000001"),
            started_at: Some(guichet_domain::Moment::from_micros(1_795_338_900_102_334)),
            ended_at: Some(guichet_domain::Moment::from_micros(1_795_338_942_000_771)),
            duration_s: Some(42),
            ..CallEvent::default()
        }
    }

    #[test]
    fn what_became_of_a_call_is_told_by_who_answered_not_by_that_it_was() {
        let answered = || json!({"answer_epoch": "1795338910", "answer_uepoch": "1795338910000000"});
        let with = |more: Value| {
            let mut all = answered();
            for (name, value) in more.as_object().unwrap() {
                all[name] = value.clone();
            }
            all
        };
        for (more, expected) in [
            (with(json!({"bridge_uuid": "b", "last_app": "bridge"})), "answered"),
            (with(json!({"originate_disposition": "SUCCESS"})), "answered"),
            (with(json!({"cc_queue": "support", "cc_queue_answered_epoch": "1795338911"})), "answered"),
            (with(json!({"cc_queue": "support", "cc_cause": "cancel", "cc_cancel_reason": "BREAK_OUT"})), "abandoned"),
            (with(json!({"cc_queue": "support", "cc_cause": "cancel", "cc_cancel_reason": "TIMEOUT"})), "missed"),
            (with(json!({"cc_queue": "support"})), "abandoned"),
            (
                with(json!({"last_app": "voicemail", "originate_disposition": "SUCCESS", "bridge_uuid": "b"})),
                "voicemail",
            ),
            (with(json!({"last_app": "hangup", "voicemail_message_len": "17"})), "voicemail"),
            (with(json!({"last_app": "playback", "voicemail_message_len": "0"})), "ivr"),
            (json!({"hangup_cause": "ORIGINATOR_CANCEL", "bridge_uuid": "b"}), "abandoned"),
            (json!({"hangup_cause": "NORMAL_CLEARING"}), "abandoned"),
            (json!({"hangup_cause": "USER_BUSY"}), "busy"),
            (json!({"hangup_cause": "NO_ANSWER"}), "missed"),
            (json!({"hangup_cause": "CALL_REJECTED"}), "missed"),
            (json!({"hangup_cause": "USER_NOT_REGISTERED"}), "missed"),
            (json!({"hangup_cause": "UNALLOCATED_NUMBER"}), "failed"),
        ] {
            let event = call(&FreeSwitch, Door::Events, &variables(&more).to_string());
            assert_eq!(event.disposition.map(Disposition::as_str), Some(expected), "{more}");
            assert_eq!(event.by_agent, expected == "answered", "{more}");
            let answered = more.get("answer_epoch").is_some().then(|| guichet_domain::Moment::from_secs(1_795_338_910));
            assert_eq!(event.answered_at, answered, "{more}");
        }
    }

    #[test]
    fn a_record_means_the_same_however_it_is_packed() {
        let plain = variables(&json!({"caller_id_name": "Jeanne D", "hangup_cause": "USER_BUSY"}));
        let encoded = variables(&json!({
            "caller_id_number": "%2B33612345678", "destination_number": "%2B33140000001",
            "caller_id_name": "Jeanne%20D", "hangup_cause": "USER_BUSY",
        }));
        let names = encoded["variables"].as_object().unwrap();
        let inner: String = names
            .iter()
            .map(|(name, value)| ["<", name, ">", value.as_str().unwrap(), "</", name, ">"].concat())
            .collect();
        let xml = format!("<?xml version=\"1.0\"?>\n<cdr core-uuid=\"c\">\n<variables>\n{inner}</variables>\n</cdr>\n");
        let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let expected = CallEvent { name: Some("Jeanne D".to_owned()), disposition: Some(Disposition::Busy), ..base() };
        for body in [
            plain.to_string(),
            encoded.to_string(),
            format!("cdr={}", percent(&encoded.to_string())),
            format!("cdr={}", BASE64.encode(encoded.to_string().as_bytes())),
            format!("cdr={}", BASE64.encode(xml.as_bytes())),
            format!("cdr={}", percent(&xml)),
            format!("cdr={xml}"),
            xml.clone(),
        ] {
            assert_eq!(call(&FreeSwitch, Door::Events, &body), expected, "{body}");
        }
    }

    #[test]
    fn whoever_hides_their_number_is_hidden_everywhere_in_the_record() {
        for more in [
            json!({"caller_id_number": "anonymous", "effective_caller_id_number": "+33612345678"}),
            json!({"privacy_hide_number": "true", "sip_P_Asserted_Identity": "%2B33600000009"}),
            json!({"sip_h_Privacy": "id", "caller_id_name": "Jeanne"}),
        ] {
            let event = call(&FreeSwitch, Door::Events, &variables(&more).to_string());
            assert_eq!((event.caller, event.name), (withheld(), None), "{more}");
        }
    }

    #[test]
    fn calls_of_agents_are_not_calls_of_customers() {
        for (more, direction, caller, callee) in [
            (json!({"caller_id_number": "1001"}), Direction::Out, extension("1001"), line("+33140000001")),
            (
                json!({"caller_id_number": "1001", "destination_number": "1002"}),
                Direction::Internal,
                extension("1001"),
                extension("1002"),
            ),
            (json!({"direction": "outbound"}), Direction::Out, line("+33612345678"), line("+33140000001")),
            (json!({"destination_number": "1002"}), Direction::In, line("+33612345678"), extension("1002")),
        ] {
            let event = call(&FreeSwitch, Door::Events, &variables(&more).to_string());
            assert_eq!((event.direction, event.caller, event.callee), (Some(direction), caller, callee), "{more}");
        }
        let leg = variables(&json!({"direction": "outbound", "originating_leg_uuid": "u-0"})).to_string();
        assert_means_nothing(&FreeSwitch, &[&leg]);
    }

    #[test]
    fn a_call_that_asks_rings_and_is_told_what_to_say_once() {
        let body = "session_id=u-1&hostname=pbx1&caller-direction=inbound&Caller-Caller-ID-Number=%2B33612345678\
                    &Caller-Caller-ID-Name=Jeanne&Caller-Destination-Number=%2B33140000001";
        let expected = CallEvent {
            stage: Stage::Ringing,
            name: Some("Jeanne".to_owned()),
            started_at: None,
            ended_at: None,
            duration_s: None,
            ..base()
        };
        assert_eq!(call(&FreeSwitch, Door::Voice, body), expected);
        let goes = CallEvent { stage: Stage::Unknown, ..expected };
        assert_eq!(call(&FreeSwitch, Door::Voice, &format!("{body}&exiting=true")), goes);

        let body = |change: fn(&mut Said<'_>)| answered(&FreeSwitch, Door::Voice, "", change).body;
        let (head, tail) = (r#"<document type="xml/freeswitch-httapi"><work>"#, "</work></document>");
        let speak = r#"<pause milliseconds="500"/><speak>Numéro &lt;4 8 2&gt;.</speak><break/>"#;
        assert_eq!(body(|_| {}), format!("{head}{speak}{tail}"));
        assert_eq!(body(|said| said.words = None), format!("{head}<break/>{tail}"));
        assert_eq!(body(|said| said.reject = true), format!(r#"{head}<hangup cause="USER_BUSY"/>{tail}"#));
        assert_eq!(answered(&FreeSwitch, Door::Events, "", |_| {}), Reply::empty());
    }

    #[test]
    fn what_cannot_be_a_record_is_unusable() {
        let no_id = json!({"variables": {"direction": "inbound"}}).to_string();
        let entities = r#"<!DOCTYPE l [<!ENTITY y "aa">]><cdr><variables><uuid>&y;</uuid></variables></cdr>"#;
        assert_unusable(&FreeSwitch, &["", "cdr=", "cdr=%7B", "cdr=!", "{", "<cdr>", "a=b", &no_id, entities]);
    }
}
