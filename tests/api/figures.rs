//! Health and metrics.

use serde_json::json;

use super::rig::Desk;

#[tokio::test]
async fn the_metrics_count_what_came_what_waits_and_what_is_kept_aside() {
    let desk = Desk::with("[desk]\nblocked = [\"@shop.test\"]\n").await;
    let reference = desk.mail("jean@client.test", "Printer", "Jammed.").await;
    desk.hand_in(&super::rig::mail("ad@shop.test", "Offer", "Buy now.")).await.is(201);
    desk.operator().does(&reference, &json!({"action": "close"})).await.is(200);
    let answer = desk.stranger().get("/metrics").await;
    assert_eq!(answer.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = String::from_utf8(answer.bytes.to_vec()).unwrap();
    for line in [
        "guichet_received_total{source=\"local\",verdict=\"opened\"} 1",
        "guichet_received_total{source=\"local\",verdict=\"quarantined\"} 1",
        "guichet_outbox{source=\"local\",state=\"pending\"} 2",
        "guichet_quarantine_held 1",
        "guichet_outbox_oldest_due_seconds 0",
        "guichet_source_up{source=\"local\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
    }
    let starts = |name: &str| text.lines().any(|line| line.starts_with(name));
    assert!(starts("guichet_tickets{state=\"resolved\",priority=\"P"), "{text}");
    assert!(starts("guichet_build_info{version=\"") && starts("guichet_disk_free_bytes "), "{text}");
    assert!(starts("guichet_process_resident_memory_bytes ") && text.ends_with("# EOF\n"), "{text}");
    assert!(!text.contains("jean@client.test") && !text.contains(&reference));
}

#[tokio::test]
async fn a_daemon_that_can_work_says_so_without_a_token() {
    let desk = Desk::open().await;
    let answer = desk.stranger().get("/health/live").await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_ref()), (200, b"live\n".as_slice()));
    let health = desk.stranger().get("/health/ready").await.is(200);
    assert_eq!((health["ready"].as_bool(), health["engine"].as_str()), (Some(true), Some("sqlite")));
    let sources = health["sources"].as_array().unwrap();
    assert!(sources.iter().any(|source| source["name"] == "local"), "{sources:?}");
}
