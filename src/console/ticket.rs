//! One ticket: its head, its timeline, what can be done.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect};
use guichet_domain::ticket::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::composer::{self, Typed};
use super::guard::{Answer, At};
use super::layout::{self, Frame, badge, said};
use super::timeline;
use super::words::Tongue;
use crate::desk::Canned;
use crate::desk::sheet::Sheet;
use crate::desk::views::{EntryView, Scope};

/// What a ticket's address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    before: Option<i64>,
    done: String,
    from: String,
}

/// What a page of a ticket shows besides it.
#[derive(Default)]
pub(super) struct Around {
    /// What was just done.
    pub(super) done: Option<&'static str>,
    /// What an agent typed and is not lost.
    pub(super) typed: Option<Typed>,
    /// What came meanwhile, when an act was stale.
    pub(super) meanwhile: Option<Vec<EntryView>>,
    /// Why an act was refused.
    pub(super) refused: Option<String>,
    /// The ticket that was merged into this one, when somebody came by it.
    pub(super) merged: Option<String>,
}

/// The page.
pub(super) async fn show(at: At, Path(reference): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let sheet = at.console.desk.sheet(at.name(), &reference, asked.before).await?;
    let t = at.who.tongue;
    if let Some(into) = &sheet.ticket.merged_into {
        let from = &sheet.ticket.reference;
        return Ok(Redirect::to(&format!("/console/t/{into}?from={from}")).into_response());
    }
    if sheet.ticket.reference != reference {
        return Ok(Redirect::to(&format!("/console/t/{}", sheet.ticket.reference)).into_response());
    }
    let merged = match asked.from.as_str() {
        "" => None,
        from => at.console.desk.spoken(from).await?,
    };
    let around = Around { done: done(t, &asked.done), merged, ..Around::default() };
    page(&at, &sheet, &around).await
}

/// A page of a ticket, with what is around it.
pub(super) async fn page(at: &At, sheet: &Sheet, around: &Around) -> Answer {
    let counts = at.console.desk.counts(at.name()).await?;
    let canned = at.console.desk.canned().await?;
    let agents = at.console.desk.agents().await?;
    let names: Vec<String> =
        agents.into_iter().filter(|agent| agent.disabled_at.is_none()).map(|agent| agent.name).collect();
    let mark = at.console.desk.fingerprint(&sheet.ticket.reference).await?;
    let undo = match &around.merged {
        Some(from) => Some((from, at.console.desk.sheet(at.name(), from, None).await?)),
        None => None,
    };
    let t = at.who.tongue;
    let reference = &sheet.ticket.reference;
    let subject = if sheet.ticket.subject.trim().is_empty() { t.no_subject() } else { &sheet.ticket.subject };
    let content = html! {
        article.ticket #ticket data-ref=(reference) data-mark=(mark) data-seq=(sheet.last_seq) data-me=(at.name()) {
            (said(around.done))
            @if let Some((from, old)) = &undo { (merged(at, from, old)) }
            @if let Some(why) = &around.refused {
                div.alert role="alert" { strong { (t.refused_title()) } p { (why) } }
            }
            @if let Some(meanwhile) = &around.meanwhile {
                div.alert role="alert" {
                    strong { (t.stale_title()) }
                    p { (t.stale_hint()) }
                    ol.timeline { @for entry in meanwhile { (timeline::entry(at, sheet, entry)) } }
                }
            }
            (head(at, sheet, subject))
            (timeline::timeline(at, sheet))
            @if at.visitor.agent.role >= Scope::Work {
                (composer::composer(at, sheet, &canned, around.typed.as_ref()))
            }
            div.side {
                @if at.visitor.agent.role >= Scope::Work { (super::side::acts(at, sheet, &names)) }
                (super::side::facts(at, sheet))
            }
        }
    };
    let title = format!("{reference} {subject}");
    let frame = Frame { title: &title, who: &at.who, console: &at.console, here: "", counts: Some(counts) };
    Ok(layout::page(&frame, &content))
}

