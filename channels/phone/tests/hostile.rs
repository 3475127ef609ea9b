//! Requests that mean no good.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use crate::switchboard::{Switchboard, TOKEN, event};

#[tokio::test]
async fn whoever_does_not_prove_themselves_hears_the_same_everywhere() {
    let board = Switchboard::new(json!({}));
    let body = event("hangup", "a", "cause=noAnswer");
    let right = board.post("/events/wrong-token", &body).await;
    assert_eq!(right, (StatusCode::FORBIDDEN, "{\"error\":\"forbidden\"}".to_owned()));
    for path in ["/events", "/voice", "/nothing", "/status/wrong-token", "/notice/x.wav", "/notice/../token"] {
        assert_eq!(board.post(path, &body).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    assert!(board.entries().is_empty());
}

#[tokio::test]
async fn bodies_that_cannot_be_used_are_answered_with_what_is_wrong() {
    let board = Switchboard::new(json!({}));
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    let large = format!("event=newCall&call_id=a&name={}", "x".repeat(300 << 10));
    for (body, status) in [
        ("", StatusCode::BAD_REQUEST),
        ("{\"event\":", StatusCode::BAD_REQUEST),
        (deep.as_str(), StatusCode::BAD_REQUEST),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", StatusCode::BAD_REQUEST),
        ("event=hangup&cause=busy", StatusCode::UNPROCESSABLE_ENTITY),
        (&large, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(board.post(&format!("/events/{TOKEN}"), body).await.0, status);
    }
    let request = Request::builder().method(Method::DELETE).uri(format!("/events/{TOKEN}"));
    let status = board.ask(request.body(Body::empty()).unwrap()).await.0;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(board.entries().is_empty());
}

#[tokio::test]
async fn ids_and_numbers_of_any_length_do_no_harm() {
    let board = Switchboard::new(json!({}));
    let body =
        format!("event=missed&call_id={}&from={}&to=101&name=%00%0d%0aBcc%3a+x", "i".repeat(5_000), "9".repeat(500));
    assert_eq!(board.event(&body).await, StatusCode::OK);
    let opening = &board.openings()[0];
    assert_eq!(opening.from, None);
    assert!(opening.text.contains("Shown name: Bcc: x\n"), "{}", opening.text);
    assert!(board.entries()[0].0.len() < 100);
}

#[tokio::test]
async fn a_source_with_a_list_of_addresses_takes_from_no_other() {
    let board = Switchboard::new(json!({"allow_ips": ["192.0.2.7"]}));
    let body = event("hangup", "a", "cause=noAnswer");
    assert_eq!(board.event(&body).await, StatusCode::FORBIDDEN);
    let mut request = Request::post(format!("/events/{TOKEN}")).body(Body::from(body)).unwrap();
    let peer = guichet_contract::web::Peer { ip: "192.0.2.7".parse().unwrap(), secure: true };
    request.extensions_mut().insert(peer);
    assert_eq!(board.ask(request).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_source_that_is_given_no_token_makes_its_own() {
    let board = Switchboard::new(json!({"token_file": null})).listens();
    let reported = board.intake.until(|_, healths| !healths.is_empty());
    tokio::time::timeout(std::time::Duration::from_secs(10), reported).await.unwrap();
    let token = std::fs::read_to_string(board.folder().join("source/token")).unwrap();
    assert_eq!(token.trim().len(), 32);
    let body = event("hangup", "a", "cause=noAnswer");
    assert_eq!(board.post(&format!("/events/{}", token.trim()), &body).await.0, StatusCode::OK);
    assert_eq!(board.event(&body).await, StatusCode::FORBIDDEN);
    assert!(!format!("{:?}", board.intake.healths()).contains(token.trim()));
}
