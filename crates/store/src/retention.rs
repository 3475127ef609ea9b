//! What is not kept for ever. A ticket outlives its raw bytes.

use guichet_domain::Moment;
use guichet_domain::ids::InboundId;

use crate::blob::BlobHash;
use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Builder, queries};
use crate::value::Value;

queries! {
    STILL_USED = "SELECT (SELECT count(*) FROM raw WHERE hash = $1 AND bytes IS NULL) \
        + (SELECT count(*) FROM blob WHERE hash = $1 AND bytes IS NULL) AS n";
    OLD = "SELECT id FROM inbound WHERE raw_hash IS NOT NULL AND received_at < $1 \
        AND (quarantine IS NULL OR quarantine <> 'held') ORDER BY received_at LIMIT $2";
    PULSES = "DELETE FROM pulse WHERE span < $1";
}

/// What was pruned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// How many items lost their raw bytes.
    pub inbounds: u64,
    /// Bytes in files that nothing refers to any more: unlink them after the commit.
    pub files: Vec<BlobHash>,
}

/// Drops the raw bytes of items received before `before`, those that are held in quarantine excepted; at most `limit`
/// items a call. Call it until nothing is left.
pub async fn prune_raw(tx: &mut Tx, before: Moment, limit: i64) -> Result<Pruned, StoreError> {
    let rows = sql::rows(tx, OLD, &[before.into(), limit.into()]).await?;
    let ids: Vec<InboundId> = rows.iter().map(|row| row.key("id", InboundId)).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(Pruned::default());
    }
    let mut query = Builder::new(tx, "UPDATE inbound SET raw_hash = NULL WHERE id IN ");
    query.list(ids.iter().map(|id| Value::from(*id)));
    let inbounds = query.execute(tx).await?;
    sql::expect("drop raw bytes", ids.len() as u64, inbounds)?;
    let mut query = Builder::new(tx, "DELETE FROM raw WHERE inbound IN ");
    query.list(ids.iter().map(|id| Value::from(*id))).push(" RETURNING hash, bytes IS NULL AS in_file");
    let mut files = Vec::new();
    for row in query.rows(tx).await? {
        if row.get::<bool>("in_file")? {
            files.push(row.get::<Vec<u8>>("hash")?);
        }
    }
    let mut unused = Vec::new();
    for hash in files {
        let still_used = sql::row(tx, STILL_USED, &[hash.as_slice().into()]).await?;
        if still_used.is_none_or(|row| row.get::<i64>("n").is_ok_and(|n| n == 0)) {
            unused.push(BlobHash::read(&hash)?);
        }
    }
    unused.sort();
    unused.dedup();
    Ok(Pruned { inbounds, files: unused })
}

/// Forgets how many automatic messages were queued before `before`; the breaker looks back seven days.
pub async fn prune_pulses(tx: &mut Tx, before: Moment) -> Result<u64, StoreError> {
    sql::execute(tx, PULSES, &[before.into()]).await
}
