//! What others tell of rows that have left, or make of rows that have not.

use guichet_domain::Moment;
use guichet_domain::ids::{DeliveryId, TicketId};
use guichet_domain::outgoing::NoticeKind;
use guichet_domain::reason::Reason;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, queries};

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
