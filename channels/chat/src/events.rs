//! Frames down by plain HTTP: a stream of server-sent events, or long polling.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use guichet_contract::web::Peer;
use guichet_domain::ids::Seq;
use serde::Deserialize;
use std::collections::BTreeMap;
use tokio::time::timeout;
use uuid::Uuid;

use crate::channel::App;
use crate::line::{Convs, Line};
use crate::protocol::{self, Desk, Said};
use crate::rates::Limit;
use crate::routes::{caller, connects, frames_of, language_header, refuse};
use crate::talk::Caller;
use crate::trouble::{Close, Trouble};
use crate::words::Words;

/// How often a stream with nothing to say says so.
const COMMENT: Duration = Duration::from_secs(15);
/// Longest wait of a poll.
const LONGEST_POLL: u64 = 25;
/// How long a poll that has a frame waits for those right behind it.
const TOGETHER: Duration = Duration::from_millis(20);
/// Most frames of one poll.
const MOST: usize = 200;
/// Polls within a minute, of one session.
const POLLS: Limit = Limit::per_minute(120);

/// Where the client stands, and how long it waits.
#[derive(Debug, Deserialize)]
pub(crate) struct Stand {
    after: Option<String>,
    wait: Option<u64>,
    lang: Option<String>,
}

impl Stand {
    fn cursors(&self) -> BTreeMap<Uuid, Seq> {
        let named = self.after.as_deref().unwrap_or_default().split(',');
        protocol::cursors(
            named.filter_map(|one| one.split_once(':')).filter_map(|(conv, seq)| Some((conv, seq.parse().ok()?))),
        )
    }
}

/// `GET /events`.
pub(crate) async fn stream(
    State(app): State<Arc<App>>,
    Query(stand): Query<Stand>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Response {
    let peer = peer.map(|Extension(peer)| peer).unwrap_or_default();
    let words = Words::of(stand.lang.as_deref().or_else(|| language_header(&headers)));
    let desk = app.shared.hub.desk();
    let opened = Box::pin(async {
        connects(&app, &peer)?;
        let caller = caller(&app, &headers, &peer, stand.lang.as_deref())?;
        let (cursors, person) = (stand.cursors(), &caller.person);
        let convs = Convs::of(&app, person, &cursors).await?;
        let line = Line::open(&app, person, caller.address, &convs, &cursors)?;
        Ok::<_, Trouble>((convs.welcome(&app, person).await?, line, caller))
    });
    let (welcome, line, caller) = match opened.await {
        Ok(opened) => opened,
        Err(trouble) => return refuse(&app, trouble, words),
    };
    let feed = Feed { app, line, caller, desk, first: Some(welcome), ended: false };
    let body = Body::from_stream(stream::unfold(Box::new(feed), |mut feed| async move {
        let piece = feed.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(piece)), feed))
    }));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // nginx would keep a stream back until its buffers are full.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, body).into_response()
}

/// What a stream is made from.
struct Feed {
    app: Arc<App>,
    line: Line,
    caller: Caller,
    desk: u64,
    first: Option<Said>,
    ended: bool,
}

impl Feed {
    /// The next piece of the stream; nothing behind the last.
    async fn next(&mut self) -> Option<String> {
        if let Some(welcome) = self.first.take() {
            return Some(data(&welcome.text()));
        }
        if self.ended {
            return None;
        }
        let handle = Arc::clone(self.line.handle());
        tokio::select! {
            biased;
            close = Line::ended(&handle) => Some(self.end(close)),
            frame = self.line.next() => Some(data(&frame)),
            () = tokio::time::sleep(COMMENT) => Some(self.pause()),
        }
    }

    /// Nothing was said for a while.
    fn pause(&mut self) -> String {
        let now = self.app.port.clock.now();
        if self.caller.person.identity.as_ref().is_some_and(|identity| identity.claims.expires <= now) {
            return self.end(Close::Identity);
        }
        let desk = self.app.shared.hub.desk();
        if desk == self.desk {
            return ":\n\n".to_owned();
        }
        self.desk = desk;
        data(&Said::Desk(Desk::from(self.app.port.conversations.hours())).text())
    }

    fn end(&mut self, close: Close) -> String {
        self.ended = true;
        format!("event: close\ndata: {{\"code\":{}}}\n\n", close.code())
    }
}

/// One event of the stream. JSON has no line feeds of its own.
fn data(frame: &str) -> String {
    format!("data: {frame}\n\n")
}

/// `GET /poll`.
pub(crate) async fn poll(
    State(app): State<Arc<App>>,
    Query(stand): Query<Stand>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Response {
    let peer = peer.map(|Extension(peer)| peer).unwrap_or_default();
    let words = Words::of(stand.lang.as_deref().or_else(|| language_header(&headers)));
    match Box::pin(polled(&app, &stand, &peer, &headers)).await {
        Ok(frames) => frames_of(&frames),
        Err(trouble) => refuse(&app, trouble, words),
    }
}

async fn polled(app: &Arc<App>, stand: &Stand, peer: &Peer, headers: &HeaderMap) -> Result<Vec<Box<str>>, Trouble> {
    let caller = caller(app, headers, peer, stand.lang.as_deref())?;
    caller.count(app, "poll", POLLS)?;
    let (cursors, person) = (stand.cursors(), &caller.person);
    let convs = Convs::of(app, person, &cursors).await?;
    if convs.hold_more_than(&cursors) {
        return Ok(vec![convs.welcome(app, person).await?.text()]);
    }
    let mut line = Line::open(app, person, caller.address, &convs, &cursors)?;
    let wait = Duration::from_secs(stand.wait.unwrap_or(LONGEST_POLL).min(LONGEST_POLL));
    let handle = Arc::clone(line.handle());
    let first = tokio::select! {
        first = timeout(wait.max(TOGETHER), line.next()) => first.ok(),
        _ = Line::ended(&handle) => None,
    };
    let mut frames: Vec<_> = first.into_iter().collect();
    while !frames.is_empty() && frames.len() < MOST {
        match line.ready() {
            Some(frame) => frames.push(frame),
            None => match timeout(TOGETHER, line.next()).await {
                Ok(frame) => frames.push(frame),
                Err(_) => break,
            },
        }
    }
    Ok(frames)
}
