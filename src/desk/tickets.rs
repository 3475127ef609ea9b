//! Reading tickets.

use guichet_domain::Moment;
use guichet_domain::ids::{MessageId, SourceName};
use guichet_domain::inbound::address_key;
use guichet_domain::priority::Priority;
use guichet_domain::ticket::State;
use guichet_store::blob::{self, BlobHash, Stored};
use guichet_store::ticket_list::{self, PageKey, Sort, TicketFilter};
use guichet_store::{Tx, outbox, timeline, timer};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::desk::showing::{show_delivery, show_entry, show_ticket};
use crate::desk::views::{ParticipantView, TicketDetail, TicketPage, TimerView, TransitionView};
use crate::desk::{Desk, DeskError};

/// Tickets of one page: unless said otherwise, and at most.
const PAGE: (i64, i64) = (50, 200);
/// Entries of one look at a timeline.
const ENTRIES: i64 = 200;

/// Which tickets to list. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TicketQuery {
    /// States with commas between; `live` stands for new, open and waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(example = "new,open")]
    pub state: Option<String>,
    /// Assigned to this agent; `none` for nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Of this category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Waiting in this queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Of this priority, `P1` to `P5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// Come by this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Asked by this address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester: Option<String>,
    /// `true`: with something an agent must look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention: Option<bool>,
    /// With these words in the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Changed at or after this instant (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub updated_since: Option<Moment>,
    /// `updated` (the last changed first), `opened` (the last opened first), `work` (the most pressing first).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many, 1 to 200; 50 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}

/// A file to hand out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its media type as declared by whoever sent it.
    pub media_type: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Desk {
    /// Tickets that were not merged into others, page by page. A ticket that changes between two pages may show on both;
    /// none that stays as it is is left out.
    pub async fn list(&self, query: &TicketQuery) -> Result<TicketPage, DeskError> {
        let sort = sort(query.sort.as_deref())?;
        let source = query.source.as_deref().map(SourceName::from);
        let requester = query.requester.as_deref().map(address_key);
        let limit = query.limit.unwrap_or(PAGE.0);
        if !(1..=PAGE.1).contains(&limit) {
            return Err(DeskError::invalid(format!("limit = {limit}"), format!("ask for 1 to {} tickets", PAGE.1)));
        }
        let unassigned = query.assignee.as_deref() == Some("none");
        let filter = TicketFilter {
            states: states(query.state.as_deref())?,
            assignee: query.assignee.as_deref().filter(|_| !unassigned),
            unassigned,
            category: query.category.as_deref(),
            queue: query.queue.as_deref(),
            priority: priority(query.priority.as_deref())?,
            source: source.as_ref(),
            requester: requester.as_deref(),
            subject: query.q.as_deref().filter(|words| !words.is_empty()),
            attention: query.attention.unwrap_or_default(),
            updated_since: query.updated_since,
            sort,
            after: query.after.as_deref().map(|after| place(after, sort)).transpose()?,
            // One more than shown tells whether there is another page.
            limit: limit + 1,
        };
        let mut tx = self.kernel.db.read().await?;
        let mut found = ticket_list::list(&mut tx, &filter).await?;
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = found.len() > shown;
        found.truncate(shown);
        let last = found.last().filter(|_| more);
        let next = last.map(|ticket| format!("{}.{}", word(sort), PageKey::of(ticket, sort)));
        let mut tickets = Vec::with_capacity(found.len());
        for ticket in found {
            tickets.push(show_ticket(&mut tx, self.prefix(), ticket).await?);
        }
        Ok(TicketPage { tickets, next })
    }

    /// A ticket with everything that happened to it; its timeline behind `after`, at most 200 entries.
    pub async fn read(&self, reference: &str, after: i64) -> Result<TicketDetail, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let ticket = self.find(&mut tx, reference).await?;
        let id = ticket.id;
        let participants = timeline::participants(&mut tx, id).await?;
        let entries = timeline::entries(&mut tx, id, after, ENTRIES + 1).await?;
        let most = usize::try_from(ENTRIES).unwrap_or(usize::MAX);
        let next = entries.get(most).and_then(|_| entries.get(most - 1)).map(|kept| kept.number);
        let transitions = timeline::transitions(&mut tx, id).await?;
        let timers = timer::of_ticket(&mut tx, id).await?;
        Ok(TicketDetail {
            participants: participants
                .into_iter()
                .map(|(party, role)| ParticipantView { party: party.into(), role: role.as_str().to_owned() })
                .collect(),
            timeline: entries.into_iter().take(most).map(show_entry).collect(),
            next,
            deliveries: self.deliveries_of(&mut tx, id).await?,
            transitions: transitions
                .into_iter()
                .map(|change| TransitionView {
                    from: change.from,
                    to: change.to,
                    by: change.by,
                    why: change.why.into(),
                    at: change.at,
                })
                .collect(),
            timers: timers.iter().map(|timer| TimerView { kind: timer.kind, due_at: timer.due_at }).collect(),
            ticket: show_ticket(&mut tx, self.prefix(), ticket).await?,
        })
    }

    /// A file of a ticket.
    pub async fn file(&self, reference: &str, entry: MessageId, position: i64) -> Result<File, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let ticket = self.find(&mut tx, reference).await?;
        let none = || DeskError::not_found("this ticket has no such file", "its entries name their files");
        let (owner, _) = timeline::entry(&mut tx, entry).await?.ok_or_else(none)?;
        if owner != ticket.id {
            return Err(none());
        }
        let file = timeline::attachment(&mut tx, entry, position).await?.ok_or_else(none)?;
        let bytes = match blob::get(&mut tx, &file.hash).await? {
            Some(stored) => self.unpacked(&file.hash, stored).await?,
            None => None,
        };
        let gone = || DeskError::not_found("the file is no longer kept", "see [storage] raw_days");
        Ok(File { name: file.name, media_type: file.media_type, bytes: bytes.ok_or_else(gone)? })
    }

    pub(super) async fn deliveries_of(
        &self,
        tx: &mut Tx,
        ticket: guichet_domain::ids::TicketId,
    ) -> Result<Vec<crate::desk::views::DeliveryView>, DeskError> {
        let mut deliveries = Vec::new();
        for row in outbox::of_ticket(tx, ticket).await? {
            let tries = outbox::attempts(tx, row.id).await?;
            deliveries.push(show_delivery(row, tries));
        }
        Ok(deliveries)
    }

    /// The unpacked bytes of what is stored, wherever they lie; `None` when their file is gone.
    pub(super) async fn unpacked(&self, hash: &BlobHash, stored: Stored) -> Result<Option<Vec<u8>>, DeskError> {
        let packed = match stored.bytes {
            Some(packed) => packed,
            None => match crate::blobs::read(&self.kernel.state, hash).await {
                Ok(packed) => packed,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(error) => {
                    let why = format!("the state folder cannot be read: {error}");
                    return Err(DeskError::Busy { after: std::time::Duration::from_secs(5), why });
                }
            },
        };
        Ok(Some(blob::unpack(stored.codec, &packed, stored.size)?))
    }
}

