//! Days on which nobody is there: single dates, days of every year, and the public holidays of a country.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::{Date, date};

/// A set of holidays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holidays {
    dates: BTreeSet<Date>,
    yearly: BTreeSet<(i8, i8)>,
    regions: BTreeSet<Region>,
}

/// Whose public holidays are worked out, movable feasts included. To add one: a line in [`Region::ALL`] and its days in
/// `fixed` and `after_easter` below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Region {
    /// France.
    France,
    /// France with the two further days of Alsace and Moselle.
    AlsaceMoselle,
    /// Belgium.
    Belgium,
    /// Luxembourg.
    Luxembourg,
}

impl Region {
    /// Every region by the name it has in the configuration.
    pub const ALL: [(&'static str, Self); 4] = [
        ("fr", Self::France),
        ("fr-alsace-moselle", Self::AlsaceMoselle),
        ("be", Self::Belgium),
        ("lu", Self::Luxembourg),
    ];

    /// The region with this name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, region)| region)
    }

    /// Month and day.
    const fn fixed(self) -> &'static [(i8, i8)] {
        match self {
            Self::France => &[(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)],
            Self::AlsaceMoselle => &[(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25), (12, 26)],
            Self::Belgium => &[(1, 1), (5, 1), (7, 21), (8, 15), (11, 1), (11, 11), (12, 25)],
            Self::Luxembourg => &[(1, 1), (5, 1), (5, 9), (6, 23), (8, 15), (11, 1), (12, 25), (12, 26)],
        }
    }

    /// Days after Easter Sunday: Good Friday is -2, Easter Monday 1, Ascension 39, Whit Monday 50.
    const fn after_easter(self) -> &'static [i32] {
        match self {
            Self::AlsaceMoselle => &[-2, 1, 39, 50],
            Self::France | Self::Belgium | Self::Luxembourg => &[1, 39, 50],
        }
    }

    fn contains(self, day: Date) -> bool {
        self.fixed().contains(&(day.month(), day.day()))
            || easter(day.year())
                .and_then(|easter| easter.until(day).ok())
                .is_some_and(|since| self.after_easter().contains(&since.get_days()))
    }
}

impl Holidays {
    /// Adds one date.
    pub fn add_date(&mut self, day: Date) {
        self.dates.insert(day);
    }

    /// Adds a day of every year. The 29th of February is a holiday in leap years.
    pub fn add_yearly(&mut self, month: i8, day: i8) {
        self.yearly.insert((month, day));
    }

    /// Adds a region's public holidays, of every year.
    pub fn add_region(&mut self, region: Region) {
        self.regions.insert(region);
    }

    /// Whether this day is one.
    pub fn contains(&self, day: Date) -> bool {
        self.dates.contains(&day)
            || self.yearly.contains(&(day.month(), day.day()))
            || self.regions.iter().any(|region| region.contains(day))
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.dates.is_empty() && self.yearly.is_empty() && self.regions.is_empty()
    }

    /// Whether no day of the year is left.
    pub(crate) fn fill_the_year(&self) -> bool {
        let first = date(2024, 1, 1);
        (0..366).all(|n| first.checked_add(n.days()).is_ok_and(|day| self.yearly.contains(&(day.month(), day.day()))))
    }
}

/// Easter Sunday of the Gregorian calendar (the "anonymous" computation of 1876); `None` for years out of range.
fn easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let golden = y.rem_euclid(19);
    let (century, rest) = (y.div_euclid(100), y.rem_euclid(100));
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - correction + 15).rem_euclid(30);
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4).rem_euclid(7);
    let shift = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * shift + 114;
    Date::new(year, i8::try_from(days / 31).ok()?, i8::try_from(days % 31 + 1).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_falls_where_the_almanac_says() {
        for day in [
            date(1961, 4, 2),
            date(2000, 4, 23),
            date(2008, 3, 23),
            date(2011, 4, 24),
            date(2024, 3, 31),
            date(2025, 4, 20),
            date(2026, 4, 5),
            date(2027, 3, 28),
            date(2038, 4, 25),
        ] {
            assert_eq!(easter(day.year()), Some(day));
        }
    }

    #[test]
    fn france_has_eleven_days_and_alsace_two_more() {
        let of = |region: Region| {
            let first = date(2026, 1, 1);
            (0..365)
                .map(|n| first.checked_add(n.days()).unwrap())
                .filter(|day| region.contains(*day))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(Region::France).len(), 11);
        assert!(of(Region::France).contains(&date(2026, 4, 6)), "Easter Monday");
        assert!(of(Region::France).contains(&date(2026, 5, 14)), "Ascension");
        assert!(of(Region::France).contains(&date(2026, 5, 25)), "Whit Monday");
        assert_eq!(of(Region::AlsaceMoselle).len(), 13);
        assert!(of(Region::AlsaceMoselle).contains(&date(2026, 4, 3)), "Good Friday");
        assert_eq!(of(Region::Belgium).len(), 10);
        assert_eq!(of(Region::Luxembourg).len(), 11);
    }
}
