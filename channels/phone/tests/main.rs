//! The phone channel, from outside.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where its ground gives way")]

mod calls;
mod conformance;
mod hostile;
mod provider;
mod recordings;
mod switchboard;
mod telling;
