//! Talks to the API, as every command does that reads or changes tickets.
//!
//! When a daemon runs on the state folder, requests go over its socket, and what they queue leaves at once. Else the same
//! routes answer in this process, on the database itself; what they queue leaves when a daemon starts. Either way the
//! answers are those of `/api/v1`.

mod daemon;
mod query;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST};
use axum::http::{Method, Request, StatusCode};
use guichet_domain::outgoing::DeliveryState;
use guichet_store::outbox;
use http_body_util::BodyExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt as _;

pub use query::{Query, segment};

use crate::commands::failure::{Exit, Failure};
use crate::http::{self, AGENT_HEADER, App};
use crate::intake::Reception;
use crate::kernel::Kernel;
use crate::state::StateFolder;
use daemon::Daemon;

/// How long one answer may take. A large message is read and written in less.
const PATIENCE: Duration = Duration::from_mins(5);

/// Rows that wait are counted up to here.
pub const COUNTED: usize = 1_000;

/// A way to the API.
pub struct Client {
    way: Way,
    agent: Option<String>,
    /// Something was changed.
    changed: AtomicBool,
}

enum Way {
    Daemon(Daemon),
    Here(Box<Here>),
}

/// The routes in this process.
struct Here {
    kernel: Arc<Kernel>,
    router: Router,
}

/// What the API answered, well.
#[derive(Debug)]
pub struct Answer {
    /// The body.
    pub bytes: Bytes,
}

impl Answer {
    /// The body as JSON; null when there is none.
    pub fn value(&self) -> Result<Value, Failure> {
        if self.bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.bytes).map_err(|error| strange(&error))
    }

    /// The body as what it stands for.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.bytes).map_err(|error| strange(&error))
    }
}

impl Client {
    /// To the daemon that runs on the state folder.
    pub async fn to_daemon(state: &StateFolder, agent: Option<String>) -> Result<Option<Self>, Failure> {
        let daemon = Daemon::find(&state.socket()).await?;
        Ok(daemon.map(|daemon| Self { way: Way::Daemon(daemon), agent, changed: AtomicBool::new(false) }))
    }

    /// To the routes in this process. Needs a tokio runtime.
    pub fn here(kernel: Arc<Kernel>, http: &crate::config::HttpSettings, agent: Option<String>) -> Self {
        let reception = Reception::start(Arc::clone(&kernel));
        let router = http::router_local(App::new(Arc::clone(&kernel), reception, http));
        Self { way: Way::Here(Box::new(Here { kernel, router })), agent, changed: AtomicBool::new(false) }
    }

    /// Whether a daemon answers: what is queued then leaves at once.
    pub const fn is_daemon(&self) -> bool {
        matches!(self.way, Way::Daemon(_))
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, path, None, Bytes::new()).await
    }

    /// Asks for something to be done.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        self.json(Method::POST, path, body).await
    }

    /// Puts something in its place.
    pub async fn put(&self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        self.json(Method::PUT, path, body).await
    }

    /// Asks for something to be changed.
    pub async fn patch(&self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        self.json(Method::PATCH, path, body).await
    }

    /// Asks for something to be ended.
    pub async fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::DELETE, path, None, Bytes::new()).await
    }

    /// Hands in octets of a media type.
    pub async fn post_bytes(&self, path: &str, media_type: &'static str, body: Bytes) -> Result<Answer, Failure> {
        self.send(Method::POST, path, Some(media_type), body).await
    }

    /// How many rows wait for a daemon to send them, at most [`COUNTED`]; 0 when one runs, and when nothing was changed.
    pub async fn waiting(&self) -> Result<usize, Failure> {
        let Way::Here(here) = &self.way else { return Ok(0) };
        if !self.changed.load(Ordering::Relaxed) {
            return Ok(0);
        }
        let mut tx = here.kernel.db.read().await?;
        let filter = outbox::Filter {
            states: vec![DeliveryState::Pending],
            limit: i64::try_from(COUNTED).unwrap_or(i64::MAX),
            ..outbox::Filter::default()
        };
        let rows = outbox::list(&mut tx, &filter).await?;
        tx.rollback().await?;
        Ok(rows.len())
    }

    /// Ends it: closes the database where it was opened.
    pub async fn finish(self) {
        if let Way::Here(here) = self.way {
            drop(here.router);
            here.kernel.db.close().await;
        }
    }

    async fn json(&self, method: Method, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| strange(&error))?;
        self.send(method, path, Some("application/json"), Bytes::from(body)).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        media_type: Option<&'static str>,
        body: Bytes,
    ) -> Result<Answer, Failure> {
        let changes = method != Method::GET;
        let mut request = Request::builder().method(method).uri(path).header(HOST, "localhost");
        request = request.header(ACCEPT, "application/json");
        if let Some(media_type) = media_type {
            request = request.header(CONTENT_TYPE, media_type);
        }
        if let Some(agent) = &self.agent {
            request = request.header(AGENT_HEADER, agent);
        }
        let answered = tokio::time::timeout(PATIENCE, self.answer(request, body)).await;
        let (status, bytes) = answered.map_err(|_| {
            let what = format!("no answer within {} s", PATIENCE.as_secs());
            Failure::new(what, "see what keeps guichet or its disk busy").ending(Exit::NotNow)
        })??;
        if status.is_success() && changes {
            self.changed.store(true, Ordering::Relaxed);
        }
        if status.is_success() { Ok(Answer { bytes }) } else { Err(refused(status, &bytes)) }
    }

    async fn answer(&self, request: axum::http::request::Builder, body: Bytes) -> Result<(StatusCode, Bytes), Failure> {
        match &self.way {
            Way::Daemon(daemon) => daemon.ask(request.body(body.into()).map_err(|error| strange(&error))?).await,
            Way::Here(here) => {
                let request = request.body(Body::from(body)).map_err(|error| strange(&error))?;
                let Ok(response) = here.router.clone().oneshot(request).await;
                let (head, body) = response.into_parts();
                let bytes = body.collect().await.map_err(|error| strange(&error))?.to_bytes();
                Ok((head.status, bytes))
            }
        }
    }
}

/// A refusal in the API's words (RFC 9457).
fn refused(status: StatusCode, body: &[u8]) -> Failure {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |key: &str| problem.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let words = match (text("title"), text("detail")) {
        (_, Some(detail)) => detail.to_owned(),
        (Some(title), None) => title.to_owned(),
        (None, None) => format!("the daemon answered {status}; see its log"),
    };
    let words = match text("remedy") {
        Some(remedy) if !words.contains(remedy) => format!("{words}; {remedy}"),
        _ => words,
    };
    let later = matches!(status.as_u16(), 429 | 503 | 507);
    Failure::whole(words).ending(if later { Exit::NotNow } else { Exit::Failed })
}

fn strange(error: &impl std::fmt::Display) -> Failure {
    Failure::new(
        format!("the answer of the daemon cannot be read: {error}"),
        "see that it and this command are of the same version, and restart it",
    )
}
