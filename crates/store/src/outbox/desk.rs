//! The outbox as agents and operators see it, and what they do to it by hand.

use std::time::Duration;

use guichet_domain::Moment;
use guichet_domain::ids::{DeliveryId, ExternalId, SourceName, TicketId};
use guichet_domain::outgoing::DeliveryState;
use guichet_domain::reason::{self, Reason};

use super::settle::known_by;
use super::{OutboxRow, outbox_columns, read};
use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Builder, queries};

queries! {
    BY_ID = concat!("SELECT ", outbox_columns!(), " FROM outbox WHERE id = $1");
    OF_TICKET = concat!("SELECT ", outbox_columns!(), " FROM outbox WHERE ticket = $1 ORDER BY number");
    STANDING = "SELECT source, state, count(*) AS n, min(created_at) AS oldest FROM outbox GROUP BY state, source \
        ORDER BY state, source";
    OLDEST_DUE = "SELECT min(due_at) AS at FROM outbox WHERE state = 'pending' AND due_at <= $1";
    ATTEMPTS = "SELECT fence, started_at, ended_at, outcome, detail FROM attempt WHERE delivery = $1 ORDER BY fence";
    RETRY = "UPDATE outbox SET state = 'pending', due_at = $2, \
        doubts = CASE WHEN state = 'unknown' THEN 0 ELSE doubts END, \
        expires_at = CASE WHEN expires_at > $3 THEN expires_at ELSE $3 END, reason = NULL, settled_at = NULL \
        WHERE id = $1 AND state IN ('pending', 'refused', 'unknown', 'expired', 'suppressed')";
    SUPPRESS = "UPDATE outbox SET state = 'suppressed', reason = $2, settled_at = $3 \
        WHERE id = $1 AND state IN ('pending', 'unknown', 'refused', 'expired')";
    PROVE = "UPDATE outbox SET state = 'sent', reason = $2, settled_at = $3, fence = fence + 1, lease_until = NULL, \
        incarnation = NULL WHERE id = $1 AND state IN ('sending', 'unknown', 'pending', 'expired') AND attempts > 0";
    PROVE_ATTEMPT = "UPDATE attempt SET ended_at = $2, outcome = 'sent' WHERE delivery = $1 AND ended_at IS NULL";
    THREAD = "SELECT external_id FROM entry_id WHERE ticket = $1 ORDER BY at DESC, external_id DESC LIMIT $2";
}

/// Which rows to list.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    /// Only these states; all when empty.
    pub states: Vec<DeliveryState>,
    /// Only this source.
    pub source: Option<&'a SourceName>,
    /// Only those queued before this one: the last `number` of the page before.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

/// How many rows of a source are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The source.
    pub source: SourceName,
    /// The state.
    pub state: DeliveryState,
    /// How many.
    pub n: i64,
    /// When the oldest of them was queued.
    pub oldest: Moment,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The fence it was made with.
    pub fence: i64,
    /// When it began.
    pub started_at: Moment,
    /// When it ended; absent while it runs.
    pub ended_at: Option<Moment>,
    /// What came of it: `sent`, `retry`, `refused`, `unknown`, `expired`, `suppressed`.
    pub outcome: Option<String>,
    /// The network's words.
    pub detail: Option<String>,
}

/// One row.
pub async fn by_id(tx: &mut Tx, id: DeliveryId) -> Result<Option<OutboxRow>, StoreError> {
    sql::row(tx, BY_ID, &[id.into()]).await?.as_ref().map(read).transpose()
}

/// All rows of a ticket, in order.
pub async fn of_ticket(tx: &mut Tx, ticket: TicketId) -> Result<Vec<OutboxRow>, StoreError> {
    sql::rows(tx, OF_TICKET, &[ticket.into()]).await?.iter().map(read).collect()
}

