//! Around every request of the console: who it is, whether it came from the console itself, how refusals look, and the headers
//! that keep what people wrote from doing anything in an agent's browser.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use guichet_contract::web::Peer;
use guichet_domain::Moment;
use maud::html;

use super::layout::{self, Frame};
use super::when::Times;
use super::words::Tongue;
use super::{Console, cookie};
use crate::desk::views::Scope;
use crate::desk::{DeskError, Stage, Visitor};

/// Nothing is loaded but from here, nothing runs but our own module, no string becomes markup but by our one policy. The styles
/// and frames inside mail inherit it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types console";

/// Who asks, and how they are answered.
#[derive(Clone)]
pub(super) struct Who {
    pub(super) visitor: Option<Arc<Visitor>>,
    pub(super) tongue: Tongue,
    pub(super) peer: Peer,
    pub(super) secret: Option<String>,
    pub(super) path: String,
}

/// Somebody who is signed in, at the console.
pub(super) struct At {
    pub(super) console: Console,
    pub(super) visitor: Arc<Visitor>,
    pub(super) who: Who,
}

/// Why a page is not shown.
#[derive(Debug)]
pub(super) enum Refused {
    /// The desk says so.
    Desk(DeskError),
    /// The role does not allow it.
    Role,
    /// It came from elsewhere.
    Foreign,
    /// A form that cannot be read.
    Malformed,
}

/// What a handler gives.
pub(super) type Answer = Result<Response, Refused>;

impl From<DeskError> for Refused {
    fn from(error: DeskError) -> Self {
        Self::Desk(error)
    }
}

/// Carries a refusal to where its page is made.
#[derive(Clone)]
struct Page {
    status: StatusCode,
    detail: Option<String>,
    words: fn(Tongue) -> &'static str,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, words, detail): (_, fn(Tongue) -> &'static str, _) = match &self {
            Self::Role => (StatusCode::FORBIDDEN, Tongue::forbidden, None),
            Self::Foreign => (StatusCode::FORBIDDEN, Tongue::foreign, None),
            Self::Malformed => (StatusCode::BAD_REQUEST, Tongue::trouble, None),
            Self::Desk(DeskError::NotFound { .. }) => (StatusCode::NOT_FOUND, Tongue::not_found, None),
            Self::Desk(DeskError::Busy { .. } | DeskError::KeyInProgress) => {
                (StatusCode::SERVICE_UNAVAILABLE, Tongue::busy, None)
            }
            Self::Desk(DeskError::Store(error)) => {
                tracing::error!(%error, "the console could not use the database");
                (StatusCode::SERVICE_UNAVAILABLE, Tongue::trouble, None)
            }
            Self::Desk(error) => (StatusCode::UNPROCESSABLE_ENTITY, Tongue::refused_title, Some(error.to_string())),
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(Page { status, detail, words });
        response
    }
}

impl FromRequestParts<Console> for Who {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &Console) -> Result<Self, Refused> {
        parts.extensions.get::<Self>().cloned().ok_or(Refused::Malformed)
    }
}

impl FromRequestParts<Console> for At {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let who = parts.extensions.get::<Who>().cloned().ok_or_else(|| Refused::Malformed.into_response())?;
        let by_script = parts.headers.contains_key("guichet-fragment");
        match who.visitor.clone() {
            Some(visitor) if visitor.stage == Stage::Full => Ok(Self { console: console.clone(), visitor, who }),
            _ if by_script => Err(StatusCode::UNAUTHORIZED.into_response()),
            Some(visitor) if visitor.stage == Stage::Enrol => {
                Err(Redirect::to("/console/account/codes").into_response())
            }
            Some(_) => Err(Redirect::to("/console/code").into_response()),
            None => Err(sign_in(parts)),
        }
    }
}

impl At {
    /// Refuses whoever has a lesser role.
    pub(super) fn need(&self, role: Scope) -> Result<(), Refused> {
        if self.visitor.agent.role >= role { Ok(()) } else { Err(Refused::Role) }
    }

    /// The agent's name.
    pub(super) fn name(&self) -> &str {
        &self.visitor.agent.name
    }

    /// From where, for the trail.
    pub(super) fn origin(&self) -> String {
        self.who.peer.ip.to_string()
    }

    /// How instants are told.
    pub(super) fn times(&self, now: Moment) -> Times {
        let zone = self.console.desk.kernel().desk.calendar.zone().clone();
        Times { tongue: self.who.tongue, zone, now }
    }
}

