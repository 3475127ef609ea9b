//! The scripted server.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, duplex};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::smtp::{Dial, Wire};

/// What the server does at one point of the dialogue.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Answers.
    Says(&'static str),
    /// Answers only together with what it says next, as a server may to pipelined commands.
    Holds(&'static str),
    /// Answers a byte at a time, one a second.
    Drips(&'static str),
    /// Closes the connection.
    Closes,
    /// Answers, then closes.
    SaysAndCloses(&'static str),
    /// Never says anything again.
    FallsSilent,
    /// Agrees to TLS, and says this together with the agreement, still unprotected.
    StartsTls(&'static str),
    /// Says "go ahead", reads a little, refuses, closes.
    RefusesAmidBody(&'static str),
}

/// One connection's script: a list of acts for each point, the last of which repeats. Points are the verbs in upper
/// case, `greeting`, `.` and `answer` (to a challenge).
#[derive(Clone)]
pub(super) struct Server {
    acts: HashMap<&'static str, VecDeque<Act>>,
    tls: Option<Arc<rustls::ServerConfig>>,
    tls_at_once: bool,
}

impl Server {
    /// Takes every mail; offers nothing.
    pub(super) fn plain() -> Self {
        let polite = [
            ("greeting", "220 mx.test ready"),
            ("EHLO", "250 mx.test"),
            ("MAIL", "250 2.1.0 ok"),
            ("RCPT", "250 2.1.5 ok"),
            ("DATA", "354 go ahead"),
            (".", "250 2.0.0 queued as 4711"),
            ("RSET", "250 2.0.0 ok"),
            ("QUIT", "221 2.0.0 bye"),
        ];
        let acts = polite.into_iter().map(|(point, text)| (point, VecDeque::from([Act::Says(text)]))).collect();
        Self { acts, tls: None, tls_at_once: false }
    }

    /// Takes every mail; offers PIPELINING.
    pub(super) fn pipelining() -> Self {
        Self::plain().says("EHLO", "250-mx.test\r\n250 PIPELINING")
    }

    pub(super) fn says(self, point: &'static str, text: &'static str) -> Self {
        self.at(point, [Act::Says(text)])
    }

    pub(super) fn at(mut self, point: &'static str, acts: impl IntoIterator<Item = Act>) -> Self {
        self.acts.insert(point, acts.into_iter().collect());
        self
    }

    pub(super) fn with_tls(mut self, config: Arc<rustls::ServerConfig>, at_once: bool) -> Self {
        self.tls = Some(config);
        self.tls_at_once = at_once;
        self
    }

    fn next(&mut self, point: &str) -> Act {
        match self.acts.get_mut(point) {
            Some(acts) if acts.len() > 1 => acts.pop_front().unwrap(),
            Some(acts) => acts.front().cloned().unwrap_or(Act::Closes),
            None => Act::Says("502 5.5.1 what?"),
        }
    }
}

/// The network: each connection meets the next server, the last of them again and again.
#[derive(Clone)]
pub(super) struct Network {
    servers: Arc<Mutex<VecDeque<Server>>>,
    heard: Arc<watch::Sender<Vec<Heard>>>,
    open: Arc<Mutex<(usize, usize)>>,
}

/// One line, or one body, that a server heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// On which connection, counted from 1.
    pub(super) connection: usize,
    pub(super) words: String,
}

impl Network {
    pub(super) fn of(servers: impl IntoIterator<Item = Server>) -> Self {
        let servers = Arc::new(Mutex::new(servers.into_iter().collect()));
        Self { servers, heard: Arc::new(watch::Sender::new(Vec::new())), open: Arc::default() }
    }

    /// Everything heard so far.
    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.borrow().clone()
    }

    /// The words heard on connection `number`.
    pub(super) fn on(&self, number: usize) -> Vec<String> {
        self.heard().into_iter().filter(|heard| heard.connection == number).map(|heard| heard.words).collect()
    }

    /// How many connections were opened, and how many at most were open together.
    pub(super) fn connections(&self) -> (usize, usize) {
        let connections = self.heard().iter().map(|heard| heard.connection).max().unwrap_or(0);
        (connections, self.open.lock().unwrap().1)
    }

    /// Returns when `words` were heard on connection `number`.
    pub(super) async fn hears(&self, number: usize, words: &str) {
        let wanted = Heard { connection: number, words: words.to_owned() };
        self.heard.subscribe().wait_for(|heard| heard.contains(&wanted)).await.unwrap();
    }

    fn note(&self, connection: usize, words: impl Into<String>) {
        self.heard.send_modify(|heard| heard.push(Heard { connection, words: words.into() }));
    }

    async fn serve(&self, mut server: Server, number: usize, wire: Box<dyn Wire>) -> io::Result<()> {
        let wire = if server.tls_at_once { secured(&server, wire).await? } else { wire };
        let mut wire = BufReader::new(wire);
        let mut held = String::new();
        let mut point = "greeting".to_owned();
        loop {
            match server.next(&point) {
                Act::Says(text) => {
                    let text = format!("{}{text}\r\n", std::mem::take(&mut held));
                    wire.write_all(text.as_bytes()).await?;
                }
                Act::Holds(text) => held = format!("{held}{text}\r\n"),
                Act::Drips(text) => {
                    for byte in text.bytes() {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        wire.write_all(&[byte]).await?;
                    }
                    self.note(number, "(dripped)");
                }
                Act::Closes => return Ok(()),
                Act::SaysAndCloses(text) => return wire.write_all(format!("{text}\r\n").as_bytes()).await,
                Act::FallsSilent => std::future::pending().await,
                Act::StartsTls(extra) => {
                    wire.write_all(format!("220 go\r\n{extra}").as_bytes()).await?;
                    wire = BufReader::new(secured(&server, wire.into_inner()).await?);
                }
                Act::RefusesAmidBody(text) => {
                    wire.write_all(b"354 go ahead\r\n").await?;
                    wire.read_exact(&mut [0; 1000]).await?;
                    return wire.write_all(format!("{text}\r\n").as_bytes()).await;
                }
            }
            if point == "DATA" && held.is_empty() && server_went_ahead(&server) {
                point = ".".to_owned();
                let mut body = String::new();
                while !body.ends_with("\r\n.\r\n") && body != ".\r\n" {
                    if wire.read_line(&mut body).await? == 0 {
                        self.note(number, format!("{body}(cut off)"));
                        return Ok(());
                    }
                }
                self.note(number, body);
                continue;
            }
            let mut line = String::new();
            if wire.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_owned();
            let verb = line.split(' ').next().unwrap_or_default().to_owned();
            point = if server.acts.contains_key(verb.as_str()) || verb == "AUTH" { verb } else { "answer".to_owned() };
            let pipelines = format!("{:?}", server.acts.get("EHLO")).contains("PIPELINING");
            let early = if !pipelines && !wire.buffer().is_empty() { " (and more, unasked)" } else { "" };
            self.note(number, format!("{line}{early}"));
        }
    }
}

/// Whether what was said to DATA was "go ahead".
fn server_went_ahead(server: &Server) -> bool {
    matches!(server.acts.get("DATA").and_then(|acts| acts.front()), Some(Act::Says(text)) if text.starts_with("354"))
}

async fn secured(server: &Server, wire: Box<dyn Wire>) -> io::Result<Box<dyn Wire>> {
    let acceptor = TlsAcceptor::from(server.tls.clone().unwrap());
    Ok(Box::new(acceptor.accept(wire).await?))
}

#[async_trait]
impl Dial for Network {
    async fn dial(&self) -> io::Result<Box<dyn Wire>> {
        let server = {
            let mut servers = self.servers.lock().unwrap();
            if servers.len() > 1 { servers.pop_front() } else { servers.front().cloned() }
        };
        let server = server.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionRefused))?;
        let (ours, theirs) = duplex(4096);
        let network = self.clone();
        let number = network.connections().0 + 1;
        network.note(number, "(connected)");
        {
            let mut open = network.open.lock().unwrap();
            open.0 += 1;
            open.1 = open.1.max(open.0);
        }
        tokio::spawn(async move {
            // A client that hangs up is an error here, and no business of the test.
            let ended = network.serve(server, number, Box::new(theirs)).await;
            network.open.lock().unwrap().0 -= 1;
            drop(ended);
        });
        Ok(Box::new(ours))
    }
}
