//! The webhook channel against receivers of every kind.

#![expect(clippy::unwrap_used, reason = "a test ends where its ground gives way")]

mod conformance;
mod receiver;
mod receiving;
mod verify;
