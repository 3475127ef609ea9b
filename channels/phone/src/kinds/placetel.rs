//! Placetel, its Call Control and Notify API.
//!
//! Page: <https://github.com/Placetel/call-control-notify-api>.
//!
//! A request's body is signed (HMAC, SHA-256). Not covered: the address, the other headers, and the time: the same body is
//! believed again for ever, so that events must be known by what they say. Without a secret, a name and a password in the address
//! it posts to are what there is.

use data_encoding::HEXLOWER;
use ring::hmac;

use super::signing::{exposed, is_signed};
use super::{Habits, Reply, Said, System, Unusable};
use crate::event::{CallEvent, Direction, Disposition, Heard, Stage};
use crate::fields::Fields;
use crate::request::{Denied, Request, Secrets};

pub(crate) struct Placetel;

impl System for Placetel {
    fn verify(&self, request: &Request<'_>, secrets: &Secrets) -> Result<(), Denied> {
        if secrets.keys.is_empty() {
            let nothing_shown = request.token.is_none() && request.header("authorization").is_none();
            return secrets.shown(request).map_err(|denied| if nothing_shown { Denied::Challenge } else { denied });
        }
        let shown = request.header("x-placetel-signature");
        let shown = shown.and_then(|shown| HEXLOWER.decode(shown.as_bytes()).ok()).ok_or(Denied::Forbidden)?;
        let known = is_signed(hmac::HMAC_SHA256, exposed(&secrets.keys), request.body, &shown);
        // What stands in the address is not signed: with no body there is nothing to believe.
        if known && !request.body.is_empty() { Ok(()) } else { Err(Denied::Forbidden) }
    }

    fn parse(&self, _: &Request<'_>, fields: &Fields, habits: &Habits) -> Result<Vec<Heard>, Unusable> {
        let call_id = fields.of("call_id").ok_or(Unusable::NoCall)?.to_owned();
        let word = fields.of("event").unwrap_or_default();
        let (stage, disposition) = match word {
            "IncomingCall" | "OutgoingCall" => (Stage::Ringing, None),
            "CallAccepted" => (Stage::Answered, None),
            "HungUp" => (Stage::Ended, fields.of("type").and_then(disposition)),
            _ => return Ok(Vec::new()),
        };
        let by_agent = stage == Stage::Answered || disposition == Some(Disposition::Answered);
        let direction = match fields.of("direction") {
            Some("out") => Direction::Out,
            _ if word == "OutgoingCall" => Direction::Out,
            _ => Direction::In,
        };
        Ok(vec![Heard::Call(Box::new(CallEvent {
            call_id,
            stage,
            direction: Some(direction),
            caller: habits.line(fields.of("from")),
            callee: habits.line(fields.of("to")),
            disposition,
            by_agent,
            agent: fields.of("peer").filter(|_| by_agent).map(str::to_owned),
            duration_s: fields.of("duration").and_then(|secs| secs.parse().ok()),
            ..CallEvent::default()
        }))])
    }

