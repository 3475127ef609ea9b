//! One ticket as an agent works it: the end of its timeline, what leaves, who takes part, what the agent has begun to write.

use guichet_domain::Moment;
use guichet_domain::event::UNMERGE_WINDOW;
use guichet_domain::ids::TicketId;
use guichet_store::ticket_list::{self, PageKey, Sort, TicketFilter};
use guichet_store::{Tx, board, desktop, timeline, timer};

use crate::desk::showing::{show_entry, show_ticket};
use crate::desk::views::{DeliveryView, EntryView, ParticipantView, ReasonView, TicketView, TimerView};
use crate::desk::{Desk, DeskError};

/// Entries of one look.
const ENTRIES: usize = 50;
/// Other tickets of the requester that are named.
const OTHERS: i64 = 6;

/// A ticket on an agent's desk.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// The ticket.
    pub ticket: TicketView,
    /// The kind of channel it came by.
    pub channel: String,
    /// Who takes part, the requester first.
    pub participants: Vec<ParticipantView>,
    /// The last entries, the oldest first.
    pub timeline: Vec<EntryView>,
    /// Pass it as `before` for older ones; `None` when these are all.
    pub older: Option<i64>,
    /// The last public entry.
    pub last_seq: i64,
    /// What left or is to leave, with the entry it is of.
    pub deliveries: Vec<DeliveryView>,
    /// What happens by itself, and when.
    pub timers: Vec<TimerView>,
    /// Decisions about the ticket that belong to no entry.
    pub reasons: Vec<ReasonView>,
    /// The tickets it is tied to: reference and subject.
    pub links: Vec<(String, String)>,
    /// Other tickets of the same requester, the latest first.
    pub others: Vec<TicketView>,
    /// What the agent has begun to write: reply, note.
    pub drafts: (String, String),
    /// Until when a merge can be taken back; `None` when it is not merged.
    pub merge_ends: Option<Moment>,
    /// When it was read.
    pub now: Moment,
}

impl Desk {
    /// A ticket on an agent's desk, its timeline before `before`.
    pub async fn sheet(&self, agent: &str, reference: &str, before: Option<i64>) -> Result<Sheet, DeskError> {
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.read().await?;
        let ticket = self.find(&mut tx, reference).await?;
        let id = ticket.id;
        let mut entries = board::tail(&mut tx, id, before, 51).await?;
        let more = entries.len() > ENTRIES;
        if more {
            entries.remove(0);
        }
        let older = entries.first().filter(|_| more).map(|kept| kept.number);
        let participants = timeline::participants(&mut tx, id).await?;
        let drafts = desktop::drafts(&mut tx, agent, id).await?;
        let draft = |kind: &str| {
            drafts.iter().find(|(known, _)| known == kind).map(|(_, text)| text.clone()).unwrap_or_default()
        };
        let key = ticket.requester.as_ref().map(guichet_domain::inbound::Party::key);
        Ok(Sheet {
            channel: self.channel_of(&ticket.source).to_owned(),
            participants: participants
                .into_iter()
                .map(|(party, role)| ParticipantView { party: party.into(), role: role.as_str().to_owned() })
                .collect(),
            timeline: entries.into_iter().map(show_entry).collect(),
            older,
            last_seq: ticket.last_seq,
            deliveries: self.deliveries_of(&mut tx, id).await?,
            timers: timer::of_ticket(&mut tx, id)
                .await?
                .iter()
                .map(|timer| TimerView { kind: timer.kind, due_at: timer.due_at })
                .collect(),
            reasons: Vec::new(),
            links: self.links_of(&mut tx, id).await?,
            others: self.others(&mut tx, key.as_deref(), id).await?,
            drafts: (draft("reply"), draft("note")),
            merge_ends: ticket.merged_into.and(ticket.closed_at).map(|at| at + UNMERGE_WINDOW),
            ticket: show_ticket(&mut tx, self.prefix(), ticket).await?,
            now,
        })
    }

    async fn others(&self, tx: &mut Tx, key: Option<&str>, but: TicketId) -> Result<Vec<TicketView>, DeskError> {
        let Some(key) = key else { return Ok(Vec::new()) };
        let filter = TicketFilter {
            requester: Some(key),
            sort: Sort::Updated,
            limit: OTHERS,
            after: None::<PageKey>,
            ..TicketFilter::default()
        };
        let mut others = Vec::new();
        for ticket in ticket_list::list(tx, &filter).await?.into_iter().filter(|ticket| ticket.id != but) {
            others.push(show_ticket(tx, self.prefix(), ticket).await?);
        }
        Ok(others)
    }
}
