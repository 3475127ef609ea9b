//! The statements of a batch: one a table.

use std::collections::{BTreeMap, HashSet};

use guichet_domain::ids::DeliveryId;
use guichet_domain::outgoing::{DeliveryState, NewDelivery, NoticeKind};

use super::{Batch, Recorded, rows};
use crate::engine::Tx;
use crate::error::StoreError;
use crate::intake::PULSE;
use crate::sql;
use crate::ticket::{self, ticket_columns};
use crate::value::Value;

const OPEN: &str = concat!("INSERT INTO ticket (", ticket_columns!(), ", status_hash) VALUES ");
const CHANGE: &str = concat!("WITH changed (", ticket_columns!(), ", status_hash) AS (VALUES ");
const CHANGE_TAIL: &str = ") UPDATE ticket SET state = changed.state, kind = changed.kind, subject = changed.subject, \
     language = changed.language, conversation = changed.conversation, requester_key = changed.requester_key, \
     requester_address = changed.requester_address, requester_name = changed.requester_name, verified = changed.verified, \
     machine = changed.machine, queue = changed.queue, category = changed.category, impact = changed.impact, \
     urgency = changed.urgency, priority = changed.priority, assignee = changed.assignee, tier = changed.tier, \
     attention = changed.attention, promised_at = changed.promised_at, answered_at = changed.answered_at, \
     resolved_at = changed.resolved_at, closed_at = changed.closed_at, updated_at = changed.updated_at, \
     closures = changed.closures, reopened = changed.reopened, follows = changed.follows, linked = changed.linked, \
     merged_into = changed.merged_into, last_seq = changed.last_seq, version = changed.version + 1, \
     contact = changed.contact, contact_verified = changed.contact_verified \
     FROM changed WHERE ticket.id = changed.id AND ticket.version = changed.version";
const ENTRY: &str = "INSERT INTO entry (id, ticket, kind, seq, author_address, author_name, verified, subject, text, \
     full_text, html, source, inbound, at) VALUES ";
const ATTACHMENT: &str = "INSERT INTO attachment (entry, position, name, media_type, content_id, hash, size) VALUES ";
const ID: &str = "INSERT INTO entry_id (external_id, ticket, entry, delivery, at) VALUES ";
const THREAD: &str = "INSERT INTO thread (key, ticket) VALUES ";
const EXPLANATION: &str = "INSERT INTO explanation (cause, at, position, ticket, code, detail) VALUES ";
const PARTICIPANT: &str = "INSERT INTO participant (ticket, address_key, address, name, role) VALUES ";
const PARTICIPANT_TAIL: &str =
    " ON CONFLICT (ticket, address_key) DO UPDATE SET name = COALESCE(participant.name, excluded.name)";
const WORKS: &str = "UPDATE identity SET undeliverable_at = NULL, undeliverable_reason = NULL \
     WHERE undeliverable_at IS NOT NULL AND address_key IN (VALUES ";
const IDENTITY: &str = "INSERT INTO identity (address_key, language, verified_at, undeliverable_at, \
     undeliverable_reason, seen_at) VALUES ";
const IDENTITY_TAIL: &str = " ON CONFLICT (address_key) DO UPDATE SET \
     language = COALESCE(excluded.language, identity.language), \
     verified_at = COALESCE(excluded.verified_at, identity.verified_at), \
     undeliverable_at = COALESCE(excluded.undeliverable_at, identity.undeliverable_at), \
     undeliverable_reason = COALESCE(excluded.undeliverable_reason, identity.undeliverable_reason), \
     seen_at = excluded.seen_at";
const INBOUND: &str = "INSERT INTO inbound (id, source, external_id, verdict, reason, detail, ticket, entry, seq, from_key, \
     subject, raw_hash, raw_size, quarantine, received_at, recorded_at) VALUES ";
const RELEASE: &str = "WITH released (id, verdict, reason, ticket, entry, seq) AS (VALUES ";
const RELEASE_TAIL: &str = ") UPDATE inbound SET quarantine = 'released', verdict = released.verdict, \
     reason = COALESCE(released.reason, inbound.reason), ticket = released.ticket, entry = released.entry, \
     seq = released.seq FROM released WHERE inbound.id = released.id AND inbound.quarantine = 'held'";
