//! The contract's suite.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use guichet_contract::conformance::{self, Behaviour, Bench, Inward, Network, Shown};
use guichet_contract::{Channel, Kind, Outgoing, Port};
use guichet_domain::outgoing::NoticeKind;
use guichet_testkit::{Chaos, ChaosProxy};
use guichet_webhook::Webhook;
use serde_json::json;

use crate::receiver::{Manner, Receiver, says};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct HookBench {
    secret: tempfile::NamedTempFile,
}

struct HookNetwork {
    receiver: Receiver,
    proxy: ChaosProxy,
    settings: serde_json::Value,
}

#[async_trait]
impl Bench for HookBench {
    async fn network(&mut self) -> Arc<dyn Network> {
        let receiver = Receiver::start().await;
        let proxy = ChaosProxy::before(receiver.address).await.unwrap();
        let settings = json!({
            "url": format!("http://{}/hooks/canary-in-the-path?token=canary-in-the-query", proxy.address()),
            "secret_file": self.secret.path(),
            "allow_private": true,
        });
        Arc::new(HookNetwork { receiver, proxy, settings })
    }

    fn inward(&self) -> Inward {
        Inward::Nothing
    }

    fn secrets(&self) -> Vec<String> {
        let secrets = [SECRET, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "canary-in-the-path", "canary-in-the-query"];
        secrets.map(str::to_owned).to_vec()
    }

    fn clock_is_paused(&self) -> bool {
        true
    }
}

#[async_trait]
impl Network for HookNetwork {
    async fn plug(&self, port: &Port) -> Arc<dyn Channel> {
        Webhook.build(&port.source, self.settings.clone(), Path::new("/nonexistent")).unwrap()
    }

    async fn write(&self, _: &str, _: &str) -> bool {
        false
    }

    async fn acknowledged(&self, _: &str) -> bool {
        false
    }

    async fn until_acknowledged(&self, _: &str) {}

    async fn behave(&self, behaviour: Behaviour) -> bool {
        self.proxy.set(Chaos::Pass).await;
        match behaviour {
            Behaviour::Works => self.receiver.behaves(says("204 No Content")),
            Behaviour::Refuses => self.receiver.behaves(says("403 Forbidden")),
            Behaviour::AsksToWait(wait) => {
                let answer = format!("429 Too Many Requests\r\nretry-after: {}", wait.as_secs());
                self.receiver.behaves(says(&answer));
            }
            Behaviour::Down => self.proxy.set(Chaos::Refuse).await,
            Behaviour::DiesBefore => self.receiver.behaves(Manner::ClosesFirst),
            Behaviour::DiesAfter => self.receiver.behaves(Manner::ClosesAfter),
            Behaviour::Silent => self.proxy.set(Chaos::BlackHole).await,
        }
        true
    }

    fn dress(&self, notice: Outgoing) -> Outgoing {
        let event = json!({"type": "ticket.opened", "data": {"text": notice.text}});
        Outgoing { kind: NoticeKind::Event, text: event.to_string(), ..notice }
    }

    /// As a receiver that remembers ids.
    async fn shown(&self) -> Vec<Shown> {
        let mut seen = HashSet::new();
        let new = self.receiver.posts().into_iter().filter(|came| seen.insert(came.header("webhook-id")));
        new.map(|came| {
            let event: serde_json::Value = serde_json::from_slice(&came.body).unwrap();
            Shown { text: event["data"]["text"].as_str().unwrap().to_owned() }
        })
        .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn the_webhook_channel_keeps_the_contract() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), SECRET).unwrap();
    let report = conformance::run(&mut HookBench { secret }).await;
    report.assert_kept();
    let untried: Vec<&str> = report.untried.iter().map(|(number, _)| *number).collect();
    assert_eq!(untried, ["C27", "C20", "C39"], "{report}");
}
