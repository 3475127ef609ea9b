//! How often a thing may be done, by a session or from an address.
//!
//! The generic cell rate algorithm: one instant a key says all there is to know. Kept in memory: a restart forgives.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use guichet_domain::Moment;

/// So many at once, and so many again within the span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    /// How many; 0 is no limit.
    pub(crate) times: u32,
    /// Within which span.
    pub(crate) within: Duration,
}

impl Limit {
    pub(crate) const fn per_second(times: u32) -> Self {
        Self { times, within: Duration::from_secs(1) }
    }

    pub(crate) const fn per_minute(times: u32) -> Self {
        Self { times, within: Duration::from_mins(1) }
    }

    pub(crate) const fn per_hour(times: u32) -> Self {
        Self { times, within: Duration::from_hours(1) }
    }
}

/// What is counted, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    /// Something of a session.
    Session(&'static str, Box<str>),
    /// Something from an address.
    Address(&'static str, IpAddr),
}

/// What was done lately.
#[derive(Default)]
pub(crate) struct Rates(Mutex<Book>);

#[derive(Default)]
struct Book {
    /// When each key would be forgotten if it did nothing more.
    full_until: HashMap<Counted, Moment>,
    tidied: Moment,
}

impl Rates {
    /// Counts one of each, or none of them: then answers how long to wait.
    pub(crate) fn take<const N: usize>(&self, wanted: [(Counted, Limit); N], now: Moment) -> Result<(), Duration> {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        book.tidy(now);
        let limited = wanted.into_iter().filter(|(_, limit)| limit.times > 0).map(|(counted, limit)| {
            let step = limit.within / limit.times;
            let from = book.full_until.get(&counted).copied().unwrap_or(now).max(now);
            // A clock that was set back must not shut anybody out for longer than the span itself.
            let from = if from > now + limit.within { now } else { from };
            (counted, from + step, limit.within)
        });
        let next: Vec<_> = limited.collect();
        let waits = next.iter().map(|(_, until, within)| until.since(now + *within));
        let wait = waits.max().unwrap_or_default();
        if !wait.is_zero() {
            return Err(wait);
        }
        book.full_until.extend(next.into_iter().map(|(counted, until, _)| (counted, until)));
        Ok(())
    }
}

impl Book {
    /// Forgets once a minute who has done nothing for so long that nothing is held against them.
    fn tidy(&mut self, now: Moment) {
        if now.since(self.tidied) >= Duration::from_mins(1) || now < self.tidied {
            self.full_until.retain(|_, until| *until > now);
            self.tidied = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str) -> Counted {
        Counted::Session("msg", name.into())
    }

    #[test]
    fn so_many_at_once_then_one_each_time_one_has_grown_back() {
        let (rates, limit) = (Rates::default(), Limit::per_minute(20));
        let start = Moment::from_secs(1_000_000);
        for _ in 0..20 {
            assert_eq!(rates.take([(one("a"), limit)], start), Ok(()));
        }
        assert_eq!(rates.take([(one("a"), limit)], start), Err(Duration::from_secs(3)));
        assert_eq!(rates.take([(one("b"), limit)], start), Ok(()));
        let later = start + Duration::from_secs(3);
        assert_eq!(rates.take([(one("a"), limit)], later), Ok(()));
        assert_eq!(rates.take([(one("a"), limit)], later), Err(Duration::from_secs(3)));
    }

    #[test]
    fn what_one_limit_refuses_the_others_do_not_count() {
        let (rates, now) = (Rates::default(), Moment::from_secs(1_000_000));
        let wanted = || [(one("a"), Limit::per_minute(1)), (one("b"), Limit::per_hour(2))];
        assert_eq!(rates.take(wanted(), now), Ok(()));
        for _ in 0..10 {
            assert_eq!(rates.take(wanted(), now), Err(Duration::from_mins(1)));
        }
        assert_eq!(rates.take([(one("b"), Limit::per_hour(2))], now), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_shuts_nobody_out() {
        let (rates, limit) = (Rates::default(), Limit::per_minute(1));
        assert_eq!(rates.take([(one("a"), limit)], Moment::from_secs(1_000_000)), Ok(()));
        assert_eq!(rates.take([(one("a"), limit)], Moment::from_secs(500_000)), Ok(()));
    }

    #[test]
    fn whoever_is_quiet_is_forgotten() {
        let (rates, limit) = (Rates::default(), Limit::per_minute(1));
        for name in 0..100 {
            let name = format!("session {name}");
            assert_eq!(rates.take([(one(&name), limit)], Moment::from_secs(1_000_000)), Ok(()));
        }
        assert_eq!(rates.take([(one("a"), limit)], Moment::from_secs(1_000_100)), Ok(()));
        assert_eq!(rates.0.lock().unwrap().full_until.len(), 1);
    }

    #[test]
    fn zero_is_no_limit() {
        let rates = Rates::default();
        for _ in 0..1000 {
            assert_eq!(rates.take([(one("a"), Limit::per_minute(0))], Moment::from_secs(1)), Ok(()));
        }
    }
}
