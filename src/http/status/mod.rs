//! The status page of one ticket, `/t/{token}`, and the page on which its link is asked for, `/t`.
//!
//! Whoever holds the token reads the ticket and acts as its requester; `crate::desk::page` says how tokens end. Nothing changes on
//! GET: mail scanners follow every link. A form carries an id made when it was drawn, so that sending it twice acts once.

mod page;
mod words;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Extension, Form, FromRequest as _, Multipart, Path, Query, Request, State};
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, RETRY_AFTER,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use guichet_contract::web::{Peer, Rates};
use guichet_contract::{Acted, RequesterAct};
use guichet_domain::ids::{MessageId, Seq};
use guichet_domain::inbound::Attachment;
use guichet_domain::language::Language;
use guichet_domain::{file_name, media_type};
use maud::Markup;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tracing::warn;
use uuid::Uuid;

use crate::desk::{Desk, DeskError, PageReply, PageView};
use page::{Asked, Frame, STYLE};
use words::{Word, say};

/// Most files of a message, most octets of each.
const FILES: usize = 5;
const FILE: usize = 10 << 20;
/// Links one network may ask for in an hour.
const LINKS: u32 = 10;
/// Messages and acts of one network in an hour.
const ACTS: u32 = 120;
/// Longest text of a field in octets.
const TEXT: usize = 400_000;
/// Messages with files that come in at once, and how long one may take: a photo over a slow mobile connection.
const IN_MEMORY: usize = 8;
const READING: Duration = Duration::from_mins(5);
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[derive(Clone)]
struct Pages {
    desk: Desk,
    links: Arc<Rates>,
    acts: Arc<Rates>,
    /// Held by whoever sends files, while they come in.
    in_memory: Arc<Semaphore>,
}

#[derive(Debug, Default, Deserialize)]
struct Wanted {
    lang: Option<String>,
    after: Option<i64>,
    done: Option<String>,
    score: Option<u8>,
}

/// The routes below `/t`. Where pages are not public every token opens nothing.
pub(super) fn routes(desk: Desk) -> Router {
    let pages = Pages {
        desk,
        links: Arc::new(Rates::new(LINKS)),
        acts: Arc::new(Rates::new(ACTS)),
        in_memory: Arc::new(Semaphore::new(IN_MEMORY)),
    };
    Router::new()
        .route(STYLE, get(style))
        .route("/t", get(find).post(send_link))
        .route("/t/{token}", get(show))
        .route("/t/{token}/files/{entry}/{position}", get(file))
        .route("/t/{token}/reply", post(reply).layer(DefaultBodyLimit::max(FILES * FILE + (1 << 20))))
        .route("/t/{token}/{act}", post(act).layer(DefaultBodyLimit::max(64 << 10)))
        .with_state(pages)
}

async fn style() -> Response {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=3600")];
    (headers, include_str!("../../../web/pages/pages.css")).into_response()
}

async fn find(State(pages): State<Pages>, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Response {
    let lang = lang(&wanted, &headers, Language::En);
    html(StatusCode::OK, pages.frame(lang).find(None))
}

#[derive(Deserialize)]
struct Link {
    reference: String,
    email: String,
}

/// Says the same whatever is true, and says it before it is known.
async fn send_link(
    State(pages): State<Pages>,
    peer: Option<Extension<Peer>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
    Form(link): Form<Link>,
) -> Response {
    let lang = lang(&wanted, &headers, Language::En);
    if let Err(wait) = pages.count(&pages.links, peer) {
        let words = say(lang, Word::TooMany).replace("{minutes}", &(wait / 60 + 1).to_string());
        let page = pages.frame(lang).find(Some(&words));
        return (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, wait)], html(StatusCode::OK, page)).into_response();
    }
    let (desk, id) = (pages.desk.clone(), pages.desk.kernel().ids.uuid());
    tokio::spawn(async move {
        if let Err(error) = desk.send_page_link(link.reference.trim(), link.email.trim(), id).await {
            warn!(%error, "the link to a page could not be queued; its asker has to ask again");
        }
    });
    html(StatusCode::OK, pages.frame(lang).message(Word::FoundTitle, Word::FoundText))
}

async fn show(
    State(pages): State<Pages>,
    Path(token): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let done = wanted.done.as_deref().and_then(done_word);
    let told = Told { done, score: wanted.score, ..Told::default() };
    pages.show(&token, &wanted, &headers, StatusCode::OK, told).await
}

