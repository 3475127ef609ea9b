//! Who asks, and whether they may.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::problem::{Problem, ProblemKind};
use super::{App, Door};
use crate::desk::Caller;
use crate::desk::views::Scope;

/// By the local socket: the name under which the operator acts, `operator` when left out.
pub const AGENT_HEADER: &str = "guichet-agent";

/// Longest name of an agent, in characters.
const LONGEST_NAME: usize = 60;

/// Somebody who may read.
pub(super) struct Reader;
/// Somebody who may work tickets.
pub(super) struct Worker(pub(super) Caller);
/// Somebody who may decide on what is kept aside and on what leaves.
pub(super) struct Lead(pub(super) Caller);
/// Somebody who may change agents.
pub(super) struct Admin(pub(super) Caller);

/// A handler that takes one of these is reached only by callers who have its scope.
macro_rules! callers {
    ($($name:ident needs $scope:ident: $make:expr;)*) => {$(
        impl FromRequestParts<App> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
                caller(parts, app, Scope::$scope).await.map($make)
            }
        }
    )*};
}

callers! {
    Reader needs Read: |_| Self;
    Worker needs Work: Self;
    Lead needs Lead: Self;
    Admin needs Admin: Self;
}

async fn caller(parts: &Parts, app: &App, needed: Scope) -> Result<Caller, Problem> {
    if app.door == Door::Local {
        return Ok(Caller { name: named(parts).unwrap_or_else(|| "operator".to_owned()), scope: Scope::Admin });
    }
    let unknown = |detail: &str| {
        Problem::new(ProblemKind::Unauthenticated, detail)
            .remedy("send Authorization: Bearer TOKEN; `guichet agent token create NAME` makes one")
    };
    let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, secret)) = value.and_then(|value| value.trim().split_once(' ')) else {
        return Err(unknown("the request shows no token"));
    };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unknown("the Authorization header is of another scheme"));
    }
    let Some(caller) = app.desk().authenticate(secret.trim()).await? else {
        return Err(unknown("the token is unknown, over or revoked, or its agent is disabled"));
    };
    if caller.scope < needed {
        let (has, needs) = (caller.scope.as_str(), needed.as_str());
        return Err(Problem::new(ProblemKind::Forbidden, format!("the token has scope {has}, this needs {needs}"))
            .remedy(format!("use a token with scope {needs}")));
    }
    Ok(caller)
}

fn named(parts: &Parts) -> Option<String> {
    let name = parts.headers.get(AGENT_HEADER)?.to_str().ok()?.trim();
    let plain = (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.contains(char::is_control);
    plain.then(|| name.to_owned())
}
