//! Handing in by hand, for real and only to see.

use serde_json::json;

use super::rig::{Desk, mail, words};

#[tokio::test]
async fn the_same_bytes_handed_in_again_are_the_same_ticket() {
    let desk = Desk::open().await;
    let letter = mail("jean@client.test", "Printer", "Jammed.");
    let first = desk.hand_in(&letter).await.is(201);
    assert_eq!(first["verdict"], "opened");
    let again = desk.hand_in(&letter).await.is(201);
    assert_eq!((again["verdict"].as_str(), &again["reference"]), (Some("duplicate"), &first["reference"]));
    let balance = desk.operator().get("/api/v1/reconciliation").await.is(200);
    assert_eq!(balance["sound"], true, "{balance:#}");
    assert_eq!(
        balance["sources"],
        json!([{"source": "local", "received": 2, "opened": 1, "appended": 0, "duplicate": 1, "quarantined": 0}])
    );
}

#[tokio::test]
async fn what_is_imported_is_not_acknowledged() {
    let desk = Desk::open().await;
    let letter = mail("jean@client.test", "Printer", "Jammed.");
    let receipt = desk.operator().post_raw("/api/v1/inject?source=local&quiet=true", &letter).await.is(201);
    let told = desk.operator().ticket(receipt["reference"].as_str().unwrap()).await;
    assert_eq!(told["deliveries"], json!([]));
    let codes: Vec<_> = words(&told["timeline"][0]["reasons"], "code");
    assert!(codes.contains(&"ack.none.import"), "{codes:?}");
}

#[tokio::test]
async fn a_simulation_tells_every_decision_and_leaves_nothing() {
    let desk = Desk::open().await;
    let letter = mail("Jean <jean@client.test>", "Printer jammed", "The printer is jammed.");
    let told = desk.operator().post_raw("/api/v1/simulate?source=local", &letter).await.is(200);
    assert_eq!((told["verdict"].as_str(), told["ticket"]["category"].as_str()), (Some("opened"), Some("hardware")));
    assert_eq!(words(&told["deliveries"], "kind"), ["acknowledgement"]);
    assert!(told["steps"].as_array().unwrap().len() > 5, "{told:#}");
    let balance = desk.operator().get("/api/v1/reconciliation").await.is(200);
    assert_eq!((balance["received"].as_i64(), balance["sound"].as_bool()), (Some(0), Some(true)));
    assert_eq!(desk.hand_in(&letter).await.is(201)["verdict"], "opened");
    let told = desk.operator().post_raw("/api/v1/simulate?source=local", &letter).await.is(200);
    assert_eq!(told["verdict"], "duplicate");
}

#[tokio::test]
async fn an_empty_message_and_a_source_that_is_not_there_are_refused() {
    let desk = Desk::open().await;
    desk.hand_in("").await.refused(422, "invalid");
    let problem = desk.operator().post_raw("/api/v1/inject?source=fax", "x").await.refused(404, "not-found");
    let remedy = problem["remedy"].as_str().unwrap();
    assert!(remedy.starts_with("use one of: ") && remedy.contains("local"), "{remedy}");
    desk.operator().post_raw("/api/v1/inject", "x").await.refused(400, "malformed");
}

#[tokio::test]
async fn a_file_that_came_along_is_handed_out_as_a_download() {
    let desk = Desk::open().await;
    let letter = "From: jean@client.test\r\nTo: support@desk.test\r\nSubject: Log\r\nMessage-ID: <log@client.test>\r\n\
                  MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
                  See the log.\r\n--b\r\nContent-Type: text/html; name=\"r\u{e9}sum\u{e9}.html\"\r\n\
                  Content-Disposition: attachment; filename=\"log.html\"\r\n\r\n<script>alert(1)</script>\r\n--b--\r\n";
    let receipt = desk.hand_in(letter).await.is(201);
    let reference = receipt["reference"].as_str().unwrap();
    let told = desk.operator().ticket(reference).await;
    let entry = &told["timeline"][0];
    assert_eq!(entry["attachments"][0]["name"], "log.html");
    let path = format!("/api/v1/tickets/{reference}/messages/{}/attachments/0", entry["id"].as_str().unwrap());
    let file = desk.operator().get(&path).await;
    assert_eq!(file.headers["content-type"], "application/octet-stream");
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"log.html\"; filename*=UTF-8''log.html");
    assert_eq!(file.bytes.trim_ascii_end(), b"<script>alert(1)</script>");
    let other = desk.mail("anne@client.test", "Other", "Other.").await;
    let path = format!("/api/v1/tickets/{other}/messages/{}/attachments/0", entry["id"].as_str().unwrap());
    desk.operator().get(&path).await.refused(404, "not-found");
}
