//! The OpenAPI document says what is served, and what is served is in it.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

use super::rig::{Answer, Desk, mail};
use super::schema::broken;

async fn document(desk: &Desk) -> Value {
    desk.stranger().get("/api/v1/openapi.json").await.is(200)
}

/// The methods the document has for a path.
fn methods(path: &Value) -> BTreeSet<String> {
    let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
    methods.into_iter().filter(|method| path.get(method).is_some()).map(str::to_uppercase).collect()
}

/// A path with something in place of what varies.
fn filled(path: &str) -> String {
    let part = |part: &str| match part {
        "{reference}" => "GT-482-109-3753".to_owned(),
        "{position}" => "0".to_owned(),
        "{message}" | "{item}" | "{delivery}" => "00000000-0000-7000-8000-000000000001".to_owned(),
        other if other.starts_with('{') => "nobody".to_owned(),
        other => other.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_operation_of_the_document_is_served_and_no_other_at_its_address() {
    let desk = Desk::open().await;
    let document = document(&desk).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 20, "{:?}", paths.keys().collect::<Vec<_>>());
    for (path, item) in paths {
        let at = filled(path);
        let documented = methods(item);
        for method in &documented {
            let answer = desk.operator().send(method.parse().unwrap(), &at, &[], Body::empty()).await;
            let detail = answer.body["detail"].as_str().unwrap_or_default();
            assert_ne!(detail, "nothing is at this address", "{method} {path}");
            assert_ne!(answer.status, 405, "{method} {path}");
        }
        let refused = desk.operator().send(Method::TRACE, &at, &[], Body::empty()).await;
        let allow = refused.headers["allow"].to_str().unwrap();
        let mut served: BTreeSet<String> = allow.split(',').map(str::to_owned).collect();
        // Whoever may GET may ask for the head alone.
        if documented.contains("GET") {
            served.remove("HEAD");
        }
        assert_eq!(served, documented, "{path}");
    }
}

/// Routes are added through the list that makes the document, never beside it.
#[test]
fn nothing_is_routed_beside_the_document() {
    let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/http")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // Pages for people are no operations.
                if !path.ends_with("status") {
                    folders.push(path);
                }
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for beside in [".route(", ".route_service("] {
                // But for what is answered where no source is.
                let text = text.replace("router.route(\"/in/{source}/{*rest}\"", "");
                assert!(!text.contains(beside), "{}: {beside}", path.display());
            }
        }
    }
}

#[tokio::test]
async fn every_operation_names_its_refusals_and_who_may() {
    let desk = Desk::open().await;
    let document = document(&desk).await;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in methods(item) {
            let operation = &item[method.to_lowercase()];
            assert!(operation["summary"].is_string() || operation["description"].is_string(), "{method} {path}");
            if !path.starts_with("/api/v1/") || path.ends_with("openapi.json") {
                assert_eq!(operation["security"], json!([{}]), "{method} {path}");
                continue;
            }
            let problem = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(problem, "#/components/schemas/Problem", "{method} {path}");
            assert!(operation.get("security").is_none(), "{method} {path}");
        }
    }
    assert_eq!(document["security"], json!([{"token": []}]));
}

/// Asserts that an answer is what the document promises for it.
#[track_caller]
fn as_promised(document: &Value, method: &str, path: &str, answer: Answer) -> Value {
    let responses = &document["paths"][path][method]["responses"];
    let status = answer.status.as_str();
    let media_type = answer.headers["content-type"].to_str().unwrap();
    let response = responses.get(status).unwrap_or(&responses["default"]);
    let schema = &response["content"][media_type]["schema"];
    let found = broken(document, schema, &answer.body, "$");
    assert!(found.is_empty(), "{method} {path} {status}: {found:#?}\n{:#}", answer.body);
    answer.body
}

