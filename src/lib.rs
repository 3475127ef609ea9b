//! guichet: an omnichannel intake gateway for help desks.
//!
//! The daemon wires, serves and schedules; what a request means is decided in `guichet-domain`, how it is kept in
//! `guichet-store`, how networks speak in the channels. This library has one user, `main.rs`, and exists so that tests
//! reach its parts. `docs/ARCHITECTURE.md` walks through one message in and one notice out.

pub mod ambient;
pub mod blobs;
pub mod client;
pub mod commands;
pub mod config;
pub mod console;
pub mod crash;
pub mod desk;
pub mod http;
pub mod intake;
pub mod kernel;
pub mod lifecycle;
pub mod logging;
pub mod output;
mod requests;
pub mod sender;
pub mod signals;
pub mod state;
pub mod supervisor;
pub mod texts;
pub mod timers;
#[cfg(test)]
mod trial;
mod writing;
