//! What breaks: disks, items, networks, processes. Nothing is lost, nobody waits for another's trouble.

use std::time::Duration;

use guichet_contract::Verdict;
use guichet_contract::conformance::Behaviour;
use guichet_testkit::{LetterState, PaperOptions};

use super::network::Halt;
use super::{Plan, Spans, tell, tell_of};

const SOON: Behaviour = Behaviour::AsksToWait(Duration::from_mins(10));

#[tokio::test]
async fn one_item_that_cannot_be_recorded_is_kept_aside_and_its_neighbours_are_taken_in() {
    tell(async |world| {
        let (jean, marie) = (world.person("jean"), world.person("marie"));
        world.place.refuse_entries_with("poison").await;
        let before = world.post.write(jean.letter().about("Printer broken").says("Printer broken"));
        let guilty = world.post.write(marie.letter().about("Chemistry").says("a text with poison in it"));
        let behind = world.post.write(jean.letter().about("No network").says("No network"));
        world.receives().await;
        let verdicts = [&before, &guilty, &behind].map(|id| world.told(id).verdict());
        assert_eq!(verdicts, [Verdict::Opened, Verdict::Quarantined, Verdict::Opened]);
        let why = world.told(&guilty).receipt.reason.map(|why| why.to_string());
        assert_eq!(why.as_deref(), Some("intake.failed"));
        assert_eq!((jean.reads().await.len(), marie.reads().await.len()), (2, 0));

        world.post.redeliver(&guilty);
        world.receives().await;
        assert_eq!(world.told(&guilty).verdict(), Verdict::Duplicate);
        world.restarts().await;
        world.receives().await;
        assert_eq!(world.life().desk.reconcile().await.unwrap().received, 4, "the cursor stands behind all of them");
    })
    .await;
}

