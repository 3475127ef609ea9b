//! What agents keep: drafts, canned replies, links between tickets, blocked senders, and the trail of what was done.

use guichet_domain::ids::TicketId;
use guichet_domain::inbound::address_key;
use guichet_store::trail::{self, Deed, Line};
use guichet_store::{Tx, desktop, ticket};
use uuid::Uuid;

use crate::desk::showing::reference_of;
use crate::desk::views::TicketView;
use crate::desk::{Desk, DeskError};

pub use guichet_store::desktop::{Blocked, Canned};

/// Longest title and text of a canned reply, and longest draft, in characters.
const LONGEST: (usize, usize) = (120, 20_000);
const LONGEST_DRAFT: usize = 100_000;
/// Lines of the trail on one page.
const LINES: i64 = 100;

/// One line of the trail, with the reference of its ticket.
pub type Told = (Line, Option<String>);

impl Desk {
    /// Keeps what an agent has begun to write on a ticket; empty drops it.
    pub async fn keep_draft(&self, agent: &str, reference: &str, kind: &str, text: &str) -> Result<(), DeskError> {
        if text.chars().nth(LONGEST_DRAFT).is_some() {
            return Err(DeskError::invalid("the draft is too long", "write at most 100,000 characters"));
        }
        let mut tx = self.kernel.db.write().await?;
        let ticket = self.find(&mut tx, reference).await?;
        desktop::keep_draft(&mut tx, agent, ticket.id, kind, text.trim_end(), self.kernel.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Notes that an agent has seen a ticket up to a public entry.
    pub async fn look(&self, agent: &str, reference: &str, seq: i64) -> Result<(), DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let ticket = self.find(&mut tx, reference).await?;
        let known = desktop::looked(&mut tx, agent, &[ticket.id]).await?;
        drop(tx);
        let seq = seq.min(ticket.last_seq);
        if known.first().is_some_and(|(_, upto)| *upto >= seq) {
            return Ok(());
        }
        let mut tx = self.kernel.db.write().await?;
        desktop::look(&mut tx, agent, ticket.id, seq).await?;
        Ok(tx.commit().await?)
    }

    /// All canned replies, by title.
    pub async fn canned(&self) -> Result<Vec<Canned>, DeskError> {
        Ok(desktop::canned(&mut self.kernel.db.read().await?).await?)
    }

    /// Keeps a canned reply: a new one, or in place of the one with this key.
    pub async fn keep_canned(
        &self,
        id: Option<Uuid>,
        title: &str,
        text: &str,
        by: &str,
        origin: &str,
    ) -> Result<(), DeskError> {
        let (title, text) = (title.trim(), text.trim());
        if title.is_empty() || title.chars().count() > LONGEST.0 || title.chars().any(char::is_control) {
            return Err(DeskError::invalid("title: it cannot be one", "use 1 to 120 characters on one line"));
        }
        if text.is_empty() || text.chars().count() > LONGEST.1 {
            return Err(DeskError::invalid("text: it is empty or too long", "use 1 to 20,000 characters"));
        }
        let now = self.kernel.clock.now();
        let canned = Canned {
            id: id.unwrap_or_else(|| self.kernel.ids.uuid()),
            title: title.to_owned(),
            text: text.to_owned(),
            made_by: by.to_owned(),
            updated_at: now,
        };
        let mut tx = self.kernel.db.write().await?;
        desktop::keep_canned(&mut tx, &canned).await?;
        let deed = Deed { agent: by, origin, act: "canned", ticket: None, subject: title };
        trail::add(&mut tx, &deed, now).await?;
        Ok(tx.commit().await?)
    }

    /// Drops a canned reply.
    pub async fn drop_canned(&self, id: Uuid, by: &str, origin: &str) -> Result<(), DeskError> {
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.write().await?;
        if !desktop::drop_canned(&mut tx, id).await? {
            return Err(DeskError::not_found("there is no such canned reply", "it may be gone already"));
        }
        let subject = id.to_string();
        let deed = Deed { agent: by, origin, act: "canned_gone", ticket: None, subject: &subject };
        trail::add(&mut tx, &deed, now).await?;
        Ok(tx.commit().await?)
    }

    /// Ties two tickets, or unties them; whether anything changed.
    pub async fn link(
        &self,
        agent: &str,
        reference: &str,
        other: &str,
        tie: bool,
        origin: &str,
    ) -> Result<bool, DeskError> {
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.write().await?;
        let one = self.find(&mut tx, reference).await?;
        let other = self.find(&mut tx, other).await?;
        if one.id == other.id {
            return Err(DeskError::invalid("a ticket cannot be linked with itself", "name another ticket"));
        }
        let changed = if tie {
            desktop::link(&mut tx, one.id, other.id, agent, now).await?
        } else {
            desktop::unlink(&mut tx, one.id, other.id).await?
        };
        if changed {
            let act = if tie { "link" } else { "unlink" };
            let subject = other.reference.shown(self.prefix()).to_string();
            trail::add(&mut tx, &Deed { agent, origin, act, ticket: Some(one.id), subject: &subject }, now).await?;
        }
        tx.commit().await?;
        Ok(changed)
    }

    /// Every blocked sender, the latest first; those of the configuration are not among them.
    pub async fn blocked(&self) -> Result<Vec<Blocked>, DeskError> {
        Ok(desktop::blocked(&mut self.kernel.db.read().await?).await?)
    }

    /// Keeps aside from now on what this address, or `@domain`, sends.
    pub async fn block(
        &self,
        address: &str,
        why: &str,
        agent: &str,
        origin: &str,
        ticket: Option<TicketId>,
    ) -> Result<bool, DeskError> {
        let address = address_key(address);
        let sound = address.len() <= 320 && address.chars().count() > 2 && !address.contains(char::is_control);
        if !sound || address.contains(char::is_whitespace) {
            return Err(DeskError::invalid("address: it cannot be blocked", "write an address, or @ and a domain"));
        }
        if self.kernel.desk.is_ours(&address) {
            return Err(DeskError::invalid("address: it is one of our own", "block somebody else"));
        }
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.write().await?;
        let changed = desktop::block(&mut tx, &address, agent, why.trim(), now).await?;
        if changed {
            let deed = Deed { agent, origin, act: "block", ticket, subject: &address };
            trail::add(&mut tx, &deed, now).await?;
        }
        tx.commit().await?;
        self.kernel.blocklist.add(&address);
        Ok(changed)
    }

    /// Takes in again what this address sends.
    pub async fn unblock(&self, address: &str, agent: &str, origin: &str) -> Result<bool, DeskError> {
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.write().await?;
        let changed = desktop::unblock(&mut tx, address).await?;
        if changed {
            let deed = Deed { agent, origin, act: "unblock", ticket: None, subject: address };
            trail::add(&mut tx, &deed, now).await?;
        }
        tx.commit().await?;
        self.kernel.blocklist.remove(address);
        Ok(changed)
    }

    /// Writes into the trail what an agent did that is no act on a ticket.
    pub async fn tell(&self, deed: Deed<'_>) -> Result<(), DeskError> {
        let mut tx = self.kernel.db.write().await?;
        trail::add(&mut tx, &deed, self.kernel.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// What was done, the latest first, before a place; and where the next page begins.
    pub async fn trail(&self, before: Option<i64>) -> Result<(Vec<Told>, Option<i64>), DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let lines = trail::latest(&mut tx, before, LINES).await?;
        let next = lines.last().filter(|_| lines.len() >= 100).map(|line| line.number);
        let mut told = Vec::with_capacity(lines.len());
        for line in lines {
            let reference = reference_of(&mut tx, self.prefix(), line.ticket).await?;
            told.push((line, reference));
        }
        Ok((told, next))
    }

    /// What was done on a ticket, the latest first.
    pub async fn trail_of(&self, reference: &str) -> Result<(String, Vec<Line>), DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let ticket = self.find(&mut tx, reference).await?;
        let lines = trail::of_ticket(&mut tx, ticket.id, 500).await?;
        Ok((ticket.reference.shown(self.prefix()).to_string(), lines))
    }

    /// The tickets a ticket is tied to: reference, subject.
    pub(super) async fn links_of(&self, tx: &mut Tx, id: TicketId) -> Result<Vec<(String, String)>, DeskError> {
        let mut links = Vec::new();
        for other in desktop::links(tx, id).await? {
            if let Some(ticket) = ticket::load(tx, other).await? {
                links.push((ticket.reference.shown(self.prefix()).to_string(), ticket.subject));
            }
        }
        Ok(links)
    }
}

/// The words of a canned reply with its variables filled; those that mean nothing here stay as they are.
pub fn fill(text: &str, ticket: &TicketView, agent: &str, desk: &str) -> String {
    let name = ticket.requester.as_ref().and_then(|party| party.name.clone()).unwrap_or_default();
    [
        ("{{reference}}", ticket.reference.as_str()),
        ("{{subject}}", ticket.subject.as_str()),
        ("{{requester}}", name.as_str()),
        ("{{agent}}", agent),
        ("{{desk}}", desk),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (variable, value)| text.replace(variable, value))
}

/// Whom agents block, known to intake without asking the database.
pub mod blocks {
    use std::collections::BTreeSet;
    use std::sync::{PoisonError, RwLock};

