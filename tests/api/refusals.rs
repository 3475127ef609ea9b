//! What a request gets that cannot be carried out.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;

use super::rig::{Desk, mail};

#[tokio::test]
async fn json_that_cannot_be_read_is_refused_with_the_place() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    let json = [("content-type", "application/json")];
    let body = Body::from("{\"subject\": \"x\",\n \"text\": }");
    let problem = operator.send(Method::POST, "/api/v1/tickets", &json, body).await.refused(400, "malformed");
    assert!(problem["detail"].as_str().unwrap().contains("line 2 column"), "{problem}");
    let wrong = json!({"subject": "x", "text": "y", "requester": {"address": 5}});
    let problem = operator.post("/api/v1/tickets", &wrong).await.refused(422, "invalid");
    assert!(problem["detail"].as_str().unwrap().starts_with("requester.address: invalid type"), "{problem}");
    let unknown = json!({"subject": "x", "text": "y", "priority": "P1"});
    let problem = operator.post("/api/v1/tickets", &unknown).await.refused(422, "invalid");
    assert!(problem["detail"].as_str().unwrap().contains("unknown field `priority`"), "{problem}");
}

#[tokio::test]
async fn addresses_methods_and_media_types_that_are_not_taken_say_so() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    operator.get("/nothing").await.refused(404, "not-found");
    operator.get("/api/v1/nothing").await.refused(404, "not-found");
    let answer = operator.send(Method::DELETE, "/api/v1/tickets", &[], Body::empty()).await;
    assert_eq!(answer.headers["allow"], "GET,HEAD,POST");
    answer.refused(405, "method-not-allowed");
    operator.post_raw("/api/v1/tickets", "subject=x").await.refused(415, "media-type");
    operator.get("/api/v1/tickets?sate=new").await.refused(400, "malformed");
    operator.get("/api/v1/tickets?limit=1000").await.refused(422, "invalid");
    operator.get("/api/v1/tickets?state=done").await.refused(422, "invalid");
    operator.get("/api/v1/tickets?after=5").await.refused(422, "invalid");
    operator.get("/api/v1/outbox/not-a-key").await.refused(404, "not-found");
}

#[tokio::test]
async fn a_mistyped_reference_is_told_from_one_that_does_not_exist() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    let wrong = operator.get("/api/v1/tickets/GT-482-109-3754").await.refused(404, "not-found");
    assert_eq!(wrong["detail"], "one digit of this ticket number is wrong; please read it again");
    let absent = operator.get("/api/v1/tickets/gt4821093753").await.refused(404, "not-found");
    assert_eq!(absent["detail"], "there is no ticket GT-482-109-3753");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_before_it_is_kept() {
    let desk = Desk::with("[http]\nmax_body = 4096\n").await;
    let operator = desk.operator();
    let large = json!({"subject": "x", "text": "y".repeat(5000)});
    operator.post("/api/v1/tickets", &large).await.refused(413, "too-large");
    let large = mail("jean@client.test", "Large", &"words ".repeat(1000));
    desk.hand_in(&large).await.refused(413, "too-large");
    assert_eq!(operator.get("/api/v1/reconciliation").await.is(200)["received"], 0);
}

#[tokio::test]
async fn a_full_disk_keeps_the_message_with_whoever_has_it() {
    let desk = Desk::with_floor(1 << 40).await;
    let answer = desk.hand_in(&mail("jean@client.test", "Printer", "Jammed.")).await;
    assert_eq!(answer.headers["retry-after"], "30");
    let problem = answer.refused(503, "busy");
    assert!(problem["detail"].as_str().unwrap().contains("free some space"), "{problem}");
    let health = desk.stranger().get("/health/ready").await.is(503);
    assert_eq!(health["ready"], false);
    assert!(health["reasons"][0].as_str().unwrap().contains("MiB are free"), "{health}");
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_browsers_out() {
    let desk = Desk::open().await;
    for path in ["/api/v1/tickets", "/health/live", "/nothing"] {
        let answer = desk.stranger().get(path).await;
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(answer.headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
        assert_eq!(answer.headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'", "{path}");
    }
}
