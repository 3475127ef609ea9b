//! What leaves: once, in order, by one worker at a time, and never settled by a worker that lost it.

use std::time::Duration;

use guichet_domain::Moment;
use guichet_domain::ids::{ConversationKey, DeliveryId, ExternalId, SourceName};
use guichet_domain::outgoing::{DeliveryState, NewDelivery};
use guichet_domain::reason;
use uuid::Uuid;

use super::make::{NOW, delivery, key, later, mail, opened, ticket};
use super::{World, on_both_engines};
use crate::outbox::{self, Claim, Filter, OutboxRow, Outcome, Settlement};
use crate::record::{Batch, record};

on_both_engines!(
    a_sent_notice_is_known_by_its_id,
    a_claimed_row_is_not_claimed_again,
    of_a_conversation_only_the_oldest_leaves,
    a_row_that_waits_for_its_next_try_holds_its_conversation_and_no_other,
    another_source_is_left_alone,
    a_late_completion_is_refused_and_the_row_is_doubtful,
    leases_of_a_process_that_is_gone_end_at_once,
    each_outcome_has_its_state,
    what_outlived_its_life_expires_and_what_may_have_arrived_is_unknown,
    what_was_refused_can_be_sent_by_hand_and_what_waits_cancelled,
    a_copy_that_came_back_proves_that_it_was_sent,
    the_next_due_row_and_the_next_lease_say_when_to_look_again,
    lists_and_counts_show_what_stands_where,
    eight_workers_send_each_row_once_and_in_order,
);

const ME: Uuid = Uuid::from_u128(0xface);
const LEASE: Duration = Duration::from_mins(1);

async fn claim(world: &World, now: Moment) -> Vec<OutboxRow> {
    claim_as(world, ME, 10, now).await
}

async fn claim_as(world: &World, incarnation: Uuid, limit: i64, now: Moment) -> Vec<OutboxRow> {
    let mut tx = world.write().await;
    let source = mail();
    let wanted = Claim { source: &source, incarnation, lease: LEASE, limit };
    let claimed = outbox::claim(&mut tx, &wanted, now).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

async fn settle(world: &World, row: &OutboxRow, outcome: Outcome, now: Moment) -> bool {
    let mut tx = world.write().await;
    let settlement = Settlement { id: row.id, fence: row.fence, outcome, detail: "250 ok".to_owned() };
    let stale = outbox::settle(&mut tx, &[settlement], now).await.unwrap();
    tx.commit().await.unwrap();
    stale.is_empty()
}

async fn by_id(world: &World, id: DeliveryId) -> OutboxRow {
    outbox::by_id(&mut world.read().await, id).await.unwrap().unwrap()
}

/// Further rows of ticket 1's conversation.
async fn more(world: &World, rows: &[NewDelivery]) {
    let mut tx = world.write().await;
    record(&mut tx, &Batch { at: NOW, deliveries: rows.iter().collect(), ..Batch::default() }).await.unwrap();
    tx.commit().await.unwrap();
}

fn another(n: u64, number: u64) -> NewDelivery {
    NewDelivery { id: DeliveryId(key(5_000_000 + number)), ..delivery(n) }
}

async fn a_sent_notice_is_known_by_its_id(world: &World) {
    opened(&world.db, &[1]).await;
    let claimed = claim(world, NOW).await;
    assert_eq!(claimed.len(), 1);
    let row = &claimed[0];
    assert_eq!((row.id, row.attempts, row.fence, row.doubts), (delivery(1).id, 1, 1, 0));
    assert_eq!((row.state, row.lease_until), (DeliveryState::Sending, Some(NOW + LEASE)));
    assert_eq!((&row.to, &row.facts), (&delivery(1).to, &delivery(1).facts));
    let id = ExternalId::from("<out-1@desk.example>");
    assert!(settle(world, row, Outcome::Sent { external_id: Some(id.clone()) }, later(2)).await);
    let row = by_id(world, row.id).await;
    assert_eq!((row.state, row.settled_at, row.lease_until), (DeliveryState::Sent, Some(later(2)), None));
    let mut tx = world.read().await;
    let attempts = outbox::attempts(&mut tx, row.id).await.unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].outcome.as_deref(), attempts[0].ended_at), (Some("sent"), Some(later(2))));
    let wanted = crate::intake::Wanted { ids: vec![&id], ..Default::default() };
    let found = crate::intake::find(&mut tx, &wanted, NOW).await.unwrap();
    assert_eq!((found.ids[&id].ticket, found.ids[&id].delivery), (ticket(1).id, Some(row.id)));
    let thread = outbox::thread(&mut tx, ticket(1).id, 20).await.unwrap();
    assert_eq!(thread, [ExternalId::from("<mail-1@client.example>"), id]);
    drop(tx);
    assert!(claim(world, later(9)).await.is_empty());
}

