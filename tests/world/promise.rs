//! What is promised, and what happens when it is not kept.

use guichet_domain::Clock as _;
use guichet_testkit::TestClock;

use super::{Plan, Spans, World, tell_of};

const PARIS: &str = "[desk.calendar]\nzone = \"Europe/Paris\"\nhours = [\"mon-fri 09:00-12:00 13:00-17:00\"]\n\
                     holidays = [\"fr\"]\n";

/// The afternoon before Christmas, a Thursday, at four.
fn christmas_eve(world: &World) {
    world.clock.set(TestClock::reading("2026-12-24T15:00:00Z").now());
}

#[tokio::test]
async fn a_promise_passes_over_christmas_and_the_weekend_and_is_renewed_once() {
    tell_of(Plan::configured(PARIS), async |world| {
        christmas_eve(world);
        let jean = world.person("jean");
        let ticket = jean.writes("Printer broken").await.ticket();
        let read = jean.reads().await;
        let promise = "an answer from us by Monday 28 December 2026 at 17:00 (Europe/Paris) at the latest";
        assert!(read[0].contains(promise), "{}", read[0]);

        world.clock.set(TestClock::reading("2026-12-28T15:59:00Z").now());
        assert_eq!(jean.reads().await, [""; 0], "there is a minute left");
        world.forward(1.minutes()).await;
        assert_eq!(
            jean.reads().await,
            [format!(
                "Hello jean,\n\nWe promised you an answer to your request {ticket}, \"Printer broken\", by now, and we are \
                 late. We are sorry.\n\nOur new promise: an answer by Wednesday 30 December 2026 at 10:00 (Europe/Paris) at \
                 the latest.\n\nYou need not write again; your request has kept its place.\n\nSupport\n"
            )]
        );
        assert_eq!(world.attention(&ticket).await, "timer.promise_missed");

        world.forward(30.days()).await;
        assert_eq!(jean.reads().await, [""; 0], "an apology that is repeated is none");
        assert_eq!(world.deliveries(&ticket).await, ["acknowledgement sent", "delay sent"]);
    })
    .await;
}

#[tokio::test]
async fn an_answer_in_time_keeps_the_promise() {
    tell_of(Plan::configured(PARIS), async |world| {
        christmas_eve(world);
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let ticket = jean.writes("Printer broken").await.ticket();
        ada.replies(&ticket, "On my way.").await;
        world.forward(30.days()).await;
        assert_eq!(world.deliveries(&ticket).await, ["acknowledgement sent", "reply sent"]);
        assert_eq!(world.attention(&ticket).await, "");
    })
    .await;
}

#[tokio::test]
async fn a_note_among_agents_keeps_no_promise() {
    tell_of(Plan::configured(PARIS), async |world| {
        christmas_eve(world);
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let ticket = jean.writes("Printer broken").await.ticket();
        ada.notes(&ticket, "I will look at it after Christmas.").await;
        world.forward(10.days()).await;
        assert_eq!(world.deliveries(&ticket).await, ["acknowledgement sent", "delay sent"]);
    })
    .await;
}

#[tokio::test]
async fn who_is_not_vouched_for_hears_no_delay_and_an_agent_sees_it_all_the_same() {
    tell_of(Plan::configured(PARIS), async |world| {
        christmas_eve(world);
        let eve = world.stranger("eve@elsewhere.test");
        let ticket = eve.writes("Printer broken").await.ticket();
        world.forward(10.days()).await;
        assert_eq!(world.deliveries(&ticket).await, ["acknowledgement sent"]);
        assert_eq!(world.attention(&ticket).await, "timer.promise_missed");
    })
    .await;
}

#[tokio::test]
async fn a_promise_that_passed_while_the_daemon_was_off_is_seen_to_at_its_start() {
    tell_of(Plan::configured(PARIS), async |world| {
        christmas_eve(world);
        let jean = world.person("jean");
        let ticket = jean.writes("Printer broken").await.ticket();
        assert_eq!(jean.reads().await.len(), 1);
        world.clock.advance(20.days());
        world.restarts().await;
        let late = jean.reads().await;
        assert!(
            matches!(&late[..], [one] if one.contains("Our new promise: an answer by Thursday 14 January 2027")),
            "{late:?}"
        );
        assert_eq!(world.deliveries(&ticket).await, ["acknowledgement sent", "delay sent"]);
    })
    .await;
}
