//! What others tell of rows that have left, or make of rows that have not.

use guichet_domain::Moment;
use guichet_domain::ids::{DeliveryId, SourceName, TicketId};
use guichet_domain::outgoing::NoticeKind;
use guichet_domain::reason::Reason;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Builder, queries};

queries! {
    FAILED = "UPDATE outbox SET state = 'refused', reason = $2, detail = $3, settled_at = $4 \
        WHERE id = $1 AND state IN ('sent', 'unknown')";
    OVERTAKE = "UPDATE outbox SET state = 'suppressed', reason = $3, settled_at = $4 \
        WHERE ticket = $1 AND kind = $2 AND state = 'pending' AND attempts = 0";
}

/// The network says of a row that had left: it will not arrive. `false` when the row is not among those that left.
pub async fn report_failed(
    tx: &mut Tx,
    id: DeliveryId,
    why: &Reason,
    detail: &str,
    now: Moment,
) -> Result<bool, StoreError> {
    let values = [id.into(), why.into(), detail.into(), now.into()];
    Ok(sql::execute(tx, FAILED, &values).await? == 1)
}

/// Takes out the rows of a ticket and kind that were never tried and are no longer true. Gives how many.
pub async fn overtake(
    tx: &mut Tx,
    ticket: TicketId,
    kind: NoticeKind,
    why: &Reason,
    now: Moment,
) -> Result<u64, StoreError> {
    let values = [ticket.into(), kind.as_str().into(), why.into(), now.into()];
    sql::execute(tx, OVERTAKE, &values).await
}

/// Lets pending rows of a source wait: what comes back meanwhile may settle them. Gives how many there were.
pub async fn postpone(tx: &mut Tx, source: &SourceName, ids: &[DeliveryId], to: Moment) -> Result<u64, StoreError> {
    if ids.is_empty() {
        return Ok(0);
    }
    let mut query = Builder::new(tx, "UPDATE outbox SET due_at = ");
    query.bind(to).push(" WHERE state = 'pending' AND source = ").bind(source).push(" AND id IN ");
    query.list(ids.iter().copied());
    query.execute(tx).await
}
