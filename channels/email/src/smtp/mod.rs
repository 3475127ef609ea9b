//! Outgoing mail: one message to one recipient a send, over a small pool of connections of our own.
//!
//! Our own client and not lettre's transport, because what matters here is what happens when a send goes wrong: a
//! pooled connection whose send was cancelled answers the *next* mail with the replies of the last one, an answer
//! other than 25x is taken for success, and a server that never answers is waited for for ever. Here a connection goes
//! back to the pool only after a complete, understood dialogue; everything else closes it.
//!
//! * [`Pool`] bounds, paces, reuses and retries; [`Outcome`] says what became of the mail.
//! * [`Folder`] is the transport of a source without SMTP: one `.eml` file a delivery.

mod auth;
mod dot;
mod envelope;
mod exchange;
mod folder;
mod handshake;
mod limits;
mod outcome;
mod pace;
mod pool;
mod relay;
mod reply;
mod session;

#[cfg(test)]
mod tests;

pub use envelope::{BadEnvelope, Envelope};
pub use folder::Folder;
pub use limits::Limits;
pub use outcome::{NotTried, Outcome};
pub use pool::Pool;
pub use relay::{Dial, Login, Relay, Wire};
pub use reply::Reply;
