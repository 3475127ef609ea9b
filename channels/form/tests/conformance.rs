//! The contract's suite.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use guichet_contract::conformance::{self, Behaviour, Bench, Inward, Network, Shown};
use guichet_contract::{Channel, Kind, Port};
use guichet_form::Form;
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::sync::Notify;
use tower::ServiceExt as _;

struct FormBench {
    state: tempfile::TempDir,
}

/// People before the form: each presses until the page after comes.
struct People {
    state: std::path::PathBuf,
    router: Mutex<Option<Router>>,
    /// By mark: the token drawn for it, the words, and whether the page after was seen.
    writing: Arc<Mutex<HashMap<String, (String, String, bool)>>>,
    seen: Arc<Notify>,
}

#[async_trait]
impl Bench for FormBench {
    async fn network(&mut self) -> Arc<dyn Network> {
        Arc::new(People {
            state: self.state.path().to_owned(),
            router: Mutex::new(None),
            writing: Arc::default(),
            seen: Arc::default(),
        })
    }

    fn inward(&self) -> Inward {
        Inward::IsGiven
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    fn clock_is_paused(&self) -> bool {
        true
    }
}

impl People {
    fn press(&self, mark: &str) {
        let Some(router) = self.router.lock().unwrap().clone() else { return };
        let (writing, seen, mark) = (Arc::clone(&self.writing), Arc::clone(&self.seen), mark.to_owned());
        tokio::spawn(async move {
            let known = writing.lock().unwrap().get(&mark).cloned();
            let Some((mut token, text, _)) = known else { return };
            if token.is_empty() {
                let request = Request::get("/request").body(Body::empty()).unwrap();
                let page =
                    router.clone().oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
                let page = String::from_utf8(page.to_vec()).unwrap();
                let Some(drawn) = page.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next())
                else {
                    return;
                };
                drawn.clone_into(&mut token);
                writing.lock().unwrap().entry(mark.clone()).and_modify(|entry| entry.0.clone_from(&token));
            }
            let mut body = String::new();
            for (name, value) in
                [("token", token.as_str()), ("email", "ines.canary@example.org"), ("message", text.as_str())]
            {
                body.push_str(&format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
            }
            body.push_str("--edge--\r\n");
            let request = Request::post("/request").header("content-type", "multipart/form-data; boundary=edge");
            let answer = router.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
            if answer.status() == StatusCode::SEE_OTHER {
                writing.lock().unwrap().entry(mark).and_modify(|entry| entry.2 = true);
                seen.notify_waiters();
            }
        });
    }
}

#[async_trait]
impl Network for People {
    async fn plug(&self, port: &Port) -> Arc<dyn Channel> {
        let channel =
            Form.build(&port.source, json!({"min_secs": 0, "per_address_hour": 100_000}), &self.state).unwrap();
        *self.router.lock().unwrap() = channel.routes(port.clone());
        channel
    }

    async fn write(&self, mark: &str, text: &str) -> bool {
        if text.trim().is_empty() || text.chars().count() > 20_000 || text.contains('\0') {
            return false;
        }
        self.writing.lock().unwrap().insert(mark.to_owned(), (String::new(), text.to_owned(), false));
        self.press(mark);
        true
    }

    async fn again(&self) {
        let waiting: Vec<String> = {
            let writing = self.writing.lock().unwrap();
            writing.iter().filter(|(_, entry)| !entry.2).map(|(mark, _)| mark.clone()).collect()
        };
        for mark in waiting {
            self.press(&mark);
        }
    }

    async fn acknowledged(&self, mark: &str) -> bool {
        self.writing.lock().unwrap().get(mark).is_some_and(|entry| entry.2)
    }

    async fn until_acknowledged(&self, mark: &str) {
        loop {
            let seen = self.seen.notified();
            if self.acknowledged(mark).await {
                return;
            }
            seen.await;
        }
    }

    async fn behave(&self, behaviour: Behaviour) -> bool {
        behaviour == Behaviour::Works
    }

    async fn shown(&self) -> Vec<Shown> {
        Vec::new()
    }
}

#[tokio::test(start_paused = true)]
async fn the_form_keeps_the_contract() {
    let state = tempfile::tempdir().unwrap();
    let report =
        tokio::time::timeout(Duration::from_hours(10), conformance::run(&mut FormBench { state })).await.unwrap();
    report.assert_kept();
}
