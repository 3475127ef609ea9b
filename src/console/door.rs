//! Coming in: the name and the password, the second step, the links by which people choose a password; and going out.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::form::Fields;
use super::guard::{Answer, Refused, Who};
use super::layout::{self, Frame};
use super::words::Tongue;
use super::{Console, cookie};
use crate::desk::{DeskError, Invitee, SignInError, SignedIn, Stage};

/// Where somebody wanted to go.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    next: String,
}

/// The form.
pub(super) async fn form(State(console): State<Console>, who: Who, Query(asked): Query<Asked>) -> Answer {
    if who.visitor.as_ref().is_some_and(|visitor| visitor.stage == Stage::Full) {
        return Ok(Redirect::to("/console").into_response());
    }
    Ok(sign_in_page(&console, &who, "", &asked.next, None))
}

/// The name and the password.
pub(super) async fn sign_in(State(console): State<Console>, who: Who, headers: HeaderMap, body: Bytes) -> Answer {
    let fields = Fields::read(&body);
    let (name, next) = (fields.get("name"), fields.get("next"));
    let password = fields.raw("password").to_owned();
    match console.desk.sign_in(name, password, who.peer.ip, who.secret.as_deref()).await {
        Ok(signed_in) => Ok(inside(&console, &who, &headers, &signed_in, next)),
        Err(error) => {
            let (status, words) = failure(who.tongue, error)?;
            let mut page = sign_in_page(&console, &who, name, next, Some(&words));
            *page.status_mut() = status;
            Ok(page)
        }
    }
}

/// The second step.
pub(super) async fn code_form(State(console): State<Console>, who: Who, Query(asked): Query<Asked>) -> Answer {
    match who.visitor.as_ref().map(|visitor| visitor.stage) {
        Some(Stage::Code) => Ok(code_page(&console, &who, &asked.next, None)),
        _ => Ok(Redirect::to("/console/sign-in").into_response()),
    }
}

/// The code.
pub(super) async fn code(State(console): State<Console>, who: Who, headers: HeaderMap, body: Bytes) -> Answer {
    let fields = Fields::read(&body);
    let Some(secret) = who.secret.as_deref() else { return Ok(Redirect::to("/console/sign-in").into_response()) };
    match console.desk.confirm_code(secret, fields.get("code"), who.peer.ip).await {
        Ok(signed_in) => Ok(inside(&console, &who, &headers, &signed_in, fields.get("next"))),
        Err(error) => {
            let (status, words) = failure(who.tongue, error)?;
            let mut page = code_page(&console, &who, fields.get("next"), Some(&words));
            *page.status_mut() = status;
            Ok(page)
        }
    }
}

/// Out.
pub(super) async fn sign_out(State(console): State<Console>, who: Who, headers: HeaderMap) -> Answer {
    if let Some(secret) = &who.secret {
        console.desk.sign_out(secret).await?;
    }
    let mut response = Redirect::to("/console/sign-in").into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie::take(console.is_secure(&who, &headers)));
    Ok(response)
}

/// A link by which somebody chooses a password. Looking at it changes nothing: mail programs look at links.
pub(super) async fn welcome_form(State(console): State<Console>, who: Who, Path(secret): Path<String>) -> Answer {
    welcome_page(&console, &who, &secret, "", None).await
}

/// The password that was chosen.
pub(super) async fn welcome(
    State(console): State<Console>,
    who: Who,
    Path(secret): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let fields = Fields::read(&body);
    let (name, password) = (fields.get("name"), fields.raw("password").to_owned());
    let outcome = if password == fields.raw("again") {
        console.desk.accept_invitation(&secret, name, password, who.peer.ip).await
    } else {
        return welcome_page(&console, &who, &secret, name, Some(who.tongue.passwords_differ())).await;
    };
    let words = match outcome {
        Ok(signed_in) => return Ok(inside(&console, &who, &headers, &signed_in, "")),
        Err(SignInError::Desk(error @ (DeskError::Invalid { .. } | DeskError::State { .. }))) => error.to_string(),
        Err(error) => failure(who.tongue, error)?.1,
    };
    welcome_page(&console, &who, &secret, name, Some(&words)).await
}

