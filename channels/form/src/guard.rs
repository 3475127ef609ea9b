//! Who sends too much, and the puzzle for browsers while too much comes in.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use guichet_contract::web::Rates;
use ring::digest;

/// Leading zero bits of a puzzle's answer: some 65,000 tries, well under a second for a browser.
const BITS: u32 = 16;
/// How long a puzzle goes on being asked for after the last minute with too many.
const AFTERMATH: i64 = 600;

/// Counts what comes in, by network and in all.
pub(crate) struct Guard {
    rates: Rates,
    uploads: Rates,
    attack_per_minute: u32,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    minute: i64,
    in_minute: u32,
    attacked_until: i64,
}

impl Guard {
    /// With so many forms an hour from one network, each with so many files.
    pub(crate) fn new(per_hour: u32, files: u32, attack_per_minute: u32) -> Self {
        let uploads = Rates::new(per_hour.saturating_mul(files.max(1)));
        Self { rates: Rates::new(per_hour), uploads, attack_per_minute, counts: Mutex::default() }
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
        drop(counts);
        self.rates.count(network, now)
    }

    /// One more file from this network, whatever becomes of its form: files are kept before it is known.
    pub(crate) fn count_upload(&self, network: IpAddr, now: i64) -> Result<(), i64> {
        self.uploads.count(network, now)
    }

    /// Whether more comes in than people write.
    pub(crate) fn is_attacked(&self, now: i64) -> bool {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).attacked_until > now
    }
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
    fn puzzles_are_asked_for_while_too_many_come_in_and_for_a_while_after() {
        let guard = Guard::new(1_000, 1, 5);
        for k in 0..5 {
            assert_eq!(guard.count(network(k), 60), Ok(()));
        }
        assert!(!guard.is_attacked(60));
        assert_eq!(guard.count(network(9), 61), Ok(()));
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