const RAW: &str = "INSERT INTO raw (inbound, hash, codec, size, bytes) VALUES ";
const BLOB: &str = "INSERT INTO blob (hash, codec, size, bytes, created_at) VALUES ";
const DELIVERY: &str = "INSERT INTO outbox (id, kind, ticket, message, source, conversation, recipient, recipient_name, \
     recipient_key, recipient_domain, automatic, language, facts, state, reason, due_at, expires_at, attempts, doubts, \
     fence, settled_at, created_at) VALUES ";
const TRANSITION: &str = "INSERT INTO transition (ticket, from_state, to_state, made_by, why, at) VALUES ";
const TIMER: &str = "INSERT INTO timer (ticket, kind, due_at) VALUES ";
const TIMER_CLEAR: &str = "DELETE FROM timer WHERE (ticket, kind) IN (VALUES ";
const CURSOR: &str = "INSERT INTO \"cursor\" (source, key, value) VALUES ";
const PULSES: &str = "INSERT INTO pulse (span, n) VALUES ";
const TALLY: &str = "INSERT INTO tally (source, verdict, n) VALUES ";

const NOTHING: &str = " ON CONFLICT DO NOTHING";

/// Writes a batch. All of it is written or an error says why not, after which the transaction must be rolled back (to a
/// savepoint at least). Writing the same new rows twice fails, except where [`Batch`] says otherwise.
pub async fn record(tx: &mut Tx, batch: &Batch<'_>) -> Result<Recorded, StoreError> {
    tickets(tx, batch).await?;
    arrivals(tx, batch).await?;
    timelines(tx, batch).await?;
    people(tx, batch).await?;
    let recorded = Recorded { deliveries: deliveries(tx, batch).await? };
    clockwork(tx, batch).await?;
    Ok(recorded)
}

async fn tickets(tx: &mut Tx, batch: &Batch<'_>) -> Result<(), StoreError> {
    let opened: Vec<_> = batch
        .opened
        .iter()
        .map(|new| ticket::values(new.ticket, new.ticket.version, new.status_hash.as_deref()))
        .collect();
    let expected = opened.len() as u64;
    sql::expect("open tickets", expected, sql::over(tx, OPEN, opened, "").await?)?;
    let mut changed: Vec<_> = batch.changed.iter().collect();
    // One order for everybody: two transactions that change the same tickets wait for each other instead of both dying.
    changed.sort_by_key(|change| change.ticket.id);
    let changed: Vec<_> = changed.iter().map(|change| ticket::values(change.ticket, change.seen, None)).collect();
    let expected = changed.len() as u64;
    let actual = sql::over(tx, CHANGE, changed, CHANGE_TAIL).await?;
    if actual != expected {
        return Err(StoreError::Conflict {
            what: format!("{} of {expected} tickets", expected.saturating_sub(actual)),
        });
    }
    let transitions: Vec<_> = batch
        .transitions
        .iter()
        .map(|(ticket, change)| {
            [
                (*ticket).into(),
                Value::maybe(change.from.map(guichet_domain::ticket::State::as_str)),
                change.to.as_str().into(),
                Value::maybe(change.by.as_deref()),
                (&change.why).into(),
                change.at.into(),
            ]
        })
        .collect();
    let expected = transitions.len() as u64;
    sql::expect("record transitions", expected, sql::over(tx, TRANSITION, transitions, "").await?)
}

async fn arrivals(tx: &mut Tx, batch: &Batch<'_>) -> Result<(), StoreError> {
    sql::over(tx, BLOB, rows::blobs(batch), NOTHING).await?;
    let inbounds = rows::inbounds(batch);
    let expected = inbounds.len() as u64;
    sql::expect("record inbound", expected, sql::over(tx, INBOUND, inbounds, "").await?)?;
    let expected = batch.inbounds.iter().filter(|new| new.raw.is_some()).count() as u64;
    sql::expect("keep raw bytes", expected, sql::over(tx, RAW, rows::raws(batch), "").await?)?;
    let released: Vec<_> = batch
        .released
        .iter()
        .map(|new| {
            let (id, verdict) = (new.id.into(), new.verdict.as_str().into());
            [id, verdict, new.reason.into(), new.ticket.into(), new.entry.into(), new.seq.into()]
        })
        .collect();
    let expected = released.len() as u64;
    sql::expect("release from quarantine", expected, sql::over(tx, RELEASE, released, RELEASE_TAIL).await?)
}

