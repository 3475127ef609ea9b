//! Something that is asked by HTTP: a carrier of text messages, a webhook's receiver, Asterisk, a host of recordings.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it does with a request.
#[derive(Debug, Clone)]
pub enum Manner {
    /// Status line, further header lines, body.
    Says(String, String, Vec<u8>),
    ClosesFirst,
    ClosesAfter,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `POST /path?query`
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// Whether it was answered with a yes or never answered at all.
    pub taken: bool,
}

impl Asked {
    pub fn header(&self, name: &str) -> String {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// A field of its form.
    pub fn field(&self, name: &str) -> String {
        let pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(known, _)| *known == name).map(|(_, value)| decoded(value)).next().unwrap_or_default()
    }
}

#[derive(Clone)]
pub struct Provider {
    pub address: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

pub fn says(status: &str, body: &str) -> Manner {
    Manner::Says(status.to_owned(), String::new(), body.as_bytes().to_vec())
}

impl Provider {
    /// One that says yes to everything, as a carrier of text messages does.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let manner = Arc::new(Mutex::new(says("201 Created", r#"{"sid":"SM1","status":"queued"}"#)));
        let provider = Self { address: listener.local_addr().unwrap(), manner, asked: Arc::default() };
        let serving = provider.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let provider = serving.clone();
                tokio::spawn(async move { provider.serve(stream).await });
            }
        });
        provider
    }

    pub fn behaves(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request but `HEAD`, oldest first.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| !asked.line.starts_with("HEAD")).cloned().collect()
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut rest = Vec::new();
        loop {
            if matches!(*self.manner.lock().unwrap(), Manner::ClosesFirst) {
                return;
            }
            let Some(mut asked) = read(&mut stream, &mut rest).await else { return };
            let manner = self.manner.lock().unwrap().clone();
            asked.taken = match &manner {
                Manner::Says(status, ..) => status.starts_with('2'),
                _ => true,
            };
            let is_head = asked.line.starts_with("HEAD");
            self.asked.lock().unwrap().push(asked);
            let Manner::Says(status, more, body) = manner else { return };
            let length = if is_head { 0 } else { body.len() };
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{more}\r\n");
            let body: &[u8] = if is_head { &[] } else { &body };
            if stream.write_all(head.as_bytes()).await.is_err() || stream.write_all(body).await.is_err() {
                return;
            }
        }
    }
}

async fn read(stream: &mut TcpStream, rest: &mut Vec<u8>) -> Option<Asked> {
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
    let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
    while rest.len() < end + 4 + length {
        if stream.read_buf(rest).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8_lossy(&rest[end + 4..end + 4 + length]).into_owned();
    rest.drain(..end + 4 + length);
    Some(Asked { line, headers, body, taken: false })
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let pair = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&pair).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
