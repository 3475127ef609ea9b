//! The side of a ticket: what is known of it, and what can be done besides writing.

use guichet_domain::priority::{Impact, Urgency};
use guichet_domain::ticket::{Kind, Tier};
use maud::{Markup, html};

use super::composer::hidden;
use super::guard::At;
use super::layout::badge;
use super::list::select;
use crate::desk::sheet::Sheet;
use crate::desk::views::Scope;

/// What is known of a ticket.
pub(super) fn facts(at: &At, sheet: &Sheet) -> Markup {
    let (t, ticket, times) = (at.who.tongue, &sheet.ticket, at.times(sheet.now));
    let taxonomy = &at.console.desk.kernel().desk.taxonomy;
    let window = sheet.timers.iter().find(|timer| timer.kind.as_str() == "window");
    html! {
        aside.facts #facts aria-label=(t.details()) {
            h2 { (t.details()) }
            dl {
                dt { (t.kind()) } dd { (t.kind_of(ticket.kind)) }
                dt { (t.category()) } dd { (taxonomy.label(&ticket.category, t.language())) }
                dt { (t.priority()) } dd { (ticket.priority.as_str()) " – " (ticket.impact.label(t.language())) ", " (ticket.urgency.label(t.language())) }
                dt { (t.tier()) } dd { (ticket.tier.as_str()) }
                dt { (t.spoken_language()) } dd { (ticket.language.as_str()) }
                dt { (t.source()) } dd { (ticket.source) }
                dt { (t.opened()) } dd { (times.both(ticket.opened_at)) }
                @if let Some(at) = ticket.promised_at { dt { (t.promised()) } dd { (times.both(at)) } }
                @if let Some(at) = ticket.answered_at { dt { (t.answered()) } dd { (times.both(at)) } }
                @if let Some(at) = ticket.resolved_at { dt { (t.resolved()) } dd { (times.both(at)) } }
                @if let Some(window) = window { dt { (t.window_ends()) } dd { (times.show(window.due_at)) } }
                @if ticket.reopened > 0 { dt { (t.reopened_times()) } dd { (ticket.reopened) " ×" } }
                @if let Some(other) = &ticket.follows { dt { (t.follows()) } dd { a href=(format!("/console/t/{other}")) { (other) } } }
                @if let Some(other) = &ticket.linked { dt { (t.linked()) } dd { a href=(format!("/console/t/{other}")) { (other) } } }
            }
            @if !sheet.participants.is_empty() {
                h2 { (t.participants()) }
                ul.plain {
                    @for one in &sheet.participants {
                        li { (one.party.name.as_deref().unwrap_or_default()) " " span.faint.address { (one.party.address) } }
                    }
                }
            }
            @if !sheet.links.is_empty() {
                h2 { (t.links()) }
                ul.plain { @for (reference, subject) in &sheet.links { li { a href=(format!("/console/t/{reference}")) { (reference) } " " (subject) } } }
            }
            @if !sheet.others.is_empty() {
                h2 { (t.others()) }
                ul.plain {
                    @for other in &sheet.others {
                        li { a href=(format!("/console/t/{}", other.reference)) { (other.subject) } " " (badge(&format!("state {}", other.state.as_str()), t.state_of(other.state))) }
                    }
                }
            }
            p { a href=(format!("/console/t/{}/history", ticket.reference)) { (t.history()) } }
        }
    }
}

/// What can be done.
pub(super) fn acts(at: &At, sheet: &Sheet, agents: &[String]) -> Markup {
    let (t, ticket) = (at.who.tongue, &sheet.ticket);
    let mine = ticket.assignee.as_deref() == Some(at.name());
    html! {
        aside.acts #acts aria-label=(t.act_on()) {
            h2 { (t.act_on()) }
            @if !mine { (button(at, sheet, "take", t.take(), "primary")) }
            @if ticket.attention.is_some() { (button(at, sheet, "seen", t.seen(), "")) }
            (form(at, sheet, "assign", &html! {
                (select(t.assignee(), "to", ticket.assignee.as_deref().unwrap_or_default(), t.nobody(), agents.iter().map(|name| (name.clone(), name.clone()))))
                button name="do" value="assign" { (t.assign()) }
            }))
            @if ticket.state.is_live() { (live(at, sheet)) } @else { (button(at, sheet, "reopen", t.reopen(), "")) }
            (classify(at, sheet))
            (more(at, sheet))
        }
    }
}

