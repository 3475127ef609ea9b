//! Lists of tickets, page by page.

use std::str::FromStr;

use guichet_domain::Moment;
use guichet_domain::ids::{SourceName, TicketId};
use guichet_domain::priority::Priority;
use guichet_domain::ticket::{State, Ticket};
use uuid::Uuid;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Builder, queries};
use crate::ticket::{read, ticket_columns};

queries! {
    BY_STATE = "SELECT state, priority, count(*) AS n FROM ticket WHERE merged_into IS NULL GROUP BY state, priority \
        ORDER BY state, priority";
}

/// Which tickets to list. Everything given must hold.
#[derive(Debug, Clone, Default)]
pub struct TicketFilter<'a> {
    /// One of these states; all when empty.
    pub states: Vec<State>,
    /// Assigned to this agent.
    pub assignee: Option<&'a str>,
    /// Assigned to nobody.
    pub unassigned: bool,
    /// Of this category.
    pub category: Option<&'a str>,
    /// Waiting in this queue.
    pub queue: Option<&'a str>,
    /// Of this priority.
    pub priority: Option<Priority>,
    /// Come by this source.
    pub source: Option<&'a SourceName>,
    /// Asked by whoever has this address key.
    pub requester: Option<&'a str>,
    /// With this text in the subject, in either case where the engine can tell.
    pub subject: Option<&'a str>,
    /// With something an agent must look at.
    pub attention: bool,
    /// Changed at or after.
    pub updated_since: Option<Moment>,
    /// In which order.
    pub sort: Sort,
    /// Behind this one.
    pub after: Option<PageKey>,
    /// At most so many.
    pub limit: i64,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The last changed first.
    #[default]
    Updated,
    /// The last opened first.
    Opened,
    /// The order of work: the most pressing first, among them the longest waiting.
    Work,
}

/// The place of a ticket in a list: where the next page begins. Opaque; keep it with the same filter and order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageKey {
    at: i64,
    priority: Priority,
    id: Uuid,
}

impl PageKey {
    /// The place of this ticket in a list of this order.
    pub fn of(ticket: &Ticket, sort: Sort) -> Self {
        let at = match sort {
            Sort::Updated => ticket.updated_at,
            Sort::Opened | Sort::Work => ticket.opened_at,
        };
        Self { at: at.micros(), priority: ticket.priority, id: ticket.id.0 }
    }
}

impl std::fmt::Display for PageKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.at, self.priority.as_str(), self.id.simple())
    }
}

impl FromStr for PageKey {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let mut parts = text.split('.');
            let key = Self {
                at: parts.next()?.parse().ok()?,
                priority: Priority::parse(parts.next()?)?,
                id: Uuid::parse_str(parts.next()?).ok()?,
            };
            parts.next().is_none().then_some(key)
        };
        read().ok_or_else(|| StoreError::Other { what: "this is not the place of a ticket in a list".to_owned() })
    }
}

/// Tickets that were not merged into others, page by page.
pub async fn list(tx: &mut Tx, filter: &TicketFilter<'_>) -> Result<Vec<Ticket>, StoreError> {
    let mut query = Builder::new(tx, concat!("SELECT ", ticket_columns!(), " FROM ticket WHERE merged_into IS NULL"));
    conditions(&mut query, filter);
    page(&mut query, filter);
    query.push(" LIMIT ").bind(filter.limit);
    query.rows(tx).await?.iter().map(read).collect()
}

/// How many tickets were not merged into others, by state and priority.
pub async fn by_state(tx: &mut Tx) -> Result<Vec<(State, Priority, i64)>, StoreError> {
    let rows = sql::rows(tx, BY_STATE, &[]).await?;
    rows.iter()
        .map(|row| Ok((row.word("state", State::parse)?, row.word("priority", Priority::parse)?, row.get("n")?)))
        .collect()
}

/// The keys of all tickets of a requester, the latest first; for export and erasure.
pub async fn of_requester(tx: &mut Tx, address_key: &str, limit: i64) -> Result<Vec<TicketId>, StoreError> {
    let mut query = Builder::new(tx, "SELECT id FROM ticket WHERE requester_key = ");
    query.bind(address_key).push(" ORDER BY updated_at DESC, id DESC LIMIT ").bind(limit);
    query.rows(tx).await?.iter().map(|row| row.ticket("id")).collect()
}

