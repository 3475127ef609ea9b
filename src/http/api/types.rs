//! The types of the API, for whoever speaks it: the same that the service layer gives.

pub use crate::desk::views::*;
pub use crate::http::problem::Problem;
