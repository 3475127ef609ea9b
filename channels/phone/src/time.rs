//! Instants as phone systems write them.

use guichet_domain::Moment;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Seconds, milliseconds or microseconds since 1970, RFC 3339, RFC 2822, or a local time of `zone` without one.
pub(crate) fn moment(text: &str, zone: &TimeZone) -> Option<Moment> {
    let text = text.trim();
    if let Some(moment) = since_epoch(text) {
        return Some(moment);
    }
    let written = text.parse::<jiff::Timestamp>().ok();
    let written = written.or_else(|| jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()));
    let local = || text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp());
    written.or_else(local).map(Moment::from)
}

fn since_epoch(text: &str) -> Option<Moment> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 16 || !digits(whole) || !digits(part) {
        return None;
    }
    let value: i64 = whole.parse().ok()?;
    let micros = match whole.len() {
        // What is not set is written as zero.
        _ if value == 0 => return None,
        ..=11 => {
            let part: i64 = format!("{part:0<6}").get(..6)?.parse().ok()?;
            value.checked_mul(1_000_000)?.checked_add(part)?
        }
        12..=14 => value.checked_mul(1_000)?,
        _ => value,
    };
    Some(Moment::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_an_instant_gives_the_same() {
        let paris = TimeZone::get("Europe/Paris").unwrap();
        for text in [
            "1795338900",
            "1795338900.0",
            "1795338900000",
            "1795338900000000",
            "2026-11-22T09:15:00Z",
            "2026-11-22T10:15:00+01:00",
            "2026-11-22 09:15:00.000Z",
            "Sun, 22 Nov 2026 09:15:00 +0000",
            "2026-11-22 10:15:00",
            "2026-11-22T10:15:00",
        ] {
            assert_eq!(moment(text, &paris), Some(Moment::from_secs(1_795_338_900)), "{text}");
        }
        assert_eq!(moment("1554823493.762305", &paris), Some(Moment::from_micros(1_554_823_493_762_305)));
        for nothing in ["", "0", "never", "-5", "99999999999999999999"] {
            assert_eq!(moment(nothing, &paris), None, "{nothing}");
        }
    }
}
