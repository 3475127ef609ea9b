//! What no single crate can test: the shape of the house, and the real binary against real servers.
//!
//! One binary, so that it is linked once. `tests/run` gives it its servers; what it finds missing it names and leaves out.

#![expect(clippy::string_slice, reason = "ids and numbers are ASCII, and a test that panics has failed")]

#[cfg(test)]
mod api;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod console;
#[cfg(test)]
mod e2e;
#[cfg(test)]
mod house;
#[cfg(test)]
mod world;
