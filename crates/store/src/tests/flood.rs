//! The same message delivered many times at once opens one ticket.

use std::collections::{BTreeMap, HashSet};

use guichet_domain::ids::{ExternalId, InboundId};

use super::make::{NOW, inbound, key, mail, ticket};
use super::{World, on_both_engines};
use crate::intake::{KeyRow, Reserved, reserve};
use crate::record::{Batch, NewInbound, Opened, Verdict, record};
use crate::{Db, StoreError, figures};

on_both_engines!(sixteen_hundred_deliveries_of_two_hundred_messages_open_two_hundred_tickets);

const TASKS: u64 = 8;
const MESSAGES: u64 = 200;

/// What intake does with a batch, as far as the store is concerned: the reference each item was answered with.
async fn take_in(db: &Db, task: u64, messages: &[u64]) -> Result<Vec<(u64, String)>, StoreError> {
    let source = mail();
    let row = |message: u64| InboundId(key(10_000_000 + task * 1_000 + message));
    let keys: Vec<_> = messages.iter().map(|message| format!("support-mail/{message}")).collect();
    let keys: Vec<_> =
        messages.iter().zip(&keys).map(|(message, key)| KeyRow { key, inbound: row(*message) }).collect();
    let mut tx = db.write().await?;
    let reserved = reserve(&mut tx, &keys).await?;
    let mut answers = Vec::new();
    let mut tickets = Vec::new();
    for message in messages {
        match &reserved[&row(*message)] {
            Reserved::Won => {
                let mut new = ticket(*message);
                new.last_seq = 0;
                answers.push((*message, new.reference.digits()));
                tickets.push(new);
            }
            Reserved::Earlier { answer, .. } => {
                let reference = answer.as_ref().and_then(|answer| answer.reference);
                answers.push((*message, reference.expect("a committed item has its answer").digits()));
            }
        }
    }
    let won: HashSet<_> = tickets.iter().map(|ticket| ticket.id).collect();
    let id = ExternalId::from("x");
    let batch = Batch {
        at: NOW,
        opened: tickets.iter().map(|ticket| Opened { ticket, status_hash: None }).collect(),
        inbounds: messages
            .iter()
            .filter(|message| won.contains(&ticket(**message).id))
            .map(|message| NewInbound { id: row(*message), ..inbound(*message, &source, &id) })
            .collect(),
        tally: messages
            .iter()
            .map(|message| {
                let verdict = if won.contains(&ticket(*message).id) { Verdict::Opened } else { Verdict::Duplicate };
                (&source, verdict, 1)
            })
            .collect(),
        ..Batch::default()
    };
    record(&mut tx, &batch).await?;
    tx.commit().await?;
    Ok(answers)
}

async fn sixteen_hundred_deliveries_of_two_hundred_messages_open_two_hundred_tickets(world: &World) {
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let db = world.db.clone();
        tasks.spawn(async move {
            let mut answers = Vec::new();
            // Each task in another order and in batches of another size, so that they meet everywhere.
            let order: Vec<u64> = (0..MESSAGES).map(|n| (n * (2 * task + 1) + task * 31) % MESSAGES + 1).collect();
            let order: Vec<u64> = if order.iter().collect::<HashSet<_>>().len() as u64 == MESSAGES {
                order
            } else {
                (1..=MESSAGES).rev().collect()
            };
            for batch in order.chunks(usize::try_from(3 + task * 5).unwrap()) {
                answers.extend(take_in(&db, task, batch).await.unwrap());
            }
            answers
        });
    }
    let mut answered: BTreeMap<u64, HashSet<String>> = BTreeMap::new();
    let mut answers = 0;
    while let Some(task) = tasks.join_next().await {
        for (message, reference) in task.unwrap() {
            answered.entry(message).or_default().insert(reference);
            answers += 1;
        }
    }
    assert_eq!(answers, TASKS * MESSAGES);
    assert!(answered.values().all(|references| references.len() == 1), "one message, one number");
    let mut tx = world.read().await;
    let counted = figures::tally(&mut tx).await.unwrap();
    assert_eq!(counted[&(mail(), Verdict::Opened)], 200);
    assert_eq!(counted[&(mail(), Verdict::Duplicate)], 1_400);
    assert!(figures::discrepancies(&mut tx).await.unwrap().is_sound());
    let filter = crate::ticket_list::TicketFilter { limit: 999, ..Default::default() };
    assert_eq!(crate::ticket_list::list(&mut tx, &filter).await.unwrap().len(), 200);
}
