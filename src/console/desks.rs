//! The desks beside the list: what is kept aside, what leaves, canned replies, blocked senders.

use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use guichet_domain::ids::{DeliveryId, InboundId};
use guichet_domain::outgoing::DeliveryState;
use guichet_store::trail::Deed;
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::form::Fields;
use super::guard::{Answer, At, Refused};
use super::layout::{self, Frame, badge, said};
use super::timeline::size;
use crate::desk::DeliveryQuery;
use crate::desk::views::{QuarantineItem, Scope, Standing};

/// What these pages are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    standing: String,
    state: String,
    before: String,
    done: String,
}

/// What is kept aside.
pub(super) async fn quarantine(at: At, Query(asked): Query<Asked>) -> Answer {
    at.need(Scope::Lead)?;
    let t = at.who.tongue;
    let standing = match asked.standing.as_str() {
        "released" => Standing::Released,
        "discarded" => Standing::Discarded,
        _ => Standing::Held,
    };
    let before = asked.before.parse::<InboundId>().ok();
    let page = at.console.desk.quarantined(standing, before, None).await?;
    let tab = |word: &str, words: &str, here: bool| {
        html! { a href=(format!("/console/quarantine?standing={word}")) aria-current=[here.then_some("page")] { (words) } " " }
    };
    let content = html! {
        p.faint { (t.quarantine_hint()) }
        nav.tabs aria-label=(t.state()) {
            (tab("held", t.held(), standing == Standing::Held))
            (tab("released", t.released(), standing == Standing::Released))
            (tab("discarded", t.discarded(), standing == Standing::Discarded))
        }
        @if page.items.is_empty() { p.empty { (t.nothing_here()) } }
        ol.cards { @for item in &page.items { (aside(&at, item)) } }
        @if let Some(next) = page.next {
            nav.pages { a href=(format!("/console/quarantine?standing={}&before={next}", asked.standing)) { (t.next_page()) } }
        }
    };
    shown(&at, t.quarantine(), "quarantine", &asked.done, &content).await
}

fn aside(at: &At, item: &QuarantineItem) -> Markup {
    let (t, times) = (at.who.tongue, at.times(at.console.desk.kernel().clock.now()));
    html! {
        li {
            div {
                strong { (item.subject.as_deref().filter(|subject| !subject.is_empty()).unwrap_or(t.no_subject())) }
                " " span.faint { (item.from.as_deref().unwrap_or("–")) " · " (item.source) " · " (size(item.size)) " · " (times.show(item.received_at)) }
                @if let Some(reason) = &item.reason {
                    p { (t.reason_of(&reason.code)) " " code { (reason.code) } @if !reason.detail.is_empty() { " " span.faint { (reason.detail) } } }
                }
                @if let Some(reference) = &item.reference { p { a href=(format!("/console/t/{reference}")) { (reference) } } }
            }
            form.row method="post" action=(format!("/console/quarantine/{}", item.id)) {
                @if item.standing == Standing::Held {
                    button name="do" value="release" { (t.release()) }
                    button.quiet name="do" value="discard" { (t.discard()) }
                }
                @if item.has_raw { a href=(format!("/console/quarantine/{}/original", item.id)) download { (t.original()) } }
            }
        }
    }
}

/// Lets an item in, or leaves it out.
pub(super) async fn decide(at: At, Path(id): Path<String>, body: Bytes) -> Answer {
    at.need(Scope::Lead)?;
    let id: InboundId = id.parse().map_err(|_| Refused::Malformed)?;
    let act = match Fields::read(&body).get("do") {
        "release" => {
            at.console.desk.release(at.name(), id).await?;
            "release"
        }
        "discard" => {
            at.console.desk.discard(id).await?;
            "discard"
        }
        _ => return Err(Refused::Malformed),
    };
    told(&at, act, &id.to_string()).await?;
    Ok(Redirect::to("/console/quarantine?done=1").into_response())
}

