//! Events of calls, and the tickets they become.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::StatusCode;
use guichet_domain::inbound::Nature;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::switchboard::{Switchboard, TOKEN, event, item};

async fn told(events: &[String]) -> Switchboard {
    let board = Switchboard::new(json!({}));
    for event in events {
        assert_eq!(board.event(event).await, StatusCode::OK, "{event}");
    }
    board
}

fn subjects(board: &Switchboard) -> Vec<String> {
    board.openings().into_iter().filter_map(|item| item.subject).collect()
}

#[tokio::test]
async fn a_missed_call_is_a_ticket_that_says_whom_to_call_back() {
    let board = told(&[
        event("newCall", "a", "started_at=1795338870"),
        event("hangup", "a", "cause=noAnswer&ended_at=1795338899"),
    ])
    .await;
    assert_eq!(subjects(&board), ["Missed call from +33 6 12 34 56 78"]);
    let opening = &board.openings()[0];
    assert_eq!(opening.from.as_ref().unwrap().address, "+33612345678");
    assert!(opening.text.starts_with("Nobody answered: call back.\nCaller: +33 6 12 34 56 78\n"), "{}", opening.text);
    assert!(opening.text.contains("Called: +33 1 40 00 00 01\nTime: 2026-11-22 09:14:30"), "{}", opening.text);
}

#[tokio::test]
async fn which_calls_open_tickets_goes_by_what_became_of_them() {
    for (more, subject) in [
        ("cause=noAnswer", Some("Missed call from +33 6 12 34 56 78")),
        ("cause=busy", Some("Call from +33 6 12 34 56 78, line busy")),
        ("disposition=voicemail", Some("Voicemail from +33 6 12 34 56 78")),
        ("cause=cancel&started_at=1795338880&ended_at=1795338885", Some("Abandoned call from +33 6 12 34 56 78")),
        ("cause=cancel&started_at=1795338880&ended_at=1795338884", None),
        ("disposition=ivr", None),
        ("disposition=blocked", None),
        ("disposition=failed", None),
        ("disposition=missed&direction=out", Some("Missed call from +33 6 12 34 56 78")),
        ("disposition=missed&started_at=1795200000", None),
    ] {
        let board = told(&[event("newCall", "a", ""), event("hangup", "a", more)]).await;
        assert_eq!(subjects(&board).first().map(String::as_str), subject, "{more}");
    }
    let out = "event=hangup&direction=out&call_id=a&cause=noAnswer&from=%2B33140000001&to=%2B33612345678";
    assert!(told(&[out.to_owned()]).await.entries().is_empty());
}

#[tokio::test]
async fn answered_means_that_somebody_answered_and_they_told_the_number() {
    let board = told(&[event("answer", "a", "user=ines"), event("hangup", "a", "cause=normalClearing")]).await;
    assert_eq!(subjects(&board), ["Call from +33 6 12 34 56 78"]);
    assert!(board.openings()[0].text.starts_with("Answered by ines.\n"));
    assert_eq!(
        board.intake.accepted()[0].quiet.as_ref().map(guichet_domain::reason::Reason::as_str),
        Some("phone.answered")
    );

    // A queue or a voicemail box that takes the line answers nobody.
    let board = told(&[event("answer", "a", "user=voicemail"), event("hangup", "a", "billsec=30")]).await;
    assert_eq!(subjects(&board), ["Voicemail from +33 6 12 34 56 78"]);
    let board = told(&[event("hangup", "a", "answered_at=1795338890&billsec=3&cause=cancel")]).await;
    assert_eq!(subjects(&board), ["Abandoned call from +33 6 12 34 56 78"]);

    let board = Switchboard::new(json!({"answered": "log"}));
    board.event(&event("answer", "a", "")).await;
    board.event(&event("hangup", "a", "")).await;
    assert!(board.entries().is_empty());
}

