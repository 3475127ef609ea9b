//! How things look to a person: tickets, deliveries, reasons. JSON is the API's and is not touched here.

use guichet_domain::entry::EntryKind;
use guichet_domain::outgoing::DeliveryState;
use guichet_domain::ticket::State;
use guichet_domain::verdict::Verdict;

use crate::desk::views::{
    DeliveryView, EntryView, PartyView, ReasonView, ReceiptView, Step, StepKind, TicketDetail, TicketView,
};
use crate::output::{Cell, Column, Output, Shade, Table, plain, width};

/// Columns before the reason of a step.
const INDENT: usize = 28;

/// What became of an item, in one line: the reference first, so that a script may cut it off.
pub fn receipt(receipt: &ReceiptView) -> String {
    let verdict = receipt.verdict.as_str();
    match (&receipt.reference, &receipt.reason) {
        (Some(reference), _) => format!("{reference} {verdict}"),
        (None, Some(reason)) => format!("- {verdict}: {}", why(reason)),
        (None, None) => format!("- {verdict}"),
    }
}

/// A list of tickets.
pub fn tickets(out: &Output, tickets: &[TicketView]) -> Table {
    let mut table = Table::new([
        Column::whole("REFERENCE"),
        Column::whole("P"),
        Column::whole("STATE"),
        Column::number("AGE"),
        Column::text("ASSIGNEE"),
        Column::text("REQUESTER"),
        Column::text("SUBJECT"),
    ]);
    for ticket in tickets {
        let attention = if ticket.attention.is_some() { "! " } else { "" };
        table.row([
            ticket.reference.as_str().into(),
            Cell::shaded(ticket.priority.as_str(), pressing(ticket.priority.as_str())),
            Cell::shaded(ticket.state.as_str(), state(ticket.state)),
            out.age(ticket.opened_at).into(),
            ticket.assignee.as_deref().unwrap_or("-").into(),
            ticket.requester.as_ref().map_or("-", |party| party.address.as_str()).into(),
            format!("{attention}{}", ticket.subject).into(),
        ]);
    }
    table
}

/// How a ticket stands, in one line.
pub fn standing(ticket: &TicketView) -> String {
    let assignee = ticket.assignee.as_ref().map(|agent| format!(", assigned to {agent}")).unwrap_or_default();
    let merged = ticket.merged_into.as_ref().map(|into| format!(", part of {into}")).unwrap_or_default();
    let (reference, state, tier) = (&ticket.reference, ticket.state.as_str(), ticket.tier.as_str());
    plain::line(&format!("{reference} is {state}, {}, {tier}{assignee}{merged}", ticket.priority.as_str()))
}

/// A ticket with all that happened.
pub fn ticket(out: &Output, detail: &TicketDetail) -> String {
    let ticket = &detail.ticket;
    let style = out.style();
    let subject = if ticket.subject.is_empty() { "(no subject)" } else { &ticket.subject };
    let title = style.paint(&plain::line(&format!("{}  {subject}", ticket.reference)), Shade::Strong);
    let mut page = vec![title, "\n\n".to_owned()];
    for (name, value) in facts(out, ticket) {
        page.push(format!("{}  {}\n", style.paint(&format!("{name:<10}"), Shade::Faint), plain::line(&value)));
    }
    for entry in &detail.timeline {
        page.push(shown_entry(out, entry));
    }
    if !detail.deliveries.is_empty() {
        page.push(format!("\n{}\n", style.paint("Sent and to be sent", Shade::Strong)));
        page.push(deliveries(out, &detail.deliveries).render(out.readable(), style));
    }
    for timer in &detail.timers {
        let what = match timer.kind.as_str() {
            "window" => "is closed",
            "promise" => "an answer is promised",
            other => other,
        };
        page.push(format!("\n{what}: {}\n", out.moment(timer.due_at)));
    }
    page.concat()
}

fn facts(out: &Output, ticket: &TicketView) -> Vec<(&'static str, String)> {
    let verified = if ticket.verified { "" } else { " (not verified)" };
    let requester = ticket.requester.as_ref().map_or("nobody".to_owned(), |who| format!("{}{verified}", party(who)));
    let machine = if ticket.machine { ", opened by a machine" } else { "" };
    let mut facts = vec![
        ("state", format!("{}{machine}", ticket.state.as_str())),
        (
            "priority",
            format!(
                "{} (impact {}, urgency {})",
                ticket.priority.as_str(),
                ticket.impact.as_str(),
                ticket.urgency.as_str()
            ),
        ),
        ("what", format!("{}, {}, queue {}", ticket.kind.as_str(), ticket.category, ticket.queue)),
        ("requester", requester),
        ("assignee", format!("{}, {}", ticket.assignee.as_deref().unwrap_or("nobody"), ticket.tier.as_str())),
        ("source", ticket.source.to_string()),
        ("opened", out.moment(ticket.opened_at)),
    ];
    let instants = [
        ("promised", ticket.promised_at),
        ("answered", ticket.answered_at),
        ("resolved", ticket.resolved_at),
        ("closed", ticket.closed_at),
    ];
    facts.extend(instants.into_iter().filter_map(|(name, at)| Some((name, out.moment(at?)))));
    let links = [("follows", &ticket.follows), ("linked to", &ticket.linked), ("part of", &ticket.merged_into)];
    facts.extend(links.into_iter().filter_map(|(name, reference)| Some((name, reference.clone()?))));
    facts.extend(ticket.attention.as_ref().map(|reason| ("look at", why(reason))));
    facts
}

