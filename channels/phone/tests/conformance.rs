//! The contract's suite: events that are posted, and text messages by Twilio.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use guichet_contract::conformance::{self, Behaviour, Bench, Inward, Network, Shown};
use guichet_contract::{Channel, Outgoing, Port};
use guichet_domain::inbound::Party;
use guichet_domain::outgoing::NoticeKind;
use guichet_testkit::{Chaos, ChaosProxy};
use serde_json::json;
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::provider::{Manner, Provider, says};
use crate::switchboard::build;

const TOKEN: &str = "canary-token-in-the-path";
const PASSWORD: &str = "canary-password-of-twilio";

#[derive(Default)]
struct PhoneBench {
    folders: Vec<tempfile::TempDir>,
}

struct Lines {
    folder: PathBuf,
    provider: Provider,
    proxy: ChaosProxy,
    router: Mutex<Option<Router>>,
    /// By mark: what is posted, and whether it was answered with a yes.
    writing: Arc<Mutex<HashMap<String, (String, bool)>>>,
    seen: Arc<Notify>,
}

#[async_trait]
impl Bench for PhoneBench {
    async fn network(&mut self) -> Arc<dyn Network> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), TOKEN).unwrap();
        std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
        let provider = Provider::start().await;
        let proxy = ChaosProxy::before(provider.address).await.unwrap();
        let path = folder.path().to_owned();
        self.folders.push(folder);
        let (router, writing, seen) = (Mutex::default(), Arc::default(), Arc::default());
        Arc::new(Lines { folder: path, provider, proxy, router, writing, seen })
    }

    fn inward(&self) -> Inward {
        Inward::IsGiven
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned(), PASSWORD.to_owned()]
    }

    fn clock_is_paused(&self) -> bool {
        true
    }
}

impl Lines {
    fn post(&self, mark: &str) {
        let Some(router) = self.router.lock().unwrap().clone() else { return };
        let Some((body, _)) = self.writing.lock().unwrap().get(mark).cloned() else { return };
        let (writing, seen, mark) = (Arc::clone(&self.writing), Arc::clone(&self.seen), mark.to_owned());
        tokio::spawn(async move {
            let request = Request::post(format!("/events/{TOKEN}")).body(Body::from(body)).unwrap();
            if router.oneshot(request).await.unwrap().status().is_success() {
                writing.lock().unwrap().entry(mark).and_modify(|entry| entry.1 = true);
                seen.notify_waiters();
            }
        });
    }
}

#[async_trait]
impl Network for Lines {
    async fn plug(&self, port: &Port) -> Arc<dyn Channel> {
        let settings = json!({
            "token_file": self.folder.join("token"),
            "zone": "UTC",
            "per_caller_hour": 100_000,
            "per_minute": 100_000,
            "repeat_hours": 0,
            "sms": {
                "provider": "twilio",
                "url": format!("http://{}", self.proxy.address()),
                "account": "AC1",
                "from": "+33700000000",
                "password_file": self.folder.join("password"),
            },
        });
        let channel = build(&settings, &self.folder);
        *self.router.lock().unwrap() = channel.routes(port.clone());
        channel
    }

    /// A call that was missed, whose caller left a message.
    async fn write(&self, mark: &str, text: &str) -> bool {
        if text.chars().count() > 18_000 {
            return false;
        }
        let body = json!({
            "event": "missed", "call_id": mark, "from": "+33612345678", "to": "+33140000001", "transcript": text
        });
        self.writing.lock().unwrap().insert(mark.to_owned(), (body.to_string(), false));
        self.post(mark);
        true
    }

    async fn again(&self) {
        let waiting: Vec<String> = {
            let writing = self.writing.lock().unwrap();
            writing.iter().filter(|(_, entry)| !entry.1).map(|(mark, _)| mark.clone()).collect()
        };
        for mark in waiting {
            self.post(&mark);
        }
    }

    async fn acknowledged(&self, mark: &str) -> bool {
        self.writing.lock().unwrap().get(mark).is_some_and(|entry| entry.1)
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
        self.proxy.set(Chaos::Pass).await;
        match behaviour {
            Behaviour::Works => self.provider.behaves(says("201 Created", r#"{"sid":"SM1"}"#)),
            Behaviour::Refuses => self.provider.behaves(says("400 Bad Request", r#"{"code":21211}"#)),
            Behaviour::AsksToWait(wait) => {
                let more = format!("retry-after: {}\r\n", wait.as_secs());
                self.provider.behaves(Manner::Says("429 Too Many Requests".to_owned(), more, Vec::new()));
            }
            Behaviour::Down => self.proxy.set(Chaos::Refuse).await,
            Behaviour::DiesBefore => self.provider.behaves(Manner::ClosesFirst),
            Behaviour::DiesAfter => self.provider.behaves(Manner::ClosesAfter),
            Behaviour::Silent => self.proxy.set(Chaos::BlackHole).await,
        }
        true
    }

    fn dress(&self, notice: Outgoing) -> Outgoing {
        Outgoing { kind: NoticeKind::Reply, to: Party::new("+33612345678"), ..notice }
    }

    async fn shown(&self) -> Vec<Shown> {
        let taken = self.provider.asked().into_iter().filter(|asked| asked.taken);
        taken.map(|asked| Shown { text: asked.field("Body") }).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn the_phone_keeps_the_contract() {
    let report = conformance::run(&mut PhoneBench::default()).await;
    report.assert_kept();
    let untried: Vec<&str> = report.untried.iter().map(|(number, _)| *number).collect();
    assert_eq!(untried, ["C26", "C40", "C27", "C13", "C39"], "{report}");
}