async fn file(
    State(pages): State<Pages>,
    Path((token, entry, position)): Path<(String, MessageId, usize)>,
    headers: HeaderMap,
) -> Response {
    match pages.desk.page_file(&token, entry, position).await {
        Ok(Some(file)) => {
            // RFC 6266 section 4.3 and RFC 8187: the name as UTF-8, with nothing that could end the header.
            let name: String = file
                .name
                .bytes()
                .map(|byte| match byte {
                    b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
                    other => format!("%{other:02X}"),
                })
                .collect();
            let disposition = HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{name}"));
            let kind = HeaderValue::from_str(&file.media_type);
            let headers = [
                (CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment"))),
                (CONTENT_TYPE, kind.unwrap_or(HeaderValue::from_static("application/octet-stream"))),
                (CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'")),
            ];
            (headers, file.bytes).into_response()
        }
        Ok(None) => pages.gone(lang(&Wanted::default(), &headers, Language::En)),
        Err(error) => pages.failed(&error, lang(&Wanted::default(), &headers, Language::En)),
    }
}

async fn reply(
    State(pages): State<Pages>,
    Path(token): Path<String>,
    peer: Option<Extension<Peer>>,
    request: Request<Body>,
) -> Response {
    let (wanted, headers) = (Wanted::default(), request.headers().clone());
    let again = |status, wrong, typed: String| {
        let (pages, token, headers) = (&pages, &token, &headers);
        async move {
            pages
                .show(token, &Wanted::default(), headers, status, Told { wrong: Some(wrong), typed, ..Told::default() })
                .await
        }
    };
    // Files are in memory while they come in: nobody sends any to a page that is not there.
    match pages.desk.opens_page(&token).await {
        Ok(true) => {}
        Ok(false) => return pages.gone(lang(&wanted, &headers, Language::En)),
        Err(error) => return pages.failed(&error, lang(&wanted, &headers, Language::En)),
    }
    let read = async {
        match Multipart::from_request(request, &()).await {
            Ok(parts) => read_reply(parts, &pages.in_memory).await,
            Err(_) => Err((Word::TooMuch, String::new())),
        }
    };
    let Ok(read) = tokio::time::timeout(READING, read).await else {
        return again(StatusCode::REQUEST_TIMEOUT, Word::TooMuch, String::new()).await;
    };
    let reply = match read {
        Ok(reply) => reply,
        Err((wrong, typed)) => return again(StatusCode::UNPROCESSABLE_ENTITY, wrong, typed).await,
    };
    let typed = reply.text.clone();
    // Counted once it is read: what was typed is shown again.
    if pages.count(&pages.acts, peer).is_err() {
        return again(StatusCode::TOO_MANY_REQUESTS, Word::Busy, typed).await;
    }
    match pages.desk.page_reply(&token, reply).await {
        Ok(Some(replied)) => see(&token, if replied.follows { "follows" } else { "replied" }),
        Ok(None) => pages.gone(lang(&wanted, &headers, Language::En)),
        Err(DeskError::Invalid { .. }) => again(StatusCode::UNPROCESSABLE_ENTITY, Word::Empty, typed).await,
        Err(error) => {
            warn!(%error, "a message written on a page could not be taken in; the page shows it again");
            again(StatusCode::SERVICE_UNAVAILABLE, Word::Busy, typed).await
        }
    }
}

#[derive(Deserialize)]
struct Pressed {
    id: Uuid,
    score: Option<u8>,
    #[serde(default)]
    text: String,
}

async fn act(
    State(pages): State<Pages>,
    Path((token, what)): Path<(String, String)>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Form(pressed): Form<Pressed>,
) -> Response {
    let wanted = Wanted::default();
    let again = |status, wrong| {
        let told = Told { wrong: Some(wrong), ..Told::default() };
        pages.show(&token, &wanted, &headers, status, told)
    };
    if pages.count(&pages.acts, peer).is_err() {
        return again(StatusCode::TOO_MANY_REQUESTS, Word::Busy).await;
    }
    let text = Some(pressed.text.trim().to_owned()).filter(|text| !text.is_empty());
    let (act, done) = match (what.as_str(), pressed.score) {
        ("close", _) => (RequesterAct::Close, "closed"),
        ("reopen", _) => (RequesterAct::Reopen, "reopened"),
        ("rate", Some(score @ 1..=5)) => (RequesterAct::Rate { score, text }, "rated"),
        ("rate", _) => return again(StatusCode::UNPROCESSABLE_ENTITY, Word::Refused).await,
        ("renew", _) => return renew(&pages, &token, pressed.id, &headers).await,
        _ => return pages.gone(lang(&wanted, &headers, Language::En)),
    };
    match pages.desk.page_act(&token, pressed.id, act).await {
        Ok(Some(Acted::Done | Acted::Already)) => see(&token, done),
        Ok(Some(Acted::Refused { .. })) => again(StatusCode::CONFLICT, Word::Refused).await,
        Ok(None) => pages.gone(lang(&wanted, &headers, Language::En)),
        Err(error) => pages.failed(&error, lang(&wanted, &headers, Language::En)),
    }
}

async fn renew(pages: &Pages, token: &str, id: Uuid, headers: &HeaderMap) -> Response {
    match pages.desk.page_renew(token, id).await {
        Ok(Some(fresh)) => see(&fresh, "renewed"),
        Ok(None) => pages.gone(lang(&Wanted::default(), headers, Language::En)),
        Err(error) => pages.failed(&error, lang(&Wanted::default(), headers, Language::En)),
    }
}

/// What is said on a page besides how the ticket stands.
#[derive(Default)]
struct Told {
    done: Option<Word>,
    wrong: Option<Word>,
    typed: String,
    score: Option<u8>,
}

impl Pages {
    fn frame(&self, lang: Language) -> Frame<'_> {
        Frame { lang, desk: self.desk.kernel().texts.desk() }
    }

    fn count(&self, rates: &Rates, peer: Option<Extension<Peer>>) -> Result<(), i64> {
        let peer = peer.map(|Extension(peer)| peer).unwrap_or_default();
        rates.count(peer.counted(), self.desk.kernel().clock.now().secs())
    }

    async fn show(
        &self,
        token: &str,
        wanted: &Wanted,
        headers: &HeaderMap,
        status: StatusCode,
        told: Told,
    ) -> Response {
        let view: Option<PageView> = match self.desk.page(token, Seq(wanted.after.unwrap_or(0).max(0))).await {
            Ok(view) => view,
            Err(error) => return self.failed(&error, lang(wanted, headers, Language::En)),
        };
        let Some(view) = view else { return self.gone(lang(wanted, headers, Language::En)) };
        let lang = match &wanted.lang {
            Some(_) => lang(wanted, headers, view.language),
            None => view.language,
        };
        let id = self.desk.kernel().ids.uuid();
        let score = told.score.filter(|score| (1..=5).contains(score));
        let asked = Asked { token, view: &view, id, done: told.done, wrong: told.wrong, typed: &told.typed, score };
        html(status, self.frame(lang).ticket(&asked))
    }

    /// The same for a token that never was, that ended, and that was renewed.
    fn gone(&self, lang: Language) -> Response {
        html(StatusCode::NOT_FOUND, self.frame(lang).message(Word::GoneTitle, Word::GoneText))
    }

    fn failed(&self, error: &DeskError, lang: Language) -> Response {
        warn!(%error, "a status page could not be served");
        html(StatusCode::SERVICE_UNAVAILABLE, self.frame(lang).message(Word::NotDone, Word::Busy))
    }
}

/// A message with its files, or what is wrong with it and what was typed.
async fn read_reply(mut parts: Multipart, in_memory: &Semaphore) -> Result<PageReply, (Word, String)> {
    let (mut id, mut text, mut files) = (None, String::new(), Vec::new());
    let mut room = None;
    let too_much = |text: &str| (Word::TooMuch, text.to_owned());
    while let Some(mut part) = parts.next_field().await.map_err(|_| too_much(&text))? {
        let name = part.name().unwrap_or_default().to_owned();
        let called = part.file_name().map(str::to_owned);
        let declared = part.content_type().unwrap_or_default().to_owned();
        let most = if called.is_some() { FILE } else { TEXT };
        let mut bytes = Vec::new();
        while let Some(chunk) = part.chunk().await.map_err(|_| too_much(&text))? {
            if bytes.len() + chunk.len() > most || (called.is_some() && files.len() >= FILES) {
                return Err(too_much(&text));
            }
            if called.is_some() && room.is_none() {
                room = in_memory.acquire().await.ok();
            }
            bytes.extend_from_slice(&chunk);
        }
        match (name.as_str(), called) {
            ("id", None) => id = std::str::from_utf8(&bytes).ok().and_then(|id| id.parse().ok()),
            ("text", None) => text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n"),
            ("files", Some(called)) if !bytes.is_empty() => {
                let media_type = media_type::of(&bytes, &declared);
                if media_type::is_active(media_type) {
                    return Err((Word::FileKind, text));
                }
                let name = file_name::safe(Some(called.as_str()), media_type, files.len() + 1);
                files.push(Attachment { name, media_type: media_type.to_owned(), content_id: None, bytes });
            }
            _ => {}
        }
    }
    match id {
        Some(id) if files.len() <= FILES => Ok(PageReply { id, text, files }),
        _ => Err(too_much(&text)),
    }
}

fn see(token: &str, done: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, format!("/t/{token}?done={done}"))]).into_response()
}

fn done_word(done: &str) -> Option<Word> {
    Some(match done {
        "replied" => Word::DoneReplied,
        "follows" => Word::DoneFollows,
        "closed" => Word::DoneClosed,
        "reopened" => Word::DoneReopened,
        "rated" => Word::DoneRated,
        "renewed" => Word::DoneRenewed,
        _ => return None,
    })
}

fn lang(wanted: &Wanted, headers: &HeaderMap, fallback: Language) -> Language {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let offered = |tag: &str| {
        let tag = tag.split(';').next().unwrap_or_default();
        Language::parse(tag).filter(|lang| matches!(lang, Language::En | Language::Fr))
    };
    let asked = wanted.lang.as_deref().and_then(offered);
    asked.or_else(|| accepted.split(',').find_map(offered)).unwrap_or(fallback)
}

fn html(status: StatusCode, page: Markup) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ];
    (status, headers, page.into_string()).into_response()
}
