//! The e-mail channel: mailboxes by IMAP, mail out by SMTP, and what mail means.
//!
//! The ways in and out: `settings` (what the operator writes), `listen` (IMAP to the intake), [`translate`] (bytes to the
//! core's words, pure), `deliver` (the outbox to SMTP). What mail is: [`understand`] (MIME), [`machine`] (machine or
//! person), [`report`] (bounces), [`reply`] (what was said apart from what was quoted), [`mod@language`], [`trust`] and [`dkim`].
//! What networks are: [`imap`], [`smtp`], [`oauth`], [`net`], [`tls`], [`mod@compose`].

mod channel;
pub mod compose;
pub mod credentials;
mod deliver;
pub mod dkim;
mod holdings;
pub mod imap;
pub mod language;
mod listen;
pub mod machine;
pub mod net;
pub mod oauth;
pub mod reply;
pub mod report;
mod schema;
mod sent;
pub mod settings;
pub mod smtp;
pub mod tls;
mod token;
pub mod translate;
pub mod trust;
pub mod understand;
mod words;

pub use channel::Email;
