//! Instants and spans as people say them.

use std::time::Duration;

use guichet_domain::Moment;
use jiff::tz::TimeZone;

/// A span in its two or three largest words: `3 min`, `2 h`, `5 d`.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        172_800..31_536_000 => format!("{} d", seconds / 86_400),
        _ => format!("{} y", seconds / 31_536_000),
    }
}

/// How long `at` is from `now`: `3 min`, `in 3 min`.
pub fn age(at: Moment, now: Moment) -> String {
    if at > now { format!("in {}", span(at.since(now))) } else { span(now.since(at)) }
}

/// An instant in a time zone, to the minute: `2026-11-22 10:34`.
pub fn local(at: Moment, zone: &TimeZone) -> String {
    at.timestamp().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_one_unit() {
        let now = Moment::from_secs(1_000_000_000);
        let ago = |seconds: u64| age(now - Duration::from_secs(seconds), now);
        assert_eq!(
            [ago(5), ago(185), ago(7_300), ago(172_800), ago(80_000_000)],
            ["5 s", "3 min", "2 h", "2 d", "2 y"]
        );
        assert_eq!(age(now + Duration::from_mins(1), now), "in 1 min");
    }

    #[test]
    fn instants_are_shown_in_the_zone_of_whoever_reads() {
        let at = Moment::from_secs(1_795_340_045);
        assert_eq!(local(at, &TimeZone::get("Europe/Paris").unwrap()), "2026-11-22 10:34");
        assert_eq!(local(at, &TimeZone::UTC), "2026-11-22 09:34");
    }
}