/// Where somebody without a session goes: to sign in, and back. A link in a mail brings no cookie along, since that is for
/// requests of the console itself: such a request asks itself once more before it is taken for a stranger's.
fn sign_in(parts: &Parts) -> Response {
    let path = parts.extensions.get::<Who>().map(|who| who.path.clone()).unwrap_or_default();
    let site = parts.headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if parts.method == Method::GET && site == Some("cross-site") {
        let page = html! {
            (maud::DOCTYPE)
            html { head { meta charset="utf-8"; meta http-equiv="refresh" content=(format!("0;url={path}")); title { "…" } } body {} }
        };
        return page.into_response();
    }
    if parts.method != Method::GET {
        return Redirect::to("/console/sign-in").into_response();
    }
    let next: String = path.bytes().map(encode).collect();
    Redirect::to(&format!("/console/sign-in?next={next}")).into_response()
}

fn encode(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

/// For addresses at which nothing is.
pub(super) async fn nothing() -> Answer {
    Err(DeskError::not_found("nothing is here", "see the list").into())
}

/// Wraps every request of the console.
pub(super) async fn guard(State(console): State<Console>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let secret = cookie::read(headers);
    let peer = request.extensions().get::<Peer>().copied().unwrap_or_default();
    let visitor = match &secret {
        Some(secret) => console.desk.visitor(secret).await,
        None => Ok(None),
    };
    let (visitor, broken) = match visitor {
        Ok(visitor) => (visitor.map(Arc::new), None),
        Err(error) => (None, Some(error)),
    };
    let spoken = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let chosen = visitor.as_ref().and_then(|visitor| visitor.preference.language.as_deref()).and_then(Tongue::parse);
    let tongue = chosen.unwrap_or_else(|| Tongue::accepted(spoken));
    let path = request.uri().path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let who = Who { visitor: visitor.clone(), tongue, peer, secret, path };
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let foreign = changes && !is_own(headers, console.public_url());
    request.extensions_mut().insert(who.clone());
    let mut response = match broken {
        Some(error) => Refused::Desk(error).into_response(),
        None if foreign => Refused::Foreign.into_response(),
        None => next.run(request).await,
    };
    if let Some(page) = response.extensions_mut().remove::<Page>() {
        let body = html! {
            h1 { ((page.words)(tongue)) }
            @if let Some(detail) = &page.detail { p { (detail) } }
            p { a href="/console" { (tongue.back()) } }
        };
        let frame = Frame { title: (page.words)(tongue), who: &who, console: &console, here: "", counts: None };
        response = (page.status, layout::page(&frame, &body)).into_response();
    }
    dress(&mut response);
    response
}

/// Whether a request that changes something came from a page of the console: what the browser says of it, and where it does
/// not say it (plain HTTP), the page's origin. SameSite keeps the cookie from others anyway.
fn is_own(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) if site != "same-origin" => false,
        (_, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            let public = public_url.and_then(|url| url.split_once("://")).map(|(_, rest)| rest);
            let public = public.and_then(|rest| rest.split('/').next());
            host.is_some() && (host == text("host") || host == public)
        }
        (Some(_), None) => true,
        (None, None) => false,
    }
}

fn dress(response: &mut Response) {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // Not `no-referrer`: with it browsers send forms with the origin "null".
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers =
            pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        is_own(&headers.collect(), Some("https://help.example/"))
    }

    #[test]
    fn only_the_consoles_own_pages_change_things() {
        assert!(own(&[("sec-fetch-site", "same-origin"), ("origin", "https://h.test"), ("host", "h.test")]));
        assert!(own(&[("origin", "http://10.0.0.1:8425"), ("host", "10.0.0.1:8425")]));
        assert!(own(&[("origin", "https://help.example"), ("host", "127.0.0.1:8425")]));
        assert!(!own(&[("sec-fetch-site", "cross-site"), ("origin", "https://h.test"), ("host", "h.test")]));
        assert!(!own(&[("sec-fetch-site", "same-site"), ("origin", "https://h.test"), ("host", "h.test")]));
        assert!(!own(&[("sec-fetch-site", "same-origin"), ("origin", "https://evil.test"), ("host", "h.test")]));
        assert!(!own(&[("origin", "null"), ("host", "h.test")]));
        assert!(!own(&[("host", "h.test")]));
    }
}