fn states(words: Option<&str>) -> Result<Vec<State>, DeskError> {
    let mut states = Vec::new();
    for word in words.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty()) {
        if word == "live" {
            states.extend(State::ALL.into_iter().filter(|state| state.is_live()));
            continue;
        }
        let all = State::ALL.map(State::as_str).join(", ");
        let wrong = || DeskError::invalid(format!("state = {word}"), format!("use one of: {all}, live"));
        states.push(State::parse(word).ok_or_else(wrong)?);
    }
    states.sort_unstable();
    states.dedup();
    Ok(states)
}

fn priority(word: Option<&str>) -> Result<Option<Priority>, DeskError> {
    let read = |word: &str| {
        Priority::parse(&word.to_uppercase())
            .ok_or_else(|| DeskError::invalid(format!("priority = {word}"), "use one of: P1, P2, P3, P4, P5"))
    };
    word.map(read).transpose()
}

fn sort(word: Option<&str>) -> Result<Sort, DeskError> {
    match word.unwrap_or("updated") {
        "updated" => Ok(Sort::Updated),
        "opened" => Ok(Sort::Opened),
        "work" => Ok(Sort::Work),
        other => Err(DeskError::invalid(format!("sort = {other}"), "use one of: updated, opened, work")),
    }
}

const fn word(sort: Sort) -> &'static str {
    match sort {
        Sort::Updated => "updated",
        Sort::Opened => "opened",
        Sort::Work => "work",
    }
}

/// Reads a place that was handed out for the same order.
fn place(after: &str, sort: Sort) -> Result<PageKey, DeskError> {
    let key = after.strip_prefix(word(sort)).and_then(|rest| rest.strip_prefix('.'));
    key.and_then(|key| key.parse().ok())
        .ok_or_else(|| DeskError::invalid("after: not a place in this list", "pass `next` of a page of the same list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_stands_for_what_is_still_to_be_done() {
        assert_eq!(states(Some("live")).unwrap(), [State::New, State::Open, State::Waiting]);
        assert_eq!(states(Some("closed, new,new")).unwrap(), [State::New, State::Closed]);
        let error = states(Some("done")).unwrap_err().to_string();
        assert_eq!(error, "state = done; use one of: new, open, waiting, resolved, closed, live");
    }

    #[test]
    fn a_place_counts_only_in_the_order_it_was_handed_out_for() {
        let after = "updated.5.P2.00000000000000000000000000000007";
        assert!(place(after, Sort::Updated).is_ok());
        assert!(place(after, Sort::Work).is_err());
        assert!(place("5.P2.7", Sort::Updated).is_err());
    }
}
