//! A source that is down is asked again by one message at a time, later and later, and not by every row of the outbox.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use guichet_domain::Moment;

/// The first and the longest pause.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// Whether a source takes messages, as far as the last attempts told.
#[derive(Debug, Default)]
pub(super) struct Pause(Mutex<State>);

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Attempts in a row that found the whole source down.
    failures: u32,
    until: Moment,
}

/// How many rows may be claimed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// As many as there are permits.
    All,
    /// One, to see whether it is up again.
    One,
    /// None before then.
    After(Moment),
}

impl Pause {
    /// What may be claimed.
    pub(super) fn leave(&self, now: Moment) -> Leave {
        let state = *self.lock();
        match state.failures {
            0 => Leave::All,
            _ if now < state.until => Leave::After(state.until),
            _ => Leave::One,
        }
    }

    /// An attempt found the whole source down. Attempts that were under way together count as one.
    pub(super) fn down(&self, now: Moment) {
        let mut state = self.lock();
        if state.failures > 0 && now < state.until {
            return;
        }
        let pause = PAUSES.0.saturating_mul(1 << state.failures.min(10)).min(PAUSES.1);
        *state = State { failures: state.failures.saturating_add(1), until: now + pause };
    }

    /// An attempt was answered, whatever the answer.
    pub(super) fn up(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Moment {
        Moment::from_secs(secs)
    }

    #[test]
    fn a_source_that_is_down_is_tried_by_one_message_later_and_later() {
        let pause = Pause::default();
        assert_eq!(pause.leave(at(0)), Leave::All);
        pause.down(at(0));
        pause.down(at(0));
        assert_eq!(pause.leave(at(0)), Leave::After(at(1)), "attempts under way together are one failure");
        assert_eq!(pause.leave(at(1)), Leave::One);
        pause.down(at(1));
        assert_eq!(pause.leave(at(2)), Leave::After(at(3)));
        for secs in 3..1_000 {
            pause.down(at(secs));
        }
        assert!(matches!(pause.leave(at(1_000)), Leave::After(until) if until <= at(1_060)));
        pause.up();
        assert_eq!(pause.leave(at(1_000)), Leave::All);
    }
}