    fn answer(&self, said: &Said<'_>) -> Reply {
        let body = if said.reject { r#"<Response><Reject reason="busy"/></Response>"# } else { "<Response/>" };
        Reply::xml(format!(r#"<?xml version="1.0" encoding="UTF-8"?>{body}"#))
    }
}

fn disposition(word: &str) -> Option<Disposition> {
    Some(match word {
        "accepted" => Disposition::Answered,
        "voicemail" => Disposition::Voicemail,
        "missed" | "unavailable" => Disposition::Missed,
        "busy" => Disposition::Busy,
        "canceled" => Disposition::Abandoned,
        "blocked" => Disposition::Blocked,
        "congestion" => Disposition::Failed,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use rlibphonenumber::Region;

    use super::super::probe::*;
    use super::*;
    use crate::request::Door;

    const URL: &str = "https://desk.example.com/in/pbx/events";
    const BODY: &str = "event=IncomingCall&from=022129191999&to=022129191998&call_id=f459&direction=in";

    fn heard(body: &str) -> CallEvent {
        one_call(&Asked::post(Door::Events, URL, body).heard(&Placetel, &habits(&Placetel, Region::DE)), body)
    }

    #[test]
    fn a_signed_body_is_bound_and_the_secret_may_be_changed() {
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"our secret"), BODY.as_bytes());
        let asked =
            Asked::post(Door::Events, URL, BODY).with("x-placetel-signature", &HEXLOWER.encode(signature.as_ref()));
        let parts = [Part::Body, Part::Header("x-placetel-signature")];
        assert_bound(&Placetel, &keys(&["an older secret", "our secret"]), &asked, &parts);
        assert_eq!(asked.verified(&Placetel, &keys(&["another secret"])), Err(Denied::Forbidden));
    }

    #[test]
    fn the_vendors_own_vector_is_believed() {
        // Of the vendor's page.
        let body = "call_id=4a4cbb39578170aed9a2761a7bec8c7e704a541f52291ef603d6f5f152980c3c\
                    &event=CallAccepted&from=0123456789&to=0987654321";
        let shown = "c4f823c5b8806432fe2b83b1fc2ee714422e0cdfb4b5129152a7d0bbcd7792d0";
        let asked = Asked::post(Door::Events, URL, body).with("x-placetel-signature", shown);
        assert_bound(&Placetel, &keys(&["12345"]), &asked, &[Part::Body, Part::Header("x-placetel-signature")]);
    }

    #[test]
    fn a_signed_nothing_is_not_believed() {
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"our secret"), b"");
        let asked = Asked::get(Door::Events, &format!("{URL}?{BODY}"));
        let asked = asked.with("x-placetel-signature", &HEXLOWER.encode(signature.as_ref()));
        assert_eq!(asked.verified(&Placetel, &keys(&["our secret"])), Err(Denied::Forbidden));
    }

    #[test]
    fn without_a_secret_a_name_and_a_password_are_asked_for() {
        let (asked, secrets) = (Asked::post(Door::Events, URL, BODY), tokens(&["a-long-password"]));
        assert_eq!(asked.verified(&Placetel, &secrets), Err(Denied::Challenge));
        let shown = |password: &str| {
            let basic = format!("Basic {}", BASE64.encode(format!("placetel:{password}").as_bytes()));
            asked.clone().with("authorization", &basic).verified(&Placetel, &secrets)
        };
        assert_eq!(shown("a-long-password"), Ok(()));
        assert_eq!(shown("a-wrong-password"), Err(Denied::Forbidden));
    }

    #[test]
    fn every_event_is_understood() {
        let base = CallEvent {
            call_id: "f459".to_owned(),
            direction: Some(Direction::In),
            caller: line("+4922129191999"),
            callee: line("+4922129191998"),
            ..CallEvent::default()
        };
        let peer = Some("777abc@fpbx.de".to_owned());
        let accepted = CallEvent { stage: Stage::Answered, by_agent: true, agent: peer, ..base.clone() };
        let ended = |disposition, secs| CallEvent {
            stage: Stage::Ended,
            disposition,
            by_agent: disposition == Some(Disposition::Answered),
            duration_s: Some(secs),
            ..base.clone()
        };
        let outgoing = CallEvent { stage: Stage::Ringing, direction: Some(Direction::Out), ..base.clone() };
        for (rest, expected) in [
            ("event=IncomingCall&direction=in", CallEvent { stage: Stage::Ringing, ..base.clone() }),
            ("event=OutgoingCall", outgoing.clone()),
            ("event=OutgoingCall&direction=out", outgoing),
            ("event=CallAccepted&peer=777abc%40fpbx.de&direction=in", accepted),
            ("event=HungUp&type=accepted&duration=31&direction=in", ended(Some(Disposition::Answered), 31)),
            ("event=HungUp&type=voicemail&duration=0&direction=in", ended(Some(Disposition::Voicemail), 0)),
            ("event=HungUp&type=missed&duration=0&direction=in", ended(Some(Disposition::Missed), 0)),
            ("event=HungUp&type=unavailable&duration=0&direction=in", ended(Some(Disposition::Missed), 0)),
            ("event=HungUp&type=busy&duration=0&direction=in", ended(Some(Disposition::Busy), 0)),
            ("event=HungUp&type=canceled&duration=0&direction=in", ended(Some(Disposition::Abandoned), 0)),
            ("event=HungUp&type=blocked&duration=0&direction=in", ended(Some(Disposition::Blocked), 0)),
            ("event=HungUp&type=congestion&duration=0&direction=in", ended(Some(Disposition::Failed), 0)),
            ("event=HungUp&type=levitated&duration=0&direction=in", ended(None, 0)),
        ] {
            assert_eq!(heard(&format!("{rest}&from=022129191999&to=022129191998&call_id=f459")), expected, "{rest}");
        }
        assert_eq!(heard("event=IncomingCall&from=anonymous&to=022129191998&call_id=f459").caller, withheld());
    }

    #[test]
    fn what_tells_of_no_call_is_unusable_and_other_events_mean_nothing() {
        assert_unusable(&Placetel, &["", "event=HungUp&type=missed", "{", "<x"]);
        assert_means_nothing(&Placetel, &["event=Levitated&call_id=1"]);
    }

    #[test]
    fn callers_who_are_blocked_hear_that_it_is_busy() {
        let head = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
        assert_eq!(answered(&Placetel, Door::Events, "", |_| {}).body, format!("{head}<Response/>"));
        let refused = answered(&Placetel, Door::Voice, "", |said| said.reject = true).body;
        assert_eq!(refused, format!(r#"{head}<Response><Reject reason="busy"/></Response>"#));
    }
}
