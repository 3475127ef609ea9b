//! Ids and randomness that come the same way in each run.

use std::sync::{Arc, Mutex, PoisonError};

use guichet_domain::Ids;
use uuid::Uuid;

/// Seeded ids: the same seed gives the same ids, another seed others. Clones share one sequence.
#[derive(Debug, Clone)]
pub struct TestIds(Arc<Mutex<Sequence>>);

#[derive(Debug)]
struct Sequence {
    state: u64,
    count: u64,
}

impl TestIds {
    /// A sequence of its own for each seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Sequence { state: seed, count: 0 })))
    }

    /// A number below `bound`, which is at least 1: for choices a test makes.
    pub fn below(&self, bound: u64) -> u64 {
        self.random_u64() % bound.max(1)
    }
}

impl Default for TestIds {
    fn default() -> Self {
        Self::seeded(1)
    }
}

impl Sequence {
    /// SplitMix64: passes the usual batteries, and its whole state is one number.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Ids for TestIds {
    fn uuid(&self) -> Uuid {
        let mut sequence = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sequence.count += 1;
        let (count, random) = (u128::from(sequence.count), u128::from(sequence.next()));
        // A UUIDv7 whose milliseconds are the count, so that they sort in the order in which they were made.
        Uuid::from_u128(count << 80 | 0x7 << 76 | (random >> 60) << 64 | 0b10 << 62 | random & (u128::MAX >> 66))
    }

    fn random(&self, bytes: &mut [u8]) {
        let mut sequence = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for part in bytes.chunks_mut(8) {
            let next = sequence.next().to_le_bytes();
            part.iter_mut().zip(next).for_each(|(byte, next)| *byte = next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_the_same_each_time_and_another_says_something_else() {
        let take = |seed| {
            let ids = TestIds::seeded(seed);
            let mut bytes = [0; 20];
            ids.random(&mut bytes);
            (ids.uuid(), ids.random_u64(), bytes)
        };
        assert_eq!(take(7), take(7));
        assert_ne!(take(7), take(8));
    }

    #[test]
    fn its_uuids_are_of_version_7_sorted_and_unlike_those_of_another_seed() {
        let (ids, others) = (TestIds::seeded(1), TestIds::seeded(2));
        let made: Vec<Uuid> = (0..1000).map(|_| ids.uuid()).collect();
        assert!(made.is_sorted());
        assert!(made.iter().all(|id| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122));
        assert!((0..1000).all(|_| !made.contains(&others.uuid())));
    }
}
