//! The contract's suite. The network is a visitor who posts, and reads by polling.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use guichet_chat::Chat;
use guichet_contract::conformance::{self, Behaviour, Bench, Inward, Network, Shown};
use guichet_contract::{
    Abilities, Accepted, Channel, Cursor, CursorMove, Delivery, Fault, Health, Intake, Kind as _, NotAccepted,
    Outgoing, Port, SlotValue, Stop, TimelineEntry, Updates,
};
use guichet_domain::ids::{ConversationKey, Seq};
use guichet_domain::inbound::Inbound;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::desk::Core;
use crate::server::token;

const SECRET: &str = "canary-secret-of-the-site-32-bytes";

struct ChatBench {
    secret: tempfile::NamedTempFile,
    state: tempfile::TempDir,
    networks: u64,
}

struct Visitor {
    settings: Value,
    state: std::path::PathBuf,
    token: String,
    core: Arc<Core>,
    routes: Mutex<Option<Router>>,
    /// What was written, and whether it was acknowledged.
    outbox: Arc<watch::Sender<BTreeMap<String, (String, bool)>>>,
    /// The conversations with something the core sent.
    sent: Arc<Mutex<BTreeSet<Uuid>>>,
}

/// The core's part of sending: the entry is in the timeline before anything is delivered.
struct Sending {
    channel: Arc<dyn Channel>,
    core: Arc<Core>,
    sent: Arc<Mutex<BTreeSet<Uuid>>>,
}

#[async_trait]
impl Channel for Sending {
    fn abilities(&self) -> Abilities {
        self.channel.abilities()
    }

    async fn listen(&self, port: Port, stop: Stop) -> Result<(), Fault> {
        self.channel.listen(port, stop).await
    }

    async fn deliver(&self, port: &Port, notice: &Outgoing) -> Delivery {
        if self.sent.lock().unwrap().insert(notice.id.0) {
            self.core.begin(&notice.conversation, &notice.text);
        }
        self.channel.deliver(port, notice).await
    }

    async fn check(&self, port: &Port) -> Result<Vec<String>, Fault> {
        self.channel.check(port).await
    }

    fn routes(&self, port: Port) -> Option<Router> {
        self.channel.routes(port)
    }
}

/// The suite's intake decides; what it takes in stands in the desk's timelines.
struct Both {
    script: Arc<dyn Intake>,
    core: Arc<Core>,
}

#[async_trait]
impl Intake for Both {
    async fn accept(&self, batch: Vec<Inbound>, moves: Vec<CursorMove>) -> Result<Accepted, NotAccepted> {
        let accepted = self.script.accept(batch.clone(), moves).await?;
        self.core.accept(batch, Vec::new()).await?;
        Ok(accepted)
    }

    async fn cursor(&self, key: &str) -> Result<Option<Cursor>, Fault> {
        self.script.cursor(key).await
    }

    async fn slot(&self, key: &str) -> Result<SlotValue, Fault> {
        self.script.slot(key).await
    }

    async fn put_slot(&self, key: &str, seen: i64, value: Option<String>) -> Result<bool, Fault> {
        self.script.put_slot(key, seen, value).await
    }

    async fn timeline(&self, conversation: &ConversationKey, after: Seq) -> Result<Vec<TimelineEntry>, Fault> {
        self.core.timeline(conversation, after).await
    }

    fn subscribe(&self, conversation: &ConversationKey) -> Updates {
        self.core.subscribe(conversation)
    }

    fn report(&self, health: Health) {
        self.script.report(health);
    }
}

#[async_trait]
impl Bench for ChatBench {
    async fn network(&mut self) -> Arc<dyn Network> {
        self.networks += 1;
        let free = json!({"messages": 0, "messages_hour": 0, "tickets": 0, "tickets_address": 0, "connects": 0});
        Arc::new(Visitor {
            settings: json!({"limits": free, "identity": "optional", "identity_secret_file": self.secret.path()}),
            state: self.state.path().to_owned(),
            token: token(self.networks),
            core: Core::new(),
            routes: Mutex::new(None),
            outbox: Arc::new(watch::Sender::new(BTreeMap::new())),
            sent: Arc::default(),
        })
    }

    fn inward(&self) -> Inward {
        Inward::IsGiven
    }

    fn secrets(&self) -> Vec<String> {
        std::iter::once(SECRET.to_owned()).chain((1..200).map(token)).collect()
    }
}

