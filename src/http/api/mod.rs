//! The API, version 1.
pub mod types;
