//! The forms as people, programs and hostile hands meet them.

mod browser;
mod conformance;
mod filling;
mod hostile;
