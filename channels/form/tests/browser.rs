//! A browser without JavaScript: draws a form, fills it in, sends it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use guichet_contract::conformance::ScriptedIntake;
use guichet_contract::web::Peer;
use guichet_contract::{Channel, Kind, Port};
use guichet_domain::ids::SourceName;
use guichet_domain::inbound::{Content, Inbound, Item};
use guichet_form::Form;
use guichet_testkit::{TestClock, TestIds};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

/// One source of forms with its intake, and somebody before it.
pub(crate) struct Browser {
    pub(crate) intake: Arc<ScriptedIntake>,
    pub(crate) clock: TestClock,
    pub(crate) channel: Arc<dyn Channel>,
    router: Router,
    /// Where requests come from.
    pub(crate) ip: [u8; 4],
    /// What `Accept-Language` says.
    pub(crate) accepts: &'static str,
    _state: tempfile::TempDir,
}

/// What came back.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

impl Page {
    /// The value of a hidden field, or of what was typed.
    pub(crate) fn value(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\"");
        let tag =
            self.text.split('<').find(|tag| tag.contains(&mark)).unwrap_or_else(|| panic!("no {name}: {}", self.text));
        tag.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
    }

    pub(crate) fn place(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.headers["location"].to_str().unwrap().trim_start_matches("/in/form").to_owned()
    }
}

/// A file as it is chosen: name, declared type, bytes.
pub(crate) type Chosen<'a> = (&'a str, &'a str, &'a [u8]);

impl Browser {
    pub(crate) fn new(settings: serde_json::Value) -> Self {
        Self::before(settings, ScriptedIntake::new())
    }

    pub(crate) fn before(settings: serde_json::Value, intake: Arc<ScriptedIntake>) -> Self {
        let state = tempfile::tempdir().unwrap();
        let channel = Form.build(&SourceName::from("form"), settings, state.path()).unwrap();
        let clock = TestClock::reading("2026-03-02T09:00:00Z");
        let port: Port = intake.port("form", Arc::new(clock.clone()), Arc::new(TestIds::default()));
        let router = channel.routes(port).unwrap();
        Self { intake, clock, channel, router, ip: [192, 0, 2, 1], accepts: "en", _state: state }
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Page {
        let mut request = request;
        request.extensions_mut().insert(Peer { ip: self.ip.into(), secure: true });
        request.headers_mut().insert("accept-language", self.accepts.parse().unwrap());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Page { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Draws the form, and takes the time a person takes.
    pub(crate) async fn open(&self) -> Page {
        let page = self.get("/request").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        self.clock.advance(Duration::from_secs(40));
        page
    }

    pub(crate) async fn send(&self, fields: &[(&str, &str)], files: &[Chosen<'_>]) -> Page {
        self.send_to("/request", fields, files).await
    }

    pub(crate) async fn send_to(&self, path: &str, fields: &[(&str, &str)], files: &[Chosen<'_>]) -> Page {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        for (name, kind, bytes) in files {
            let head = format!(
                "--edge\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--edge--\r\n");
        let request = Request::post(path).header("content-type", "multipart/form-data; boundary=edge");
        self.ask(request.body(Body::from(body)).unwrap()).await
    }

    /// What reached the intake, in order.
    pub(crate) fn taken(&self) -> Vec<Inbound> {
        self.intake.accepted()
    }

    /// The one request that came of it.
    pub(crate) fn only(&self) -> Item {
        let mut taken = self.taken();
        assert_eq!(taken.len(), 1);
        match taken.remove(0).content {
            Content::Read(item) => *item,
            Content::Unreadable { reason, .. } => panic!("kept aside: {reason:?}"),
        }
    }
}