#[tokio::test]
async fn on_a_full_disk_letters_stay_in_their_box_until_there_is_room() {
    let full = Plan { config: "[storage]\nfloor_mib = 1000000000\n".into(), ..Plan::default() };
    tell_of(full, async |world| {
        let jean = world.person("jean");
        let id = world.post.write(jean.letter().about("Printer broken").says("Printer broken"));
        world.is_killed_receiving(Halt::After).await;
        assert_eq!(world.post.state(&id), Some(LetterState::Waiting));
        assert_eq!(world.life().desk.reconcile().await.unwrap().received, 0);
        world.restarts_with(|plan| plan.config = "[storage]\nfloor_mib = 0\n".into()).await;
        world.receives().await;
        assert_eq!(world.told(&id).verdict(), Verdict::Opened);
        assert_eq!(jean.reads().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_said_in_a_conversation_arrives_in_the_order_in_which_it_was_said() {
    tell(async |world| {
        let (jean, marie, ada) = (world.person("jean"), world.person("marie"), world.agent("ada"));
        let ticket = jean.writes("Printer broken").await.ticket();
        let other = marie.writes("No network").await.ticket();
        world.works().await;
        assert_eq!((jean.reads().await.len(), marie.reads().await.len()), (1, 1));

        world.post.behave_next([SOON]);
        ada.replies(&ticket, "First.").await;
        ada.replies(&ticket, "Second.").await;
        ada.closes(&ticket, "Third.").await;
        ada.replies(&other, "And to you.").await;
        assert_eq!(jean.reads().await, [""; 0], "the first comes back later, and the others wait for it");
        assert_eq!(marie.reads().await.len(), 1, "who is in another conversation waits for nobody");

        world.forward(11.minutes()).await;
        let read = jean.reads().await;
        assert_eq!(read.iter().map(|text| word_of(text)).collect::<Vec<_>>(), ["First.", "Second.", "Third."]);
    })
    .await;
}

#[tokio::test]
async fn a_bad_row_blocks_nobody_else_and_not_its_own_conversation_for_ever() {
    tell(async |world| {
        let (jean, bad, ada) = (world.person("jean"), world.person("nobody"), world.agent("ada"));
        world.post.refuse("nobody@client.test");
        let lost = bad.writes("Help").await.ticket();
        ada.replies(&lost, "Here I am.").await;
        for wish in ["one", "two", "three"] {
            jean.writes(wish).await;
        }
        assert_eq!(jean.reads().await.len(), 3);
        assert_eq!(
            world.deliveries(&lost).await,
            ["acknowledgement refused (report.failed)", "reply refused (report.failed)"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_notice_is_tried_for_two_days_and_then_an_agent_is_told() {
    tell(async |world| {
        let jean = world.person("jean");
        world.post.behave(Behaviour::AsksToWait(Duration::from_hours(1)));
        let ticket = jean.writes("Printer broken").await.ticket();
        world.forward(46.hours()).await;
        assert_eq!(world.deliveries(&ticket).await[0], "acknowledgement pending");
        world.forward(3.hours()).await;
        assert_eq!(world.deliveries(&ticket).await[0], "acknowledgement expired (outbox.expired)");
        let tries = world.post.attempts();
        assert!((40..=60).contains(&tries), "about one an hour: {tries}");
        world.post.behave(Behaviour::Works);
        assert_eq!(jean.reads().await.iter().filter(|text| text.contains("We have received")).count(), 0);
        let events = world.ticket(&ticket).await.timeline;
        assert!(events.iter().any(|entry| entry.reasons.iter().any(|why| why.code.as_str() == "outbox.expired")));
    })
    .await;
}

#[tokio::test]
async fn an_agents_words_are_tried_for_five_days() {
    tell(async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let ticket = jean.writes("Printer broken").await.ticket();
        jean.reads().await;
        world.post.behave(Behaviour::AsksToWait(Duration::from_hours(1)));
        ada.replies(&ticket, "New toner is on its way.").await;
        world.forward(4.days()).await;
        world.post.behave(Behaviour::Works);
        world.forward(2.hours()).await;
        assert_eq!(jean.reads().await.len(), 1);

        world.post.behave(Behaviour::AsksToWait(Duration::from_hours(1)));
        ada.replies(&ticket, "Did it come?").await;
        world.forward(6.days()).await;
        world.post.behave(Behaviour::Works);
        assert_eq!(jean.reads().await, [""; 0]);
        assert_eq!(world.deliveries(&ticket).await.last().unwrap(), "reply expired (outbox.expired)");
        assert_eq!(world.attention(&ticket).await, "outbox.expired");
    })
    .await;
}

#[tokio::test]
async fn days_in_which_the_whole_network_is_down_do_not_count() {
    tell(async |world| {
        let jean = world.person("jean");
        let ticket = jean.writes("Printer broken").await.ticket();
        world.post.behave(Behaviour::Down);
        for _ in 0..72 {
            world.clock.advance(1.hours());
            world.works().await;
        }
        assert_eq!(world.deliveries(&ticket).await[0], "acknowledgement pending");
        world.post.behave(Behaviour::Works);
        world.forward(1.hours()).await;
        let read = jean.reads().await;
        assert!(read[0].contains("We have received"), "{read:?}");
    })
    .await;
}

#[tokio::test]
async fn killed_before_the_network_took_it_a_letter_is_sent_once() {
    tell(async |world| {
        let jean = world.person("jean");
        let ticket = jean.writes("Printer broken").await.ticket();
        world.is_killed_sending(Halt::Before).await;
        assert_eq!(world.post.sent().len(), 0);
        world.forward(1.hours()).await;
        assert_eq!(jean.reads().await.len(), 1);
        assert_eq!(world.deliveries(&ticket).await, ["acknowledgement sent"]);
    })
    .await;
}

#[tokio::test]
async fn killed_after_the_network_took_it_a_letter_is_found_and_not_repeated() {
    let letters = PaperOptions { idempotent_send: false, ..PaperOptions::default() };
    tell_of(Plan::on(letters), async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let ticket = jean.writes("Printer broken").await.ticket();
        world.is_killed_sending(Halt::After).await;
        world.forward(1.hours()).await;
        assert_eq!(jean.reads().await.len(), 1);
        assert_eq!(world.deliveries(&ticket).await, ["acknowledgement sent"]);
        assert_eq!(jean.answers("And it smokes.").await.ticket(), ticket, "an answer to what was found joins");
        ada.replies(&ticket, "Coming.").await;
        assert_eq!(jean.reads().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn of_the_letters_a_killed_process_held_only_the_one_it_had_begun_is_in_doubt() {
    let letters = PaperOptions { idempotent_send: false, finds_sent: false, concurrency: 1, ..PaperOptions::default() };
    tell_of(Plan::on(letters), async |world| {
        let mut tickets = Vec::new();
        for name in ["jean", "marie", "paul"] {
            tickets.push(world.person(name).writes("Help").await.ticket());
        }
        world.is_killed_sending(Halt::Before).await;
        world.forward(1.hours()).await;
        let mut ends = Vec::new();
        for ticket in &tickets {
            ends.extend(world.deliveries(ticket).await);
        }
        ends.sort();
        let unknown = "acknowledgement unknown (outbox.unknown)";
        let sent = "acknowledgement sent";
        // A database that several nodes share has no notes of what another node had begun.
        let expected = if world.place.is_shared() { [unknown; 3] } else { [sent, sent, unknown] };
        assert_eq!(ends, expected);
    })
    .await;
}

#[tokio::test]
async fn a_letter_whose_sender_is_killed_again_and_again_is_sent_once() {
    tell(async |world| {
        let jean = world.person("jean");
        let ticket = jean.writes("Printer broken").await.ticket();
        for _ in 0..3 {
            world.is_killed_sending(Halt::Before).await;
            world.clock.advance(1.hours());
        }
        assert_eq!(jean.reads().await.len(), 1);
        let row = &world.ticket(&ticket).await.deliveries[0];
        assert!(row.tries.iter().all(|attempt| attempt.ended_at.is_some()), "{:?}", row.tries);
    })
    .await;
}

fn word_of(text: &str) -> &str {
    text.split_whitespace().find(|word| ["First.", "Second.", "Third."].contains(word)).unwrap_or(text)
}
