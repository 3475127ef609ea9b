//! What intake asks before it decides: is it here already, whose is it, and how much was sent of late.

mod counts;
mod find;
mod reserve;

pub use counts::{Sent, sent};
pub use find::{FoundRows, Wanted, find, taken_references};
pub use reserve::{Answer, KeyRow, Reserved, reserve};

/// The span in which automatic messages are counted together: five minutes, in microseconds.
pub(crate) const PULSE: i64 = 300 * 1_000_000;

#[cfg(test)]
pub(crate) const ALL: &[&[(&str, &str)]] = &[counts::ALL];
