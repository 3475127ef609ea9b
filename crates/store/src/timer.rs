//! Timers: what is to happen to a ticket when its time comes. Set and cleared by [`record`](crate::record::record).

use guichet_domain::Moment;
use guichet_domain::event::TimerKind;
use guichet_domain::ids::TicketId;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Row, queries};

queries! {
    DUE = "SELECT ticket, kind, due_at FROM timer WHERE due_at <= $1 ORDER BY due_at, ticket LIMIT $2";
    CLEAR = "DELETE FROM timer WHERE ticket = $1 AND kind = $2 AND due_at = $3";
    POSTPONE = "UPDATE timer SET due_at = $4 WHERE ticket = $1 AND kind = $2 AND due_at = $3";
    NEXT = "SELECT min(due_at) AS at FROM timer";
    DROP_KIND = "DELETE FROM timer WHERE ticket = $1 AND kind = $2";
    OF_TICKET = "SELECT ticket, kind, due_at FROM timer WHERE ticket = $1 ORDER BY due_at, kind";
}

/// A timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    /// Of which ticket.
    pub ticket: TicketId,
    /// What for.
    pub kind: TimerKind,
    /// When.
    pub due_at: Moment,
}

/// The timers that are due, the longest due first.
pub async fn due(tx: &mut Tx, now: Moment, limit: i64) -> Result<Vec<Timer>, StoreError> {
    sql::rows(tx, DUE, &[now.into(), limit.into()]).await?.iter().map(read).collect()
}

/// The timers of a ticket.
pub async fn of_ticket(tx: &mut Tx, ticket: TicketId) -> Result<Vec<Timer>, StoreError> {
    sql::rows(tx, OF_TICKET, &[ticket.into()]).await?.iter().map(read).collect()
}

/// When the next timer is due.
pub async fn next(tx: &mut Tx) -> Result<Option<Moment>, StoreError> {
    Ok(sql::row(tx, NEXT, &[]).await?.map(|row| row.maybe_at("at")).transpose()?.flatten())
}

/// Takes a due timer; `false` when it was cleared or set anew since it was read: whoever gets `true` acts on it.
pub async fn clear(tx: &mut Tx, timer: &Timer) -> Result<bool, StoreError> {
    Ok(sql::execute(tx, CLEAR, &[timer.ticket.into(), timer.kind.as_str().into(), timer.due_at.into()]).await? == 1)
}

/// Clears the timer of a kind, set or not.
pub async fn drop_kind(tx: &mut Tx, ticket: TicketId, kind: TimerKind) -> Result<(), StoreError> {
    sql::execute(tx, DROP_KIND, &[ticket.into(), kind.as_str().into()]).await?;
    Ok(())
}

/// Puts a timer off, unless it was cleared or set anew since it was read: a ticket whose timer cannot be acted on must not
/// stand in the way of the others.
pub async fn postpone(tx: &mut Tx, timer: &Timer, to: Moment) -> Result<bool, StoreError> {
    let values = [timer.ticket.into(), timer.kind.as_str().into(), timer.due_at.into(), to.into()];
    Ok(sql::execute(tx, POSTPONE, &values).await? == 1)
}

fn read(row: &Row) -> Result<Timer, StoreError> {
    Ok(Timer { ticket: row.ticket("ticket")?, kind: row.word("kind", TimerKind::parse)?, due_at: row.at("due_at")? })
}
