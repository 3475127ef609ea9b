//! What tests stand on: a paper channel, a clock moved by hand, ids that repeat, a proxy that breaks connections.
//!
//! Nothing of the product depends on this crate.

pub mod chaos;
pub mod clock;
pub mod ids;
pub mod paper;

pub use chaos::{Chaos, ChaosProxy, Way};
pub use clock::TestClock;
pub use ids::TestIds;
pub use paper::{Letter, LetterState, Paper, PaperKind, PaperOptions, PaperPost, Received};
