//! The paper channel keeps the contract, and the conformance suite sees every way to break it.

#![expect(clippy::unwrap_used, reason = "a test ends where its ground gives way")]

mod conformance;
mod letters;
mod pushed;
mod sabotage;
