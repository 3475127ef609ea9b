//! Asterisk: what the dialplan snippets post that come with this program (`config/asterisk/`).
//!
//! Page: <https://docs.asterisk.org/Latest_API/API_Documentation/Dialplan_Functions/CURL/>.
//!
//! Nothing is signed: a token in the path is all there is, and whoever knows it may tell anything.
//!
//! Asterisk answers a call to queue it, to play a menu and to record, so that neither an answer time nor a disposition of its
//! call records says that anybody spoke to the caller. The snippets tell of that apart: by an event of the agent's own channel,
//! and by `agent` in the last event, since an event that is lost is not sent again.

use super::{Habits, Reply, Said, System, Unusable, generic};
use crate::event::{Disposition, Heard, Stage};
use crate::fields::Fields;
use crate::request::Request;

pub(crate) struct Asterisk;

impl System for Asterisk {
    fn parse(&self, _: &Request<'_>, fields: &Fields, habits: &Habits) -> Result<Vec<Heard>, Unusable> {
        if fields.of("call_id").is_none() {
            return Err(Unusable::NoCall);
        }
        let mut event = generic::read(fields, habits);
        if event.stage == Stage::Ended {
            event.by_agent = event.agent.is_some() || fields.of("dialstatus") == Some("ANSWER");
            event.disposition = Some(if event.by_agent { Disposition::Answered } else { disposition(fields) });
        }
        if event.stage == Stage::Unknown {
            return Ok(Vec::new());
        }
        Ok(vec![Heard::Call(Box::new(event))])
    }

    fn answer(&self, said: &Said<'_>) -> Reply {
        generic::Generic.answer(said)
    }
}

/// What became of a call that no agent answered.
fn disposition(fields: &Fields) -> Disposition {
    let last = fields.of("lastapp").unwrap_or_default().to_lowercase();
    // Where the dialplan says what the caller is at, it knows best.
    match fields.of("place").unwrap_or_default() {
        "voicemail" => return Disposition::Voicemail,
        "ivr" => return Disposition::Ivr,
        "blocked" => return Disposition::Blocked,
        _ if matches!(last.as_str(), "voicemail" | "record") => return Disposition::Voicemail,
        _ => {}
    }
    // A queue that sent the caller on says why; one that the caller left says nothing, or that it was abandoned.
    match fields.of("queuestatus").unwrap_or_default() {
        "TIMEOUT" | "FULL" | "JOINEMPTY" | "LEAVEEMPTY" | "JOINUNAVAIL" | "LEAVEUNAVAIL" | "WITHDRAW" | "CONTINUE" => {
            return Disposition::Missed;
        }
        _ if fields.of("abandoned") == Some("TRUE") || fields.of("queue").is_some() || last == "queue" => {
            return Disposition::Abandoned;
        }
        _ => {}
    }
    match fields.of("dialstatus").unwrap_or_default() {
        "BUSY" => return Disposition::Busy,
        // An unreachable phone is ours, not the network's: nobody answered.
        "NOANSWER" | "CHANUNAVAIL" => return Disposition::Missed,
        "CANCEL" => return Disposition::Abandoned,
        "CONGESTION" => return Disposition::Failed,
        "DONTCALL" | "TORTURE" => return Disposition::Blocked,
        _ => {}
    }
    if fields.of("billsec").and_then(|secs| secs.parse::<u32>().ok()).is_some_and(|secs| secs > 0) {
        return Disposition::Ivr;
    }
    match fields.of("hangupcause").unwrap_or_default() {
        "17" => Disposition::Busy,
        "18" | "19" | "20" => Disposition::Missed,
        "1" | "2" | "3" | "27" | "28" | "34" | "38" | "41" | "42" => Disposition::Failed,
        _ => Disposition::Abandoned,
    }
}

#[cfg(test)]
mod tests {
    use super::super::probe::*;
    use super::*;
    use crate::event::{CallEvent, Direction};
    use crate::request::{Denied, Door};

    const WHO: &str = "call_id=1795333620.10&from=%2B33612345678&to=%2B33140000001&num_pres=allowed_not_screened";

    fn base() -> CallEvent {
        CallEvent {
            call_id: "1795333620.10".to_owned(),
            direction: Some(Direction::In),
            caller: line("+33612345678"),
            callee: line("+33140000001"),
            ..CallEvent::default()
        }
    }

    #[test]
    fn every_event_of_the_snippets_is_understood() {
        let started_at = at(NOW - 42);
        let (answered_at, ended_at) = (at(NOW - 32), at(NOW));
        let agent = Some("PJSIP/1001-00000007".to_owned());
        for (body, expected) in [
            (
                format!("event=newCall&{WHO}&name=Jeanne&started_at={}&queue=", NOW - 42),
                CallEvent { stage: Stage::Ringing, name: Some("Jeanne".to_owned()), started_at, ..base() },
            ),
            (
                format!("event=answer&call_id=1795333620.10&agent=PJSIP%2F1001-00000007&answered_at={}", NOW - 32),
                CallEvent {
                    call_id: "1795333620.10".to_owned(),
                    direction: Some(Direction::In),
                    stage: Stage::Answered,
                    by_agent: true,
                    agent: agent.clone(),
                    answered_at,
                    ..CallEvent::default()
                },
            ),
            (
                format!("event=hangup&{WHO}&agent=PJSIP%2F1001-00000007&queue=support&ended_at={NOW}&duration=42"),
                CallEvent {
                    stage: Stage::Ended,
                    disposition: Some(Disposition::Answered),
                    by_agent: true,
                    agent,
                    queue: Some("support".to_owned()),
                    ended_at,
                    duration_s: Some(42),
                    ..base()
                },
            ),
        ] {
            assert_eq!(call(&Asterisk, Door::Events, &body), expected, "{body}");
        }
    }

