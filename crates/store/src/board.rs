//! The list agents work from: filters, the order of what breaches first, counts, last words; and the end of a timeline.

use guichet_domain::Moment;
use guichet_domain::entry::EntryKind;
use guichet_domain::ids::{MessageId, SourceName, TicketId};
use guichet_domain::inbound::Explained;
use guichet_domain::priority::Priority;
use guichet_domain::ticket::{State, Ticket, Tier};
use uuid::Uuid;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::search::Words;
use crate::sql::{self, Builder, queries};
use crate::ticket::{read, ticket_columns};
use crate::timeline::{self, KeptEntry};

queries! {
    COUNTS = "SELECT count(*) AS whole, count(*) FILTER (WHERE assignee = $1) AS mine, \
        count(*) FILTER (WHERE assignee IS NULL) AS unassigned, count(*) FILTER (WHERE state <> 'waiting') AS ours, \
        count(*) FILTER (WHERE answered_at IS NULL AND promised_at < $2) AS soon, \
        count(*) FILTER (WHERE attention IS NOT NULL) AS attention \
        FROM ticket WHERE merged_into IS NULL AND state NOT IN ('resolved', 'closed')";
    PULSE = "SELECT max(updated_at) AS at FROM ticket";
    STANDING = "SELECT version FROM ticket WHERE id = $1";
    DELIVERIES = "SELECT state, attempts FROM outbox WHERE ticket = $1 ORDER BY number";
    TAIL = "SELECT number, id, kind, seq, author_address, author_name, verified, subject, text, full_text, html, source, \
        inbound, at FROM entry WHERE ticket = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
}

/// Which tickets are on the board. Everything given must hold; merged ones never are.
#[derive(Debug, Clone, Default)]
pub struct BoardFilter<'a> {
    /// One of these states; all when empty.
    pub states: Vec<State>,
    /// Assigned to this agent.
    pub assignee: Option<&'a str>,
    /// Assigned to nobody.
    pub unassigned: bool,
    /// Unanswered, and promised before.
    pub due_before: Option<Moment>,
    /// Of this category.
    pub category: Option<&'a str>,
    /// Of this priority.
    pub priority: Option<Priority>,
    /// At this tier.
    pub tier: Option<Tier>,
    /// Come by one of these sources; by any when empty.
    pub sources: Vec<SourceName>,
    /// With something an agent must look at.
    pub attention: bool,
    /// With these words in a message, or a requester whose address begins with `address`.
    pub words: Option<Words>,
    /// A requester whose address key begins so.
    pub address: Option<&'a str>,
    /// In which order.
    pub order: Order,
    /// Behind this place.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: i64,
}

/// The order of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// What breaches its promise first; behind that what is kept or answered, the oldest first.
    #[default]
    Due,
    /// The last changed first.
    Updated,
}

/// A place on the board: where the next page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// What the order goes by.
    pub at: i64,
    /// The ticket.
    pub id: Uuid,
}

/// From here on stands what breaks no promise: the year 2100.
const KEPT: i64 = 4_102_444_800_000_000;

impl Place {
    /// The place of a ticket.
    pub fn of(ticket: &Ticket, order: Order) -> Self {
        let at = match (order, ticket.promised_at.filter(|_| ticket.answered_at.is_none())) {
            (Order::Updated, _) => ticket.updated_at.micros(),
            (Order::Due, Some(promised_at)) => promised_at.micros(),
            (Order::Due, None) => KEPT.saturating_add(ticket.opened_at.micros()),
        };
        Self { at, id: ticket.id.0 }
    }
}

/// How many tickets are still to be done, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All of them.
    pub all: i64,
    /// Assigned to the agent who asks.
    pub mine: i64,
    /// Assigned to nobody.
    pub unassigned: i64,
    /// Not waiting for the requester.
    pub ours: i64,
    /// Unanswered and promised before the time asked for.
    pub soon: i64,
    /// With something an agent must look at.
    pub attention: i64,
}