#[tokio::test]
async fn what_is_answered_is_what_the_document_promises() {
    let desk = Desk::with("[desk]\nblocked = [\"@shop.test\"]\n").await;
    let document = document(&desk).await;
    let operator = desk.operator();
    let check = |method: &str, path: &str, answer: Answer| as_promised(&document, method, path, answer);

    let letter = mail("Jean <jean@client.test>", "Printer jammed", "The printer is jammed.");
    check("post", "/api/v1/simulate", operator.post_raw("/api/v1/simulate?source=local", &letter).await);
    let receipt = check("post", "/api/v1/inject", desk.hand_in(&letter).await);
    let reference = receipt["reference"].as_str().unwrap().to_owned();
    let new = json!({"subject": "x", "text": "y", "requester": {"address": "anne@client.test", "name": null}});
    check("post", "/api/v1/tickets", operator.post("/api/v1/tickets", &new).await);
    check("post", "/api/v1/tickets", operator.post("/api/v1/tickets", &json!({})).await);
    check("get", "/api/v1/tickets", operator.get("/api/v1/tickets?limit=1").await);
    check("post", "/api/v1/tickets/{reference}/messages", operator.reply(&reference, "Open tray 2.").await);
    let close = json!({"action": "close"});
    check("post", "/api/v1/tickets/{reference}/transitions", operator.does(&reference, &close).await);
    let late = json!({"action": "reopen", "version": 1});
    check("post", "/api/v1/tickets/{reference}/transitions", operator.does(&reference, &late).await);
    let at = format!("/api/v1/tickets/{reference}");
    let told = check("get", "/api/v1/tickets/{reference}", operator.get(&at).await);
    check("get", "/api/v1/tickets/{reference}/explanation", operator.get(&format!("{at}/explanation")).await);

    let row = told["deliveries"][0]["id"].as_str().unwrap();
    check("get", "/api/v1/outbox", operator.get("/api/v1/outbox").await);
    check("get", "/api/v1/outbox/{delivery}", operator.get(&format!("/api/v1/outbox/{row}")).await);
    let cancelled = operator.post(&format!("/api/v1/outbox/{row}/cancel"), &json!({})).await;
    check("post", "/api/v1/outbox/{delivery}/cancel", cancelled);

    desk.hand_in(&mail("ad@shop.test", "Offer", "Buy now.")).await.is(201);
    let page = check("get", "/api/v1/quarantine", operator.get("/api/v1/quarantine").await);
    let item = page["items"][0]["id"].as_str().unwrap();
    check("get", "/api/v1/quarantine/{item}", operator.get(&format!("/api/v1/quarantine/{item}")).await);
    let released = operator.post(&format!("/api/v1/quarantine/{item}/release"), &json!({})).await;
    check("post", "/api/v1/quarantine/{item}/release", released);

    let agent = json!({"name": "amelie", "role": "work"});
    check("post", "/api/v1/agents", operator.post("/api/v1/agents", &agent).await);
    check("get", "/api/v1/agents", operator.get("/api/v1/agents").await);
    let token = operator.post("/api/v1/agents/amelie/tokens", &json!({"name": "x"})).await;
    check("post", "/api/v1/agents/{agent}/tokens", token);
    check("get", "/api/v1/agents/{agent}/tokens", operator.get("/api/v1/agents/amelie/tokens").await);
    check("get", "/api/v1/reconciliation", operator.get("/api/v1/reconciliation").await);
    check("get", "/api/v1/sources", operator.get("/api/v1/sources").await);
    check("get", "/health/ready", operator.get("/health/ready").await);
    check("get", "/api/v1/tickets", desk.stranger().get("/api/v1/tickets").await);
}

#[tokio::test]
async fn requests_that_the_document_describes_are_taken() {
    let desk = Desk::open().await;
    let document = document(&desk).await;
    let fits = |name: &str, value: &Value| {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let found = broken(&document, &schema, value, "$");
        assert!(found.is_empty(), "{name}: {found:#?}");
    };
    let operator = desk.operator();
    let reference = desk.mail("jean@client.test", "Printer", "Jammed.").await;
    for act in [
        json!({"action": "assign", "to": "amelie"}),
        json!({"action": "escalate", "to": "L3", "why": "hard"}),
        json!({"action": "classify", "impact": "high", "urgency": "high", "kind": "incident"}),
        json!({"action": "close", "silent": true}),
        json!({"action": "reopen", "why": "not yet"}),
        json!({"action": "seen"}),
    ] {
        fits("Transition", &act);
        operator.does(&reference, &act).await.is(200);
    }
}
