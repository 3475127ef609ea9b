//! The chat against clients of every kind.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::needless_pass_by_value,
    reason = "a test ends where its ground gives way"
)]

mod bad;
mod conformance;
mod desk;
mod files;
mod foreign;
mod golden;
mod http;
mod identity;
mod resuming;
mod rules;
mod schema;
mod server;
