//! sipgate.io, the push API of sipgate.
//!
//! Page: <https://developer.sipgate.io/push-api/api-reference/>. The public key that its signatures are checked with stands in
//! sipgate's library for Node.js (sipgate-io/sipgateio-node, `lib/webhook`).
//!
//! A request's body is signed (RSA, SHA-256). Not covered: the address, the other headers, and the time: the same body is
//! believed again for ever, at any source with the same key; that key is the same for all customers of sipgate, so that anybody
//! with an account there can have calls of theirs signed for us. Give the source a token in the path as well, or `allow_ips`.
//!
//! Events after the first come only where the answer to the first asks for them.

use data_encoding::BASE64;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::signing::public_key;
use super::{Habits, Reply, Said, System, Unusable, escaped, generic};
use crate::event::{Heard, Stage};
use crate::fields::Fields;
use crate::request::{Denied, Request, Secrets};

pub(crate) struct Sipgate;

impl System for Sipgate {
    fn verify(&self, request: &Request<'_>, secrets: &Secrets) -> Result<(), Denied> {
        if secrets.public_keys.is_empty() {
            return secrets.shown(request);
        }
        let shown = request.header("x-sipgate-signature").and_then(|shown| BASE64.decode(shown.as_bytes()).ok());
        let shown = shown.ok_or(Denied::Forbidden)?;
        // An empty body would say that somebody's empty body was signed.
        let signed = !request.body.is_empty()
            && secrets.public_keys.iter().filter_map(|key| public_key(key)).any(|key| {
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(request.body, &shown).is_ok()
            });
        // All of sipgate's customers have calls signed by the same key: which of them this is, a token tells.
        let known = !secrets.has_tokens() || secrets.shown(request).is_ok();
        if signed && known { Ok(()) } else { Err(Denied::Forbidden) }
    }

    fn parse(&self, _: &Request<'_>, fields: &Fields, habits: &Habits) -> Result<Vec<Heard>, Unusable> {
        if fields.of("callId").is_none() {
            return Err(Unusable::NoCall);
        }
        let mut event = generic::read(fields, habits);
        if event.stage == Stage::Unknown && fields.of("event") != Some("dtmf") {
            return Ok(Vec::new());
        }
        // A call that is handed on gets another id and keeps the first one here: to us it is one call.
        event.also = fields.of("origCallId").map(str::to_owned);
        if fields.of("cause") == Some("forwarded") {
            // It goes on elsewhere.
            (event.stage, event.disposition) = (Stage::Unknown, None);
        }
        Ok(vec![Heard::Call(Box::new(event))])
    }

    fn answer(&self, said: &Said<'_>) -> Reply {
        let asks = said.asked.of("event") == Some("newCall");
        let further = escaped(&said.address("events"));
        let body = match asks {
            true if said.reject => r#"<Response><Reject reason="busy"/></Response>"#.to_owned(),
            true => format!(r#"<Response onAnswer="{further}" onHangup="{further}"/>"#),
            false => "<Response/>".to_owned(),
        };
        Reply {
            media_type: "application/xml",
            ..Reply::xml(format!(r#"<?xml version="1.0" encoding="UTF-8"?>{body}"#))
        }
    }

    fn is_plusless(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
    use rlibphonenumber::Region;

    use super::super::probe::*;
    use super::*;
    use crate::event::{CallEvent, Direction, Disposition};
    use crate::request::Door;

    const URL: &str = "https://desk.example.com/in/pbx/events";
    const NEW: &str =
        "event=newCall&direction=in&from=4912347114711&to=4930600000000&callId=c-1&user%5B%5D=A&user%5B%5D=B";

    /// A key pair made for these tests alone, and its public half as PEM.
    fn pair() -> (RsaKeyPair, String) {
        let pair = RsaKeyPair::from_der(include_bytes!("../../tests/data/rsa-test-key.der")).unwrap();
        let public = pair.public_key().as_ref();
        // SubjectPublicKeyInfo, as `openssl rsa -pubout` writes it.
        let length = |length: usize| [&[0x82], u16::try_from(length).unwrap().to_be_bytes().as_slice()].concat();
        let algorithm = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
        let bits = [&[0x03], length(public.len() + 1).as_slice(), &[0], public].concat();
        let all = [&[0x30], length(algorithm.len() + bits.len()).as_slice(), algorithm, &bits].concat();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(&all));
        (pair, pem)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "it hides the key while signing, and changes nothing of the signature"
    )]
    fn signed(pair: &RsaKeyPair, body: &str) -> Asked {
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), body.as_bytes(), &mut signature).unwrap();
        Asked::post(Door::Events, URL, body).with("x-sipgate-signature", &BASE64.encode(&signature))
    }

