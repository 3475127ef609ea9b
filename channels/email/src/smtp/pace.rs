//! The rate of a source: so many mails in any minute.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A token bucket. It holds a tenth of the minute's mails and is refilled so slowly that no minute, wherever it begins,
/// sees more than was allowed.
pub(super) struct Pace {
    holds: f64,
    per_second: f64,
    level: Mutex<(f64, Instant)>,
}

impl Pace {
    pub(super) fn new(per_minute: NonZeroU32) -> Self {
        let allowed = f64::from(per_minute.get());
        let holds = (allowed / 10.0).floor().max(1.0);
        Self { holds, per_second: (allowed - holds + 1.0) / 60.0, level: Mutex::new((holds, Instant::now())) }
    }

    /// Waits for a token and takes it; `Err` with the wait still ahead if that is not before `until`. Dropping the future
    /// takes nothing.
    pub(super) async fn take(&self, until: Instant) -> Result<(), Duration> {
        loop {
            let Err(wait) = self.try_take() else { return Ok(()) };
            let now = Instant::now();
            if now + wait > until {
                return Err(wait);
            }
            sleep_until(now + wait).await;
        }
    }

    fn try_take(&self) -> Result<(), Duration> {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let filled = level.0 + now.duration_since(level.1).as_secs_f64() * self.per_second;
        *level = (filled.min(self.holds), now);
        // A microsecond's worth of rounding must not make a waiter come back for nothing.
        if level.0 + 1e-6 >= 1.0 {
            level.0 -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - level.0) / self.per_second).max(Duration::from_millis(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn when_mails_go(per_minute: u32, count: usize) -> Vec<Duration> {
        let pace = Pace::new(NonZeroU32::new(per_minute).unwrap());
        let start = Instant::now();
        let mut times = Vec::new();
        for _ in 0..count {
            pace.take(start + Duration::from_hours(24)).await.unwrap();
            times.push(start.elapsed());
        }
        times
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_sees_more_mails_than_allowed() {
        for allowed in [1, 2, 7, 30, 100, 600] {
            let times = when_mails_go(allowed, allowed as usize * 3).await;
            for (first, begin) in times.iter().enumerate() {
                let within =
                    times[first..].iter().take_while(|at| **at < *begin + Duration::from_millis(59_990)).count();
                assert!(within <= allowed as usize, "{within} of {allowed}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_used_up_over_time() {
        let times = when_mails_go(60, 300).await;
        let minutes = times.last().unwrap().as_secs_f64() / 60.0;
        assert!(minutes < 5.8, "300 mails at 60 a minute took {minutes} minutes");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_limit_is_told_at_once() {
        let pace = Pace::new(NonZeroU32::new(1).unwrap());
        let limit = Instant::now() + Duration::from_secs(10);
        pace.take(limit).await.unwrap();
        let before = Instant::now();
        let wait = pace.take(limit).await.unwrap_err();
        assert_eq!(before.elapsed(), Duration::ZERO);
        assert!((59..=60).contains(&wait.as_secs()), "{wait:?}");
    }
}
