//! The agents' console: server-rendered pages over the desk, usable without JavaScript. One small module in the browser keeps
//! them fresh: server-sent events say what changed, and the page fetches that part anew.
//!
//! To add a page: its handler in the module of what it is about, its line in [`routes`], its words in `words.rs`. Nothing changes
//! on GET; a test follows every link and looks.

mod account;
mod acting;
mod assets;
mod composer;
mod cookie;
mod desks;
mod door;
mod events;
mod form;
mod guard;
mod layout;
mod list;
mod presence;
mod reasons;
mod side;
mod staff;
mod ticket;
mod timeline;
mod trade;
mod when;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::{any, get, post};

use crate::desk::Desk;
use guard::Who;
use presence::Presence;

/// Largest form in octets.
const FORM: usize = 1 << 20;

/// What the console's handlers share. Cheap to clone.
#[derive(Clone)]
struct Console {
    desk: Desk,
    presence: Arc<Presence>,
}

impl Console {
    /// What the desk is called.
    fn name(&self) -> &str {
        self.desk.kernel().texts.desk()
    }

    fn public_url(&self) -> Option<&str> {
        self.desk.kernel().texts.public_url()
    }

    /// Where people reach the console; a path alone when nobody said.
    fn base(&self) -> &str {
        self.public_url().unwrap_or_default()
    }

    /// Whether the browser's connection is encrypted, by the configured address or by what a trusted proxy says.
    fn is_secure(&self, who: &Who, headers: &HeaderMap) -> bool {
        let public = self.public_url().is_some_and(|url| url.starts_with("https://"));
        // Whoever comes by another name than the configured one, over plain HTTP on this machine, still can sign in.
        let local = headers.get("host").and_then(|host| host.to_str().ok()).is_some_and(|host| {
            let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
            matches!(host, "localhost" | "127.0.0.1" | "[::1]")
        });
        who.peer.secure || (public && !local)
    }
}

/// The console's routes, all below `/console`.
pub fn routes(desk: Desk) -> Router {
    let console = Console { desk, presence: Arc::default() };
    Router::new()
        .route("/console", get(list::list))
        .route("/console/", get(|| async { Redirect::permanent("/console") }))
        .route("/console/rows", get(list::fragment))
        .route("/console/events", get(events::events))
        .route("/console/sign-in", get(door::form).post(door::sign_in))
        .route("/console/code", get(door::code_form).post(door::code))
        .route("/console/sign-out", post(door::sign_out))
        .route("/console/welcome/{secret}", get(door::welcome_form).post(door::welcome))
        .route("/console/t/{reference}", get(ticket::show))
        .route("/console/t/{reference}/parts", get(ticket::fragment))
        .route("/console/t/{reference}/present", get(ticket::present))
        .route("/console/t/{reference}/history", get(staff::history))
        .route("/console/t/{reference}/file/{message}/{position}", get(staff::file))
        .route("/console/t/{reference}/write", post(acting::write))
        .route("/console/t/{reference}/act", post(acting::act))
        .route("/console/t/{reference}/draft", post(acting::draft))
        .route("/console/t/{reference}/here", post(acting::here))
        .route("/console/account", get(account::show).post(account::change))
        .route("/console/account/codes", get(account::codes_form).post(account::codes))
        .route("/console/quarantine", get(desks::quarantine))
        .route("/console/quarantine/{id}", post(desks::decide))
        .route("/console/quarantine/{id}/original", get(desks::original))
        .route("/console/outbox", get(desks::outbox))
        .route("/console/outbox/{id}", post(desks::send))
        .route("/console/canned", get(desks::canned).post(desks::keep_canned))
        .route("/console/blocked", get(desks::blocked).post(desks::block))
        .route("/console/agents", get(staff::agents).post(staff::add))
        .route("/console/agents/{name}", get(staff::agent).post(staff::change))
        .route("/console/trail", get(staff::trail))
        .route("/console/keys", get(staff::keys))
        .route("/console/{*elsewhere}", any(guard::nothing))
        .layer(DefaultBodyLimit::max(FORM))
        .layer(from_fn_with_state(console.clone(), guard::guard))
        .route("/console/assets/{name}", get(assets::serve))
        .with_state(console)
}

/// A value as it stands in an address.
fn encoded(value: &str) -> String {
    let keep = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    value.bytes().map(keep).collect()
}
