//! Renewals against a token endpoint that answers what the test tells it to.

use std::collections::VecDeque;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

use super::*;

/// A token endpoint on this machine.
#[derive(Clone)]
struct Endpoint {
    url: String,
    asked: Arc<watch::Sender<Vec<String>>>,
    answers: Arc<Mutex<VecDeque<(&'static str, String)>>>,
    /// Answers wait for this where it is set.
    gate: Option<Arc<Notify>>,
}

impl Endpoint {
    async fn answering<const N: usize>(answers: [(&'static str, &str); N]) -> Self {
        Self::gated(answers, None).await
    }

    async fn gated<const N: usize>(answers: [(&'static str, &str); N], gate: Option<Arc<Notify>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let answers = answers.map(|(status, body)| (status, body.to_owned()));
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let endpoint = Self { url, asked: Arc::new(watch::Sender::new(Vec::new())), answers, gate };
        let serving = endpoint.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.answer(stream).await;
            }
        });
        endpoint
    }

    async fn answer(&self, mut stream: TcpStream) {
        let mut request = String::new();
        let body = loop {
            let mut block = [0; 4096];
            let read = stream.read(&mut block).await.unwrap();
            request.push_str(std::str::from_utf8(&block[..read]).unwrap());
            let Some((head, body)) = request.split_once("\r\n\r\n") else { continue };
            let length = head.to_lowercase().split_once("content-length: ").map(|(_, tail)| tail.to_owned()).unwrap();
            if body.len() >= length.lines().next().unwrap().parse::<usize>().unwrap() {
                break body.to_owned();
            }
        };
        self.asked.send_modify(|asked| asked.push(body));
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        let (status, body) = self.answers.lock().unwrap().pop_front().unwrap_or(("500 Out of answers", String::new()));
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }

    fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }

    fn grant(&self, refresh_token: &str) -> Grant {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let tls = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
        Grant {
            token_url: self.url.clone(),
            client_id: "guichet".into(),
            client_secret: Some("hush".into()),
            refresh_token: refresh_token.into(),
            scope: None,
            refresh_expires_at: None,
            tls: Arc::new(tls),
        }
    }

    fn renewing(&self, refresh_token: &str, store: &Shelf) -> Renewing {
        Renewing::new(self.grant(refresh_token), Box::new(store.clone())).unwrap()
    }
}

/// A store in memory.
#[derive(Clone, Default)]
struct Shelf {
    text: Arc<watch::Sender<Option<String>>>,
    full: Arc<Mutex<bool>>,
}

#[async_trait]
impl TokenStore for Shelf {
    async fn load(&self) -> Result<Option<String>, String> {
        Ok(self.text.borrow().clone())
    }

