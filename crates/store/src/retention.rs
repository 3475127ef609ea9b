//! What is not kept for ever. A ticket outlives its raw bytes.

use guichet_domain::Moment;
use guichet_domain::ids::InboundId;

use crate::blob::BlobHash;
use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Builder, queries};
use crate::value::Value;

queries! {
    OLD = "SELECT id, raw_hash FROM inbound WHERE raw_hash IS NOT NULL AND received_at < $1 \
        AND (quarantine IS NULL OR quarantine <> 'held') ORDER BY received_at LIMIT $2";
    PULSES = "DELETE FROM pulse WHERE span < $1";
}

/// What was pruned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// How many items lost their raw bytes.
    pub inbounds: u64,
    /// Blobs that nothing refers to any more. Those that lie in files can be unlinked after the commit.
    pub blobs: Vec<BlobHash>,
}

/// Drops the raw bytes of items received before `before`, those that are held in quarantine excepted; at most `limit`
/// items a call. Call it until nothing is left.
pub async fn prune_raw(tx: &mut Tx, before: Moment, limit: i64) -> Result<Pruned, StoreError> {
    let rows = sql::rows(tx, OLD, &[before.into(), limit.into()]).await?;
    let (mut ids, mut hashes) = (Vec::new(), Vec::new());
    for row in &rows {
        ids.push(row.key("id", InboundId)?);
        hashes.push(row.get::<Vec<u8>>("raw_hash")?);
    }
    if ids.is_empty() {
        return Ok(Pruned::default());
    }
    let mut query = Builder::new(tx, "UPDATE inbound SET raw_hash = NULL WHERE id IN ");
    query.list(ids.iter().map(|id| Value::from(*id)));
    let inbounds = query.execute(tx).await?;
    sql::expect("drop raw bytes", ids.len() as u64, inbounds)?;
    let mut query = Builder::new(tx, "DELETE FROM blob WHERE hash IN ");
    query.list(hashes.iter().map(|hash| Value::from(hash.as_slice())));
    query.push(
        " AND NOT EXISTS (SELECT 1 FROM inbound WHERE inbound.raw_hash = blob.hash) \
         AND NOT EXISTS (SELECT 1 FROM attachment WHERE attachment.hash = blob.hash) RETURNING hash",
    );
    let mut blobs = Vec::new();
    for row in query.rows(tx).await? {
        blobs.push(BlobHash::read(&row.get::<Vec<u8>>("hash")?)?);
    }
    Ok(Pruned { inbounds, blobs })
}

/// Forgets how many automatic messages were queued before `before`; the breaker looks back seven days.
pub async fn prune_pulses(tx: &mut Tx, before: Moment) -> Result<u64, StoreError> {
    sql::execute(tx, PULSES, &[before.into()]).await
}
