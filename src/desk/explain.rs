//! Why a ticket is as it is: everything that came in, was decided, changed and left, in order.

use guichet_domain::ids::TicketId;
use guichet_domain::inbound::Explained;
use guichet_domain::outgoing::DeliveryState;
use guichet_store::outbox::{self, OutboxRow};
use guichet_store::{Tx, inbound, timeline, timer};

use crate::desk::showing::show_ticket;
use crate::desk::views::{ExplanationView, Step, StepKind};
use crate::desk::{Desk, DeskError};

/// Entries that are named in an explanation.
const ENTRIES: i64 = 10_000;

impl Desk {
    /// Every decision about a ticket. A merged one is explained itself, not what it went into.
    pub async fn explain(&self, reference: &str) -> Result<ExplanationView, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let ticket = self.find(&mut tx, reference).await?;
        let steps = steps(&mut tx, ticket.id).await?;
        Ok(ExplanationView { ticket: show_ticket(&mut tx, self.prefix(), ticket).await?, steps })
    }
}

/// The steps of a ticket in order of time.
pub(super) async fn steps(tx: &mut Tx, id: TicketId) -> Result<Vec<Step>, DeskError> {
    let mut steps = Vec::new();
    for item in inbound::of_ticket(tx, id).await? {
        let what = format!("came by {} and was {}", item.source, item.verdict.as_str());
        let reason = item.reason.map(|code| Explained::new(code, item.detail.unwrap_or_default()).into());
        steps.push(Step { at: item.recorded_at, kind: StepKind::Inbound, what, reason });
    }
    decisions(tx, id, &mut steps).await?;
    for change in timeline::transitions(tx, id).await? {
        let by = change.by.map(|by| format!(", by {by}")).unwrap_or_default();
        let what = match change.from {
            Some(from) => format!("{} to {}{by}", from.as_str(), change.to.as_str()),
            None => format!("registered as {}", change.to.as_str()),
        };
        steps.push(Step { at: change.at, kind: StepKind::Transition, what, reason: Some(change.why.into()) });
    }
    for row in outbox::of_ticket(tx, id).await? {
        delivery(tx, &row, &mut steps).await?;
    }
    for timer in timer::of_ticket(tx, id).await? {
        let what = format!("{} is due", timer.kind.as_str());
        steps.push(Step { at: timer.due_at, kind: StepKind::Timer, what, reason: None });
    }
    // Stable: what happened at one instant stays in the order of one message's way in and out.
    steps.sort_by_key(|step| (step.at, step.kind));
    Ok(steps)
}

async fn decisions(tx: &mut Tx, id: TicketId, steps: &mut Vec<Step>) -> Result<(), DeskError> {
    let entries = timeline::entries(tx, id, 0, ENTRIES).await?;
    for kept in timeline::explanations(tx, id).await? {
        let entry = entries.iter().find(|entry| entry.entry.id.0 == kept.cause).map(|entry| &entry.entry);
        let what = match entry {
            Some(entry) => match entry.seq {
                Some(seq) => format!("at {} {}", entry.kind.as_str(), seq.0),
                None => format!("at {}: {}", entry.kind.as_str(), first_words(&entry.text)),
            },
            None => "decided".to_owned(),
        };
        steps.push(Step { at: kept.at, kind: StepKind::Decision, what, reason: Some(kept.why.into()) });
    }
    Ok(())
}

async fn delivery(tx: &mut Tx, row: &OutboxRow, steps: &mut Vec<Step>) -> Result<(), DeskError> {
    let name = format!("{} to {} by {}", row.kind.as_str(), row.to.address, row.source);
    let why = || row.reason.clone().map(Into::into);
    let kept_back = row.attempts == 0 && row.state == DeliveryState::Suppressed;
    let what = if kept_back { format!("{name} is not sent") } else { format!("{name} is queued") };
    let reason = if kept_back { why() } else { None };
    steps.push(Step { at: row.created_at, kind: StepKind::Delivery, what, reason });
    for attempt in outbox::attempts(tx, row.id).await? {
        let outcome = attempt.outcome.as_deref().unwrap_or("under way");
        let detail = attempt.detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
        let what = format!("{name}: attempt {}: {outcome}{detail}", attempt.fence);
        let at = attempt.ended_at.unwrap_or(attempt.started_at);
        steps.push(Step { at, kind: StepKind::Attempt, what, reason: None });
    }
    if let Some(at) = row.settled_at.filter(|_| !kept_back) {
        let what = format!("{name} is {}", row.state.as_str());
        steps.push(Step { at, kind: StepKind::Delivery, what, reason: why() });
    }
    Ok(())
}

/// The beginning of a text, in one line.
fn first_words(text: &str) -> String {
    const MOST: usize = 60;
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    let cut: String = line.chars().take(MOST).collect();
    if cut.len() < line.len() { format!("{cut}…") } else { cut }
}
