//! What becomes of a letter on a network that refuses, waits, is down or dies, for all that a network can and cannot do.

use std::time::Duration;

use guichet_contract::conformance::Behaviour::{self, AsksToWait, DiesAfter, DiesBefore, Down, Refuses, Works};
use guichet_testkit::PaperOptions;

use super::{Plan, Spans, World, tell_of};

const LATER: Behaviour = AsksToWait(Duration::from_mins(10));
const ALL: [Behaviour; 6] = [Works, Refuses, LATER, Down, DiesBefore, DiesAfter];

/// Every combination of abilities.
fn networks() -> impl Iterator<Item = PaperOptions> {
    (0..8).map(|n| PaperOptions {
        idempotent_send: n & 1 != 0,
        finds_sent: n & 2 != 0,
        repeats_once: n & 4 != 0,
        ..PaperOptions::default()
    })
}

/// Somebody writes, and the first attempts to answer go as said: the state of the acknowledgement in the end, the copies
/// that were seen, and what an agent must look at.
async fn goes(world: &World, name: &str, attempts: &[Behaviour]) -> (&'static str, usize, String) {
    let person = world.person(name);
    let ticket = person.writes("Help").await.ticket();
    world.post.behave_next(attempts.iter().copied());
    world.forward(2.hours()).await;
    let row = world.ticket(&ticket).await.deliveries.remove(0);
    (row.state.as_str(), person.letters().len(), world.attention(&ticket).await)
}

#[tokio::test]
async fn one_failure_ends_as_well_as_the_network_allows() {
    for can in networks() {
        tell_of(Plan::on(can.clone()), async |world| {
            let shown = format!("{can:?}");
            assert_eq!(goes(world, "a", &[Works]).await, ("sent", 1, String::new()), "{shown}");
            assert_eq!(goes(world, "b", &[Refuses]).await, ("refused", 0, "report.failed".to_owned()), "{shown}");
            assert_eq!(goes(world, "c", &[LATER]).await, ("sent", 1, String::new()), "{shown}");
            assert_eq!(goes(world, "d", &[Down]).await, ("sent", 1, String::new()), "{shown}");
            let lost = match (can.finds_sent, can.idempotent_send, can.repeats_once) {
                (false, false, false) => ("unknown", 0, "outbox.unknown".to_owned()),
                _ => ("sent", 1, String::new()),
            };
            assert_eq!(goes(world, "e", &[DiesBefore]).await, lost, "{shown}");
            let taken = match (can.finds_sent, can.idempotent_send, can.repeats_once) {
                (true, _, _) | (_, true, _) => ("sent", 1, String::new()),
                (false, false, true) => ("sent", 2, String::new()),
                (false, false, false) => ("unknown", 1, "outbox.unknown".to_owned()),
            };
            assert_eq!(goes(world, "f", &[DiesAfter]).await, taken, "{shown}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_network_that_dies_twice_is_never_given_a_third_copy() {
    for can in networks() {
        tell_of(Plan::on(can.clone()), async |world| {
            let shown = format!("{can:?}");
            let end = goes(world, "a", &[DiesAfter, DiesAfter]).await;
            let expected = match (can.finds_sent, can.idempotent_send, can.repeats_once) {
                (true, _, _) | (_, true, _) => ("sent", 1, String::new()),
                (false, false, true) => ("unknown", 2, "outbox.unknown".to_owned()),
                (false, false, false) => ("unknown", 1, "outbox.unknown".to_owned()),
            };
            assert_eq!(end, expected, "{shown}");
        })
        .await;
    }
}

#[tokio::test]
async fn any_two_failures_in_a_row_end_in_a_state_that_is_true() {
    let again = |first: &Behaviour| !matches!(first, Works | Refuses);
    let abilities = |can: &PaperOptions| [can.idempotent_send, can.finds_sent, can.repeats_once];
    let one_at_most = |can: &PaperOptions| abilities(can).into_iter().filter(|has| *has).count() < 2;
    for can in networks().filter(one_at_most) {
        tell_of(Plan::on(can.clone()), async |world| {
            for (row, first) in ALL.into_iter().filter(again).enumerate() {
                for (column, second) in ALL.into_iter().enumerate() {
                    let name = format!("person{row}{column}");
                    let (state, copies, attention) = goes(world, &name, &[first, second]).await;
                    let shown = format!("{first:?}, {second:?}: {state}, {copies} copies, on {can:?}");
                    match state {
                        "sent" => assert!(copies >= 1 && attention.is_empty(), "{shown}"),
                        "refused" => assert_eq!(attention, "report.failed", "{shown}"),
                        "unknown" => assert_eq!(attention, "outbox.unknown", "{shown}"),
                        _ => panic!("it did not end: {shown}"),
                    }
                }
            }
        })
        .await;
    }
}
