//! When a queue works: opening hours, holidays and a time zone; and clocks that run only then.
//!
//! Everything is worked out a civil day at a time and turned into instants by the zone's own rules, so a day on which
//! the clocks change has as many open minutes as people were really there.

mod holidays;
mod settings;

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

pub use holidays::{Holidays, Region};
pub use settings::{CalendarError, CalendarSettings};

use crate::time::Moment;

/// How far ahead an opening is looked for.
const HORIZON_DAYS: usize = 3_660;
const MINUTES_A_DAY: u16 = 24 * 60;

/// Opening hours, holidays and a time zone. Made from [`CalendarSettings`]; the default never closes. Cheap enough to
/// clone once a rule set, not once a ticket.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    /// Monday first; sorted and free of overlaps.
    week: [Vec<Span>; 7],
    holidays: Holidays,
}

/// Part of a civil day, in minutes since its midnight; the end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) from: u16,
    pub(crate) to: u16,
}

impl Default for Calendar {
    fn default() -> Self {
        Self::always()
    }
}

impl Calendar {
    /// Open day and night, every day.
    pub fn always() -> Self {
        let day = vec![Span { from: 0, to: MINUTES_A_DAY }];
        Self { zone: TimeZone::UTC, week: std::array::from_fn(|_| day.clone()), holidays: Holidays::default() }
    }

    /// The calendar that the settings describe.
    pub fn new(settings: &CalendarSettings) -> Result<Self, CalendarError> {
        settings.read()
    }

    /// The zone in which hours and holidays are meant, and in which promises are shown.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The zone's name in the IANA database, `Europe/Paris`; `UTC` when it has none.
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Whether it is open at this instant. The instant of closing is closed.
    pub fn is_open(&self, at: Moment) -> bool {
        self.openings(at).next().is_some_and(|(start, _)| start <= at)
    }

    /// This instant when it is open, else the next opening; `None` when there is none within ten years.
    pub fn next_opening(&self, at: Moment) -> Option<Moment> {
        self.openings(at).next().map(|(start, _)| start.max(at))
    }

    /// The instant at which `minutes` of opening time have passed since `from`. A span that ends exactly with the day's
    /// work ends at closing time, not at the next opening. No minutes, or fewer, give `from`
    /// itself. When so much opening time does
    /// not come within ten years, the end of these ten years.
    pub fn add_open_time(&self, from: Moment, minutes: i64) -> Moment {
        let mut left = Duration::from_secs(u64::try_from(minutes).unwrap_or(0).saturating_mul(60));
        if left.is_zero() || self.never_closes() {
            return from + left;
        }
        for (start, end) in self.openings(from) {
            let start = start.max(from);
            let open = end.since(start);
            if left <= open {
                return start + left;
            }
            left -= open;
        }
        from + Duration::from_secs(HORIZON_DAYS as u64 * 86_400)
    }

    /// How much opening time lies from `from` to `to`; zero when `to` is not later.
    pub fn open_between(&self, from: Moment, to: Moment) -> Duration {
        if self.never_closes() {
            return to.since(from);
        }
        self.openings(from)
            .take_while(|(start, _)| *start < to)
            .map(|(start, end)| end.min(to).since(start.max(from)))
            .sum()
    }

    fn never_closes(&self) -> bool {
        let whole = Span { from: 0, to: MINUTES_A_DAY };
        self.holidays.is_empty() && self.week.iter().all(|day| day.as_slice() == [whole])
    }

    /// Every opening that ends after `at`, in order, as instants.
    fn openings(&self, at: Moment) -> impl Iterator<Item = (Moment, Moment)> + '_ {
        let today = self.zone.to_datetime(at.timestamp()).date();
        let days = std::iter::successors(Some(today), |day| day.tomorrow().ok()).take(HORIZON_DAYS);
        days.flat_map(|day| self.openings_on(day)).filter(move |(start, end)| *end > at && start < end)
    }

    fn openings_on(&self, day: Date) -> impl Iterator<Item = (Moment, Moment)> + '_ {
        let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default();
        let spans = self.week.get(weekday).map(Vec::as_slice).unwrap_or_default();
        let spans = if self.holidays.contains(day) { &[] } else { spans };
        spans.iter().filter_map(move |span| Some((self.instant(day, span.from)?, self.instant(day, span.to)?)))
    }

    /// The instant of a time of day: the first of the two when the clocks went back, the jump itself when they went
    /// forward over it. So later times of day never give earlier instants.
    fn instant(&self, day: Date, minute: u16) -> Option<Moment> {
        let (day, minute) = if minute >= MINUTES_A_DAY { (day.tomorrow().ok()?, 0) } else { (day, minute) };
        let hour = i8::try_from(minute / 60).ok()?;
        let time: DateTime = day.at(hour, i8::try_from(minute % 60).ok()?, 0, 0);
        let ambiguous = self.zone.to_ambiguous_timestamp(time);
        if let AmbiguousOffset::Gap { after, .. } = ambiguous.offset() {
            let before_jump = after.to_timestamp(time).ok()?;
            return self.zone.following(before_jump).next().map(|jump| jump.timestamp().into());
        }
        ambiguous.compatible().ok().map(Moment::from)
    }
}

#[cfg(test)]
mod tests;
