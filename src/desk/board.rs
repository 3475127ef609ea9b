//! The board: one list over all channels, by saved view and filters, with counts and the last words of each ticket.

use std::time::Duration;

use guichet_domain::Moment;
use guichet_domain::entry::EntryKind;
use guichet_domain::ids::SourceName;
use guichet_domain::inbound::address_key;
use guichet_domain::priority::Priority;
use guichet_domain::reference::Reference;
use guichet_domain::ticket::{State, Tier};
use guichet_store::board::{self, BoardFilter, LastWords, Order, Place};
use guichet_store::search::{self, Words};
use guichet_store::{desktop, ticket};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::desk::showing::show_ticket;
use crate::desk::views::TicketView;
use crate::desk::{Desk, DeskError};

pub use guichet_store::board::Counts;

/// Tickets of one page.
const PAGE: usize = 50;
/// What is promised within so long breaches soon.
pub const SOON: Duration = Duration::from_hours(4);
/// Marks a page of a search for beginnings of words.
const BEGINNINGS: &str = ".b";
/// Entries that are added to the search at once.
const CATCH_UP: i64 = 2_000;

/// A saved view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Still to be done, and mine.
    Mine,
    /// Still to be done, and nobody's.
    Unassigned,
    /// Still to be done, and not waiting for the requester.
    #[default]
    Ours,
    /// Unanswered, and the promise breaks soon or is broken.
    Soon,
    /// With something an agent must look at.
    Attention,
    /// Resolved or closed.
    Closed,
    /// All.
    All,
}

impl View {
    /// All views, in the order they are shown.
    pub const ALL: [Self; 7] =
        [Self::Mine, Self::Unassigned, Self::Ours, Self::Soon, Self::Attention, Self::Closed, Self::All];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Unassigned => "unassigned",
            Self::Ours => "ours",
            Self::Soon => "soon",
            Self::Attention => "attention",
            Self::Closed => "closed",
            Self::All => "all",
        }
    }

    fn order(self) -> Order {
        match self {
            Self::Closed | Self::All => Order::Updated,
            _ => Order::Due,
        }
    }
}

/// What is asked of the board. What is empty or unknown does not count: an address typed by hand still gives a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BoardQuery {
    /// The view.
    pub view: View,
    /// One state.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// One source, or `channel:` and a kind of channel.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// A category.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub category: String,
    /// A priority.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub priority: String,
    /// A tier.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tier: String,
    /// An agent, or `none`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub assignee: String,
    /// Words, an address, or a reference.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub q: String,
    /// `due` or `updated`; the view's own order when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sort: String,
    /// Where the page begins.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub after: String,
}

/// A page of the board.
#[derive(Debug, Clone)]
pub struct BoardPage {
    /// The rows.
    pub rows: Vec<BoardRow>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// How many are still to be done, by view.
    pub counts: Counts,
    /// The order the rows are in, as a stable word.
    pub sort: &'static str,
    /// What changes when anything on the board does.
    pub pulse: i64,
    /// When it was read.
    pub now: Moment,
}

/// One row.
#[derive(Debug, Clone)]
pub struct BoardRow {
    /// The ticket.
    pub ticket: TicketView,
    /// The kind of channel it came by.
    pub channel: String,
    /// The last public words.
    pub last: Option<LastWords>,
    /// Whether the agent has not seen them.
    pub unread: bool,
}

impl Desk {
    /// A page of the board, for an agent.
    pub async fn board(&self, agent: &str, query: &BoardQuery) -> Result<BoardPage, DeskError> {
        if !query.q.trim().is_empty() {
            self.catch_up().await?;
        }
        let now = self.kernel.clock.now();
        let typed = query.q.trim();
        let address = address_key(typed);
        let is_word = !address.is_empty() && !address.contains(char::is_whitespace) && address.len() <= 320;
        let mut filter = self.filter(agent, query, now);
        filter.words = Words::of(typed).filter(|_| !typed.contains('@'));
        filter.address = Some(address.as_str()).filter(|_| is_word);
        let searched_in_vain = !typed.is_empty() && filter.words.is_none() && filter.address.is_none();
        let mut tx = self.kernel.db.read().await?;
        let counts = board::counts(&mut tx, agent, now + SOON).await?;
        let pulse = board::pulse(&mut tx).await?.map_or(0, Moment::micros);
        let mut found = if searched_in_vain { Vec::new() } else { board::list(&mut tx, &filter).await? };
        // Whole words first, which is quick whatever they are; beginnings where these are few.
        let begun = query.after.ends_with(BEGINNINGS);
        if filter.words.is_some() && (begun || (query.after.is_empty() && found.len() <= PAGE)) {
            filter.words = filter.words.take().map(Words::beginnings);
            found = board::list(&mut tx, &filter).await?;
        }
        let mode = if filter.words.as_ref().is_some_and(Words::are_beginnings) { BEGINNINGS } else { "" };
        let more = found.len() > PAGE;
        found.truncate(PAGE);
        let next = found.last().filter(|_| more).map(|ticket| {
            let place = Place::of(ticket, filter.order);
            format!("{}.{}{mode}", place.at, place.id.simple())
        });
        // The last words of people: notices stand behind them, one or two at most.
        let behind = |ticket: &guichet_domain::ticket::Ticket| {
            (0..3).map(|back| (ticket.id, ticket.last_seq - back)).collect::<Vec<_>>()
        };
        let places: Vec<_> = found.iter().flat_map(behind).filter(|(_, seq)| *seq > 0).collect();
        let keys: Vec<_> = found.iter().map(|ticket| ticket.id).collect();
        let mut last = board::last_words(&mut tx, &places).await?;
        last.retain(|words| words.kind != EntryKind::Notice);
        last.sort_by_key(|words| std::cmp::Reverse(words.seq));
        let looked = desktop::looked(&mut tx, agent, &keys).await?;
        let mut rows = Vec::with_capacity(found.len());
        for ticket in found {
            let upto = looked.iter().find(|(id, _)| *id == ticket.id).map_or(0, |(_, upto)| *upto);
            rows.push(BoardRow {
                channel: self.channel_of(&ticket.source).to_owned(),
                unread: ticket.state.is_live()
                    && last.iter().any(|words| words.ticket == ticket.id && words.seq > upto),
                last: last.iter().find(|words| words.ticket == ticket.id).cloned(),
                ticket: show_ticket(&mut tx, self.prefix(), ticket).await?,
            });
        }
        let sort = if filter.order == Order::Due { "due" } else { "updated" };
        Ok(BoardPage { rows, next, counts, sort, pulse, now })
    }

