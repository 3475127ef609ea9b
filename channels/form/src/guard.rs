//! Who sends too much, and the puzzle for browsers while too much comes in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use ring::digest;

/// Leading zero bits of a puzzle's answer: some 65,000 tries, well under a second for a browser.
const BITS: u32 = 16;
/// Networks remembered at most; beyond it the fullest buckets are forgotten first.
const MOST: usize = 50_000;
/// How long a puzzle goes on being asked for after the last minute with too many.
const AFTERMATH: i64 = 600;

/// Counts what comes in, by network and in all. A bucket fills up evenly over an hour.
pub(crate) struct Guard {
    per_hour: f64,
    attack_per_minute: u32,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    buckets: HashMap<IpAddr, Bucket>,
    minute: i64,
    in_minute: u32,
    attacked_until: i64,
}

struct Bucket {
    left: f64,
    at: i64,
}

impl Guard {
    pub(crate) fn new(per_hour: u32, attack_per_minute: u32) -> Self {
        Self { per_hour: per_hour.into(), attack_per_minute, counts: Mutex::default() }
    }

    /// One more from this network at `now` (seconds). When it is one too many: in how many seconds the next is taken.
    pub(crate) fn count(&self, network: IpAddr, now: i64) -> Result<(), i64> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.minute != now / 60 {
            (counts.minute, counts.in_minute) = (now / 60, 0);
        }
        counts.in_minute = counts.in_minute.saturating_add(1);
        if counts.in_minute > self.attack_per_minute {
            counts.attacked_until = now + AFTERMATH;
        }
        if counts.buckets.len() >= MOST && !counts.buckets.contains_key(&network) {
            let per_hour = self.per_hour;
            counts.buckets.retain(|_, bucket| refilled(bucket, per_hour, now) < per_hour - 1.0);
            if counts.buckets.len() >= MOST {
                counts.buckets.clear();
            }
        }
        let bucket = counts.buckets.entry(network).or_insert(Bucket { left: self.per_hour, at: now });
        bucket.left = refilled(bucket, self.per_hour, now);
        bucket.at = now;
        if bucket.left < 1.0 {
            let wait = (1.0 - bucket.left) * 3600.0 / self.per_hour;
            #[expect(clippy::cast_possible_truncation, reason = "at most an hour in seconds")]
            return Err(wait.ceil() as i64);
        }
        bucket.left -= 1.0;
        Ok(())
    }

    /// Whether more comes in than people write.
    pub(crate) fn is_attacked(&self, now: i64) -> bool {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).attacked_until > now
    }
}

fn refilled(bucket: &Bucket, per_hour: f64, now: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "seconds since a visit")]
    let since = (now - bucket.at).max(0) as f64;
    (bucket.left + since * per_hour / 3600.0).min(per_hour)
}

/// Whether `answer` solves the puzzle of a form's id: SHA-256 of both, with a colon between them, begins with [`BITS`] zeros.
pub(crate) fn is_solved(id: &str, answer: &str) -> bool {
    if answer.is_empty() || answer.len() > 20 || !answer.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let hash = digest::digest(&digest::SHA256, format!("{id}:{answer}").as_bytes());
    let zeros: u32 = hash
        .as_ref()
        .iter()
        .scan(true, |on, byte| {
            on.then(|| {
                *on = *byte == 0;
                byte.leading_zeros()
            })
        })
        .sum();
    zeros >= BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn a_network_has_its_hour_and_another_its_own() {
        let guard = Guard::new(3, 1_000);
        for _ in 0..3 {
            assert_eq!(guard.count(network(1), 0), Ok(()));
        }
        assert_eq!(guard.count(network(1), 0), Err(1200));
        assert_eq!(guard.count(network(2), 0), Ok(()));
        assert_eq!(guard.count(network(1), 1_300), Ok(()));
    }

    #[test]
    fn puzzles_are_asked_for_while_too_many_come_in_and_for_a_while_after() {
        let guard = Guard::new(1_000, 5);
        for k in 0..5 {
            drop(guard.count(network(k), 60));
        }
        assert!(!guard.is_attacked(60));
        drop(guard.count(network(9), 61));
        assert!(guard.is_attacked(61));
        assert!(guard.is_attacked(61 + AFTERMATH - 1));
        assert!(!guard.is_attacked(61 + AFTERMATH));
    }

    #[test]
    fn a_puzzle_is_solved_by_trying_and_by_nothing_else() {
        let id = "ab".repeat(16);
        let answer = (0..10_000_000_u32).map(|n| n.to_string()).find(|n| is_solved(&id, n)).unwrap();
        assert!(!is_solved(&"cd".repeat(16), &answer));
        for wrong in ["", "-1", "0x1", &"9".repeat(21)] {
            assert!(!is_solved(&id, wrong));
        }
    }
}
