//! Whose is it: everything a batch of items mentions, looked up with one statement a table.

use std::collections::{BTreeSet, HashMap, HashSet};

use guichet_domain::Moment;
use guichet_domain::ids::{ConversationKey, DeliveryId, ExternalId, SourceName, TicketId};
use guichet_domain::locate::KnownId;
use guichet_domain::reference::Reference;
use guichet_domain::ticket::Ticket;

use super::counts::{Sent, sent};
use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Builder, Row};
use crate::ticket::{self, ticket_columns};
use crate::value::{Value, bounded};

const TICKETS: &str = concat!("SELECT ", ticket_columns!(), " FROM ticket WHERE id IN (VALUES ");
const DELIVERIES: &str = "SELECT id, ticket FROM outbox WHERE id IN (VALUES ";
const IDS: &str = "SELECT external_id, ticket, delivery FROM entry_id WHERE external_id IN (VALUES ";
const REFERENCES: &str = "SELECT id, reference FROM ticket WHERE reference IN (VALUES ";
const CONVERSATIONS: &str = "WITH wanted (source, conversation) AS (VALUES ";
const CONVERSATIONS_TAIL: &str = ") SELECT ticket.id AS id, ticket.source AS source, ticket.conversation AS conversation \
     FROM wanted CROSS JOIN ticket WHERE ticket.conversation = wanted.conversation AND ticket.source = wanted.source";
const THREADS: &str = "SELECT key, ticket FROM thread WHERE key IN (VALUES ";
const TAKEN: &str = "SELECT reference FROM ticket WHERE reference IN (VALUES ";

/// What a batch mentions. Doubles do no harm.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// Tickets named by tokens.
    pub tickets: Vec<TicketId>,
    /// Deliveries named by tokens.
    pub deliveries: Vec<DeliveryId>,
    /// Ids of messages the items answer.
    pub ids: Vec<&'a ExternalId>,
    /// References that stand in them.
    pub references: Vec<Reference>,
    /// The networks' own grouping.
    pub conversations: Vec<(&'a SourceName, &'a ConversationKey)>,
    /// The weak grouping of mail programs.
    pub threads: Vec<&'a str>,
    /// Address keys of the writers and of whom they want answered: participation and counts are looked up for these.
    pub addresses: BTreeSet<String>,
    /// Domains of those addresses, in lower case.
    pub domains: BTreeSet<String>,
    /// The highest cap on a domain: nothing is counted beyond it.
    pub domain_cap: u32,
}

/// What was found. All tickets are given after merges were followed.
#[derive(Debug, Clone, Default)]
pub struct FoundRows {
    /// Every ticket that anything led to, whole.
    pub tickets: HashMap<TicketId, Ticket>,
    /// Where a named ticket leads now: itself, or the one it was merged into. Absent when it does not exist.
    pub leads_to: HashMap<TicketId, TicketId>,
    /// The tickets of deliveries.
    pub deliveries: HashMap<DeliveryId, TicketId>,
    /// The tickets of known message ids.
    pub ids: HashMap<ExternalId, KnownId>,
    /// The tickets of references.
    pub references: HashMap<Reference, TicketId>,
    /// The latest tickets of conversations.
    pub conversations: HashMap<(SourceName, ConversationKey), TicketId>,
    /// The latest tickets of threads.
    pub threads: HashMap<String, TicketId>,
    /// Which of the wanted addresses take part, by ticket.
    pub participants: HashMap<TicketId, HashSet<String>>,
    /// Which of the wanted addresses are known not to work.
    pub undeliverable: HashSet<String>,
    /// Automatic messages to the wanted addresses and domains of late.
    pub sent: Sent,
}

/// Looks everything up: at most a dozen statements, however many items the batch has. Locks nothing: a ticket that is
/// changed by somebody else before it is recorded makes that fail with [`StoreError::Conflict`].
pub async fn find(tx: &mut Tx, wanted: &Wanted<'_>, now: Moment) -> Result<FoundRows, StoreError> {
    let mut found = FoundRows::default();
    let mut ids: HashMap<String, KnownId> = HashMap::new();
    for row in each(tx, DELIVERIES, wanted.deliveries.iter().map(|id| (*id).into()), ")").await? {
        found.deliveries.insert(row.key("id", DeliveryId)?, row.ticket("ticket")?);
    }
    // The first ticket that had an id keeps it: nobody draws answers to himself by repeating somebody's message id.
    for row in each(tx, IDS, wanted.ids.iter().map(|id| (*id).into()), ") ORDER BY at, ticket").await? {
        let known = KnownId { ticket: row.ticket("ticket")?, delivery: row.maybe_key("delivery", DeliveryId)? };
        ids.entry(row.get("external_id")?).or_insert(known);
    }
    for row in each(tx, REFERENCES, wanted.references.iter().map(Value::from), ")").await? {
        found.references.insert(row.reference("reference")?, row.ticket("id")?);
    }
    for row in conversations(tx, wanted).await? {
        let (key, ticket) = ((row.source("source")?, row.conversation("conversation")?), row.ticket("id")?);
        let latest = found.conversations.entry(key).or_insert(ticket);
        *latest = ticket.max(*latest);
    }
    let mut threads: HashMap<String, TicketId> = HashMap::new();
    for row in each(tx, THREADS, wanted.threads.iter().map(|key| Value::key(key)), ") ORDER BY ticket").await? {
        threads.insert(row.get("key")?, row.ticket("ticket")?);
    }
    for id in &wanted.ids {
        if let Some(known) = ids.get(bounded(id.as_str()).as_ref()) {
            found.ids.insert((*id).clone(), *known);
        }
    }
    for key in &wanted.threads {
        if let Some(ticket) = threads.get(bounded(key).as_ref()) {
            found.threads.insert((*key).to_owned(), *ticket);
        }
    }
    follow(tx, wanted, &mut found).await?;
    people(tx, wanted, &mut found).await?;
    found.sent = sent(tx, &wanted.addresses, &wanted.domains, wanted.domain_cap.max(1), now).await?;
    Ok(found)
}

