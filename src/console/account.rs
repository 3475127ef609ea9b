//! An agent's own things: preferences, password, one-time codes, sessions.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use guichet_store::access::Preference;
use maud::{Markup, html};
use serde::Deserialize;

use super::door::{alert, failure};
use super::form::Fields;
use super::guard::{Answer, At, Who};
use super::layout::{self, Frame, said};
use super::words::Tongue;
use super::{Console, cookie};
use crate::desk::{Stage, otp};

/// What was just done.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    done: String,
}

/// The page.
pub(super) async fn show(at: At, Query(asked): Query<Asked>) -> Answer {
    let done = (!asked.done.is_empty()).then(|| at.who.tongue.done_saved());
    page(&at, done, None).await
}

/// Preferences, the password, the sessions.
pub(super) async fn change(at: At, body: Bytes) -> Answer {
    let fields = Fields::read(&body);
    let desk = &at.console.desk;
    match fields.get("do") {
        "password" => {
            let now = fields.raw("now").to_owned();
            if fields.raw("new") != fields.raw("again") {
                return wrong(&at, at.who.tongue.passwords_differ()).await;
            }
            match desk.is_password(at.name(), now, at.who.peer.ip).await {
                Ok(true) => {}
                Ok(false) => return wrong(&at, at.who.tongue.wrong()).await,
                Err(error) => return wrong(&at, &failure(at.who.tongue, error)?.1).await,
            }
            let new = fields.raw("new").to_owned();
            if let Err(error) = desk.set_password(at.name(), new, at.name(), &at.origin(), &at.visitor.session).await {
                return wrong(&at, &error.to_string()).await;
            }
        }
        "sessions" => {
            desk.end_sessions(at.name(), &at.visitor.session).await?;
        }
        "otp_off" => match desk.is_password(at.name(), fields.raw("now").to_owned(), at.who.peer.ip).await {
            Ok(true) => desk.end_otp(at.name(), at.name(), &at.origin()).await?,
            Ok(false) => return wrong(&at, at.who.tongue.wrong()).await,
            Err(error) => return wrong(&at, &failure(at.who.tongue, error)?.1).await,
        },
        _ => {
            let theme = ["light", "dark"].into_iter().find(|theme| *theme == fields.get("theme")).unwrap_or("auto");
            let preference = Preference {
                language: Tongue::parse(fields.get("language")).map(|tongue| tongue.tag().to_owned()),
                theme: theme.to_owned(),
                shortcuts: !fields.get("shortcuts").is_empty(),
                sound: !fields.get("sound").is_empty(),
            };
            desk.prefer(at.name(), &preference).await?;
        }
    }
    Ok(Redirect::to("/console/account?done=1").into_response())
}

/// Setting one-time codes up. Open to whoever must before anything else.
pub(super) async fn codes_form(State(console): State<Console>, who: Who) -> Answer {
    match codes_page(&console, &who, None).await {
        Some(answer) => answer,
        None => Ok(Redirect::to("/console/sign-in").into_response()),
    }
}

/// Makes a key, or confirms it by a code.
pub(super) async fn codes(State(console): State<Console>, who: Who, headers: HeaderMap, body: Bytes) -> Answer {
    let fields = Fields::read(&body);
    let visitor = who.visitor.clone().filter(|visitor| visitor.stage != Stage::Code);
    let Some(visitor) = visitor else { return Ok(Redirect::to("/console/sign-in").into_response()) };
    if fields.get("do") == "begin" {
        console.desk.begin_otp(&visitor.agent.name).await?;
        return Ok(Redirect::to("/console/account/codes").into_response());
    }
    match console.desk.confirm_otp(&visitor, fields.get("code"), who.peer.ip).await {
        Ok((codes, signed_in)) => {
            let t = who.tongue;
            let content = html! {
                section.card {
                    h1 { (t.otp()) }
                    p { (t.recovery()) }
                    ul.codes { @for code in &codes { li { code { (code) } } } }
                    p { a href="/console" { (t.go_on()) } }
                }
            };
            let frame = Frame { title: t.otp(), who: &who, console: &console, here: "account", counts: None };
            let mut response = layout::page(&frame, &content);
            let given = cookie::give(&signed_in.secret, console.is_secure(&who, &headers));
            response.headers_mut().append(header::SET_COOKIE, given);
            Ok(response)
        }
        Err(error) => {
            let (status, words) = failure(who.tongue, error)?;
            match codes_page(&console, &who, Some(&words)).await {
                Some(Ok(mut page)) => {
                    *page.status_mut() = status;
                    Ok(page)
                }
                Some(refused) => refused,
                None => Ok(Redirect::to("/console/sign-in").into_response()),
            }
        }
    }
}

