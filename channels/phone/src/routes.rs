//! What is served: the addresses phone systems post to.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Path, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Request as HttpRequest, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use guichet_contract::Port;
use guichet_contract::web::Peer;
use serde::Deserialize;

use crate::channel::PhoneSource;
use crate::engine::{NotEntered, Standing, unusable};
use crate::event::{CallEvent, Heard, Stage};
use crate::fields::Fields;
use crate::kinds::{Reply, Said, Unusable};
use crate::request::{Denied, Door, Request};
use crate::spool::Kept;
use crate::words;

/// How long a body may take to come in.
const READING: Duration = Duration::from_secs(15);
/// How long a phone system waits for its yes.
const ENTERING: Duration = Duration::from_secs(10);
/// How long a caller waits for a number.
const SPEAKING: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct Desk {
    source: PhoneSource,
    port: Port,
}

#[derive(Deserialize)]
struct Place {
    door: String,
    token: Option<String>,
}

pub(crate) fn routes(source: PhoneSource, port: Port) -> Router {
    Router::new()
        .route("/notice/{name}", any(sound))
        .route("/{door}", any(take))
        .route("/{door}/{token}", any(take))
        .fallback(|| async { forbidden() })
        .with_state(Desk { source, port })
}

async fn take(
    State(desk): State<Desk>,
    Path(place): Path<Place>,
    peer: Option<Extension<Peer>>,
    request: HttpRequest<Body>,
) -> Response {
    let Some(door) = Door::parse(&place.door) else { return forbidden() };
    let (head, body) = request.into_parts();
    let limit = desk.source.system().body_limit();
    let body = match tokio::time::timeout(READING, to_bytes(body, limit)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    let query = head.uri.query().unwrap_or_default();
    let url = desk.url(&place, query);
    let request = Request {
        door,
        method: head.method.as_str(),
        token: place.token.as_deref(),
        headers: &head.headers,
        query,
        body: &body,
        url: &url,
        now: desk.port.clock.now(),
    };
    if let Err(response) = desk.judge(&request, peer.map(|Extension(peer)| peer).unwrap_or_default()).await {
        return response;
    }
    desk.answer(&request).await
}

/// Sound that is played to a caller, by a name nobody can guess.
async fn sound(State(desk): State<Desk>, Path(name): Path<String>) -> Response {
    let random = name.strip_suffix(".wav").unwrap_or_default();
    if random.len() != 32 || !random.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return forbidden();
    }
    match tokio::fs::read(desk.source.sounds().join(name)).await {
        Ok(bytes) => ([(CONTENT_TYPE, "audio/wav")], bytes).into_response(),
        Err(_) => forbidden(),
    }
}

/// The one answer to whoever does not prove themselves, wherever they knock.
fn forbidden() -> Response {
    guichet_contract::web::forbidden()
}

impl Desk {
    /// The address as the phone system knows it.
    fn url(&self, place: &Place, query: &str) -> String {
        let mut url = format!("{}/{}", self.source.settings.base, place.door);
        if let Some(token) = &place.token {
            url.push('/');
            url.push_str(token);
        }
        if !query.is_empty() {
            url.push('?');
            url.push_str(query);
        }
        url
    }

