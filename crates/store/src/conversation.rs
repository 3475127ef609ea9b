//! Conversations as their requesters see them: one run of public entries over all the tickets a conversation has had.
//!
//! Mostly that is one ticket, and an entry's place is its place in the ticket. When a closed ticket is followed by another, or
//! was merged into one, the entries of all of them are counted in the order in which they were written: a place once given
//! stays. Of a ticket that another was merged into only what was written since then is shown, for what was said there before
//! was said to somebody else.

use guichet_domain::entry::EntryKind;
use guichet_domain::ids::{ConversationKey, ExternalId, InboundId, MessageId, Seq, SourceName, TicketId};
use guichet_domain::reason;
use guichet_domain::ticket::Ticket;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Builder, Row, queries};
use crate::ticket::{self, ticket_columns};
use crate::timeline::{KeptEntry, read, read_attachment};
use crate::value::Value;

/// Most tickets of one conversation that are looked at, the newest ones.
const MOST: usize = 50;
/// Longest chain of merged tickets that is followed.
const HOPS: usize = 8;

queries! {
    TICKETS = concat!(
        "SELECT ", ticket_columns!(), " FROM ticket WHERE source = $1 AND conversation = $2 ORDER BY id DESC LIMIT $3"
    );
    MERGED = "SELECT max(entry.number) AS number FROM explanation JOIN entry ON entry.id = explanation.cause \
        WHERE explanation.ticket = $1 AND explanation.code = $2";
    LAST = "SELECT max(number) AS number FROM entry WHERE ticket = $1";
    LED_TO = "SELECT source, conversation FROM ticket WHERE merged_into = $1";
}

const ENTRY: &str = "SELECT number, id, kind, seq, author_address, author_name, verified, subject, text, full_text, html, \
     source, inbound, at FROM entry WHERE ";

/// A conversation with its tickets.
#[derive(Debug, Clone, PartialEq)]
pub struct Thread {
    /// Its newest ticket.
    pub ticket: Ticket,
    /// The ticket what is written now goes to: the newest, or the one that became part of.
    pub end: Ticket,
    parts: Vec<Part>,
}

/// A ticket whose public entries a conversation shows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    ticket: TicketId,
    /// What a conversation that became part of this ticket shows of it.
    joined: Option<Joined>,
}

/// Behind which entry, and of what people wrote only what this address did: others never wrote to whoever reads here.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Joined {
    since: i64,
    writer: Option<String>,
}

/// The conversation of this key; `None` when nothing has opened it.
pub async fn thread(
    tx: &mut Tx,
    source: &SourceName,
    conversation: &ConversationKey,
) -> Result<Option<Thread>, StoreError> {
    let most = i64::try_from(MOST).unwrap_or(i64::MAX);
    let rows = sql::rows(tx, TICKETS, &[source.into(), conversation.into(), most.into()]).await?;
    let tickets = rows.iter().map(ticket::read).collect::<Result<Vec<_>, _>>()?;
    thread_of(tx, tickets).await
}

/// The one ticket as a conversation of its own, with what it was merged into.
pub async fn thread_of_ticket(tx: &mut Tx, ticket: Ticket) -> Result<Thread, StoreError> {
    let thread = thread_of(tx, vec![ticket]).await?;
    thread.ok_or_else(|| StoreError::Other { what: "a ticket without a conversation".to_owned() })
}

/// The conversations of a source whose keys begin with `prefix`, the newest first, at most `limit`.
pub async fn begun_with(
    tx: &mut Tx,
    source: &SourceName,
    prefix: &str,
    limit: usize,
) -> Result<Vec<(ConversationKey, Thread)>, StoreError> {
    // Between the prefix and the prefix with the last character there is lies everything that begins with it, whatever
    // stands in it; text is compared by code points, also where the database has a language.
    let by_bytes = tx.is_postgres();
    let collate = if by_bytes { " COLLATE \"C\"" } else { "" };
    let mut query = Builder::new(tx, "SELECT conversation, max(opened_at) AS newest FROM ticket WHERE conversation");
    query.push(collate).push(" >= ").bind(prefix).push(" AND conversation").push(collate).push(" < ");
    query.bind(format!("{prefix}\u{10FFFF}")).push(" AND source = ").bind(source);
    query.push(" GROUP BY conversation ORDER BY newest DESC, conversation LIMIT ");
    query.bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let mut found = Vec::new();
    for row in query.rows(tx).await? {
        let key = row.conversation("conversation")?;
        if let Some(thread) = thread(tx, source, &key).await? {
            found.push((key, thread));
        }
    }
    Ok(found)
}