/// An item as it came, always as a download.
pub(super) async fn original(at: At, Path(id): Path<String>) -> Answer {
    at.need(Scope::Lead)?;
    let id: InboundId = id.parse().map_err(|_| Refused::Malformed)?;
    let raw = at.console.desk.quarantined_raw(id).await?;
    Ok(download(&raw.name, raw.bytes))
}

/// What leaves.
pub(super) async fn outbox(at: At, Query(asked): Query<Asked>) -> Answer {
    at.need(Scope::Lead)?;
    let (t, times) = (at.who.tongue, at.times(at.console.desk.kernel().clock.now()));
    let state = DeliveryState::parse(&asked.state);
    let query = DeliveryQuery {
        state: Some(state.map_or("pending,sending,refused,unknown,expired", DeliveryState::as_str).to_owned()),
        before: asked.before.parse().ok(),
        ..DeliveryQuery::default()
    };
    let page = at.console.desk.deliveries(&query).await?;
    let content = html! {
        nav.tabs aria-label=(t.state()) {
            a href="/console/outbox" aria-current=[state.is_none().then_some("page")] { (t.view_attention()) } " "
            @for one in DeliveryState::ALL {
                a href=(format!("/console/outbox?state={}", one.as_str())) aria-current=[(state == Some(one)).then_some("page")] { (t.delivery_of(one)) } " "
            }
        }
        @if page.deliveries.is_empty() { p.empty { (t.nothing_here()) } }
        ol.cards {
            @for row in &page.deliveries {
                li {
                    div {
                        (badge(&format!("sent {}", row.state.as_str()), t.delivery_of(row.state))) " "
                        strong { (t.notice_of(row.kind)) } " " (t.to()) " " (row.to.address)
                        " " a href=(format!("/console/t/{}", row.reference)) { (row.reference) }
                        " " span.faint { (row.source) " · " (t.queued_at()) " " (times.show(row.created_at)) " · " (t.attempts()) (t.colon()) (row.attempts) }
                        @if let Some(reason) = &row.reason { p { (t.reason_of(&reason.code)) } }
                        @if let Some(detail) = &row.detail { p.faint { (detail) } }
                    }
                    @if row.state != DeliveryState::Sent {
                        form.row method="post" action=(format!("/console/outbox/{}", row.id)) {
                            button name="do" value="retry" { (t.retry()) }
                            button.quiet name="do" value="cancel" { (t.cancel()) }
                        }
                    }
                }
            }
        }
        @if let Some(next) = page.next { nav.pages { a href=(format!("/console/outbox?state={}&before={next}", asked.state)) { (t.next_page()) } } }
    };
    shown(&at, t.outbox(), "outbox", &asked.done, &content).await
}

/// Sends again, or takes out.
pub(super) async fn send(at: At, Path(id): Path<String>, body: Bytes) -> Answer {
    at.need(Scope::Lead)?;
    let id: DeliveryId = id.parse().map_err(|_| Refused::Malformed)?;
    let act = match Fields::read(&body).get("do") {
        "retry" => {
            at.console.desk.retry(id).await?;
            "retry"
        }
        "cancel" => {
            at.console.desk.cancel(id).await?;
            "cancel"
        }
        _ => return Err(Refused::Malformed),
    };
    told(&at, act, &id.to_string()).await?;
    Ok(Redirect::to("/console/outbox?done=1").into_response())
}

/// Canned replies: everybody reads them, leads write them.
pub(super) async fn canned(at: At, Query(asked): Query<Asked>) -> Answer {
    let t = at.who.tongue;
    let lead = at.visitor.agent.role >= Scope::Lead;
    let all = at.console.desk.canned().await?;
    let form = |id: Option<Uuid>, title: &str, text: &str| {
        html! {
            form method="post" action="/console/canned" {
                @if let Some(id) = id { input type="hidden" name="id" value=(id); }
                label { span { (t.canned_title()) } input name="title" value=(title) required maxlength="120"; }
                label { span { (t.canned_text()) } textarea name="text" rows="5" required maxlength="20000" { (text) } }
                div.row {
                    button.primary name="do" value="keep" { (if id.is_some() { t.save() } else { t.add() }) }
                    @if id.is_some() { button.danger name="do" value="drop" formnovalidate { (t.remove()) } }
                }
            }
        }
    };
    let content = html! {
        p.faint { (t.canned_variables()) }
        @if all.is_empty() { p.empty { (t.nothing_here()) } }
        ol.cards {
            @for one in &all {
                li {
                    div { strong { (one.title) } div.text { (one.text) } }
                    @if lead { details { summary { (t.change()) } (form(Some(one.id), &one.title, &one.text)) } }
                }
            }
        }
        @if lead { section.panel { h2 { (t.add()) } (form(None, "", "")) } }
    };
    shown(&at, t.canned(), "canned", &asked.done, &content).await
}