/// Rows, the latest first.
pub async fn list(tx: &mut Tx, filter: &Filter<'_>) -> Result<Vec<OutboxRow>, StoreError> {
    let mut query = Builder::new(tx, concat!("SELECT ", outbox_columns!(), " FROM outbox WHERE number < "));
    query.bind(filter.before.unwrap_or(i64::MAX));
    if !filter.states.is_empty() {
        // Most rows are sent: those are found from the latest back, without an index that would have to be sorted.
        let is_common = filter.states.contains(&DeliveryState::Sent);
        query.push(if is_common { " AND state || '' IN " } else { " AND state IN " });
        query.list(filter.states.iter().map(|state| state.as_str()));
    }
    if let Some(source) = filter.source {
        query.push(" AND source = ").bind(source);
    }
    query.push(" ORDER BY number DESC LIMIT ").bind(filter.limit);
    query.rows(tx).await?.iter().map(read).collect()
}

/// How many rows of each source are in each state.
pub async fn standing(tx: &mut Tx) -> Result<Vec<Standing>, StoreError> {
    let rows = sql::rows(tx, STANDING, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Standing {
                source: row.source("source")?,
                state: row.word("state", DeliveryState::parse)?,
                n: row.get("n")?,
                oldest: row.at("oldest")?,
            })
        })
        .collect()
}

/// Since when the row waits that has been due the longest.
pub async fn oldest_due(tx: &mut Tx, now: Moment) -> Result<Option<Moment>, StoreError> {
    let row = sql::row(tx, OLDEST_DUE, &[now.into()]).await?;
    Ok(row.map(|row| row.maybe_at("at")).transpose()?.flatten())
}

/// The tries of a row, in order.
pub async fn attempts(tx: &mut Tx, id: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
    let rows = sql::rows(tx, ATTEMPTS, &[id.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Attempt {
                fence: row.get("fence")?,
                started_at: row.at("started_at")?,
                ended_at: row.maybe_at("ended_at")?,
                outcome: row.get("outcome")?,
                detail: row.get("detail")?,
            })
        })
        .collect()
}

/// Sends a row (again), now, by hand, in doubt or not: whoever asks has looked. It lives at least `life` longer. `false` when it was sent or is being sent.
pub async fn retry(tx: &mut Tx, id: DeliveryId, life: Duration, now: Moment) -> Result<bool, StoreError> {
    Ok(sql::execute(tx, RETRY, &[id.into(), now.into(), (now + life).into()]).await? == 1)
}

/// Takes a row out by hand. `false` when it was sent, is being sent or is out already.
pub async fn cancel(tx: &mut Tx, id: DeliveryId, now: Moment) -> Result<bool, StoreError> {
    suppress(tx, id, &reason::CANCELLED, now).await
}

/// Takes a row out for a reason. `false` when it was sent, is being sent or is out already.
pub async fn suppress(tx: &mut Tx, id: DeliveryId, why: &Reason, now: Moment) -> Result<bool, StoreError> {
    Ok(sql::execute(tx, SUPPRESS, &[id.into(), why.into(), now.into()]).await? == 1)
}

/// Writes down that a row was sent, because its copy came back: whoever holds it cannot settle it any more. `false` when
/// that was known, or it was never tried.
pub async fn prove_sent(
    tx: &mut Tx,
    id: DeliveryId,
    external_id: Option<&ExternalId>,
    now: Moment,
) -> Result<bool, StoreError> {
    let proved = sql::execute(tx, PROVE, &[id.into(), (&reason::JOURNAL_PROOF).into(), now.into()]).await? == 1;
    if proved {
        sql::execute(tx, PROVE_ATTEMPT, &[id.into(), now.into()]).await?;
    }
    if let Some(external_id) = external_id {
        known_by(tx, id, external_id, now).await?;
    }
    Ok(proved)
}

/// The ids of the latest messages of a ticket, oldest first: what an answer refers to. At most `limit`. Ids that were too
/// long to be kept whole are left out.
pub async fn thread(tx: &mut Tx, ticket: TicketId, limit: i64) -> Result<Vec<ExternalId>, StoreError> {
    let rows = sql::rows(tx, THREAD, &[ticket.into(), limit.into()]).await?;
    let mut ids = Vec::with_capacity(rows.len());
    for row in rows.iter().rev() {
        let id: String = row.get("external_id")?;
        if id.len() < crate::value::CUT {
            ids.push(ExternalId::new(id));
        }
    }
    Ok(ids)
}
