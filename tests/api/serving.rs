//! Over real sockets.

use std::time::Duration;

use guichet::http;
use guichet::lifecycle::Lifecycle;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::rig::Desk;

/// Longer than any of this takes.
const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_stop_lets_the_answer_under_way_end_and_takes_no_new_connection() {
    let desk = Desk::open().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let lifecycle = Lifecycle::default();
    let served = tokio::spawn(http::serve(listener, desk.network.clone(), lifecycle.clone()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    // Half a request: it is under way when the stop comes.
    stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /health/live HTTP/1.1\r\n").await.unwrap();
    let mut first = vec![0; 15];
    tokio::time::timeout(LIMIT, stream.read_exact(&mut first)).await.unwrap().unwrap();
    assert_eq!(first, b"HTTP/1.1 200 OK");
    lifecycle.soft.cancel();
    stream.write_all(b"Host: x\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(LIMIT, stream.read_to_end(&mut rest)).await.unwrap().unwrap();
    tokio::time::timeout(LIMIT, served).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_local_socket_speaks_for_the_operator() {
    let desk = Desk::open().await;
    let path = desk.kernel.state.socket();
    let listener = UnixListener::bind(&path).unwrap();
    let lifecycle = Lifecycle::default();
    let served = tokio::spawn(http::serve_local(listener, desk.local.clone(), lifecycle.clone()));
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"GET /api/v1/agents HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(LIMIT, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n[]"), "{answer}");
    lifecycle.soft.cancel();
    tokio::time::timeout(LIMIT, served).await.unwrap().unwrap();
}
