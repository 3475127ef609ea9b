//! The timeline of a ticket: every channel, notes visibly apart, what became of each delivery and why.

use guichet_domain::entry::EntryKind;
use guichet_domain::outgoing::DeliveryState;
use maud::{Markup, html};

use super::assets;
use super::guard::At;
use super::layout::badge;
use super::when::Times;
use crate::desk::sheet::Sheet;
use crate::desk::views::{DeliveryView, EntryView, ReasonView};

/// The last entries, with the way to older ones.
pub(super) fn timeline(at: &At, sheet: &Sheet) -> Markup {
    let t = at.who.tongue;
    let reference = &sheet.ticket.reference;
    html! {
        section.flow #flow aria-label=(t.timeline()) {
            @if let Some(older) = sheet.older {
                p.older { a href=(format!("/console/t/{reference}?before={older}")) { (t.older()) } }
            }
            ol.timeline { @for entry in &sheet.timeline { (self::entry(at, sheet, entry)) } }
        }
    }
}

/// One entry.
pub(super) fn entry(at: &At, sheet: &Sheet, entry: &EntryView) -> Markup {
    let (t, times) = (at.who.tongue, at.times(sheet.now));
    let author = author(sheet, entry);
    let deliveries = sheet.deliveries.iter().filter(|row| is_of(sheet, row, entry));
    let kind = entry.kind.as_str();
    if entry.kind == EntryKind::Event {
        return html! {
            li.event id=(format!("e{}", entry.number)) {
                (times.show(entry.at)) " "
                @if let Some(author) = &author { strong { (author) } " " }
                (t.event_of(&entry.text)) (reasons(at, &entry.reasons))
            }
        };
    }
    html! {
        li class=(format!("entry {kind}")) id=(format!("e{}", entry.number)) {
            header {
                strong.author { (author.as_deref().unwrap_or(at.console.name())) }
                " " span.verb { (t.entry_of(entry.kind)) }
                @if entry.kind == EntryKind::Note { " " (badge("private", t.only_agents())) }
                @if entry.kind == EntryKind::Inbound && !entry.verified { " " (badge("faint", t.unverified())) }
                @if let Some(source) = &entry.source { " " span.faint { "· " (t.channel_of(at.console.desk.channel_of(source))) } }
                " " span.at { (times.show(entry.at)) }
            }
            @let subject = entry.subject.as_deref().filter(|subject| *subject != sheet.ticket.subject);
            @if entry.kind == EntryKind::Notice {
                details { summary { (subject.unwrap_or(t.entry_notice())) } div.text { (entry.text) } }
            } @else {
                @if let Some(subject) = subject { p.line { (subject) } }
                div.text { @if entry.text.trim().is_empty() { span.faint { (t.no_words()) } } @else { (entry.text) } }
            }
            @if let Some(whole) = &entry.full_text {
                details { summary { (t.whole_text()) } div.text { (whole) } }
            }
            @if let Some(mail) = &entry.html { (formatted(at, mail)) }
            (files(at, sheet, entry))
            @for row in deliveries { (delivery(at, &times, row)) }
            @for reason in entry.reasons.iter().filter(|reason| is_loud(reason)) {
                p.delivery { (badge("sent suppressed", t.delivery_of(DeliveryState::Suppressed))) " "
                    (t.reason_of(&reason.code)) @if !reason.detail.is_empty() { " " span.faint { (reason.detail) } } }
            }
            (reasons(at, &entry.reasons))
        }
    }
}

/// Whether a reason says that something expected was not sent: shown without being asked for.
fn is_loud(reason: &ReasonView) -> bool {
    let code = reason.code.as_str();
    code.starts_with("ack.none") || code.starts_with("cap.") || code.starts_with("notice.")
}

