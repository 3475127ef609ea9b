//! What must leave: claiming it, settling what came of it, and looking at it.
//!
//! A row is held by one worker at a time: claiming gives a lease and a new fence, and only whoever still has the fence
//! may settle. Of each conversation only the oldest unfinished row can be claimed, so that what is said stays in order.

mod claim;
mod desk;
mod settle;
mod threads;
mod told;

use guichet_domain::Moment;
use guichet_domain::ids::{ConversationKey, DeliveryId, ExternalId, MessageId, SourceName, TicketId};
use guichet_domain::inbound::Party;
use guichet_domain::language::Language;
use guichet_domain::outgoing::{DeliveryState, Facts, NoticeKind};
use guichet_domain::reason::Reason;

use crate::error::StoreError;
use crate::sql::Row;

pub use claim::{Claim, Doubtful, claim, clear_doubts, expire, next_due, recover};
pub use desk::{
    Attempt, Filter, Standing, attempts, by_id, cancel, list, of_ticket, oldest_due, prove_sent, retry, standing,
    suppress, thread,
};
pub use settle::{Outcome, Settlement, settle};
pub use threads::threads;
pub use told::{overtake, postpone, report_failed};

/// All columns of an outbox row that [`read`] reads.
macro_rules! outbox_columns {
    () => {
        "id, number, kind, ticket, message, source, conversation, recipient, recipient_name, automatic, language, facts, \
         state, reason, detail, due_at, expires_at, attempts, doubts, fence, lease_until, external_id, settled_at, created_at"
    };
}
pub(crate) use outbox_columns;

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    /// Its key.
    pub id: DeliveryId,
    /// Its place in the order of all rows of this database.
    pub number: i64,
    /// What it is.
    pub kind: NoticeKind,
    /// What it speaks of.
    pub ticket: TicketId,
    /// Its entry in the timeline.
    pub message: Option<MessageId>,
    /// By which source it leaves.
    pub source: SourceName,
    /// Rows of one conversation leave in order.
    pub conversation: ConversationKey,
    /// Whom it is for.
    pub to: Party,
    /// Whether no person wrote it.
    pub automatic: bool,
    /// The language it is written in.
    pub language: Language,
    /// What it says.
    pub facts: Facts,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why it is suppressed, refused or expired.
    pub reason: Option<Reason>,
    /// The network's last words.
    pub detail: Option<String>,
    /// Not before.
    pub due_at: Moment,
    /// Not after.
    pub expires_at: Moment,
    /// How often it was tried.
    pub attempts: i64,
    /// How many attempts ended without anybody knowing whether the network took it. Above zero, look for it before it is
    /// sent again.
    pub doubts: i64,
    /// Whoever settles must have this.
    pub fence: i64,
    /// Until when a worker holds it.
    pub lease_until: Option<Moment>,
    /// What the network calls it.
    pub external_id: Option<ExternalId>,
    /// When it came to its end.
    pub settled_at: Option<Moment>,
    /// When it was queued.
    pub created_at: Moment,
}

pub(crate) fn read(row: &Row) -> Result<OutboxRow, StoreError> {
    let facts: String = row.get("facts")?;
    let party = row.party("recipient", "recipient_name")?;
    Ok(OutboxRow {
        id: row.key("id", DeliveryId)?,
        number: row.get("number")?,
        kind: row.word("kind", NoticeKind::parse)?,
        ticket: row.ticket("ticket")?,
        message: row.maybe_key("message", MessageId)?,
        source: row.source("source")?,
        conversation: row.conversation("conversation")?,
        to: party.ok_or_else(|| StoreError::corrupt("a delivery without recipient"))?,
        automatic: row.get("automatic")?,
        language: row.language("language")?,
        facts: serde_json::from_str(&facts).map_err(|error| StoreError::corrupt(format!("facts: {error}")))?,
        state: row.word("state", DeliveryState::parse)?,
        reason: row.maybe_reason("reason")?,
        detail: row.get("detail")?,
        due_at: row.at("due_at")?,
        expires_at: row.at("expires_at")?,
        attempts: row.get("attempts")?,
        doubts: row.get("doubts")?,
        fence: row.get("fence")?,
        lease_until: row.maybe_at("lease_until")?,
        external_id: row.get::<Option<String>>("external_id")?.map(ExternalId::new),
        settled_at: row.maybe_at("settled_at")?,
        created_at: row.at("created_at")?,
    })
}

#[cfg(test)]
pub(crate) const ALL: &[&[(&str, &str)]] = &[claim::ALL, claim::PLAIN, desk::ALL, settle::ALL, told::ALL];

/// Statements for PostgreSQL alone.
#[cfg(test)]
pub(crate) const POSTGRES: &[(&str, &str)] = claim::skipping::ALL;
