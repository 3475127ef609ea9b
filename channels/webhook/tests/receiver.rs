//! A receiver of hooks: HTTP/1.1 by hand, so that it can misbehave.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it does with a request.
#[derive(Debug, Clone)]
pub enum Manner {
    /// Answers with these bytes.
    Says(String),
    /// Answers with these bytes, then goes on for ever with one byte each ten seconds.
    Drips(String),
    /// Answers with this head and a body without end.
    Floods(String),
    /// Closes before it has read anything.
    ClosesFirst,
    /// Reads all and closes.
    ClosesAfter,
}

/// One request that came.
#[derive(Debug, Clone)]
pub struct Came {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Came {
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

#[derive(Clone)]
pub struct Receiver {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    manner: Mutex<Manner>,
    came: Mutex<Vec<Came>>,
    /// Bytes of floods that were taken by the other side.
    flooded: Mutex<u64>,
}

pub fn says(status: &str) -> Manner {
    Manner::Says(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n"))
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared =
            Shared { manner: Mutex::new(says("204 No Content")), came: Mutex::default(), flooded: Mutex::default() };
        let receiver = Self { address: listener.local_addr().unwrap(), shared: Arc::new(shared) };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let receiver = serving.clone();
                tokio::spawn(async move { receiver.serve(stream).await });
            }
        });
        receiver
    }

    pub fn behaves(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap() = manner;
    }

    /// Every request with a body, oldest first.
    pub fn posts(&self) -> Vec<Came> {
        self.shared.came.lock().unwrap().iter().filter(|came| came.line.starts_with("POST ")).cloned().collect()
    }

    pub fn came(&self) -> Vec<Came> {
        self.shared.came.lock().unwrap().clone()
    }

    pub fn flooded(&self) -> u64 {
        *self.shared.flooded.lock().unwrap()
    }

    fn manner(&self) -> Manner {
        self.shared.manner.lock().unwrap().clone()
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut rest = Vec::new();
        loop {
            if matches!(self.manner(), Manner::ClosesFirst) {
                return;
            }
            let Some(came) = request(&mut stream, &mut rest).await else { return };
            // As a real receiver answers HEAD: with a head alone, whatever it says to others.
            let is_head = came.line.starts_with("HEAD ");
            self.shared.came.lock().unwrap().push(came);
            let manner = if is_head { says("405 Method Not Allowed") } else { self.manner() };
            if !self.answer(&mut stream, manner).await {
                return;
            }
        }
    }

    /// Whether the connection goes on.
    async fn answer(&self, stream: &mut TcpStream, manner: Manner) -> bool {
        match manner {
            Manner::Says(answer) => stream.write_all(answer.as_bytes()).await.is_ok(),
            Manner::Drips(answer) => {
                let mut going = stream.write_all(answer.as_bytes()).await.is_ok();
                while going {
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    going = stream.write_all(b"x").await.is_ok();
                }
                false
            }
            Manner::Floods(head) => {
                let mut going = stream.write_all(head.as_bytes()).await.is_ok();
                let block = vec![b'x'; 64 * 1024];
                while going {
                    going = stream.write_all(&block).await.is_ok();
                    *self.shared.flooded.lock().unwrap() += 64 * 1024;
                }
                false
            }
            Manner::ClosesFirst | Manner::ClosesAfter => false,
        }
    }
}

async fn request(stream: &mut TcpStream, rest: &mut Vec<u8>) -> Option<Came> {
    let end = loop {
        if let Some(at) = rest.windows(4).position(|part| part == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(rest).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(rest[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).unwrap())
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    while rest.len() < end + 4 + length {
        if stream.read_buf(rest).await.ok()? == 0 {
            return None;
        }
    }
    let body = rest[end + 4..end + 4 + length].to_vec();
    rest.drain(..end + 4 + length);
    Some(Came { line, headers, body })
}
