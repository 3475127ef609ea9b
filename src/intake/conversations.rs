//! The core's end of the waist for people who talk with the desk: where their conversations stand, and what they do there.

use std::sync::Arc;

use async_trait::async_trait;
use guichet_contract::{Acted, Conversations, Fault, FileContent, Hours, NotAccepted, RequesterAct, Signal, Standing};
use guichet_domain::decide::mail_address;
use guichet_domain::ids::{ConversationKey, MessageId, SourceName};
use guichet_store::conversation::{self, Thread};
use guichet_store::{StoreError, Tx, blob, requester, timeline};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::intake::port::fault;
use crate::kernel::Kernel;
use crate::requests::{Whose, Wish, carry_out};

/// Most conversations of one look.
const MOST: usize = 100;

/// The conversations of one source.
pub(super) struct SourceConversations {
    pub(super) name: SourceName,
    pub(super) kernel: Arc<Kernel>,
}

#[async_trait]
impl Conversations for SourceConversations {
    async fn standing(&self, conversation: &ConversationKey) -> Result<Option<Standing>, Fault> {
        self.standing_of(conversation).await.map_err(|error| fault(&error))
    }

    async fn begun_with(&self, prefix: &str, limit: usize) -> Result<Vec<(ConversationKey, Standing)>, Fault> {
        self.all_begun_with(prefix, limit.min(MOST)).await.map_err(|error| fault(&error))
    }

    async fn act(&self, conversation: &ConversationKey, id: Uuid, act: RequesterAct) -> Result<Acted, NotAccepted> {
        let whose = Whose::Conversation(&self.name, conversation);
        let busy =
            |error: StoreError| NotAccepted::Busy { after: std::time::Duration::from_secs(1), why: error.to_string() };
        Ok(carry_out(&self.kernel, whose, id, &Wish::Act(act)).await.map_err(busy)?.acted)
    }

    async fn file(
        &self,
        conversation: &ConversationKey,
        entry: MessageId,
        position: usize,
    ) -> Result<Option<FileContent>, Fault> {
        let mut tx = self.kernel.db.read().await.map_err(|error| fault(&error))?;
        let thread = conversation::thread(&mut tx, &self.name, conversation).await.map_err(|error| fault(&error))?;
        let Some(thread) = thread else { return Ok(None) };
        file_of(&mut tx, &self.kernel, &thread, entry, position).await
    }

    fn signal(&self, conversation: &ConversationKey, signal: Signal) {
        self.kernel.signals.tell_agents(&self.name, conversation, signal);
    }

    fn signals(&self, conversation: &ConversationKey) -> broadcast::Receiver<Signal> {
        self.kernel.signals.for_requester(&self.name, conversation)
    }

    fn hours(&self) -> Hours {
        let (calendar, now) = (&self.kernel.desk.calendar, self.kernel.clock.now());
        let open = calendar.is_open(now);
        let next_open_at = if open { None } else { calendar.next_opening(now) };
        Hours { open, next_open_at, zone: calendar.zone_name().to_owned() }
    }
}

impl SourceConversations {
    async fn standing_of(&self, conversation: &ConversationKey) -> Result<Option<Standing>, StoreError> {
        let mut tx = self.kernel.db.read().await?;
        match conversation::thread(&mut tx, &self.name, conversation).await? {
            Some(thread) => standing(&mut tx, &self.kernel, &thread).await.map(Some),
            None => Ok(None),
        }
    }

    async fn all_begun_with(&self, prefix: &str, limit: usize) -> Result<Vec<(ConversationKey, Standing)>, StoreError> {
        let mut tx = self.kernel.db.read().await?;
        let threads = conversation::begun_with(&mut tx, &self.name, prefix, limit).await?;
        let mut found = Vec::with_capacity(threads.len());
        for (key, thread) in threads {
            found.push((key, standing(&mut tx, &self.kernel, &thread).await?));
        }
        Ok(found)
    }
}

/// Where a conversation stands: its newest ticket, or what that became part of.
pub(crate) async fn standing(tx: &mut Tx, kernel: &Kernel, thread: &Thread) -> Result<Standing, StoreError> {
    let (ticket, end) = (&thread.ticket, &thread.end);
    lead(kernel, thread);
    let marks = requester::marks(tx, &ticket.source, &ticket.conversation).await?;
    let rating = if end.closures > 0 { requester::rating(tx, end.id).await? } else { None };
    let waits = end.state.is_live() && end.answered_at.is_none();
    Ok(Standing {
        reference: end.reference.shown(&kernel.desk.prefix).to_string(),
        state: end.state,
        last_seq: thread.last_seq(tx).await?,
        read_upto: marks.read_upto,
        seen_upto: marks.seen_upto,
        rated: rating.is_some_and(|rating| rating.closure == end.closures),
        verified: ticket.verified,
        has_contact: mail_address(ticket).is_some(),
        promised_at: end.promised_at.filter(|_| waits),
    })
}

/// Lets whoever waits for a conversation hear of the ticket it became part of.
pub(crate) fn lead(kernel: &Kernel, thread: &Thread) {
    let (ticket, end) = (&thread.ticket, &thread.end);
    if ticket.id != end.id {
        kernel.watchers.lead((&ticket.source, &ticket.conversation), (&end.source, &end.conversation));
    }
}

/// A file of an entry that `thread` shows; `None` when there is none, or its bytes are no longer kept.
pub(crate) async fn file_of(
    tx: &mut Tx,
    kernel: &Kernel,
    thread: &Thread,
    entry: MessageId,
    position: usize,
) -> Result<Option<FileContent>, Fault> {
    let failed = |error: &StoreError| fault(error);
    let Some((owner, kept)) = timeline::entry(tx, entry).await.map_err(|error| failed(&error))? else {
        return Ok(None);
    };
    let Ok(position) = i64::try_from(position) else { return Ok(None) };
    if !thread.shows(owner, &kept) {
        return Ok(None);
    }
    let file = timeline::attachment(tx, entry, position).await.map_err(|error| failed(&error))?;
    let Some(file) = file else { return Ok(None) };
    let stored = blob::get(tx, &file.hash).await.map_err(|error| failed(&error))?;
    let Some(stored) = stored else { return Ok(None) };
    let packed = match stored.bytes {
        Some(packed) => packed,
        None => match crate::blobs::read(&kernel.state, &file.hash).await {
            Ok(packed) => packed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Fault::passing(format!("the state folder cannot be read: {error}"))),
        },
    };
    let bytes = blob::unpack(stored.codec, &packed, stored.size).map_err(|error| failed(&error))?;
    Ok(Some(FileContent { name: file.name, media_type: file.media_type, bytes }))
}