async fn a_claimed_row_is_not_claimed_again(world: &World) {
    opened(&world.db, &[1, 2, 3]).await;
    assert_eq!(claim_as(world, ME, 2, NOW).await.len(), 2);
    assert_eq!(claim(world, NOW).await.len(), 1);
    assert!(claim(world, later(3600)).await.is_empty(), "only recover ends a lease");
}

async fn of_a_conversation_only_the_oldest_leaves(world: &World) {
    opened(&world.db, &[1, 2]).await;
    more(world, &[another(1, 1), another(1, 2)]).await;
    let mut order = Vec::new();
    for turn in 0..3 {
        for row in claim(world, later(turn)).await {
            order.push((row.conversation.as_str().to_owned(), row.number));
            assert!(settle(world, &row, Outcome::Sent { external_id: None }, later(turn)).await);
        }
    }
    assert_eq!(order.len(), 4);
    let first: Vec<_> = order.iter().filter(|(conversation, _)| conversation.contains("root-1")).collect();
    assert!(first.is_sorted() && first.len() == 3, "{first:?}");
    assert!(order[1].0.contains("root-2"), "the second conversation did not wait: {order:?}");
}

async fn a_row_that_waits_for_its_next_try_holds_its_conversation_and_no_other(world: &World) {
    opened(&world.db, &[1, 2]).await;
    more(world, &[another(1, 1)]).await;
    let claimed = claim(world, NOW).await;
    let bad = claimed.iter().find(|row| row.ticket == ticket(1).id).unwrap();
    assert!(settle(world, bad, Outcome::Retry { due_at: later(100), expires_at: Some(later(999)) }, NOW).await);
    opened(&world.db, &[3]).await;
    let next = claim(world, later(50)).await;
    assert_eq!(next.iter().map(|row| row.ticket).collect::<Vec<_>>(), [ticket(3).id]);
    let next = claim(world, later(100)).await;
    assert_eq!(next.iter().map(|row| (row.id, row.attempts)).collect::<Vec<_>>(), [(bad.id, 2)]);
    assert_eq!(next[0].expires_at, later(999));
}

async fn another_source_is_left_alone(world: &World) {
    opened(&world.db, &[1]).await;
    more(world, &[NewDelivery { source: SourceName::from("chat"), ..another(1, 1) }]).await;
    let claimed = claim(world, NOW).await;
    assert_eq!(claimed.iter().map(|row| row.source.as_str()).collect::<Vec<_>>(), ["support-mail"]);
    let mut tx = world.write().await;
    let source = SourceName::from("chat");
    let wanted = Claim { source: &source, incarnation: ME, lease: LEASE, limit: 5 };
    assert_eq!(outbox::claim(&mut tx, &wanted, NOW).await.unwrap().len(), 1, "same conversation, other network");
}

