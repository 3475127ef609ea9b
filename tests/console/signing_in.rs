//! Coming in, and being kept out.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use guichet::desk::otp::code_at;
use guichet_domain::Clock as _;
use serde_json::json;

use super::browser::{AFTER_THE_GATE, Browser, PASSWORD, encoded, hire};
use crate::api::rig::Desk;

#[tokio::test]
async fn an_agent_signs_in_works_and_signs_out() {
    let desk = Desk::open().await;
    hire(&desk, "ana", "work").await;
    let mut browser = Browser::open(&desk);
    assert_eq!(browser.get("/console/t/GT-1?x=1").await.location(), "/console/sign-in?next=/console/t/GT-1%3Fx%3D1");
    let page = browser.sign_in(" Ana ", PASSWORD).await;
    assert_eq!(page.location(), "/console");
    assert!(browser.get("/console").await.is(200).says("Nothing waits for us."));
    let old = browser.cookie.clone().unwrap();
    browser.post("/console/sign-out", &[]).await;
    assert_eq!(browser.cookie, None);
    browser.cookie = Some(old);
    assert!(browser.get("/console").await.location().starts_with("/console/sign-in"), "the session itself has ended");
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_are_answered_alike() {
    let desk = Desk::open().await;
    hire(&desk, "ana", "work").await;
    let mut browser = Browser::open(&desk);
    let password = browser.sign_in("ana", "not the password").await.is(401).text;
    let name = browser.sign_in("bob", "not the password").await.is(401).text;
    assert_eq!(password.replace("ana", "bob"), name);
    assert!(name.contains("The name, the password or the code is wrong."));
    assert!(browser.sign_in("ana", &"x".repeat(100_000)).await.is(401).cookie().is_none());
    desk.operator().patch("/api/v1/agents/ana", &json!({"disabled": true})).await.is(200);
    browser.sign_in("ana", PASSWORD).await.is(401);
}

#[tokio::test]
async fn guessing_is_stopped_and_the_right_password_waits_too() {
    let desk = Desk::open().await;
    hire(&desk, "ana", "work").await;
    let mut browser = Browser::open(&desk);
    for _ in 0..6 {
        browser.sign_in("ana", "a wrong guess").await.is(401);
    }
    let page = browser.sign_in("ana", PASSWORD).await.is(429);
    assert!(page.says("Wait this many minutes, then try again: 15"), "{}", page.text);
    desk.later(AFTER_THE_GATE);
    assert_eq!(browser.sign_in("ana", PASSWORD).await.location(), "/console");
}

#[tokio::test]
async fn a_session_that_somebody_planted_is_worth_nothing_after_signing_in() {
    let desk = Desk::open().await;
    hire(&desk, "ana", "work").await;
    let mut browser = Browser::open(&desk);
    let planted = "A".repeat(43);
    browser.cookie = Some(planted.clone());
    browser.sign_in("ana", PASSWORD).await;
    let (first, mut thief) = (browser.cookie.clone().unwrap(), Browser::open(&desk));
    assert_ne!(first, planted);
    thief.cookie = Some(planted);
    assert!(thief.get("/console").await.location().starts_with("/console/sign-in"));
    // Signing in again ends the session the browser had.
    browser.sign_in("ana", PASSWORD).await;
    thief.cookie = Some(first);
    assert!(thief.get("/console").await.location().starts_with("/console/sign-in"));
}

#[tokio::test]
async fn a_session_ends_when_it_lies_idle_when_the_agent_is_disabled_and_when_the_password_changes() {
    let desk = Desk::open().await;
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    for _ in 0..10 {
        desk.later(Duration::from_secs(11 * 3600));
        ana.get("/console").await.is(200);
    }
    desk.later(Duration::from_secs(13 * 3600));
    assert!(ana.get("/console").await.location().starts_with("/console/sign-in"));

    let mut bo = Browser::agent(&desk, "bo", "work").await;
    desk.operator().patch("/api/v1/agents/bo", &json!({"disabled": true})).await.is(200);
    assert!(bo.get("/console").await.location().starts_with("/console/sign-in"));

    let mut cleo = Browser::agent(&desk, "cleo", "work").await;
    let mut elsewhere = Browser::open(&desk);
    elsewhere.sign_in("cleo", PASSWORD).await;
    let new =
        [("do", "password"), ("now", PASSWORD), ("new", "another long password"), ("again", "another long password")];
    assert_eq!(cleo.post("/console/account", &new).await.location(), "/console/account?done=1");
    cleo.get("/console").await.is(200);
    assert!(elsewhere.get("/console").await.location().starts_with("/console/sign-in"));
}

#[tokio::test]
async fn what_changes_things_is_taken_from_the_console_alone() {
    let desk = Desk::open().await;
    let reference = desk.mail("jean@client.test", "Printer", "Jammed.").await;
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    let path = format!("/console/t/{reference}/act");
    let foreign: [&[(&str, &str)]; 4] = [
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.test"), ("host", "desk.test")],
        &[("sec-fetch-site", "same-site"), ("origin", "http://desk.test"), ("host", "desk.test")],
        &[("origin", "null"), ("host", "desk.test")],
        &[("host", "desk.test")],
    ];
    for headers in foreign {
        let mut request = Request::post(&path).header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let page = ana.send(request, Body::from(encoded(&[("do", "take")]))).await.is(403);
        assert!(page.says("did not come from the console itself"), "{}", page.text);
    }
    assert_eq!(desk.operator().ticket(&reference).await["ticket"]["assignee"], serde_json::Value::Null);
    ana.post(&path, &[("do", "take")]).await;
    assert_eq!(desk.operator().ticket(&reference).await["ticket"]["assignee"], "ana");
}

#[tokio::test]
async fn a_link_in_a_mail_asks_once_more_before_it_asks_for_a_password() {
    let desk = Desk::open().await;
    let mut browser = Browser::open(&desk);
    let request = Request::get("/console/t/GT-1").header("sec-fetch-site", "cross-site");
    let page = browser.send(request, Body::empty()).await.is(200);
    assert!(page.says("http-equiv=\"refresh\"") && page.says("/console/t/GT-1"), "{}", page.text);
    assert!(browser.get("/console/t/GT-1").await.location().starts_with("/console/sign-in"));
    // Nobody is sent anywhere but to the console.
    hire(&desk, "ana", "work").await;
    for next in ["https://evil.test", "//evil.test", "/console//evil.test", "/\\evil.test", "javascript:alert(1)"] {
        let fields = [("name", "ana"), ("password", PASSWORD), ("next", next)];
        assert_eq!(browser.post("/console/sign-in", &fields).await.location(), "/console", "{next}");
    }
}

#[tokio::test]
async fn the_second_step_is_asked_for_taken_once_and_replaced_by_a_recovery_code() {
    let desk = Desk::open().await;
    let mut ana = Browser::agent(&desk, "ana", "work").await;
    ana.post("/console/account/codes", &[("do", "begin")]).await;
    let page = ana.get("/console/account/codes").await.is(200);
    let secret = page.text.split("secret=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    ana.post("/console/account/codes", &[("do", "confirm"), ("code", "000000")]).await.is(401);
    let code = code_at(&secret, desk.clock.now()).unwrap();
    let page = ana.post("/console/account/codes", &[("do", "confirm"), ("code", &code)]).await.is(200);
    let recovery = page.text.split("<li><code>").nth(1).unwrap().split('<').next().unwrap().to_owned();

    let mut browser = Browser::open(&desk);
    assert_eq!(browser.sign_in("ana", PASSWORD).await.location(), "/console/code?next=%2Fconsole");
    assert_eq!(browser.get("/console").await.location(), "/console/code", "the password alone opens nothing");
    browser.post("/console/code", &[("code", &code)]).await.is(401);
    desk.later(Duration::from_secs(60));
    let code = code_at(&secret, desk.clock.now()).unwrap();
    let half = browser.cookie.clone();
    assert_eq!(browser.post("/console/code", &[("code", &code)]).await.location(), "/console");
    assert_ne!(browser.cookie, half, "a new session for the new step");
    browser.get("/console").await.is(200);

    let mut lost = Browser::open(&desk);
    lost.sign_in("ana", PASSWORD).await;
    assert_eq!(lost.post("/console/code", &[("code", &recovery.to_uppercase())]).await.location(), "/console");
    let mut again = Browser::open(&desk);
    again.sign_in("ana", PASSWORD).await;
    again.post("/console/code", &[("code", &recovery)]).await.is(401);
}

#[tokio::test]
async fn whoever_must_have_a_second_step_sets_it_up_before_anything_else() {
    let desk = Desk::open().await;
    let mut admin = Browser::agent(&desk, "root", "admin").await;
    admin.post("/console/agents", &[("do", "second_step"), ("least", "lead")]).await;
    hire(&desk, "lea", "lead").await;
    hire(&desk, "ana", "work").await;
    let mut lea = Browser::open(&desk);
    assert_eq!(lea.sign_in("lea", PASSWORD).await.location(), "/console/account/codes");
    assert_eq!(lea.get("/console").await.location(), "/console/account/codes");
    lea.post("/console/account/codes", &[("do", "begin")]).await;
    let page = lea.get("/console/account/codes").await.is(200);
    let secret = page.text.split("secret=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let code = code_at(&secret, desk.clock.now()).unwrap();
    lea.post("/console/account/codes", &[("do", "confirm"), ("code", &code)]).await.is(200);
    lea.get("/console").await.is(200);
    let mut ana = Browser::open(&desk);
    assert_eq!(ana.sign_in("ana", PASSWORD).await.location(), "/console");
}
