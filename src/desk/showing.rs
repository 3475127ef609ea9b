//! From what is kept to what is shown.

use guichet_domain::ids::TicketId;
use guichet_domain::ticket::Ticket;
use guichet_store::outbox::{Attempt, OutboxRow};
use guichet_store::timeline::KeptEntry;
use guichet_store::{StoreError, Tx, ticket};

use crate::desk::views::{AttachmentView, AttemptView, DeliveryView, EntryView, TicketView};

/// A ticket, with the references of those it is tied to.
pub(super) async fn show_ticket(tx: &mut Tx, prefix: &str, ticket: Ticket) -> Result<TicketView, StoreError> {
    let follows = reference_of(tx, prefix, ticket.follows).await?;
    let linked = reference_of(tx, prefix, ticket.linked).await?;
    let merged_into = reference_of(tx, prefix, ticket.merged_into).await?;
    Ok(TicketView {
        id: ticket.id,
        reference: ticket.reference.shown(prefix).to_string(),
        state: ticket.state,
        kind: ticket.kind,
        subject: ticket.subject,
        language: ticket.language,
        source: ticket.source,
        requester: ticket.requester.map(Into::into),
        verified: ticket.verified,
        machine: ticket.machine,
        queue: ticket.queue,
        category: ticket.category,
        impact: ticket.impact,
        urgency: ticket.urgency,
        priority: ticket.priority,
        assignee: ticket.assignee,
        tier: ticket.tier,
        attention: ticket.attention.map(Into::into),
        promised_at: ticket.promised_at,
        opened_at: ticket.opened_at,
        answered_at: ticket.answered_at,
        resolved_at: ticket.resolved_at,
        closed_at: ticket.closed_at,
        updated_at: ticket.updated_at,
        closures: ticket.closures,
        reopened: ticket.reopened,
        follows,
        linked,
        merged_into,
        version: ticket.version,
    })
}

/// The shown reference of a ticket by its key.
pub(super) async fn reference_of(
    tx: &mut Tx,
    prefix: &str,
    id: Option<TicketId>,
) -> Result<Option<String>, StoreError> {
    let Some(id) = id else { return Ok(None) };
    Ok(ticket::load(tx, id).await?.map(|ticket| ticket.reference.shown(prefix).to_string()))
}

pub(super) fn show_entry(kept: KeptEntry) -> EntryView {
    let entry = kept.entry;
    EntryView {
        id: entry.id,
        number: kept.number,
        kind: entry.kind,
        seq: entry.seq.map(|seq| seq.0),
        author: entry.author.map(Into::into),
        verified: entry.verified,
        subject: entry.subject,
        text: entry.text,
        full_text: entry.full_text,
        html: entry.html,
        source: entry.source,
        at: entry.at,
        attachments: kept
            .attachments
            .into_iter()
            .map(|file| AttachmentView {
                position: file.position,
                name: file.name,
                media_type: file.media_type,
                size: file.size,
            })
            .collect(),
        reasons: entry.reasons.into_iter().map(Into::into).collect(),
    }
}

/// A row of the outbox; its `tries` are those given.
pub(super) fn show_delivery(row: OutboxRow, tries: Vec<Attempt>) -> DeliveryView {
    DeliveryView {
        id: row.id,
        number: row.number,
        kind: row.kind,
        reference: row.facts.reference,
        source: row.source,
        to: row.to.into(),
        state: row.state,
        reason: row.reason.map(Into::into),
        detail: row.detail,
        attempts: row.attempts,
        doubts: row.doubts,
        due_at: row.due_at,
        expires_at: row.expires_at,
        created_at: row.created_at,
        settled_at: row.settled_at,
        external_id: row.external_id.map(|id| id.as_str().to_owned()),
        tries: tries
            .into_iter()
            .map(|attempt| AttemptView {
                started_at: attempt.started_at,
                ended_at: attempt.ended_at,
                outcome: attempt.outcome,
                detail: attempt.detail,
            })
            .collect(),
    }
}
