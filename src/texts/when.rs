//! Instants in words, in the reader's language and the desk's zone.

use guichet_domain::Moment;
use guichet_domain::language::Language;
use jiff::tz::TimeZone;

/// Days from Monday, in English and French.
const DAYS: [(&str, &str); 7] = [
    ("Monday", "lundi"),
    ("Tuesday", "mardi"),
    ("Wednesday", "mercredi"),
    ("Thursday", "jeudi"),
    ("Friday", "vendredi"),
    ("Saturday", "samedi"),
    ("Sunday", "dimanche"),
];

/// Months from January.
const MONTHS: [(&str, &str); 12] = [
    ("January", "janvier"),
    ("February", "février"),
    ("March", "mars"),
    ("April", "avril"),
    ("May", "mai"),
    ("June", "juin"),
    ("July", "juillet"),
    ("August", "août"),
    ("September", "septembre"),
    ("October", "octobre"),
    ("November", "novembre"),
    ("December", "décembre"),
];

/// `Monday 23 November 2026 at 10:30 (Europe/Paris)`, `lundi 23 novembre 2026 à 10:30 (Europe/Paris)`. The minute is
/// rounded up: a promise must not be told as earlier than it is kept. An unknown zone gives UTC, and says so.
pub(super) fn say(at: Moment, zone: Option<&str>, language: Language) -> String {
    let (zone, name) = match zone.and_then(|name| TimeZone::get(name).ok().map(|zone| (zone, name))) {
        Some(known) => known,
        None => (TimeZone::UTC, "UTC"),
    };
    let minute = 60_000_000;
    let rounded = Moment::from_micros((at.micros() + minute - 1).div_euclid(minute) * minute);
    let local = rounded.timestamp().to_zoned(zone);
    let day =
        DAYS.get(usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0)).copied().unwrap_or_default();
    let month = MONTHS.get(usize::try_from(local.month() - 1).unwrap_or(0)).copied().unwrap_or_default();
    let (number, year, hour, minute) = (local.day(), local.year(), local.hour(), local.minute());
    match language {
        Language::Fr => {
            let number = if number == 1 { "1er".to_owned() } else { number.to_string() };
            format!("{} {number} {} {year} à {hour:02}:{minute:02} ({name})", day.1, month.1)
        }
        _ => format!("{} {number} {} {year} at {hour:02}:{minute:02} ({name})", day.0, month.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_told_in_the_desks_zone_and_rounded_up() {
        let at = Moment::from_micros(1_795_340_045_000_001);
        assert_eq!(say(at, Some("Europe/Paris"), Language::En), "Sunday 22 November 2026 at 10:35 (Europe/Paris)");
        assert_eq!(say(at, Some("Mars/Base"), Language::En), "Sunday 22 November 2026 at 09:35 (UTC)");
    }

    #[test]
    fn french_says_the_first_of_the_month_its_own_way() {
        let at = Moment::from_secs(1_798_761_600);
        assert_eq!(say(at, Some("Europe/Paris"), Language::Fr), "vendredi 1er janvier 2027 à 01:00 (Europe/Paris)");
    }
}
