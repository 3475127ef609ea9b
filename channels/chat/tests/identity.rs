//! People somebody vouches for.

use data_encoding::BASE64URL_NOPAD;
use guichet_domain::inbound::{Content, Trust};
use ring::hmac;
use serde_json::{Value, json};

use crate::server::{Client, Server, cid, token};

const SECRET: &str = "a-secret-of-the-site-with-32-bytes";
/// The desk's clock in these tests.
const NOW: i64 = 1_795_424_400;

fn jwt(claims: &Value) -> String {
    let part = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    let text = format!("{}.{}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    format!("{text}.{}", BASE64URL_NOPAD.encode(hmac::sign(&key, text.as_bytes()).as_ref()))
}

fn ines() -> String {
    jwt(&json!({"sub": "u1", "exp": NOW + 3600, "name": "Ines Canary", "email": "ines@example.org"}))
}

async fn start(mode: &str) -> (Server, tempfile::NamedTempFile) {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), SECRET).unwrap();
    (Server::start(json!({"identity": mode, "identity_secret_file": secret.path()})).await, secret)
}

async fn hello(server: &Server, token: &str, identity: Option<&str>) -> (Client, Value) {
    let mut client = server.connect().await;
    client.send(json!({"type": "hello", "v": 1, "token": token, "identity": identity})).await;
    let told = client.next().await;
    (client, told)
}

#[tokio::test]
async fn a_verified_person_finds_their_conversations_on_every_device() {
    let (server, _secret) = start("optional").await;
    let (mut phone, welcome) = hello(&server, &token(1), Some(&ines())).await;
    assert_eq!(welcome["verified"], true);
    let ack = phone.says(&cid(1), None, "Hello?").await;
    let (mut desk, welcome) = hello(&server, &token(2), Some(&ines())).await;
    assert_eq!(welcome["convs"][0]["conv"], ack["conv"]);
    let answer = desk.says(&cid(2), ack["conv"].as_str(), "It is me again").await;
    assert_eq!(answer["ticket"], ack["ticket"]);
    while phone.next_of("event").await["text"] != "It is me again" {}
    let Content::Read(item) = &server.core.taken()[0].content else { panic!("unreadable") };
    assert_eq!(item.trust, Trust::Verified(guichet_domain::reason::Reason::of("chat.identity")));
    assert_eq!(item.contact.as_ref().map(|contact| contact.verified), Some(true));
    assert!(item.from.as_ref().unwrap().address.starts_with("chat:sub-"));
    let other = jwt(&json!({"sub": "u2", "exp": NOW + 3600}));
    let (_, welcome) = hello(&server, &token(3), Some(&other)).await;
    assert_eq!(welcome["convs"], json!([]));
}

#[tokio::test]
async fn what_somebody_types_never_joins_a_verified_person() {
    let (server, _secret) = start("optional").await;
    let (mut known, _) = hello(&server, &token(1), Some(&ines())).await;
    known.says(&cid(1), None, "Hello?").await;
    let (mut mallory, welcome) = hello(&server, &token(2), None).await;
    assert_eq!((&welcome["verified"], &welcome["convs"]), (&json!(false), &json!([])));
    let form = json!({"name": "Ines Canary", "email": "ines@example.org"});
    mallory.send(json!({"type": "msg", "cid": cid(1), "text": "I am Ines", "form": form})).await;
    mallory.next_of("ack").await;
    let taken = server.core.taken();
    let parts = |at: usize| {
        let Content::Read(item) = &taken[at].content else { panic!("unreadable") };
        (item.from.clone().unwrap().key(), item.trust.clone(), item.contact.clone().map(|contact| contact.verified))
    };
    assert_ne!(parts(0).0, parts(1).0);
    assert_eq!((parts(1).1, parts(1).2), (Trust::Unverified, Some(false)));
}

#[tokio::test]
async fn whoever_logs_in_keeps_what_was_said_and_one_session_is_one_person() {
    let (server, _secret) = start("optional").await;
    let (mut client, _) = hello(&server, &token(1), None).await;
    let before = client.says(&cid(1), None, "Who am I?").await;
    client.send(json!({"type": "identify", "jwt": ines()})).await;
    let welcome = client.next_of("welcome").await;
    assert_eq!((&welcome["verified"], welcome["convs"].as_array().unwrap().len()), (&json!(true), 1));
    let after = client.says(&cid(2), None, "I am Ines").await;
    assert_ne!(after["conv"], before["conv"]);
    client.says(&cid(3), before["conv"].as_str(), "and was not").await;
    let taken = server.core.taken();
    let trusts: Vec<bool> = taken
        .iter()
        .map(|inbound| matches!(&inbound.content, Content::Read(item) if matches!(item.trust, Trust::Verified(_))))
        .collect();
    assert_eq!(trusts, [false, true, false]);
    client.send(json!({"type": "identify", "jwt": jwt(&json!({"sub": "u2", "exp": NOW + 60}))})).await;
    assert_eq!(client.next_of("error").await["code"], "session_unknown");
    assert_eq!(client.closed().await, Some(4001));
}

#[tokio::test]
async fn where_an_identity_is_required_nobody_talks_without() {
    let (server, _secret) = start("required").await;
    let (mut client, told) = hello(&server, &token(1), None).await;
    assert_eq!((&told["code"], client.closed().await), (&json!("identity_required"), Some(4003)));
    for wrong in ["x", &jwt(&json!({"sub": "u1", "exp": NOW - 120})), &ines()[..ines().len() - 2]] {
        let (mut client, told) = hello(&server, &token(1), Some(wrong)).await;
        assert_eq!((&told["code"], client.closed().await), (&json!("identity_invalid"), Some(4003)));
    }
    let frames = json!({"type": "msg", "cid": cid(1), "text": "x"}).to_string();
    let post = || crate::http::plain().post(server.url("frames")).bearer_auth(token(1)).body(frames.clone());
    assert_eq!(post().send().await.unwrap().status(), 401);
    let known = post().header("guichet-identity", ines()).send().await.unwrap();
    assert_eq!(known.status(), 200);
    let poll = crate::http::plain().get(server.url("poll?wait=0")).bearer_auth(token(1)).send().await.unwrap();
    assert_eq!(poll.status(), 401);
    assert_eq!(server.core.tickets(), 1);
}

#[tokio::test]
async fn logging_out_closes_every_tab() {
    let server = Server::start(json!({})).await;
    let (mut one, mut other) = (server.visitor(&token(1)).await, server.visitor(&token(1)).await);
    let mut stranger = server.visitor(&token(2)).await;
    one.send(json!({"type": "logout"})).await;
    assert_eq!((one.closed().await, other.closed().await), (Some(4001), Some(4001)));
    stranger.send(json!({"type": "ping"})).await;
    assert_eq!(stranger.next().await["type"], "pong");
}
