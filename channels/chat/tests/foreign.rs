//! A client of another make, which knows nothing but the protocol's page.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

use crate::server::Server;

/// The Python that has `websockets`: `GUICHET_PYTHON`, else the system's.
fn python() -> String {
    std::env::var("GUICHET_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

#[tokio::test]
async fn a_client_in_python_plays_the_golden_conversations() {
    let has = Command::new(python()).args(["-c", "import websockets"]).stderr(Stdio::null()).status().await;
    if !has.is_ok_and(|status| status.success()) {
        println!(
            "skipped: no Python with `websockets` (apt-get install python3-websockets, or name one by GUICHET_PYTHON)"
        );
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = std::fs::read_dir(here.join("protocol/golden")).unwrap().map(|file| file.unwrap().path());
    let golden: Vec<_> = golden.collect();
    let free = json!({"tickets": 0, "tickets_address": 0, "connects": 0});
    let server = Server::start(json!({"limits": free})).await;
    let mut client = Command::new(python())
        .arg(here.join("tests/foreign.py"))
        .args([format!("ws://{}/in/site/ws", server.address), server.origin()])
        .args(&golden)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut asks = client.stdin.take().unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let mut last = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Ok(step) = serde_json::from_str::<Value>(&line) {
            let said = |name: &str| step[name].as_str().unwrap().to_owned();
            server.core.agent(&said("ticket"), &said("does"), &said("text"));
            asks.write_all(b"done\n").await.unwrap();
        }
        last = line;
    }
    assert!(client.wait().await.unwrap().success());
    assert_eq!(last, format!("played {}", golden.len()));
}
