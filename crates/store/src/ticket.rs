//! Tickets: one by one, and the lock that lets one person at a time change one.

use guichet_domain::ids::TicketId;
use guichet_domain::inbound::Contact;
use guichet_domain::priority::{Impact, Priority, Urgency};
use guichet_domain::reference::Reference;
use guichet_domain::ticket::{Kind, State, Ticket, Tier};

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Row, queries};
use crate::value::Value;

/// All columns of a ticket in the order [`values`] gives them.
macro_rules! ticket_columns {
    () => {
        "id, reference, state, kind, subject, language, source, conversation, requester_key, requester_address, \
         requester_name, verified, machine, queue, category, impact, urgency, priority, assignee, tier, attention, \
         promised_at, opened_at, answered_at, resolved_at, closed_at, updated_at, closures, reopened, follows, linked, \
         merged_into, last_seq, version, contact, contact_verified"
    };
}
pub(crate) use ticket_columns;

/// How many columns [`values`] gives.
pub(crate) const COLUMNS: usize = 37;

queries! {
    LOAD = concat!("SELECT ", ticket_columns!(), " FROM ticket WHERE id = $1");
    BY_REFERENCE = concat!("SELECT ", ticket_columns!(), " FROM ticket WHERE reference = $1");
    BY_STATUS = concat!("SELECT ", ticket_columns!(), " FROM ticket WHERE status_hash = $1");
    BY_CONVERSATION = concat!(
        "SELECT ", ticket_columns!(), " FROM ticket WHERE source = $1 AND conversation = $2 ORDER BY id DESC LIMIT 1"
    );
    LOCK = concat!("UPDATE ticket SET version = version + 1 WHERE id = $1 RETURNING ", ticket_columns!());
}

/// The ticket with this key.
pub async fn load(tx: &mut Tx, id: TicketId) -> Result<Option<Ticket>, StoreError> {
    sql::row(tx, LOAD, &[id.into()]).await?.map(|row| read(&row)).transpose()
}

/// The ticket with this reference, merged or not.
pub async fn by_reference(tx: &mut Tx, reference: &Reference) -> Result<Option<Ticket>, StoreError> {
    sql::row(tx, BY_REFERENCE, &[reference.into()]).await?.map(|row| read(&row)).transpose()
}

/// The ticket whose status page has the token with this hash.
pub async fn by_status_hash(tx: &mut Tx, hash: &str) -> Result<Option<Ticket>, StoreError> {
    sql::row(tx, BY_STATUS, &[hash.into()]).await?.map(|row| read(&row)).transpose()
}

/// The latest ticket of a conversation of a source.
pub async fn by_conversation(
    tx: &mut Tx,
    source: &guichet_domain::ids::SourceName,
    conversation: &guichet_domain::ids::ConversationKey,
) -> Result<Option<Ticket>, StoreError> {
    sql::row(tx, BY_CONVERSATION, &[source.into(), conversation.into()]).await?.map(|row| read(&row)).transpose()
}

/// The ticket, locked until the transaction ends: whoever else wants it waits. Its `version` has grown by one already:
/// pass it as `seen` when it is recorded. `None` when there is no such ticket.
pub async fn lock_for_change(tx: &mut Tx, id: TicketId) -> Result<Option<Ticket>, StoreError> {
    sql::row(tx, LOCK, &[id.into()]).await?.map(|row| read(&row)).transpose()
}

/// A ticket out of a row that has all its columns.
pub(crate) fn read(row: &Row) -> Result<Ticket, StoreError> {
    Ok(Ticket {
        id: row.ticket("id")?,
        reference: row.reference("reference")?,
        state: row.word("state", State::parse)?,
        kind: row.word("kind", Kind::parse)?,
        subject: row.get("subject")?,
        language: row.language("language")?,
        source: row.source("source")?,
        conversation: row.conversation("conversation")?,
        requester: row.party("requester_address", "requester_name")?,
        verified: row.get("verified")?,
        machine: row.get("machine")?,
        queue: row.get("queue")?,
        category: row.get("category")?,
        impact: row.word("impact", Impact::parse)?,
        urgency: row.word("urgency", Urgency::parse)?,
        priority: row.word("priority", Priority::parse)?,
        assignee: row.get("assignee")?,
        tier: row.word("tier", Tier::parse)?,
        attention: row.maybe_reason("attention")?,
        promised_at: row.maybe_at("promised_at")?,
        opened_at: row.at("opened_at")?,
        answered_at: row.maybe_at("answered_at")?,
        resolved_at: row.maybe_at("resolved_at")?,
        closed_at: row.maybe_at("closed_at")?,
        updated_at: row.at("updated_at")?,
        closures: row.get("closures")?,
        reopened: row.get("reopened")?,
        follows: row.maybe_key("follows", TicketId)?,
        linked: row.maybe_key("linked", TicketId)?,
        merged_into: row.maybe_key("merged_into", TicketId)?,
        last_seq: row.get("last_seq")?,
        version: row.get("version")?,
        contact: contact(row)?,
    })
}

fn contact(row: &Row) -> Result<Option<Contact>, StoreError> {
    let verified = row.get("contact_verified")?;
    Ok(row.get::<Option<String>>("contact")?.map(|address| Contact { address, verified }))
}

/// The values of a ticket in the order of its columns, with `version` in place of its own, and the hash of its status
/// token.
pub(crate) fn values<'t>(ticket: &'t Ticket, version: i64, status_hash: Option<&'t str>) -> [Value<'t>; COLUMNS] {
    let requester = ticket.requester.as_ref();
    [
        ticket.id.into(),
        (&ticket.reference).into(),
        ticket.state.as_str().into(),
        ticket.kind.as_str().into(),
        ticket.subject.as_str().into(),
        ticket.language.as_str().into(),
        (&ticket.source).into(),
        (&ticket.conversation).into(),
        requester.map_or(Value::Text(None), |party| Value::text(party.key())),
        Value::maybe(requester.map(|party| party.address.as_str())),
        Value::maybe(requester.and_then(|party| party.name.as_deref())),
        ticket.verified.into(),
        ticket.machine.into(),
        ticket.queue.as_str().into(),
        ticket.category.as_str().into(),
        ticket.impact.as_str().into(),
        ticket.urgency.as_str().into(),
        ticket.priority.as_str().into(),
        Value::maybe(ticket.assignee.as_deref()),
        ticket.tier.as_str().into(),
        ticket.attention.as_ref().into(),
        Value::at(ticket.promised_at),
        ticket.opened_at.into(),
        Value::at(ticket.answered_at),
        Value::at(ticket.resolved_at),
        Value::at(ticket.closed_at),
        ticket.updated_at.into(),
        ticket.closures.into(),
        ticket.reopened.into(),
        ticket.follows.into(),
        ticket.linked.into(),
        ticket.merged_into.into(),
        ticket.last_seq.into(),
        version.into(),
        Value::maybe(ticket.contact.as_ref().map(|contact| contact.address.as_str())),
        ticket.contact.as_ref().is_some_and(|contact| contact.verified).into(),
        Value::maybe(status_hash),
    ]
}
