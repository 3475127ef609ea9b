//! 200 people chat, and the daemon is killed again and again in the middle: whatever was acknowledged is there exactly once and
//! in order, and everybody goes on by themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use uuid::Uuid;

use super::wait::{until, until_told};

const BINARY: &str = env!("CARGO_BIN_EXE_guichet");
const VISITORS: usize = 200;
const MESSAGES: usize = 6;
const KILLS: usize = 5;

/// A daemon with a chat, and nothing around it.
struct Site {
    folder: tempfile::TempDir,
    port: u16,
    daemon: Child,
}

impl Site {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "[http]\nlisten = \"127.0.0.1:{port}\"\n[caps]\nbreaker_floor = 100000\n[[source]]\nname = \"site\"\nchannel = \"chat\"\n\
             limits = {{ connects = 0, sockets = 0, messages = 0, messages_hour = 0, tickets = 0, tickets_address = 0 }}\n"
        );
        std::fs::write(folder.path().join("guichet.toml"), settings).unwrap();
        let daemon = start(folder.path());
        Self { folder, port, daemon }
    }

    fn is_killed_and_starts_again(&mut self) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
        self.daemon = start(self.folder.path());
    }

    fn does(&self, words: &[&str]) -> String {
        let done = command(self.folder.path()).args(words).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        drop(self.daemon.kill());
        drop(self.daemon.wait());
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(BINARY);
    let file: PathBuf = folder.join("guichet.toml");
    command.arg("--config").arg(file).arg("--state").arg(folder.join("state")).stdin(Stdio::null());
    command
}

fn start(folder: &Path) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
    let mut run = command(folder);
    run.args(["run", "--log", "warn"]).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// Somebody who writes one message after the other, each when the one before is acknowledged.
struct Visitor {
    token: String,
    conversation: Option<String>,
    /// What was acknowledged: the place of each message, by its number.
    places: BTreeMap<usize, i64>,
}

/// Goes on from where it stands until all is said, or the line breaks.
async fn talk(visitor: &mut Visitor, number: usize, port: u16, said: &AtomicUsize, on: &Notify) -> Option<()> {
    let mut request = format!("ws://127.0.0.1:{port}/in/site/ws").into_client_request().ok()?;
    let headers = request.headers_mut();
    headers.insert("origin", format!("http://127.0.0.1:{port}").parse().ok()?);
    headers.insert("sec-websocket-protocol", "guichet.v1".parse().ok()?);
    let (mut line, _) = connect_async(request).await.ok()?;
    let hello = json!({"type": "hello", "v": 1, "token": visitor.token, "lang": "en"});
    line.send(Message::text(hello.to_string())).await.ok()?;
    while visitor.places.len() < MESSAGES {
        let next = visitor.places.len();
        // The same message has the same id however often it is sent.
        let bytes = Uuid::from_u64_pair(number as u64, next as u64 + 1).into_bytes();
        let cid = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let mut message = json!({"type": "msg", "cid": cid, "text": format!("word {next} of visitor {number}")});
        if let Some(conversation) = &visitor.conversation {
            message["conv"] = json!(conversation);
        }
        line.send(Message::text(message.to_string())).await.ok()?;
        let ack = loop {
            let Message::Text(text) = line.next().await?.ok()? else { continue };
            let frame: Value = serde_json::from_str(&text).unwrap();
            assert_ne!(frame["type"], "error", "{frame}");
            if frame["type"] == "ack" && frame["cid"] == json!(cid) {
                break frame;
            }
        };
        visitor.conversation = ack["conv"].as_str().map(str::to_owned);
        visitor.places.insert(next, ack["seq"].as_i64().unwrap());
        said.fetch_add(1, Ordering::Relaxed);
        on.notify_waiters();
    }
    Some(())
}

async fn visit(number: usize, port: u16, said: Arc<AtomicUsize>, on: Arc<Notify>) -> Visitor {
    let token = data_encoding::BASE64URL_NOPAD.encode(&[u8::try_from(number).unwrap(); 32]);
    let mut visitor = Visitor { token, conversation: None, places: BTreeMap::new() };
    while talk(&mut visitor, number, port, &said, &on).await.is_none() {
        // As a browser does: soon, and not all at once.
        tokio::time::sleep(Duration::from_millis(20 + number as u64 % 50)).await;
    }
    visitor
}

#[test]
fn two_hundred_visitors_chat_on_through_kills_and_every_word_is_there_once_and_in_order() {
    let mut site = Site::open();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (said, on) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let port = site.port;
    let visitors: Vec<_> =
        (0..VISITORS).map(|number| runtime.spawn(visit(number, port, Arc::clone(&said), Arc::clone(&on)))).collect();
    for kill in 1..=KILLS {
        let due = VISITORS * MESSAGES * kill / (KILLS + 1);
        until("enough is said for the next kill", || (said.load(Ordering::Relaxed) >= due).then_some(()));
        site.is_killed_and_starts_again();
    }
    let all = async { futures_util::future::join_all(visitors).await };
    let visitors: Vec<Visitor> = runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(120), all).await })
        .expect("everybody goes on by themselves")
        .into_iter()
        .map(Result::unwrap)
        .collect();

    let list = until_told("the daemon answers", || {
        let list = site.does(&["ticket", "list", "--json", "--limit", "200"]);
        let list: Value = serde_json::from_str(&list).map_err(|error| error.to_string())?;
        Ok(list["tickets"].as_array().cloned().unwrap_or_default())
    });
    assert_eq!(list.len(), VISITORS, "a ticket each");
    let mut words: BTreeMap<String, i64> = BTreeMap::new();
    for ticket in &list {
        let shown = site.does(&["ticket", "show", "--json", ticket["reference"].as_str().unwrap()]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        let entries = shown["timeline"].as_array().unwrap().clone();
        for entry in entries.iter().filter(|entry| entry["kind"] == "inbound") {
            let text = entry["text"].as_str().unwrap().to_owned();
            assert_eq!(words.insert(text.clone(), entry["seq"].as_i64().unwrap()), None, "{text} stands twice");
        }
        let notices = entries.iter().filter(|entry| entry["kind"] == "notice").count();
        assert_eq!(notices, 1, "one acknowledgement a ticket");
    }
    assert_eq!(words.len(), VISITORS * MESSAGES);
    for (number, visitor) in visitors.iter().enumerate() {
        for (message, seq) in &visitor.places {
            assert_eq!(
                words.get(&format!("word {message} of visitor {number}")),
                Some(seq),
                "another place than was told"
            );
        }
        assert!(visitor.places.values().is_sorted(), "visitor {number}: {:?}", visitor.places);
    }
    let balance = site.does(&["reconcile"]);
    assert!(!balance.contains("BAD"), "{balance}");
}
