//! .
pub mod machine;