/// A session in the cookie, and on to where somebody wanted to go.
pub(super) fn inside(console: &Console, who: &Who, headers: &HeaderMap, signed_in: &SignedIn, next: &str) -> Response {
    // Only ever to a page of the console itself.
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let inner = next.starts_with("/console") && plain && !next.contains("//");
    let next = if inner { next } else { "/console" };
    let to = match signed_in.stage {
        Stage::Full => next.to_owned(),
        Stage::Code => format!("/console/code?next={}", super::encoded(next)),
        Stage::Enrol => "/console/account/codes".to_owned(),
    };
    let mut response = Redirect::to(&to).into_response();
    let given = cookie::give(&signed_in.secret, console.is_secure(who, headers));
    response.headers_mut().append(header::SET_COOKIE, given);
    response
}

/// What somebody is told whom signing in failed: never which half was wrong.
pub(super) fn failure(t: Tongue, error: SignInError) -> Result<(StatusCode, String), Refused> {
    match error {
        SignInError::Wrong => Ok((StatusCode::UNAUTHORIZED, t.wrong().to_owned())),
        SignInError::Wait { after } => {
            let minutes = after.as_secs().div_ceil(60).max(1);
            Ok((StatusCode::TOO_MANY_REQUESTS, format!("{} {minutes}", t.wait_minutes())))
        }
        SignInError::Desk(error) => Err(error.into()),
    }
}

fn sign_in_page(console: &Console, who: &Who, name: &str, next: &str, wrong: Option<&str>) -> Response {
    let t = who.tongue;
    card(
        console,
        who,
        t.sign_in(),
        &html! {
            form method="post" action="/console/sign-in" {
                (alert(wrong))
                input type="hidden" name="next" value=(next);
                label { span { (t.name()) } input name="name" value=(name) required autofocus[name.is_empty()] maxlength="60" autocomplete="username" autocapitalize="none" spellcheck="false"; }
                label { span { (t.password()) } input type="password" name="password" required maxlength="256" autofocus[!name.is_empty()] autocomplete="current-password"; }
                button.primary { (t.sign_in()) }
            }
        },
    )
}

fn code_page(console: &Console, who: &Who, next: &str, wrong: Option<&str>) -> Response {
    let t = who.tongue;
    card(
        console,
        who,
        t.code_title(),
        &html! {
            form method="post" action="/console/code" {
                (alert(wrong))
                input type="hidden" name="next" value=(next);
                p.faint #hint { (t.code_hint()) }
                label { span { (t.code()) } input name="code" required autofocus maxlength="40" autocomplete="one-time-code" aria-describedby="hint"; }
                button.primary { (t.go_on()) }
            }
            form method="post" action="/console/sign-out" { button.quiet { (t.sign_out()) } }
        },
    )
}

async fn welcome_page(console: &Console, who: &Who, secret: &str, name: &str, wrong: Option<&str>) -> Answer {
    let t = who.tongue;
    let Some(invitee) = console.desk.invitee(secret).await? else {
        let mut page = card(console, who, t.welcome(), &html! { p { (t.welcome_over()) } });
        *page.status_mut() = StatusCode::GONE;
        return Ok(page);
    };
    let mut page = card(
        console,
        who,
        t.welcome(),
        &html! {
            form method="post" action=(format!("/console/welcome/{secret}")) {
                (alert(wrong))
                @match &invitee {
                    Invitee::FirstAdmin => {
                        p { (t.welcome_first()) }
                        label { span { (t.name()) } input name="name" value=(name) required maxlength="60" pattern="[a-z0-9._\\-]+" title=(t.name_hint()) autocomplete="username" autocapitalize="none"; }
                    },
                    Invitee::Agent(agent) => {
                        p { (t.welcome_agent()) }
                        label { span { (t.name()) } input name="name" value=(agent) readonly autocomplete="username"; }
                    },
                }
                label { span { (t.password()) } input type="password" name="password" required minlength="12" maxlength="256" autocomplete="new-password" aria-describedby="hint"; }
                p.faint #hint { (t.password_hint()) }
                label { span { (t.password_again()) } input type="password" name="again" required minlength="12" maxlength="256" autocomplete="new-password"; }
                button.primary { (t.go_on()) }
            }
        },
    );
    if wrong.is_some() {
        *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(page)
}

fn card(console: &Console, who: &Who, title: &str, content: &Markup) -> Response {
    let body = html! { section.card { p.brand { (console.name()) } h1 { (title) } (content) } };
    layout::page(&Frame { title, who, console, here: "", counts: None }, &body)
}

/// What went wrong with a form.
pub(super) fn alert(wrong: Option<&str>) -> Markup {
    html! { @if let Some(words) = wrong { p.alert role="alert" { (words) } } }
}