/// The conversations that show what is written to this ticket because theirs was merged into it.
pub async fn led_to(tx: &mut Tx, ticket: TicketId) -> Result<Vec<(SourceName, ConversationKey)>, StoreError> {
    let rows = sql::rows(tx, LED_TO, &[ticket.into()]).await?;
    rows.iter().map(|row| Ok((row.source("source")?, row.conversation("conversation")?))).collect()
}

impl Thread {
    /// The public entries behind `after`, without gaps, at most `limit`, with their files and what their source calls them:
    /// three statements, however many there are. Each entry has its place in the conversation as `seq`.
    pub async fn entries(&self, tx: &mut Tx, after: Seq, limit: i64) -> Result<Vec<KeptEntry>, StoreError> {
        let mut query = Builder::new(tx, ENTRY);
        let simple = self.simple();
        if let Some(ticket) = simple {
            query.push("ticket = ").bind(ticket).push(" AND seq > ").bind(after.0);
            query.push(" ORDER BY seq LIMIT ").bind(limit);
        } else {
            self.condition(&mut query);
            query.push(" ORDER BY number LIMIT ").bind(limit).push(" OFFSET ").bind(after.0.max(0));
        }
        let rows = query.rows(tx).await?;
        let mut entries = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if simple.is_none() {
            for (place, kept) in (after.0.max(0) + 1..).zip(&mut entries) {
                kept.entry.seq = Some(Seq(place));
            }
        }
        surround(tx, &mut entries).await?;
        Ok(entries)
    }

    /// The place of the last public entry.
    pub async fn last_seq(&self, tx: &mut Tx) -> Result<Seq, StoreError> {
        if self.simple().is_some() {
            return Ok(Seq(self.ticket.last_seq));
        }
        let mut query = Builder::new(tx, "SELECT count(*) AS n FROM entry WHERE ");
        self.condition(&mut query);
        count(tx, query).await
    }

    /// The place in the conversation of what has the place `seq` in one of its tickets; `seq` itself when it is in none.
    pub async fn place(&self, tx: &mut Tx, ticket: TicketId, seq: Seq) -> Result<Seq, StoreError> {
        if self.simple().is_some() || !self.parts.iter().any(|part| part.ticket == ticket) {
            return Ok(seq);
        }
        let mut query = Builder::new(tx, "SELECT count(*) AS n FROM entry WHERE ");
        self.condition(&mut query);
        query.push(" AND number <= (SELECT number FROM entry WHERE ticket = ").bind(ticket);
        query.push(" AND seq = ").bind(seq.0).push(")");
        count(tx, query).await
    }

    /// Whether an entry is among those it shows.
    pub fn shows(&self, ticket: TicketId, entry: &KeptEntry) -> bool {
        let (number, entry) = (entry.number, &entry.entry);
        let writer = entry.author.as_ref().map(|author| author.address.as_str());
        let may = |joined: &Joined| {
            number > joined.since && (entry.kind != EntryKind::Inbound || writer == joined.writer.as_deref())
        };
        let shows = |part: &Part| part.ticket == ticket && part.joined.as_ref().is_none_or(may);
        entry.seq.is_some() && self.parts.iter().any(shows)
    }

    /// The tickets whose entries it shows, the oldest first.
    pub fn tickets(&self) -> impl Iterator<Item = TicketId> {
        self.parts.iter().map(|part| part.ticket)
    }

    /// Whether it has had one ticket alone: its places are that ticket's.
    pub fn is_simple(&self) -> bool {
        self.simple().is_some()
    }

