//! Frames and files by plain HTTP.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use guichet_contract::web::Peer;
use guichet_domain::language::Language;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::channel::App;
use crate::line::Convs;
use crate::person::Person;
use crate::protocol::{Asked, Hello, MAX_FRAME, MAX_FRAMES, Said, VERSION, parse, read};
use crate::rates::{Counted, Limit};
use crate::routes::{answer, caller, refuse};
use crate::talk::{Caller, handle, identify};
use crate::trouble::{Code, Trouble};
use crate::uploads::Declared;
use crate::words::Words;

/// How long a body of frames may take to come.
const READING: Duration = Duration::from_secs(10);
/// Requests with frames within a minute, of one session.
const POSTS: Limit = Limit::per_minute(240);

/// `POST /frames`.
pub(crate) async fn post(State(app): State<Arc<App>>, peer: Option<Extension<Peer>>, request: Request) -> Response {
    let peer = peer.map(|Extension(peer)| peer).unwrap_or_default();
    let (parts, body) = request.into_parts();
    let mut caller = match caller(&app, &parts.headers, &peer, None) {
        Ok(caller) => caller,
        // A hello may bring the identity that is missing in the headers.
        Err(trouble) if trouble.code == Code::IdentityRequired => match without_identity(&parts.headers, &peer) {
            Ok(caller) => caller,
            Err(trouble) => return refuse(&app, trouble, Words::En),
        },
        Err(trouble) => return refuse(&app, trouble, Words::of(crate::routes::language_header(&parts.headers))),
    };
    if let Err(trouble) = caller.count(&app, "post", POSTS) {
        return refuse(&app, trouble, caller.words);
    }
    let frames = match frames(body).await {
        Ok(frames) => frames,
        Err(response) => return *response,
    };
    let mut said = Vec::new();
    for frame in frames {
        match Box::pin(one(&app, &mut caller, frame)).await {
            Ok(mut answers) => said.append(&mut answers),
            Err(trouble) => {
                let trouble = trouble.said(caller.words, app.shared.settings.email.as_deref());
                let fatal = trouble.fatal;
                said.push(Said::Error(Box::new(trouble)));
                if fatal {
                    break;
                }
            }
        }
    }
    answer(&said)
}

/// The person without an identity, where one is required: may only greet.
fn without_identity(headers: &HeaderMap, peer: &Peer) -> Result<Caller, Trouble> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.get("Bearer ".len()..)).unwrap_or_default();
    let session = crate::person::Session::of(token.trim())?;
    let tag = crate::routes::language_header(headers);
    let (words, language) = (Words::of(tag), tag.and_then(Language::parse));
    let person = Person { session, identity: None };
    Ok(Caller { person, address: peer.counted(), words, language, zone: None, page: None })
}

async fn frames(body: Body) -> Result<Vec<Value>, Box<Response>> {
    let wrong = |code: axum::http::StatusCode, what: &str| {
        let trouble = Trouble::bad_frame(what);
        let mut response = answer(&[Said::Error(Box::new(trouble))]);
        *response.status_mut() = code;
        Box::new(response)
    };
    let bytes = match tokio::time::timeout(READING, to_bytes(body, MAX_FRAME)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => {
            return Err(wrong(axum::http::StatusCode::PAYLOAD_TOO_LARGE, "the body is over 64 KiB or ended early"));
        }
        Err(_) => return Err(wrong(axum::http::StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
    };
    let unprocessable = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
    match parse(&bytes) {
        Ok(Value::Array(frames)) if frames.len() > MAX_FRAMES => Err(wrong(unprocessable, "at most 20 frames at once")),
        Ok(Value::Array(frames)) => Ok(frames),
        Ok(frame) => Ok(vec![frame]),
        Err(trouble) => Err(wrong(unprocessable, &trouble.message)),
    }
}

async fn one(app: &Arc<App>, caller: &mut Caller, frame: Value) -> Result<Vec<Said>, Trouble> {
    let raw = frame.to_string();
    match read(frame)? {
        Asked::Hello(hello) => greet(app, caller, *hello).await,
        Asked::Identify(identify) => become_known(app, caller, Some(&identify.jwt)).await,
        Asked::Logout => {
            app.shared.hub.log_out(caller.person.session.as_str());
            Ok(Vec::new())
        }
        asked => {
            if caller.person.identity.is_none() {
                identify(app, None)?;
            }
            handle(app, caller, asked, raw.as_bytes()).await
        }
    }
}

async fn greet(app: &Arc<App>, caller: &mut Caller, hello: Hello) -> Result<Vec<Said>, Trouble> {
    if hello.v.as_i64() != Some(VERSION) {
        return Err(Trouble::version());
    }
    surround(caller, &hello);
    match &hello.identity {
        None if caller.person.identity.is_some() => welcome(app, caller).await,
        token => become_known(app, caller, token.as_deref()).await,
    }
}

/// What a hello tells of its surroundings.
pub(crate) fn surround(caller: &mut Caller, hello: &Hello) {
    if let Some(tag) = hello.lang.as_deref() {
        caller.words = Words::of(Some(tag));
        caller.language = Language::parse(tag);
    }
    caller.zone.clone_from(&hello.tz);
    caller.page.clone_from(&hello.page);
}

async fn become_known(app: &Arc<App>, caller: &mut Caller, token: Option<&str>) -> Result<Vec<Said>, Trouble> {
    let known = identify(app, token)?;
    caller.person.meets(known)?;
    welcome(app, caller).await
}

async fn welcome(app: &Arc<App>, caller: &Caller) -> Result<Vec<Said>, Trouble> {
    let convs = Convs::of(app, &caller.person, &BTreeMap::new()).await?;
    Ok(vec![convs.welcome(app, &caller.person).await?])
}

/// What comes with an upload.
#[derive(Deserialize)]
pub(crate) struct Named {
    name: Option<String>,
}

/// `POST /uploads`.
pub(crate) async fn upload(
    State(app): State<Arc<App>>,
    Query(named): Query<Named>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let peer = peer.map(|Extension(peer)| peer).unwrap_or_default();
    let caller = match caller(&app, &headers, &peer, None) {
        Ok(caller) => caller,
        Err(trouble) => return refuse(&app, trouble, Words::of(crate::routes::language_header(&headers))),
    };
    match Box::pin(stored(&app, &caller, &named, &headers, body)).await {
        Ok(response) => response,
        Err(trouble) => refuse(&app, trouble, caller.words),
    }
}

async fn stored(
    app: &App,
    caller: &Caller,
    named: &Named,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Trouble> {
    let limits = &app.shared.settings.limits;
    let session = caller.person.session.as_str();
    let now = app.port.clock.now();
    let wanted = [
        (Counted::Session("upload", session.into()), Limit::per_hour(limits.uploads)),
        (Counted::Address("upload", caller.address), Limit::per_hour(limits.uploads_address)),
    ];
    app.shared.rates.take(wanted, now).map_err(Trouble::rate)?;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limits.file_bytes) {
        return Err(Trouble::new(Code::FileTooLarge));
    }
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let declared = Declared { session, name: named.name.as_deref(), media_type, most: limits.file_bytes };
    let upload = app.shared.uploads.take(&declared, body, (&*app.port.ids, now)).await?;
    let json = serde_json::to_string(&upload).map_err(|_| Trouble::new(Code::Internal))?;
    Ok(([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], json).into_response())
}
