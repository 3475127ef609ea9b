//! The chat against clients of every kind.

#![expect(clippy::unwrap_used, reason = "a test ends where its ground gives way")]
