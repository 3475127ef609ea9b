//! Webhooks out: tells another program of the events of tickets, signed by Standard Webhooks
//! (<https://www.standardwebhooks.com>).
//!
//! Each event is one `POST` of a JSON document. `webhook-id` is the delivery's id and the same at every attempt, so a
//! receiver that remembers ids sees each event once, and an attempt whose outcome is unknown can be repeated.

mod deliver;
mod guard;
mod listen;
mod settings;
mod sign;
mod translate;

pub use settings::Webhook;
