//! Cut and restarted at random, by a client that keeps to the rules: nothing is lost, nothing stands twice.

use std::collections::BTreeMap;

use guichet_testkit::TestIds;
use serde_json::{Value, json};

use crate::desk::Core;
use crate::server::{Client, Server, cid, token};

/// The client's side of rules 2, 3, 5 and 8.
struct Visitor {
    client: Option<Client>,
    outbox: Vec<(u128, String)>,
    conv: Option<String>,
    ticket: Option<String>,
    last: i64,
    seen: BTreeMap<i64, String>,
}

impl Visitor {
    /// Connects, and sends what has no acknowledgement again.
    async fn connect(&mut self, server: &Server) {
        let cursors = self.conv.as_ref().map_or(json!({}), |conv| json!({conv: self.last}));
        let (client, _) = server.resumes(&token(1), cursors).await;
        self.client = Some(client);
        for at in 0..self.outbox.len() {
            self.say(at).await;
        }
    }

    async fn say(&mut self, at: usize) {
        let (number, text) = self.outbox[at].clone();
        let mut frame = json!({"type": "msg", "cid": cid(number), "text": text});
        // The first message of all opens: it is repeated as it was.
        if let Some(conv) = self.conv.as_ref().filter(|_| number > 0) {
            frame["conv"] = json!(conv);
        }
        if let Some(client) = &mut self.client {
            client.send(frame).await;
        }
    }

    /// Takes frames until the outbox is empty and everything up to `upto` was seen; or, `hasty`, one only.
    async fn take(&mut self, upto: i64, hasty: bool) {
        while !self.outbox.is_empty() || self.last < upto {
            let Some(client) = &mut self.client else { return };
            let frame = client.next().await;
            self.hear(&frame);
            if hasty {
                return;
            }
        }
    }

    fn hear(&mut self, frame: &Value) {
        match frame["type"].as_str().unwrap() {
            "ack" => {
                self.outbox.retain(|(number, _)| frame["cid"] != json!(cid(*number)));
                self.conv = frame["conv"].as_str().map(str::to_owned);
                self.ticket = frame["ticket"].as_str().map(str::to_owned);
            }
            "event" => {
                let seq = frame["seq"].as_i64().unwrap();
                if seq <= self.last {
                    return;
                }
                assert_eq!(seq, self.last + 1, "a gap");
                self.last = seq;
                self.seen.insert(seq, frame["text"].as_str().unwrap().to_owned());
            }
            "error" => panic!("{frame}"),
            _ => {}
        }
    }
}

async fn rounds(seed: u64, count: u128) {
    let chance = TestIds::seeded(seed);
    let limits = json!({"limits": {"messages": 0, "messages_hour": 0, "connects": 0, "tickets": 0}});
    let core = Core::new();
    let mut server = Server::with(std::sync::Arc::clone(&core), limits.clone()).await;
    let mut visitor =
        Visitor { client: None, outbox: Vec::new(), conv: None, ticket: None, last: 0, seen: BTreeMap::new() };
    let mut said = Vec::new();
    for number in 0..count {
        // Every third round the server is another one, on the same desk.
        match chance.below(6) {
            0 => visitor.client = None,
            1 => {
                visitor.client = None;
                server = Server::with(std::sync::Arc::clone(&core), limits.clone()).await;
            }
            _ => {}
        }
        if let Some(ticket) = visitor.ticket.as_ref().filter(|_| chance.below(2) == 0) {
            let text = format!("answer {number}");
            core.agent(ticket, "reply", &text);
            said.push(text);
        }
        let text = format!("question {number}");
        visitor.outbox.push((number, text.clone()));
        said.push(text);
        if visitor.client.is_none() {
            visitor.connect(&server).await;
        } else {
            visitor.say(visitor.outbox.len() - 1).await;
        }
        if number == 0 || chance.below(3) > 0 {
            visitor.take(0, number > 0 && chance.below(2) == 0).await;
        }
        // Sometimes the line is cut with messages on their way.
        if chance.below(4) == 0 {
            visitor.client = None;
        }
    }
    if visitor.client.is_none() {
        visitor.connect(&server).await;
    }
    visitor.take(0, false).await;
    let kept = core.texts(visitor.ticket.as_ref().unwrap());
    visitor.take(i64::try_from(kept.len()).unwrap(), false).await;
    let seen: Vec<String> = visitor.seen.into_values().collect();
    assert_eq!(seen, kept, "seed {seed}");
    said.push(kept[1].clone());
    let (mut wanted, mut kept) = (said, kept);
    wanted.sort();
    kept.sort();
    assert_eq!(kept, wanted, "seed {seed}");
    assert_eq!(core.tickets(), 1);
}

#[tokio::test]
async fn in_two_hundred_rounds_of_cuts_and_restarts_nothing_is_lost_and_nothing_stands_twice() {
    for seed in 0..10 {
        rounds(seed, 20).await;
    }
}
