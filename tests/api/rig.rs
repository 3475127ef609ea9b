//! A desk in a folder of its own, with a clock that stands still, and people who speak to it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use guichet::config::{Config, Place};
use guichet::http::{self, App};
use guichet::intake::Reception;
use guichet::kernel::Kernel;
use guichet::state::StateFolder;
use guichet_domain::reason;
use guichet_store::record::{Batch, Identity, record};
use guichet_testkit::{TestClock, TestIds};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// A desk.
pub struct Desk {
    _folder: TempDir,
    pub kernel: Arc<Kernel>,
    pub clock: TestClock,
    pub network: Router,
    pub local: Router,
}

/// Somebody who speaks to it.
#[derive(Clone)]
pub struct Who {
    router: Router,
    token: Option<String>,
}

/// What they are answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
    pub body: Value,
}

impl Desk {
    /// With the built-in configuration.
    pub async fn open() -> Self {
        Self::with("").await
    }

    /// With a configuration.
    pub async fn with(config: &str) -> Self {
        Self::make(config, 0).await
    }

    /// On a disk of which so many MiB must stay free.
    pub async fn with_floor(mib: u64) -> Self {
        Self::make("", mib).await
    }

    /// The network says that an address does not exist.
    pub async fn address_fails(&self, address: &str) {
        let now = guichet_domain::Clock::now(&self.clock);
        let failed = Identity {
            address,
            language: None,
            verified: false,
            undeliverable: Some(&reason::REPORT_HARD),
            works: false,
            at: now,
        };
        let mut tx = self.kernel.db.write().await.unwrap();
        record(&mut tx, &Batch { at: now, identities: vec![failed], ..Batch::default() }).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn make(config: &str, floor_mib: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("guichet.toml");
        std::fs::write(&file, format!("{config}\n[storage]\nfloor_mib = {floor_mib}\n")).unwrap();
        let state = folder.path().join("var");
        let config = Config::load(&Place { config: Some(file), state: Some(state.clone()) }).unwrap();
        let state = StateFolder::open(&state).unwrap();
        let clock = TestClock::default();
        let ids = Arc::new(TestIds::seeded(7));
        let kernel = Kernel::open(&config, state, Arc::new(clock.clone()), ids).await.unwrap();
        let reception = Reception::start(Arc::clone(&kernel));
        let app = App::new(Arc::clone(&kernel), reception, &config.http);
        let (network, local) = (http::router(app.clone()), http::router_local(app));
        Self { _folder: folder, kernel, clock, network, local }
    }

    /// Whoever may use the local socket.
    pub fn operator(&self) -> Who {
        Who { router: self.local.clone(), token: None }
    }

    /// Somebody on the network without a token.
    pub fn stranger(&self) -> Who {
        Who { router: self.network.clone(), token: None }
    }

    /// Somebody on the network with this token.
    pub fn bearer(&self, token: &str) -> Who {
        Who { router: self.network.clone(), token: Some(token.to_owned()) }
    }

    /// An agent who works here from now on, with a token.
    pub async fn agent(&self, name: &str, role: &str) -> Who {
        let operator = self.operator();
        operator.post("/api/v1/agents", &json!({"name": name, "role": role})).await.is(201);
        let made = operator.post(&format!("/api/v1/agents/{name}/tokens"), &json!({"name": "test"})).await.is(201);
        self.bearer(made["secret"].as_str().unwrap())
    }

    /// Somebody writes a mail; gives the reference of the ticket it opened or joined.
    pub async fn mail(&self, from: &str, subject: &str, text: &str) -> String {
        let receipt = self.hand_in(&mail(from, subject, text)).await.is(201);
        receipt["reference"].as_str().unwrap().to_owned()
    }

    /// Hands in a whole message.
    pub async fn hand_in(&self, message: &str) -> Answer {
        self.operator().post_raw("/api/v1/inject?source=local", message).await
    }

    /// The clock goes on.
    pub fn later(&self, span: Duration) {
        self.clock.advance(span);
    }
}

impl Who {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Body::empty()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, &[], body).await
    }

    /// With an `Idempotency-Key`.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, &[("idempotency-key", key)], body).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::PATCH, path, &[], body).await
    }

    pub async fn post_raw(&self, path: &str, body: &str) -> Answer {
        let body = Body::from(body.to_owned());
        self.send(Method::POST, path, &[("content-type", "message/rfc822")], body).await
    }

    pub async fn json(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        self.send(method, path, &headers, Body::from(body.to_string())).await
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: head.status, headers: head.headers, bytes, body }
    }

    /// Does something to a ticket.
    pub async fn does(&self, reference: &str, what: &Value) -> Answer {
        self.post(&format!("/api/v1/tickets/{reference}/transitions"), what).await
    }

    /// Writes to the requester.
    pub async fn reply(&self, reference: &str, text: &str) -> Answer {
        self.post(&format!("/api/v1/tickets/{reference}/messages"), &json!({"kind": "reply", "text": text})).await
    }

    /// Writes for the other agents.
    pub async fn note(&self, reference: &str, text: &str) -> Answer {
        self.post(&format!("/api/v1/tickets/{reference}/messages"), &json!({"kind": "note", "text": text})).await
    }

    /// The ticket with everything around it.
    pub async fn ticket(&self, reference: &str) -> Value {
        self.get(&format!("/api/v1/tickets/{reference}")).await.is(200)
    }
}

impl Answer {
    /// Its body, when it has this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        self.body
    }

    /// Its body, when it is a problem of this status and kind, in the form it must have.
    #[track_caller]
    pub fn refused(self, status: u16, kind: &str) -> Value {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        assert_eq!(self.status.as_u16(), status, "{text}");
        assert_eq!(self.headers["content-type"], "application/problem+json", "{text}");
        assert_eq!(self.body["type"], format!("urn:guichet:problem:{kind}"), "{text}");
        assert_eq!(self.body["status"], status, "{text}");
        assert!(self.body["instance"].as_str().unwrap().starts_with("urn:uuid:"), "{text}");
        assert!(!self.body["title"].as_str().unwrap().is_empty() && self.body["detail"].is_string(), "{text}");
        self.body
    }
}

/// A mail as a mail server passes it on.
pub fn mail(from: &str, subject: &str, text: &str) -> String {
    let words: Vec<&str> = subject.split_whitespace().chain(text.split_whitespace()).collect();
    let id = words.join(".").chars().filter(char::is_ascii_alphanumeric).take(60).collect::<String>();
    format!(
        "From: {from}\r\nTo: support@desk.test\r\nSubject: {subject}\r\nDate: Mon, 23 Nov 2026 08:59:00 +0000\r\n\
         Message-ID: <{id}@client.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
}

/// The words of a list of values under a key.
pub fn words<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap_or("-")).collect()
}
