//! The same without WebSockets.

use reqwest::Response;
use serde_json::{Value, json};

use crate::schema;
use crate::server::{Server, cid, token};

/// A client that minds no environment.
pub(crate) fn plain() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

struct Caller<'a> {
    server: &'a Server,
    http: reqwest::Client,
    token: String,
}

impl Caller<'_> {
    async fn get(&self, path: &str) -> Response {
        let request = self.http.get(self.server.url(path)).bearer_auth(&self.token);
        request.send().await.unwrap()
    }

    async fn post(&self, frames: &Value) -> (u16, Vec<Value>) {
        let request = self.http.post(self.server.url("frames")).bearer_auth(&self.token);
        let request = request.header("content-type", "application/json").header("origin", self.server.origin());
        frames_of(request.body(frames.to_string()).send().await.unwrap()).await
    }

    async fn poll(&self, after: &str) -> Vec<Value> {
        frames_of(self.get(&format!("poll?wait=1&after={after}")).await).await.1
    }
}

async fn frames_of(response: Response) -> (u16, Vec<Value>) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["cache-control"], "no-store");
    let told: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let frames = told["frames"].as_array().unwrap().clone();
    for frame in &frames {
        schema::must_be("server", frame);
    }
    (status, frames)
}

/// The frames of a stream of events.
struct Stream {
    response: Response,
    rest: String,
}

impl Stream {
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((block, rest)) = self.rest.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.rest = rest;
                let event = block.lines().find_map(|line| line.strip_prefix("event: ")).unwrap_or_default().to_owned();
                match block.lines().find_map(|line| line.strip_prefix("data: ")) {
                    Some(data) => return Some((event, serde_json::from_str(data).unwrap())),
                    None => continue,
                }
            }
            let piece = self.response.chunk().await.unwrap()?;
            self.rest.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    async fn frame(&mut self) -> Value {
        let (event, frame) = self.next().await.unwrap();
        assert_eq!(event, "");
        schema::must_be("server", &frame);
        frame
    }
}

