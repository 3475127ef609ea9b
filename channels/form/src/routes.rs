//! What is served: the forms, what is posted to them, and the page after.

use std::io::ErrorKind;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Extension, Path, Query, Request, State};
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, RETRY_AFTER,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use data_encoding::BASE64;
use guichet_contract::web::Peer;
use guichet_contract::{NotAccepted, Port};
use guichet_domain::ids::ConversationKey;
use maud::Markup;
use serde::Deserialize;

use crate::channel::FormSource;
use crate::fields::{Values, Wrong, answers, check};
use crate::guard::is_solved;
use crate::page::{Drawing, Site, Told};
use crate::posted::{Posted, Reading, Unreadable};
use crate::settings::{FormKeys, Puzzle};
use crate::staging::Staged;
use crate::submission::{SentFile, Submission};
use crate::token::{Drawn, Received, Signer};
use crate::words::{Lang, Word, say};

/// How long a body may take to come in: a photo over a slow mobile connection.
const READING: Duration = Duration::from_mins(5);
/// What stands in for a puzzle where no script runs, in seconds.
const PATIENCE: i64 = 30;
/// Pages load their own style and script and send to themselves; nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

#[derive(Clone)]
struct Desk {
    source: FormSource,
    port: Port,
}

#[derive(Deserialize)]
struct Asked {
    lang: Option<String>,
}

pub(crate) fn routes(source: FormSource, port: Port) -> Router {
    let limit = source.keys.files * (source.keys.file_mib << 20) + (1 << 20);
    Router::new()
        .route("/", get(front))
        .route("/form.css", get(style))
        .route("/form.js", get(script))
        .route("/received/{receipt}", get(received))
        .route("/{form}", get(blank).post(post))
        .layer(DefaultBodyLimit::max(limit))
        .with_state(Desk { source, port })
}

async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("../../../web/pages/pages.css"))
}

async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("assets/form.js"))
}

fn asset(media_type: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, "max-age=3600")], text).into_response()
}

async fn front(State(desk): State<Desk>, asked: Query<Asked>, headers: HeaderMap) -> Response {
    let lang = lang(&asked, &headers);
    match desk.source.keys.forms.as_slice() {
        [only] => desk.draw(only, lang, StatusCode::OK, &Typed::default()).await,
        _ => html(StatusCode::OK, desk.site(lang).choice()),
    }
}

async fn blank(State(desk): State<Desk>, Path(key): Path<String>, asked: Query<Asked>, headers: HeaderMap) -> Response {
    let lang = lang(&asked, &headers);
    match desk.form(&key) {
        Some(form) => desk.draw(form, lang, StatusCode::OK, &Typed::default()).await,
        None => desk.no_such_form(lang),
    }
}

async fn post(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    asked: Query<Asked>,
    peer: Option<Extension<Peer>>,
    request: Request<Body>,
) -> Response {
    let lang = lang(&asked, request.headers());
    let Some(form) = desk.form(&key) else { return desk.no_such_form(lang) };
    let peer = peer.map(|Extension(peer)| peer).unwrap_or_default();
    let Ok(signer) = desk.source.signer(&desk.port).await else { return desk.busy_page(lang) };
    let (keys, staging, now) = (&desk.source.keys, &desk.source.staging, desk.port.clock.now());
    let (guard, network) = (&desk.source.guard, peer.counted());
    let reading = Reading { keys, signer, staging, guard, network, lang, now };
    let posted = match tokio::time::timeout(READING, reading.read(request)).await {
        Ok(Ok(posted)) => posted,
        Ok(Err(Unreadable::Disk)) => return desk.busy_page(lang),
        Ok(Err(Unreadable::NoForm)) => return desk.unread(form, lang, StatusCode::UNSUPPORTED_MEDIA_TYPE).await,
        Ok(Err(Unreadable::TooMuch)) => return desk.unread(form, lang, StatusCode::PAYLOAD_TOO_LARGE).await,
        Err(_) => return desk.unread(form, lang, StatusCode::REQUEST_TIMEOUT).await,
    };
    desk.taken(form, lang, signer, posted, peer).await
}

async fn received(
    State(desk): State<Desk>,
    Path(receipt): Path<String>,
    asked: Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let lang = lang(&asked, &headers);
    let Ok(signer) = desk.source.signer(&desk.port).await else { return desk.busy_page(lang) };
    let Some(received) = signer.received(&receipt, desk.port.clock.now()) else {
        let page = desk.site(lang).message_page(Word::GoneTitle, say(lang, Word::GoneText));
        return html(StatusCode::GONE, page);
    };
    let standing = desk.port.conversations.standing(&ConversationKey::new(received.conversation)).await.ok().flatten();
    let zone = desk.port.conversations.hours().zone;
    let promise = standing.and_then(|standing| standing.promised_at).and_then(|at| {
        let shown = at.timestamp().in_tz(&zone).ok()?;
        let form = match lang {
            Lang::En => "%Y-%m-%d, %H:%M",
            Lang::Fr => "%d/%m/%Y à %H:%M",
        };
        Some((shown.strftime(form).to_string(), at.timestamp().to_string()))
    });
    let told = Told { reference: received.reference.as_deref(), masked: &received.masked, promise };
    html(StatusCode::OK, desk.site(lang).received(&told))
}