    async fn save(&self, text: &str) -> Result<(), String> {
        if *self.full.lock().unwrap() {
            return Err("no space left".into());
        }
        self.text.send_replace(Some(text.to_owned()));
        Ok(())
    }
}

async fn later(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_again_shortly_before_it_ends() {
    let answers = [
        ("200 OK", r#"{"access_token":"a1","expires_in":3600}"#),
        ("200 OK", r#"{"access_token":"a2","expires_in":"3600"}"#),
    ];
    let endpoint = Endpoint::answering(answers).await;
    let mut grant = endpoint.grant("r1");
    grant.scope = Some("imap smtp".into());
    let tokens = Renewing::new(grant, Box::new(Shelf::default())).unwrap();
    assert_eq!(tokens.current().await.unwrap(), "a1");
    later(3500).await;
    assert_eq!(tokens.current().await.unwrap(), "a1");
    later(45).await;
    assert_eq!(tokens.current().await.unwrap(), "a2");
    let form = "grant_type=refresh_token&refresh_token=r1&client_id=guichet&client_secret=hush&scope=imap+smtp";
    assert_eq!(endpoint.asked(), [form, form]);
}

#[tokio::test]
async fn however_many_ask_there_is_one_renewal() {
    let endpoint = Endpoint::answering([("200 OK", r#"{"access_token":"a1","expires_in":3600}"#)]).await;
    let tokens = endpoint.renewing("r1", &Shelf::default());
    let all = futures_util::future::join_all((0..50).map(|_| tokens.current())).await;
    assert!(all.iter().all(|token| token.as_deref() == Ok("a1")));
    assert_eq!(endpoint.asked().len(), 1);
}

#[tokio::test]
async fn a_new_refresh_token_is_kept_and_used_also_after_a_restart() {
    let answers = [
        ("200 OK", r#"{"access_token":"a1","refresh_token":"r2","expires_in":3600}"#),
        ("200 OK", r#"{"access_token":"a2","refresh_token":"r3","expires_in":3600}"#),
        ("200 OK", r#"{"access_token":"a3","expires_in":3600}"#),
        ("200 OK", r#"{"access_token":"a4","expires_in":3600}"#),
    ];
    let (endpoint, shelf) = (Endpoint::answering(answers).await, Shelf::default());
    let tokens = endpoint.renewing("r1", &shelf);
    tokens.current().await.unwrap();
    tokens.refused("a1");
    tokens.current().await.unwrap();
    endpoint.renewing("r1", &shelf).current().await.unwrap();
    endpoint.renewing("authorised-anew", &shelf).current().await.unwrap();
    for (form, token) in endpoint.asked().iter().zip(["r1", "r2", "r3", "authorised-anew"]) {
        assert!(form.contains(&format!("refresh_token={token}&")), "{form}");
    }
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_lose_the_new_refresh_token() {
    let gate = Arc::new(Notify::new());
    let answer = [("200 OK", r#"{"access_token":"a1","refresh_token":"r2","expires_in":3600}"#)];
    let (endpoint, shelf) = (Endpoint::gated(answer, Some(gate.clone())).await, Shelf::default());
    let tokens = endpoint.renewing("r1", &shelf);
    {
        let mut asked = endpoint.asked.subscribe();
        tokio::select! {
            _ = tokens.current() => panic!("the endpoint has not answered yet"),
            _ = asked.wait_for(|asked| asked.len() == 1) => {}
        }
    }
    gate.notify_one();
    shelf.text.subscribe().wait_for(|text| text.as_deref().is_some_and(|text| text.contains("r2"))).await.unwrap();
    assert_eq!(tokens.current().await.unwrap(), "a1");
}

#[tokio::test]
async fn a_refresh_token_that_cannot_be_stored_is_stored_before_the_next_renewal() {
    let answers = [
        ("200 OK", r#"{"access_token":"a1","refresh_token":"r2","expires_in":3600}"#),
        ("200 OK", r#"{"access_token":"a2","expires_in":3600}"#),
    ];
    let (endpoint, shelf) = (Endpoint::answering(answers).await, Shelf::default());
    *shelf.full.lock().unwrap() = true;
    let tokens = endpoint.renewing("r1", &shelf);
    assert_eq!(tokens.current().await.unwrap(), "a1");
    *shelf.full.lock().unwrap() = false;
    tokens.refused("a1");
    assert_eq!(tokens.current().await.unwrap(), "a2");
    assert!(shelf.text.borrow().as_deref().unwrap().contains("r2"));
}

#[tokio::test]
async fn an_authorisation_that_ended_is_lasting_says_what_to_do_and_is_not_asked_about_again_and_again() {
    let answer = r#"{"error":"invalid_grant","error_description":"AADSTS700082: the token has expired"}"#;
    let endpoint = Endpoint::answering([("400 Bad Request", answer)]).await;
    let tokens = endpoint.renewing("r1-secret", &Shelf::default());
    let fault = tokens.current().await.unwrap_err();
    assert!(matches!(fault, OAuthFault::Lasting { .. }));
    let words = fault.to_string();
    assert!(words.contains("invalid_grant AADSTS700082") && words.contains("run `guichet check`"), "{words}");
    assert!(!words.contains("r1-secret") && !words.contains("hush"), "{words}");
    assert_eq!(tokens.current().await.unwrap_err(), fault);
    assert_eq!(endpoint.asked().len(), 1);
}

#[tokio::test]
async fn secrets_an_endpoint_repeats_do_not_get_into_the_fault() {
    let answer = r#"{"error":"invalid_client","error_description":"bad secret hush for r1-secret"}"#;
    let endpoint = Endpoint::answering([("401 Unauthorized", answer)]).await;
    let words = endpoint.renewing("r1-secret", &Shelf::default()).current().await.unwrap_err().to_string();
    assert!(words.contains("invalid_client; check client id"), "{words}");
}

#[tokio::test]
async fn a_provider_out_of_order_is_passing_and_left_alone_as_long_as_it_asks() {
    let answers =
        [("503 Unavailable\r\nretry-after: 120", "sorry"), ("200 OK", r#"{"access_token":"a1","expires_in":3600}"#)];
    let endpoint = Endpoint::answering(answers).await;
    let tokens = endpoint.renewing("r1", &Shelf::default());
    let fault = tokens.current().await.unwrap_err();
    assert!(matches!(fault, OAuthFault::Passing { retry_after: Some(wait), .. } if wait.as_secs() == 120), "{fault:?}");
    later(119).await;
    tokens.current().await.unwrap_err();
    later(2).await;
    assert_eq!(tokens.current().await.unwrap(), "a1");
    assert_eq!(endpoint.asked().len(), 2);
}

#[tokio::test]
async fn no_network_and_nonsense_are_passing() {
    let endpoint =
        Endpoint::answering([("200 OK", "<html>captive portal</html>"), ("302 Found\r\nlocation: http://x.test/", "")])
            .await;
    for _ in 0..2 {
        let tokens = endpoint.renewing("r1", &Shelf::default());
        assert!(matches!(tokens.current().await, Err(OAuthFault::Passing { .. })));
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut grant = endpoint.grant("r1");
    grant.token_url = format!("http://{closed}/token?key=private");
    let tokens = Renewing::new(grant, Box::new(Shelf::default())).unwrap();
    let fault = tokens.current().await.unwrap_err();
    assert!(matches!(fault, OAuthFault::Passing { .. }) && !fault.to_string().contains("private"), "{fault}");
}

#[tokio::test]
async fn a_refresh_token_another_node_renewed_meanwhile_is_taken_up() {
    let answers = [
        ("200 OK", r#"{"access_token":"a1","refresh_token":"r2","expires_in":3600}"#),
        ("200 OK", r#"{"access_token":"b1","refresh_token":"r3","expires_in":3600}"#),
        ("400 Bad Request", r#"{"error":"invalid_grant"}"#),
        ("200 OK", r#"{"access_token":"a2","expires_in":3600}"#),
    ];
    let (endpoint, shelf) = (Endpoint::answering(answers).await, Shelf::default());
    let here = endpoint.renewing("r1", &shelf);
    here.current().await.unwrap();
    endpoint.renewing("r1", &shelf).current().await.unwrap();
    here.refused("a1");
    assert_eq!(here.current().await.unwrap(), "a2");
    let tokens: Vec<bool> = endpoint.asked()[2..].iter().map(|form| form.contains("refresh_token=r3&")).collect();
    assert_eq!(tokens, [false, true]);
}

#[tokio::test]
async fn a_token_refused_late_does_not_end_the_one_after_it() {
    let answers = [
        ("200 OK", r#"{"access_token":"a1","expires_in":3600}"#),
        ("200 OK", r#"{"access_token":"a2","expires_in":3600}"#),
    ];
    let endpoint = Endpoint::answering(answers).await;
    let tokens = endpoint.renewing("r1", &Shelf::default());
    tokens.current().await.unwrap();
    tokens.refused("a1");
    assert_eq!(tokens.current().await.unwrap(), "a2");
    tokens.refused("a1");
    assert_eq!(tokens.current().await.unwrap(), "a2");
}

#[tokio::test]
async fn the_refresh_token_travels_protected_or_not_at_all() {
    let endpoint = Endpoint::answering([]).await;
    for url in ["http://login.example/token", "ftp://localhost/", "login.example", ""] {
        let grant = Grant { token_url: url.into(), ..endpoint.grant("r1") };
        let fault = Renewing::new(grant, Box::new(Shelf::default())).err().unwrap();
        assert!(fault.to_string().contains("set token_url to the provider's https address"), "{fault}");
    }
}

#[tokio::test]
async fn the_end_of_the_authorisation_is_announced_two_weeks_ahead() {
    let endpoint = Endpoint::answering([]).await;
    let end = Moment::from_secs(1_795_340_045);
    let grant = Grant { refresh_expires_at: Some(end), ..endpoint.grant("r1") };
    let tokens = Renewing::new(grant, Box::new(Shelf::default())).unwrap();
    let days = |count: u64| Duration::from_secs(count * 86_400);
    assert_eq!(tokens.warning(end - days(15)), None);
    let soon = tokens.warning(end - days(13)).unwrap();
    assert!(soon.contains("ends at 2026-11-22T09:34:05Z") && soon.contains("get a new refresh token"), "{soon}");
    assert!(tokens.warning(end + days(1)).unwrap().contains("ended at"));
    assert_eq!(endpoint.renewing("r1", &Shelf::default()).warning(end), None);
}
