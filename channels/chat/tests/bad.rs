//! Bad input: a coded error, nothing lost, nobody else affected.

use std::time::Duration;

use futures_util::SinkExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::server::{Client, Server, cid, token};

fn status(refused: Result<Client, tungstenite::Error>) -> u16 {
    match refused {
        Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => 101,
    }
}

#[tokio::test]
async fn foreign_and_absent_origins_are_turned_away_before_the_upgrade() {
    let server = Server::start(json!({"origins": ["https://shop.example"]})).await;
    assert_eq!(status(server.upgrade(Some("https://shop.example")).await), 101);
    for origin in [None, Some("https://evil.example"), Some("null"), Some("https://shop.example.evil.example")] {
        assert_eq!(status(server.upgrade(origin).await), 403, "{origin:?}");
    }
}

#[tokio::test]
async fn a_foreign_origin_is_turned_away_on_every_address() {
    let server = Server::start(json!({"origins": ["https://shop.example"]})).await;
    let http = crate::http::plain();
    for (method, path) in [
        ("POST", "frames"),
        ("GET", "events"),
        ("GET", "poll"),
        ("POST", "uploads"),
        ("GET", "config"),
        ("OPTIONS", "frames"),
    ] {
        let asked = |origin: &'static str| {
            let request = http.request(method.parse().unwrap(), server.url(path)).header("origin", origin);
            request.header("authorization", format!("Bearer {}", token(1))).body("[]")
        };
        let refused = asked("https://evil.example").send().await.unwrap();
        assert_eq!(refused.status(), 403, "{method} {path}");
        assert!(refused.headers().get("access-control-allow-origin").is_none());
        let allowed = asked("https://shop.example").query(&[("wait", "0")]).send().await.unwrap();
        assert!(allowed.status() != 403, "{method} {path}");
        assert_eq!(allowed.headers()["access-control-allow-origin"], "https://shop.example");
        assert!(allowed.headers()["vary"].to_str().unwrap().contains("Origin"));
    }
}

#[tokio::test]
async fn frames_that_are_none_are_answered_and_the_talk_goes_on() {
    let server = Server::start(json!({})).await;
    let mut client = server.visitor(&token(1)).await;
    for text in
        ["", "null", "[]", "{", "\"hello\"", "{\"type\":null}", "\u{0}", &"[".repeat(10_000), "{\"type\":\"ping\"} {}"]
    {
        client.ws.send(Message::text(text)).await.unwrap();
        assert_eq!(client.next().await["code"], "bad_frame", "{text}");
    }
    for (frame, code) in [
        (json!({"type": "hello", "v": 1, "token": token(1)}), "bad_frame"),
        (json!({"type": "msg", "cid": cid(1), "text": "x".repeat(10_001)}), "too_long"),
        (json!({"type": "msg", "cid": cid(1), "text": " \n\t"}), "empty"),
        (json!({"type": "msg", "cid": cid(1), "text": "x", "files": ["../../etc/passwd"]}), "file_unknown"),
        (json!({"type": "msg", "cid": cid(1), "text": "x", "files": vec!["a"; 6]}), "bad_frame"),
        (json!({"type": "msg", "cid": "1' OR 1=1 --", "text": "x"}), "bad_frame"),
        (json!({"type": "rate", "cid": cid(1), "conv": cid(2), "score": 6}), "bad_frame"),
        (json!({"type": "read", "conv": cid(2), "upto": -1}), "conv_unknown"),
        (json!({"type": "identify", "jwt": "a.b.c"}), "identity_invalid"),
    ] {
        client.send(frame.clone()).await;
        assert_eq!(client.next().await["code"], code, "{frame}");
    }
    client.says(&cid(1), None, "<script>alert(1)</script> ' OR 1=1 -- \u{202e}").await;
    assert_eq!(client.next_of("event").await["text"], "<script>alert(1)</script> ' OR 1=1 -- \u{202e}");
    assert_eq!(server.core.tickets(), 1);
}