/// What was typed and uploaded so far, and what is wrong with it.
#[derive(Default)]
struct Typed {
    values: Values,
    wrongs: Vec<Wrong>,
    /// The token to go on with; without one a new form is drawn.
    token: Option<(String, Drawn)>,
    puzzle: bool,
}

/// Why a form was not handed in.
enum Unhanded {
    /// More files than are taken, over several postings.
    TooManyFiles,
    /// It could not be stored.
    NotStored(String),
}

impl Desk {
    fn site(&self, lang: Lang) -> Site<'_> {
        Site { base: &self.source.base, keys: &self.source.keys, lang }
    }

    fn form(&self, key: &str) -> Option<&FormKeys> {
        self.source.keys.forms.iter().find(|form| form.key == key)
    }

    fn no_such_form(&self, lang: Lang) -> Response {
        let page = self.site(lang).message_page(Word::NotFoundTitle, say(lang, Word::NotFoundText));
        html(StatusCode::NOT_FOUND, page)
    }

    /// The way out, where there is one.
    fn or_mail(&self, lang: Lang, words: &str) -> String {
        match &self.source.keys.email {
            Some(email) => format!("{words} {}", say(lang, Word::OrMail).replace("{email}", email)),
            None => words.to_owned(),
        }
    }

    fn busy_page(&self, lang: Lang) -> Response {
        let words = self.or_mail(lang, say(lang, Word::Busy));
        html(StatusCode::SERVICE_UNAVAILABLE, self.site(lang).message_page(Word::Problem, &words))
    }

    async fn unread(&self, form: &FormKeys, lang: Lang, status: StatusCode) -> Response {
        let keys = &self.source.keys;
        let words = say(lang, Word::FilesHint).replace("{count}", &keys.files.to_string());
        let wrongs = vec![Wrong::with("files", words.replace("{mib}", &keys.file_mib.to_string()))];
        self.draw(form, lang, status, &Typed { wrongs, ..Typed::default() }).await
    }

    /// Draws a form with what was typed so far.
    async fn draw(&self, form: &FormKeys, lang: Lang, status: StatusCode, typed: &Typed) -> Response {
        let Ok(signer) = self.source.signer(&self.port).await else { return self.busy_page(lang) };
        let now = self.port.clock.now();
        let (token, drawn) = if let Some((token, drawn)) = &typed.token {
            (token.clone(), Some(drawn.clone()))
        } else {
            let token = signer.draw(self.port.ids.as_ref(), now);
            let drawn = signer.drawn(&token, now);
            (token, drawn)
        };
        let id = drawn.map(|drawn| drawn.id).unwrap_or_default();
        let kept = if typed.token.is_some() { self.source.staging.list(&id).await } else { Vec::new() };
        let asks = typed.puzzle || self.wants_puzzle(now.secs());
        let drawing = Drawing {
            form,
            values: &typed.values,
            wrongs: &typed.wrongs,
            kept: &kept,
            token: &token,
            puzzle: asks.then_some(id.as_str()),
        };
        html(status, self.site(lang).form(&drawing))
    }

    fn wants_puzzle(&self, now: i64) -> bool {
        match self.source.keys.puzzle {
            Puzzle::Never => false,
            Puzzle::Attack => self.source.guard.is_attacked(now),
            Puzzle::Always => true,
        }
    }

    /// A form that was read: draws it again with what is wrong, or hands it in and leads to the page after.
    async fn taken(&self, form: &FormKeys, lang: Lang, signer: &Signer, posted: Posted, peer: Peer) -> Response {
        let Posted { values, drawn, files, wrongs } = posted;
        let now = self.port.clock.now().secs();
        let Some(drawn) = drawn else {
            // Drawn anew with all that was typed: whoever left it open for a day presses once more.
            let wrongs = vec![Wrong::whole(say(lang, Word::TooOld))];
            return self.draw(form, lang, StatusCode::BAD_REQUEST, &Typed { values, wrongs, ..Typed::default() }).await;
        };
        let token = Some((values.get("token").to_owned(), drawn.clone()));
        let again = |status, wrongs, puzzle| {
            let typed = Typed { values: values.clone(), wrongs, token: token.clone(), puzzle };
            async move { self.draw(form, lang, status, &typed).await }
        };
        let mut wrongs_all = check(form, &values, lang);
        wrongs_all.extend(wrongs);
        if !wrongs_all.is_empty() {
            return again(StatusCode::UNPROCESSABLE_ENTITY, wrongs_all, false).await;
        }
        let puzzled = self.wants_puzzle(now) && !is_solved(&drawn.id, values.get("work")) && now - drawn.at < PATIENCE;
        if puzzled {
            return again(StatusCode::UNPROCESSABLE_ENTITY, vec![Wrong::whole(say(lang, Word::Puzzle))], true).await;
        }
        if now - drawn.at < i64::from(self.source.keys.min_secs) {
            return again(StatusCode::UNPROCESSABLE_ENTITY, vec![Wrong::whole(say(lang, Word::TooQuick))], false).await;
        }
        if let Err(wait) = self.source.guard.count(peer.counted(), now) {
            let minutes = wait.div_euclid(60) + 1;
            let words = say(lang, Word::TooMany).replace("{minutes}", &minutes.to_string());
            let wrongs = vec![Wrong::whole(self.or_mail(lang, &words))];
            let mut response = again(StatusCode::TOO_MANY_REQUESTS, wrongs, false).await;
            response.headers_mut().insert(RETRY_AFTER, wait.into());
            return response;
        }
        match self.hand_in(form, lang, signer, &values, (&drawn, files > 0)).await {
            Ok(receipt) => {
                let place = format!("{}/received/{receipt}?lang={}", self.source.base, lang.as_str());
                (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response()
            }
            Err(Unhanded::TooManyFiles) => {
                let words = say(lang, Word::TooManyFiles).replace("{count}", &self.source.keys.files.to_string());
                again(StatusCode::UNPROCESSABLE_ENTITY, vec![Wrong::with("files", words)], false).await
            }
            Err(Unhanded::NotStored(why)) => {
                tracing::warn!(source = %self.port.source, %why, "a form could not be taken in; it is shown again");
                let wrongs = vec![Wrong::whole(self.or_mail(lang, say(lang, Word::Busy)))];
                again(StatusCode::SERVICE_UNAVAILABLE, wrongs, false).await
            }
        }
    }

    /// Makes it a request. The same form sent twice is handed in twice and is one request.
    async fn hand_in(
        &self,
        form: &FormKeys,
        lang: Lang,
        signer: &Signer,
        values: &Values,
        (drawn, with_files): (&Drawn, bool),
    ) -> Result<String, Unhanded> {
        let (staging, now) = (&self.source.staging, self.port.clock.now());
        let kept = staging.list(&drawn.id).await;
        let room = if kept.is_empty() { None } else { staging.in_memory.acquire().await.ok() };
        let mut files = Vec::new();
        for staged in kept.iter().filter(|staged| is_wanted(values, staged)) {
            let bytes = match staging.read(&drawn.id, staged.number).await {
                Ok(bytes) => bytes,
                // Pressed twice: the other one was quicker, and handed it in.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(Unhanded::NotStored(error.to_string())),
            };
            let (name, media_type) = (staged.name.clone(), staged.media_type.to_owned());
            let file = SentFile { name, media_type, content: BASE64.encode(&bytes) };
            // Pressed twice, a browser may send each file twice.
            if files.contains(&file) {
                continue;
            }
            if files.len() == self.source.keys.files {
                return Err(Unhanded::TooManyFiles);
            }
            files.push(file);
        }
        let line = |name: &str| Some(values.line(name)).filter(|line| !line.is_empty());
        let email = values.line("email");
        let submission = Submission {
            id: drawn.id.clone(),
            form: form.key.clone(),
            title: form.title.get(lang).to_owned(),
            lang: lang.as_str().to_owned(),
            category: form.category.clone(),
            name: line("name"),
            email: email.clone(),
            subject: line("subject"),
            message: values.text("message"),
            answers: answers(form, values, lang),
            files,
            with_files,
            trapped: !values.get("website").is_empty(),
        };
        let accepted =
            self.port.intake.accept(vec![submission.inbound(now)], Vec::new()).await.map_err(
                |refused| match refused {
                    NotAccepted::Busy { why, .. } | NotAccepted::Refused { why } => Unhanded::NotStored(why),
                },
            )?;
        drop(room);
        staging.clear(&drawn.id, &kept).await;
        let reference = accepted.receipts.into_iter().next().and_then(|receipt| receipt.reference);
        let conversation = Submission::conversation(&drawn.id, &email).as_str().to_owned();
        Ok(signer.receipt(&Received { reference, masked: masked(&email), conversation, at: now.secs() }))
    }
}

/// Uploads of this very posting are wanted; earlier ones as long as their box is ticked. A posting whose page showed none has no
/// boxes.
fn is_wanted(values: &Values, staged: &Staged) -> bool {
    let number = staged.number.to_string();
    let shown: Vec<&str> = values.all("shown").collect();
    !shown.contains(&number.as_str()) || values.all("kept").any(|kept| kept == number)
}

/// An address of which the one who wrote it knows which it is, and who looks over a shoulder does not.
fn masked(email: &str) -> String {
    match email.rsplit_once('@') {
        Some((local, domain)) => format!("{}…@{domain}", local.chars().next().unwrap_or('…')),
        None => "…".to_owned(),
    }
}

fn lang(asked: &Query<Asked>, headers: &HeaderMap) -> Lang {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Lang::chosen(asked.lang.as_deref(), accepted)
}

fn html(status: StatusCode, page: Markup) -> Response {
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY)];
    (status, headers, page.into_string()).into_response()
}
