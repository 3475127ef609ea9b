//! What agents do on a ticket, as forms. A form carries how far its page had read: when something came meanwhile nothing is done,
//! and the words that were typed come back with it. It carries a key: a second click does nothing.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use guichet_domain::priority::{Impact, Urgency};
use guichet_domain::ticket::{Kind, Tier};

use super::Console;
use super::composer::Typed;
use super::form::Fields;
use super::guard::{Answer, At, Refused};
use super::ticket::{self, Around};
use crate::desk::views::{EntryView, MessageKind, NewMessage, Scope, Transition};
use crate::desk::{DeskError, Repeat, Request, Wanted};

/// Writes: to the requester or for the agents, or keeps the draft, or puts a canned reply into it.
pub(super) async fn write(at: At, Path(reference): Path<String>, body: Bytes) -> Answer {
    at.need(Scope::Work)?;
    let fields = Fields::read(&body);
    let text = fields.text("text");
    let act = fields.get("do");
    let version = fields.get("last_seen").parse().ok();
    let message = |kind, ask| Wanted::Message(NewMessage { kind, text: text.clone(), ask, version });
    let (wanted, done) = match act {
        "ask" => (message(MessageKind::Reply, true), "reply"),
        "close" => {
            let text = Some(text.clone()).filter(|text| !text.trim().is_empty());
            (Wanted::Transition(Transition::Close { text, silent: false, version }), "close")
        }
        // A note answers nobody: what came meanwhile does not stand in its way.
        "note" => (
            Wanted::Message(NewMessage { kind: MessageKind::Note, text: text.clone(), ask: false, version: None }),
            "note",
        ),
        "draft" => {
            at.console.desk.keep_draft(at.name(), &reference, "reply", &text).await?;
            return Ok(to(&reference, "draft"));
        }
        "insert" => return insert(&at, &reference, &fields, text).await,
        _ => (message(MessageKind::Reply, false), "reply"),
    };
    let note = act == "note";
    if let Err(error) = carry_out(&at, &reference, &fields, &body, &wanted).await {
        return again(&at, &reference, error, Some(Typed { note, text })).await;
    }
    let kind = if note { "note" } else { "reply" };
    at.console.desk.keep_draft(at.name(), &reference, kind, "").await?;
    let now = at.console.desk.kernel().clock.now();
    at.console.presence.here(&reference, at.name(), false, now);
    Ok(to(&reference, done))
}

/// Does something else.
pub(super) async fn act(at: At, Path(reference): Path<String>, body: Bytes) -> Answer {
    at.need(Scope::Work)?;
    let fields = Fields::read(&body);
    let desk = &at.console.desk;
    let (agent, origin) = (at.name(), at.origin());
    let done = match fields.get("do") {
        "link" | "unlink" => {
            let tie = fields.get("do") == "link";
            if let Err(error) = desk.link(agent, &reference, fields.get("other"), tie, &origin).await {
                return again(&at, &reference, error, None).await;
            }
            "link"
        }
        "unmerge" => {
            at.need(Scope::Lead)?;
            if let Err(error) = desk.unmerge(agent, &reference, &origin).await {
                return Err(error.into());
            }
            "unmerge"
        }
        "block" => {
            if let Err(error) = block(&at, &reference, &fields, &body).await {
                return again(&at, &reference, error, None).await;
            }
            "block"
        }
        word => {
            if word == "merge" {
                at.need(Scope::Lead)?;
            }
            let (wanted, done) = transition(&at, word, &fields)?;
            if let Err(error) = carry_out(&at, &reference, &fields, &body, &wanted).await {
                let text = fields.text("text");
                let typed = Some(Typed { note: false, text }).filter(|typed| word == "close" && !typed.text.is_empty());
                return again(&at, &reference, error, typed).await;
            }
            done
        }
    };
    Ok(to(&reference, done))
}

