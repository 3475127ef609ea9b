//! The list: one queue over all channels.

use axum::extract::Query;
use axum::response::{IntoResponse as _, Redirect};
use guichet_domain::priority::Priority;
use guichet_domain::ticket::{State, Tier};
use maud::{Markup, html};
use serde::Deserialize;

use super::guard::{Answer, At};
use super::layout::{self, Frame, badge};
use super::presence::Present;
use super::when::Times;
use super::words::Tongue;
use crate::desk::board::{BoardPage, BoardQuery, BoardRow, View};

/// Characters of the last words that are shown.
const WORDS: usize = 140;

/// The list in an address, whose words may be anything.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    view: String,
    state: String,
    source: String,
    category: String,
    priority: String,
    tier: String,
    assignee: String,
    q: String,
    sort: String,
    after: String,
}

impl Asked {
    fn query(self) -> BoardQuery {
        let view = View::ALL.into_iter().find(|view| view.as_str() == self.view).unwrap_or_default();
        BoardQuery {
            view,
            state: self.state,
            source: self.source,
            category: self.category,
            priority: self.priority,
            tier: self.tier,
            assignee: self.assignee,
            q: self.q.chars().take(200).collect(),
            sort: self.sort,
            after: self.after,
        }
    }
}

/// The page.
pub(super) async fn list(at: At, Query(asked): Query<Asked>) -> Answer {
    let query = asked.query();
    if !query.q.is_empty()
        && let Some(reference) = at.console.desk.spoken(&query.q).await?
    {
        return Ok(Redirect::to(&format!("/console/t/{reference}")).into_response());
    }
    let page = at.console.desk.board(at.name(), &query).await?;
    let agents = at.console.desk.agents().await?;
    let names: Vec<String> =
        agents.into_iter().filter(|agent| agent.disabled_at.is_none()).map(|agent| agent.name).collect();
    let t = at.who.tongue;
    let title = if query.q.is_empty() { t.view_of(query.view) } else { t.search() };
    let content = html! {
        div.head {
            h1 { (title) @if !query.q.is_empty() { " " span.faint { "“" (query.q) "”" } } }
            (filters(&at, &query, &names, &page))
        }
        button #fresh.news type="button" hidden { span.n { "0" } " " (t.show_new()) }
        (rows(&at, &query, &page))
    };
    let here = if query.q.is_empty() { query.view.as_str() } else { "" };
    let frame = Frame { title, who: &at.who, console: &at.console, here, counts: Some(page.counts) };
    Ok(layout::page(&frame, &content))
}

/// The rows alone, with the counts: what a page fetches anew.
pub(super) async fn fragment(at: At, Query(asked): Query<Asked>) -> Answer {
    let query = asked.query();
    let page = at.console.desk.board(at.name(), &query).await?;
    let here = if query.q.is_empty() { query.view.as_str() } else { "" };
    Ok(html! {
        ul #counts { (layout::views(at.who.tongue, here, Some(page.counts))) }
        (rows(&at, &query, &page))
    }
    .into_response())
}

fn rows(at: &At, query: &BoardQuery, page: &BoardPage) -> Markup {
    let (t, times) = (at.who.tongue, at.times(page.now));
    let nothing = if query.view == View::Ours && query.q.is_empty() { t.nothing_ours() } else { t.nothing_here() };
    html! {
        div #rows data-query=(address(query, None)) data-pulse=(page.pulse) {
            @if page.rows.is_empty() {
                p.empty { (nothing) }
            } @else {
                div.legend aria-hidden="true" {
                    span { (t.priority()) } span { (t.subject()) } span { (t.requester()) } span { (t.due()) }
                    span { (t.assignee()) } span { (t.updated()) }
                }
                ol.rows aria-label=(t.tickets()) {
                    @for row in &page.rows {
                        @let others = at.console.presence.others(&row.ticket.reference, at.name(), page.now);
                        (self::row(at, &times, row, &others))
                    }
                }
            }
            @if !query.q.is_empty() { p.faint.foot { (t.search_recent()) } }
            nav.pages aria-label=(t.next_page()) {
                @if !query.after.is_empty() { a href=(format!("/console?{}", address(query, None))) { (t.first_page()) } }
                @if let Some(next) = &page.next {
                    a rel="next" href=(format!("/console?{}", address(query, Some(next)))) { (t.next_page()) }
                }
            }
        }
    }
}

