//! What no kind of phone system may be harmed by, nor believe.

use data_encoding::BASE64;
use guichet_contract::Secret;
use guichet_domain::Moment;
use guichet_domain::language::Language;
use proptest::prelude::*;
use rlibphonenumber::Region;

use super::probe::{Asked, habits, said};
use super::{Said, SystemName, system};
use crate::event::{CallEvent, Heard};
use crate::fields::Fields;
use crate::request::{Door, Secrets};

const URL: &str = "https://desk.example.com/in/pbx/events";
const SIGNED: [SystemName; 8] = [
    SystemName::Generic,
    SystemName::Twilio,
    SystemName::Sipgate,
    SystemName::Placetel,
    SystemName::Ringover,
    SystemName::Vonage,
    SystemName::Telnyx,
    SystemName::Plivo,
];
const HEADERS: [&str; 9] = [
    "authorization",
    "webhook-signature",
    "x-twilio-signature",
    "x-sipgate-signature",
    "x-placetel-signature",
    "x-ringover-webhook-signature",
    "telnyx-signature-ed25519",
    "x-plivo-signature-v3",
    "x-plivo-signature-v3-nonce",
];

fn secrets() -> Secrets {
    let public = BASE64.encode(&[9; 32]);
    Secrets::new(&["token-of-the-source".to_owned()], vec![Secret::new("sha256:key"), Secret::new("key")], vec![public])
}

#[test]
fn where_requests_are_signed_a_token_is_not_enough() {
    for name in SIGNED {
        for body in ["", "CallSid=CA1&call_id=1", r#"{"data":{"call_id":1}}"#, "<a/>"] {
            let asked = Asked::post(Door::Events, URL, body).with("x-guichet-token", "token-of-the-source");
            for asked in [asked.clone(), asked.with("authorization", "Bearer token-of-the-source")] {
                assert!(asked.verified(system(name), &secrets()).is_err(), "{name:?}: {body}");
            }
        }
    }
}

#[test]
fn signatures_of_any_odd_form_are_refused() {
    let long = "A".repeat(5_000);
    let tokens = "a.".repeat(500);
    let odd = [
        "",
        "=",
        "====",
        "A",
        "AAAA",
        "v1,",
        "v1,AAAA",
        "Bearer",
        "Bearer ",
        "Bearer ..",
        "Basic Og==",
        ",",
        &long,
        &tokens,
    ];
    for name in SIGNED {
        for value in odd {
            let asked =
                HEADERS.iter().fold(Asked::post(Door::Events, URL, "a=b"), |asked, header| asked.with(header, value));
            let asked = asked.with("telnyx-timestamp", "1795338942").with("webhook-timestamp", "1795338942");
            assert!(asked.with("webhook-id", "m").verified(system(name), &secrets()).is_err(), "{name:?}: {value:?}");
        }
    }
}