/// Which of these references are taken.
pub async fn taken_references(tx: &mut Tx, references: &[Reference]) -> Result<HashSet<Reference>, StoreError> {
    let rows = each(tx, TAKEN, references.iter().map(Value::from), ")").await?;
    rows.iter().map(|row| row.reference("reference")).collect()
}

async fn each<'v>(
    tx: &mut Tx,
    head: &'static str,
    values: impl Iterator<Item = Value<'v>>,
    tail: &'static str,
) -> Result<Vec<Row>, StoreError> {
    sql::rows_over(tx, head, values.map(|value| [value]).collect(), tail).await
}

/// Loads all named tickets and those they were merged into, and puts the latter in their places.
async fn follow(tx: &mut Tx, wanted: &Wanted<'_>, found: &mut FoundRows) -> Result<(), StoreError> {
    /// Merging into a merged ticket is refused, so chains are short; a ring can only be made by hand.
    const HOPS: usize = 8;
    let mut all: HashMap<TicketId, Ticket> = HashMap::new();
    let mut next: BTreeSet<TicketId> = wanted.tickets.iter().copied().collect();
    next.extend(found.deliveries.values());
    next.extend(found.ids.values().map(|known| known.ticket));
    next.extend(found.references.values());
    next.extend(found.conversations.values());
    next.extend(found.threads.values());
    let named: Vec<TicketId> = next.iter().copied().collect();
    for _ in 0..HOPS {
        let rows = each(tx, TICKETS, next.iter().map(|id| (*id).into()), ")").await?;
        next.clear();
        for row in rows {
            let ticket = ticket::read(&row)?;
            next.extend(ticket.merged_into);
            all.insert(ticket.id, ticket);
        }
        next.retain(|id| !all.contains_key(id));
        if next.is_empty() {
            break;
        }
    }
    for id in named {
        let mut at = id;
        for _ in 0..HOPS {
            match all.get(&at).and_then(|ticket| ticket.merged_into) {
                Some(into) => at = into,
                None => break,
            }
        }
        if all.contains_key(&at) {
            found.leads_to.insert(id, at);
        }
    }
    let leads_to = &found.leads_to;
    let lead = |ticket: &mut TicketId| leads_to.get(ticket).map(|to| *ticket = *to).is_some();
    found.deliveries.retain(|_, ticket| lead(ticket));
    found.ids.retain(|_, known| lead(&mut known.ticket));
    found.references.retain(|_, ticket| lead(ticket));
    found.conversations.retain(|_, ticket| lead(ticket));
    found.threads.retain(|_, ticket| lead(ticket));
    found.tickets = all;
    Ok(())
}

/// Participation also of the tickets that were merged: who wrote to one of them takes part in what it became.
async fn people(tx: &mut Tx, wanted: &Wanted<'_>, found: &mut FoundRows) -> Result<(), StoreError> {
    if wanted.addresses.is_empty() {
        return Ok(());
    }
    if !found.tickets.is_empty() {
        let mut query = Builder::new(tx, "SELECT ticket, address_key FROM participant WHERE ticket IN ");
        query.list(found.tickets.keys().map(|id| Value::from(*id))).push(" AND address_key IN ");
        query.list(wanted.addresses.iter().map(String::as_str));
        for row in query.rows(tx).await? {
            let ticket = row.ticket("ticket")?;
            let address: String = row.get("address_key")?;
            if let Some(to) = found.leads_to.get(&ticket) {
                found.participants.entry(*to).or_default().insert(address.clone());
            }
            found.participants.entry(ticket).or_default().insert(address);
        }
    }
    let undeliverable =
        "SELECT address_key FROM identity WHERE undeliverable_at IS NOT NULL AND address_key IN (VALUES ";
    for row in each(tx, undeliverable, wanted.addresses.iter().map(|key| key.as_str().into()), ")").await? {
        found.undeliverable.insert(row.get("address_key")?);
    }
    Ok(())
}

async fn conversations(tx: &mut Tx, wanted: &Wanted<'_>) -> Result<Vec<Row>, StoreError> {
    let values = wanted.conversations.iter().map(|(source, key)| [(*source).into(), (*key).into()]).collect();
    sql::rows_over(tx, CONVERSATIONS, values, CONVERSATIONS_TAIL).await
}