async fn codes_page(console: &Console, who: &Who, wrong: Option<&str>) -> Option<Answer> {
    let visitor = who.visitor.as_ref().filter(|visitor| visitor.stage != Stage::Code)?;
    let t = who.tongue;
    let secret = match console.desk.otp_begun(&visitor.agent.name).await {
        Ok(secret) => secret,
        Err(error) => return Some(Err(error.into())),
    };
    let content = html! {
        section.card {
            h1 { (t.otp()) }
            @if visitor.stage == Stage::Enrol { p { (t.otp_required()) } }
            @if visitor.has_otp { p { (t.otp_on()) } }
            @else if let Some(secret) = secret {
                (enrol(t, &secret, &otp::address(&secret, console.name(), &visitor.agent.name), wrong))
            } @else {
                form method="post" action="/console/account/codes" { button.primary name="do" value="begin" { (t.otp_set_up()) } }
            }
            form method="post" action="/console/sign-out" { button.quiet { (t.sign_out()) } }
        }
    };
    Some(Ok(layout::page(&Frame { title: t.otp(), who, console, here: "account", counts: None }, &content)))
}

fn enrol(t: Tongue, secret: &str, address: &str, wrong: Option<&str>) -> Markup {
    let letters: Vec<char> = secret.chars().collect();
    let parts: Vec<String> = letters.chunks(4).map(|part| part.iter().collect()).collect();
    html! {
        p { (t.otp_hint()) }
        p { code.key { (parts.join(" ")) } }
        p { a href=(address) { (t.otp_link()) } }
        form method="post" action="/console/account/codes" {
            (alert(wrong))
            label { span { (t.code()) } input name="code" required maxlength="12" autocomplete="one-time-code" inputmode="numeric"; }
            button.primary name="do" value="confirm" { (t.go_on()) }
        }
    }
}

async fn wrong(at: &At, words: &str) -> Answer {
    let mut page = page(at, None, Some(words)).await?;
    *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(page)
}

async fn page(at: &At, done: Option<&str>, wrong: Option<&str>) -> Result<Response, super::guard::Refused> {
    let (t, likes) = (at.who.tongue, &at.visitor.preference);
    let counts = at.console.desk.counts(at.name()).await?;
    let content = html! {
        h1 { (t.account()) " – " (at.visitor.agent.display) }
        (said(done))
        (alert(wrong))
        div.panels {
            section.panel { h2 { (t.preferences()) } (preferences(t, likes)) }
            section.panel {
                h2 { (t.change_password()) }
                form method="post" action="/console/account" {
                    input type="hidden" name="username" value=(at.name()) autocomplete="username";
                    label { span { (t.password_now()) } input type="password" name="now" required maxlength="256" autocomplete="current-password"; }
                    label { span { (t.password_new()) } input type="password" name="new" required minlength="12" maxlength="256" autocomplete="new-password"; }
                    label { span { (t.password_again()) } input type="password" name="again" required minlength="12" maxlength="256" autocomplete="new-password"; }
                    p.faint { (t.password_hint()) }
                    button name="do" value="password" { (t.change_password()) }
                }
            }
            section.panel {
                h2 { (t.otp()) }
                @if at.visitor.has_otp {
                    p { (t.otp_on()) }
                    form method="post" action="/console/account" {
                        label { span { (t.password_now()) } input type="password" name="now" required maxlength="256" autocomplete="current-password"; }
                        button.danger name="do" value="otp_off" { (t.otp_end()) }
                    }
                } @else {
                    p { (t.otp_off()) }
                    p { a href="/console/account/codes" { (t.otp_set_up()) } }
                }
                form method="post" action="/console/account" { button.quiet name="do" value="sessions" { (t.sessions_end()) } }
            }
        }
    };
    let frame = Frame { title: t.account(), who: &at.who, console: &at.console, here: "account", counts: Some(counts) };
    Ok(layout::page(&frame, &content))
}

fn preferences(t: Tongue, likes: &Preference) -> Markup {
    let language = likes.language.as_deref().unwrap_or_default();
    html! {
        form method="post" action="/console/account" {
            label { span { (t.spoken_language()) } select name="language" {
                option value="" selected[language.is_empty()] { (t.language_auto()) }
                option value="en" selected[language == "en"] lang="en" { "English" }
                option value="fr" selected[language == "fr"] lang="fr" { "Français" }
            } }
            label { span { (t.theme()) } select name="theme" {
                option value="auto" selected[likes.theme == "auto"] { (t.theme_auto()) }
                option value="light" selected[likes.theme == "light"] { (t.theme_light()) }
                option value="dark" selected[likes.theme == "dark"] { (t.theme_dark()) }
            } }
            label.check { input type="checkbox" name="shortcuts" value="1" checked[likes.shortcuts]; span { (t.shortcuts_on()) } }
            label.check { input type="checkbox" name="sound" value="1" checked[likes.sound]; span { (t.sound_on()) } }
            button.primary { (t.save()) }
        }
    }
}