async fn a_late_completion_is_refused_and_the_row_is_doubtful(world: &World) {
    opened(&world.db, &[1]).await;
    let first = claim(world, NOW).await.remove(0);
    let mut tx = world.write().await;
    assert!(outbox::recover(&mut tx, ME, true, later(59)).await.unwrap().is_empty(), "the lease goes on");
    let taken = outbox::recover(&mut tx, ME, true, later(60)).await.unwrap();
    assert_eq!(taken.iter().map(|row| (row.id, row.ticket)).collect::<Vec<_>>(), [(first.id, first.ticket)]);
    tx.commit().await.unwrap();
    assert!(!settle(world, &first, Outcome::Sent { external_id: None }, later(61)).await);
    let second = claim(world, later(61)).await.remove(0);
    assert_eq!((second.doubts, second.fence, second.attempts), (1, 3, 2));
    assert!(!settle(world, &first, Outcome::Refused { reason: None }, later(62)).await);
    assert!(settle(world, &second, Outcome::Sent { external_id: None }, later(62)).await);
    let attempts = outbox::attempts(&mut world.read().await, first.id).await.unwrap();
    let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt.outcome.as_deref()).collect();
    assert_eq!(outcomes, [Some("unknown"), Some("sent")]);
}

async fn leases_of_a_process_that_is_gone_end_at_once(world: &World) {
    opened(&world.db, &[1, 2]).await;
    let before = Uuid::from_u128(0xdead);
    assert_eq!(claim_as(world, before, 1, NOW).await.len(), 1);
    assert_eq!(claim_as(world, ME, 1, NOW).await.len(), 1);
    let mut tx = world.write().await;
    let shared = outbox::recover(&mut tx, ME, false, later(1)).await.unwrap();
    assert!(shared.is_empty(), "another node may well be alive");
    let alone = outbox::recover(&mut tx, ME, true, later(1)).await.unwrap();
    assert_eq!(alone.len(), 1);
}

async fn each_outcome_has_its_state(world: &World) {
    let numbers = [1, 2, 3, 4, 5, 6, 7];
    opened(&world.db, &numbers).await;
    let claimed = claim(world, NOW).await;
    let why = reason::OVERTAKEN;
    let outcomes = [
        (Outcome::Sent { external_id: None }, DeliveryState::Sent, 0),
        (Outcome::Retry { due_at: later(5), expires_at: None }, DeliveryState::Pending, 0),
        (Outcome::Doubt { due_at: later(6) }, DeliveryState::Pending, 1),
        (Outcome::Refused { reason: Some(why.clone()) }, DeliveryState::Refused, 0),
        (Outcome::Unknown { reason: Some(why.clone()) }, DeliveryState::Unknown, 1),
        (Outcome::Expired { reason: Some(why.clone()) }, DeliveryState::Expired, 0),
        (Outcome::Suppressed { reason: why.clone() }, DeliveryState::Suppressed, 0),
    ];
    let settlements: Vec<_> = claimed
        .iter()
        .zip(&outcomes)
        .map(|(row, (outcome, ..))| Settlement {
            id: row.id,
            fence: row.fence,
            outcome: outcome.clone(),
            detail: "words".to_owned(),
        })
        .collect();
    let mut tx = world.write().await;
    assert!(outbox::settle(&mut tx, &settlements, later(1)).await.unwrap().is_empty());
    assert_eq!(
        outbox::settle(&mut tx, &settlements, later(1)).await.unwrap().len(),
        7,
        "a second time nothing is settled"
    );
    tx.commit().await.unwrap();
    for (row, (outcome, state, doubts)) in claimed.iter().zip(&outcomes) {
        let row = by_id(world, row.id).await;
        assert_eq!((row.state, row.doubts), (*state, *doubts), "{outcome:?}");
        assert_eq!(row.settled_at.is_none(), *state == DeliveryState::Pending, "{outcome:?}");
        assert_eq!(row.detail.as_deref(), Some("words"));
    }
}