fn shown_entry(out: &Output, entry: &EntryView) -> String {
    let style = out.style();
    let who = entry.author.as_ref().map_or_else(|| "guichet".to_owned(), party);
    let shade = match entry.kind {
        EntryKind::Inbound | EntryKind::Reply => Shade::Strong,
        EntryKind::Note => Shade::Warning,
        EntryKind::Notice | EntryKind::Event => Shade::Faint,
    };
    let unverified = if entry.kind == EntryKind::Inbound && !entry.verified { ", not verified" } else { "" };
    let head = plain::line(&format!("{} by {who}{unverified}, {}", entry.kind.as_str(), out.moment(entry.at)));
    let mut text = format!("\n{}\n", style.paint(&head, shade));
    for line in width::wrap(&plain::text(&entry.text), out.readable().saturating_sub(2)) {
        text.push_str(if line.is_empty() { "" } else { "  " });
        text.push_str(&line);
        text.push('\n');
    }
    for file in &entry.attachments {
        let line =
            format!("  [{}: {}, {} KiB]", file.name, file.media_type, file.size.max(0).unsigned_abs().div_ceil(1024));
        text.push_str(&style.paint(&plain::line(&line), Shade::Faint));
        text.push('\n');
    }
    text
}

/// Rows of the outbox.
pub fn deliveries(out: &Output, rows: &[DeliveryView]) -> Table {
    let mut table = Table::new([
        Column::whole("ID"),
        Column::whole("TICKET"),
        Column::whole("WHAT"),
        Column::whole("STATE"),
        Column::number("TRIES"),
        Column::number("AGE"),
        Column::text("TO"),
        Column::text("WHY"),
    ]);
    for row in rows {
        let words = row.reason.as_ref().map(why).or_else(|| row.detail.clone()).unwrap_or_default();
        table.row([
            short(&row.id.to_string()).into(),
            row.reference.as_str().into(),
            row.kind.as_str().into(),
            Cell::shaded(row.state.as_str(), delivery(row.state)),
            row.attempts.to_string().into(),
            out.age(row.created_at).into(),
            row.to.address.as_str().into(),
            words.into(),
        ]);
    }
    table
}

/// Decisions in order, each with its code. What was decided at one place stands together.
pub fn steps(out: &Output, steps: &[Step]) -> String {
    let mut page = Vec::new();
    let mut before: Option<&Step> = None;
    for step in steps {
        let together = before.is_some_and(|one| (one.at, one.kind, &one.what) == (step.at, step.kind, &step.what));
        if !together {
            let at = out.style().paint(&out.local(step.at), Shade::Faint);
            page.push(format!("{at}  {:<8}  {}\n", kind(step.kind), plain::line(&step.what)));
        }
        if let Some(reason) = &step.reason {
            let words = plain::line(&format!("{}: {}", reason.code, why(reason)));
            for (at, line) in width::wrap(&words, out.readable().saturating_sub(INDENT + 2)).iter().enumerate() {
                page.push(format!("{:>1$}{line}\n", "", if at == 0 { INDENT } else { INDENT + 2 }));
            }
        }
        before = Some(step);
    }
    page.concat()
}

const fn kind(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Inbound => "inbound",
        StepKind::Decision => "decision",
        StepKind::Transition => "state",
        StepKind::Delivery => "delivery",
        StepKind::Attempt => "attempt",
        StepKind::Timer => "timer",
    }
}

/// A reason in words, with what it was about.
pub fn why(reason: &ReasonView) -> String {
    match (reason.explanation.is_empty(), reason.detail.is_empty()) {
        (false, false) => format!("{}: {}", reason.explanation.trim_end_matches('.'), reason.detail),
        (false, true) => reason.explanation.clone(),
        (true, false) => format!("{}: {}", reason.code, reason.detail),
        (true, true) => reason.code.to_string(),
    }
}

/// A person as both name and address.
pub fn party(party: &PartyView) -> String {
    match &party.name {
        Some(name) if party.address.is_empty() => name.clone(),
        Some(name) => format!("{name} <{}>", party.address),
        None => party.address.clone(),
    }
}

/// The shade of a verdict.
pub const fn verdict(verdict: Verdict) -> Shade {
    match verdict {
        Verdict::Opened | Verdict::Appended => Shade::Good,
        Verdict::Duplicate => Shade::Faint,
        Verdict::Quarantined => Shade::Warning,
    }
}

/// The last part of a key: enough to tell rows apart, and accepted where a row is named.
pub fn short(id: &str) -> String {
    let skipped = id.chars().count().saturating_sub(12);
    id.chars().skip(skipped).collect()
}

fn pressing(priority: &str) -> Shade {
    match priority {
        "P1" => Shade::Bad,
        "P2" => Shade::Warning,
        _ => Shade::Plain,
    }
}

const fn state(state: State) -> Shade {
    match state {
        State::New => Shade::Strong,
        State::Open => Shade::Plain,
        State::Waiting | State::Resolved | State::Closed => Shade::Faint,
    }
}

const fn delivery(state: DeliveryState) -> Shade {
    match state {
        DeliveryState::Sent => Shade::Good,
        DeliveryState::Refused | DeliveryState::Unknown | DeliveryState::Expired => Shade::Bad,
        DeliveryState::Suppressed => Shade::Faint,
        DeliveryState::Pending | DeliveryState::Sending => Shade::Plain,
    }
}