    /// The ticket a reference somebody typed stands for, if there is one.
    pub async fn spoken(&self, typed: &str) -> Result<Option<String>, DeskError> {
        let Ok(reference) = Reference::parse(typed, self.prefix()) else { return Ok(None) };
        let mut tx = self.kernel.db.read().await?;
        let found = ticket::by_reference(&mut tx, &reference).await?;
        Ok(found.map(|ticket| ticket.reference.shown(self.prefix()).to_string()))
    }

    /// How many are still to be done, by view.
    pub async fn counts(&self, agent: &str) -> Result<Counts, DeskError> {
        let before = self.kernel.clock.now() + SOON;
        Ok(board::counts(&mut self.kernel.db.read().await?, agent, before).await?)
    }

    /// What changes when anything on the board does.
    pub async fn pulse(&self) -> Result<i64, DeskError> {
        Ok(board::pulse(&mut self.kernel.db.read().await?).await?.map_or(0, Moment::micros))
    }

    /// What changes when anything shown of a ticket does.
    pub async fn fingerprint(&self, reference: &str) -> Result<String, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let ticket = self.find(&mut tx, reference).await?;
        Ok(board::fingerprint(&mut tx, ticket.id).await?)
    }

    /// The kind of channel of a source; its name when it is no longer configured.
    pub fn channel_of<'a>(&'a self, source: &'a SourceName) -> &'a str {
        self.kernel.sources.get(source).map_or(source.as_str(), |source| source.kind.as_str())
    }

    /// Brings the search up to what has come in: at most a second's work at once, the rest at the next question.
    async fn catch_up(&self) -> Result<(), DeskError> {
        for _ in 0..20 {
            let mut tx = self.kernel.db.read().await?;
            if !search::is_behind(&mut tx).await? {
                return Ok(());
            }
            drop(tx);
            let mut tx = self.kernel.db.write().await?;
            search::catch_up(&mut tx, CATCH_UP).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    fn filter<'a>(&self, agent: &'a str, query: &'a BoardQuery, now: Moment) -> BoardFilter<'a> {
        let mut filter = BoardFilter { limit: 51, order: query.view.order(), ..BoardFilter::default() };
        let live = || State::ALL.into_iter().filter(|state| state.is_live()).collect::<Vec<_>>();
        filter.states = match query.view {
            View::Ours => vec![State::New, State::Open],
            View::Closed => vec![State::Resolved, State::Closed],
            View::All => Vec::new(),
            View::Mine | View::Unassigned | View::Soon | View::Attention => live(),
        };
        match query.view {
            View::Mine => filter.assignee = Some(agent),
            View::Unassigned => filter.unassigned = true,
            View::Soon => filter.due_before = Some(now + SOON),
            View::Attention => filter.attention = true,
            View::Ours | View::Closed | View::All => {}
        }
        if let Some(state) = State::parse(&query.state) {
            let open_to_all = filter.states.is_empty() || filter.states.contains(&state);
            // A state the view leaves out gives nothing rather than everything.
            filter.states = vec![state];
            if !open_to_all {
                filter.limit = 0;
            }
        }
        let kind = query.source.strip_prefix("channel:");
        let of_kind = self.kernel.sources.iter().filter(|(_, known)| kind.is_some_and(|kind| known.kind == kind));
        filter.sources = of_kind.map(|(name, _)| name.clone()).collect();
        if filter.sources.is_empty() && !query.source.is_empty() {
            filter.sources = vec![SourceName::from(query.source.as_str())];
        }
        filter.category = Some(query.category.as_str()).filter(|word| !word.is_empty());
        filter.priority = Priority::parse(&query.priority);
        filter.tier = Tier::parse(&query.tier);
        match query.assignee.as_str() {
            "" => {}
            "none" => filter.unassigned = true,
            name => filter.assignee = Some(name),
        }
        match query.sort.as_str() {
            "due" => filter.order = Order::Due,
            "updated" => filter.order = Order::Updated,
            _ => {}
        }
        filter.after = place(&query.after);
        filter
    }
}

fn place(text: &str) -> Option<Place> {
    let (at, id) = text.trim_end_matches(BEGINNINGS).split_once('.')?;
    Some(Place { at: at.parse().ok()?, id: Uuid::parse_str(id).ok()? })
}