    /// Its only ticket, whose places are its own.
    fn simple(&self) -> Option<TicketId> {
        match self.parts.as_slice() {
            [Part { ticket, joined: None }] => Some(*ticket),
            _ => None,
        }
    }

    fn condition<'t>(&'t self, query: &mut Builder<'t>) {
        query.push("seq IS NOT NULL AND (");
        for (at, part) in self.parts.iter().enumerate() {
            query.push(if at > 0 { " OR (ticket = " } else { "(ticket = " }).bind(part.ticket);
            if let Some(Joined { since, writer }) = &part.joined {
                query.push(" AND number > ").bind(*since).push(" AND (kind <> 'inbound' OR author_address = ");
                query.bind(Value::maybe(writer.as_deref())).push(")");
            }
            query.push(")");
        }
        query.push(")");
    }
}

/// Makes a conversation of its tickets, the newest first.
async fn thread_of(tx: &mut Tx, tickets: Vec<Ticket>) -> Result<Option<Thread>, StoreError> {
    let Some(newest) = tickets.first().cloned() else { return Ok(None) };
    let mut parts: Vec<Part> = tickets.iter().rev().map(|ticket| Part { ticket: ticket.id, joined: None }).collect();
    let mut end = newest.clone();
    for ticket in tickets.iter().rev() {
        let mut at = ticket.clone();
        for _ in 0..HOPS {
            let Some(into) = at.merged_into else { break };
            let Some(next) = ticket::load(tx, into).await? else { break };
            if !parts.iter().any(|part| part.ticket == next.id) {
                let writer = ticket.requester.as_ref().map(|party| party.address.clone());
                let joined = Joined { since: merged_at(tx, &at).await?, writer };
                parts.push(Part { ticket: next.id, joined: Some(joined) });
            }
            at = next;
        }
        if ticket.id == newest.id {
            end = at;
        }
    }
    Ok(Some(Thread { ticket: newest, end, parts }))
}

/// The entry that says it was merged, by its number among all entries: what has a greater one was written since.
async fn merged_at(tx: &mut Tx, ticket: &Ticket) -> Result<i64, StoreError> {
    let values = [ticket.id.into(), reason::MERGED.as_str().to_owned().into()];
    let number = |row: Option<Row>| -> Result<Option<i64>, StoreError> {
        Ok(row.map(|row| row.get::<Option<i64>>("number")).transpose()?.flatten())
    };
    let told = number(sql::row(tx, MERGED, &values).await?)?;
    let last = match told {
        Some(_) => told,
        None => number(sql::row(tx, LAST, &[ticket.id.into()]).await?)?,
    };
    Ok(last.unwrap_or(i64::MAX))
}

/// Adds to entries their files and what their source calls them, a statement each.
async fn surround(tx: &mut Tx, entries: &mut [KeptEntry]) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let keys: Vec<MessageId> = entries.iter().map(|kept| kept.entry.id).collect();
    let inbounds: Vec<InboundId> = entries.iter().filter_map(|kept| kept.inbound).collect();
    if !inbounds.is_empty() {
        let mut query = Builder::new(tx, "SELECT id, external_id FROM inbound WHERE id IN ");
        query.list(inbounds);
        for row in query.rows(tx).await? {
            let inbound = Some(row.key("id", InboundId)?);
            if let Some(kept) = entries.iter_mut().find(|kept| kept.inbound == inbound) {
                kept.entry.external_ids.push(ExternalId::new(row.get::<String>("external_id")?));
            }
        }
    }
    let mut query = Builder::new(
        tx,
        "SELECT entry, position, name, media_type, content_id, hash, size FROM attachment WHERE entry IN ",
    );
    query.list(keys).push(" ORDER BY entry, position");
    for row in query.rows(tx).await? {
        let file = read_attachment(&row)?;
        if let Some(kept) = entries.iter_mut().find(|kept| kept.entry.id == file.entry) {
            kept.attachments.push(file);
        }
    }
    Ok(())
}

async fn count(tx: &mut Tx, query: Builder<'_>) -> Result<Seq, StoreError> {
    let rows = query.rows(tx).await?;
    Ok(Seq(rows.first().map(|row| row.get("n")).transpose()?.unwrap_or(0)))
}
