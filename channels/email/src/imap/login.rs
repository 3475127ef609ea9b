//! From a greeting to an authenticated session.

use std::collections::HashSet;

use async_imap::imap_proto::{Capability, Response, ResponseCode, Status};
use data_encoding::BASE64;

use super::error::{Error, said};
use super::session::Limits;
use super::wire::{Ended, Wire, words};
use crate::credentials::{Bearer, Credentials, plain};
use crate::net::Endpoint;

/// What a server says it can do, in capitals.
pub(super) type Capabilities = HashSet<String>;

/// Reads the greeting: `true` if the server holds us for logged in already.
pub(super) async fn greeting(wire: &mut Wire, limits: &Limits) -> Result<bool, Error> {
    let greeted = wire.read("the greeting", limits.login, |response| match response {
        Response::Data { status: Status::Ok, .. } => Ok(false),
        Response::Data { status: Status::PreAuth, .. } => Ok(true),
        Response::Data { outcome, .. } => Err(words(outcome)),
        _ => Err("it does not greet as an IMAP server".to_owned()),
    });
    greeted.await?.map_err(|reason| wire.refused("the greeting", reason))
}

/// Asks what the server can do.
pub(super) async fn capabilities(wire: &mut Wire, limits: &Limits) -> Result<Capabilities, Error> {
    let mut found = Capabilities::new();
    wire.run("CAPABILITY", "CAPABILITY", limits.login, |response| collect(response, &mut found)).await?;
    Ok(found)
}

/// Logs in with `credentials` by the best way both sides know. The list of capabilities that came with it, if any.
pub(super) async fn login(
    wire: &mut Wire,
    endpoint: &Endpoint,
    credentials: &Credentials,
    offered: &Capabilities,
    limits: &Limits,
) -> Result<Capabilities, Error> {
    match credentials {
        Credentials::Password { user, password } if offered.contains("AUTH=PLAIN") => {
            let exchange = Exchange { first: plain(user, password), after_failure: "*", token: false };
            authenticate(wire, "PLAIN", exchange, limits).await
        }
        Credentials::Password { user, password } if !offered.contains("LOGINDISABLED") => {
            let command = format!("LOGIN {} {}", quoted(wire, user)?, quoted(wire, password)?);
            let tag = wire.send(&command, "the login", limits.login).await?;
            let mut found = Capabilities::new();
            let ended = wire.finish(&tag, "the login", limits.login, |response| collect(response, &mut found)).await?;
            verdict(wire, ended, false, "").map(|()| found)
        }
        Credentials::Password { .. } => Err(no_mechanism(wire, "a login by password", offered)),
        Credentials::Bearer { user, token, mechanism } => {
            if !offered.contains(&format!("AUTH={}", mechanism.name())) {
                return Err(no_mechanism(wire, mechanism.name(), offered));
            }
            bearer(wire, endpoint, (user, token, *mechanism), limits).await
        }
    }
}

async fn bearer(
    wire: &mut Wire,
    endpoint: &Endpoint,
    (user, token, mechanism): (&str, &str, Bearer),
    limits: &Limits,
) -> Result<Capabilities, Error> {
    let first = mechanism.initial(user, token, &endpoint.host, endpoint.port);
    let exchange = Exchange { first, after_failure: mechanism.after_failure(), token: true };
    authenticate(wire, mechanism.name(), exchange, limits).await
}

struct Exchange {
    first: String,
    /// The answer to a second challenge, which only comes when the server is about to refuse; `*` cancels.
    after_failure: &'static str,
    token: bool,
}

async fn authenticate(
    wire: &mut Wire,
    mechanism: &str,
    exchange: Exchange,
    limits: &Limits,
) -> Result<Capabilities, Error> {
    let during = "the login";
    let tag = wire.send(&format!("AUTHENTICATE {mechanism}"), during, limits.login).await?;
    let mut answers = vec![exchange.after_failure, exchange.first.as_str()];
    let mut found = Capabilities::new();
    let mut challenge = String::new();
    loop {
        let asked = wire.read(during, limits.login, |response| {
            collect(response, &mut found);
            match response {
                Response::Continue(outcome) => Some(outcome.information.as_deref().unwrap_or_default().to_owned()),
                _ => None,
            }
        });
        if let Some(text) = asked.await? {
            challenge = text;
            let line = match answers.pop() {
                Some("*") | None => "*".to_owned(),
                Some(answer) => BASE64.encode(answer.as_bytes()),
            };
            wire.send_line(&line, during, limits.login).await?;
        } else if let Some(ended) = wire.take_end(&tag) {
            return verdict(wire, ended, exchange.token, &explained(&challenge)).map(|()| found);
        }
    }
}

/// Tells a secret that is wrong from a server that cannot say just now: only the first stops a source for good.
fn verdict(wire: &Wire, ended: Ended, token: bool, challenge: &str) -> Result<(), Error> {
    let Ended::Refused(answer) = ended else { return Ok(()) };
    let place = wire.place().to_owned();
    let reason = said(&format!("{answer} {challenge}"));
    let says = |code: &str| answer.to_ascii_uppercase().contains(code);
    // Codes of RFC 5530.
    let clear = ["[AUTHENTICATIONFAILED]", "[AUTHORIZATIONFAILED]", "[EXPIRED]", "[PRIVACYREQUIRED]"];
    let refused = clear.into_iter().any(says);
    Err(match (token, refused) {
        (true, true) => Error::TokenRefused { place, reason },
        (false, true) => Error::LoginRefused { place, reason },
        // Exchange and others refuse a token without any code; a temporary fault they mark as such.
        (true, false) if !says("[UNAVAILABLE]") => Error::TokenRefused { place, reason },
        _ => Error::LoginFailed { place, reason },
    })
}

/// The status in the JSON that servers send as challenge when a token is refused.
fn explained(challenge: &str) -> String {
    let decoded = BASE64.decode(challenge.as_bytes()).ok();
    let json = decoded.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let status = json.as_ref().and_then(|json| json.get("status")).map(ToString::to_string);
    status.map(|status| format!("(status {status})")).unwrap_or_default()
}

fn no_mechanism(wire: &Wire, wanted: &'static str, offered: &Capabilities) -> Error {
    let mut ways: Vec<&str> = offered.iter().filter_map(|capability| capability.strip_prefix("AUTH=")).collect();
    ways.sort_unstable();
    let offered = if ways.is_empty() { "nothing".to_owned() } else { said(&ways.join(", ")) };
    Error::NoMechanism { place: wire.place().to_owned(), wanted, offered }
}

fn quoted(wire: &Wire, text: &str) -> Result<String, Error> {
    if text.chars().any(|c| matches!(c, '\r' | '\n' | '\0')) {
        let reason = "user or password holds a line end".to_owned();
        return Err(Error::LoginRefused { place: wire.place().to_owned(), reason });
    }
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

pub(super) fn collect(response: &Response<'_>, found: &mut Capabilities) {
    let list = match response {
        Response::Capabilities(list) => list,
        Response::Done { outcome, .. } | Response::Data { outcome, .. } => match &outcome.code {
            Some(ResponseCode::Capabilities(list)) => list,
            _ => return,
        },
        _ => return,
    };
    found.extend(list.iter().map(|capability| match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(name) => format!("AUTH={}", name.to_ascii_uppercase()),
        Capability::Atom(name) => name.to_ascii_uppercase(),
    }));
}