    #[test]
    fn a_signed_body_is_bound_and_the_key_may_be_changed() {
        let (pair, pem) = pair();
        let bare = BASE64.encode(pair.public_key().as_ref());
        let asked = signed(&pair, NEW);
        for keys in [vec![pem.clone()], vec![bare], vec!["an older key".to_owned(), pem]] {
            let secrets = Secrets::new(&[], vec![], keys);
            assert_bound(&Sipgate, &secrets, &asked, &[Part::Body, Part::Header("x-sipgate-signature")]);
        }
    }

    #[test]
    fn other_customers_of_sipgate_do_not_know_our_token() {
        let (pair, pem) = pair();
        let secrets = Secrets::new(&["a-token-of-ours".to_owned()], vec![], vec![pem]);
        let asked = signed(&pair, NEW);
        assert_eq!(asked.verified(&Sipgate, &secrets), Err(Denied::Forbidden));
        let asked = asked.with("authorization", "Bearer a-token-of-ours");
        assert_eq!(asked.verified(&Sipgate, &secrets), Ok(()));
        assert_eq!(asked.body("").verified(&Sipgate, &secrets), Err(Denied::Forbidden));
    }

    #[test]
    fn every_event_is_understood() {
        let base = CallEvent {
            call_id: "c-1".to_owned(),
            direction: Some(Direction::In),
            caller: line("+4912347114711"),
            callee: line("+4930600000000"),
            ..CallEvent::default()
        };
        let answered = CallEvent { stage: Stage::Answered, by_agent: true, ..base.clone() };
        let voicemail = Some(Disposition::Voicemail);
        let ended = |disposition| CallEvent { stage: Stage::Ended, disposition, ..base.clone() };
        let first = Some("c-0".to_owned());
        for (rest, expected) in [
            ("event=newCall&user%5B%5D=A&user%5B%5D=B", CallEvent { stage: Stage::Ringing, ..base.clone() }),
            ("event=newCall&origCallId=c-0", CallEvent { stage: Stage::Ringing, also: first, ..base.clone() }),
            ("event=answer&user=Marie", CallEvent { agent: Some("Marie".to_owned()), ..answered.clone() }),
            (
                "event=answer&answeringNumber=21199999999",
                CallEvent { agent: Some("21199999999".to_owned()), ..answered },
            ),
            (
                "event=answer&user=voicemail",
                CallEvent { stage: Stage::Answered, disposition: voicemail, ..base.clone() },
            ),
            ("event=dtmf&dtmf=1%23", CallEvent { digits: Some("1#".to_owned()), ..base.clone() }),
            ("event=hangup&cause=normalClearing", ended(None)),
            ("event=hangup&cause=busy", ended(Some(Disposition::Busy))),
            ("event=hangup&cause=cancel", ended(Some(Disposition::Abandoned))),
            ("event=hangup&cause=noAnswer", ended(Some(Disposition::Missed))),
            ("event=hangup&cause=congestion", ended(Some(Disposition::Failed))),
            ("event=hangup&cause=notFound", ended(Some(Disposition::Failed))),
            ("event=hangup&cause=forwarded", base.clone()),
        ] {
            let body = format!("{rest}&direction=in&from=4912347114711&to=4930600000000&callId=c-1");
            let asked = Asked::post(Door::Events, URL, &body);
            let heard = one_call(&asked.heard(&Sipgate, &habits(&Sipgate, Region::DE)), rest);
            assert_eq!(heard, expected, "{rest}");
        }
        let nobody =
            call(&Sipgate, Door::Events, "event=newCall&direction=in&from=anonymous&to=4930600000000&callId=c-1");
        assert_eq!(nobody.caller, withheld());
    }

    #[test]
    fn what_tells_of_no_call_is_unusable_and_other_events_mean_nothing() {
        assert_unusable(&Sipgate, &["", "event=newCall&from=4912347114711", "callId=", "{\"event\":"]);
        assert_means_nothing(&Sipgate, &["event=data&callId=c-1&dtmf=1"]);
    }

    #[test]
    fn further_events_are_asked_for_in_the_answer() {
        let head = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
        let asked = Fields::read(NEW.as_bytes()).unwrap();
        let body = |change: fn(&mut Said<'_>)| {
            let nothing = Fields::default();
            let mut said = said(&nothing);
            change(&mut said);
            Sipgate.answer(&Said { asked: &asked, ..said }).body
        };
        let further = "https://desk.example.com/in/pbx/events/a&amp;b";
        let expected = format!(r#"{head}<Response onAnswer="{further}" onHangup="{further}"/>"#);
        assert_eq!(body(|said| said.token = Some("a&b")), expected);
        assert_eq!(body(|said| said.reject = true), format!(r#"{head}<Response><Reject reason="busy"/></Response>"#));
        assert_eq!(answered(&Sipgate, Door::Events, "", |_| {}).body, format!("{head}<Response/>"));
    }
}