/// Keeps or drops a canned reply.
pub(super) async fn keep_canned(at: At, body: Bytes) -> Answer {
    at.need(Scope::Lead)?;
    let fields = Fields::read(&body);
    let id = Uuid::parse_str(fields.get("id")).ok();
    if let ("drop", Some(id)) = (fields.get("do"), id) {
        at.console.desk.drop_canned(id, at.name(), &at.origin()).await?;
    } else {
        let (title, text) = (fields.get("title"), fields.text("text"));
        at.console.desk.keep_canned(id, title, &text, at.name(), &at.origin()).await?;
    }
    Ok(Redirect::to("/console/canned?done=1").into_response())
}

/// Blocked senders.
pub(super) async fn blocked(at: At, Query(asked): Query<Asked>) -> Answer {
    at.need(Scope::Lead)?;
    let (t, times) = (at.who.tongue, at.times(at.console.desk.kernel().clock.now()));
    let all = at.console.desk.blocked().await?;
    let content = html! {
        section.panel {
            form.row method="post" action="/console/blocked" {
                label { span { (t.block_add()) } input name="address" required maxlength="320" autocomplete="off"; }
                label { span { (t.reason()) } input name="why" maxlength="200" autocomplete="off"; }
                button name="do" value="block" { (t.add()) }
            }
        }
        @if all.is_empty() { p.empty { (t.nothing_here()) } }
        ol.cards {
            @for one in &all {
                li {
                    div { strong { (one.address) } " " span.faint { (one.why) " · " (one.made_by) " · " (times.show(one.at)) } }
                    form.row method="post" action="/console/blocked" {
                        input type="hidden" name="address" value=(one.address);
                        button.quiet name="do" value="unblock" { (t.unblock()) }
                    }
                }
            }
        }
    };
    shown(&at, t.blocked(), "blocked", &asked.done, &content).await
}

/// Blocks or unblocks.
pub(super) async fn block(at: At, body: Bytes) -> Answer {
    at.need(Scope::Lead)?;
    let fields = Fields::read(&body);
    let address = fields.get("address");
    if fields.get("do") == "unblock" {
        at.console.desk.unblock(address, at.name(), &at.origin()).await?;
    } else {
        at.console.desk.block(address, fields.get("why"), at.name(), &at.origin(), None).await?;
    }
    Ok(Redirect::to("/console/blocked?done=1").into_response())
}

/// A page with its title, what was done, and what waits.
pub(super) async fn shown(at: &At, title: &str, here: &str, done: &str, content: &Markup) -> Answer {
    let counts = at.console.desk.counts(at.name()).await?;
    let words = (!done.is_empty()).then(|| at.who.tongue.done_saved());
    let body = html! { h1 { (title) } (said(words)) (content) };
    let frame = Frame { title, who: &at.who, console: &at.console, here, counts: Some(counts) };
    Ok(layout::page(&frame, &body))
}

/// Writes into the trail what is no act on a ticket.
pub(super) async fn told(at: &At, act: &str, subject: &str) -> Result<(), Refused> {
    let origin = at.origin();
    Ok(at.console.desk.tell(Deed { agent: at.name(), origin: &origin, act, ticket: None, subject }).await?)
}

/// A file, never anything a browser would show or run.
pub(super) fn download(name: &str, bytes: Vec<u8>) -> Response {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._- ".contains(c) { c } else { '_' }).collect();
    let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", super::encoded(name));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    (headers, bytes).into_response()
}