fn conditions<'v>(query: &mut Builder<'v>, filter: &'v TicketFilter<'_>) {
    states(query, filter);
    if let Some(agent) = filter.assignee {
        query.push(" AND assignee = ").bind(agent);
    }
    if filter.unassigned {
        query.push(" AND assignee IS NULL");
    }
    // Each of these has an index in the order of changes. In another order it would find the tickets and have to sort them
    // all: a walk in that order meets enough of them sooner, and SQLite takes it when it cannot look the value up.
    let indexed = filter.sort == Sort::Updated;
    let by = |column, hidden| if indexed { column } else { hidden };
    if let Some(category) = filter.category {
        query.push(by(" AND category = ", " AND category || '' = ")).bind(category);
    }
    if let Some(queue) = filter.queue {
        query.push(by(" AND queue = ", " AND queue || '' = ")).bind(queue);
    }
    if let Some(priority) = filter.priority {
        let by_work = filter.sort != Sort::Opened;
        query.push(if by_work { " AND priority = " } else { " AND priority || '' = " }).bind(priority.as_str());
    }
    if let Some(source) = filter.source {
        query.push(by(" AND source = ", " AND source || '' = ")).bind(source);
    }
    if let Some(requester) = filter.requester {
        query.push(" AND requester_key = ").bind(requester);
    }
    if let Some(words) = filter.subject {
        query.push(" AND lower(subject) LIKE ").bind(pattern(words)).push(" ESCAPE '\\'");
    }
    if filter.attention {
        query.push(" AND attention IS NOT NULL");
    }
    if let Some(since) = filter.updated_since {
        query.push(" AND updated_at >= ").bind(since);
    }
}

fn states<'v>(query: &mut Builder<'v>, filter: &'v TicketFilter<'_>) {
    let states = filter.states.as_slice();
    if states.is_empty() {
        return;
    }
    if let ([one], Sort::Updated) = (states, filter.sort) {
        query.push(" AND state = ").bind(one.as_str());
        return;
    }
    if states.iter().all(|state| state.is_live()) {
        // In the very words of the partial indexes: those who wait are few.
        query.push(" AND state NOT IN ('resolved', 'closed')");
        if State::ALL.iter().all(|state| state.is_live() == states.contains(state)) {
            return;
        }
    }
    // Such that no engine looks the states up one by one and sorts what it finds.
    query.push(" AND state || '' IN ").list(states.iter().map(|state| state.as_str()));
}

fn page(query: &mut Builder<'_>, filter: &TicketFilter<'_>) {
    let (behind, order) = match filter.sort {
        Sort::Updated => (" AND (updated_at, id) < (", " ORDER BY updated_at DESC, id DESC"),
        Sort::Opened => (" AND (opened_at, id) < (", " ORDER BY opened_at DESC, id DESC"),
        Sort::Work => (" AND (priority, opened_at, id) > (", " ORDER BY priority, opened_at, id"),
    };
    if let Some(key) = filter.after {
        query.push(behind);
        if filter.sort == Sort::Work {
            query.bind(key.priority.as_str()).push(", ");
        }
        query.bind(key.at).push(", ").bind(key.id).push(")");
    }
    query.push(order);
}

/// `%words%` in lower case, with nothing in it that `LIKE` would take for more than itself.
fn pattern(words: &str) -> String {
    let mut pattern = String::with_capacity(words.len() + 2);
    pattern.push('%');
    for c in words.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_key_goes_through_an_address_and_back() {
        let key = PageKey { at: 5, priority: Priority::P2, id: Uuid::from_u128(7) };
        assert_eq!(key.to_string().parse::<PageKey>().unwrap(), key);
        assert!("5.P2".parse::<PageKey>().is_err());
        assert!("5.P2.00000000000000000000000000000007.x".parse::<PageKey>().is_err());
    }

    #[test]
    fn what_a_person_types_is_searched_as_it_stands() {
        assert_eq!(pattern("100% _A"), "%100\\% \\_a%");
    }
}