#[tokio::test]
async fn a_megabyte_is_too_big_and_nobody_else_feels_it() {
    let server = Server::start(json!({})).await;
    let mut other = server.visitor(&token(2)).await;
    for size in [70_000, 1_000_000] {
        let mut client = server.visitor(&token(1)).await;
        let text = json!({"type": "msg", "cid": cid(1), "text": "x".repeat(size)}).to_string();
        // The server may hang up while the rest is on its way.
        drop(client.ws.send(Message::text(text)).await);
        let code = client.closed().await;
        assert!(code == Some(1009) || (size > 500_000 && code.is_none()), "{size}: {code:?}");
    }
    let mut binary = server.visitor(&token(1)).await;
    binary.ws.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(binary.closed().await, Some(1009));
    other.says(&cid(1), None, "Still here").await;
    assert_eq!(server.core.tickets(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_says_nothing_or_says_it_byte_by_byte_is_let_go_after_five_seconds() {
    let server = Server::start(json!({})).await;
    let mut quiet = server.connect().await;
    assert_eq!(quiet.next().await["code"], "hello_required");
    assert_eq!(quiet.closed().await, Some(4001));
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let request = format!(
        "GET /in/site/ws HTTP/1.1\r\nhost: {0}\r\norigin: http://{0}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        server.address
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    assert!(socket.read(&mut answer).await.unwrap() > 0);
    let start = tokio::time::Instant::now();
    // A frame of 100 bytes, one byte a second: the head and a mask, then the text.
    let mut written = 0;
    for byte in [0x81, 0x80 | 0x64, 0, 0, 0, 0].into_iter().chain(std::iter::repeat_n(b' ', 100)) {
        if socket.write_all(&[byte]).await.is_err() {
            break;
        }
        written += 1;
        tokio::time::sleep(Duration::from_secs(1)).await;
        if start.elapsed() > Duration::from_secs(12) {
            break;
        }
    }
    assert!(written < 100);
    let mut rest = Vec::new();
    drop(socket.read_to_end(&mut rest).await);
    assert!(String::from_utf8_lossy(&rest).contains("hello_required"));
}

#[tokio::test]
async fn somebody_elses_conversation_does_not_exist() {
    let server = Server::start(json!({})).await;
    let mut owner = server.visitor(&token(1)).await;
    let ack = owner.says(&cid(1), None, "A secret").await;
    let conv = ack["conv"].as_str().unwrap();
    let (mut other, welcome) = server.resumes(&token(2), json!({conv: 0})).await;
    assert_eq!(welcome["convs"], json!([]));
    for frame in [
        json!({"type": "msg", "cid": cid(2), "conv": conv, "text": "let me in"}),
        json!({"type": "sync", "conv": conv, "after": 0}),
        json!({"type": "typing", "conv": conv, "on": true}),
        json!({"type": "read", "conv": conv, "upto": 1}),
        json!({"type": "rate", "cid": cid(2), "conv": conv, "score": 1}),
        json!({"type": "close", "cid": cid(2), "conv": conv}),
        json!({"type": "reopen", "cid": cid(2), "conv": conv}),
        json!({"type": "transcript", "cid": cid(2), "conv": conv}),
        json!({"type": "contact", "cid": cid(2), "conv": conv, "email": "mallory@example.net"}),
    ] {
        other.send(frame.clone()).await;
        let refused = other.next().await;
        assert_eq!((&refused["code"], &refused["conv"]), (&json!("conv_unknown"), &json!(conv)), "{frame}");
    }
    // The same first message of another session is another conversation.
    let theirs = other.says(&cid(1), None, "A secret").await;
    assert_ne!(theirs["conv"], ack["conv"]);
    assert_eq!(theirs["dup"], false);
    assert_eq!(server.core.texts(ack["ticket"].as_str().unwrap()).len(), 2);
}

#[tokio::test]
async fn a_blocked_sender_is_told_once_and_for_all() {
    let server = Server::start(json!({"email": "help@example.org"})).await;
    let mut client = server.visitor(&token(1)).await;
    for _ in 0..2 {
        client.send(json!({"type": "msg", "cid": cid(1), "text": "I am a blocked sender"})).await;
        let told = client.next().await;
        assert_eq!((&told["code"], &told["email"]), (&json!("blocked"), &json!("help@example.org")));
        assert!(told["message"].as_str().unwrap().ends_with("help@example.org."));
    }
    assert_eq!(server.core.taken().len(), 1);
}

#[tokio::test]
async fn too_much_is_told_with_the_time_and_the_way_out() {
    let server = Server::start(json!({"email": "help@example.org", "limits": {"messages": 3, "tickets": 2}})).await;
    let mut client = server.visitor(&token(1)).await;
    client.says(&cid(1), None, "one").await;
    client.says(&cid(2), None, "two").await;
    client.send(json!({"type": "msg", "cid": cid(3), "text": "three"})).await;
    let told = client.next_of("error").await;
    assert_eq!((&told["code"], &told["cid"], &told["fatal"]), (&json!("rate_limited"), &json!(cid(3)), &json!(false)));
    assert_eq!(told["retry_after_ms"], 1_800_000);
    let words = "That was a lot at once. Please try again in 30 min. You can also write to help@example.org.";
    assert_eq!(told["message"], words);
    client.send(json!({"type": "msg", "cid": cid(4), "text": "four"})).await;
    assert_eq!(client.next_of("error").await["retry_after_ms"], 20_000);
    // Time grows it back, and nothing was counted for what was refused.
    server.core.desk.clock.advance(Duration::from_mins(30));
    client.says(&cid(3), None, "three").await;
    // A message that was taken in may be repeated whatever the tickets are: it opens none.
    assert_eq!(client.says(&cid(1), None, "one").await["dup"], true);
}

#[tokio::test]
async fn an_address_that_connects_without_end_is_told_to_wait() {
    let server = Server::start(json!({"limits": {"connects": 3, "sockets": 2}})).await;
    let _one = server.visitor(&token(1)).await;
    let _two = server.visitor(&token(2)).await;
    let mut third = server.connect().await;
    third.send(json!({"type": "hello", "v": 1, "token": token(3)})).await;
    assert_eq!(third.next().await["code"], "rate_limited");
    assert_eq!(third.closed().await, Some(4029));
    assert_eq!(status(server.upgrade(Some(&server.origin())).await), 429);
}

#[tokio::test]
async fn a_client_that_floods_is_told_and_then_let_go() {
    let server = Server::start(json!({})).await;
    let mut client = server.visitor(&token(1)).await;
    for number in 0..300 {
        if client.ws.send(Message::text(json!({"type": "ping", "t": number}).to_string())).await.is_err() {
            break;
        }
    }
    let (mut pongs, mut told) = (0, 0);
    let code = loop {
        match client.heard().await {
            Ok(frame) if frame["type"] == "pong" => pongs += 1,
            Ok(frame) => {
                assert_eq!(frame["code"], "rate_limited");
                told += 1;
            }
            Err(code) => break code,
        }
    };
    assert_eq!((pongs, told, code), (200, 10, Some(4029)));
}

#[tokio::test]
async fn a_post_that_is_none_is_answered_in_the_one_form() {
    let server = Server::start(json!({})).await;
    let http = crate::http::plain();
    let bearer = format!("Bearer {}", token(1));
    for (authorization, body, status, code) in [
        ("", "[]".to_owned(), 401, "session_unknown"),
        ("Bearer short", "[]".to_owned(), 401, "session_unknown"),
        ("Basic eDp5", "[]".to_owned(), 401, "session_unknown"),
        (&bearer, "{".to_owned(), 422, "bad_frame"),
        (&bearer, "7".to_owned(), 422, "bad_frame"),
        (&bearer, json!(vec![json!({"type": "ping"}); 21]).to_string(), 422, "bad_frame"),
        (&bearer, "x".repeat(70_000), 413, "bad_frame"),
        (&bearer, json!({"type": "hello", "v": 9}).to_string(), 422, "unsupported_version"),
    ] {
        let request = http.post(server.url("frames")).header("authorization", authorization).body(body.clone());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{authorization} {body:.40}");
        let told: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(told["frames"][0]["code"], code);
        assert!(!told["frames"][0]["message"].as_str().unwrap().is_empty());
    }
}