    async fn judge(&self, request: &Request<'_>, peer: Peer) -> Result<(), Response> {
        let allowed = &self.source.settings.allow_ips;
        let secrets = self.source.secrets(&self.port).await.map_err(|_| busy(Duration::from_secs(5)))?;
        let from_elsewhere = !allowed.is_empty() && !allowed.contains(&peer.ip.to_canonical());
        // Judged all the same, so that it takes as long.
        match self.source.system().verify(request, secrets) {
            _ if from_elsewhere => Err(forbidden()),
            Ok(()) if matches!(request.method, "GET" | "POST") => Ok(()),
            Ok(()) => Err(StatusCode::METHOD_NOT_ALLOWED.into_response()),
            Err(Denied::Forbidden) => Err(forbidden()),
            Err(Denied::Challenge) => {
                Err((StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Basic realm=\"guichet\"")]).into_response())
            }
        }
    }

    async fn answer(&self, request: &Request<'_>) -> Response {
        let (system, habits) = (self.source.system(), &self.source.settings.habits);
        let fields = if request.body.is_empty() { Fields::form(request.query) } else { Fields::read(request.body) };
        let read = fields.map_err(|unreadable| Unusable::Malformed(unreadable.0));
        let heard = read.and_then(|fields| Ok((system.parse(request, &fields, habits)?, fields)));
        let (heard, fields) = match heard {
            Ok(heard) => heard,
            Err(why) => return self.unusable(request, why).await,
        };
        let speaks = request.door == Door::Voice;
        let raw = kept_raw(request, &heard);
        let kept = Kept { at: request.now, heard, raw, speaks };
        let rings = speaks && kept.heard.iter().any(|heard| matches!(heard, Heard::Call(event) if rings(event)));
        let entered = self.enter(kept, if rings { SPEAKING } else { ENTERING }).await;
        let standing = match entered {
            Ok(standings) => standings.into_iter().next().unwrap_or_default(),
            // Whoever waits on the line hears something, and is entered a little later.
            Err(_) if speaks => Standing::default(),
            Err(after) => return busy(after),
        };
        written(system.answer(&self.said(request, &fields, &standing, rings).borrowed()))
    }

    /// Puts what was heard on disk and enters it; the entering goes on if the asker goes away. An error says when to come again:
    /// what is on disk is entered all the same, and coming again changes nothing.
    async fn enter(&self, kept: Kept, patience: Duration) -> Result<Vec<Standing>, Duration> {
        if kept.heard.is_empty() {
            return Ok(Vec::new());
        }
        let soon = Duration::from_secs(5);
        let (source, port) = (self.source.clone(), self.port.clone());
        let entering = tokio::spawn(async move { source.take(&port, kept).await });
        match tokio::time::timeout(patience, entering).await {
            Ok(Ok(Ok(standings))) => Ok(standings),
            Ok(Ok(Err(NotEntered::Later { after, .. }))) => Err(after),
            // Kept aside: it is taken.
            Ok(Ok(Err(NotEntered::Refused { .. }))) => Ok(Vec::new()),
            Ok(Err(_)) | Err(_) => Err(soon),
        }
    }

    async fn unusable(&self, request: &Request<'_>, why: Unusable) -> Response {
        let system = self.source.system();
        let (status, words) = match &why {
            Unusable::Malformed(words) => (StatusCode::BAD_REQUEST, words.as_str()),
            Unusable::NoCall => (StatusCode::UNPROCESSABLE_ENTITY, "nothing says which call it is about"),
        };
        if !system.is_touchy() {
            return (status, format!("{words}\n")).into_response();
        }
        let aside = unusable(request.body, words, request.now);
        match self.port.intake.accept(vec![aside], Vec::new()).await {
            Ok(_) => written(Reply::empty()),
            Err(not) => match NotEntered::from(not) {
                NotEntered::Later { after, .. } => busy(after),
                NotEntered::Refused { .. } => written(Reply::empty()),
            },
        }
    }

    fn said<'a>(&'a self, request: &Request<'a>, fields: &'a Fields, standing: &Standing, rings: bool) -> Saying<'a> {
        let settings = &self.source.settings;
        let record = settings.record && rings;
        let words = rings.then(|| match &standing.reference {
            Some(reference) => words::spoken(reference, record, settings.language),
            None => words::unspoken(settings.language).to_owned(),
        });
        Saying {
            words,
            reference: standing.reference.clone(),
            said: Said {
                door: request.door,
                reference: None,
                words: None,
                language: settings.language,
                reject: rings && standing.blocked,
                record: record && standing.reference.is_some(),
                base: &settings.base,
                token: request.token,
                asked: fields,
                query: request.query,
            },
        }
    }
}

/// What is said, with the words it borrows.
struct Saying<'a> {
    words: Option<String>,
    reference: Option<String>,
    said: Said<'a>,
}

impl Saying<'_> {
    fn borrowed(&self) -> Said<'_> {
        Said { words: self.words.as_deref(), reference: self.reference.as_deref(), ..self.said }
    }
}

fn rings(event: &CallEvent) -> bool {
    event.stage == Stage::Ringing
}

/// The request as it is kept; nothing where it holds a number that is withheld.
fn kept_raw(request: &Request<'_>, heard: &[Heard]) -> String {
    let withheld = |heard: &Heard| matches!(heard, Heard::Call(event) if event.caller.withheld);
    if heard.iter().any(withheld) {
        return String::new();
    }
    if request.body.is_empty() {
        return request.query.to_owned();
    }
    String::from_utf8_lossy(request.body).into_owned()
}

fn written(reply: Reply) -> Response {
    (reply.status, [(CONTENT_TYPE, reply.media_type)], reply.body).into_response()
}

fn busy(after: Duration) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, after.as_secs().clamp(1, 3600))]).into_response()
}