#[tokio::test]
async fn a_withheld_number_is_kept_nowhere() {
    let board = Switchboard::new(json!({}));
    for kind in ["newCall", "hangup"] {
        let body = format!("event={kind}&call_id=a&from=%2B33600000009&to=%2B33140000001&withheld=1&name=Jeanne");
        assert_eq!(board.event(&body).await, StatusCode::OK);
    }
    assert_eq!(subjects(&board), ["Missed call from a withheld number"]);
    let opening = &board.openings()[0];
    assert_eq!(opening.from, None);
    let everything = format!("{:?} {}", board.intake.calls(), slots(&board).await);
    let raw: Vec<u8> = board.intake.accepted().into_iter().flat_map(|inbound| inbound.raw).collect();
    let everything = format!("{everything} {} {}", String::from_utf8(raw).unwrap(), on_disk(&board));
    assert!(!everything.contains("33600000009") && !everything.contains("Jeanne"), "{everything}");
}

async fn slots(board: &Switchboard) -> String {
    board.port.intake.slot("call:a").await.unwrap().value.unwrap()
}

fn on_disk(board: &Switchboard) -> String {
    let mut text = String::new();
    let mut folders = vec![board.folder().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                text.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
            }
        }
    }
    text
}

#[tokio::test]
async fn what_comes_after_the_call_is_added_and_reopens_nothing() {
    let board = told(&[
        event("hangup", "a", "cause=noAnswer"),
        event("transcription", "a", "transcript=My+screen+stays+black."),
        event("transcription", "a", "transcript=My+screen+stays+black."),
        event("answer", "a", "user=ines"),
    ])
    .await;
    let entries = board.entries();
    assert_eq!(board.openings().len(), 1);
    assert_eq!(entries.len(), 4, "{entries:?}");
    assert!(entries.iter().any(|(_, text)| text == "Transcript:\nMy screen stays black."));
    assert!(entries.iter().any(|(_, text)| text == "The caller left a message."));
    assert!(entries.iter().any(|(_, text)| text == "Answered by ines."));
    for inbound in board.intake.accepted().iter().skip(1) {
        let item = item(inbound).unwrap();
        assert_eq!(item.nature, Nature::AutoReply);
        assert_eq!(item.conversation.unwrap().as_str(), "call/a");
    }
}

#[tokio::test]
async fn who_waits_on_the_line_hears_the_number_twice_and_digit_by_digit() {
    let board = Switchboard::new(json!({"language": "fr", "public_url": "https://desk.example.org"}));
    let (status, said) = board.post(&format!("/voice/{TOKEN}"), &event("newCall", "a", "")).await;
    assert_eq!(status, StatusCode::OK);
    let said: Value = serde_json::from_str(&said).unwrap();
    let number = "G T, 0 0 0, 0 0 0, 0 0 0 0";
    assert_eq!(
        said,
        json!({
            "ticket": "GT-000-000-0000",
            "say": format!("Votre demande est enregistrée sous le numéro {number}. Je répète : {number}."),
            "action": "none"
        })
    );
    // Asked again it is the same; the end is added to it.
    let again = board.post(&format!("/voice/{TOKEN}"), &event("newCall", "a", "")).await.1;
    assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), said);
    board.event(&event("hangup", "a", "cause=normalClearing")).await;
    assert_eq!(board.openings().len(), 1);
    assert_eq!(board.entries()[1].1, "Personne n'a répondu : rappeler.");
}

#[tokio::test]
async fn a_caller_who_is_refused_by_a_rule_is_told_so_and_opens_nothing() {
    let board = Switchboard::new(json!({"blocked": ["06 12 34 56 78"]}));
    let (_, said) = board.post(&format!("/voice/{TOKEN}"), &event("newCall", "a", "")).await;
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), json!({"action": "reject", "reason": "busy"}));
    board.event(&event("hangup", "a", "cause=noAnswer")).await;
    assert!(board.entries().is_empty());
}

#[tokio::test]
async fn one_caller_does_not_flood_the_desk() {
    let board = Switchboard::new(json!({"per_caller_hour": 3}));
    for call in 0..10 {
        assert_eq!(board.event(&event("hangup", &call.to_string(), "cause=noAnswer")).await, StatusCode::OK);
    }
    assert_eq!(board.openings().len(), 3);
}

