//! Tickets made by programs.

use serde_json::json;

use super::rig::{Desk, words};

#[tokio::test]
async fn a_program_makes_a_ticket_that_is_triaged_and_acknowledged_like_any_other() {
    let desk = Desk::open().await;
    let program = desk.agent("monitor", "work").await;
    let new = json!({
        "subject": "Printer jammed", "text": "The printer on the second floor is jammed.",
        "requester": {"address": "jean@client.test", "name": "Jean Petit"},
    });
    let answer = program.post("/api/v1/tickets", &new).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let ticket = answer.is(201);
    let reference = ticket["reference"].as_str().unwrap();
    assert_eq!(location, format!("/api/v1/tickets/{reference}"));
    assert_eq!((ticket["state"].as_str(), ticket["source"].as_str()), (Some("new"), Some("local")));
    assert_eq!((ticket["category"].as_str(), ticket["verified"].as_bool()), (Some("hardware"), Some(true)));
    let told = program.get(&location).await.is(200);
    assert_eq!(words(&told["deliveries"], "kind"), ["acknowledgement"]);
    assert_eq!(told["deliveries"][0]["to"]["address"], "jean@client.test");
    assert_eq!(desk.operator().get("/api/v1/reconciliation").await.is(200)["sound"], true);
}

#[tokio::test]
async fn the_same_key_with_the_same_body_is_one_ticket_and_with_another_is_refused() {
    let desk = Desk::open().await;
    let (one, other) = (desk.agent("one", "work").await, desk.agent("other", "work").await);
    let new =
        json!({"subject": "Disk full", "text": "On db1.", "requester": {"address": "ops@client.test", "name": null}});
    let first = one.post_once("/api/v1/tickets", "k1", &new).await.is(201);
    assert_eq!(one.post_once("/api/v1/tickets", "k1", &new).await.is(201), first);
    let another = json!({"subject": "Disk full", "text": "On db2."});
    let problem = one.post_once("/api/v1/tickets", "k1", &another).await.refused(422, "key-reused");
    assert_eq!(problem["remedy"], "use a new key for a new request");
    // Keys belong to whoever uses them; without one, twice is twice.
    let theirs = other.post_once("/api/v1/tickets", "k1", &new).await.is(201);
    assert_ne!(theirs["reference"], first["reference"]);
    one.post("/api/v1/tickets", &new).await.is(201);
    let all = one.get("/api/v1/tickets").await.is(200);
    assert_eq!(all["tickets"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn nothing_in_a_new_ticket_adds_a_header_or_a_recipient() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    let requester =
        |address: &str| json!({"subject": "x", "text": "y", "requester": {"address": address, "name": null}});
    for address in ["a@x.test, b@x.test", "a@x.test\r\nBcc: b@x.test", "", "Jean <a@x.test>"] {
        operator.post("/api/v1/tickets", &requester(address)).await.refused(422, "invalid");
    }
    let new = json!({"subject": "Hello\r\nBcc: all@x.test", "text": "y", "acknowledge": false});
    assert_eq!(operator.post("/api/v1/tickets", &new).await.is(201)["subject"], "Hello Bcc: all@x.test");
    operator.post("/api/v1/tickets", &json!({"subject": " ", "text": ""})).await.refused(422, "invalid");
    let problem = operator.post("/api/v1/tickets", &json!({"subject": "x", "text": "", "source": "fax"})).await;
    assert_eq!(problem.refused(422, "invalid")["remedy"], "use one of: chat, local, phone");
}

#[tokio::test]
async fn a_requester_who_is_blocked_gets_no_ticket_by_this_way_either() {
    let desk = Desk::with("[desk]\nblocked = [\"@evil.test\"]\n").await;
    let new = json!({"subject": "x", "text": "y", "requester": {"address": "eve@evil.test", "name": null}});
    let problem = desk.operator().post("/api/v1/tickets", &new).await.refused(422, "invalid");
    assert_eq!(problem["detail"], "the operator blocks this requester");
}
