//! Who may do what.

use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use serde_json::json;

use super::rig::Desk;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn without_a_valid_token_nothing_is_told() {
    let desk = Desk::open().await;
    let stranger = desk.stranger();
    let answer = stranger.get("/api/v1/tickets").await;
    assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"guichet\"");
    let problem = answer.refused(401, "unauthenticated");
    assert!(problem["remedy"].as_str().unwrap().contains("guichet agent token"), "{problem}");
    desk.bearer("gct_guess").get("/api/v1/tickets").await.refused(401, "unauthenticated");
    let basic = [("authorization", "Basic YTpi")];
    stranger.send(Method::GET, "/api/v1/tickets", &basic, Body::empty()).await.refused(401, "unauthenticated");
    // Neither who is missing nor what is missing can be told apart from outside.
    stranger.get("/api/v1/tickets/GT-000-000-0000").await.refused(401, "unauthenticated");
    stranger.post("/api/v1/agents", &json!({"name": "eve", "role": "admin"})).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn the_operators_name_is_believed_on_the_local_socket_alone() {
    let desk = Desk::open().await;
    let header = [("guichet-agent", "claire")];
    desk.stranger().send(Method::GET, "/api/v1/tickets", &header, Body::empty()).await.refused(401, "unauthenticated");
    let reference = desk.mail("jean@client.test", "Printer", "Jammed.").await;
    let path = format!("/api/v1/tickets/{reference}/messages");
    let note = json!({"kind": "note", "text": "Seen."});
    desk.operator().json(Method::POST, &path, &header, &note).await.is(201);
    let told = desk.operator().ticket(&reference).await;
    assert_eq!(told["timeline"].as_array().unwrap().last().unwrap()["author"]["name"], "claire");
}

#[tokio::test]
async fn a_token_lives_a_year_unless_less_is_asked_for() {
    let desk = Desk::open().await;
    let claire = desk.agent("claire", "work").await;
    desk.later(DAY * 364);
    claire.get("/api/v1/tickets").await.is(200);
    desk.later(DAY);
    claire.get("/api/v1/tickets").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn each_scope_opens_what_it_says_and_no_more() {
    let desk = Desk::open().await;
    let reader = desk.agent("reader", "read").await;
    let worker = desk.agent("worker", "work").await;
    let lead = desk.agent("lead", "lead").await;
    let admin = desk.agent("admin", "admin").await;
    let reference = desk.mail("jean@client.test", "Printer", "Jammed.").await;
    let agent = json!({"name": "new", "role": "read"});

    reader.get("/api/v1/tickets").await.is(200);
    let problem = reader.note(&reference, "x").await.refused(403, "forbidden");
    assert_eq!(problem["detail"], "the token has scope read, this needs work");
    worker.note(&reference, "x").await.is(201);
    worker.get("/api/v1/reconciliation").await.refused(403, "forbidden");
    lead.get("/api/v1/reconciliation").await.is(200);
    lead.post("/api/v1/agents", &agent).await.refused(403, "forbidden");
    admin.post("/api/v1/agents", &agent).await.is(201);
}

#[tokio::test]
async fn a_token_ends_with_its_time_its_revocation_or_its_agent() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    desk.agent("amelie", "work").await;
    let token = json!({"name": "script", "days": 30});
    let made = operator.post("/api/v1/agents/amelie/tokens", &token).await.is(201);
    let script = desk.bearer(made["secret"].as_str().unwrap());
    script.get("/api/v1/tickets").await.is(200);
    desk.later(DAY * 30);
    script.get("/api/v1/tickets").await.refused(401, "unauthenticated");

    let made = operator.post("/api/v1/agents/amelie/tokens", &token).await.is(201);
    let script = desk.bearer(made["secret"].as_str().unwrap());
    let id = made["token"]["id"].as_str().unwrap();
    script.get("/api/v1/tickets").await.is(200);
    let path = format!("/api/v1/agents/amelie/tokens/{id}");
    operator.send(Method::DELETE, &path, &[], Body::empty()).await.is(200);
    script.get("/api/v1/tickets").await.refused(401, "unauthenticated");

    let bruno = desk.agent("bruno", "work").await;
    operator.patch("/api/v1/agents/bruno", &json!({"disabled": true})).await.is(200);
    bruno.get("/api/v1/tickets").await.refused(401, "unauthenticated");
    operator.patch("/api/v1/agents/bruno", &json!({"disabled": false})).await.is(200);
    bruno.get("/api/v1/tickets").await.is(200);
}

#[tokio::test]
async fn a_token_never_does_more_than_its_agent_may() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    let lead = desk.agent("lena", "lead").await;
    let token = json!({"name": "script", "scope": "admin"});
    operator.post("/api/v1/agents/lena/tokens", &token).await.refused(422, "invalid");
    operator.patch("/api/v1/agents/lena", &json!({"role": "read"})).await.is(200);
    let problem = lead.get("/api/v1/reconciliation").await.refused(403, "forbidden");
    assert_eq!(problem["detail"], "the token has scope read, this needs lead");
}

#[tokio::test]
async fn a_secret_is_shown_once_and_kept_nowhere() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    operator.post("/api/v1/agents", &json!({"name": "amelie", "role": "work"})).await.is(201);
    let made = operator.post("/api/v1/agents/amelie/tokens", &json!({"name": "phone"})).await.is(201);
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("gct_") && secret.len() > 40, "{secret}");
    let listed = operator.get("/api/v1/agents/amelie/tokens").await;
    assert!(!String::from_utf8_lossy(&listed.bytes).contains(secret));
    let database = std::fs::read(desk.kernel.state.database()).unwrap();
    let wal = std::fs::read(desk.kernel.state.database().with_extension("db-wal")).unwrap_or_default();
    let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!holds(&database) && !holds(&wal));
}
