//! The suite on a channel whose network pushes: items come through its routes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::routing::post;
use axum::{Router, response::IntoResponse};
use guichet_contract::conformance::{self, Behaviour, Bench, Inward, Network, Shown};
use guichet_contract::{Abilities, Channel, Delivery, Fault, Health, NotAccepted, Outgoing, Port, Stop};
use guichet_domain::ids::ExternalId;
use guichet_domain::inbound::{Content, Inbound, Item, Party};
use tokio::sync::watch;
use tower::ServiceExt;

/// A way to answer the network wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fib {
    None,
    /// 200 at once, and `accept` afterwards.
    YesFirst,
    /// 200 whatever `accept` says.
    YesAlways,
    /// A new id for each request.
    NewIds,
}

struct Door(Fib);

#[async_trait]
impl Channel for Door {
    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    async fn listen(&self, port: Port, stop: Stop) -> Result<(), Fault> {
        port.intake.report(Health::Good { note: "the door is open".to_owned() });
        stop.cancelled().await;
        Ok(())
    }

    async fn deliver(&self, _: &Port, _: &Outgoing) -> Delivery {
        Delivery::Refused { detail: "this door is for coming in".to_owned(), hard: false }
    }

    async fn check(&self, _: &Port) -> Result<Vec<String>, Fault> {
        Ok(vec!["the door can be opened".to_owned()])
    }

    fn routes(&self, port: Port) -> Option<Router> {
        Some(Router::new().route("/{id}", post(enter)).with_state((port, self.0)))
    }
}

async fn enter(State((port, fib)): State<(Port, Fib)>, Path(id): Path<String>, text: String) -> impl IntoResponse {
    let id = if fib == Fib::NewIds { format!("{id}-{}", port.ids.uuid()) } else { id };
    let item = Item { from: Some(Party::new("ines")), reply_text: text.clone(), text: text.clone(), ..Item::default() };
    let inbound = Inbound {
        external_id: ExternalId::new(id),
        same_as: Vec::new(),
        content: Content::Read(Box::new(item)),
        received_at: port.clock.now(),
        raw: text.into_bytes(),
        quiet: None,
    };
    if fib == Fib::YesFirst {
        tokio::spawn(async move { drop(port.intake.accept(vec![inbound], Vec::new()).await) });
        return StatusCode::OK;
    }
    match port.intake.accept(vec![inbound], Vec::new()).await {
        Err(_) if fib == Fib::YesAlways => StatusCode::OK,
        Ok(_) => StatusCode::OK,
        Err(NotAccepted::Busy { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        Err(NotAccepted::Refused { .. }) => StatusCode::BAD_REQUEST,
    }
}

struct DoorBench(Fib);

/// Pushes each item until it hears yes.
struct Visitors {
    fib: Fib,
    router: Mutex<Option<Router>>,
    items: Mutex<BTreeMap<String, String>>,
    heard: watch::Sender<Vec<String>>,
}

#[async_trait]
impl Bench for DoorBench {
    async fn network(&mut self) -> Arc<dyn Network> {
        let (router, items, heard) = (Mutex::default(), Mutex::default(), watch::Sender::default());
        Arc::new(Visitors { fib: self.0, router, items, heard })
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

impl Visitors {
    fn push(&self, mark: &str, text: &str) {
        let Some(router) = self.router.lock().unwrap().clone() else { return };
        let request = Request::post(format!("/{mark}")).body(Body::from(text.to_owned())).unwrap();
        let (mark, heard) = (mark.to_owned(), self.heard.clone());
        tokio::spawn(async move {
            let answer = router.oneshot(request).await.unwrap();
            if answer.status().is_success() {
                heard.send_modify(|heard| heard.push(mark));
            }
        });
    }
}

#[async_trait]
impl Network for Visitors {
    async fn plug(&self, port: &Port) -> Arc<dyn Channel> {
        let door = Door(self.fib);
        *self.router.lock().unwrap() = door.routes(port.clone());
        Arc::new(door)
    }

    async fn write(&self, mark: &str, text: &str) -> bool {
        self.items.lock().unwrap().insert(mark.to_owned(), text.to_owned());
        self.push(mark, text);
        true
    }

    async fn again(&self) {
        let items = self.items.lock().unwrap().clone();
        let heard = self.heard.borrow().clone();
        for (mark, text) in items.iter().filter(|(mark, _)| !heard.contains(mark)) {
            self.push(mark, text);
        }
    }

    async fn acknowledged(&self, mark: &str) -> bool {
        self.heard.borrow().iter().any(|heard| heard == mark)
    }

    async fn until_acknowledged(&self, mark: &str) {
        drop(self.heard.subscribe().wait_for(|heard| heard.iter().any(|heard| heard == mark)).await);
    }

    async fn behave(&self, _: Behaviour) -> bool {
        false
    }

    async fn shown(&self) -> Vec<Shown> {
        Vec::new()
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_pushed_to_can_keep_the_contract() {
    let report = conformance::run(&mut DoorBench(Fib::None)).await;
    report.assert_kept();
    for number in ["C1", "C2", "C3", "C4", "C5", "C6", "C8", "C9", "C10"] {
        assert!(report.kept.contains(&number), "{number}: {report}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_answer_to_a_push_is_seen() {
    for (fib, number) in [(Fib::YesFirst, "C1"), (Fib::YesAlways, "C2"), (Fib::NewIds, "C3")] {
        let report = conformance::run(&mut DoorBench(fib)).await;
        assert!(report.broken.iter().any(|broken| broken.must.number == number), "{fib:?} breaks {number}:\n{report}");
    }
}
