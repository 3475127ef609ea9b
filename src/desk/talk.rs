//! What an agent does while looking at a ticket, told to its requester: looks, writes, has read. Passing signs, but for how far
//! was read.

use std::sync::Arc;

use guichet_contract::{Signal, Updates};
use guichet_domain::ids::{ConversationKey, SourceName};
use guichet_store::conversation;
use guichet_store::requester::{self, Marks};
use tokio::sync::broadcast;

use crate::desk::{Desk, DeskError};
use crate::kernel::Kernel;

/// The talk of one ticket, for an agent who looks at it. Keep it while the ticket is open on the screen.
#[derive(Clone)]
pub struct Talk {
    kernel: Arc<Kernel>,
    source: SourceName,
    conversation: ConversationKey,
}

impl Desk {
    /// The talk of a ticket.
    pub async fn talk(&self, reference: &str) -> Result<Talk, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let ticket = self.find(&mut tx, reference).await?;
        let kernel = Arc::clone(&self.kernel);
        Ok(Talk { kernel, source: ticket.source, conversation: ticket.conversation })
    }
}

impl Talk {
    /// What the requester does. A slow reader misses the oldest.
    pub fn signs(&self) -> broadcast::Receiver<Signal> {
        self.kernel.signals.for_agents(&self.source, &self.conversation)
    }

    /// Wakes when the ticket may have grown.
    pub fn updates(&self) -> Updates {
        self.kernel.watchers.subscribe(&self.source, &self.conversation)
    }

    /// The agent writes, or has stopped. `called` is the name requesters read. Send it again every few seconds while it lasts.
    pub fn typing(&self, called: Option<&str>, on: bool) {
        self.tell(Signal::Typing { name: Some(self.name(called)), on });
    }

    /// The agent looks at it, or no longer.
    pub fn present(&self, called: Option<&str>, on: bool) {
        self.tell(Signal::Present { name: self.name(called), on });
    }

    /// An agent has seen everything that is there now. Never goes back; changes no ticket.
    pub async fn seen(&self) -> Result<(), DeskError> {
        let mut tx = self.kernel.db.write().await?;
        let thread = conversation::thread(&mut tx, &self.source, &self.conversation).await?;
        let Some(thread) = thread else { return Ok(()) };
        let upto = thread.last_seq(&mut tx).await?;
        let marks = Marks { seen_upto: upto, ..Marks::default() };
        if requester::advance(&mut tx, &self.source, &self.conversation, marks).await? {
            tx.commit().await?;
            self.tell(Signal::Read { upto });
        }
        Ok(())
    }

    fn name(&self, called: Option<&str>) -> String {
        called.unwrap_or_else(|| self.kernel.texts.desk()).to_owned()
    }

    fn tell(&self, signal: Signal) {
        self.kernel.signals.tell_requester(&self.source, &self.conversation, signal);
    }
}