    /// Address keys, and domains behind `@`.
    #[derive(Debug, Default)]
    pub struct Blocklist(RwLock<BTreeSet<String>>);

    impl Blocklist {
        /// Knows these from now on, and no others.
        pub fn replace(&self, all: impl IntoIterator<Item = String>) {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = all.into_iter().collect();
        }

        /// Knows this one too.
        pub fn add(&self, address: &str) {
            self.0.write().unwrap_or_else(PoisonError::into_inner).insert(address.to_owned());
        }

        /// Forgets this one.
        pub fn remove(&self, address: &str) {
            self.0.write().unwrap_or_else(PoisonError::into_inner).remove(address);
        }

        /// Whether an address key, or its domain, is blocked.
        pub fn holds(&self, address: &str) -> bool {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            let domain = address.rfind('@').and_then(|at| address.get(at..));
            known.contains(address) || domain.is_some_and(|domain| known.contains(domain))
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_address_is_blocked_by_itself_or_by_its_domain() {
            let list = Blocklist::default();
            list.replace(["spam@bad.test".to_owned(), "@worse.test".to_owned()]);
            assert!(list.holds("spam@bad.test") && list.holds("anybody@worse.test"));
            assert!(!list.holds("other@bad.test") && !list.holds("x@sub.worse.test") && !list.holds(""));
            list.remove("spam@bad.test");
            assert!(!list.holds("spam@bad.test"));
        }
    }
}
