//! Server-sent events that say only what changed: the page fetches what it shows anew. A browser that lost the connection asks
//! again and is first told where everything stands, so nothing is missed.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::Query;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use guichet_contract::Signal;
use serde::Deserialize;
use tokio::sync::{broadcast, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Console;
use super::guard::{Answer, At};

/// What other processes and the sender change is looked for this often; what changes here is told at once.
const LOOK: Duration = Duration::from_secs(2);
/// A session is asked for again this often: one that has ended is told nothing more.
const LIFE: Duration = Duration::from_mins(10);

/// Which ticket a page shows, if any.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    ticket: String,
}

struct Watch {
    console: Console,
    agent: String,
    ticket: Option<String>,
    grown: watch::Receiver<u64>,
    people: watch::Receiver<u64>,
    signs: Option<broadcast::Receiver<Signal>>,
    stopping: CancellationToken,
    told: [String; 3],
    waiting: Vec<Event>,
    began: tokio::time::Instant,
}

/// The stream.
pub(super) async fn events(at: At, Query(asked): Query<Asked>) -> Answer {
    let kernel = at.console.desk.kernel();
    let ticket = match asked.ticket.as_str() {
        "" => None,
        reference => at.console.desk.spoken(reference).await?,
    };
    let signs = match &ticket {
        Some(reference) => Some(at.console.desk.talk(reference).await?.signs()),
        None => None,
    };
    let watch = Watch {
        signs,
        agent: at.name().to_owned(),
        ticket,
        grown: kernel.watchers.any(),
        people: at.console.presence.changes(),
        stopping: kernel.stopping.clone(),
        told: Default::default(),
        waiting: Vec::new(),
        began: tokio::time::Instant::now(),
        console: at.console.clone(),
    };
    Ok(stream(watch))
}

fn stream(watch: Watch) -> Response {
    let events = stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    let keep = KeepAlive::new().interval(Duration::from_secs(15));
    let mut response = Sse::new(events).keep_alive(keep).into_response();
    response.headers_mut().insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    response
}

/// The next sign of the requester; never, where there is nobody to give one.
async fn sign(signs: &mut Option<broadcast::Receiver<Signal>>) -> Signal {
    loop {
        match signs {
            Some(receiver) => match receiver.recv().await {
                Ok(sign) => return sign,
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => *signs = None,
            },
            None => std::future::pending().await,
        }
    }
}

impl Watch {
    /// The next thing to tell; `None` ends the stream, and the browser asks again.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop() {
                return Some(event);
            }
            self.look().await;
            if !self.waiting.is_empty() {
                continue;
            }
            if self.began.elapsed() > LIFE {
                return None;
            }
            tokio::select! {
                changed = self.grown.changed() => changed.ok()?,
                changed = self.people.changed() => changed.ok()?,
                sign = sign(&mut self.signs) => {
                    if let Signal::Typing { on, .. } = sign {
                        return Some(Event::default().event("typing").data(if on { "1" } else { "0" }));
                    }
                }
                () = sleep(LOOK) => {}
                () = self.stopping.cancelled() => return None,
            }
        }
    }

    /// Compares what was told with how things are. What cannot be read is looked at again the next time.
    async fn look(&mut self) {
        let desk = &self.console.desk;
        let now = desk.kernel().clock.now();
        let board = desk.pulse().await.map(|pulse| pulse.to_string()).unwrap_or_default();
        let (ticket, people) = match &self.ticket {
            Some(reference) => {
                let mark = desk.fingerprint(reference).await.unwrap_or_default();
                let others = self.console.presence.others(reference, &self.agent, now);
                let people: Vec<String> =
                    others.iter().map(|one| format!("{}:{}", one.agent, u8::from(one.replying))).collect();
                (mark, people.join(" "))
            }
            None => (String::new(), self.people.borrow_and_update().to_string()),
        };
        for (at, (name, state)) in [("people", people), ("ticket", ticket), ("board", board)].into_iter().enumerate() {
            let Some(told) = self.told.get_mut(at) else { continue };
            // The first look tells where things stand.
            if *told != state {
                self.waiting.push(Event::default().event(name).data(if state.is_empty() { "-" } else { &state }));
                *told = state;
            }
        }
    }
}
