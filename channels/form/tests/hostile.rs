//! Programs and hostile hands.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use guichet_domain::Moment;
use guichet_domain::inbound::Content;
use serde_json::json;

use crate::browser::Browser;

const ANA: [(&str, &str); 2] = [("email", "ana@example.org"), ("message", "My screen flickers.")];

fn with<'a>(token: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("token", token)], more].concat()
}

#[tokio::test]
async fn what_fills_in_the_trap_is_kept_aside_whole_and_can_be_released() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token");
    browser.send(&with(&token, &[&ANA[..], &[("website", "http://spam.example")]].concat()), &[]).await.place();
    let inbound = browser.taken().remove(0);
    assert!(matches!(&inbound.content, Content::Unreadable { reason, .. } if reason.as_str() == "form.honeypot"));
    let released = browser.channel.read(&inbound.raw, "1", Moment::from_secs(0)).unwrap();
    assert!(matches!(released.content, Content::Read(item) if item.text == "My screen flickers."));
}

#[tokio::test]
async fn who_is_quicker_than_a_person_is_asked_to_press_once_more() {
    let browser = Browser::new(json!({}));
    let token = browser.get("/request").await.value("token");
    browser.clock.advance(Duration::from_secs(1));
    let page = browser.send(&with(&token, &ANA), &[]).await;
    assert!(page.text.contains("That was very quick") && page.text.contains("My screen flickers."));
    assert!(browser.taken().is_empty());
    browser.clock.advance(Duration::from_secs(3));
    browser.send(&with(&page.value("token"), &ANA), &[]).await.place();
}

#[tokio::test]
async fn one_network_sends_so_many_an_hour_is_told_when_and_how_else_and_others_go_on() {
    let mut browser = Browser::new(json!({"per_address_hour": 2, "email": "help@example.org"}));
    for _ in 0..2 {
        let token = browser.open().await.value("token");
        browser.send(&with(&token, &ANA), &[]).await.place();
    }
    let token = browser.open().await.value("token");
    let page = browser.send(&with(&token, &ANA), &[]).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.headers.contains_key("retry-after"));
    assert!(page.text.contains("in 29 min") && page.text.contains("help@example.org"), "{}", page.text);
    browser.ip = [198, 51, 100, 7];
    browser.send(&with(&token, &ANA), &[]).await.place();
}

#[tokio::test]
async fn script_in_every_field_is_only_text() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token");
    let script = "\"><script>alert(1)</script>";
    let fields = [("email", script), ("name", script), ("subject", script), ("message", script), ("website", "")];
    let page = browser.send(&with(&token, &fields), &[("<script>.txt", "text/plain", b"x")]).await;
    assert!(!page.text.contains("<script>"), "{}", page.text);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
}

#[tokio::test]
async fn programs_and_pages_are_no_attachments_whatever_they_are_called() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token");
    for (name, bytes) in [("a.png", &b"MZ\x90"[..]), ("b.txt", b"<!DOCTYPE html>"), ("c.jpg", b"<svg onload=x>")] {
        let page = browser.send(&with(&token, &ANA), &[(name, "image/png", bytes)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains(&format!("“{name}” is a kind of file we do not take")), "{}", page.text);
    }
    assert!(browser.taken().is_empty());
}

#[tokio::test]
async fn files_beyond_size_and_number_are_named_and_the_rest_is_kept() {
    let browser = Browser::new(json!({"files": 2, "file_mib": 1}));
    let token = browser.open().await.value("token");
    let large = vec![b'a'; (1 << 20) + 1];
    let page = browser.send(&with(&token, &ANA), &[("big.txt", "text/plain", &large), ("a.txt", "", b"1")]).await;
    assert!(page.text.contains("“big.txt” is too large: at most 1 MB"), "{}", page.text);
    assert!(page.text.contains("a.txt"));
    let fields = [&ANA[..], &[("shown", "0"), ("kept", "0")]].concat();
    let page = browser.send(&with(&token, &fields), &[("b.txt", "", b"2"), ("c.txt", "", b"3")]).await;
    assert!(page.text.contains("At most 2 files"), "{}", page.text);
}

#[tokio::test]
async fn names_of_files_are_no_paths() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token");
    browser.send(&with(&token, &ANA), &[("../../../etc/passwd", "text/plain", b"x")]).await.place();
    assert_eq!(browser.only().attachments[0].name, "passwd");
}

#[tokio::test]
async fn bodies_that_are_no_form_get_a_page_and_a_status() {
    let browser = Browser::new(json!({"files": 0}));
    let send = |kind: &'static str, body: Vec<u8>| {
        browser.ask(Request::post("/request").header("content-type", kind).body(Body::from(body)).unwrap())
    };
    assert_eq!(send("application/json", b"{}".to_vec()).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(send("multipart/form-data", b"x".to_vec()).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let cut = b"--edge\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nana".to_vec();
    assert_eq!(send("multipart/form-data; boundary=edge", cut).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let huge = vec![b'a'; 3 << 20];
    assert_eq!(send("application/x-www-form-urlencoded", huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(browser.get("/nothing").await.status, StatusCode::NOT_FOUND);
    let unsigned = browser.send(&[("token", "ab.1~AAAA"), ANA[0], ANA[1]], &[("a.txt", "", b"1")]).await;
    assert_eq!(unsigned.status, StatusCode::BAD_REQUEST);
    assert!(browser.taken().is_empty());
}

#[tokio::test]
async fn an_address_that_is_several_or_carries_a_header_is_none() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token");
    for address in
        ["ana@example.org, bob@example.org", "ana@example.org\r\nBcc: bob@example.org", "Ana <ana@example.org>"]
    {
        let page = browser.send(&with(&token, &[("email", address), ANA[1]]), &[]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{address}");
    }
}

#[tokio::test]
async fn files_of_forms_that_are_never_sent_fill_no_disk() {
    let mut browser = Browser::new(json!({"per_address_hour": 1, "files": 2}));
    let token = browser.open().await.value("token");
    let unsent = [("email", ""), ANA[1]];
    for name in ["a.txt", "b.txt"] {
        let page = browser.send(&with(&token, &unsent), &[(name, "text/plain", b"x")]).await;
        assert!(page.text.contains(name), "{}", page.text);
    }
    let fresh = browser.open().await.value("token");
    let page = browser.send(&with(&fresh, &unsent), &[("c.txt", "text/plain", b"x")]).await;
    assert!(page.text.contains("Too many requests came from your network"), "{}", page.text);
    assert!(!page.text.contains("c.txt"), "{}", page.text);
    browser.ip = [198, 51, 100, 7];
    let page = browser.send(&with(&fresh, &unsent), &[("c.txt", "text/plain", b"x")]).await;
    assert!(page.text.contains("c.txt"), "{}", page.text);
}

#[tokio::test]
async fn millions_of_fields_are_not_unpacked() {
    let browser = Browser::new(json!({}));
    let token = browser.open().await.value("token").replace('~', "%7E");
    let body = format!("token={token}&email=ana%40example.org&message=a&{}", "a=&".repeat(600_000));
    let request = Request::post("/request").header("content-type", "application/x-www-form-urlencoded");
    browser.ask(request.body(Body::from(body)).unwrap()).await.place();
    let request = Request::post("/request").header("content-type", "application/x-www-form-urlencoded");
    let page = browser.ask(request.body(Body::from("a=&".repeat(1_000_000))).unwrap()).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
}