/// The last public words of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWords {
    /// Whose ticket.
    pub ticket: TicketId,
    /// What it is.
    pub kind: EntryKind,
    /// Its place.
    pub seq: i64,
    /// The beginning of its text.
    pub text: String,
    /// When.
    pub at: Moment,
}

/// Tickets, page by page.
pub async fn list(tx: &mut Tx, filter: &BoardFilter<'_>) -> Result<Vec<Ticket>, StoreError> {
    let postgres = tx.is_postgres();
    let mut query = Builder::new(tx, concat!("SELECT ", ticket_columns!(), " FROM ticket WHERE merged_into IS NULL"));
    conditions(&mut query, filter, postgres);
    if let Some(place) = filter.after {
        if filter.order == Order::Due {
            // Said by itself as well: of the pair alone SQLite does not see where in the index to begin.
            query.push(
                " AND (CASE WHEN answered_at IS NULL AND promised_at IS NOT NULL THEN promised_at \
                 ELSE 4102444800000000 + opened_at END) >= ",
            );
            query.bind(place.at);
        }
        query.push(match filter.order {
            Order::Due => {
                " AND ((CASE WHEN answered_at IS NULL AND promised_at IS NOT NULL THEN promised_at \
                 ELSE 4102444800000000 + opened_at END), id) > ("
            }
            Order::Updated => " AND (updated_at, id) < (",
        });
        query.bind(place.at).push(", ").bind(place.id).push(")");
    }
    query.push(match filter.order {
        Order::Due => {
            " ORDER BY (CASE WHEN answered_at IS NULL AND promised_at IS NOT NULL THEN promised_at \
             ELSE 4102444800000000 + opened_at END), id LIMIT "
        }
        Order::Updated => " ORDER BY updated_at DESC, id DESC LIMIT ",
    });
    query.bind(filter.limit);
    query.rows(tx).await?.iter().map(read).collect()
}

fn conditions<'v>(query: &mut Builder<'v>, filter: &'v BoardFilter<'_>, postgres: bool) {
    match filter.states.as_slice() {
        [] => {}
        states if states.len() == 3 && State::ALL.iter().all(|state| state.is_live() == states.contains(state)) => {
            query.push(" AND state NOT IN ('resolved', 'closed')");
        }
        states => {
            if states.iter().all(|state| state.is_live()) {
                // In the words of the partial indexes, so that they are used.
                query.push(" AND state NOT IN ('resolved', 'closed')");
            }
            query.push(" AND state IN ").list(states.iter().map(|state| state.as_str()));
        }
    }
    if let Some(agent) = filter.assignee {
        query.push(" AND assignee = ").bind(agent);
    }
    if filter.unassigned {
        query.push(" AND assignee IS NULL");
    }
    if let Some(before) = filter.due_before {
        query.push(" AND answered_at IS NULL AND promised_at < ").bind(before);
    }
    if let Some(category) = filter.category {
        query.push(" AND category = ").bind(category);
    }
    if let Some(priority) = filter.priority {
        query.push(" AND priority = ").bind(priority.as_str());
    }
    if let Some(tier) = filter.tier {
        query.push(" AND tier = ").bind(tier.as_str());
    }
    if !filter.sources.is_empty() {
        query.push(" AND source IN ").list(filter.sources.iter());
    }
    if filter.attention {
        query.push(" AND attention IS NOT NULL");
    }
    match (&filter.words, filter.address) {
        (None, None) => {}
        (Some(words), None) => {
            query.push(" AND ");
            words.push(query, postgres);
        }
        (words, Some(address)) => {
            query.push(" AND (requester_key = ").bind(address).push(" OR (requester_key >= ").bind(address);
            query.push(" AND requester_key < ").bind(format!("{address}\u{10fffd}")).push(")");
            if let Some(words) = words {
                query.push(" OR ");
                words.push(query, postgres);
            }
            query.push(")");
        }
    }
}

