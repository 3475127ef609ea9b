//! The frame of every page: head, the bar at the side, the content.

use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

use super::guard::Who;
use super::words::Tongue;
use super::{Console, assets};
use crate::desk::board::{Counts, View};
use crate::desk::views::Scope;
use crate::desk::{Stage, Visitor};

/// What a page says of itself.
pub(super) struct Frame<'a> {
    /// Its title.
    pub(super) title: &'a str,
    /// Whose it is.
    pub(super) who: &'a Who,
    /// The console.
    pub(super) console: &'a Console,
    /// The entry of the bar it belongs to.
    pub(super) here: &'a str,
    /// What waits, for the bar.
    pub(super) counts: Option<Counts>,
}

/// A whole page.
pub(super) fn page(frame: &Frame<'_>, content: &Markup) -> Response {
    let t = frame.who.tongue;
    let full = frame.who.visitor.as_ref().filter(|visitor| visitor.stage == Stage::Full);
    let preference = full.map(|visitor| &visitor.preference);
    let theme = preference.map_or("auto", |preference| preference.theme.as_str());
    let waiting = frame.counts.map_or(0, |counts| counts.ours);
    html! {
        (DOCTYPE)
        html lang=(t.tag()) data-theme=(theme)
            data-keys=[preference.map(|preference| if preference.shortcuts { "on" } else { "off" })]
            data-sound=[preference.map(|preference| if preference.sound { "on" } else { "off" })] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { @if waiting > 0 { "(" (waiting) ") " } (frame.title) " – " (frame.console.name()) }
                link rel="icon" href=(assets::path("icon.svg"));
                link rel="stylesheet" href=(assets::path("console.css"));
                script type="module" src=(assets::path("console.js")) {}
            }
            body {
                a.skip href="#content" { (t.skip()) }
                @if let Some(visitor) = full {
                    (bar(frame, visitor))
                }
                main #content tabindex="-1" class=(if full.is_some() { "content" } else { "content alone" }) { (content) }
                p #lost role="status" hidden { (t.connection_lost()) }
            }
        }
    }
    .into_response()
}

fn bar(frame: &Frame<'_>, visitor: &Visitor) -> Markup {
    let t = frame.who.tongue;
    let role = visitor.agent.role;
    html! {
        header.bar {
            a.brand href="/console" { (frame.console.name()) }
            form.find role="search" action="/console" method="get" {
                input type="hidden" name="view" value="all";
                label.hush for="find" { (t.search()) }
                input #find type="search" name="q" maxlength="200" placeholder={ (t.search()) "…" } title=(t.search_hint()) autocomplete="off";
            }
            nav.saved aria-label=(t.views()) {
                ul.views #counts { (views(t, frame.here, frame.counts)) }
            }
            div.tools { (tools(frame, role)) }
            div.me {
                a href="/console/account" aria-current=[(frame.here == "account").then_some("page")] {
                    (visitor.agent.display) " " span.faint { (t.role_of(role)) }
                }
                a.faint href="/console/keys" aria-current=[(frame.here == "keys").then_some("page")] { (t.shortcuts()) }
                form method="post" action="/console/sign-out" { button.quiet { (t.sign_out()) } }
            }
        }
    }
}

/// The desks beside the list, as far as a role opens them.
fn tools(frame: &Frame<'_>, role: Scope) -> Markup {
    let t = frame.who.tongue;
    let link = |path: &str, name: &str, key: &str| {
        html! { li { a href=(path) aria-current=[(frame.here == key).then_some("page")] { (name) } } }
    };
    html! {
        h2 { (t.desk_tools()) }
        nav aria-label=(t.desk_tools()) {
            ul {
                @if role >= Scope::Lead {
                    (link("/console/quarantine", t.quarantine(), "quarantine"))
                    (link("/console/outbox", t.outbox(), "outbox"))
                }
                (link("/console/canned", t.canned(), "canned"))
                @if role >= Scope::Lead { (link("/console/blocked", t.blocked(), "blocked")) }
            }
        }
        @if role >= Scope::Admin {
            h2 { (t.administration()) }
            nav aria-label=(t.administration()) {
                ul {
                    (link("/console/agents", t.agents(), "agents"))
                    (link("/console/trail", t.trail(), "trail"))
                }
            }
        }
    }
}

/// The saved views with what waits in each.
pub(super) fn views(t: Tongue, here: &str, counts: Option<Counts>) -> Markup {
    let count = |view: View| {
        let counts = counts?;
        match view {
            View::Mine => Some(counts.mine),
            View::Unassigned => Some(counts.unassigned),
            View::Ours => Some(counts.ours),
            View::Soon => Some(counts.soon),
            View::Attention => Some(counts.attention),
            View::Closed | View::All => None,
        }
    };
    html! {
        @for view in View::ALL {
            @let word = view.as_str();
            li {
                a href=(format!("/console?view={word}")) aria-current=[(here == word).then_some("page")] {
                    span { (t.view_of(view)) }
                    @if let Some(count) = count(view) {
                        span.count data-view=(word) data-urgent=[(matches!(view, View::Soon | View::Attention) && count > 0).then_some("")] { (count) }
                    }
                }
            }
        }
    }
}

/// A mark of one word.
pub(super) fn badge(class: &str, words: &str) -> Markup {
    html! { span class=(format!("badge {class}")) { (words) } }
}

/// What was done, said once.
pub(super) fn said(words: Option<&str>) -> Markup {
    html! { @if let Some(words) = words { p.said role="status" { (words) } } }
}
