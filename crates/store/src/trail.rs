//! Who did what, when, from where. The engines themselves refuse to change or remove a line.

use guichet_domain::Moment;
use guichet_domain::ids::TicketId;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Row, queries};

queries! {
    ADD = "INSERT INTO audit (at, agent, origin, act, ticket, subject) VALUES ($1, $2, $3, $4, $5, $6)";
    OF_TICKET = "SELECT number, at, agent, origin, act, ticket, subject FROM audit WHERE ticket = $1 ORDER BY number DESC LIMIT $2";
    LATEST = "SELECT number, at, agent, origin, act, ticket, subject FROM audit WHERE number < $1 ORDER BY number DESC LIMIT $2";
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its place.
    pub number: i64,
    /// When.
    pub at: Moment,
    /// Who.
    pub agent: String,
    /// From where: a network address, or the way that was taken.
    pub origin: String,
    /// What, as a stable word.
    pub act: String,
    /// On which ticket.
    pub ticket: Option<TicketId>,
    /// On what, or how.
    pub subject: String,
}

/// What was done, to be written down.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// Who.
    pub agent: &'a str,
    /// From where.
    pub origin: &'a str,
    /// What, as a stable word.
    pub act: &'a str,
    /// On which ticket.
    pub ticket: Option<TicketId>,
    /// On what, or how; never a secret, never what people wrote.
    pub subject: &'a str,
}

/// Writes a line, in the transaction of what it tells.
pub async fn add(tx: &mut Tx, deed: &Deed<'_>, now: Moment) -> Result<(), StoreError> {
    let values =
        [now.into(), deed.agent.into(), deed.origin.into(), deed.act.into(), deed.ticket.into(), deed.subject.into()];
    sql::execute_one(tx, "write the audit trail", ADD, &values).await
}

/// The lines of a ticket, the latest first.
pub async fn of_ticket(tx: &mut Tx, ticket: TicketId, limit: i64) -> Result<Vec<Line>, StoreError> {
    sql::rows(tx, OF_TICKET, &[ticket.into(), limit.into()]).await?.iter().map(read).collect()
}

/// All lines before a place, the latest first.
pub async fn latest(tx: &mut Tx, before: Option<i64>, limit: i64) -> Result<Vec<Line>, StoreError> {
    let before = before.unwrap_or(i64::MAX);
    sql::rows(tx, LATEST, &[before.into(), limit.into()]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Line, StoreError> {
    Ok(Line {
        number: row.get("number")?,
        at: row.at("at")?,
        agent: row.get("agent")?,
        origin: row.get("origin")?,
        act: row.get("act")?,
        ticket: row.maybe_key("ticket", TicketId)?,
        subject: row.get("subject")?,
    })
}
