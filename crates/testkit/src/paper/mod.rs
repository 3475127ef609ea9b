//! The paper channel: an in-memory network of letters, whole enough to stand for any real one.
//!
//! [`PaperPost`] is the network, spoken to as people: write, read what came, be away, break. [`Paper`] is the channel
//! on it, one value for each life of the daemon. Both keep the contract (`tests/main.rs` proves it), so what goes wrong
//! in a test with them is the core's.

mod channel;
mod following;
mod letter;
mod options;
mod post;

pub use channel::{Paper, PaperKind};
pub use letter::{Letter, Received};
pub use options::PaperOptions;
pub use post::{LetterState, PaperPost};
