//! The core's end of the waist: what a source reaches through its port.

use std::sync::Arc;

use async_trait::async_trait;
use guichet_contract::{
    Accepted, Cursor, CursorMove, Departures, Fault, Health, Intake, NoConversations, NotAccepted, Port, SlotValue,
    TimelineEntry, Updates,
};
use guichet_domain::entry::EntryKind;
use guichet_domain::ids::{ConversationKey, Seq, SourceName};
use guichet_domain::inbound::{Inbound, Party};
use guichet_store::{StoreError, keep, ticket, timeline};

use crate::intake::Reception;
use crate::kernel::Source;

/// Most entries of one look at a timeline.
const MAX_ENTRIES: i64 = 200;

/// One source's way into the core.
struct SourceIntake {
    name: SourceName,
    source: Source,
    reception: Reception,
}

/// The port of a source: all that its channel may use of the core.
pub fn port(reception: &Reception, name: &SourceName, source: &Source) -> Port {
    let kernel = &reception.kernel;
    let (clock, ids) = (Arc::clone(&kernel.clock), Arc::clone(&kernel.ids));
    let intake = SourceIntake { name: name.clone(), source: source.clone(), reception: reception.clone() };
    let (intake, conversations) = (Arc::new(intake), Arc::new(NoConversations));
    Port { source: name.clone(), intake, conversations, clock, ids, departures: Departures::default() }
}

#[async_trait]
impl Intake for SourceIntake {
    async fn accept(&self, batch: Vec<Inbound>, moves: Vec<CursorMove>) -> Result<Accepted, NotAccepted> {
        self.reception.accept(&self.name, &self.source, batch, moves).await
    }

    async fn cursor(&self, key: &str) -> Result<Option<Cursor>, Fault> {
        let mut tx = self.reception.kernel.db.read().await.map_err(|error| fault(&error))?;
        let value = keep::cursor(&mut tx, &self.name, key).await.map_err(|error| fault(&error))?;
        Ok(value.map(Cursor))
    }

    async fn slot(&self, key: &str) -> Result<SlotValue, Fault> {
        let mut tx = self.reception.kernel.db.read().await.map_err(|error| fault(&error))?;
        let slot = keep::slot(&mut tx, &self.name, key).await.map_err(|error| fault(&error))?;
        Ok(SlotValue { value: slot.value, version: slot.version })
    }

    async fn put_slot(&self, key: &str, seen: i64, value: Option<String>) -> Result<bool, Fault> {
        let mut tx = self.reception.kernel.db.write().await.map_err(|error| fault(&error))?;
        let written = keep::compare_and_set(&mut tx, &self.name, key, seen, value.as_deref())
            .await
            .map_err(|error| fault(&error))?;
        tx.commit().await.map_err(|error| fault(&error))?;
        Ok(written)
    }

    async fn timeline(&self, conversation: &ConversationKey, after: Seq) -> Result<Vec<TimelineEntry>, Fault> {
        let mut tx = self.reception.kernel.db.read().await.map_err(|error| fault(&error))?;
        let ticket = ticket::by_conversation(&mut tx, &self.name, conversation).await.map_err(|error| fault(&error))?;
        let Some(ticket) = ticket else { return Ok(Vec::new()) };
        let entries = timeline::public(&mut tx, ticket.id, after, MAX_ENTRIES).await.map_err(|error| fault(&error))?;
        let desk = self.reception.kernel.texts.desk();
        // What an agent is known by here is a login: the requester reads the name, or the desk's.
        let staff =
            |agent: Party| Party { address: String::new(), name: Some(agent.name.unwrap_or_else(|| desk.to_owned())) };
        let shown = |kept: timeline::KeptEntry| {
            let entry = kept.entry;
            let seq = entry.seq?;
            let author = if entry.kind == EntryKind::Inbound { entry.author } else { entry.author.map(staff) };
            Some(TimelineEntry {
                seq,
                kind: entry.kind,
                author,
                text: entry.text,
                at: entry.at,
                id: entry.id,
                html: entry.html,
                files: Vec::new(),
                external_id: None,
            })
        };
        Ok(entries.into_iter().filter_map(shown).collect())
    }

    fn subscribe(&self, conversation: &ConversationKey) -> Updates {
        self.reception.kernel.watchers.subscribe(&self.name, conversation)
    }

    fn report(&self, health: Health) {
        self.reception.kernel.board.report(&self.name, health);
    }
}

fn fault(error: &StoreError) -> Fault {
    Fault::passing(error.to_string())
}
