//! What came in, and what of it is kept aside.

use std::collections::HashSet;

use guichet_domain::Moment;
use guichet_domain::ids::{ExternalId, InboundId, MessageId, Seq, SourceName, TicketId};
use guichet_domain::reason::Reason;

use crate::blob::{self, BlobHash, Stored};
use crate::engine::Tx;
use crate::error::StoreError;
use crate::record::Verdict;
use crate::sql::{self, Builder, Row, queries};
use crate::value::{Value, bounded};

macro_rules! inbound_columns {
    () => {
        "id, source, external_id, verdict, reason, detail, ticket, entry, seq, from_key, subject, raw_hash, raw_size, \
         quarantine, received_at, recorded_at"
    };
}

/// Whose item is there: a key alone proves nothing.
const KNOWN: &str = "SELECT key FROM inbox_key WHERE EXISTS (SELECT 1 FROM inbound WHERE inbound.id = inbox_key.inbound) \
     AND key IN (VALUES ";

queries! {
    LOAD = concat!("SELECT ", inbound_columns!(), " FROM inbound WHERE id = $1");
    OF_TICKET = concat!("SELECT ", inbound_columns!(), " FROM inbound WHERE ticket = $1 ORDER BY id");
    DISCARD = "UPDATE inbound SET quarantine = 'discarded' WHERE id = $1 AND quarantine = 'held'";
    RAW = "SELECT codec, size, bytes FROM raw WHERE inbound = $1";
    HELD = "SELECT count(*) AS n FROM inbound WHERE quarantine = 'held'";
    BY_KEY = concat!("SELECT ", inbound_columns!(), " FROM inbound WHERE id = (SELECT inbound FROM inbox_key WHERE key = $1)");
}

/// Where a quarantined item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quarantine {
    /// Kept aside, to be looked at.
    Held,
    /// Let in after all.
    Released,
    /// Seen, and left out.
    Discarded,
}

impl Quarantine {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Held, Self::Released, Self::Discarded];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Released => "released",
            Self::Discarded => "discarded",
        }
    }

    /// The one with this stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// What came in, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptInbound {
    /// Its key.
    pub id: InboundId,
    /// By which source.
    pub source: SourceName,
    /// What the source calls it.
    pub external_id: ExternalId,
    /// What became of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Option<Reason>,
    /// What exactly.
    pub detail: Option<String>,
    /// Its ticket.
    pub ticket: Option<TicketId>,
    /// Its entry.
    pub entry: Option<MessageId>,
    /// Its place in the public timeline.
    pub seq: Option<Seq>,
    /// Address key of its writer.
    pub from_key: Option<String>,
    /// Its subject.
    pub subject: Option<String>,
    /// Its raw bytes, until they are pruned.
    pub raw: Option<BlobHash>,
    /// Octets before packing.
    pub raw_size: i64,
    /// Where it stands, when it was quarantined.
    pub quarantine: Option<Quarantine>,
    /// When it came into the source's hands.
    pub received_at: Moment,
    /// When it was recorded.
    pub recorded_at: Moment,
}

/// One item.
pub async fn load(tx: &mut Tx, id: InboundId) -> Result<Option<KeptInbound>, StoreError> {
    sql::row(tx, LOAD, &[id.into()]).await?.as_ref().map(read).transpose()
}

/// The item that holds an inbox key.
pub async fn by_key(tx: &mut Tx, key: &str) -> Result<Option<KeptInbound>, StoreError> {
    sql::row(tx, BY_KEY, &[Value::key(key)]).await?.as_ref().map(read).transpose()
}

/// Those of these inbox keys by which an item that is there is known.
pub async fn known<'k>(tx: &mut Tx, keys: &'k [String]) -> Result<Vec<&'k String>, StoreError> {
    let values = keys.iter().map(|key| [Value::key(key)]).collect();
    let rows = sql::rows_over(tx, KNOWN, values, ")").await?;
    let there = rows.iter().map(|row| row.get::<String>("key")).collect::<Result<HashSet<_>, _>>()?;
    Ok(keys.iter().filter(|key| there.contains(bounded(key).as_ref())).collect())
}

/// All items of a ticket, in order.
pub async fn of_ticket(tx: &mut Tx, ticket: TicketId) -> Result<Vec<KeptInbound>, StoreError> {
    sql::rows(tx, OF_TICKET, &[ticket.into()]).await?.iter().map(read).collect()
}

/// Quarantined items in one standing, the latest first, behind `before`; at most `limit`.
pub async fn quarantined(
    tx: &mut Tx,
    standing: Quarantine,
    before: Option<InboundId>,
    limit: i64,
) -> Result<Vec<KeptInbound>, StoreError> {
    let mut query = Builder::new(tx, concat!("SELECT ", inbound_columns!(), " FROM inbound WHERE quarantine = "));
    query.bind(standing.as_str());
    if let Some(before) = before {
        query.push(" AND id < ").bind(before);
    }
    query.push(" ORDER BY id DESC LIMIT ").bind(limit);
    query.rows(tx).await?.iter().map(read).collect()
}

/// The raw bytes of an item, still packed; `None` when they were pruned. When the bytes are absent they lie in a file under
/// the item's hash.
pub async fn raw(tx: &mut Tx, id: InboundId) -> Result<Option<Stored>, StoreError> {
    sql::row(tx, RAW, &[id.into()]).await?.as_ref().map(blob::read).transpose()
}

/// How many items are held.
pub async fn held(tx: &mut Tx) -> Result<i64, StoreError> {
    sql::row(tx, HELD, &[]).await?.map_or(Ok(0), |row| row.get("n"))
}

/// Leaves a held item out for good; it stays counted as quarantined. `false` when it is not held any more. (Letting one in
/// is a [`Released`](crate::record::Released) in a batch.)
pub async fn discard(tx: &mut Tx, id: InboundId) -> Result<bool, StoreError> {
    Ok(sql::execute(tx, DISCARD, &[id.into()]).await? == 1)
}

fn read(row: &Row) -> Result<KeptInbound, StoreError> {
    let raw: Option<Vec<u8>> = row.get("raw_hash")?;
    let quarantine: Option<String> = row.get("quarantine")?;
    Ok(KeptInbound {
        id: row.key("id", InboundId)?,
        source: row.source("source")?,
        external_id: ExternalId::new(row.get::<String>("external_id")?),
        verdict: row.word("verdict", Verdict::parse)?,
        reason: row.maybe_reason("reason")?,
        detail: row.get("detail")?,
        ticket: row.maybe_key("ticket", TicketId)?,
        entry: row.maybe_key("entry", MessageId)?,
        seq: row.get::<Option<i64>>("seq")?.map(Seq),
        from_key: row.get("from_key")?,
        subject: row.get("subject")?,
        raw: raw.map(|hash| BlobHash::read(&hash)).transpose()?,
        raw_size: row.get("raw_size")?,
        quarantine: quarantine.as_deref().and_then(Quarantine::parse),
        received_at: row.at("received_at")?,
        recorded_at: row.at("recorded_at")?,
    })
}