fn row(at: &At, times: &Times, row: &BoardRow, others: &[Present]) -> Markup {
    let (t, ticket) = (at.who.tongue, &row.ticket);
    let reference = ticket.reference.as_str();
    let subject = if ticket.subject.trim().is_empty() { t.no_subject() } else { &ticket.subject };
    let mine = ticket.assignee.as_deref() == Some(at.name());
    html! {
        li data-ref=(reference) data-mark=(ticket.version) data-unread=[row.unread.then_some("")] {
            span.prio { span class=(format!("p {}", ticket.priority.as_str())) { (ticket.priority.as_str()) } }
            div.what {
                a.subject href=(format!("/console/t/{reference}")) { (subject) }
                @if row.unread { span.dot title=(t.unread()) { span.hush { (t.unread()) } } }
                div.sub {
                    span.ref { (reference) }
                    (badge("channel", &t.channel_of(&row.channel)))
                    (badge(&format!("state {}", ticket.state.as_str()), t.state_of(ticket.state)))
                    @if ticket.tier != Tier::L1 { (badge("tier", ticket.tier.as_str())) }
                    @if let Some(attention) = &ticket.attention {
                        span.badge.alarm title=(t.reason_of(&attention.code)) { (t.view_attention()) }
                    }
                    @if let Some(last) = &row.last { span.last { (first_words(&last.text)) } }
                }
            }
            div.asks {
                @if let Some(party) = &ticket.requester {
                    span.name title=(party.address) { (party.name.as_deref().unwrap_or(&party.address)) }
                    @if ticket.verified { span.tick title=(t.verified()) { "✓" span.hush { (t.verified()) } } }
                } @else { span.faint { "–" } }
                @if ticket.machine { (badge("faint", t.machine())) }
            }
            div.due { (due(t, times, row)) }
            div.who {
                @match &ticket.assignee {
                    Some(_) if mine => span.mine { (t.you()) },
                    Some(name) => span { (name) },
                    None => span.faint { "–" },
                }
                @for other in others {
                    span.present data-writes=[other.replying.then_some("")] {
                        (other.agent) " " (if other.replying { t.replying() } else { t.viewing() })
                    }
                }
            }
            div.when { (times.show(ticket.updated_at)) }
        }
    }
}

fn due(t: Tongue, times: &Times, row: &BoardRow) -> Markup {
    let ticket = &row.ticket;
    html! {
        @match ticket.promised_at.filter(|_| ticket.state.is_live()) {
            None => span.faint { "–" },
            Some(_) if ticket.answered_at.is_some() => span.kept { (t.promise_kept()) },
            Some(promised) => {
                @let late = promised <= times.now;
                @let soon = promised <= times.now + crate::desk::board::SOON;
                span data-late=[late.then_some("")] data-soon=[(soon && !late).then_some("")] {
                    (times.show(promised)) " " span.rel { (times.relative(promised)) }
                    @if late { span.hush { " " (t.overdue()) } }
                }
            }
        }
    }
}

fn filters(at: &At, query: &BoardQuery, agents: &[String], page: &BoardPage) -> Markup {
    let t = at.who.tongue;
    let kernel = at.console.desk.kernel();
    let mut kinds: Vec<&str> = kernel.sources.values().map(|source| source.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let categories = kernel.desk.taxonomy.categories();
    let set = [&query.state, &query.source, &query.category, &query.priority, &query.tier, &query.assignee];
    let any = set.iter().any(|word| !word.is_empty());
    html! {
        details.filters open[any] {
            summary { (t.filters()) }
            form action="/console" method="get" {
                input type="hidden" name="view" value=(query.view.as_str());
                @if !query.q.is_empty() { input type="hidden" name="q" value=(query.q); }
                (select(t.state(), "state", &query.state, t.any(), State::ALL.map(|state| (state.as_str().to_owned(), t.state_of(state).to_owned()))))
                (select(t.channel(), "source", &query.source, t.any(), kinds.iter().map(|kind| (format!("channel:{kind}"), t.channel_of(kind)))
                    .chain(kernel.sources.keys().map(|name| (name.to_string(), name.to_string())))))
                (select(t.category(), "category", &query.category, t.any(), categories.iter().map(|one| (one.key.clone(), one.label(t.language()).to_owned()))))
                (select(t.priority(), "priority", &query.priority, t.any(), [Priority::P1, Priority::P2, Priority::P3, Priority::P4, Priority::P5]
                    .map(|one| (one.as_str().to_owned(), one.as_str().to_owned()))))
                (select(t.tier(), "tier", &query.tier, t.any(), [Tier::L1, Tier::L2, Tier::L3].map(|one| (one.as_str().to_owned(), one.as_str().to_owned()))))
                (select(t.assignee(), "assignee", &query.assignee, t.anybody(),
                    std::iter::once(("none".to_owned(), t.nobody().to_owned())).chain(agents.iter().map(|name| (name.clone(), name.clone())))))
                label { span { (t.sort()) } select name="sort" {
                    option value="due" selected[page.sort == "due"] { (t.sort_due()) }
                    option value="updated" selected[page.sort == "updated"] { (t.sort_updated()) }
                } }
                button { (t.apply()) }
                @if any { a href=(format!("/console?view={}", query.view.as_str())) { (t.clear()) } }
            }
        }
    }
}

/// A choice among words; the first means that it does not matter.
pub(super) fn select(
    label: &str,
    name: &str,
    chosen: &str,
    any: &str,
    options: impl IntoIterator<Item = (String, String)>,
) -> Markup {
    html! {
        label { span { (label) } select name=(name) {
            option value="" { (any) }
            @for (value, words) in options {
                option value=(value) selected[value == chosen] { (words) }
            }
        } }
    }
}

/// The query of an address that asks for the same list, at another place.
fn address(query: &BoardQuery, after: Option<&str>) -> String {
    let pairs = [
        ("view", query.view.as_str()),
        ("state", &query.state),
        ("source", &query.source),
        ("category", &query.category),
        ("priority", &query.priority),
        ("tier", &query.tier),
        ("assignee", &query.assignee),
        ("q", &query.q),
        ("sort", &query.sort),
        ("after", after.unwrap_or_default()),
    ];
    let written: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", super::encoded(value)))
        .collect();
    written.join("&")
}

/// The beginning of a text, in one line.
fn first_words(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    line.join(" ").chars().take(WORDS).collect()
}
