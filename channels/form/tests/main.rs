//! The forms as people, programs and hostile hands meet them.

#![expect(
    clippy::unwrap_used,
    clippy::type_complexity,
    clippy::match_wildcard_for_single_variants,
    clippy::format_push_string,
    reason = "a test ends where its ground gives way"
)]

mod browser;
mod conformance;
mod filling;
mod hostile;
