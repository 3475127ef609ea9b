//! Receiving over IMAP.
//!
//! async-imap parses the server's words and nothing more: its commands take a refused or cut-off FETCH for a complete
//! one, wait without limit, and lose announcements of new mail, so commands are written and awaited by [`wire`]. From the
//! bottom up: [`guard`] bounds what a server can make us store, [`wire`] speaks one command and sees its true end,
//! [`session`] logs in, looks and changes, [`mod@fetch`] reads mail, [`settle`] files what was accepted, [`idle`] waits, and
//! [`receive()`] is the loop over a [`sink::Sink`].
//!
//! Neither passwords nor mail are logged here; async-imap would print what it reads at level `trace` of the target
//! `async_imap`, through the `log` crate, which the daemon does not collect.

pub mod census;
pub mod error;
pub mod fetch;
pub mod folder;
mod guard;
pub mod idle;
mod login;
mod moment;
pub mod position;
mod reader;
mod receive;
pub mod session;
mod settle;
pub mod sink;
mod suspects;
mod uids;
mod wire;

pub use error::Error;
pub use receive::{Mailbox, probe, receive};
pub use session::{Limits, Session};
pub use suspects::Suspects;

#[cfg(test)]
mod tests;
