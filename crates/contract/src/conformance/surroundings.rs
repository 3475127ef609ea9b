//! The clock and the ids the suite gives a channel.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use guichet_domain::{Clock, Ids, Moment};
use tokio::time::Instant;
use uuid::Uuid;

/// 2026-11-22T09:00:00Z.
const BEGINNING: i64 = 1_795_338_000;

/// Goes as tokio's clock goes, so that it moves when a paused clock is moved.
pub(super) struct RunningClock(Instant);

impl RunningClock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for RunningClock {
    fn now(&self) -> Moment {
        let since: Duration = self.0.elapsed();
        Moment::from_secs(BEGINNING) + since
    }
}

/// Counts. Unguessable is nothing here, and nothing here is guarded by it.
#[derive(Default)]
pub(super) struct CountedIds(AtomicU64);

impl Ids for CountedIds {
    fn uuid(&self) -> Uuid {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        // A UUIDv7 whose time is the count: sortable by the order in which they were made.
        Uuid::from_u128(u128::from(count) << 80 | 0x7 << 76 | 0b10 << 62 | u128::from(count))
    }

    fn random(&self, bytes: &mut [u8]) {
        for byte in bytes {
            // Weyl's sequence: every value comes, none twice in a row.
            let next = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *byte = next.to_be_bytes()[0];
        }
    }
}
