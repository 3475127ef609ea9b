//! The core's end of the waist: what a source reaches through its port.

use std::sync::Arc;

use async_trait::async_trait;
use guichet_contract::{
    Accepted, Cursor, CursorMove, Departures, Fault, Health, Intake, NotAccepted, Port, Receipt, SlotValue, Staged,
    TimelineEntry, TimelineFile, Updates,
};
use guichet_domain::entry::EntryKind;
use guichet_domain::ids::{ConversationKey, Seq, SourceName};
use guichet_domain::inbound::{Content, Inbound, Party};
use guichet_domain::reference::Reference;
use guichet_store::timeline::{KeptAttachment, KeptEntry};
use guichet_store::{StoreError, conversation, keep, ticket};
use tracing::warn;

use crate::intake::Reception;
use crate::intake::conversations::{SourceConversations, lead};
use crate::intake::prepare::Prepared;
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
    let conversations = SourceConversations { name: name.clone(), kernel: Arc::clone(kernel) };
    let (intake, conversations) = (Arc::new(intake), Arc::new(conversations));
    Port { source: name.clone(), intake, conversations, clock, ids, departures: Departures::default() }
}

#[async_trait]
impl Intake for SourceIntake {
    async fn accept(&self, batch: Vec<Inbound>, moves: Vec<CursorMove>) -> Result<Accepted, NotAccepted> {
        let keys: Vec<Option<ConversationKey>> = batch.iter().map(conversation_of).collect();
        let mut accepted = self.reception.accept(&self.name, &self.source, batch, moves).await?;
        for (receipt, key) in accepted.receipts.iter_mut().zip(&keys) {
            if let Some(key) = key {
                self.place(receipt, key).await;
            }
        }
        Ok(accepted)
    }

    async fn stage(&self, batch: Vec<Inbound>) -> Result<Staged, NotAccepted> {
        Ok(Staged::Ready(Box::new(self.reception.stage(&self.source, batch).await?)))
    }

    async fn accept_staged(&self, staged: Staged, moves: Vec<CursorMove>) -> Result<Accepted, NotAccepted> {
        let ready = match staged {
            Staged::Raw(batch) => return self.accept(batch, moves).await,
            Staged::Ready(ready) => ready,
        };
        let Ok(items) = ready.downcast::<Vec<Prepared>>() else {
            return Err(NotAccepted::Refused { why: "it was staged by another intake".to_owned() });
        };
        self.reception.accept_staged(&self.name, *items, moves).await
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
        self.reception.slots.put(&self.reception.kernel, &self.name, key, seen, value).await
    }

    async fn timeline(&self, conversation: &ConversationKey, after: Seq) -> Result<Vec<TimelineEntry>, Fault> {
        let mut tx = self.reception.kernel.db.read().await.map_err(|error| fault(&error))?;
        let thread = conversation::thread(&mut tx, &self.name, conversation).await.map_err(|error| fault(&error))?;
        let Some(thread) = thread else { return Ok(Vec::new()) };
        lead(&self.reception.kernel, &thread);
        let entries = thread.entries(&mut tx, after, MAX_ENTRIES).await.map_err(|error| fault(&error))?;
        let desk = self.reception.kernel.texts.desk();
        Ok(entries.into_iter().filter_map(|kept| shown(kept, &self.name, desk)).collect())
    }

    fn subscribe(&self, conversation: &ConversationKey) -> Updates {
        self.reception.kernel.watchers.subscribe(&self.name, conversation)
    }

    fn report(&self, health: Health) {
        self.reception.kernel.board.report(&self.name, health);
    }
}

impl SourceIntake {
    /// Gives a receipt the place in the conversation, which may have had tickets before. The item is durable: should that not
    /// be found out now, the place in its ticket stands, and the timeline says the truth.
    async fn place(&self, receipt: &mut Receipt, key: &ConversationKey) {
        let Some(reference) = receipt.reference.as_deref().filter(|_| receipt.seq > Seq(0)) else { return };
        let Ok(reference) = Reference::parse(reference, &self.reception.kernel.desk.prefix) else { return };
        match self.placed(&reference, key, receipt.seq).await {
            Ok(Some(seq)) => receipt.seq = seq,
            Ok(None) => {}
            Err(error) => warn!(%error, source = %self.name, "the place of an item in its conversation is not known"),
        }
    }

    async fn placed(&self, reference: &Reference, key: &ConversationKey, seq: Seq) -> Result<Option<Seq>, StoreError> {
        let mut tx = self.reception.kernel.db.read().await?;
        let Some(thread) = conversation::thread(&mut tx, &self.name, key).await? else { return Ok(None) };
        if thread.is_simple() {
            return Ok(None);
        }
        let Some(ticket) = ticket::by_reference(&mut tx, reference).await? else { return Ok(None) };
        thread.place(&mut tx, ticket.id, seq).await.map(Some)
    }
}

/// An entry as its conversation's requester sees it, on `source`; what an agent is known by here is a login: the requester
/// reads the name, or the desk's.
pub(crate) fn shown(kept: KeptEntry, source: &SourceName, desk: &str) -> Option<TimelineEntry> {
    let staff =
        |agent: Party| Party { address: String::new(), name: Some(agent.name.unwrap_or_else(|| desk.to_owned())) };
    let file = |file: KeptAttachment| TimelineFile {
        name: file.name,
        media_type: file.media_type,
        size: u64::try_from(file.size).unwrap_or_default(),
    };
    let entry = kept.entry;
    let is_theirs = entry.kind == EntryKind::Inbound;
    // What came by another way has a name this network does not know.
    let by_here = is_theirs && entry.source.as_ref().is_none_or(|by| by == source);
    Some(TimelineEntry {
        seq: entry.seq?,
        kind: entry.kind,
        author: if is_theirs { entry.author } else { entry.author.map(staff) },
        text: entry.text,
        at: entry.at,
        id: entry.id,
        html: entry.html,
        files: kept.attachments.into_iter().map(file).collect(),
        external_id: entry.external_ids.into_iter().next().filter(|_| by_here),
    })
}

fn conversation_of(inbound: &Inbound) -> Option<ConversationKey> {
    match &inbound.content {
        Content::Read(item) => item.conversation.clone(),
        Content::Unreadable { .. } => None,
    }
}

/// The database cannot be used now.
pub(super) fn fault(error: &StoreError) -> Fault {
    Fault::passing(error.to_string())
}
