//! What happens by itself.

use std::time::Duration;

use guichet::timers;
use serde_json::json;

use super::rig::{Desk, words};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn a_resolved_ticket_is_locked_when_the_time_to_answer_is_over() {
    let desk = Desk::open().await;
    let operator = desk.operator();
    let reference = desk.mail("jean@client.test", "Printer", "Jammed.").await;
    operator.does(&reference, &json!({"action": "close"})).await.is(200);
    desk.later(DAY * 6);
    assert_eq!(timers::fire_due(&desk.kernel).await.unwrap(), 0);
    desk.later(DAY);
    assert_eq!(timers::fire_due(&desk.kernel).await.unwrap(), 1);
    assert_eq!(timers::fire_due(&desk.kernel).await.unwrap(), 0);
    let told = operator.ticket(&reference).await;
    assert_eq!(told["ticket"]["state"], "closed");
    assert_eq!(told["timers"], json!([]));
    let last = told["transitions"].as_array().unwrap().last().unwrap();
    assert_eq!(last["why"]["code"], "timer.window_over");
}

#[tokio::test]
async fn a_missed_promise_asks_for_attention_and_is_told_to_whoever_is_known() {
    let desk = Desk::with("[[source]]\nname = \"local\"\nchannel = \"email\"\ntrust = \"all\"\n").await;
    let operator = desk.operator();
    let reference = desk.mail("jean@client.test", "Printer", "Jammed.").await;
    desk.later(DAY * 30);
    assert_eq!(timers::fire_due(&desk.kernel).await.unwrap(), 1);
    let told = operator.ticket(&reference).await;
    assert_eq!(told["ticket"]["attention"]["code"], "timer.promise_missed");
    assert_eq!(words(&told["deliveries"], "kind"), ["acknowledgement", "delay"]);
    assert_eq!(
        words(&operator.get("/api/v1/tickets?attention=true").await.is(200)["tickets"], "reference"),
        [reference.as_str()]
    );
    operator.does(&reference, &json!({"action": "seen"})).await.is(200);
    assert_eq!(operator.ticket(&reference).await["ticket"]["attention"], json!(null));
}

#[tokio::test]
async fn raw_bytes_go_after_their_time_and_the_ticket_stays() {
    let desk = Desk::with("").await;
    let blocked = Desk::with("[desk]\nblocked = [\"@shop.test\"]\n").await;
    for desk in [&desk, &blocked] {
        desk.hand_in(&super::rig::mail("ad@shop.test", "Offer", "Buy now.")).await.is(201);
        desk.later(DAY * 366);
        timers::clear_away(&desk.kernel).await.unwrap();
    }
    assert_eq!(desk.operator().get("/api/v1/tickets").await.is(200)["tickets"].as_array().unwrap().len(), 1);
    assert_eq!(desk.operator().get("/api/v1/reconciliation").await.is(200)["sound"], true);
    // What is still to be looked at keeps its bytes however old it is.
    let page = blocked.operator().get("/api/v1/quarantine").await.is(200);
    assert_eq!(page["items"][0]["has_raw"], true);
}
