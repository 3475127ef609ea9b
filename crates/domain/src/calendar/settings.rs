//! A calendar as an operator writes it, and what is wrong with it.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Calendar, Holidays, MINUTES_A_DAY, Region, Span};

/// A calendar in the configuration.
///
/// ```toml
/// zone = "Europe/Paris"
/// hours = ["mon-fri 08:00-12:00 13:00-18:00", "sat 09:00-12:00"]
/// holidays = ["fr", "2026-12-24", "*-12-31", "2026-08-03..2026-08-14"]
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalendarSettings {
    /// A name of the IANA time-zone database.
    pub zone: String,
    /// Lines of days and times; `24x7` for always. Days are `mon` to `sun` (or `lun` to `dim`), lists and ranges of
    /// them, or `daily`. A time range that ends before it begins goes on after midnight.
    pub hours: Vec<String>,
    /// Dates, `*-MM-DD` for every year, ranges of either with `..`, or the name of a country's public holidays (`fr`,
    /// `fr-alsace-moselle`, `be`, `lu`).
    pub holidays: Vec<String>,
}

impl Default for CalendarSettings {
    fn default() -> Self {
        Self { zone: "UTC".to_owned(), hours: vec!["mon-fri 08:00-18:00".to_owned()], holidays: Vec::new() }
    }
}

/// What is wrong with a calendar: which key, which value, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {value:?}: {remedy}")]
pub struct CalendarError {
    /// `zone`, `hours` or `holidays`.
    pub key: &'static str,
    /// The entry as written.
    pub value: String,
    /// What is wrong with it and what would be right.
    pub remedy: String,
}

const DAYS: [[&str; 4]; 7] = [
    ["mon", "monday", "lun", "lundi"],
    ["tue", "tuesday", "mar", "mardi"],
    ["wed", "wednesday", "mer", "mercredi"],
    ["thu", "thursday", "jeu", "jeudi"],
    ["fri", "friday", "ven", "vendredi"],
    ["sat", "saturday", "sam", "samedi"],
    ["sun", "sunday", "dim", "dimanche"],
];

impl CalendarSettings {
    pub(super) fn read(&self) -> Result<Calendar, CalendarError> {
        let zone = TimeZone::get(self.zone.trim()).map_err(|_| CalendarError {
            key: "zone",
            value: self.zone.clone(),
            remedy: "no such time zone: use a name of the IANA database such as \"Europe/Paris\"".to_owned(),
        })?;
        let mut week: [Vec<Span>; 7] = Default::default();
        for line in &self.hours {
            read_hours(line, &mut week).map_err(|remedy| CalendarError {
                key: "hours",
                value: line.clone(),
                remedy,
            })?;
        }
        let mut holidays = Holidays::default();
        for entry in &self.holidays {
            read_holiday(entry, &mut holidays).map_err(|remedy| CalendarError {
                key: "holidays",
                value: entry.clone(),
                remedy,
            })?;
        }
        if week.iter().all(Vec::is_empty) {
            let remedy = "it would never open: write at least one line such as \"mon-fri 08:00-18:00\", or \"24x7\"";
            return Err(CalendarError { key: "hours", value: self.hours.join("; "), remedy: remedy.to_owned() });
        }
        if holidays.fill_the_year() {
            let remedy = "every day of the year is a holiday: it would never open".to_owned();
            return Err(CalendarError { key: "holidays", value: self.holidays.join("; "), remedy });
        }
        Ok(Calendar { zone, week, holidays })
    }
}

fn read_hours(line: &str, week: &mut [Vec<Span>; 7]) -> Result<(), String> {
    let line = line.to_lowercase();
    let mut words = line.split_whitespace();
    let days = words.next().ok_or("it is empty: write days and times, \"mon-fri 08:00-18:00\"")?;
    let ranges: Vec<&str> = words.collect();
    if days == "24x7" || days == "24/7" {
        if ranges.is_empty() {
            return (0..7).try_for_each(|day| add(week, day, Span { from: 0, to: MINUTES_A_DAY }));
        }
        return Err("24x7 stands alone".to_owned());
    }
    if ranges.is_empty() {
        return Err("days without times: add them, \"mon-fri 08:00-18:00\"".to_owned());
    }
    for day in read_days(days)? {
        for range in &ranges {
            let (from, to) = read_range(range)?;
            if from < to {
                add(week, day, Span { from, to })?;
            } else {
                add(week, day, Span { from, to: MINUTES_A_DAY })?;
                add(week, (day + 1) % 7, Span { from: 0, to })?;
            }
        }
    }
    Ok(())
}

