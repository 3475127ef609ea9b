//! Live chat: the protocol `guichet.v1` (`docs/CHAT-PROTOCOL.md`) over WebSocket, POST with streamed events, and long
//! polling.
//!
//! A visitor's session is a secret of their own making: its hash is half of every conversation's key, so that asking for
//! the conversations of a session is asking for keys that begin so, and no table of sessions is needed. What is said is
//! read from the core's timeline, by which the notices go out too: [`deliver`](guichet_contract::Channel::deliver) has
//! nothing left to do.
//!
//! Where to look: `protocol` the frames, `ws`, `frames`, `events` the ways in and out, `talk` what each frame does, `line` what
//! a connection is sent, `hub` who is connected.

mod assets;
mod channel;
mod events;
mod form;
mod frames;
mod hub;
mod identity;
mod keys;
mod line;
mod links;
mod listen;
mod message;
mod origin;
mod pages;
mod person;
mod protocol;
mod rates;
mod routes;
mod settings;
mod sniff;
mod talk;
mod translate;
mod trouble;
mod uploads;
mod words;
mod ws;

pub use settings::Chat;
