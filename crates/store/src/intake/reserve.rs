//! Accepted once: whoever writes an inbox key first has the item.

use std::collections::HashMap;

use guichet_domain::ids::{InboundId, Seq, TicketId};
use guichet_domain::reason::Reason;
use guichet_domain::reference::Reference;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::record::Verdict;
use crate::sql;
use crate::value::{Value, bounded};

const RESERVE: &str = "INSERT INTO inbox_key (key, inbound) VALUES ";
const HELD: &str = "SELECT key, inbound FROM inbox_key WHERE key IN (VALUES ";
const REPOINT: &str = "WITH moved (key, inbound) AS (VALUES ";
const REPOINT_TAIL: &str = ") UPDATE inbox_key SET inbound = moved.inbound FROM moved WHERE inbox_key.key = moved.key";
const ANSWERS: &str = "SELECT inbound.id AS id, inbound.verdict AS verdict, inbound.reason AS reason, inbound.ticket AS ticket, \
     inbound.seq AS seq, ticket.reference AS reference \
     FROM inbound LEFT JOIN ticket ON ticket.id = inbound.ticket WHERE inbound.id IN (VALUES ";

/// One key of one item. An item may have several, under each of which it might come again.
#[derive(Debug, Clone, Copy)]
pub struct KeyRow<'a> {
    /// The key, over all sources. From 396 octets on it is stored cut, with its hash.
    pub key: &'a str,
    /// The row the item will have.
    pub inbound: InboundId,
}

/// What became of an item's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// All are its own: take it in.
    Won,
    /// It was here before.
    Earlier {
        /// The row of the first time: of this batch when `answer` is absent.
        inbound: InboundId,
        /// What was answered then.
        answer: Option<Answer>,
    },
}

/// What was answered when an item came for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The outcome.
    pub verdict: Verdict,
    /// Why.
    pub reason: Option<Reason>,
    /// Its ticket.
    pub ticket: Option<TicketId>,
    /// The ticket's reference.
    pub reference: Option<Reference>,
    /// Its place in the public timeline.
    pub seq: Option<Seq>,
}

/// Reserves the keys of a batch, in the batch's order: of two items of the batch that share a key the first wins. A key
/// that only the loser had leads to the winner from now on. One answer for each item that has a key.
///
/// A concurrent transaction that reserved the same key first is waited for. Rolling back gives all keys free.
pub async fn reserve(tx: &mut Tx, keys: &[KeyRow<'_>]) -> Result<HashMap<InboundId, Reserved>, StoreError> {
    let holders = insert(tx, keys).await?;
    let mut first: HashMap<InboundId, InboundId> = HashMap::new();
    let mut order = Vec::new();
    for row in keys {
        first.entry(row.inbound).or_insert_with(|| {
            order.push(row.inbound);
            row.inbound
        });
        let holder = holders.get(bounded(row.key).as_ref()).copied().unwrap_or(row.inbound);
        if let Some(earlier) = first.get_mut(&row.inbound).filter(|earlier| **earlier == row.inbound) {
            *earlier = holder;
        }
    }
    let winners: HashMap<InboundId, InboundId> = order.iter().map(|id| (*id, winner(&first, *id))).collect();
    repoint(tx, keys, &holders, &winners).await?;
    let outside: Vec<InboundId> = winners.values().copied().filter(|id| !first.contains_key(id)).collect();
    let answers = answers(tx, outside).await?;
    Ok(winners
        .into_iter()
        .map(|(id, winner)| {
            let earlier = || Reserved::Earlier { inbound: winner, answer: answers.get(&winner).cloned() };
            (id, if id == winner { Reserved::Won } else { earlier() })
        })
        .collect())
}

/// Who holds each key after what was free was taken.
async fn insert(tx: &mut Tx, keys: &[KeyRow<'_>]) -> Result<HashMap<String, InboundId>, StoreError> {
    let mut wanted: Vec<(String, InboundId)> =
        keys.iter().map(|row| (bounded(row.key).into_owned(), row.inbound)).collect();
    // Sorted, so that two batches with the same keys wait for each other instead of dying both; stable, so that the
    // first item of the batch comes first.
    wanted.sort_by(|left, right| left.0.cmp(&right.0));
    wanted.dedup_by(|later, earlier| later.0 == earlier.0);
    let values = wanted.iter().map(|(key, inbound)| [Value::text(key.as_str()), (*inbound).into()]).collect();
    if sql::over(tx, RESERVE, values, " ON CONFLICT (key) DO NOTHING").await? == wanted.len() as u64 {
        return Ok(wanted.into_iter().collect());
    }
    let all = wanted.iter().map(|(key, _)| [Value::text(key.as_str())]).collect();
    let held = sql::rows_over(tx, HELD, all, ")").await?;
    if held.len() != wanted.len() {
        // A holder has vanished between the two statements: only deleting by hand can do that.
        return Err(StoreError::Conflict { what: "inbox keys".to_owned() });
    }
    held.iter().map(|row| Ok((row.get::<String>("key")?, row.key("inbound", InboundId)?))).collect()
}

/// Follows an item to the first of those it shares keys with.
fn winner(first: &HashMap<InboundId, InboundId>, id: InboundId) -> InboundId {
    let mut at = id;
    for _ in 0..first.len() {
        match first.get(&at) {
            Some(earlier) if *earlier != at => at = *earlier,
            _ => break,
        }
    }
    at
}

async fn repoint(
    tx: &mut Tx,
    keys: &[KeyRow<'_>],
    holders: &HashMap<String, InboundId>,
    winners: &HashMap<InboundId, InboundId>,
) -> Result<(), StoreError> {
    let moved: HashMap<String, InboundId> = keys
        .iter()
        .map(|row| bounded(row.key).into_owned())
        .filter_map(|key| {
            let holder = holders.get(&key)?;
            let winner = winners.get(holder).filter(|winner| *winner != holder)?;
            Some((key, *winner))
        })
        .collect();
    let values: Vec<_> = moved.iter().map(|(key, winner)| [Value::text(key.as_str()), (*winner).into()]).collect();
    let expected = values.len() as u64;
    sql::expect("lead keys to the first item", expected, sql::over(tx, REPOINT, values, REPOINT_TAIL).await?)
}

async fn answers(tx: &mut Tx, inbounds: Vec<InboundId>) -> Result<HashMap<InboundId, Answer>, StoreError> {
    let values = inbounds.into_iter().map(|id| [id.into()]).collect();
    let mut answers = HashMap::new();
    for row in sql::rows_over(tx, ANSWERS, values, ")").await? {
        let reference = row.get::<Option<String>>("reference")?.map(|_| row.reference("reference")).transpose()?;
        let answer = Answer {
            verdict: row.word("verdict", Verdict::parse)?,
            reason: row.maybe_reason("reason")?,
            ticket: row.maybe_key("ticket", TicketId)?,
            reference,
            seq: row.get::<Option<i64>>("seq")?.map(Seq),
        };
        answers.insert(row.key("id", InboundId)?, answer);
    }
    Ok(answers)
}