#[tokio::test]
async fn a_whole_talk_by_posts_and_a_stream() {
    let server = Server::start(json!({})).await;
    let caller = Caller { server: &server, http: plain(), token: token(1) };
    let (status, frames) = caller.post(&json!({"type": "hello", "v": 1, "lang": "en"})).await;
    assert_eq!((status, frames[0]["type"].as_str()), (200, Some("welcome")));
    let response = caller.get("events?lang=en").await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let mut stream = Stream { response, rest: String::new() };
    assert_eq!(stream.frame().await["type"], "welcome");
    let (status, frames) = caller.post(&json!({"type": "msg", "cid": cid(1), "text": "Hello?"})).await;
    let ack = &frames[0];
    assert_eq!((status, &ack["type"], &ack["seq"]), (200, &json!("ack"), &json!(1)));
    assert_eq!(stream.frame().await["type"], "conv");
    for seq in [1, 2] {
        let event = stream.frame().await;
        assert_eq!((&event["type"], &event["seq"], &event["conv"]), (&json!("event"), &json!(seq), &ack["conv"]));
    }
    server.core.agent(ack["ticket"].as_str().unwrap(), "reply", "Here I am");
    assert_eq!(stream.frame().await["text"], "Here I am");
    drop(stream);
    server.core.agent(ack["ticket"].as_str().unwrap(), "reply", "Are you there?");
    let path = format!("events?after={}:3", ack["conv"].as_str().unwrap());
    let mut stream = Stream { response: caller.get(&path).await, rest: String::new() };
    assert_eq!(stream.frame().await["convs"][0]["last_seq"], 4);
    assert_eq!(stream.frame().await["text"], "Are you there?");
    server.stop.cancel();
    assert_eq!(stream.next().await, Some(("close".to_owned(), json!({"code": 1012}))));
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_whole_talk_by_posts_and_polls() {
    let server = Server::start(json!({})).await;
    let caller = Caller { server: &server, http: plain(), token: token(1) };
    assert!(caller.poll("").await.is_empty());
    let (_, frames) = caller.post(&json!([{"type": "msg", "cid": cid(1), "text": "Hello?"}])).await;
    let conv = frames[0]["conv"].as_str().unwrap().to_owned();
    let welcome = caller.poll("").await;
    assert_eq!((welcome.len(), &welcome[0]["convs"][0]["conv"]), (1, &json!(conv)));
    let told = caller.poll(&format!("{conv}:0")).await;
    assert_eq!(told.iter().map(|event| event["seq"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    let ticket = frames[0]["ticket"].as_str().unwrap().to_owned();
    let after = format!("{conv}:2");
    let waiting = caller.poll(&after);
    let answering = async { server.core.agent(&ticket, "reply", "Here I am") };
    let (told, ()) = tokio::join!(waiting, answering);
    assert_eq!(told[0]["text"], "Here I am");
    assert!(caller.poll(&format!("{conv}:3")).await.is_empty());
}

#[tokio::test]
async fn the_status_of_many_frames_is_that_of_the_worst_and_each_has_its_answer() {
    let server = Server::start(json!({})).await;
    let caller = Caller { server: &server, http: plain(), token: token(1) };
    let frames = json!([
        {"type": "msg", "cid": cid(1), "text": "one"},
        {"type": "dance"},
        {"type": "msg", "cid": cid(2), "text": ""},
        {"type": "ping", "t": 4},
    ]);
    let (status, told) = caller.post(&frames).await;
    assert_eq!(status, 422);
    let said: Vec<_> = told.iter().map(|frame| frame["code"].as_str().or(frame["type"].as_str()).unwrap()).collect();
    assert_eq!(said, ["ack", "unknown_type", "empty", "pong"]);
    server.core.desk.busy.store(1, std::sync::atomic::Ordering::Release);
    let request = caller.http.post(server.url("frames")).bearer_auth(token(1));
    let frames =
        json!([{"type": "msg", "cid": cid(3), "text": "two"}, {"type": "msg", "cid": cid(4), "text": "three"}]);
    let response = request.body(frames.to_string()).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "1");
    let (status, told) = frames_of(response).await;
    assert_eq!((status, &told[0]["code"], &told[1]["type"]), (503, &json!("busy"), &json!("ack")));
}

#[tokio::test]
async fn a_browser_on_a_listed_site_may_ask_and_is_told_so() {
    let server = Server::start(json!({"origins": ["https://shop.example"]})).await;
    let request = plain().request("OPTIONS".parse().unwrap(), server.url("frames"));
    let request = request.header("origin", "https://shop.example").header("access-control-request-method", "POST");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 204);
    assert_eq!(response.headers()["access-control-allow-origin"], "https://shop.example");
    assert_eq!(response.headers()["access-control-allow-headers"], "authorization, content-type, guichet-identity");
    assert!(response.headers().get("access-control-allow-credentials").is_none());
}

#[tokio::test]
async fn what_is_fetched_before_anybody_talks_stores_nothing() {
    let settings = json!({
        "email": "help@example.org",
        "privacy_url": "https://shop.example/privacy",
        "texts": {"en": {"title": "Help"}, "fr": {"title": "Aide <3"}},
        "form": [{"name": "topic", "type": "choice", "options": ["A", "B"], "label": {"fr": "Sujet"}}],
    });
    let server = Server::start(settings).await;
    server.core.desk_closes();
    let response = plain().get(server.url("config?lang=fr")).send().await.unwrap();
    let config: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(config["texts"]["title"], "Aide <3");
    assert_eq!(
        config["form"][0],
        json!({"name": "topic", "type": "choice", "required": false, "options": ["A", "B"], "label": "Sujet"})
    );
    assert_eq!((&config["desk"]["open"], &config["desk"]["tz"]), (&json!(false), &json!("Europe/Paris")));
    assert_eq!(config["identity"], "off");
    let page = plain().get(server.url("")).header("accept-language", "fr").send().await.unwrap();
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'self'"));
    let page = page.text().await.unwrap();
    assert!(page.contains("<title>Aide &lt;3</title>") && page.contains("lang=\"fr\""), "{page}");
    assert!(page.contains("/in/site/widget/loader.js") && page.contains("help@example.org"), "{page}");
    assert!(!page.contains("{{"), "{page}");
    let loader = plain().get(server.url("widget/loader.js")).send().await.unwrap();
    let etag = loader.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(loader.headers()["access-control-allow-origin"], "*");
    let again = plain().get(server.url("widget/loader.js")).header("if-none-match", etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(plain().get(server.url("widget/../settings.rs")).send().await.unwrap().status(), 404);
    assert_eq!(server.core.tickets(), 0);
}