async fn what_outlived_its_life_expires_and_what_may_have_arrived_is_unknown(world: &World) {
    opened(&world.db, &[1, 2, 3]).await;
    let claimed = claim_as(world, ME, 1, NOW).await;
    assert!(settle(world, &claimed[0], Outcome::Doubt { due_at: later(1) }, NOW).await);
    let end = delivery(1).expires_at;
    let mut tx = world.write().await;
    assert!(outbox::expire(&mut tx, later(1), 10).await.unwrap().is_empty());
    assert_eq!(outbox::expire(&mut tx, end, 2).await.unwrap().len(), 2);
    assert_eq!(outbox::expire(&mut tx, end, 2).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
    assert_eq!(by_id(world, claimed[0].id).await.state, DeliveryState::Unknown);
    let other = by_id(world, delivery(2).id).await;
    assert_eq!((other.state, other.reason), (DeliveryState::Expired, Some(reason::EXPIRED)));
    assert!(claim(world, end).await.is_empty());
}

async fn what_was_refused_can_be_sent_by_hand_and_what_waits_cancelled(world: &World) {
    opened(&world.db, &[1, 2]).await;
    let claimed = claim_as(world, ME, 1, NOW).await;
    let (refused, waiting) =
        (claimed[0].id, if claimed[0].id == delivery(1).id { delivery(2).id } else { delivery(1).id });
    let mut tx = world.write().await;
    assert!(!outbox::retry(&mut tx, refused, LEASE, NOW).await.unwrap(), "it is being sent");
    assert!(!outbox::cancel(&mut tx, refused, NOW).await.unwrap(), "it is being sent");
    tx.commit().await.unwrap();
    assert!(settle(world, &claimed[0], Outcome::Refused { reason: None }, NOW).await);
    let end = delivery(1).expires_at;
    let mut tx = world.write().await;
    assert!(outbox::retry(&mut tx, refused, LEASE, end).await.unwrap());
    assert!(outbox::cancel(&mut tx, waiting, end).await.unwrap());
    assert!(!outbox::cancel(&mut tx, waiting, end).await.unwrap(), "it is out already");
    tx.commit().await.unwrap();
    let again = claim(world, end).await;
    assert_eq!(again.iter().map(|row| row.id).collect::<Vec<_>>(), [refused]);
    let cancelled = by_id(world, waiting).await;
    assert_eq!((cancelled.state, cancelled.reason), (DeliveryState::Suppressed, Some(reason::CANCELLED)));
}

async fn a_copy_that_came_back_proves_that_it_was_sent(world: &World) {
    opened(&world.db, &[1, 2]).await;
    let row = claim_as(world, ME, 1, NOW).await.remove(0);
    let untried = if row.id == delivery(1).id { delivery(2).id } else { delivery(1).id };
    let mut tx = world.write().await;
    let id = ExternalId::from("<out@desk.example>");
    assert!(outbox::prove_sent(&mut tx, row.id, Some(&id), later(1)).await.unwrap());
    assert!(!outbox::prove_sent(&mut tx, row.id, Some(&id), later(2)).await.unwrap());
    assert!(!outbox::prove_sent(&mut tx, untried, None, later(2)).await.unwrap(), "it was never tried");
    tx.commit().await.unwrap();
    assert!(!settle(world, &row, Outcome::Unknown { reason: None }, later(3)).await);
    assert_eq!(by_id(world, row.id).await.state, DeliveryState::Sent);
}

async fn the_next_due_row_and_the_next_lease_say_when_to_look_again(world: &World) {
    let source = mail();
    let next = async |now| outbox::next_due(&mut world.read().await, &source, now).await.unwrap();
    assert_eq!(next(NOW).await, None);
    opened(&world.db, &[1]).await;
    more(world, &[NewDelivery { due_at: later(30), ..another(1, 1) }]).await;
    assert_eq!(next(NOW).await, Some(later(30)));
    let mut tx = world.read().await;
    assert_eq!(outbox::oldest_due(&mut tx, later(40)).await.unwrap(), Some(NOW));
    drop(tx);
    claim(world, NOW).await;
    assert_eq!(next(later(30)).await, Some(later(60)), "the lease");
}

async fn lists_and_counts_show_what_stands_where(world: &World) {
    opened(&world.db, &[1, 2, 3]).await;
    let row = claim_as(world, ME, 1, NOW).await.remove(0);
    settle(world, &row, Outcome::Refused { reason: None }, later(1)).await;
    let mut tx = world.read().await;
    let standing = outbox::standing(&mut tx).await.unwrap();
    let counts: Vec<_> = standing.iter().map(|row| (row.state, row.n, row.oldest)).collect();
    assert_eq!(counts, [(DeliveryState::Pending, 2, NOW), (DeliveryState::Refused, 1, NOW)]);
    let all = outbox::list(&mut tx, &Filter { limit: 2, ..Filter::default() }).await.unwrap();
    assert_eq!(all.len(), 2);
    let before = Some(all[1].number);
    let rest = outbox::list(&mut tx, &Filter { limit: 2, before, ..Filter::default() }).await.unwrap();
    assert_eq!(rest.len(), 1);
    let source = mail();
    let states = vec![DeliveryState::Refused, DeliveryState::Unknown];
    let wanted = Filter { states, source: Some(&source), before: None, limit: 9 };
    assert_eq!(outbox::list(&mut tx, &wanted).await.unwrap().iter().map(|row| row.id).collect::<Vec<_>>(), [row.id]);
}

/// 400 rows of 20 conversations, 8 workers; one in forty is never reported, one in forty late.
async fn eight_workers_send_each_row_once_and_in_order(world: &World) {
    use std::sync::Mutex;
    let numbers: Vec<u64> = (1..=20).collect();
    opened(&world.db, &numbers).await;
    let rows: Vec<_> = (0..380)
        .map(|n| NewDelivery {
            conversation: ConversationKey::new(format!("<root-{}@client.example>", n % 20 + 1)),
            ..another(n % 20 + 1, n)
        })
        .collect();
    more(world, &rows).await;
    let completed = Mutex::new(Vec::new());
    let refused = Mutex::new(0);
    let work = async |worker: u64| {
        for turn in 0..400 {
            let now = later(turn * 61);
            let mut tx = world.write().await;
            outbox::recover(&mut tx, ME, true, now).await.unwrap();
            tx.commit().await.unwrap();
            let claimed = claim_as(world, ME, 5, now).await;
            if claimed.is_empty() && completed.lock().unwrap().len() == 400 {
                break;
            }
            for row in claimed {
                let fate = (row.number + row.attempts + i64::try_from(worker).unwrap()) % 40;
                if fate == 0 && row.attempts < 3 {
                    continue;
                }
                if fate == 1 && row.attempts < 3 {
                    let mut tx = world.write().await;
                    outbox::recover(&mut tx, ME, true, later((turn + 1) * 61)).await.unwrap();
                    tx.commit().await.unwrap();
                }
                // One lock over the write and the note of it: the notes are in the order of the commits.
                let settled = settle(world, &row, Outcome::Sent { external_id: None }, now).await;
                if settled {
                    completed.lock().unwrap().push((row.conversation.as_str().to_owned(), row.number));
                } else {
                    *refused.lock().unwrap() += 1;
                }
            }
        }
    };
    let workers = (0..8).map(work);
    for_each_at_once(workers.collect()).await;
    let completed = completed.into_inner().unwrap();
    assert_eq!(completed.len(), 400);
    let each: std::collections::BTreeSet<_> = completed.iter().collect();
    assert_eq!(each.len(), 400, "no row was completed twice");
    for conversation in completed.iter().map(|(conversation, _)| conversation) {
        let order: Vec<_> =
            completed.iter().filter(|(other, _)| other == conversation).map(|(_, number)| number).collect();
        assert!(order.is_sorted(), "{conversation}: {order:?}");
    }
    assert!(refused.into_inner().unwrap() > 0, "no completion was late");
}

async fn for_each_at_once<F: Future<Output = ()>>(futures: Vec<F>) {
    let mut pinned: Vec<_> = futures.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        pinned.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if pinned.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
