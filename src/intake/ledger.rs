//! What is known while a batch is decided: what the database said, and what the batch itself has added since.
//!
//! The second mail of a thread may stand in the same batch as the first; it must find the ticket that is not written
//! yet. So each decision is entered here before the next item is located.

use std::collections::{HashMap, HashSet};

use guichet_domain::caps::Counts;
use guichet_domain::decide::Decision;
use guichet_domain::ids::{ConversationKey, ExternalId, SourceName, TicketId};
use guichet_domain::inbound::Item;
use guichet_domain::locate::{Found, KnownId};
use guichet_domain::outgoing::{DeliveryState, NoticeKind};
use guichet_domain::ticket::Ticket;
use guichet_domain::token::Claim;
use guichet_store::intake::FoundRows;

use crate::intake::prepare::Prepared;

/// The knowledge of one batch.
pub(crate) struct Ledger {
    rows: FoundRows,
    /// Tickets as they were when the batch began, by key; absent for those it opened.
    seen: HashMap<TicketId, i64>,
    /// Tickets the batch opened or changed, in the order in which it did.
    touched: Vec<TicketId>,
    /// Status secrets of tickets the batch opened.
    secrets: HashMap<TicketId, String>,
}

impl Ledger {
    /// Begins with what the database said.
    pub(crate) fn new(rows: FoundRows) -> Self {
        let seen = rows.tickets.iter().map(|(id, ticket)| (*id, ticket.version)).collect();
        Self { rows, seen, touched: Vec::new(), secrets: HashMap::new() }
    }

    /// The ticket as it stands now.
    pub(crate) fn ticket(&self, id: TicketId) -> Option<&Ticket> {
        self.rows.tickets.get(&id)
    }

    /// What is known of the things `prepared` mentions.
    pub(crate) fn found(&self, prepared: &Prepared, item: &Item) -> Found {
        let ticket_of = |claim: &Claim| match claim {
            Claim::ReplyAddress { ticket } | Claim::MessageId { ticket, .. } => self.follow(*ticket),
            Claim::Loop { delivery } | Claim::Bounce { delivery } => {
                self.rows.deliveries.get(delivery).and_then(|ticket| self.follow(*ticket))
            }
        };
        let tokens: Vec<_> = prepared.tokens.iter().map(|claim| (*claim, ticket_of(claim))).collect();
        let ids: HashMap<ExternalId, KnownId> = item
            .refers_to
            .ids
            .iter()
            .filter_map(|id| {
                let known = self.rows.ids.get(id)?;
                Some((id.clone(), KnownId { ticket: self.follow(known.ticket)?, delivery: known.delivery }))
            })
            .collect();
        let references: Vec<_> = prepared
            .references
            .iter()
            .filter_map(|reference| {
                let ticket = self.rows.references.get(reference)?;
                Some((*reference, self.follow(*ticket)?))
            })
            .collect();
        let source = &prepared.rules.source.name;
        let conversation = prepared.conversation.as_ref().and_then(|key| {
            self.rows.conversations.get(&(source.clone(), key.clone())).and_then(|ticket| self.follow(*ticket))
        });
        let thread = item.refers_to.thread.as_ref().and_then(|key| self.rows.threads.get(key)).copied();
        let thread = thread.and_then(|ticket| self.follow(ticket));
        let candidates = tokens
            .iter()
            .filter_map(|(_, ticket)| *ticket)
            .chain(ids.values().map(|known| known.ticket))
            .chain(references.iter().map(|(_, ticket)| *ticket))
            .chain(conversation)
            .chain(thread);
        let participants: HashMap<TicketId, HashSet<String>> =
            candidates.filter_map(|ticket| Some((ticket, self.rows.participants.get(&ticket)?.clone()))).collect();
        Found { tokens, own: prepared.own.clone(), ids, references, conversation, thread, participants }
    }

    /// Automatic messages of late to this address.
    pub(crate) fn counts(&self, address: &str, domain: Option<&str>) -> Counts {
        self.rows.sent.counts(address, domain)
    }

    /// Whether the address is known not to work.
    pub(crate) fn is_undeliverable(&self, address: &str) -> bool {
        self.rows.undeliverable.contains(address)
    }

    /// Enters what was decided, so that the next item sees it.
    pub(crate) fn enter(&mut self, decision: &Decision, thread: Option<&str>) {
        let id = decision.ticket.id;
        if !self.touched.contains(&id) {
            self.touched.push(id);
        }
        if let Some(secret) = &decision.status_token {
            self.secrets.insert(id, secret.clone());
        }
        self.rows.tickets.insert(id, decision.ticket.clone());
        for entry in &decision.entries {
            for external in &entry.external_ids {
                self.rows.ids.entry(external.clone()).or_insert(KnownId { ticket: id, delivery: None });
            }
        }
        if decision.opened {
            self.rows.references.insert(decision.ticket.reference, id);
            let key: (SourceName, ConversationKey) =
                (decision.ticket.source.clone(), decision.ticket.conversation.clone());
            self.rows.conversations.insert(key, id);
            if let Some(thread) = thread {
                self.rows.threads.entry(thread.to_owned()).or_insert(id);
            }
        }
        let people = self.rows.participants.entry(id).or_default();
        people.extend(decision.participants.iter().map(guichet_domain::inbound::Party::key));
        for (address, _) in &decision.undeliverable {
            self.rows.undeliverable.insert(address.clone());
        }
        for delivery in &decision.deliveries {
            self.rows.deliveries.insert(delivery.id, id);
            if delivery.kind == NoticeKind::Acknowledgement && delivery.state != DeliveryState::Suppressed {
                self.rows.sent.add(&delivery.to.key(), delivery.to.domain().as_deref());
            }
        }
    }

    /// The tickets to write: new ones with their secret, changed ones with the version they had.
    pub(crate) fn touched(&self) -> impl Iterator<Item = Touched<'_>> {
        self.touched.iter().filter_map(|id| {
            let ticket = self.rows.tickets.get(id)?;
            Some(match self.seen.get(id) {
                Some(version) => Touched::Changed { ticket, seen: *version },
                None => Touched::Opened { ticket, secret: self.secrets.get(id).map(String::as_str) },
            })
        })
    }

    /// The ticket that goes on where `id` was merged; `None` when it is not known.
    fn follow(&self, id: TicketId) -> Option<TicketId> {
        let mut id = self.rows.leads_to.get(&id).copied().unwrap_or(id);
        // The store has followed what was merged before; this follows what was merged in this very batch.
        for _ in 0..8 {
            match self.rows.tickets.get(&id)?.merged_into {
                Some(into) => id = into,
                None => return Some(id),
            }
        }
        None
    }
}

/// A ticket to write.
pub(crate) enum Touched<'a> {
    /// New.
    Opened {
        /// As it is.
        ticket: &'a Ticket,
        /// The secret of its status page.
        secret: Option<&'a str>,
    },
    /// Known before.
    Changed {
        /// As it is now.
        ticket: &'a Ticket,
        /// The version it was read at.
        seen: i64,
    },
}
