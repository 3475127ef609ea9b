//! What is served below `/in/{source}/`, and who may ask.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use guichet_contract::web::Peer;
use guichet_domain::language::Language;

use crate::channel::App;
use crate::origin::Seen;
use crate::person::{Person, Session};
use crate::protocol::Said;
use crate::rates::{Counted, Limit};
use crate::talk::{Caller, identify};
use crate::trouble::{Code, Trouble};
use crate::words::Words;
use crate::{events, frames, pages, ws};

/// The header an identity token comes in.
const IDENTITY: HeaderName = HeaderName::from_static("guichet-identity");
/// What a browser may send from another site.
const ALLOWED_HEADERS: &str = "authorization, content-type, guichet-identity";

pub(crate) fn router(app: Arc<App>) -> Router {
    let guarded = Router::new()
        .route("/ws", get(ws::upgrade))
        .route("/frames", post(frames::post))
        .route("/events", get(events::stream))
        .route("/poll", get(events::poll))
        .route("/uploads", post(frames::upload))
        .route("/config", get(pages::config))
        .layer(from_fn_with_state(Arc::clone(&app), guard));
    // Links carry their own right, and the widget's files are no secret.
    let open = Router::new()
        .route("/", get(pages::page))
        .route("/files/{link}", get(pages::file))
        .route("/widget/{*name}", get(pages::widget));
    guarded.merge(open).with_state(app)
}

/// Lets in whoever comes from a site that may, and tells the browser so.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let seen = app.shared.settings.origins.seen(request.headers(), request.uri());
    let words = Words::of(language_header(request.headers()));
    let is_ws = request.uri().path().ends_with("/ws");
    let origin = match seen {
        Seen::Foreign => return refuse(&app, Trouble::new(Code::OriginNotAllowed), words),
        Seen::Absent if is_ws => return refuse(&app, Trouble::new(Code::OriginNotAllowed), words),
        Seen::Absent => None,
        Seen::Allowed(origin) => Some(origin),
    };
    let mut response = if request.method() == Method::OPTIONS {
        let allowed = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, "7200"),
        ];
        (StatusCode::NO_CONTENT, allowed).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin.and_then(|origin| HeaderValue::from_str(&origin).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    }
    response
}

/// The person behind a request, by its headers; `tag` is the language asked for.
pub(crate) fn caller(app: &App, headers: &HeaderMap, peer: &Peer, tag: Option<&str>) -> Result<Caller, Trouble> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")));
    let session = Session::of(token.unwrap_or_default().trim())?;
    let identity = headers.get(IDENTITY).and_then(|value| value.to_str().ok());
    let identity = identify(app, identity)?;
    let tag = tag.or_else(|| language_header(headers));
    Ok(Caller {
        person: Person { session, identity },
        address: peer.counted(),
        words: Words::of(tag),
        language: tag.and_then(|tag| tag.split([',', ';']).next()).and_then(Language::parse),
        zone: None,
        page: None,
    })
}

/// Counts one connection from an address.
pub(crate) fn connects(app: &App, peer: &Peer) -> Result<(), Trouble> {
    let limit = Limit::per_minute(app.shared.settings.limits.connects);
    let address = Counted::Address("connect", peer.counted());
    app.shared.rates.take([(address, limit)], app.port.clock.now()).map_err(Trouble::rate)
}

/// The `Accept-Language` of a request.
pub(crate) fn language_header(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok())
}

/// The answer to a request that is refused as a whole.
pub(crate) fn refuse(app: &App, trouble: Trouble, words: Words) -> Response {
    let said = trouble.said(words, app.shared.settings.email.as_deref());
    answer(&[Said::Error(Box::new(said))])
}

/// Frames as an answer by HTTP: its status is that of the worst error among them.
pub(crate) fn answer(said: &[Said]) -> Response {
    let troubles = said.iter().filter_map(|said| if let Said::Error(trouble) = said { Some(trouble) } else { None });
    let worst = troubles.max_by_key(|trouble| weight(trouble.code));
    let status = worst.map_or(StatusCode::OK, |trouble| trouble.code.status());
    let wait = worst.and_then(|trouble| trouble.retry_after_ms).map(|millis| millis.div_ceil(1000));
    let frames: Vec<_> = said.iter().map(Said::text).collect();
    let mut response = frames_of(&frames);
    *response.status_mut() = status;
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    }
    response
}

/// Frames that are written already.
pub(crate) fn frames_of(frames: &[Box<str>]) -> Response {
    let body = format!(r#"{{"frames":[{}]}}"#, frames.join(","));
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, body).into_response()
}

/// What must be sent again weighs most, then what was too much.
fn weight(code: Code) -> u8 {
    match code {
        Code::Busy | Code::Internal => 3,
        Code::RateLimited => 2,
        _ => 1,
    }
}
