//! The golden conversations, played against the server.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::schema;
use crate::server::{Client, Server, cid, token};

/// Frames that may come at any time.
const PASSING: [&str; 5] = ["conv", "desk", "presence", "read", "typing"];

struct Player {
    server: Server,
    client: Option<Client>,
    values: HashMap<String, Value>,
    ticket: String,
}

impl Player {
    async fn step(&mut self, step: &Value) {
        match step["dir"].as_str().unwrap() {
            "c>s" => {
                let frame = self.filled(&step["frame"]);
                self.client().await.send(frame).await;
            }
            "s>c" => self.hears(&step["frame"]).await,
            "cut" => self.client = None,
            "close" => assert_eq!(self.client().await.closed().await.map(Value::from), Some(step["code"].clone())),
            "desk" => {
                let text = step["text"].as_str().unwrap_or_default();
                self.server.core.agent(&self.ticket, step["does"].as_str().unwrap(), text);
            }
            other => panic!("no step {other}"),
        }
    }

    async fn client(&mut self) -> &mut Client {
        if self.client.is_none() {
            self.client = Some(self.server.connect().await);
        }
        self.client.as_mut().unwrap()
    }

    async fn hears(&mut self, wanted: &Value) {
        loop {
            let frame = self.client().await.next().await;
            let mut found = HashMap::new();
            match fits(wanted, &frame, &self.values, &mut found) {
                Ok(()) => {
                    self.values.extend(found);
                    if frame["type"] == "ack" {
                        frame["ticket"].as_str().unwrap().clone_into(&mut self.ticket);
                    }
                    return;
                }
                Err(_) if PASSING.contains(&frame["type"].as_str().unwrap()) => {}
                Err(what) => panic!("{what}\nwanted {wanted}\ngot    {frame}"),
            }
        }
    }

    /// A frame with its places filled in.
    fn filled(&mut self, frame: &Value) -> Value {
        match frame {
            Value::String(text) => placeholder(text).map_or_else(|| frame.clone(), |name| self.value(name)),
            Value::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Value::Object(fields) => {
                let mut filled = serde_json::Map::new();
                for (name, field) in fields {
                    let name =
                        placeholder(name).map_or(name.clone(), |name| self.value(name).as_str().unwrap().to_owned());
                    filled.insert(name, self.filled(field));
                }
                Value::Object(filled)
            }
            other => other.clone(),
        }
    }

    fn value(&mut self, name: &str) -> Value {
        let made = match name {
            "token" => json!(token(1)),
            "other-token" => json!(token(2)),
            name if name.starts_with("cid") => json!(cid(name.trim_start_matches("cid").parse().unwrap())),
            name => self.values.get(name).cloned().unwrap_or_else(|| panic!("<{name}> has no value yet")),
        };
        self.values.insert(name.to_owned(), made.clone());
        made
    }
}

fn placeholder(text: &str) -> Option<&str> {
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>'))
}

/// Whether `frame` has all that is wanted; values met for the first time go into `found`.
fn fits(
    wanted: &Value,
    frame: &Value,
    known: &HashMap<String, Value>,
    found: &mut HashMap<String, Value>,
) -> Result<(), String> {
    match (wanted, frame) {
        (Value::String(text), _) if placeholder(text).is_some() => {
            let name = placeholder(text).unwrap();
            match known.get(name).or_else(|| found.get(name)) {
                Some(value) if value != frame => Err(format!("<{name}> is {value}, and {frame} came")),
                _ if frame.is_null() => Err(format!("<{name}> is missing")),
                Some(_) => Ok(()),
                None if name == "_" => Ok(()),
                None => {
                    found.insert(name.to_owned(), frame.clone());
                    Ok(())
                }
            }
        }
        (Value::Object(fields), Value::Object(given)) => fields.iter().try_for_each(|(name, field)| {
            let value = given.get(name).unwrap_or(&Value::Null);
            fits(field, value, known, found).map_err(|what| format!("{name}: {what}"))
        }),
        (Value::Array(items), Value::Array(given)) if items.len() == given.len() => {
            items.iter().zip(given).try_for_each(|(item, value)| fits(item, value, known, found))
        }
        (wanted, frame) if wanted == frame => Ok(()),
        (wanted, frame) => Err(format!("wanted {wanted}, and {frame} came")),
    }
}

#[tokio::test]
async fn the_server_speaks_every_golden_conversation() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol/golden");
    let mut played = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let server = Server::start(json!({})).await;
        let mut player = Player { server, client: None, values: HashMap::new(), ticket: String::new() };
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            player.step(&serde_json::from_str(line).unwrap()).await;
        }
        played += 1;
    }
    assert!(played >= 10, "only {played} conversations were found");
}

#[test]
fn what_the_golden_clients_send_is_in_the_schema_where_it_is_meant_to_be() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol/golden");
    for name in ["first-message", "an-agent-answers-during-a-cut", "settled-rated-reopened"] {
        for line in std::fs::read_to_string(folder.join(format!("{name}.jsonl"))).unwrap().lines() {
            let line = line
                .replace("<token>", &token(1))
                .replace("<cid1>", &cid(1))
                .replace("<cid2>", &cid(2))
                .replace("<cid3>", &cid(3))
                .replace("<conv>", &cid(9));
            let step: Value = serde_json::from_str(&line).unwrap();
            if step["dir"] == "c>s" {
                schema::must_be("client", &step["frame"]);
            }
        }
    }
}
