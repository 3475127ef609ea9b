//! What the outside world gives besides messages: the time, and values nobody can guess.
//!
//! Both are parameters everywhere. The daemon's `src/ambient.rs` holds the only real ones; tests pass a clock they
//! move by hand and a counter for ids, so that a test says the same thing each time it runs.

use uuid::Uuid;

use crate::time::Moment;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The current instant, in UTC. May go backwards when the machine's clock is set.
    fn now(&self) -> Moment;
}

/// Makes identifiers and unguessable values.
pub trait Ids: Send + Sync {
    /// A new UUIDv7 (RFC 9562 section 5.7): unique without coordination, sortable by the time it was made.
    fn uuid(&self) -> Uuid;

    /// Fills `bytes` from a cryptographically strong source.
    fn random(&self, bytes: &mut [u8]);

    /// A strong random number, uniform over `u64`.
    fn random_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.random(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}