#[test]
fn bodies_of_any_odd_form_give_an_event_or_a_reason() {
    let deep = format!("{}1{}", r#"{"data":"#.repeat(300), "}".repeat(300));
    let wide = format!("CallSid=1&{}", "a=b&".repeat(300));
    let number =
        format!("event=newCall&call_id=1&callId=1&CallSid=1&CallUUID=1&session_id=1&from={}", "9".repeat(5_000));
    let bomb = r#"<!DOCTYPE l [<!ENTITY y "aa">]><cdr><variables><uuid>&y;</uuid></variables></cdr>"#;
    let bodies = [
        deep.as_str(),
        &wide,
        &number,
        bomb,
        "\u{0}",
        "%",
        "%%%=%&%",
        "=",
        "&&&",
        "cdr=",
        "[]",
        "[[[",
        "<",
        "\u{feff}{",
    ];
    for (name, _) in SystemName::ALL {
        for body in bodies {
            let heard = Asked::post(Door::Events, URL, body).heard(system(name), &habits(system(name), Region::FR));
            for event in heard.into_iter().flatten() {
                assert!(!matches!(&event, Heard::Call(event) if event.caller.number.is_some()), "{name:?}: {body}");
            }
        }
    }
}

/// Bodies that are nearly what a phone system sends.
fn bodies() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "event",
        "call_id",
        "callId",
        "CallSid",
        "CallUUID",
        "CallStatus",
        "uuid",
        "status",
        "session_id",
        "data",
        "payload",
        "event_type",
        "call_session_id",
        "call.hangup",
        "newCall",
        "hangup",
        "HungUp",
        "type",
        "from",
        "From",
        "to",
        "anonymous",
        "+33612345678",
        "0",
        "-1",
        "1e999",
        "18446744073709551616",
        "null",
        "true",
        "é",
        "%C3",
        "",
        "1795338942.5",
        "variables",
        "answer_epoch",
        "TranscriptionData",
        "TranscriptionEvent",
        "{\"transcript\":1}",
        "callid",
        "method",
        "INVITE",
        "sip_code",
    ]);
    let pairs = prop::collection::vec((words.clone(), words), 0..12);
    (pairs, 0..4).prop_map(|(pairs, form)| match form {
        0 => pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"),
        1 => serde_json::json!(pairs.iter().copied().collect::<std::collections::BTreeMap<_, _>>()).to_string(),
        2 => {
            let inner = serde_json::json!(pairs.iter().copied().collect::<std::collections::BTreeMap<_, _>>());
            serde_json::json!({"event": "ringing", "data": {"event_type": "call.hangup", "payload": inner}, "variables": inner})
                .to_string()
        }
        _ => pairs.iter().flat_map(|(name, value)| [*name, *value]).collect(),
    })
}

proptest! {
    #[test]
    fn no_request_harms_any_kind(body in prop_oneof![bodies(), any::<String>()], header in "[ -~]{0,40}", query in "[ -~]{0,40}") {
        for (name, _) in SystemName::ALL {
            let system = system(name);
            let asked = HEADERS.iter().fold(Asked::post(Door::Voice, &format!("{URL}?{query}"), &body), |asked, name| {
                asked.with(name, header.trim())
            });
            prop_assert!(asked.verified(system, &secrets()).is_err());
            for heard in asked.heard(system, &habits(system, Region::FR)).into_iter().flatten() {
                if let Heard::Call(event) = heard {
                    let CallEvent { caller, name: shown, .. } = *event;
                    // Whoever is withheld is so altogether.
                    prop_assert!(!caller.withheld || caller.number.is_none() && caller.raw.is_none() && shown.is_none());
                }
            }
        }
    }

    #[test]
    fn what_is_said_to_callers_stays_text(words in any::<String>()) {
        let nothing = Fields::default();
        for (name, _) in SystemName::ALL {
            for record in [false, true] {
                let said = Said { door: Door::Voice, words: Some(&words), language: Language::En, record, ..said(&nothing) };
                let reply = system(name).answer(&said);
                if reply.media_type.contains("xml") {
                    let document = roxmltree::Document::parse(&reply.body);
                    prop_assert!(document.is_ok(), "{name:?}: {}", reply.body);
                } else if reply.media_type.contains("json") {
                    prop_assert!(serde_json::from_str::<serde_json::Value>(&reply.body).is_ok(), "{name:?}: {}", reply.body);
                }
            }
        }
    }
}

#[test]
fn old_signatures_with_a_time_are_refused_at_any_time() {
    // The farthest instants do not wrap around to now.
    let asked = Asked::post(Door::Events, URL, "{}").with("telnyx-timestamp", &i64::MIN.to_string());
    let asked = asked.with("telnyx-signature-ed25519", &BASE64.encode(&[0; 64]));
    for secs in [i64::MAX / 2_000_000, 0, Moment::EARLIEST.secs()] {
        assert!(asked.clone().at(secs).verified(system(SystemName::Telnyx), &secrets()).is_err());
    }
}
