//! A mail server to send by, in memory: takes mail, refuses it, or dies over it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::world::World;

/// What it does with mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Takes,
    /// Nobody it is written to exists.
    Refuses,
    /// Closes the connection in the middle of the mail.
    DiesBefore,
    /// Takes the mail and closes the connection without a word.
    DiesAfter,
}

/// The server. Mail to an address of `helpdesk.test` is laid into the mailbox, too.
#[derive(Clone)]
pub(super) struct Relay {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
    mailbox: World,
}

struct State {
    manner: Manner,
    taken: Vec<Vec<u8>>,
}

impl Relay {
    pub(super) async fn start(mailbox: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = State { manner: Manner::Takes, taken: Vec::new() };
        let address = listener.local_addr().unwrap();
        let relay = Self { address, state: Arc::new(Mutex::new(state)), mailbox: mailbox.clone() };
        let server = relay.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(server.clone().serve(socket));
            }
        });
        relay
    }

    pub(super) fn behaves(&self, manner: Manner) {
        self.state.lock().unwrap().manner = manner;
    }

    /// Every mail it took, as it came.
    pub(super) fn taken(&self) -> Vec<Vec<u8>> {
        self.state.lock().unwrap().taken.clone()
    }

    fn manner(&self) -> Manner {
        self.state.lock().unwrap().manner
    }

    async fn serve(self, socket: TcpStream) -> Option<()> {
        socket.set_nodelay(true).unwrap();
        let mut wire = BufReader::new(socket);
        say(&mut wire, "220 relay.test ready").await?;
        let mut copies = false;
        loop {
            let line = String::from_utf8(line(&mut wire).await?).unwrap();
            let verb = line.split([' ', '\r']).next().unwrap_or_default();
            match verb {
                "EHLO" => say(&mut wire, "250-relay.test\r\n250-8BITMIME\r\n250 AUTH PLAIN").await?,
                "AUTH" => say(&mut wire, "235 2.7.0 in").await?,
                "RCPT" if self.manner() == Manner::Refuses => say(&mut wire, "550 5.1.1 nobody lives there").await?,
                "RCPT" => {
                    copies |= line.contains("@helpdesk.test>");
                    say(&mut wire, "250 2.1.5 ok").await?;
                }
                "DATA" => {
                    say(&mut wire, "354 go ahead").await?;
                    self.take(&mut wire, std::mem::take(&mut copies)).await?;
                    say(&mut wire, "250 2.0.0 queued").await?;
                }
                "QUIT" => return None,
                _ => say(&mut wire, "250 2.0.0 ok").await?,
            }
        }
    }

    async fn take(&self, wire: &mut BufReader<TcpStream>, copies: bool) -> Option<()> {
        let mut mail = Vec::new();
        loop {
            let line = line(wire).await?;
            if self.manner() == Manner::DiesBefore {
                return None;
            }
            if line == b".\r\n" && (mail.is_empty() || mail.ends_with(b"\r\n")) {
                break;
            }
            mail.extend(line.strip_prefix(b".").unwrap_or(&line));
        }
        if copies {
            let text = String::from_utf8_lossy(&mail).into_owned();
            self.mailbox.change(|state| state.deliver("INBOX", &text, "15-Nov-2023 10:00:00 +0000"));
        }
        self.state.lock().unwrap().taken.push(mail);
        (self.manner() != Manner::DiesAfter).then_some(())
    }
}

async fn say(wire: &mut BufReader<TcpStream>, words: &str) -> Option<()> {
    wire.write_all(format!("{words}\r\n").as_bytes()).await.ok()
}

async fn line(wire: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let read = wire.read_until(b'\n', &mut line).await.ok()?;
    (read > 0).then_some(line)
}