fn add(week: &mut [Vec<Span>; 7], day: usize, span: Span) -> Result<(), String> {
    let Some(spans) = week.get_mut(day).filter(|_| span.from < span.to) else { return Ok(()) };
    if spans.iter().any(|other| span.from < other.to && other.from < span.to) {
        let name = DAYS.get(day).map_or("a day", |names| names[1]);
        return Err(format!("on {name} it overlaps with other hours: leave one out"));
    }
    spans.push(span);
    spans.sort_unstable();
    Ok(())
}

fn read_days(text: &str) -> Result<Vec<usize>, String> {
    if matches!(text, "daily" | "everyday" | "mon-sun" | "quotidien") {
        return Ok((0..7).collect());
    }
    let mut days = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        match part.split_once('-') {
            None => days.push(read_day(part)?),
            Some((first, last)) => {
                let (mut day, last) = (read_day(first)?, read_day(last)?);
                while day != last {
                    days.push(day);
                    day = (day + 1) % 7;
                }
                days.push(last);
            }
        }
    }
    Ok(days)
}

fn read_day(name: &str) -> Result<usize, String> {
    DAYS.iter()
        .position(|names| names.contains(&name))
        .ok_or_else(|| format!("{name:?} is no day: use mon, tue, wed, thu, fri, sat, sun, or ranges such as mon-fri"))
}

fn read_range(text: &str) -> Result<(u16, u16), String> {
    let wrong = || format!("{text:?} is no range of times: write it as 08:00-18:00");
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let (from, to) = (read_time(from).ok_or_else(wrong)?, read_time(to).ok_or_else(wrong)?);
    if from == to || from == MINUTES_A_DAY {
        return Err(format!("{text:?} has no length: for a whole day write 00:00-24:00"));
    }
    Ok((from, to))
}

/// `08:00`, `8:00`, `8h`, `8h30`, and `24:00`.
fn read_time(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once([':', 'h'])?;
    let minute = if minute.is_empty() && text.ends_with('h') { "0" } else { minute };
    let number = |text: &str| if text.len() <= 2 { text.parse::<u16>().ok() } else { None };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (minute < 60 && hour * 60 + minute <= MINUTES_A_DAY).then_some(hour * 60 + minute)
}

fn read_holiday(entry: &str, holidays: &mut Holidays) -> Result<(), String> {
    let entry = entry.trim();
    if let Some(region) = Region::parse(entry) {
        holidays.add_region(region);
        return Ok(());
    }
    let (first, last) = entry.split_once("..").unwrap_or((entry, entry));
    let (first, last) = (first.trim(), last.trim());
    if let (Some(first), Some(last)) = (first.strip_prefix("*-"), last.strip_prefix("*-")) {
        return read_yearly(first, last, holidays);
    }
    let (first, last) = (read_date(first)?, read_date(last)?);
    let days = first.until(last).map_or(-1, |span| span.get_days());
    if !(0..=366).contains(&days) {
        return Err("the range must end after it begins, within a year".to_owned());
    }
    first.series(jiff::ToSpan::day(1)).take_while(|day| *day <= last).for_each(|day| holidays.add_date(day));
    Ok(())
}

fn read_yearly(first: &str, last: &str, holidays: &mut Holidays) -> Result<(), String> {
    // Read in a leap year, which has all the days there are; a range may run over New Year.
    let (first, mut last) = (read_date(&format!("2024-{first}"))?, read_date(&format!("2024-{last}"))?);
    if last < first {
        last = last.with().year(2025).build().map_err(|_| "end the range at *-02-28".to_owned())?;
    }
    let days = first.series(jiff::ToSpan::day(1)).take_while(|day| *day <= last);
    days.for_each(|day| holidays.add_yearly(day.month(), day.day()));
    Ok(())
}

fn read_date(text: &str) -> Result<Date, String> {
    let regions = Region::ALL.map(|(name, _)| name).join(", ");
    text.parse::<Date>()
        .ok()
        .filter(|_| text.len() == 10)
        .ok_or_else(|| format!("{text:?} is no date: write 2026-12-25, *-12-25 for every year, or one of {regions}"))
}
