//! The API as its callers meet it: whole requests in, whole answers out, on a desk with a database of its own.

mod acting;
mod aside;
mod callers;
mod clockwork;
mod document;
mod figures;
mod handing;
mod kept;
mod paging;
mod refusals;
mod rehearsing;
pub mod rig;
mod schema;
mod serving;
