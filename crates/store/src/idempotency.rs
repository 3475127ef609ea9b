//! A request of a program that is sent twice is carried out once and answered twice.

use guichet_domain::Moment;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, queries};

queries! {
    BEGIN = "INSERT INTO idempotency (agent, key, body_hash, status, body, at) VALUES ($1, $2, $3, NULL, NULL, $4) \
        ON CONFLICT (agent, key) DO NOTHING";
    SEEN = "SELECT body_hash, status, body FROM idempotency WHERE agent = $1 AND key = $2";
    FINISH = "UPDATE idempotency SET status = $3, body = $4 WHERE agent = $1 AND key = $2";
    FORGET = "DELETE FROM idempotency WHERE agent = $1 AND key = $2";
    PRUNE = "DELETE FROM idempotency WHERE at < $1";
}

/// Whether a request was seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It was not: carry it out, then [`finish`].
    Fresh,
    /// It was: answer the same again.
    Replay {
        /// The status answered.
        status: i64,
        /// The body answered.
        body: String,
    },
    /// The same key came with another body: refuse.
    Mismatch,
    /// It began and never finished: in another transaction that goes on, or in one that was committed without an answer.
    InProgress,
}

/// Begins a request. Done in the transaction that carries it out: rolling back forgets it.
pub async fn begin(tx: &mut Tx, agent: &str, key: &str, body_hash: &str, now: Moment) -> Result<Begun, StoreError> {
    if sql::execute(tx, BEGIN, &[agent.into(), key.into(), body_hash.into(), now.into()]).await? == 1 {
        return Ok(Begun::Fresh);
    }
    let Some(row) = sql::row(tx, SEEN, &[agent.into(), key.into()]).await? else { return Ok(Begun::InProgress) };
    if row.get::<String>("body_hash")? != body_hash {
        return Ok(Begun::Mismatch);
    }
    let (status, body): (Option<i64>, Option<String>) = (row.get("status")?, row.get("body")?);
    Ok(match (status, body) {
        (Some(status), Some(body)) => Begun::Replay { status, body },
        _ => Begun::InProgress,
    })
}

/// Keeps the answer to a request that was begun.
pub async fn finish(tx: &mut Tx, agent: &str, key: &str, status: i64, body: &str) -> Result<(), StoreError> {
    let values = [agent.into(), key.into(), status.into(), body.into()];
    sql::execute_one(tx, "keep an answer", FINISH, &values).await
}

/// Forgets a request that was begun and had no effect, so that it can be tried again under its key.
pub async fn forget(tx: &mut Tx, agent: &str, key: &str) -> Result<(), StoreError> {
    sql::execute_one(tx, "forget a request", FORGET, &[agent.into(), key.into()]).await
}

/// Forgets requests from before; how many.
pub async fn prune(tx: &mut Tx, before: Moment) -> Result<u64, StoreError> {
    sql::execute(tx, PRUNE, &[before.into()]).await
}