#[tokio::test]
async fn events_without_an_id_are_of_the_call_between_the_same_two_numbers() {
    let board = Switchboard::new(json!({}));
    let get = |event: &str| format!("/events/{TOKEN}?number=0033612345678&called=0033140000001&event={event}");
    for kind in ["start_ringing", "end_ringing", "missed"] {
        let request = axum::http::Request::get(get(kind)).body(axum::body::Body::empty()).unwrap();
        assert_eq!(board.ask(request).await.0, StatusCode::OK);
    }
    assert_eq!(board.openings().len(), 1);
    board.clock.advance(Duration::from_mins(10));
    let request = axum::http::Request::get(get("start_ringing")).body(axum::body::Body::empty()).unwrap();
    board.ask(request).await;
    let request = axum::http::Request::get(get("missed")).body(axum::body::Body::empty()).unwrap();
    board.ask(request).await;
    assert_eq!(board.openings().len(), 2);
}

#[tokio::test]
async fn what_another_name_of_the_call_alone_tells_finds_it_whichever_came_first() {
    let named = event("hangup", "leg-1", "conversation_id=CON-1&cause=noAnswer");
    let nameless = "event=transcription&conversation_id=CON-1&transcript=hello".to_owned();
    for order in [[named.clone(), nameless.clone()], [nameless, named]] {
        let board = told(&order).await;
        assert_eq!(board.openings().len(), 1);
        assert!(board.entries().iter().any(|(_, text)| text.contains("hello")), "{:?}", board.entries());
    }
}

/// The five events of one call.
fn five() -> [String; 5] {
    [
        event("newCall", "a", "started_at=1795338870"),
        event("answer", "a", "answered_at=1795338880&user=ines"),
        event("hangup", "a", "cause=normalClearing&ended_at=1795338899"),
        event("recording", "a", "recording_url=https%3A%2F%2Fmedia.example.org%2F1.wav"),
        event("transcription", "a", "transcript=My+screen+stays+black."),
    ]
}

/// The row of the call, without when and how it was entered.
async fn row(board: &Switchboard) -> Value {
    let mut row: Value = serde_json::from_str(&slots(board).await).unwrap();
    for name in ["handed", "heard_at"] {
        row.as_object_mut().unwrap().remove(name);
    }
    row
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the order, and however often each comes.
    #[test]
    fn events_in_any_order_and_doubled_are_one_call_and_one_ticket(
        order in Just((0..5_usize).collect::<Vec<_>>()).prop_shuffle(),
        doubled in prop::collection::vec(0..5_usize, 0..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let events = five();
            let played: Vec<String> = order.iter().chain(&doubled).map(|at| events[*at].clone()).collect();
            let board = told(&played).await;
            let usual = told(&events).await;
            assert_eq!(board.openings().len(), 1);
            assert_eq!(row(&board).await, row(&usual).await);
            let entries: BTreeSet<String> = board.entries().into_iter().map(|(id, _)| id).collect();
            assert_eq!(entries.len(), board.entries().len(), "nothing is entered twice");
            let transcript = board.entries().iter().filter(|(_, text)| text.contains("My screen stays black.")).count();
            assert_eq!(transcript, 1);
        });
    }
}

#[tokio::test]
async fn what_was_taken_and_not_entered_is_entered_after_a_restart() {
    let board = Switchboard::new(json!({}));
    board.intake.answer_always(guichet_contract::conformance::Answer::Busy(Duration::from_secs(60)));
    assert_eq!(board.event(&event("hangup", "a", "cause=noAnswer")).await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(board.entries().is_empty());
    let board = board.restarted(json!({})).listens();
    board.intake.answer_always(guichet_contract::conformance::Answer::Accept);
    let entered = board.intake.until(|calls, _| calls.iter().filter(|call| call.answer.is_some()).count() >= 2);
    tokio::time::timeout(Duration::from_secs(10), entered).await.unwrap();
    assert_eq!(subjects(&board), ["Missed call from +33 6 12 34 56 78"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_ends_ends_after_two_hours() {
    let board = Switchboard::new(json!({})).listens();
    board.post(&format!("/voice/{TOKEN}"), &event("newCall", "a", "")).await;
    board.clock.advance(Duration::from_hours(3));
    let swept = board.intake.until(|calls, _| calls.len() >= 2);
    tokio::time::timeout(Duration::from_mins(5), swept).await.unwrap();
    assert_eq!(board.entries()[1].1, "The end of the call was never told.");
}
