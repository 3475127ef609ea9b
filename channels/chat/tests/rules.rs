//! The rules of `docs/CHAT-PROTOCOL.md`, by their numbers.

use std::sync::atomic::Ordering;
use std::time::Duration;

use guichet_contract::Signal;
use guichet_domain::ids::Seq;
use serde_json::{Value, json};

use crate::server::{Server, cid, token};

fn ticket(ack: &Value) -> String {
    ack["ticket"].as_str().unwrap().to_owned()
}

fn conv(ack: &Value) -> String {
    ack["conv"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn rule_1_nothing_is_acknowledged_before_it_is_durable_and_numbers_have_no_gaps() {
    let server = Server::start(json!({})).await;
    let mut client = server.visitor(&token(1)).await;
    server.core.desk.hold.send_replace(true);
    client.send(json!({"type": "msg", "cid": cid(1), "text": "Hello?"})).await;
    let early = tokio::time::timeout(Duration::from_millis(200), client.heard()).await;
    assert!(early.is_err(), "{early:?}");
    server.core.desk.hold.send_replace(false);
    let ack = client.next().await;
    assert_eq!((ack["type"].as_str(), ack["seq"].as_i64()), (Some("ack"), Some(1)));
    for number in 2..6 {
        client.says(&cid(number), Some(&conv(&ack)), "more").await;
    }
    let mut other = server.visitor(&token(1)).await;
    let numbers: Vec<i64> =
        other.history(&conv(&ack)).await.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn rule_1_a_busy_desk_is_told_as_such_and_keeps_nothing() {
    let server = Server::start(json!({})).await;
    let mut client = server.visitor(&token(1)).await;
    server.core.desk.busy.store(1, Ordering::Release);
    client.send(json!({"type": "msg", "cid": cid(1), "text": "Hello?"})).await;
    let busy = client.next().await;
    assert_eq!((busy["code"].as_str(), busy["cid"].as_str()), (Some("busy"), Some(&*cid(1))));
    assert!(busy["retry_after_ms"].as_u64().unwrap() >= 1);
    assert_eq!(server.core.tickets(), 0);
    assert_eq!(client.says(&cid(1), None, "Hello?").await["dup"], false);
}

#[tokio::test]
async fn rule_2_a_message_sent_again_gets_the_same_acknowledgement_and_stands_once() {
    let server = Server::start(json!({})).await;
    let mut client = server.visitor(&token(1)).await;
    let first = client.says(&cid(1), None, "Hello?").await;
    let second = client.says(&cid(2), Some(&conv(&first)), "Anybody?").await;
    for (number, text, ack) in [(1, "Hello?", &first), (2, "Anybody?", &second)] {
        let (mut again, _) = server.resumes(&token(1), json!({})).await;
        let to = if number == 1 { None } else { Some(conv(ack)) };
        let repeated = again.says(&cid(number), to.as_deref(), text).await;
        assert_eq!(repeated["dup"], true);
        for field in ["cid", "conv", "ticket", "seq"] {
            assert_eq!(repeated[field], ack[field], "{field}");
        }
    }
    assert_eq!(server.core.tickets(), 1);
    assert_eq!(server.core.texts(&ticket(&first)).len(), 3);
}

#[tokio::test]
async fn rule_3_history_is_read_forwards_and_backwards() {
    let server = Server::start(json!({})).await;
    let mut client = server.visitor(&token(1)).await;
    let ack = client.says(&cid(1), None, "Hello?").await;
    for number in 0..298 {
        server.core.agent(&ticket(&ack), "reply", &format!("answer {number}"));
    }
    let ask = |fields: Value| {
        let mut frame = json!({"type": "sync", "conv": conv(&ack)});
        frame.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        frame
    };
    let mut other = server.visitor(&token(1)).await;
    for (fields, from, upto, more) in [
        (json!({"after": 0}), 1, 200, true),
        (json!({"after": 200}), 201, 300, false),
        (json!({"after": 300}), 0, 0, false),
        (json!({"before": 301, "limit": 50}), 251, 300, true),
        (json!({"before": 51, "limit": 50}), 1, 50, false),
        (json!({"before": 1}), 0, 0, false),
        (json!({"after": 10, "limit": 1}), 11, 11, true),
    ] {
        other.send(ask(fields.clone())).await;
        let mut seen = Vec::new();
        let end = loop {
            let frame = other.next().await;
            match frame["type"].as_str() {
                Some("event") => seen.push(frame["seq"].as_i64().unwrap()),
                Some("synced") => break frame,
                _ => {}
            }
        };
        assert_eq!((&end["from"], &end["upto"], &end["more"]), (&json!(from), &json!(upto), &json!(more)), "{fields}");
        let wanted: Vec<i64> = if upto == 0 { Vec::new() } else { (from..=upto).collect() };
        assert_eq!(seen, wanted, "{fields}");
    }
    for wrong in [json!({}), json!({"after": 0, "before": 9})] {
        other.send(ask(wrong)).await;
        assert_eq!(other.next_of("error").await["code"], "bad_frame");
    }
}

#[tokio::test]
async fn rule_3_what_is_said_in_one_tab_is_seen_in_the_other() {
    let server = Server::start(json!({})).await;
    let (mut one, mut other) = (server.visitor(&token(1)).await, server.visitor(&token(1)).await);
    let ack = one.says(&cid(1), None, "Hello?").await;
    let told = other.next().await;
    assert_eq!((told["type"].as_str(), &told["ticket"]), (Some("conv"), &ack["ticket"]));
    let event = other.next_of("event").await;
    assert_eq!((&event["cid"], &event["conv"]), (&json!(cid(1)), &ack["conv"]));
    assert_eq!(one.next_of("event").await["cid"], event["cid"]);
}

#[tokio::test(start_paused = true)]
async fn rule_4_a_client_that_takes_nothing_is_closed_and_misses_nothing_when_it_is_back() {
    let server = Server::start(json!({})).await;
    let mut client = server.visitor(&token(1)).await;
    let ack = client.says(&cid(1), None, "Hello?").await;
    assert_eq!(client.next_of("event").await["seq"], 1);
    // Far more than the sockets' buffers hold.
    let long = "x".repeat(140_000);
    for _ in 0..400 {
        server.core.agent(&ticket(&ack), "reply", &long);
    }
    // The client reads nothing for longer than a full queue may stay full.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let mut last = 1;
    let code = loop {
        match client.heard().await {
            Ok(frame) if frame["type"] == "event" => {
                assert_eq!(frame["seq"].as_i64(), Some(last + 1));
                last += 1;
            }
            Ok(_) => {}
            Err(code) => break code,
        }
    };
    assert!(code.is_none_or(|code| code == 4008), "{code:?}");
    assert!((2..402).contains(&last), "{last}");
    let (mut back, _) = server.resumes(&token(1), json!({conv(&ack): last})).await;
    while last < 402 {
        assert_eq!(back.next_of("event").await["seq"].as_i64(), Some(last + 1));
        last += 1;
    }
}

#[tokio::test]
async fn rule_5_a_cursor_brings_what_came_since_and_the_live_goes_on_behind_it() {
    let server = Server::start(json!({})).await;
    let mut client = server.visitor(&token(1)).await;
    let ack = client.says(&cid(1), None, "Hello?").await;
    drop(client);
    server.core.agent(&ticket(&ack), "reply", "one");
    server.core.agent(&ticket(&ack), "reply", "two");
    let (mut back, welcome) = server.resumes(&token(1), json!({conv(&ack): 2, "nonsense": 1, cid(99): 5})).await;
    assert_eq!(welcome["convs"][0]["last_seq"], 4);
    assert_eq!(welcome["resumed"], true);
    server.core.agent(&ticket(&ack), "reply", "three");
    for (seq, text) in [(3, "one"), (4, "two"), (5, "three")] {
        let event = back.next_of("event").await;
        assert_eq!((&event["seq"], &event["text"]), (&json!(seq), &json!(text)));
        assert_eq!(event["from"], json!({"kind": "agent", "name": "Ana"}));
    }
}

#[tokio::test(start_paused = true)]
async fn rule_6_the_server_pings_and_gives_up_whoever_is_silent() {
    use futures_util::StreamExt as _;
    use tokio_tungstenite::tungstenite::Message;
    let server = Server::start(json!({})).await;
    let mut client = server.visitor(&token(1)).await;
    let start = tokio::time::Instant::now();
    let ping = client.ws.next().await;
    assert!(matches!(ping, Some(Ok(Message::Ping(_)))), "{ping:?}");
    assert_eq!(start.elapsed().as_secs(), 25);
    // The client's library answers when it is read or written: from here on it is not.
    let (silent, _) = server.resumes(&token(2), json!({})).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    let mut silent = silent;
    let end = loop {
        match silent.ws.next().await {
            Some(Ok(Message::Ping(_))) => {}
            end => break end,
        }
    };
    assert!(!matches!(end, Some(Ok(_))), "{end:?}");
}

#[tokio::test]
async fn rule_10_a_server_that_stops_says_so_and_takes_nobody_more() {
    let server = Server::start(json!({})).await;
    let mut client = server.visitor(&token(1)).await;
    server.stop.cancel();
    assert_eq!(client.closed().await, Some(1012));
    let mut late = server.connect().await;
    late.send(json!({"type": "hello", "v": 1, "token": token(2)})).await;
    let told = late.next().await;
    assert_eq!((told["code"].as_str(), told["fatal"].as_bool()), (Some("busy"), Some(true)));
}

#[tokio::test]
async fn rule_10_the_sixth_tab_closes_the_first() {
    let server = Server::start(json!({})).await;
    let mut tabs = Vec::new();
    for _ in 0..6 {
        tabs.push(server.visitor(&token(1)).await);
    }
    assert_eq!(tabs[0].closed().await, Some(4011));
    tabs[5].send(json!({"type": "ping", "t": 1})).await;
    assert_eq!(tabs[5].next().await["t"], 1);
}

#[tokio::test]
async fn a_closed_ticket_is_followed_by_another_in_the_same_conversation() {
    let server = Server::start(json!({})).await;
    let mut client = server.visitor(&token(1)).await;
    let first = client.says(&cid(1), None, "Hello?").await;
    server.core.agent(&ticket(&first), "lock", "");
    let second = client.says(&cid(2), Some(&conv(&first)), "Once more").await;
    assert_eq!(second["conv"], first["conv"]);
    assert_ne!(second["ticket"], first["ticket"]);
    assert_eq!(second["seq"], 3);
}

#[tokio::test]
async fn what_agents_do_is_seen_and_what_visitors_do_is_told() {
    let server = Server::start(json!({})).await;
    let mut client = server.visitor(&token(1)).await;
    let ack = client.says(&cid(1), None, "Hello?").await;
    while client.next_of("event").await["seq"] != 2 {}
    server.core.sign(&ticket(&ack), Signal::Typing { name: Some("Ana".to_owned()), on: true });
    let typing = client.next_of("typing").await;
    assert_eq!((&typing["from"]["name"], &typing["on"]), (&json!("Ana"), &json!(true)));
    assert!(typing["ttl_ms"].as_u64().unwrap() >= 3000);
    server.core.sign(&ticket(&ack), Signal::Read { upto: Seq(1) });
    assert_eq!(client.next_of("read").await["upto"], 1);
    server.core.sign(&ticket(&ack), Signal::Present { name: "Ana".to_owned(), on: true });
    assert_eq!(client.next_of("presence").await["name"], "Ana");
    for on in [true, true, true, false] {
        client.send(json!({"type": "typing", "conv": ack["conv"], "on": on})).await;
    }
    client.send(json!({"type": "read", "conv": ack["conv"], "upto": 999})).await;
    let summary = client.next_of("conv").await;
    assert_eq!((&summary["read_upto"], &summary["unread"]), (&json!(2), &json!(0)));
    let typed = |on| Signal::Typing { name: None, on };
    // Three within a second are one.
    assert_eq!(server.core.signs(), [typed(true), typed(false), Signal::Read { upto: Seq(2) }]);
}

#[tokio::test]
async fn an_address_is_given_before_a_transcript_can_be_asked_for() {
    let server = Server::start(json!({})).await;
    let mut client = server.visitor(&token(1)).await;
    let ack = client.says(&cid(1), None, "Hello?").await;
    let act = |kind: &str, number, more: Value| {
        let mut frame = json!({"type": kind, "cid": cid(number), "conv": ack["conv"]});
        frame.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        frame
    };
    client.send(act("transcript", 2, json!({}))).await;
    let refused = client.next_of("error").await;
    assert_eq!((&refused["code"], &refused["reason"]), (&json!("not_possible"), &json!("act.address")));
    client.send(act("contact", 3, json!({"email": "no address"}))).await;
    assert_eq!(client.next_of("error").await["fields"]["email"], "This is no e-mail address.");
    client.send(act("contact", 3, json!({"email": " ines@example.org "}))).await;
    assert_eq!(client.next_of("done").await["cid"], json!(cid(3)));
    while client.next_of("conv").await["has_contact"] != true {}
    client.send(act("transcript", 4, json!({}))).await;
    assert_eq!(client.next_of("done").await["dup"], false);
    client.send(act("close", 5, json!({}))).await;
    assert_eq!(client.next_of("done").await["cid"], json!(cid(5)));
}

#[tokio::test]
async fn what_the_visitor_and_the_page_say_of_themselves_reaches_the_agent() {
    let form = json!([{"name": "name"}, {"name": "email", "type": "email", "required": true}]);
    let server = Server::start(json!({"form": form})).await;
    let mut client = server.connect().await;
    let page = json!({"url": "https://shop.example/cart", "title": "Cart"});
    let hello =
        json!({"type": "hello", "v": 1, "token": token(1), "lang": "fr-FR", "tz": "Europe/Paris", "page": page});
    client.send(hello).await;
    client.next_of("welcome").await;
    client.send(json!({"type": "msg", "cid": cid(1), "text": "Bonjour"})).await;
    let refused = client.next_of("error").await;
    assert_eq!(
        (&refused["code"], &refused["fields"]["email"]),
        (&json!("form_invalid"), &json!("Merci de remplir ce champ."))
    );
    let form = json!({"name": "Ines Canary", "email": "ines@example.org"});
    client.send(json!({"type": "msg", "cid": cid(1), "text": "Bonjour", "form": form})).await;
    client.next_of("ack").await;
    let taken = server.core.taken();
    let guichet_domain::inbound::Content::Read(item) = &taken[0].content else { panic!("unreadable") };
    assert_eq!(item.from.as_ref().unwrap().name.as_deref(), Some("Ines Canary"));
    assert!(item.from.as_ref().unwrap().address.starts_with("chat:"));
    let contact = item.contact.as_ref().unwrap();
    assert_eq!((contact.address.as_str(), contact.verified), ("ines@example.org", false));
    assert_eq!(item.language.unwrap().as_str(), "fr");
    let notes: Vec<_> = item.notes.iter().map(|note| format!("{}={}", note.code, note.detail)).collect();
    assert_eq!(notes, ["chat.page=https://shop.example/cart", "chat.page_title=Cart", "chat.time_zone=Europe/Paris"]);
    assert!(!String::from_utf8_lossy(&taken[0].raw).contains(&token(1)));
}
