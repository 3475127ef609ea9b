//! Which of several nodes does what only one may do. The fence grows with each change of holder.

use guichet_domain::Moment;
use uuid::Uuid;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, queries};

queries! {
    ACQUIRE = "INSERT INTO lease (name, holder, until, fence) VALUES ($1, $2, $4, 1) ON CONFLICT (name) DO UPDATE SET \
        fence = lease.fence + CASE WHEN lease.holder = excluded.holder THEN 0 ELSE 1 END, \
        holder = excluded.holder, until = excluded.until \
        WHERE lease.holder = excluded.holder OR lease.until <= $3 RETURNING fence";
    RELEASE = "UPDATE lease SET until = 0 WHERE name = $1 AND holder = $2";
}

/// Takes or keeps a lease until `until`; its fence, or `None` while somebody else holds it.
pub async fn acquire(
    tx: &mut Tx,
    name: &str,
    holder: Uuid,
    now: Moment,
    until: Moment,
) -> Result<Option<i64>, StoreError> {
    let row = sql::row(tx, ACQUIRE, &[name.into(), holder.into(), now.into(), until.into()]).await?;
    row.map(|row| row.get("fence")).transpose()
}

/// Gives a lease back; `false` when it was not held.
pub async fn release(tx: &mut Tx, name: &str, holder: Uuid) -> Result<bool, StoreError> {
    Ok(sql::execute(tx, RELEASE, &[name.into(), holder.into()]).await? == 1)
}