    #[test]
    fn what_became_of_a_call_is_told_by_who_answered_not_by_that_it_was() {
        for (rest, expected) in [
            ("dialstatus=ANSWER&billsec=30&hangupcause=16", "answered"),
            ("agent=PJSIP%2F1001&queue=support&dialstatus=&queuestatus=", "answered"),
            // Answered for the queue, and left after three seconds: cause 16 on 16.28, 0 on 22.10.
            ("queue=support&dialstatus=&queuestatus=&billsec=3&hangupcause=16&lastapp=Queue", "abandoned"),
            ("dialstatus=&queuestatus=&billsec=3&hangupcause=0&lastapp=Queue", "abandoned"),
            ("abandoned=TRUE&billsec=3", "abandoned"),
            ("queue=support&queuestatus=TIMEOUT&billsec=60", "missed"),
            ("queue=support&queuestatus=JOINEMPTY&billsec=1", "missed"),
            ("dialstatus=BUSY&hangupcause=17", "busy"),
            ("dialstatus=NOANSWER", "missed"),
            ("dialstatus=CHANUNAVAIL", "missed"),
            ("dialstatus=CANCEL&hangupcause=0", "abandoned"),
            ("dialstatus=CONGESTION", "failed"),
            ("dialstatus=NOANSWER&place=voicemail&billsec=20", "voicemail"),
            ("lastapp=VoiceMail&billsec=20", "voicemail"),
            ("lastapp=Record&billsec=20", "voicemail"),
            ("place=ivr&billsec=20", "ivr"),
            ("lastapp=SayAlpha&billsec=20&hangupcause=16", "ivr"),
            ("place=blocked", "blocked"),
            ("hangupcause=17", "busy"),
            ("hangupcause=19", "missed"),
            ("hangupcause=34", "failed"),
            ("hangupcause=0&billsec=0", "abandoned"),
        ] {
            let event = call(&Asterisk, Door::Events, &format!("event=hangup&{WHO}&{rest}"));
            assert_eq!(event.disposition.map(Disposition::as_str), Some(expected), "{rest}");
            assert_eq!(event.by_agent, expected == "answered", "{rest}");
        }
    }

    #[test]
    fn a_presentation_that_is_prohibited_is_honoured_though_the_trunk_tells_the_number() {
        let body = format!("event=newCall&{}&name=Jeanne", WHO.replace("allowed_not_screened", "prohib_passed_screen"));
        let event = call(&Asterisk, Door::Voice, &body);
        assert_eq!((event.caller, event.name), (withheld(), None));
    }

    #[test]
    fn a_plus_that_was_not_escaped_is_not_missed() {
        let event = call(&Asterisk, Door::Events, "event=newCall&call_id=1&from=+33612345678&to=+33140000001");
        assert_eq!((event.caller, event.callee), (line("+33612345678"), line("+33140000001")));
    }

    #[test]
    fn a_token_is_needed() {
        let asked = Asked::post(Door::Events, "https://desk.example.com/in/pbx/events", WHO);
        assert_eq!(asked.verified(&Asterisk, &tokens(&["token-of-16-signs"])), Err(Denied::Forbidden));
    }

    #[test]
    fn what_tells_of_no_call_is_unusable_and_other_events_mean_nothing() {
        assert_unusable(&Asterisk, &["", "event=newCall&from=0612345678", "call_id=&event=hangup", "{\"event\":"]);
        assert_means_nothing(&Asterisk, &["event=levitate&call_id=1"]);
    }

    #[test]
    fn the_dialplan_reads_a_number_and_words_from_the_answer() {
        let answer = answered(&Asterisk, Door::Voice, "", |_| {});
        let expected = r#"{"action":"none","say":"Numéro <4 8 2>.","ticket":"GT-482-109-3755"}"#;
        assert_eq!((answer.media_type, answer.body.as_str()), ("application/json", expected));
        let refused = answered(&Asterisk, Door::Voice, "", |said| said.reject = true).body;
        assert_eq!(refused, r#"{"action":"reject","reason":"busy","ticket":"GT-482-109-3755"}"#);
    }

    #[test]
    fn the_snippets_post_what_is_read_here_and_differ_where_asterisk_does() {
        let older = include_str!("../../../../config/asterisk/guichet-16-20.conf");
        let newer = include_str!("../../../../config/asterisk/guichet-21.conf");
        for snippet in [older, newer] {
            for name in ["event=newCall", "event=answer", "event=hangup"] {
                assert!(snippet.contains(name), "{name}");
            }
            // Every value is escaped: none can add a name of its own.
            for posted in snippet.lines().filter(|line| line.contains("GUICHET_BODY=")) {
                let (_, body) = posted.split_once("GUICHET_BODY=").unwrap();
                for pair in body.trim_end_matches(')').split('&').filter(|pair| *pair != "${GUICHET_BODY}") {
                    let (name, value) = pair.split_once('=').unwrap();
                    let is_safe = value.starts_with("${URIENCODE(") || value.starts_with("${EPOCH}") || name == "event";
                    assert!(is_safe, "{pair} in {posted}");
                }
            }
            assert!(snippet.contains("CURLOPT(httptimeout)=3"), "a slow answer must not hold the call");
        }
        assert!(older.contains("Queue(support,t,,,60,,,guichet-agent)"));
        assert!(newer.contains("Queue(support,t,,,60,,guichet-agent)"));
    }
}