impl Visitor {
    /// Sends everything that has no acknowledgement.
    fn send(&self) {
        let waiting = self.outbox.borrow().clone();
        for (mark, (text, _)) in waiting.into_iter().filter(|(_, (_, known))| !known) {
            let cid = Uuid::new_v5(&Uuid::NAMESPACE_OID, mark.as_bytes());
            let frame = json!({"type": "msg", "cid": cid, "text": text});
            let request = self.request("POST", "/frames", Body::from(frame.to_string()));
            let routes = self.routes.lock().unwrap().clone().unwrap();
            let outbox = Arc::clone(&self.outbox);
            tokio::spawn(async move {
                let frames = frames(routes, request).await;
                if frames.first().is_some_and(|frame| frame["type"] == "ack") {
                    outbox.send_modify(|outbox| outbox.get_mut(&mark).unwrap().1 = true);
                }
            });
        }
    }

    fn request(&self, method: &str, path: &str, body: Body) -> Request<Body> {
        let bearer = format!("Bearer {}", self.token);
        Request::builder().method(method).uri(path).header("authorization", bearer).body(body).unwrap()
    }
}

async fn frames(routes: Router, request: Request<Body>) -> Vec<Value> {
    let response = routes.oneshot(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let told: Value = serde_json::from_slice(&body).unwrap();
    told["frames"].as_array().unwrap().clone()
}

#[async_trait]
impl Network for Visitor {
    async fn plug(&self, port: &Port) -> Arc<dyn Channel> {
        let channel = Chat.build(&port.source, self.settings.clone(), &self.state).unwrap();
        let intake = Arc::new(Both { script: Arc::clone(&port.intake), core: Arc::clone(&self.core) });
        let port = Port { intake, conversations: Arc::clone(&self.core) as Arc<_>, ..port.clone() };
        *self.routes.lock().unwrap() = channel.routes(port);
        Arc::new(Sending { channel, core: Arc::clone(&self.core), sent: Arc::clone(&self.sent) })
    }

    async fn write(&self, mark: &str, text: &str) -> bool {
        if text.chars().count() > 10_000 {
            return false;
        }
        self.outbox.send_modify(|outbox| drop(outbox.insert(mark.to_owned(), (text.to_owned(), false))));
        self.send();
        true
    }

    async fn again(&self) {
        self.send();
    }

    async fn acknowledged(&self, mark: &str) -> bool {
        self.outbox.borrow().get(mark).is_some_and(|(_, known)| *known)
    }

    async fn until_acknowledged(&self, mark: &str) {
        let mut changes = self.outbox.subscribe();
        drop(changes.wait_for(|outbox| outbox.get(mark).is_some_and(|(_, known)| *known)).await);
    }

    async fn behave(&self, behaviour: Behaviour) -> bool {
        behaviour == Behaviour::Works
    }

    fn dress(&self, notice: Outgoing) -> Outgoing {
        let whole = ring::digest::digest(&ring::digest::SHA256, self.token.as_bytes());
        let session = data_encoding::HEXLOWER.encode(&whole.as_ref()[..16]);
        Outgoing { conversation: ConversationKey::new(format!("{session}:{}", notice.id.0)), ..notice }
    }

    async fn shown(&self) -> Vec<Shown> {
        let sent = self.sent.lock().unwrap().clone();
        let after: Vec<String> = sent.iter().map(|conv| format!("{conv}:0")).collect();
        if after.is_empty() {
            return Vec::new();
        }
        let path = format!("/poll?wait=0&after={}", after.join(","));
        let routes = self.routes.lock().unwrap().clone().unwrap();
        let frames = frames(routes, self.request("GET", &path, Body::empty())).await;
        let events = frames.into_iter().filter(|frame| frame["type"] == "event");
        events.map(|event| Shown { text: event["text"].as_str().unwrap().to_owned() }).collect()
    }
}

#[tokio::test]
async fn the_chat_keeps_the_contract() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), SECRET).unwrap();
    let state = tempfile::tempdir().unwrap();
    let report = conformance::run(&mut ChatBench { secret, state, networks: 0 }).await;
    report.assert_kept();
    let untried: Vec<&str> = report.untried.iter().map(|(number, _)| *number).collect();
    let unlike_a_network_apart = ["C14", "C15", "C16", "C17", "C17", "C18", "C19", "C39"];
    assert_eq!(untried, [&["C26", "C40", "C27"][..], &unlike_a_network_apart].concat(), "{report}");
}