fn live(at: &At, sheet: &Sheet) -> Markup {
    let (t, ticket) = (at.who.tongue, &sheet.ticket);
    html! {
        details.act #close {
            summary { (t.close()) }
            (form(at, sheet, "close", &html! {
                label { span { (t.resolution()) } textarea name="text" rows="3" maxlength="100000" {} }
                div.row {
                    button name="do" value="close" { (t.close()) }
                    button.quiet name="do" value="close_silent" { (t.close_silent()) }
                }
            }))
        }
        @if ticket.tier != Tier::L3 {
            details.act #escalate {
                summary { (t.escalate()) }
                (form(at, sheet, "escalate", &html! {
                    label { span { (t.escalate_to()) } select name="to" {
                        @for tier in [Tier::L2, Tier::L3] {
                            @if tier > ticket.tier { option value=(tier.as_str()) { (tier.as_str()) } }
                        }
                    } }
                    label { span { (t.reason()) } textarea name="text" rows="2" maxlength="2000" required {} }
                    button name="do" value="escalate" { (t.escalate()) }
                }))
            }
        }
    }
}

fn classify(at: &At, sheet: &Sheet) -> Markup {
    let (t, ticket) = (at.who.tongue, &sheet.ticket);
    let language = t.language();
    let categories = at.console.desk.kernel().desk.taxonomy.categories();
    html! {
        details.act #classify {
            summary { (t.classify()) }
            (form(at, sheet, "classify", &html! {
                label { span { (t.kind()) } select name="kind" {
                    @for kind in Kind::ALL { option value=(kind.as_str()) selected[kind == ticket.kind] { (t.kind_of(kind)) } }
                } }
                label { span { (t.category()) } select name="category" {
                    @for one in categories { option value=(one.key) selected[one.key == ticket.category] { (one.label(language)) } }
                } }
                label { span { (t.impact()) } select name="impact" {
                    @for impact in Impact::ALL { option value=(impact.as_str()) selected[impact == ticket.impact] { (impact.label(language)) } }
                } }
                label { span { (t.urgency()) } select name="urgency" {
                    @for urgency in Urgency::ALL { option value=(urgency.as_str()) selected[urgency == ticket.urgency] { (urgency.label(language)) } }
                } }
                button name="do" value="classify" { (t.save()) }
            }))
        }
    }
}

fn more(at: &At, sheet: &Sheet) -> Markup {
    let t = at.who.tongue;
    html! {
        details.act {
            summary { (t.more_acts()) }
            (form(at, sheet, "link", &html! {
                label { span { (t.link_with()) } input name="other" maxlength="40" required autocomplete="off"; }
                div.row { button name="do" value="link" { (t.link()) } button.quiet name="do" value="unlink" { (t.unlink()) } }
            }))
            @if at.visitor.agent.role >= Scope::Lead {
                (form(at, sheet, "merge", &html! {
                    label { span { (t.merge_into()) } input name="other" maxlength="40" required autocomplete="off"; }
                    p.faint { (t.merge_hint()) }
                    button name="do" value="merge" { (t.merge()) }
                }))
            }
            @if sheet.ticket.requester.is_some() && sheet.ticket.state.is_live() {
                (form(at, sheet, "block", &html! {
                    p.faint { (t.block_hint()) }
                    button.danger name="do" value="block" { (t.block()) }
                }))
            }
        }
    }
}

fn form(at: &At, sheet: &Sheet, name: &str, fields: &Markup) -> Markup {
    html! {
        form method="post" action=(format!("/console/t/{}/act", sheet.ticket.reference)) data-act=(name) { (hidden(at, sheet)) (fields) }
    }
}

fn button(at: &At, sheet: &Sheet, act: &str, words: &str, class: &str) -> Markup {
    form(at, sheet, act, &html! { button class=(class) name="do" value=(act) { (words) } })
}
