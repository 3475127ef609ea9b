//! What is around every request: its id, its time limit, its log line, the headers of its answer, and the form of what
//! goes wrong.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tokio::time::Instant;
use tracing::{debug, error, info};

use super::peer::peer;
use super::problem::{Problem, ProblemKind};
use super::{App, Door};

/// How long our own operations may take, the reading of the body included: for the network, and for the operator, who may
/// wait for a large import or a whole database. Channels keep their own time.
const LIMITS: (Duration, Duration) = (Duration::from_mins(1), Duration::from_secs(280));

/// Where the channels' routes lie.
const CHANNELS: &str = "/in/";

/// On every answer that does not say otherwise.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Wraps one request.
pub(super) async fn frame(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = app.desk().kernel().ids.uuid();
    let method = request.method().clone();
    // The path as it is written in the table of routes: what was asked for may hold what must not be logged.
    let path = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let peer = peer(&request, &app.proxies);
    request.extensions_mut().insert(peer);
    let ours = !request.uri().path().starts_with(CHANNELS);
    let limit = if app.door == Door::Local { LIMITS.1 } else { LIMITS.0 };
    // A handler that panics answers for itself alone: other requests of its connection go on.
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let answered = if ours { tokio::time::timeout(limit, answer).await } else { Ok(answer.await) };
    let mut response = match answered {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => broken().into_response(),
        Err(_) => late(limit).into_response(),
    };
    let cause = if ours { write_problem(&mut response, &format!("urn:uuid:{id}")) } else { None };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    log(&method, &path, response.status(), started.elapsed(), id, cause.as_deref());
    response
}

/// Answers addresses that nothing is at.
pub(super) async fn not_found() -> Problem {
    Problem::new(ProblemKind::NotFound, "nothing is at this address")
        .remedy("see /api/v1/openapi.json for what there is")
}

/// Answers requests to sources that do not exist, after as much work as one that does.
pub(super) async fn stranger(body: axum::body::Bytes) -> Response {
    drop(body);
    guichet_contract::web::forbidden()
}

/// Answers methods that an address does not take.
pub(super) async fn not_allowed() -> Problem {
    Problem::new(ProblemKind::Method, "this address does not take that method")
        .remedy("the Allow header names those it takes")
}

fn late(limit: Duration) -> Problem {
    let detail = format!("no end within {} s", limit.as_secs());
    Problem::new(ProblemKind::Timeout, detail).remedy("ask for less at once, or later")
}

/// For a defect; the panic itself is in the log.
fn broken() -> Problem {
    let problem = Problem::new(ProblemKind::Internal, "it may or may not have been carried out");
    Problem { cause: Some("a handler panicked".to_owned()), ..problem.remedy("tell the operator the instance") }
}

/// Gives a refusal its form; answers what only the log is told.
fn write_problem(response: &mut Response, instance: &str) -> Option<String> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let known = response.extensions_mut().remove::<Problem>();
    // Pages for people say it in their own way.
    let says_it = |value: &HeaderValue| {
        [&b"application/json"[..], b"text/html"].iter().any(|kind| value.as_bytes().starts_with(kind))
    };
    if known.is_none() && response.headers().get(header::CONTENT_TYPE).is_some_and(says_it) {
        return None;
    }
    let mut problem = known.unwrap_or_else(|| {
        let words = status.canonical_reason().unwrap_or("refused");
        Problem::new(ProblemKind::of_status(status), words)
    });
    instance.clone_into(&mut problem.instance);
    let written = problem.write();
    let allow = response.headers().get(header::ALLOW).cloned();
    *response = written;
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    problem.cause
}

/// The one line of a request: no address, no query, no body, no token.
fn log(method: &Method, path: &str, status: StatusCode, took: Duration, id: uuid::Uuid, cause: Option<&str>) {
    let (status, ms) = (status.as_u16(), u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    match cause {
        Some(cause) => error!(%method, path, status, ms, request = %id, cause, "request failed"),
        // Probes and scrapes come all day long and say nothing while all is well.
        None if status < 400 && (path.starts_with("/health/") || path == "/metrics") => {
            debug!(%method, path, status, ms, request = %id, "request");
        }
        None => info!(%method, path, status, ms, request = %id, "request"),
    }
}
