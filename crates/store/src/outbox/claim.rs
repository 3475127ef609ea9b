//! Taking rows to send, and taking back those whose worker is gone.

use std::time::Duration;

use guichet_domain::Moment;
use guichet_domain::ids::{DeliveryId, SourceName, TicketId};
use guichet_domain::reason;
use uuid::Uuid;

use super::{OutboxRow, outbox_columns, read};
use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Builder, Row, queries};
use crate::value::Value;

/// Taking rows is written twice: on PostgreSQL a worker passes over what another is just taking. Without that it would
/// still be right, but two workers that take the same rows in another order stop each other. What is picked is locked on
/// either engine: the update asks for keys alone, so that it never reads all that waits. A row that is held has a lease;
/// saying so leads SQLite to the few that are, where it would else read the whole table for an `OR`.
macro_rules! taking {
    ($lock:literal) => {
        queries! {
            CLAIM = concat!(
                "WITH picked AS MATERIALIZED (SELECT candidate.number FROM outbox AS candidate \
WHERE candidate.state = 'pending' AND candidate.source = $1 AND candidate.due_at <= $2 \
AND candidate.expires_at > $2 AND NOT EXISTS (SELECT 1 FROM outbox AS earlier \
WHERE earlier.source = candidate.source AND earlier.conversation = candidate.conversation \
AND earlier.number < candidate.number AND earlier.state IN ('pending', 'sending')) \
ORDER BY candidate.due_at, candidate.number LIMIT $3", $lock, ") \
UPDATE outbox SET state = 'sending', fence = fence + 1, attempts = attempts + 1, lease_until = $4, \
incarnation = $5 WHERE number IN (SELECT number FROM picked) \
RETURNING ", outbox_columns!()
            );
            RECOVER_ALL = concat!(
                "WITH picked AS MATERIALIZED (SELECT candidate.number FROM outbox AS candidate \
WHERE candidate.state = 'sending' AND candidate.lease_until IS NOT NULL \
AND (candidate.lease_until <= $1 OR candidate.incarnation <> $2)",
                 $lock, ") ", recover!()
            );
            RECOVER_LATE = concat!(
                "WITH picked AS MATERIALIZED (SELECT candidate.number FROM outbox AS candidate \
WHERE candidate.state = 'sending' AND candidate.lease_until <= $1", $lock, ") ", recover!()
            );
            EXPIRE = concat!(
                "WITH picked AS MATERIALIZED (SELECT candidate.number FROM outbox AS candidate \
WHERE candidate.state = 'pending' AND candidate.expires_at <= $1 \
ORDER BY candidate.expires_at LIMIT $3", $lock, ") \
UPDATE outbox SET state = CASE WHEN doubts > 0 THEN 'unknown' ELSE 'expired' END, reason = $2, \
settled_at = $1 WHERE number IN (SELECT number FROM picked) RETURNING id, ticket, fence"
            );
        }

        pub(super) const TAKING: super::Taking =
            super::Taking { claim: CLAIM, recover_all: RECOVER_ALL, recover_late: RECOVER_LATE, expire: EXPIRE };
    };
}

macro_rules! recover {
    () => {
        "UPDATE outbox SET state = 'pending', fence = fence + 1, doubts = doubts + 1, lease_until = NULL, \
         incarnation = NULL, due_at = $1 WHERE number IN (SELECT number FROM picked) \
         RETURNING id, ticket, fence"
    };
}

mod plain {
    use super::{outbox_columns, queries};
    taking!("");
}

/// As PostgreSQL understands it, and SQLite, which has one writer at a time, does not.
pub(super) mod skipping {
    use super::{outbox_columns, queries};
    taking!(" FOR UPDATE OF candidate SKIP LOCKED");
}

struct Taking {
    claim: &'static str,
    recover_all: &'static str,
    recover_late: &'static str,
    expire: &'static str,
}

fn taking(tx: &Tx) -> Taking {
    if tx.is_postgres() { skipping::TAKING } else { plain::TAKING }
}

queries! {
    NEXT_DUE = "SELECT min(due_at) AS at FROM outbox WHERE state = 'pending' AND source = $1 AND due_at > $2";
    NEXT_LEASE = "SELECT min(lease_until) AS at FROM outbox WHERE state = 'sending' AND lease_until IS NOT NULL";
}

#[cfg(test)]
pub(super) const PLAIN: &[(&str, &str)] = plain::ALL;

/// What a worker wants to claim.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// Of which source.
    pub source: &'a SourceName,
    /// The process: its leases end at once when it is gone.
    pub incarnation: Uuid,
    /// For how long; longer than one attempt may take.
    pub lease: Duration,
    /// At most so many: no more than there are permits to send.
    pub limit: i64,
}

/// A row whose outcome nobody knows, or that has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubtful {
    /// The row.
    pub id: DeliveryId,
    /// What it speaks of.
    pub ticket: TicketId,
    /// The fence it was last claimed with; zero when it never was.
    pub fence: i64,
}

