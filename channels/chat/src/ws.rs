//! The WebSocket: one task a visitor, small while nothing happens.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use guichet_contract::web::Peer;
use tokio::time::{Instant, timeout};

use crate::channel::App;
use crate::frames::surround;
use crate::line::{Convs, HEARTBEAT, Line};
use crate::person::{Person, Session};
use crate::protocol::{Asked, Desk, Hello, MAX_FRAME, SUBPROTOCOL, Said, VERSION, cursors, parse, read};
use crate::rates::Limit;
use crate::routes::{connects, language_header, refuse};
use crate::settings::IdentityMode;
use crate::talk::{Caller, handle, identify};
use crate::trouble::{Close, Code, Trouble};
use crate::words::Words;

/// How long a client may take to say hello.
const HELLO: Duration = Duration::from_secs(5);
/// How long a client may be silent, its answers to pings included; and how long one frame may take to leave.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a client has to hear why it is closed.
const GOODBYE: Duration = Duration::from_secs(2);
/// The buffers of a connection: tungstenite's own are 128 KiB each, at once. Most of what is read is a few hundred bytes; what is
/// larger takes more than one read.
const READ_BUFFER: usize = 1024;
const WRITE_BUFFER: usize = 4096;
/// Most bytes that wait to leave: the largest frame, and room for small ones.
const MAX_WAITING: usize = 2 << 20;
/// What is read of a frame that is too large, so that it can be refused in words.
const MAX_READ: usize = 256 << 10;
/// Frames of one client: that many a second in the long run.
const FRAMES: Limit = Limit { times: 200, within: Duration::from_secs(20) };

/// `GET /ws`.
pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let peer = peer.map(|Extension(peer)| peer).unwrap_or_default();
    let words = Words::of(language_header(&headers));
    if let Err(trouble) = connects(&app, &peer) {
        return refuse(&app, trouble, words);
    }
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WAITING)
        .max_message_size(MAX_READ)
        .max_frame_size(MAX_READ)
        .on_upgrade(move |socket| serve(socket, app, peer, words))
}

/// How a connection ends.
enum End {
    /// On purpose.
    Closed(Close),
    /// The client has gone.
    Gone,
}

type Step = Result<(), End>;

async fn serve(socket: WebSocket, app: Arc<App>, peer: Peer, words: Words) {
    let mut talk = match Box::pin(begin(socket, app, peer, words)).await {
        Ok(talk) => talk,
        Err((mut socket, end)) => {
            if let End::Closed(close) = end {
                goodbye(&mut socket, close).await;
            }
            return;
        }
    };
    if let End::Closed(close) = talk.run().await {
        Box::pin(goodbye(&mut talk.socket, close)).await;
    }
}

/// A visitor who has said hello.
struct Talk {
    socket: WebSocket,
    app: Arc<App>,
    caller: Box<Caller>,
    line: Line,
    /// When the client last gave a sign.
    heard: Instant,
    /// The desk as the client knows it.
    desk: u64,
}

/// Waits for the hello and answers it.
async fn begin(mut socket: WebSocket, app: Arc<App>, peer: Peer, words: Words) -> Result<Talk, (WebSocket, End)> {
    let first = match timeout(HELLO, first(&mut socket)).await {
        Ok(Ok(first)) => first,
        Ok(Err(end)) => return Err((socket, end)),
        Err(_) => Err(Trouble::new(Code::HelloRequired).fatal()),
    };
    // The count is taken before the desk is looked at: a change between the two is told, not lost.
    let desk = app.shared.hub.desk();
    let opened = match first {
        Ok(hello) => open(&app, &peer, words, &hello).await,
        Err(trouble) => Err((trouble, words)),
    };
    match opened {
        Ok((caller, line, welcome)) => {
            let mut talk = Talk { socket, app, caller: Box::new(caller), line, heard: Instant::now(), desk };
            match talk.send(welcome.text()).await {
                Ok(()) => Ok(talk),
                Err(end) => Err((talk.socket, end)),
            }
        }
        Err((trouble, words)) => {
            let close = trouble.close();
            let said = trouble.fatal().said(words, app.shared.settings.email.as_deref());
            let said = Said::Error(Box::new(said)).text();
            let end = match timeout(GOODBYE, socket.send(Message::text(&*said))).await {
                Ok(Ok(())) => End::Closed(close),
                _ => End::Gone,
            };
            Err((socket, end))
        }
    }
}

async fn first(socket: &mut WebSocket) -> Result<Result<Hello, Trouble>, End> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => {
                if text.len() > MAX_FRAME {
                    return Err(End::Closed(Close::TooBig));
                }
                let asked = parse(text.as_bytes()).and_then(read);
                return Ok(match asked {
                    Ok(Asked::Hello(hello)) => Ok(*hello),
                    _ => Err(Trouble::new(Code::HelloRequired).fatal()),
                });
            }
            Some(Ok(Message::Binary(_))) => return Err(End::Closed(Close::TooBig)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Err(error)) => return Err(broken(&error)),
            Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
        }
    }
}

type Refused = (Trouble, Words);

