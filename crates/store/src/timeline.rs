//! What happened to a ticket, in order, and why.

use guichet_domain::Moment;
use guichet_domain::entry::{Entry, EntryKind};
use guichet_domain::event::Transition;
use guichet_domain::ids::{ExternalId, InboundId, MessageId, Seq, SourceName, TicketId};
use guichet_domain::inbound::{Explained, Party};
use guichet_domain::reason::Reason;
use guichet_domain::ticket::State;
use uuid::Uuid;

use crate::blob::BlobHash;
use crate::engine::Tx;
use crate::error::StoreError;
use crate::record::Role;
use crate::sql::{self, Row, queries};

queries! {
    ENTRIES = "SELECT number, id, kind, seq, author_address, author_name, verified, subject, text, full_text, html, source, \
        inbound, at FROM entry WHERE ticket = $1 AND number > $2 ORDER BY number LIMIT $3";
    PUBLIC = "SELECT number, id, kind, seq, author_address, author_name, verified, subject, text, full_text, html, source, \
        inbound, at FROM entry WHERE ticket = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    ONE = "SELECT number, id, kind, seq, author_address, author_name, verified, subject, text, full_text, html, source, \
        inbound, at FROM entry WHERE id = $1";
    IDS = "SELECT entry, external_id FROM entry_id WHERE ticket = $1 AND entry IS NOT NULL ORDER BY at, external_id";
    ATTACHMENTS = "SELECT attachment.entry AS entry, position, name, media_type, content_id, hash, size FROM attachment \
        JOIN entry ON entry.id = attachment.entry WHERE entry.ticket = $1 ORDER BY entry.number, position";
    ATTACHMENT = "SELECT entry, position, name, media_type, content_id, hash, size FROM attachment \
        WHERE entry = $1 AND position = $2";
    TRANSITIONS = "SELECT from_state, to_state, made_by, why, at FROM transition WHERE ticket = $1 ORDER BY number";
    EXPLANATIONS = "SELECT cause, at, code, detail FROM explanation WHERE ticket = $1 ORDER BY at, cause, position";
    EXPLAINED = "SELECT cause, at, code, detail FROM explanation WHERE cause = $1 ORDER BY at, position";
    PARTICIPANTS = "SELECT address, name, role FROM participant WHERE ticket = $1 ORDER BY role DESC, address_key";
    TICKET_OF = "SELECT ticket FROM entry WHERE id = $1";
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptEntry {
    /// Its place among all entries: pass the last one's to get the next page.
    pub number: i64,
    /// The entry; its `external_ids` and `reasons` are filled by [`entries`], left empty by [`public`].
    pub entry: Entry,
    /// The item it came from.
    pub inbound: Option<InboundId>,
    /// Its files; filled by [`entries`].
    pub attachments: Vec<KeptAttachment>,
}

/// A file of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAttachment {
    /// Whose.
    pub entry: MessageId,
    /// Its place among the files of its entry, from 0.
    pub position: i64,
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its Content-ID when it is shown inline.
    pub content_id: Option<String>,
    /// Its content.
    pub hash: BlobHash,
    /// Octets before packing.
    pub size: i64,
}

/// One reason with what it explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptReason {
    /// An inbound, an entry, an agent's act or a timer's firing.
    pub cause: Uuid,
    /// When.
    pub at: Moment,
    /// The reason.
    pub why: Explained,
}

/// The entries of a ticket behind `after` (0 for the first page), notes and events too, with their ids, files and
/// reasons. At most `limit`.
pub async fn entries(tx: &mut Tx, ticket: TicketId, after: i64, limit: i64) -> Result<Vec<KeptEntry>, StoreError> {
    let rows = sql::rows(tx, ENTRIES, &[ticket.into(), after.into(), limit.into()]).await?;
    let mut kept: Vec<KeptEntry> = rows.iter().map(read).collect::<Result<_, _>>()?;
    for row in sql::rows(tx, IDS, &[ticket.into()]).await? {
        let id = row.key("entry", MessageId)?;
        if let Some(known) = kept.iter_mut().find(|known| known.entry.id == id) {
            known.entry.external_ids.push(ExternalId::new(row.get::<String>("external_id")?));
        }
    }
    for row in sql::rows(tx, ATTACHMENTS, &[ticket.into()]).await? {
        let file = read_attachment(&row)?;
        if let Some(known) = kept.iter_mut().find(|known| known.entry.id == file.entry) {
            known.attachments.push(file);
        }
    }
    for reason in explanations(tx, ticket).await? {
        if let Some(known) = kept.iter_mut().find(|known| known.entry.id.0 == reason.cause) {
            known.entry.reasons.push(reason.why);
        }
    }
    Ok(kept)
}