async fn timelines(tx: &mut Tx, batch: &Batch<'_>) -> Result<(), StoreError> {
    let entries = rows::entries(batch);
    let expected = entries.len() as u64;
    sql::expect("record entries", expected, sql::over(tx, ENTRY, entries, "").await?)?;
    let attachments = rows::attachments(batch);
    let expected = attachments.len() as u64;
    sql::expect("record attachments", expected, sql::over(tx, ATTACHMENT, attachments, "").await?)?;
    sql::over(tx, ID, rows::ids(batch), NOTHING).await?;
    let threads = batch.threads.iter().map(|(key, ticket)| [Value::key(key), (*ticket).into()]).collect();
    sql::over(tx, THREAD, threads, NOTHING).await?;
    let explanations = rows::explanations(batch);
    let expected = explanations.len() as u64;
    sql::expect("record explanations", expected, sql::over(tx, EXPLANATION, explanations, "").await?)
}

async fn people(tx: &mut Tx, batch: &Batch<'_>) -> Result<(), StoreError> {
    let participants = rows::participants(batch);
    let expected = participants.len() as u64;
    let actual = sql::over(tx, PARTICIPANT, participants, PARTICIPANT_TAIL).await?;
    sql::expect("record participants", expected, actual)?;
    let works = batch.identities.iter().filter(|known| known.works).map(|known| [known.address.into()]).collect();
    sql::over(tx, WORKS, works, ")").await?;
    let identities = rows::identities(batch);
    let expected = identities.len() as u64;
    sql::expect("record identities", expected, sql::over(tx, IDENTITY, identities, IDENTITY_TAIL).await?)
}

async fn deliveries(tx: &mut Tx, batch: &Batch<'_>) -> Result<u64, StoreError> {
    let mut values = Vec::with_capacity(batch.deliveries.len());
    for new in &batch.deliveries {
        let facts = serde_json::to_string(&new.facts).map_err(|error| StoreError::Other { what: error.to_string() })?;
        values.push(rows::delivery(new, facts, batch));
    }
    let tail = " ON CONFLICT (id) DO NOTHING RETURNING id";
    let mut queued = HashSet::new();
    for row in sql::rows_over(tx, DELIVERY, values, tail).await? {
        queued.insert(row.key("id", DeliveryId)?);
    }
    let counts = |new: &&&NewDelivery| {
        new.kind == NoticeKind::Acknowledgement && new.state != DeliveryState::Suppressed && queued.contains(&new.id)
    };
    let acknowledged = batch.deliveries.iter().filter(counts).count();
    if acknowledged > 0 {
        let span = batch.at.micros().div_euclid(PULSE) * PULSE;
        let pulse = vec![[span.into(), rows::whole(acknowledged as u64)]];
        sql::over(tx, PULSES, pulse, " ON CONFLICT (span) DO UPDATE SET n = pulse.n + excluded.n").await?;
    }
    Ok(queued.len() as u64)
}

/// Timers, cursors and counts, last: on PostgreSQL everybody who counts waits for whoever counted until that commits.
async fn clockwork(tx: &mut Tx, batch: &Batch<'_>) -> Result<(), StoreError> {
    let cleared = batch.timers_cleared.iter().map(|(ticket, kind)| [(*ticket).into(), kind.as_str().into()]).collect();
    sql::over(tx, TIMER_CLEAR, cleared, ")").await?;
    let set: BTreeMap<_, _> =
        batch.timers_set.iter().map(|(ticket, kind, at)| ((*ticket, kind.as_str()), *at)).collect();
    let set: Vec<_> = set.into_iter().map(|((ticket, kind), at)| [ticket.into(), kind.into(), at.into()]).collect();
    let tail = " ON CONFLICT (ticket, kind) DO UPDATE SET due_at = excluded.due_at";
    sql::expect("set timers", set.len() as u64, sql::over(tx, TIMER, set, tail).await?)?;
    let cursors: BTreeMap<_, _> = batch.cursors.iter().map(|(source, key, value)| ((*source, *key), *value)).collect();
    let cursors: Vec<_> =
        cursors.into_iter().map(|((source, key), value)| [source.into(), key.into(), value.into()]).collect();
    let tail = " ON CONFLICT (source, key) DO UPDATE SET value = excluded.value";
    sql::expect("move cursors", cursors.len() as u64, sql::over(tx, CURSOR, cursors, tail).await?)?;
    let tally = rows::tally(batch);
    let tail = " ON CONFLICT (source, verdict) DO UPDATE SET n = tally.n + excluded.n";
    sql::expect("count", tally.len() as u64, sql::over(tx, TALLY, tally, tail).await?)
}
