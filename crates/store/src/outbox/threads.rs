//! What answers refer to, for many tickets at once.

use std::collections::{BTreeSet, HashMap};

use guichet_domain::ids::{ExternalId, TicketId};

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::Builder;

/// The ids of the latest messages of each ticket, oldest first, at most `limit` each. Ids that were too long to be kept
/// whole are left out.
pub async fn threads(
    tx: &mut Tx,
    tickets: impl IntoIterator<Item = TicketId>,
    limit: i64,
) -> Result<HashMap<TicketId, Vec<ExternalId>>, StoreError> {
    let tickets: BTreeSet<TicketId> = tickets.into_iter().collect();
    let mut threads: HashMap<TicketId, Vec<ExternalId>> = HashMap::new();
    if tickets.is_empty() {
        return Ok(threads);
    }
    let mut query = Builder::new(
        tx,
        "SELECT ticket, external_id FROM (SELECT ticket, external_id, at, \
         row_number() OVER (PARTITION BY ticket ORDER BY at DESC, external_id DESC) AS place \
         FROM entry_id WHERE ticket IN ",
    );
    query.list(tickets).push(") AS latest WHERE place <= ").bind(limit).push(" ORDER BY ticket, at, external_id");
    for row in query.rows(tx).await? {
        let id: String = row.get("external_id")?;
        if id.len() < crate::value::CUT {
            threads.entry(row.ticket("ticket")?).or_default().push(ExternalId::new(id));
        }
    }
    Ok(threads)
}
