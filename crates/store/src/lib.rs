//! SQL, and nothing else: what is kept, on SQLite or PostgreSQL, and how it is read and written.
//!
//! [`Db::write`] and [`Db::read`] give a [`Tx`]; every other function takes one, so that whoever decides also decides
//! what becomes durable together. Everything that happened is written through [`record::record`].

pub mod access;
pub mod agent;
pub mod blob;
pub mod board;
pub mod conversation;
pub mod desktop;
mod engine;
mod error;
pub mod figures;
pub mod idempotency;
pub mod inbound;
pub mod intake;
pub mod keep;
pub mod lease;
pub mod outbox;
pub mod record;
pub mod requester;
pub mod retention;
mod schema;
pub mod search;
mod sql;
pub mod ticket;
pub mod ticket_list;
pub mod timeline;
pub mod timer;
pub mod trail;
mod value;
mod words;

#[cfg(test)]
mod tests;

pub use engine::{Db, Options, Target, Tx};
pub use error::{ErrorKind, StoreError};
pub use record::{Batch, Verdict};
pub use schema::known_version;
