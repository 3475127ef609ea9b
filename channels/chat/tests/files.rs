//! Files: up, into a message, and back by a link.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::http::plain;
use crate::server::{Server, cid, token};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";

async fn put(server: &Server, token: &str, name: &str, bytes: &[u8]) -> (u16, Value) {
    let request = plain().post(server.url("uploads")).query(&[("name", name)]).bearer_auth(token);
    let response = request.header("content-type", "image/png").body(bytes.to_vec()).send().await.unwrap();
    (response.status().as_u16(), serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_file_goes_with_its_message_and_comes_back_as_an_attachment() {
    let server = Server::start(json!({})).await;
    let (status, upload) = put(&server, &token(1), "../photo of\u{202e}.exe", PNG).await;
    assert_eq!((status, &upload["name"], &upload["type"]), (200, &json!("photo of.exe.png"), &json!("image/png")));
    let mut client = server.visitor(&token(1)).await;
    let message = json!({"type": "msg", "cid": cid(1), "text": "", "files": [upload["id"]]});
    client.send(message.clone()).await;
    let ack = client.next_of("ack").await;
    let event = client.next_of("event").await;
    let file = &event["files"][0];
    assert_eq!((&file["name"], &file["size"]), (&json!("photo of.exe.png"), &json!(PNG.len())));
    let url = file["url"].as_str().unwrap();
    let response = plain().get(server.url(url)).send().await.unwrap();
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-disposition", "attachment; filename=\"photo of.exe.png\"; filename*=UTF-8''photo%20of.exe.png"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
    ] {
        assert_eq!(response.headers()[name], value);
    }
    assert_eq!(response.bytes().await.unwrap(), PNG);
    // Repeated when the file is long gone, the message is still the same one.
    server.core.desk.clock.advance(std::time::Duration::from_hours(2));
    client.send(message).await;
    let again = client.next_of("ack").await;
    assert_eq!((&again["dup"], &again["seq"], &again["conv"]), (&json!(true), &ack["seq"], &ack["conv"]));
    server.core.desk.clock.advance(std::time::Duration::from_hours(11));
    assert_eq!(plain().get(server.url(url)).send().await.unwrap().status(), 404);
    let forged = format!("files/{}A", &url["files/".len()..url.len() - 1]);
    assert_eq!(plain().get(server.url(&forged)).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn somebody_elses_file_is_unknown() {
    let server = Server::start(json!({})).await;
    let (_, upload) = put(&server, &token(1), "a.png", PNG).await;
    let mut client = server.visitor(&token(2)).await;
    client.send(json!({"type": "msg", "cid": cid(1), "text": "x", "files": [upload["id"]]})).await;
    assert_eq!(client.next().await["code"], "file_unknown");
    assert_eq!(server.core.tickets(), 0);
}

#[tokio::test]
async fn what_is_too_large_or_lies_or_comes_too_often_is_refused_in_words() {
    let server = Server::start(json!({"limits": {"file_bytes": 1000, "uploads": 4}})).await;
    for (bytes, status, code) in [
        (vec![b'x'; 1001], 413, "file_too_large"),
        (b"<html><script>alert(1)</script>".to_vec(), 415, "file_type"),
        (b"MZ\x90\0".to_vec(), 415, "file_type"),
        (Vec::new(), 422, "empty"),
        (PNG.to_vec(), 429, "rate_limited"),
    ] {
        let (told, body) = put(&server, &token(1), "a.png", &bytes).await;
        assert_eq!((told, &body["frames"][0]["code"]), (status, &json!(code)));
    }
    let unknown = plain().post(server.url("uploads")).body("x").send().await.unwrap();
    assert_eq!(unknown.status(), 401);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_comes_byte_by_byte_is_given_up_and_nobody_else_waits() {
    let server = Server::start(json!({})).await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /in/site/uploads?name=a.png HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 100\r\n\r\n\u{0}",
        token(1)
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut client = server.visitor(&token(2)).await;
    client.says(&cid(1), None, "Hello?").await;
    let mut answer = vec![0; 4096];
    let read = socket.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.contains("422") && answer.contains("did not come in time"), "{answer}");
}