/// Head, timeline and side: what a page fetches anew when something came.
pub(super) async fn fragment(at: At, Path(reference): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let sheet = at.console.desk.sheet(at.name(), &reference, asked.before).await?;
    let mark = at.console.desk.fingerprint(&sheet.ticket.reference).await?;
    let t = at.who.tongue;
    let subject = if sheet.ticket.subject.trim().is_empty() { t.no_subject() } else { &sheet.ticket.subject };
    let version = sheet.ticket.version;
    Ok(html! {
        div #parts data-mark=(mark) data-seq=(sheet.last_seq) data-version=(version) {
            (head(&at, &sheet, subject)) (timeline::timeline(&at, &sheet)) (super::side::facts(&at, &sheet))
        }
    }
    .into_response())
}

/// Who else is here.
pub(super) async fn present(at: At, Path(reference): Path<String>) -> Answer {
    let now = at.console.desk.kernel().clock.now();
    Ok(people(&at, &reference, now).into_response())
}

fn head(at: &At, sheet: &Sheet, subject: &str) -> Markup {
    let (t, ticket, times) = (at.who.tongue, &sheet.ticket, at.times(sheet.now));
    html! {
        header.top #top {
            h1 { span class=(format!("p {}", ticket.priority.as_str())) { (ticket.priority.as_str()) } " " (subject) }
            p.sub {
                span.ref { (ticket.reference) }
                (badge(&format!("state {}", ticket.state.as_str()), t.state_of(ticket.state)))
                (badge("channel", &t.channel_of(&sheet.channel)))
                @if let Some(party) = &ticket.requester {
                    span { (party.name.as_deref().unwrap_or(&party.address)) }
                    span.faint { (if ticket.verified { t.verified() } else { t.unverified() }) }
                }
                @match (&ticket.promised_at, ticket.answered_at.is_none() && ticket.state.is_live()) {
                    (Some(promised), true) => {
                        span data-late=[(*promised <= sheet.now).then_some("")] { (t.due()) " " (times.both(*promised)) }
                    }
                    _ => {}
                }
                span { (t.assignee()) (t.colon()) (ticket.assignee.as_deref().unwrap_or(t.nobody())) }
                (people(at, &ticket.reference, sheet.now))
                span.present #typing role="status" hidden { (t.requester_writes()) }
            }
            @if let Some(attention) = &ticket.attention {
                p.alarm { (t.view_attention()) (t.colon()) (t.reason_of(&attention.code)) @if !attention.detail.is_empty() { " (" (attention.detail) ")" } }
            }
        }
    }
}

fn people(at: &At, reference: &str, now: guichet_domain::Moment) -> Markup {
    let t = at.who.tongue;
    html! {
        span #present aria-live="polite" {
            @for other in at.console.presence.others(reference, at.name(), now) {
                span.present data-writes=[other.replying.then_some("")] {
                    (other.agent) " " (if other.replying { t.replying() } else { t.viewing() })
                }
            }
        }
    }
}

/// That another ticket was merged into this one, with the way back while there is one.
fn merged(at: &At, from: &str, old: &Sheet) -> Markup {
    let t = at.who.tongue;
    html! {
        @if let Some(ends) = old.merge_ends {
            div.said {
                (from) " " (t.merged_here())
                @if ends > old.now && at.visitor.agent.role >= Scope::Lead {
                    form method="post" action=(format!("/console/t/{from}/act")) {
                        button.quiet name="do" value="unmerge" { (t.unmerge()) }
                    }
                } @else if ends <= old.now { " " span.faint { (t.merge_over()) } }
            }
        }
    }
}

/// What was done, in words.
fn done(t: Tongue, word: &str) -> Option<&'static str> {
    Some(match word {
        "reply" => t.done_reply(),
        "close" => t.done_close(),
        "note" => t.done_note(),
        "assign" => t.done_assign(),
        "escalate" => t.done_escalate(),
        "classify" => t.done_classify(),
        "reopen" => t.done_reopen(),
        "merge" => t.done_merge(),
        "unmerge" => t.done_unmerge(),
        "link" | "unlink" => t.done_link(),
        "block" => t.done_block(),
        "draft" => t.done_draft(),
        "seen" => t.done_saved(),
        _ => return None,
    })
}

/// Whether an agent can write to the requester of a ticket as it stands.
pub(super) fn can_reply(sheet: &Sheet) -> bool {
    sheet.ticket.state != State::Closed && sheet.ticket.requester.is_some()
}

/// A canned reply with its variables filled for a ticket.
pub(super) fn filled(at: &At, sheet: &Sheet, canned: &Canned) -> String {
    crate::desk::fill(&canned.text, &sheet.ticket, &at.visitor.agent.display, at.console.name())
}
