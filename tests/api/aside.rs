//! What is kept aside, and what leaves.

use serde_json::json;

use super::rig::{Desk, mail, words};

async fn blocked() -> (Desk, String, String) {
    let desk = Desk::with("[desk]\nblocked = [\"@shop.test\"]\n").await;
    let letter = mail("Ad <ad@shop.test>", "Offer", "Buy now.");
    let receipt = desk.hand_in(&letter).await.is(201);
    assert_eq!((receipt["verdict"].as_str(), receipt["reference"].as_str()), (Some("quarantined"), None));
    assert_eq!(receipt["reason"]["code"], "blocked.sender");
    let page = desk.operator().get("/api/v1/quarantine").await.is(200);
    assert_eq!(page["held"], 1);
    let id = page["items"][0]["id"].as_str().unwrap().to_owned();
    (desk, id, letter)
}

#[tokio::test]
async fn what_was_kept_aside_is_let_in_whole_and_acknowledged() {
    let (desk, id, letter) = blocked().await;
    let lena = desk.agent("lena", "lead").await;
    let raw = lena.get(&format!("/api/v1/quarantine/{id}/raw")).await;
    assert_eq!(raw.bytes, letter.as_bytes());
    let receipt = lena.post(&format!("/api/v1/quarantine/{id}/release"), &json!({})).await.is(200);
    assert_eq!(receipt["verdict"], "opened");
    let reference = receipt["reference"].as_str().unwrap();
    let told = lena.ticket(reference).await;
    assert_eq!((told["ticket"]["subject"].as_str(), &told["timeline"][0]["text"]), (Some("Offer"), &json!("Buy now.")));
    assert_eq!(words(&told["deliveries"], "kind"), ["acknowledgement"]);
    let item = lena.get(&format!("/api/v1/quarantine/{id}")).await.is(200);
    assert_eq!((item["standing"].as_str(), item["reference"].as_str()), (Some("released"), Some(reference)));
    let why = lena.get(&format!("/api/v1/tickets/{reference}/explanation")).await.is(200);
    let released = why["steps"].as_array().unwrap().iter().find(|step| step["reason"]["detail"] == "lena");
    assert_eq!(released.unwrap()["reason"]["code"], "quarantine.released");
    lena.post(&format!("/api/v1/quarantine/{id}/release"), &json!({})).await.refused(409, "state-conflict");
    let balance = lena.get("/api/v1/reconciliation").await.is(200);
    assert_eq!(balance["sound"], true, "{balance:#}");
}

#[tokio::test]
async fn what_nobody_wants_is_left_out_and_stays_counted() {
    let (desk, id, _) = blocked().await;
    let operator = desk.operator();
    operator.post(&format!("/api/v1/quarantine/{id}/discard"), &json!({})).await.is(200);
    operator.post(&format!("/api/v1/quarantine/{id}/release"), &json!({})).await.refused(409, "state-conflict");
    assert_eq!(operator.get("/api/v1/quarantine").await.is(200)["held"], 0);
    let discarded = operator.get("/api/v1/quarantine?standing=discarded").await.is(200);
    assert_eq!(words(&discarded["items"], "id"), [id.as_str()]);
    let balance = operator.get("/api/v1/reconciliation").await.is(200);
    assert_eq!(balance["sources"][0]["quarantined"], 1);
    assert_eq!(balance["sound"], true);
}

#[tokio::test]
async fn a_row_is_taken_out_and_put_back_by_hand() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    let reference = desk.mail("jean@client.test", "Printer", "Jammed.").await;
    let told = operator.ticket(&reference).await;
    let id = told["deliveries"][0]["id"].as_str().unwrap();
    let row = operator.post(&format!("/api/v1/outbox/{id}/cancel"), &json!({})).await.is(200);
    assert_eq!((row["state"].as_str(), row["reason"]["code"].as_str()), (Some("suppressed"), Some("outbox.cancelled")));
    operator.post(&format!("/api/v1/outbox/{id}/cancel"), &json!({})).await.refused(409, "state-conflict");
    let row = operator.post(&format!("/api/v1/outbox/{id}/retry"), &json!({})).await.is(200);
    assert_eq!(row["state"], "pending");
    let pending = operator.get("/api/v1/outbox?state=pending&source=local").await.is(200);
    assert_eq!(words(&pending["deliveries"], "reference"), [reference.as_str()]);
    let sent = operator.get("/api/v1/outbox?state=sent").await.is(200);
    assert_eq!(sent["deliveries"], json!([]));
}

#[tokio::test]
async fn what_nobody_can_read_becomes_a_ticket_that_says_so_with_the_original_beside_it() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    assert_eq!(desk.hand_in(" \r\n ").await.is(201)["verdict"], "quarantined");
    let page = operator.get("/api/v1/quarantine").await.is(200);
    let id = page["items"][0]["id"].as_str().unwrap();
    let receipt = operator.post(&format!("/api/v1/quarantine/{id}/release"), &json!({})).await.is(200);
    let reference = receipt["reference"].as_str().unwrap();
    let told = operator.ticket(reference).await;
    assert_eq!((told["ticket"]["subject"].as_str(), &told["deliveries"]), (Some("Unreadable message"), &json!([])));
    let entry = &told["timeline"][0];
    assert!(entry["text"].as_str().unwrap().starts_with("A message came by local and could not be read"), "{entry}");
    let path = format!("/api/v1/tickets/{reference}/messages/{}/attachments/0", entry["id"].as_str().unwrap());
    assert_eq!(operator.get(&path).await.bytes.as_ref(), b" \r\n ");
    assert_eq!(operator.get("/api/v1/reconciliation").await.is(200)["sound"], true);
}