/// Judges a hello and opens the line.
async fn open(app: &Arc<App>, peer: &Peer, words: Words, hello: &Hello) -> Result<(Caller, Line, Said), Refused> {
    let words = hello.lang.as_deref().map_or(words, |tag| Words::of(Some(tag)));
    let refused = |trouble: Trouble| (trouble, words);
    if hello.v.as_i64() != Some(VERSION) {
        return Err(refused(Trouble::version()));
    }
    let session = Session::of(&hello.token).map_err(refused)?;
    let identity = identify(app, hello.identity.as_deref()).map_err(refused)?;
    let person = Person { session, identity };
    let mut caller = Caller { person, address: peer.counted(), words, language: None, zone: None, page: None };
    surround(&mut caller, hello);
    let cursors = cursors(hello.cursors.iter().map(|(conv, seq)| (conv.as_str(), *seq)));
    let convs = Convs::of(app, &caller.person, &cursors).await.map_err(|fault| refused(fault.into()))?;
    let line = Line::open(app, &caller.person, caller.address, &convs, &cursors).map_err(refused)?;
    let welcome = convs.welcome(app, &caller.person).await.map_err(|fault| refused(fault.into()))?;
    Ok((caller, line, welcome))
}

impl Talk {
    async fn run(&mut self) -> End {
        let handle = Arc::clone(self.line.handle());
        let mut beat = tokio::time::interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        loop {
            let step = tokio::select! {
                close = Line::ended(&handle) => Err(End::Closed(close)),
                message = self.socket.recv() => Box::pin(self.heard(message)).await,
                frame = self.line.next() => self.send(frame).await,
                _ = beat.tick() => Box::pin(self.beat()).await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Sends one frame; a client that takes none is given up.
    async fn send(&mut self, frame: Box<str>) -> Step {
        let handle = Arc::clone(self.line.handle());
        let text = Utf8Bytes::from(String::from(frame));
        tokio::select! {
            sent = timeout(SILENCE, self.socket.send(Message::Text(text))) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(End::Gone),
            },
            close = Line::ended(&handle) => Err(End::Closed(close)),
        }
    }

    /// The heartbeat: a ping, and what is looked at now and then.
    async fn beat(&mut self) -> Step {
        if self.heard.elapsed() >= SILENCE {
            return Err(End::Gone);
        }
        let now = self.app.port.clock.now();
        let expired = self.caller.person.identity.as_ref().is_some_and(|identity| identity.claims.expires <= now);
        if expired {
            let trouble = Trouble::new(Code::IdentityInvalid).fatal();
            return self.refuse(trouble).await;
        }
        let desk = self.app.shared.hub.desk();
        if desk != self.desk {
            self.desk = desk;
            let hours = Desk::from(self.app.port.conversations.hours());
            self.send(Said::Desk(hours).text()).await?;
        }
        match timeout(SILENCE, self.socket.send(Message::Ping(axum::body::Bytes::new()))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Gone),
        }
    }

    async fn heard(&mut self, message: Option<Result<Message, axum::Error>>) -> Step {
        self.heard = Instant::now();
        let text = match message {
            Some(Ok(Message::Text(text))) if text.len() <= MAX_FRAME => text,
            Some(Ok(Message::Text(_) | Message::Binary(_))) => return Err(End::Closed(Close::TooBig)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
            Some(Err(error)) => return Err(broken(&error)),
        };
        if let Err(trouble) = self.caller.count(&self.app, "frame", FRAMES) {
            // Whoever was told and goes on is closed.
            return match self.caller.count(&self.app, "frame-told", Limit::per_minute(10)) {
                Ok(()) => self.refuse(trouble).await,
                Err(_) => Err(End::Closed(Close::Rate)),
            };
        }
        match self.asked(text.as_bytes()).await {
            Ok(said) => {
                for said in said {
                    self.send(said.text()).await?;
                }
                Ok(())
            }
            Err(trouble) => self.refuse(trouble).await,
        }
    }

    async fn asked(&mut self, text: &[u8]) -> Result<Vec<Said>, Trouble> {
        match parse(text).and_then(read)? {
            Asked::Hello(_) => Err(Trouble::bad_frame("hello comes once")),
            Asked::Logout => {
                self.app.shared.hub.log_out(self.caller.person.session.as_str());
                Ok(Vec::new())
            }
            Asked::Identify(asked) => {
                if self.app.shared.settings.mode == IdentityMode::Off {
                    return Err(Trouble::new(Code::IdentityInvalid));
                }
                let known =
                    identify(&self.app, Some(&asked.jwt)).map_err(|trouble| Trouble { fatal: false, ..trouble })?;
                self.caller.person.meets(known)?;
                let convs = Convs::of(&self.app, &self.caller.person, &std::collections::BTreeMap::new()).await?;
                self.line.identified(&self.caller.person, &convs);
                Ok(vec![convs.welcome(&self.app, &self.caller.person).await?])
            }
            asked => handle(&self.app, &self.caller, asked, text).await,
        }
    }

    /// Says what was wrong; what is fatal ends the connection.
    async fn refuse(&mut self, trouble: Trouble) -> Step {
        let (fatal, close) = (trouble.fatal, trouble.close());
        let said = trouble.said(self.caller.words, self.app.shared.settings.email.as_deref());
        self.send(Said::Error(Box::new(said)).text()).await?;
        if fatal { Err(End::Closed(close)) } else { Ok(()) }
    }
}

/// A connection that broke, or a message beyond what is read.
fn broken(error: &axum::Error) -> End {
    // tungstenite's own words for its limit: axum hides the type.
    if error.to_string().contains("too long") { End::Closed(Close::TooBig) } else { End::Gone }
}

/// Tells the client why, and gives it time to hear it: what it sent and nobody reads would cut it off otherwise.
async fn goodbye(socket: &mut WebSocket, close: Close) {
    let frame = CloseFrame { code: close.code(), reason: Utf8Bytes::from_static("") };
    let farewell = async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    // Whoever does not answer has had its time.
    drop(timeout(GOODBYE, farewell).await);
}
