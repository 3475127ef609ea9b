//! IMAP's two date notations against [`Moment`].

use std::time::Duration;

use guichet_domain::time::Moment;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: i64 = 86_400;

/// Reads an INTERNALDATE (`17-Jul-1996 02:44:25 -0700`, the day possibly padded by a space); `None` if it is none.
pub fn internal_date(text: &str) -> Option<Moment> {
    let mut fields = text.split_ascii_whitespace();
    let (date, time, zone) = (fields.next()?, fields.next()?, fields.next()?);
    let mut date = date.split('-');
    let day: i64 = date.next()?.parse().ok()?;
    let name = date.next()?;
    let month = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    let year: i64 = date.next()?.parse().ok()?;
    let mut time = time.split(':').map(|part| part.parse::<i64>().ok());
    let (hours, minutes, seconds) = (time.next()??, time.next()??, time.next()??);
    let (sign, digits) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(digits), _) => (1, digits),
        (_, Some(digits)) => (-1, digits),
        _ => return None,
    };
    let offset: i64 = digits.parse().ok()?;
    let east = sign * (offset / 100 * 3_600 + offset % 100 * 60);
    if !(1..=31).contains(&day) || !(1900..=9999).contains(&year) || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let month = i64::try_from(month).ok()? + 1;
    Some(Moment::from_secs(days(year, month, day) * DAY + hours * 3_600 + minutes * 60 + seconds - east))
}

/// The date for `SEARCH SINCE`, one day early: servers compare the day in the mail's own zone and drop the time, so the
/// exact instant is checked afterwards against INTERNALDATE.
pub fn search_date(since: Moment) -> String {
    let early = (since - Duration::from_hours(24)).max(Moment::EARLIEST);
    early.timestamp().strftime("%-d-%b-%Y").to_string()
}

/// Days from 1970-01-01 to a Gregorian date.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_dates_are_read_with_their_zone() {
        assert_eq!(internal_date("17-Jul-1996 02:44:25 -0700").unwrap().to_string(), "1996-07-17T09:44:25Z");
        assert_eq!(internal_date(" 1-Mar-2024 00:30:00 +0100").unwrap().to_string(), "2024-02-29T23:30:00Z");
        assert_eq!(internal_date("01-Jan-1970 00:00:00 +0000"), Some(Moment::from_secs(0)));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in
            ["", "yesterday", "17-Jul-1996 02:44 -0700", "99-Jul-1996 02:44:25 -0700", "1-Foo-2024 00:00:00 +0000"]
        {
            assert_eq!(internal_date(text), None, "{text}");
        }
    }

    #[test]
    fn the_search_asks_one_day_more_than_wanted() {
        assert_eq!(search_date(internal_date("01-Mar-2024 00:00:10 +0000").unwrap()), "29-Feb-2024");
    }
}
