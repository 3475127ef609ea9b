//! A clock that stands still until it is moved.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use guichet_domain::{Clock, Moment};

/// A clock moved by hand. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<Mutex<Moment>>);

impl TestClock {
    /// Stands at `moment`.
    pub fn at(moment: Moment) -> Self {
        Self(Arc::new(Mutex::new(moment)))
    }

    /// Stands at an instant written as RFC 3339: `2026-11-22T09:00:00Z`.
    ///
    /// # Panics
    /// When `text` is no such instant.
    #[track_caller]
    #[expect(clippy::expect_used, reason = "a test's own literal; there is nothing better to do than say so")]
    pub fn reading(text: &str) -> Self {
        let json = serde_json::Value::String(text.to_owned());
        Self::at(serde_json::from_value(json).expect("an instant such as 2026-11-22T09:00:00Z"))
    }

    /// Goes on by `span`; answers the new time.
    pub fn advance(&self, span: Duration) -> Moment {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = *now + span;
        *now
    }

    /// Is set, forwards or backwards.
    pub fn set(&self, moment: Moment) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = moment;
    }
}

impl Default for TestClock {
    /// Stands at 2026-11-23T09:00:00Z, a Monday morning.
    fn default() -> Self {
        Self::at(Moment::from_secs(1_795_424_400))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_still_until_it_is_moved() {
        let clock = TestClock::default();
        let other = clock.clone();
        assert_eq!(clock.now().to_string(), "2026-11-23T09:00:00Z");
        clock.advance(Duration::from_secs(90));
        assert_eq!(other.now().to_string(), "2026-11-23T09:01:30Z");
        other.set(Moment::EARLIEST);
        assert_eq!(clock.now(), Moment::EARLIEST);
        assert_eq!(TestClock::reading("2026-12-24T17:00:00Z").now().to_string(), "2026-12-24T17:00:00Z");
    }
}
