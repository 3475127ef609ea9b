//! Visitors, many of them: the generator of `benches/chat/run`.
//!
//! `load HOST:PORT idle N` holds N visitors until its input ends. `load HOST:PORT active N SECONDS` lets N visitors say something
//! every second. Prints one line of JSON. Against `echo` an answer is the frame itself.

#![expect(clippy::print_stdout, reason = "a program of its own")]

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use uuid::Uuid;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Visitors that connect at once.
const CONNECTING: usize = 64;

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let said = |at: usize| args.get(at).cloned().unwrap_or_default();
    let count = said(2).parse().unwrap_or(100);
    let told = match said(1).as_str() {
        "idle" => idle(&said(0), count).await,
        _ => active(&said(0), count, said(3).parse().unwrap_or(10)).await,
    };
    println!("{told}");
}

async fn idle(host: &str, count: u128) -> Value {
    let began = Instant::now();
    let (sockets, failed) = connect_all(host, count).await;
    println!("{}", json!({"connected": sockets.len(), "failed": failed, "seconds": began.elapsed().as_secs_f64()}));
    let held = sockets.len();
    let lost = Arc::new(Mutex::new(0));
    for mut socket in sockets {
        let lost = Arc::clone(&lost);
        tokio::spawn(async move {
            while let Some(Ok(_)) = socket.next().await {}
            *lost.lock().await += 1;
        });
    }
    // Ends with whoever started it.
    drop(tokio::io::stdin().read_to_end(&mut Vec::new()).await);
    json!({"held": held, "lost": *lost.lock().await})
}

async fn connect_all(host: &str, count: u128) -> (Vec<Socket>, usize) {
    let places = Arc::new(Semaphore::new(CONNECTING));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..count {
        let (places, host) = (Arc::clone(&places), host.to_owned());
        tasks.spawn(async move {
            let _place = places.acquire_owned().await;
            connect(&host, number).await
        });
    }
    let (mut sockets, mut failed) = (Vec::new(), 0);
    while let Some(end) = tasks.join_next().await {
        match end {
            Ok(Ok(socket)) => sockets.push(socket),
            _ => failed += 1,
        }
    }
    (sockets, failed)
}

async fn connect(host: &str, number: u128) -> Result<Socket, Error> {
    let mut request = format!("ws://{host}/in/site/ws").into_client_request()?;
    let (origin, protocol) = (format!("http://{host}").parse()?, "guichet.v1".parse()?);
    request.headers_mut().insert("origin", origin);
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(4096);
    let (mut socket, _) = connect_async_with_config(request, Some(config), true).await?;
    let secret = [Uuid::from_u128(number).into_bytes(), [7; 16]].concat();
    let hello = json!({"type": "hello", "v": 1, "token": BASE64URL_NOPAD.encode(&secret), "lang": "en"});
    socket.send(Message::text(hello.to_string())).await?;
    match socket.next().await {
        Some(Ok(Message::Text(text))) if !text.contains("\"error\"") => Ok(socket),
        Some(Err(error)) => Err(error),
        _ => Err(Error::ConnectionClosed),
    }
}

/// What the visitors met, in milliseconds.
#[derive(Default)]
struct Met {
    acks: Vec<f64>,
    events: Vec<f64>,
    errors: u64,
}

async fn active(host: &str, count: u128, seconds: u64) -> Value {
    let (sockets, failed) = connect_all(host, count).await;
    let (met, mut tasks) = (Arc::new(Mutex::new(Met::default())), tokio::task::JoinSet::new());
    let spread = Duration::from_secs(1) / u32::try_from(sockets.len().max(1)).unwrap_or(1);
    for (at, socket) in sockets.into_iter().enumerate() {
        let start = Instant::now() + Duration::from_millis(500) + spread * u32::try_from(at).unwrap_or(0);
        tasks.spawn(visitor(socket, u128::try_from(at).unwrap_or(0), start, seconds, Arc::clone(&met)));
    }
    while tasks.join_next().await.is_some() {}
    let mut met = met.lock().await;
    let (acks, events) = (summary(&mut met.acks), summary(&mut met.events));
    json!({"visitors": count, "failed": failed, "errors": met.errors, "ack": acks, "event": events})
}

fn summary(times: &mut [f64]) -> Value {
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times.get((times.len() * share / 1000).min(times.len().saturating_sub(1))).copied();
    json!({"n": times.len(), "p50": at(500), "p99": at(990), "p999": at(999), "max": times.last()})
}

/// Says something every second, the first time to open a ticket; the first two seconds are not counted.
async fn visitor(mut socket: Socket, number: u128, start: Instant, seconds: u64, met: Arc<Mutex<Met>>) {
    let mut conv: Option<String> = None;
    let (mut acks, mut events, mut errors) = (Vec::new(), Vec::new(), 0);
    for second in 0..seconds {
        let due = start + Duration::from_secs(second);
        if !read_until(&mut socket, due).await {
            errors += 1;
            break;
        }
        let cid = Uuid::from_u128(number << 64 | u128::from(second)).to_string();
        let mut frame = json!({"type": "msg", "cid": cid, "text": format!("This is what I say at second {second}.")});
        if let Some(conv) = &conv {
            frame["conv"] = json!(conv);
        }
        let sent = Instant::now();
        if socket.send(Message::text(frame.to_string())).await.is_err() {
            errors += 1;
            break;
        }
        let (mut acked, mut shown) = (None, None);
        while acked.is_none() || shown.is_none() {
            let Ok(Some(Ok(message))) = tokio::time::timeout(Duration::from_secs(10), socket.next()).await else {
                errors += 1;
                break;
            };
            let Message::Text(text) = message else { continue };
            let told: Value = serde_json::from_str(&text).unwrap_or_default();
            let took = sent.elapsed().as_secs_f64() * 1e3;
            match told["type"].as_str() {
                // The bare server knows one answer.
                Some("msg") => (acked, shown) = (Some(took), Some(took)),
                Some("ack") if told["cid"] == json!(cid) => {
                    acked = Some(took);
                    conv = told["conv"].as_str().map(str::to_owned);
                }
                Some("event") if told["cid"] == json!(cid) => shown = Some(took),
                Some("error") => {
                    errors += 1;
                    break;
                }
                _ => {}
            }
        }
        if second >= 2 {
            acks.extend(acked);
            events.extend(shown);
        }
    }
    let mut met = met.lock().await;
    met.acks.append(&mut acks);
    met.events.append(&mut events);
    met.errors += errors;
}

/// Takes what comes meanwhile; false when the connection ended.
async fn read_until(socket: &mut Socket, due: Instant) -> bool {
    loop {
        match tokio::time::timeout_at(due, socket.next()).await {
            Err(_) => return true,
            Ok(Some(Ok(_))) => {}
            Ok(_) => return false,
        }
    }
}
