//! A phone system before a source of calls.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use guichet_contract::conformance::ScriptedIntake;
use guichet_contract::{Channel, Kind, Port, Stop};
use guichet_domain::ids::SourceName;
use guichet_domain::inbound::{Content, Inbound, Item};
use guichet_phone::Phone;
use guichet_testkit::{TestClock, TestIds};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

pub const TOKEN: &str = "a-token-of-the-switchboard";

/// One source, its core and its routes.
pub struct Switchboard {
    pub intake: Arc<ScriptedIntake>,
    pub clock: TestClock,
    pub port: Port,
    pub channel: Arc<dyn Channel>,
    pub router: Router,
    stop: Stop,
    folder: Arc<tempfile::TempDir>,
}

impl Switchboard {
    /// A source with these settings; the token is [`TOKEN`].
    pub fn new(settings: Value) -> Self {
        let intake = ScriptedIntake::new();
        let clock = TestClock::reading("2026-11-22T09:15:00Z");
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::on(intake, clock, folder, settings)
    }

    fn on(intake: Arc<ScriptedIntake>, clock: TestClock, folder: Arc<tempfile::TempDir>, mut settings: Value) -> Self {
        let token = folder.path().join("token-of-the-test");
        std::fs::write(&token, TOKEN).unwrap();
        let keys = settings.as_object_mut().unwrap();
        keys.entry("token_file").or_insert_with(|| json!(token));
        keys.entry("zone").or_insert_with(|| json!("UTC"));
        keys.entry("language").or_insert_with(|| json!("en"));
        let channel = build(&settings, folder.path());
        let port = intake.port("pbx", Arc::new(clock.clone()), Arc::new(TestIds::default()));
        let router = channel.routes(port.clone()).unwrap();
        Self { intake, clock, port, channel, router, stop: Stop::new(), folder }
    }

    /// Listens, beside the test.
    pub fn listens(self) -> Self {
        let (channel, port, stop) = (Arc::clone(&self.channel), self.port.clone(), self.stop.clone());
        tokio::spawn(async move { channel.listen(port, stop).await });
        self
    }

    /// The process is killed and started again, with other settings perhaps.
    pub fn restarted(self, settings: Value) -> Self {
        self.stop.cancel();
        Self::on(Arc::clone(&self.intake), self.clock.clone(), Arc::clone(&self.folder), settings)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Posts to `events` with the token.
    pub async fn event(&self, body: &str) -> StatusCode {
        self.post(&format!("/events/{TOKEN}"), body).await.0
    }

    pub async fn post(&self, path: &str, body: &str) -> (StatusCode, String) {
        self.ask(Request::post(path).body(Body::from(body.to_owned())).unwrap()).await
    }

    pub async fn ask(&self, request: Request<Body>) -> (StatusCode, String) {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// What was taken in, in order: the last part of each id and the text.
    pub fn entries(&self) -> Vec<(String, String)> {
        let entry = |inbound: Inbound| {
            let id = inbound.external_id.as_str().to_owned();
            (id, item(&inbound).map(|item| item.text).unwrap_or_default())
        };
        self.intake.accepted().into_iter().map(entry).collect()
    }

    /// The items that open tickets or join those of earlier calls.
    pub fn openings(&self) -> Vec<Item> {
        let opens = |inbound: &Inbound| inbound.external_id.as_str().ends_with(":open");
        self.intake.accepted().iter().filter(|inbound| opens(inbound)).filter_map(item).collect()
    }
}

pub fn build(settings: &Value, folder: &Path) -> Arc<dyn Channel> {
    let built = Phone.build(&SourceName::from("pbx"), settings.clone(), &folder.join("source"));
    built.unwrap_or_else(|error| panic!("{error}"))
}

pub fn item(inbound: &Inbound) -> Option<Item> {
    match &inbound.content {
        Content::Read(item) => Some((**item).clone()),
        Content::Unreadable { .. } => None,
    }
}

/// An event in the generic words.
pub fn event(kind: &str, call: &str, more: &str) -> String {
    let more = if more.is_empty() { String::new() } else { format!("&{more}") };
    format!("event={kind}&direction=in&call_id={call}&from=%2B33612345678&to=%2B33140000001{more}")
}
