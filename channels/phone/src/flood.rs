//! How many calls are entered: of one caller an hour, and of all a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use guichet_domain::Moment;

/// Callers remembered at most.
const MOST: usize = 50_000;

/// Counts calls, in memory and by the hour and minute of the clock.
pub(crate) struct Flood {
    per_caller_hour: u32,
    per_minute: u32,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    hour: i64,
    callers: HashMap<String, u32>,
    minute: i64,
    in_minute: u32,
}

impl Flood {
    pub(crate) fn new(per_caller_hour: u32, per_minute: u32) -> Self {
        Self { per_caller_hour, per_minute, counts: Mutex::default() }
    }

    /// One call more; answers whether it is one too many.
    pub(crate) fn is_one_too_many(&self, caller: Option<&str>, now: Moment) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let (hour, minute) = (now.secs() / 3600, now.secs() / 60);
        if counts.hour != hour || counts.callers.len() >= MOST {
            counts.hour = hour;
            counts.callers.clear();
        }
        if counts.minute != minute {
            (counts.minute, counts.in_minute) = (minute, 0);
        }
        let of_caller = caller.map_or(0, |caller| {
            let count = counts.callers.entry(caller.to_owned()).or_default();
            *count = count.saturating_add(1);
            *count
        });
        if of_caller > self.per_caller_hour {
            return true;
        }
        counts.in_minute = counts.in_minute.saturating_add(1);
        counts.in_minute > self.per_minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_fills_neither_the_desk_nor_the_hour_of_others() {
        let flood = Flood::new(2, 4);
        let at = Moment::from_secs(7_200);
        let calls: Vec<bool> = (0..5).map(|_| flood.is_one_too_many(Some("+33612345678"), at)).collect();
        assert_eq!(calls, [false, false, true, true, true]);
        assert!(!flood.is_one_too_many(Some("+33700000000"), at));
        assert!(!flood.is_one_too_many(None, at));
        assert!(flood.is_one_too_many(None, at), "five in one minute");
        assert!(!flood.is_one_too_many(Some("+33612345678"), Moment::from_secs(10_800)));
    }
}