/// Keeps a draft while an agent writes.
pub(super) async fn draft(at: At, Path(reference): Path<String>, body: Bytes) -> Answer {
    at.need(Scope::Work)?;
    let fields = Fields::read(&body);
    let kind = if fields.get("kind") == "note" { "note" } else { "reply" };
    at.console.desk.keep_draft(at.name(), &reference, kind, &fields.text("text")).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Says that an agent is here, how far the page was read, and whether the agent writes.
pub(super) async fn here(State(console): State<Console>, at: At, Path(reference): Path<String>, body: Bytes) -> Answer {
    let fields = Fields::read(&body);
    // Asked of the desk, so that nobody is present at what does not exist.
    let Some(reference) = console.desk.spoken(&reference).await? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let now = console.desk.kernel().clock.now();
    // Whoever may only read is seen by colleagues, and leaves no sign with the requester.
    let talk = if at.need(Scope::Work).is_ok() { Some(console.desk.talk(&reference).await?) } else { None };
    let display = at.visitor.agent.display.as_str();
    let called = Some(display).filter(|display| *display != at.name());
    if fields.get("state") == "gone" {
        console.presence.left(&reference, at.name());
        if let Some(talk) = &talk {
            talk.typing(called, false);
            talk.present(called, false);
        }
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let replying = talk.is_some() && fields.get("state") == "replying";
    let came = console.presence.here(&reference, at.name(), replying, now);
    if let Some(talk) = &talk {
        if came {
            talk.present(called, true);
        }
        talk.typing(called, replying && !fields.get("typing").is_empty());
    }
    if let Ok(seq) = fields.get("seq").parse() {
        console.desk.look(at.name(), &reference, seq).await?;
        if let Some(talk) = &talk {
            talk.seen().await?;
        }
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn transition(at: &At, word: &str, fields: &Fields) -> Result<(Wanted, &'static str), Refused> {
    let version = fields.get("last_seen").parse().ok();
    let words = Some(fields.text("text")).filter(|text| !text.trim().is_empty());
    let (transition, done) = match word {
        "take" => (Transition::Assign { to: Some(at.name().to_owned()), version: None }, "assign"),
        "assign" => {
            let to = Some(fields.get("to").to_owned()).filter(|name| !name.is_empty());
            (Transition::Assign { to, version: None }, "assign")
        }
        "escalate" => {
            (Transition::Escalate { to: Tier::parse(fields.get("to")), why: words, version: None }, "escalate")
        }
        "classify" => (
            Transition::Classify {
                kind: Kind::parse(fields.get("kind")),
                category: Some(fields.get("category").to_owned()).filter(|key| !key.is_empty()),
                impact: Impact::parse(fields.get("impact")),
                urgency: Urgency::parse(fields.get("urgency")),
                version: None,
            },
            "classify",
        ),
        "close" => (Transition::Close { text: words, silent: false, version }, "close"),
        "close_silent" => (Transition::Close { text: words, silent: true, version }, "close"),
        "reopen" => (Transition::Reopen { why: words, version: None }, "reopen"),
        "merge" => (Transition::Merge { into: fields.get("other").to_owned(), version }, "merge"),
        "seen" => (Transition::Seen { version: None }, "seen"),
        _ => return Err(Refused::Malformed),
    };
    Ok((Wanted::Transition(transition), done))
}

/// Blocks the requester, then closes the ticket without a word.
async fn block(at: &At, reference: &str, fields: &Fields, body: &[u8]) -> Result<(), DeskError> {
    let sheet = at.console.desk.sheet(at.name(), reference, None).await?;
    let nobody = || DeskError::state("the request names nobody", "close it without telling");
    let address = sheet.ticket.requester.as_ref().map(|party| party.address.clone()).ok_or_else(nobody)?;
    at.console.desk.block(&address, "spam", at.name(), &at.origin(), Some(sheet.ticket.id)).await?;
    let close = Transition::Close { text: None, silent: true, version: None };
    carry_out(at, reference, fields, body, &Wanted::Transition(close)).await
}

async fn carry_out(at: &At, reference: &str, fields: &Fields, body: &[u8], wanted: &Wanted) -> Result<(), DeskError> {
    let key = fields.get("key");
    let usable = (8..=64).contains(&key.len()) && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let repeat = usable.then(|| Repeat::new(format!("console:{key}"), reference, body));
    let request = Request { agent: at.name(), reference, repeat: repeat.as_ref() };
    at.console.desk.act_from(&request, wanted, &at.origin()).await.map(drop)
}

/// The ticket again, with what stands in the way and the words that were typed.
async fn again(at: &At, reference: &str, error: DeskError, typed: Option<Typed>) -> Answer {
    let (status, meanwhile, refused): (_, Option<Vec<EntryView>>, _) = match error {
        DeskError::Outdated { meanwhile, .. } => (StatusCode::CONFLICT, Some(meanwhile), None),
        DeskError::KeyReused => (StatusCode::CONFLICT, None, Some(DeskError::KeyReused.to_string())),
        DeskError::Refused(refusal) => (StatusCode::UNPROCESSABLE_ENTITY, None, Some(refusal.to_string())),
        error @ (DeskError::Invalid { .. } | DeskError::State { .. }) => {
            (StatusCode::UNPROCESSABLE_ENTITY, None, Some(error.to_string()))
        }
        other => return Err(other.into()),
    };
    let sheet = at.console.desk.sheet(at.name(), reference, None).await?;
    let around = Around { typed, meanwhile, refused, ..Around::default() };
    let mut response = ticket::page(at, &sheet, &around).await?;
    *response.status_mut() = status;
    Ok(response)
}

/// The ticket again, with a canned reply in what was typed.
async fn insert(at: &At, reference: &str, fields: &Fields, text: String) -> Answer {
    let sheet = at.console.desk.sheet(at.name(), reference, None).await?;
    let canned = at.console.desk.canned().await?;
    let chosen = canned.iter().find(|one| one.id.to_string() == fields.get("canned"));
    let text = match chosen {
        Some(one) if text.trim().is_empty() => ticket::filled(at, &sheet, one),
        Some(one) => format!("{}\n\n{}", text.trim_end(), ticket::filled(at, &sheet, one)),
        None => text,
    };
    let around = Around { typed: Some(Typed { note: false, text }), ..Around::default() };
    ticket::page(at, &sheet, &around).await
}

fn to(reference: &str, done: &str) -> Response {
    Redirect::to(&format!("/console/t/{}?done={done}", super::encoded(reference))).into_response()
}