/// The public entries of a ticket behind `after`, without gaps, at most `limit`; without ids, files and reasons.
pub async fn public(tx: &mut Tx, ticket: TicketId, after: Seq, limit: i64) -> Result<Vec<KeptEntry>, StoreError> {
    sql::rows(tx, PUBLIC, &[ticket.into(), after.0.into(), limit.into()]).await?.iter().map(read).collect()
}

/// One entry and its ticket, without ids, files and reasons.
pub async fn entry(tx: &mut Tx, id: MessageId) -> Result<Option<(TicketId, KeptEntry)>, StoreError> {
    let Some(row) = sql::row(tx, ONE, &[id.into()]).await? else { return Ok(None) };
    let entry = read(&row)?;
    let ticket = sql::row(tx, TICKET_OF, &[id.into()]).await?;
    let ticket = ticket.ok_or_else(|| StoreError::corrupt("an entry without ticket"))?.ticket("ticket")?;
    Ok(Some((ticket, entry)))
}

/// One file of an entry, by its place.
pub async fn attachment(tx: &mut Tx, entry: MessageId, position: i64) -> Result<Option<KeptAttachment>, StoreError> {
    sql::row(tx, ATTACHMENT, &[entry.into(), position.into()]).await?.as_ref().map(read_attachment).transpose()
}

/// The changes of state of a ticket, in order.
pub async fn transitions(tx: &mut Tx, ticket: TicketId) -> Result<Vec<Transition>, StoreError> {
    let rows = sql::rows(tx, TRANSITIONS, &[ticket.into()]).await?;
    rows.iter()
        .map(|row| {
            let from = row.get::<Option<String>>("from_state")?;
            Ok(Transition {
                from: from.as_deref().and_then(State::parse),
                to: row.word("to_state", State::parse)?,
                by: row.get("made_by")?,
                why: Reason::from(row.get::<String>("why")?),
                at: row.at("at")?,
            })
        })
        .collect()
}

/// Every reason that concerns a ticket, in order of time: what `explain` prints.
pub async fn explanations(tx: &mut Tx, ticket: TicketId) -> Result<Vec<KeptReason>, StoreError> {
    sql::rows(tx, EXPLANATIONS, &[ticket.into()]).await?.iter().map(read_reason).collect()
}

/// The reasons of one cause: an inbound, an entry, an act.
pub async fn explained(tx: &mut Tx, cause: Uuid) -> Result<Vec<KeptReason>, StoreError> {
    sql::rows(tx, EXPLAINED, &[cause.into()]).await?.iter().map(read_reason).collect()
}

/// Who takes part in a ticket, the requester first.
pub async fn participants(tx: &mut Tx, ticket: TicketId) -> Result<Vec<(Party, Role)>, StoreError> {
    let rows = sql::rows(tx, PARTICIPANTS, &[ticket.into()]).await?;
    rows.iter()
        .map(|row| {
            let party = Party { address: row.get("address")?, name: row.get("name")? };
            Ok((party, row.word("role", Role::parse)?))
        })
        .collect()
}

pub(crate) fn read(row: &Row) -> Result<KeptEntry, StoreError> {
    let entry = Entry {
        id: row.key("id", MessageId)?,
        kind: row.word("kind", EntryKind::parse)?,
        seq: row.get::<Option<i64>>("seq")?.map(Seq),
        author: row.party("author_address", "author_name")?,
        verified: row.get("verified")?,
        subject: row.get("subject")?,
        text: row.get("text")?,
        full_text: row.get("full_text")?,
        html: row.get("html")?,
        source: row.get::<Option<String>>("source")?.map(SourceName::new),
        external_ids: Vec::new(),
        at: row.at("at")?,
        reasons: Vec::new(),
    };
    let inbound = row.maybe_key("inbound", InboundId)?;
    Ok(KeptEntry { number: row.get("number")?, entry, inbound, attachments: Vec::new() })
}

pub(crate) fn read_attachment(row: &Row) -> Result<KeptAttachment, StoreError> {
    Ok(KeptAttachment {
        entry: row.key("entry", MessageId)?,
        position: row.get("position")?,
        name: row.get("name")?,
        media_type: row.get("media_type")?,
        content_id: row.get("content_id")?,
        hash: BlobHash::read(&row.get::<Vec<u8>>("hash")?)?,
        size: row.get("size")?,
    })
}

fn read_reason(row: &Row) -> Result<KeptReason, StoreError> {
    let why = Explained::new(row.get::<String>("code")?, row.get::<String>("detail")?);
    Ok(KeptReason { cause: row.get("cause")?, at: row.at("at")?, why })
}
