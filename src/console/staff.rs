//! Agents, their links and tokens, and the trail: for admins. Beside them what every agent may read: a ticket's history, the keys.

use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect};
use maud::{Markup, html};
use serde::Deserialize;

use super::desks::{download, shown, told};
use super::form::Fields;
use super::guard::{Answer, At};
use super::layout::badge;
use super::timeline;
use crate::desk::views::{AgentChange, AgentView, NewAgent, NewToken, Scope, TokenView};

/// What these pages are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    before: Option<i64>,
    done: String,
}

/// All agents.
pub(super) async fn agents(at: At, Query(asked): Query<Asked>) -> Answer {
    at.need(Scope::Admin)?;
    let t = at.who.tongue;
    let all = at.console.desk.agents().await?;
    let least = at.console.desk.second_step().await?;
    let steps = [
        ("nobody", t.second_nobody(), None),
        ("lead", t.second_lead(), Some(Scope::Lead)),
        ("read", t.second_everybody(), Some(Scope::Read)),
    ];
    let content = html! {
        ol.cards {
            @for agent in &all {
                li {
                    div {
                        a href=(format!("/console/agents/{}", agent.name)) { strong { (agent.name) } } " "
                        @if agent.display != agent.name { (agent.display) " " }
                        (badge("", t.role_of(agent.role)))
                        @if agent.disabled_at.is_some() { " " (badge("faint", t.disabled())) }
                        @if let Some(email) = &agent.email { " " span.faint { (email) } }
                    }
                }
            }
        }
        div.panels {
            section.panel {
                h2 { (t.add_agent()) }
                form method="post" action="/console/agents" {
                    label { span { (t.name()) } input name="name" required maxlength="60" pattern="[a-z0-9._\\-]+" title=(t.name_hint()) autocomplete="off" autocapitalize="none"; }
                    label { span { (t.display_name()) } input name="display" maxlength="60" autocomplete="off"; }
                    label { span { (t.email()) } input type="email" name="email" maxlength="320" autocomplete="off"; }
                    (role(&at, Scope::Work))
                    button.primary name="do" value="add" { (t.add()) }
                }
            }
            section.panel {
                h2 { (t.code_title()) }
                form method="post" action="/console/agents" {
                    label { span { (t.second_step_for()) } select name="least" {
                        @for (value, words, scope) in steps { option value=(value) selected[scope == least] { (words) } }
                    } }
                    button name="do" value="second_step" { (t.save()) }
                }
            }
        }
    };
    shown(&at, t.agents(), "agents", &asked.done, &content).await
}

fn role(at: &At, chosen: Scope) -> Markup {
    let t = at.who.tongue;
    html! {
        label { span { (t.role()) } select name="role" {
            @for role in Scope::ALL { option value=(role.as_str()) selected[role == chosen] { (t.role_of(role)) } }
        } }
    }
}

/// Adds an agent, or says of whom a second step is asked.
pub(super) async fn add(at: At, body: Bytes) -> Answer {
    at.need(Scope::Admin)?;
    let fields = Fields::read(&body);
    if fields.get("do") == "second_step" {
        let least = Scope::parse(fields.get("least"));
        at.console.desk.require_second_step(least, at.name(), &at.origin()).await?;
        return Ok(Redirect::to("/console/agents?done=1").into_response());
    }
    let some = |name: &str| Some(fields.get(name).to_owned()).filter(|text| !text.is_empty());
    let new = NewAgent {
        name: fields.get("name").to_owned(),
        display: some("display"),
        email: some("email"),
        role: Scope::parse(fields.get("role")).unwrap_or(Scope::Work),
    };
    let agent = at.console.desk.add_agent(&new).await?;
    told(&at, "agent", &format!("{} {}", agent.name, agent.role.as_str())).await?;
    Ok(Redirect::to(&format!("/console/agents/{}?done=1", agent.name)).into_response())
}

/// One agent.
pub(super) async fn agent(at: At, Path(name): Path<String>, Query(asked): Query<Asked>) -> Answer {
    at.need(Scope::Admin)?;
    page(&at, &name, &asked.done, None).await
}

