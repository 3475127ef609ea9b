//! The paper channel keeps the contract, and the conformance suite sees every way to break it.

mod conformance;
mod letters;
mod sabotage;
