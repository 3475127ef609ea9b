//! The suite every channel must pass.
//!
//! A channel's test supplies a `Bench`: a scripted `Network` and the channel plugged into it. `run` then plays
//! the core against both and answers with a `Report` that names every broken rule by its number in
//! `docs/CONTRACT.md`:
//!
//! ```text
//! #[tokio::test]
//! async fn it_keeps_the_contract() {
//!     conformance::run(&mut MyBench).await.assert_kept();
//! }
//! ```
//!
//! To add a rule: a paragraph in `docs/CONTRACT.md`, an entry in `musts.rs` with the same number and words, a check in
//! `inward.rs`, `outward.rs` or a file of its own, and a way to break it in the paper channel, which proves that the check sees it.

mod bench;
mod corpus;
mod departing;
mod intake;
mod inward;
mod listing;
mod logs;
mod musts;
mod outward;
mod report;
mod stopping;
mod suite;
mod surroundings;
mod vocabulary;

pub use bench::{Behaviour, Bench, Inward, Network, Shown};
pub use intake::{Answer, HandedIn, Hold, ScriptedIntake};
pub use musts::Must;
pub use report::{Broken, Report};
pub use suite::run;
