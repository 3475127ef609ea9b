//! Taking a merge back.

use guichet_domain::event::{Act, Action};
use guichet_domain::reason;
use guichet_domain::ticket::State;
use guichet_store::trail::{self, Deed};
use guichet_store::{ticket, timeline};

use crate::desk::showing::show_ticket;
use crate::desk::views::TicketView;
use crate::desk::{Desk, DeskError};

impl Desk {
    /// Takes a merge back within its window: the ticket stands as before, and its later messages come to it again. What went
    /// to the other ticket meanwhile stays there, which says so.
    pub async fn unmerge(&self, agent: &str, reference: &str, origin: &str) -> Result<TicketView, DeskError> {
        let kernel = self.kernel.as_ref();
        let now = kernel.clock.now();
        let mut tx = kernel.db.write().await?;
        let merged = self.find(&mut tx, reference).await?;
        let into = merged.merged_into;
        let transitions = timeline::transitions(&mut tx, merged.id).await?;
        let last = transitions.iter().rev().find(|change| change.why == reason::MERGED);
        let to = last.and_then(|change| change.from).unwrap_or(State::Open);
        let act = |what| Act { agent: agent.to_owned(), called: None, id: kernel.ids.uuid(), what };
        let back = self.decide_and_write(&mut tx, &merged, act(Action::Unmerge { to }), now).await?;
        if let Some(other) = match into {
            Some(into) => ticket::load(&mut tx, into).await?,
            None => None,
        } {
            let shown = merged.reference.shown(self.prefix());
            let text = format!("{shown} is a ticket of its own again; its later messages go there.");
            if other.merged_into.is_none() {
                self.decide_and_write(&mut tx, &other, act(Action::Note { text }), now).await?;
            }
        }
        let deed = Deed { agent, origin, act: "unmerge", ticket: Some(back.id), subject: to.as_str() };
        trail::add(&mut tx, &deed, now).await?;
        let (source, conversation) = (back.source.clone(), back.conversation.clone());
        let view = show_ticket(&mut tx, self.prefix(), back).await?;
        tx.commit().await?;
        kernel.outbox.notify_one();
        kernel.watchers.wake(&source, &conversation);
        Ok(view)
    }
}