/// Claims due rows of a source, the longest due first, of each conversation only the oldest that is unfinished. Each
/// claimed row has a new fence and a started attempt; commit before anything is sent. A row with
/// [`doubts`](OutboxRow::doubts) must be looked for before it is sent again.
pub async fn claim(tx: &mut Tx, claim: &Claim<'_>, now: Moment) -> Result<Vec<OutboxRow>, StoreError> {
    let until = now + claim.lease;
    let values = [claim.source.into(), now.into(), claim.limit.into(), until.into(), claim.incarnation.into()];
    let rows = sql::rows(tx, taking(tx).claim, &values).await?;
    let mut claimed: Vec<OutboxRow> = rows.iter().map(read).collect::<Result<_, _>>()?;
    claimed.sort_by_key(|row| (row.due_at, row.number));
    let attempts: Vec<_> = claimed.iter().map(|row| [row.id.into(), row.fence.into(), now.into()]).collect();
    let expected = attempts.len() as u64;
    let started = sql::over(tx, "INSERT INTO attempt (delivery, fence, started_at) VALUES ", attempts, "").await?;
    sql::expect("start attempts", expected, started)?;
    Ok(claimed)
}

/// Takes back what a worker held and never settled: its lease is over, or (`alone`: no other process uses this database)
/// its process is gone. Such a row is due at once, with one more doubt; its attempt ended in `unknown`, and whoever
/// held it cannot settle it any more.
pub async fn recover(tx: &mut Tx, incarnation: Uuid, alone: bool, now: Moment) -> Result<Vec<Doubtful>, StoreError> {
    let rows = if alone {
        sql::rows(tx, taking(tx).recover_all, &[now.into(), incarnation.into()]).await?
    } else {
        sql::rows(tx, taking(tx).recover_late, &[now.into()]).await?
    };
    end_attempts(tx, &rows, now).await?;
    // Taking back grew the fence by one.
    rows.iter().map(|row| doubtful(row, 1)).collect()
}

/// Says that attempts which [`recover`] took back were surely never begun: they carry no doubt. Whoever calls must know.
pub async fn clear_doubts(tx: &mut Tx, never_begun: &[DeliveryId]) -> Result<u64, StoreError> {
    if never_begun.is_empty() {
        return Ok(0);
    }
    let mut query =
        Builder::new(tx, "UPDATE outbox SET doubts = doubts - 1 WHERE state = 'pending' AND doubts > 0 AND id IN ");
    query.list(never_begun.iter().copied());
    query.execute(tx).await
}

/// Ends what could not be sent within its life: `expired`, or `unknown` where an attempt might have arrived. At most
/// `limit` rows; an agent must be told of each.
pub async fn expire(tx: &mut Tx, now: Moment, limit: i64) -> Result<Vec<Doubtful>, StoreError> {
    let rows = sql::rows(tx, taking(tx).expire, &[now.into(), (&reason::EXPIRED).into(), limit.into()]).await?;
    rows.iter().map(|row| doubtful(row, 0)).collect()
}

/// When to look again: the next row of a source that is not due yet, or the next lease to end. Rows that are due already
/// do not count: they are claimed, or wait for an earlier one of their conversation.
pub async fn next_due(tx: &mut Tx, source: &SourceName, now: Moment) -> Result<Option<Moment>, StoreError> {
    let due = sql::row(tx, NEXT_DUE, &[source.into(), now.into()]).await?;
    let due = due.map(|row| row.maybe_at("at")).transpose()?.flatten();
    let lease = sql::row(tx, NEXT_LEASE, &[]).await?;
    let lease = lease.map(|row| row.maybe_at("at")).transpose()?.flatten();
    Ok(due.into_iter().chain(lease).min())
}

async fn end_attempts(tx: &mut Tx, rows: &[Row], now: Moment) -> Result<(), StoreError> {
    let mut ended: Vec<[Value<'_>; 2]> = Vec::with_capacity(rows.len());
    for row in rows {
        // The fence has grown by one since the attempt began.
        ended.push([row.key("id", DeliveryId)?.into(), (row.get::<i64>("fence")? - 1).into()]);
    }
    if ended.is_empty() {
        return Ok(());
    }
    let mut query = Builder::new(tx, "UPDATE attempt SET outcome = 'unknown', ended_at = ");
    query.bind(now).push(" WHERE ended_at IS NULL AND (delivery, fence) IN (VALUES ").tuples(ended).push(")");
    let expected = rows.len() as u64;
    sql::expect("end attempts", expected, query.execute(tx).await?)
}

fn doubtful(row: &Row, grown: i64) -> Result<Doubtful, StoreError> {
    let fence = row.get::<i64>("fence")? - grown;
    Ok(Doubtful { id: row.key("id", DeliveryId)?, ticket: row.ticket("ticket")?, fence })
}