/// Who wrote it, as agents know them.
fn author(sheet: &Sheet, entry: &EntryView) -> Option<String> {
    let party = entry.author.as_ref()?;
    let name = party.name.clone().filter(|name| !name.trim().is_empty());
    match entry.kind {
        EntryKind::Inbound => {
            let requester = sheet.ticket.requester.as_ref();
            let known = requester.filter(|known| known.address == party.address).and_then(|known| known.name.clone());
            name.or(known).or_else(|| Some(party.address.clone()))
        }
        _ => Some(party.address.clone()).filter(|address| !address.is_empty()).or(name),
    }
}

/// Whether a delivery carries an entry: an agent's words or a notice, queued at the same instant.
fn is_of(sheet: &Sheet, row: &DeliveryView, entry: &EntryView) -> bool {
    let outward = matches!(entry.kind, EntryKind::Reply | EntryKind::Notice);
    outward && row.created_at == entry.at && row.kind.as_str() != "event" && row.reference == sheet.ticket.reference
}

fn delivery(at: &At, times: &Times, row: &DeliveryView) -> Markup {
    let t = at.who.tongue;
    let bad = matches!(row.state, DeliveryState::Refused | DeliveryState::Unknown | DeliveryState::Expired);
    html! {
        p.delivery data-bad=[bad.then_some("")] {
            (badge(&format!("sent {}", row.state.as_str()), t.delivery_of(row.state)))
            " " (t.notice_of(row.kind)) " " (t.to()) " " (row.to.address)
            @if let Some(settled) = row.settled_at { " " (times.show(settled)) }
            @if row.attempts > 1 { " " span.faint { (row.attempts) " " (t.tries()) } }
            @if let Some(reason) = &row.reason { " – " (t.reason_of(&reason.code)) }
            @if let Some(detail) = &row.detail { " " span.faint { (detail) } }
        }
    }
}

/// Mail as its sender formatted it: cleaned when it came in, in a frame that runs nothing, loads nothing and has no origin of
/// ours to speak with.
fn formatted(at: &At, mail: &str) -> Markup {
    let t = at.who.tongue;
    let style = assets::path("mail.css");
    let page = format!(
        "<!doctype html><html lang=\"\"><head><meta charset=\"utf-8\"><title>mail</title>\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'self'; img-src data:\">\
         <base target=\"_blank\"><link rel=\"stylesheet\" href=\"{style}\"></head><body>{mail}</body></html>"
    );
    html! {
        details.formatted {
            summary { (t.formatted()) }
            iframe sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer" loading="lazy"
                title=(t.formatted()) srcdoc=(page) {}
            p.faint { (t.images_off()) }
        }
    }
}

fn files(at: &At, sheet: &Sheet, entry: &EntryView) -> Markup {
    let t = at.who.tongue;
    html! {
        @if !entry.attachments.is_empty() {
            ul.files aria-label=(t.files()) {
                @for file in &entry.attachments {
                    li {
                        a href=(format!("/console/t/{}/file/{}/{}", sheet.ticket.reference, entry.id, file.position)) download=(file.name) { (file.name) }
                        " " span.faint { (size(file.size)) }
                    }
                }
            }
        }
    }
}

/// Why things were decided as they were.
pub(super) fn reasons(at: &At, reasons: &[ReasonView]) -> Markup {
    let t = at.who.tongue;
    html! {
        @if !reasons.is_empty() {
            details.why {
                summary { (t.why()) }
                ul { @for reason in reasons { (self::reason(at, reason)) } }
            }
        }
    }
}

/// One reason.
pub(super) fn reason(at: &At, reason: &ReasonView) -> Markup {
    html! {
        li { (at.who.tongue.reason_of(&reason.code)) " " code { (reason.code) }
            @if !reason.detail.is_empty() { " " span.faint { (reason.detail) } } }
    }
}

/// Octets for people.
pub(super) fn size(octets: i64) -> String {
    match octets {
        ..1_000 => format!("{octets} B"),
        1_000..1_000_000 => format!("{} kB", octets / 1_000),
        _ => format!("{}.{} MB", octets / 1_000_000, octets % 1_000_000 / 100_000),
    }
}
