//! Instants and spans.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant: whole microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// A number and not a calendar type, because both databases store, compare and index it exactly alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(i64);

impl Moment {
    /// The earliest instant: sorts before all others.
    pub const EARLIEST: Self = Self(0);

    /// From microseconds since the epoch. Negative values (before 1970) are kept.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the epoch; saturates at the ends of the range.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The span from `earlier` to here; zero when `earlier` is in fact later (a clock that went back).
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same instant as a calendar type; out-of-range values give the nearest end (years -9999 to 9999).
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

impl From<jiff::Timestamp> for Moment {
    fn from(timestamp: jiff::Timestamp) -> Self {
        Self(timestamp.as_microsecond())
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// RFC 3339 in UTC, to the second: what the API, the command line and the logs show.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", self.timestamp())
    }
}

/// As RFC 3339 text with microseconds in human-readable formats.
impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:.6}", self.timestamp()))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<jiff::Timestamp>().map(Self::from).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_as_rfc_3339_and_reads_itself_back() {
        let moment = Moment::from_micros(1_795_340_045_123_456);
        assert_eq!(moment.to_string(), "2026-11-22T09:34:05Z");
        let json = serde_json::to_string(&moment).unwrap();
        assert_eq!(json, "\"2026-11-22T09:34:05.123456Z\"");
        assert_eq!(serde_json::from_str::<Moment>(&json).unwrap(), moment);
    }

    #[test]
    fn a_clock_that_went_back_gives_no_negative_span() {
        assert_eq!(Moment::from_secs(5).since(Moment::from_secs(9)), Duration::ZERO);
        assert_eq!(Moment::from_secs(9).since(Moment::from_secs(5)), Duration::from_secs(4));
    }

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        assert_eq!(Moment::from_micros(i64::MAX) + Duration::from_secs(1), Moment::from_micros(i64::MAX));
        assert_eq!(Moment::from_micros(i64::MIN) - Duration::from_secs(1), Moment::from_micros(i64::MIN));
    }
}