/// Changes an agent. What is shown once (a link, a token) is shown in the answer itself.
pub(super) async fn change(at: At, Path(name): Path<String>, body: Bytes) -> Answer {
    at.need(Scope::Admin)?;
    let (fields, t) = (Fields::read(&body), at.who.tongue);
    let desk = &at.console.desk;
    let mut secret = None;
    match fields.get("do") {
        "invite" => {
            let token = desk.invite(&name, at.name(), &at.origin()).await?;
            secret = Some((t.invite_made(), format!("{}/console/welcome/{token}", at.console.base())));
        }
        "token" => {
            let new = NewToken {
                name: fields.get("for").to_owned(),
                scope: Scope::parse(fields.get("scope")),
                days: fields.get("days").parse().ok(),
            };
            let made = desk.add_token(&name, &new).await?;
            told(&at, "token", &format!("{name} {}", made.token.id)).await?;
            secret = Some((t.token_made(), made.secret));
        }
        "revoke" => {
            let token = desk.revoke_token(&name, fields.get("id")).await?;
            told(&at, "token_revoke", &format!("{name} {}", token.id)).await?;
        }
        "otp_off" => desk.end_otp(&name, at.name(), &at.origin()).await?,
        word => {
            let disabled = match word {
                "disable" => Some(true),
                "enable" => Some(false),
                _ => None,
            };
            let change = AgentChange {
                display: disabled.is_none().then(|| fields.get("display").to_owned()),
                email: disabled.is_none().then(|| fields.get("email").to_owned()),
                role: Scope::parse(fields.get("role")).filter(|_| disabled.is_none()),
                disabled,
            };
            let agent = desk.change_agent(&name, &change).await?;
            if disabled == Some(true) {
                desk.end_sessions(&name, "").await?;
            }
            let how = if agent.disabled_at.is_some() { "disabled" } else { agent.role.as_str() };
            told(&at, "agent_change", &format!("{name} {how}")).await?;
        }
    }
    match secret {
        Some((words, secret)) => page(&at, &name, "", Some((words, &secret))).await,
        None => Ok(Redirect::to(&format!("/console/agents/{}?done=1", super::encoded(&name))).into_response()),
    }
}

async fn page(at: &At, name: &str, done: &str, secret: Option<(&str, &str)>) -> Answer {
    let t = at.who.tongue;
    let all = at.console.desk.agents().await?;
    let none = || crate::desk::DeskError::not_found(format!("there is no agent \"{name}\""), "list the agents");
    let agent = all.into_iter().find(|agent| agent.name == name).ok_or_else(none)?;
    let tokens = at.console.desk.tokens(name).await?;
    let path = format!("/console/agents/{}", agent.name);
    let content = html! {
        @if let Some((words, secret)) = secret {
            div.said role="status" { (words) p { code.secret { (secret) } } }
        }
        div.panels {
            section.panel { (profile(at, &agent, &path)) }
            section.panel {
                h2 { (t.password()) }
                form method="post" action=(path) { button name="do" value="invite" { (t.invite()) } }
                form method="post" action=(path) { button.quiet name="do" value="otp_off" { (t.otp_reset()) } }
                form method="post" action=(path) {
                    @if agent.disabled_at.is_some() { button name="do" value="enable" { (t.enable()) } }
                    @else { button.danger name="do" value="disable" { (t.disable()) } }
                }
            }
            section.panel { (self::tokens(at, &agent, &tokens, &path)) }
        }
    };
    shown(at, &agent.name, "agents", done, &content).await
}

fn profile(at: &At, agent: &AgentView, path: &str) -> Markup {
    let t = at.who.tongue;
    html! {
        h2 { (agent.display) @if agent.disabled_at.is_some() { " " (badge("faint", t.disabled())) } }
        form method="post" action=(path) {
            label { span { (t.display_name()) } input name="display" value=(if agent.display == agent.name { "" } else { &agent.display }) maxlength="60"; }
            label { span { (t.email()) } input type="email" name="email" value=(agent.email.as_deref().unwrap_or_default()) maxlength="320"; }
            (role(at, agent.role))
            button.primary name="do" value="change" { (t.save()) }
        }
    }
}

fn tokens(at: &At, agent: &AgentView, tokens: &[TokenView], path: &str) -> Markup {
    let (t, times) = (at.who.tongue, at.times(at.console.desk.kernel().clock.now()));
    html! {
        h2 { (t.tokens()) }
        ul.plain {
            @for token in tokens {
                li {
                    strong { (token.name) } " " (badge("", t.role_of(token.scope))) " "
                    span.faint { (t.last_used()) (t.colon()) @match token.last_used_at { Some(used) => (times.show(used)), None => (t.never()) } }
                    @if token.revoked_at.is_some() { " " (badge("faint", t.revoked())) } @else {
                        form.inline method="post" action=(path) {
                            input type="hidden" name="id" value=(token.id);
                            button.quiet name="do" value="revoke" { (t.revoke()) }
                        }
                    }
                }
            }
        }
        form method="post" action=(path) {
            label { span { (t.token_for()) } input name="for" required maxlength="60" autocomplete="off"; }
            label { span { (t.scope()) } select name="scope" {
                @for scope in Scope::ALL { @if scope <= agent.role { option value=(scope.as_str()) selected[scope == agent.role] { (t.role_of(scope)) } } }
            } }
            label { span { (t.days()) } input type="number" name="days" value="365" min="1" max="3650"; }
            button name="do" value="token" { (t.add()) }
        }
    }
}

