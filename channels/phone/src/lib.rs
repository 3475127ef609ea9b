//! The phone: what phone systems tell of calls becomes tickets, and callers are told their number.
//!
//! A phone system of any kind posts its events to `/in/{source}/...`. Each request proves itself (a token or a signature), is put
//! on disk, and is entered: the events of one call make one row in whatever order they come (`call`), and from the row follows
//! what is handed in (`plan`). Callers are told their number while they wait (`kinds`: the answer to a synchronous request), by
//! text message, by the phone system's own means, or by a call (`ways`).

mod call;
mod channel;
mod deliver;
mod engine;
mod event;
mod fetching;
mod fields;
mod flood;
mod kinds;
mod listen;
mod media;
mod number;
mod plan;
mod request;
mod routes;
mod schema;
mod settings;
mod spool;
mod time;
mod wav;
mod ways;
mod words;

pub use settings::Phone;
