//! HTTP.
pub mod api;
pub mod problem;