/// What was done, the latest first.
pub(super) async fn trail(at: At, Query(asked): Query<Asked>) -> Answer {
    at.need(Scope::Admin)?;
    let (t, times) = (at.who.tongue, at.times(at.console.desk.kernel().clock.now()));
    let (lines, next) = at.console.desk.trail(asked.before).await?;
    let content = html! {
        div.scroll tabindex="0" role="region" aria-label=(t.trail()) {
            table {
                thead { tr { th { (t.when()) } th { (t.who()) } th { (t.what()) } th { (t.on_what()) } th { (t.where_from()) } } }
                tbody {
                    @for (line, reference) in &lines {
                        tr {
                            td { (times.show(line.at)) } td { (line.agent) } td { (t.act_of(&line.act)) }
                            td { @if let Some(reference) = reference { a href=(format!("/console/t/{reference}")) { (reference) } " " } (line.subject) }
                            td.faint { (line.origin) }
                        }
                    }
                }
            }
        }
        @if let Some(next) = next { nav.pages { a href=(format!("/console/trail?before={next}")) { (t.next_page()) } } }
    };
    shown(&at, t.trail(), "trail", &asked.done, &content).await
}

/// A ticket's history: who did what from where, and every decision with its reason.
pub(super) async fn history(at: At, Path(reference): Path<String>) -> Answer {
    let (t, times) = (at.who.tongue, at.times(at.console.desk.kernel().clock.now()));
    let (reference, lines) = at.console.desk.trail_of(&reference).await?;
    let explained = at.console.desk.explain(&reference).await?;
    let content = html! {
        p { a href=(format!("/console/t/{reference}")) { (reference) " " (explained.ticket.subject) } }
        h2 { (t.trail()) }
        @if lines.is_empty() { p.faint { (t.nothing_here()) } }
        div.scroll tabindex="0" role="region" aria-label=(t.trail()) {
            table {
                thead { tr { th { (t.when()) } th { (t.who()) } th { (t.what()) } th { (t.on_what()) } th { (t.where_from()) } } }
                tbody { @for line in &lines { tr { td { (times.show(line.at)) } td { (line.agent) } td { (t.act_of(&line.act)) } td { (line.subject) } td.faint { (line.origin) } } } }
            }
        }
        h2 { (t.decisions()) }
        div.scroll tabindex="0" role="region" aria-label=(t.decisions()) {
            table {
                thead { tr { th { (t.when()) } th { (t.what()) } th { (t.why()) } } }
                tbody {
                    @for step in &explained.steps {
                        tr {
                            td { (times.show(step.at)) } td lang="en" { (step.what) }
                            td { @if let Some(reason) = &step.reason { ul.plain { (timeline::reason(&at, reason)) } } }
                        }
                    }
                }
            }
        }
    };
    shown(&at, t.history(), "", "", &content).await
}

/// A file of a ticket, as a download.
pub(super) async fn file(at: At, Path((reference, message, position)): Path<(String, String, i64)>) -> Answer {
    let message = message.parse().map_err(|_| super::guard::Refused::Malformed)?;
    let file = at.console.desk.file(&reference, message, position).await?;
    Ok(download(&file.name, file.bytes))
}

/// The keys that do things.
pub(super) async fn keys(at: At) -> Answer {
    let t = at.who.tongue;
    let keys = [
        ("j", t.key_next()),
        ("k", t.key_previous()),
        ("Enter", t.key_open()),
        ("r", t.key_reply()),
        ("n", t.key_note()),
        ("a", t.key_assign()),
        ("e", t.key_escalate()),
        ("c", t.key_close()),
        ("/", t.key_search()),
        ("?", t.key_help()),
        ("Ctrl+Enter", t.key_send()),
    ];
    let content = html! {
        dl.keys { @for (key, words) in keys { dt { kbd { (key) } } dd { (words) } } }
        p { (t.keys_switch()) " " a href="/console/account" { (t.account()) } }
    };
    shown(&at, t.shortcuts(), "keys", "", &content).await
}
