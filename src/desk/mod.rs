//! The desk: what agents, programs and operators do with tickets, whichever way they come: the API, the command line,
//! the console. Everything here is one transaction an act, decided by the domain, and answers with the views.

mod error;
pub mod views;

pub use error::DeskError;