/// How many tickets are still to be done; `soon` counts what is promised before `before`.
pub async fn counts(tx: &mut Tx, agent: &str, before: Moment) -> Result<Counts, StoreError> {
    let Some(row) = sql::row(tx, COUNTS, &[agent.into(), before.into()]).await? else { return Ok(Counts::default()) };
    Ok(Counts {
        all: row.get("whole")?,
        mine: row.get("mine")?,
        unassigned: row.get("unassigned")?,
        ours: row.get("ours")?,
        soon: row.get("soon")?,
        attention: row.get("attention")?,
    })
}

/// When any ticket last changed.
pub async fn pulse(tx: &mut Tx) -> Result<Option<Moment>, StoreError> {
    sql::row(tx, PULSE, &[]).await?.map_or(Ok(None), |row| row.maybe_at("at"))
}

/// What changes when anything shown of a ticket does: its version, and where its deliveries stand.
pub async fn fingerprint(tx: &mut Tx, ticket: TicketId) -> Result<String, StoreError> {
    let version = sql::row(tx, STANDING, &[ticket.into()]).await?;
    let mut mark = version.map_or(Ok(0), |row| row.get::<i64>("version"))?.to_string();
    for row in sql::rows(tx, DELIVERIES, &[ticket.into()]).await? {
        mark.push(' ');
        mark.push_str(&row.get::<String>("state")?);
        mark.push_str(&row.get::<i64>("attempts")?.to_string());
    }
    Ok(mark)
}

/// The public words at these places of tickets.
pub async fn last_words(tx: &mut Tx, places: &[(TicketId, i64)]) -> Result<Vec<LastWords>, StoreError> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Builder::new(
        tx,
        "SELECT ticket, kind, seq, substr(text, 1, 200) AS text, at FROM entry WHERE seq IS NOT NULL AND (ticket, seq) IN (VALUES ",
    );
    query.tuples(places.iter().map(|(ticket, seq)| [(*ticket).into(), (*seq).into()])).push(")");
    let rows = query.rows(tx).await?;
    rows.iter()
        .map(|row| {
            Ok(LastWords {
                ticket: row.ticket("ticket")?,
                kind: row.word("kind", EntryKind::parse)?,
                seq: row.get("seq")?,
                text: row.get("text")?,
                at: row.at("at")?,
            })
        })
        .collect()
}

/// The last entries of a ticket before `before`, the oldest first, with their files and reasons; at most `limit`.
pub async fn tail(
    tx: &mut Tx,
    ticket: TicketId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<KeptEntry>, StoreError> {
    let before = before.unwrap_or(i64::MAX);
    let rows = sql::rows(tx, TAIL, &[ticket.into(), before.into(), limit.into()]).await?;
    let mut kept: Vec<KeptEntry> = rows.iter().map(timeline::read).collect::<Result<_, _>>()?;
    kept.reverse();
    if kept.is_empty() {
        return Ok(kept);
    }
    let mut query = Builder::new(
        tx,
        "SELECT entry, position, name, media_type, content_id, hash, size FROM attachment WHERE entry IN ",
    );
    query.list(kept.iter().map(|known| known.entry.id)).push(" ORDER BY entry, position");
    for row in query.rows(tx).await? {
        let file = timeline::read_attachment(&row)?;
        if let Some(known) = kept.iter_mut().find(|known| known.entry.id == file.entry) {
            known.attachments.push(file);
        }
    }
    let mut query = Builder::new(tx, "SELECT cause, code, detail FROM explanation WHERE cause IN ");
    query.list(kept.iter().map(|known| known.entry.id)).push(" ORDER BY cause, at, position");
    for row in query.rows(tx).await? {
        let cause = row.key("cause", MessageId)?;
        let why = Explained::new(row.get::<String>("code")?, row.get::<String>("detail")?);
        if let Some(known) = kept.iter_mut().find(|known| known.entry.id == cause) {
            known.entry.reasons.push(why);
        }
    }
    Ok(kept)
}
