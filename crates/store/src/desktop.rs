//! What agents keep on their desks: drafts, how far they have looked, canned replies, links between tickets, blocked senders.

use guichet_domain::Moment;
use guichet_domain::ids::TicketId;
use uuid::Uuid;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Builder, queries};

queries! {
    DRAFTS = "SELECT kind, text FROM draft WHERE agent = $1 AND ticket = $2";
    KEEP_DRAFT = "INSERT INTO draft (agent, ticket, kind, text, at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (agent, ticket, kind) DO UPDATE SET text = excluded.text, at = excluded.at";
    DROP_DRAFT = "DELETE FROM draft WHERE agent = $1 AND ticket = $2 AND kind = $3";
    LOOK = "INSERT INTO looked (agent, ticket, seq) VALUES ($1, $2, $3) \
        ON CONFLICT (agent, ticket) DO UPDATE SET seq = excluded.seq WHERE looked.seq < excluded.seq";
    CANNED = "SELECT id, title, text, made_by, updated_at FROM canned ORDER BY title, id";
    KEEP_CANNED = "INSERT INTO canned (id, title, text, made_by, updated_at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (id) DO UPDATE SET title = excluded.title, text = excluded.text, made_by = excluded.made_by, \
        updated_at = excluded.updated_at";
    DROP_CANNED = "DELETE FROM canned WHERE id = $1";
    BLOCKED = "SELECT address_key, made_by, why, at FROM blocked ORDER BY at DESC, address_key";
    BLOCK = "INSERT INTO blocked (address_key, made_by, why, at) VALUES ($1, $2, $3, $4) ON CONFLICT (address_key) DO NOTHING";
    UNBLOCK = "DELETE FROM blocked WHERE address_key = $1";
    LINK = "INSERT INTO ticket_link (ticket, other, made_by, at) VALUES ($1, $2, $3, $4) ON CONFLICT (ticket, other) DO NOTHING";
    UNLINK = "DELETE FROM ticket_link WHERE (ticket = $1 AND other = $2) OR (ticket = $2 AND other = $1)";
    LINKS = "SELECT other FROM ticket_link WHERE ticket = $1 ORDER BY at, other";
}

/// A reply that is written once and used often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canned {
    /// Its key.
    pub id: Uuid,
    /// What it is found by.
    pub title: String,
    /// Its words, with variables.
    pub text: String,
    /// Who last wrote it.
    pub made_by: String,
    /// When.
    pub updated_at: Moment,
}

/// A sender whose messages are kept aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The address key, or `@` and a domain.
    pub address: String,
    /// Who blocked it.
    pub made_by: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Moment,
}

/// What an agent has begun to write on a ticket: kind and text.
pub async fn drafts(tx: &mut Tx, agent: &str, ticket: TicketId) -> Result<Vec<(String, String)>, StoreError> {
    let rows = sql::rows(tx, DRAFTS, &[agent.into(), ticket.into()]).await?;
    rows.iter().map(|row| Ok((row.get("kind")?, row.get("text")?))).collect()
}

/// Keeps a draft in place of the one before; an empty text drops it.
pub async fn keep_draft(
    tx: &mut Tx,
    agent: &str,
    ticket: TicketId,
    kind: &str,
    text: &str,
    now: Moment,
) -> Result<(), StoreError> {
    if text.is_empty() {
        return sql::execute(tx, DROP_DRAFT, &[agent.into(), ticket.into(), kind.into()]).await.map(drop);
    }
    let values = [agent.into(), ticket.into(), kind.into(), text.into(), now.into()];
    sql::execute_one(tx, "keep a draft", KEEP_DRAFT, &values).await
}

/// Notes how far an agent has looked; never goes back.
pub async fn look(tx: &mut Tx, agent: &str, ticket: TicketId, seq: i64) -> Result<(), StoreError> {
    sql::execute(tx, LOOK, &[agent.into(), ticket.into(), seq.into()]).await.map(drop)
}

/// How far an agent has looked at these tickets; those never looked at are left out.
pub async fn looked(tx: &mut Tx, agent: &str, tickets: &[TicketId]) -> Result<Vec<(TicketId, i64)>, StoreError> {
    if tickets.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Builder::new(tx, "SELECT ticket, seq FROM looked WHERE agent = ");
    query.bind(agent).push(" AND ticket IN ").list(tickets.iter().copied());
    query.rows(tx).await?.iter().map(|row| Ok((row.ticket("ticket")?, row.get("seq")?))).collect()
}

/// All canned replies, by title.
pub async fn canned(tx: &mut Tx) -> Result<Vec<Canned>, StoreError> {
    let rows = sql::rows(tx, CANNED, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Canned {
                id: row.get("id")?,
                title: row.get("title")?,
                text: row.get("text")?,
                made_by: row.get("made_by")?,
                updated_at: row.at("updated_at")?,
            })
        })
        .collect()
}

/// Keeps a canned reply, new or changed.
pub async fn keep_canned(tx: &mut Tx, canned: &Canned) -> Result<(), StoreError> {
    let values = [
        canned.id.into(),
        canned.title.as_str().into(),
        canned.text.as_str().into(),
        canned.made_by.as_str().into(),
        canned.updated_at.into(),
    ];
    sql::execute_one(tx, "keep a canned reply", KEEP_CANNED, &values).await
}

/// Drops a canned reply; `false` when there is none.
pub async fn drop_canned(tx: &mut Tx, id: Uuid) -> Result<bool, StoreError> {
    Ok(sql::execute(tx, DROP_CANNED, &[id.into()]).await? == 1)
}

/// Every blocked sender, the latest first.
pub async fn blocked(tx: &mut Tx) -> Result<Vec<Blocked>, StoreError> {
    let rows = sql::rows(tx, BLOCKED, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Blocked {
                address: row.get("address_key")?,
                made_by: row.get("made_by")?,
                why: row.get("why")?,
                at: row.at("at")?,
            })
        })
        .collect()
}

/// Blocks a sender by address key, or a domain behind `@`; `false` when it was blocked before.
pub async fn block(tx: &mut Tx, address: &str, agent: &str, why: &str, now: Moment) -> Result<bool, StoreError> {
    Ok(sql::execute(tx, BLOCK, &[address.into(), agent.into(), why.into(), now.into()]).await? == 1)
}

/// Blocks a sender no longer; `false` when it was not blocked.
pub async fn unblock(tx: &mut Tx, address: &str) -> Result<bool, StoreError> {
    Ok(sql::execute(tx, UNBLOCK, &[address.into()]).await? == 1)
}

/// Ties two tickets, seen from both; `false` when they were.
pub async fn link(tx: &mut Tx, one: TicketId, other: TicketId, agent: &str, now: Moment) -> Result<bool, StoreError> {
    let there = sql::execute(tx, LINK, &[one.into(), other.into(), agent.into(), now.into()]).await?;
    sql::execute(tx, LINK, &[other.into(), one.into(), agent.into(), now.into()]).await?;
    Ok(there == 1)
}

/// Unties two tickets; `false` when they were not tied.
pub async fn unlink(tx: &mut Tx, one: TicketId, other: TicketId) -> Result<bool, StoreError> {
    Ok(sql::execute(tx, UNLINK, &[one.into(), other.into()]).await? > 0)
}

/// The tickets a ticket is tied to.
pub async fn links(tx: &mut Tx, ticket: TicketId) -> Result<Vec<TicketId>, StoreError> {
    sql::rows(tx, LINKS, &[ticket.into()]).await?.iter().map(|row| row.ticket("other")).collect()
}
