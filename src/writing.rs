//! From a decision to what the database writes: shared by intake, agents' acts and timers.

use guichet_domain::Moment;
use guichet_domain::decide::{Decision, Rating};
use guichet_domain::ids::InboundId;
use guichet_domain::inbound::{Item, Party, ReportOutcome, Trust};
use guichet_domain::outgoing::Facts;
use guichet_domain::reason;
use guichet_domain::rules::Rules;
use guichet_domain::token::StatusToken;
use guichet_store::record::{Batch, Changed, Identity, NewAttachment, NewEntry, Participant, Role, record};
use guichet_store::{StoreError, Tx, outbox, requester};
use tracing::error;

use crate::kernel::Kernel;

/// Puts the words of each notice into its entry, so that the timeline shows what the requester reads; all but the link to the
/// page of the ticket. Whoever holds that acts as the requester, and the timeline is also read by agents, by the search, and by
/// the requesters of tickets that became part of this one.
pub(crate) fn write_words(kernel: &Kernel, decision: &mut Decision) {
    let language = decision.ticket.language;
    let leaves = decision.deliveries.iter().filter(|delivery| delivery.kind.is_automatic());
    let leaves = leaves.filter_map(|delivery| Some((delivery.message?, delivery.kind, &delivery.facts)));
    let stays = decision.worded.iter().map(|worded| (worded.entry, worded.kind, &worded.facts));
    for (id, kind, facts) in leaves.chain(stays) {
        let Some(entry) = decision.entries.iter_mut().find(|entry| entry.id == id) else { continue };
        let facts = Facts { status_token: None, ..facts.clone() };
        match kernel.texts.plain(kind, language, &facts, &kernel.desk.taxonomy) {
            Ok((subject, text)) => {
                entry.subject = Some(subject);
                entry.text = text;
            }
            // Every template was rendered at start; a ticket must not be lost for one that fails on its facts all the same.
            Err(error) => error!(%error, kind = kind.as_str(), "a notice could not be put into words"),
        }
    }
}

/// Adds everything a decision says to `batch`, but for the ticket itself (a batch may change one several times). `from`
/// is the item the first entry came from, with its files.
pub(crate) fn enter<'a>(
    batch: &mut Batch<'a>,
    decision: &'a Decision,
    from: Option<(InboundId, Vec<NewAttachment<'a>>)>,
) {
    let ticket = decision.ticket.id;
    let (inbound, files) = from.map_or((None, Vec::new()), |(inbound, files)| (Some(inbound), files));
    let mut files = Some(files);
    for (at, entry) in decision.entries.iter().enumerate() {
        batch.entries.push(NewEntry {
            ticket,
            inbound: inbound.filter(|_| at == 0),
            entry,
            attachments: files.take().unwrap_or_default(),
        });
    }
    let requester = decision.ticket.requester.as_ref().map(Party::key);
    for party in &decision.participants {
        let role = if requester.as_ref() == Some(&party.key()) { Role::Requester } else { Role::Other };
        batch.participants.push(Participant { ticket, party, role });
    }
    for (address, why) in &decision.undeliverable {
        batch.identities.push(Identity {
            address,
            language: None,
            verified: false,
            undeliverable: Some(why),
            works: false,
            at: batch.at,
        });
    }
    batch.deliveries.extend(&decision.deliveries);
    batch.transitions.extend(decision.transitions.iter().map(|transition| (ticket, transition)));
    for (kind, due) in &decision.timers {
        match due {
            Some(due) => batch.timers_set.push((ticket, *kind, *due)),
            None => batch.timers_cleared.push((ticket, *kind)),
        }
    }
}

/// What is known of whoever wrote `item`. That the address works, whatever was said of it, only somebody vouched for shows:
/// anybody can write a dead address as the sender, and each of our answers would come back.
pub(crate) fn sender<'a>(item: &'a Item, decision: &Decision, rules: &Rules, at: Moment) -> Option<Identity<'a>> {
    let address = &item.from.as_ref()?.address;
    let works = rules.source.trust_all || matches!(item.trust, Trust::Verified(_));
    let verified = decision.ticket.verified && decision.opened;
    Some(Identity { address, language: Some(decision.ticket.language), verified, undeliverable: None, works, at })
}

/// Writes one decision about a ticket that was read at version `seen`, in `tx`; the caller commits.
pub(crate) async fn write_decision(
    tx: &mut Tx,
    kernel: &Kernel,
    decision: &mut Decision,
    seen: i64,
    now: Moment,
) -> Result<(), StoreError> {
    write_words(kernel, decision);
    let mut batch = Batch { at: now, ..Batch::default() };
    batch.changed.push(Changed { ticket: &decision.ticket, seen });
    enter(&mut batch, decision, None);
    record(tx, &batch).await?;
    settle_reported(tx, decision, now).await
}

/// Enters what a decision says of rows that are in the outbox already: what reports told, and what is no longer true.
pub(crate) async fn settle_reported(tx: &mut Tx, decision: &Decision, now: Moment) -> Result<(), StoreError> {
    for (delivery, outcome, detail) in &decision.outcomes {
        match outcome {
            // `false` says that the row is known to have ended otherwise: what was known first stands.
            ReportOutcome::Failed => {
                outbox::report_failed(tx, *delivery, &reason::REPORT_FAILED, detail, now).await?;
            }
            ReportOutcome::Delivered => {
                outbox::prove_sent(tx, *delivery, None, now).await?;
            }
            ReportOutcome::Delayed | ReportOutcome::Complaint => {}
        }
    }
    let ticket = decision.ticket.id;
    for (at, token) in decision.page_keys.iter().filter_map(|token| StatusToken::parse(token)).enumerate() {
        if at == 0 && decision.page_renewed {
            requester::only_page_key(tx, ticket, &token.hash()).await?;
        } else {
            requester::add_page_key(tx, ticket, &token.hash(), now).await?;
        }
    }
    if let Some(Rating { closure, score, text }) = decision.rating.clone() {
        requester::rate(tx, ticket, &requester::Rating { closure, score, text, at: now }).await?;
    }
    for kind in &decision.overtaken {
        outbox::overtake(tx, decision.ticket.id, *kind, &reason::OVERTAKEN, now).await?;
    }
    Ok(())
}
