use proptest::prelude::*;

use super::*;

fn calendar(zone: &str, hours: &[&str], holidays: &[&str]) -> Result<Calendar, CalendarError> {
    let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    Calendar::new(&CalendarSettings { zone: zone.to_owned(), hours: owned(hours), holidays: owned(holidays) })
}

fn office() -> Calendar {
    calendar("Europe/Paris", &["mon-fri 08:00-12:00 13:00-18:00"], &["fr", "2026-12-24"]).unwrap()
}

/// `2026-11-20 17:30` in Paris.
fn paris(local: &str) -> Moment {
    let local: DateTime = local.parse().unwrap();
    local.in_tz("Europe/Paris").unwrap().timestamp().into()
}

fn minutes(span: Duration) -> u64 {
    span.as_secs() / 60
}

#[test]
fn a_promise_made_on_friday_evening_ends_on_monday_morning() {
    assert_eq!(office().add_open_time(paris("2026-11-20 17:30"), 60), paris("2026-11-23 08:30"));
    assert_eq!(office().add_open_time(paris("2026-11-21 10:00"), 60), paris("2026-11-23 09:00"));
    assert_eq!(office().add_open_time(paris("2026-11-23 11:30"), 60), paris("2026-11-23 13:30"));
}

#[test]
fn time_that_runs_out_at_closing_ends_at_closing() {
    assert_eq!(office().add_open_time(paris("2026-11-20 17:00"), 60), paris("2026-11-20 18:00"));
    for none in [0, -5] {
        assert_eq!(office().add_open_time(paris("2026-11-20 23:00"), none), paris("2026-11-20 23:00"));
    }
}

#[test]
fn holidays_are_skipped_national_and_our_own() {
    // Thursday the 24th is ours, Friday the 25th Christmas; then a week-end.
    assert_eq!(office().add_open_time(paris("2026-12-23 17:00"), 120), paris("2026-12-28 09:00"));
    assert!(!office().is_open(paris("2027-07-14 10:00")));
    let company = calendar("UTC", &["daily 09:00-17:00"], &["*-12-24..*-01-02", "2026-08-03..2026-08-14"]).unwrap();
    let noon = |day: &str| format!("{day}T12:00:00Z").parse::<jiff::Timestamp>().unwrap().into();
    for closed in ["2026-12-24", "2031-12-31", "2027-01-02", "2026-08-14"] {
        assert!(!company.is_open(noon(closed)), "{closed}");
    }
    for open in ["2026-12-23", "2027-01-03", "2026-08-15", "2027-08-03"] {
        assert!(company.is_open(noon(open)), "{open}");
    }
}

#[test]
fn it_is_open_from_opening_to_just_before_closing() {
    for (local, open) in [
        ("2026-11-23 07:59:59", false),
        ("2026-11-23 08:00", true),
        ("2026-11-23 11:59:59", true),
        ("2026-11-23 12:00", false),
        ("2026-11-23 18:00", false),
        ("2026-11-22 10:00", false),
    ] {
        assert_eq!(office().is_open(paris(local)), open, "{local}");
    }
    assert_eq!(office().next_opening(paris("2026-11-22 10:00")), Some(paris("2026-11-23 08:00")));
    assert_eq!(office().next_opening(paris("2026-11-23 10:00")), Some(paris("2026-11-23 10:00")));
}

#[test]
fn a_night_has_an_hour_less_in_spring_and_an_hour_more_in_autumn() {
    let nights = calendar("Europe/Paris", &["sat 22:00-06:00"], &[]).unwrap();
    let worked = |from: &str, to: &str| minutes(nights.open_between(paris(from), paris(to)));
    assert_eq!(worked("2026-03-21 12:00", "2026-03-22 12:00"), 8 * 60);
    assert_eq!(worked("2026-03-28 12:00", "2026-03-29 12:00"), 7 * 60);
    assert_eq!(worked("2026-10-24 12:00", "2026-10-25 12:00"), 9 * 60);
    // The office does not notice.
    let office = office();
    assert_eq!(minutes(office.open_between(paris("2026-03-27 00:00"), paris("2026-03-31 00:00"))), 18 * 60);
}

#[test]
fn hours_inside_the_hour_that_is_skipped_do_not_exist_that_day() {
    let early = calendar("Europe/Paris", &["sun 02:15-02:45 03:00-04:00"], &[]).unwrap();
    let worked = |from: &str, to: &str| minutes(early.open_between(paris(from), paris(to)));
    assert_eq!(worked("2026-03-29 00:00", "2026-03-29 12:00"), 60);
    assert_eq!(worked("2026-03-22 00:00", "2026-03-22 12:00"), 90);
}

#[test]
fn day_and_night_never_closes() {
    let always = calendar("Europe/Paris", &["24x7"], &[]).unwrap();
    let from = paris("2026-03-29 00:30");
    assert_eq!(always.add_open_time(from, 120), paris("2026-03-29 03:30"));
    assert_eq!(Calendar::default().add_open_time(from, 120), paris("2026-03-29 03:30"));
    assert_eq!((always.zone_name(), Calendar::default().zone_name()), ("Europe/Paris", "UTC"));
    assert!(always.is_open(from));
    let with_feast = calendar("Europe/Paris", &["24x7"], &["*-05-01"]).unwrap();
    assert_eq!(with_feast.add_open_time(paris("2026-04-30 23:00"), 120), paris("2026-05-02 01:00"));
}

#[test]
fn days_may_be_written_in_french_in_lists_and_round_the_week() {
    let written = calendar("UTC", &["lun,mercredi 8h-12h 14h-17h30", "ven-dim 10:00-11:00"], &[]).unwrap();
    let week: Vec<u64> = (0..7)
        .map(|day| {
            let start = Moment::from_secs(1_795_392_000 + day * 86_400);
            minutes(written.open_between(start, start + Duration::from_hours(24)))
        })
        .collect();
    assert_eq!(week, [450, 0, 450, 0, 60, 60, 60]);
}

#[test]
fn what_is_wrong_is_named_with_its_remedy() {
    let told = |zone: &str, hours: &[&str], holidays: &[&str]| calendar(zone, hours, holidays).unwrap_err().to_string();
    for (error, words) in [
        (told("Europe/Pari", &["24x7"], &[]), "zone = \"Europe/Pari\": no such time zone"),
        (told("UTC", &["mon-fry 08:00-18:00"], &[]), "hours = \"mon-fry 08:00-18:00\": \"fry\" is no day"),
        (told("UTC", &["mon 08:00"], &[]), "\"08:00\" is no range of times: write it as 08:00-18:00"),
        (told("UTC", &["mon 08:00-25:00"], &[]), "\"08:00-25:00\" is no range"),
        (told("UTC", &["mon 08:00-08:00"], &[]), "has no length: for a whole day write 00:00-24:00"),
        (told("UTC", &["mon"], &[]), "days without times"),
        (told("UTC", &["mon-fri 08:00-12:00", "wed 11:00-13:00"], &[]), "on wednesday it overlaps"),
        (told("UTC", &[], &[]), "it would never open"),
        (told("UTC", &["24x7"], &["*-01-01..*-12-31"]), "every day of the year is a holiday"),
        (told("UTC", &["24x7"], &["2026-02-30"]), "holidays = \"2026-02-30\": \"2026-02-30\" is no date"),
        (told("UTC", &["24x7"], &["xx"]), "or one of fr, fr-alsace-moselle, be, lu"),
        (told("UTC", &["24x7"], &["2026-12-31..2026-12-01"]), "must end after it begins"),
    ] {
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_calendar_that_opens_once_and_never_again_still_answers() {
    let leap = calendar("UTC", &["daily 09:00-10:00"], &["*-03-01..*-02-28"]).unwrap();
    let from = paris("2026-11-22 10:00");
    assert_eq!(leap.next_opening(from).unwrap().to_string(), "2028-02-29T09:00:00Z");
    assert!(leap.add_open_time(from, 10_000) > from);
}

fn calendars() -> impl Strategy<Value = Calendar> {
    let hours = prop_oneof![
        Just(vec!["mon-fri 08:00-12:00 13:00-18:00"]),
        Just(vec!["24x7"]),
        Just(vec!["daily 22:00-06:00"]),
        Just(vec!["sat,sun 01:30-02:30 02:45-03:15", "wed 00:00-24:00"]),
    ];
    let zone = prop_oneof![Just("Europe/Paris"), Just("America/New_York"), Just("Australia/Lord_Howe"), Just("UTC")];
    let holidays = prop_oneof![Just(vec![]), Just(vec!["fr", "*-10-25"])];
    (zone, hours, holidays).prop_map(|(zone, hours, holidays)| calendar(zone, &hours, &holidays).unwrap())
}

/// Within two years around the days when clocks change.
fn moments() -> impl Strategy<Value = Moment> {
    (1_767_225_600_000_000..1_830_297_600_000_000_i64).prop_map(Moment::from_micros)
}

proptest! {
    #[test]
    fn waiting_twice_is_waiting_the_sum(open in calendars(), from in moments(), a in 0..9_000_i64, b in 0..9_000_i64) {
        prop_assert_eq!(open.add_open_time(open.add_open_time(from, a), b), open.add_open_time(from, a + b));
    }

    #[test]
    fn what_was_added_is_what_lies_between(open in calendars(), from in moments(), count in 0..9_000_i64) {
        let to = open.add_open_time(from, count);
        prop_assert_eq!(open.open_between(from, to), Duration::from_secs(60 * count.unsigned_abs()));
    }

    #[test]
    fn who_comes_later_is_answered_no_sooner(open in calendars(), from in moments(), later in 0..90_000_000_000_u64, count in 1..9_000_i64) {
        let then = from + Duration::from_micros(later);
        prop_assert!(open.add_open_time(from, count) <= open.add_open_time(then, count));
    }

    #[test]
    fn open_time_adds_up_over_any_instant_between(open in calendars(), mut at in [moments(), moments(), moments()]) {
        at.sort_unstable();
        let [a, b, c] = at;
        prop_assert_eq!(open.open_between(a, c), open.open_between(a, b) + open.open_between(b, c));
        prop_assert_eq!(open.open_between(c, a), Duration::ZERO);
    }

    #[test]
    fn at_the_next_opening_it_is_open_and_before_it_is_not(open in calendars(), at in moments()) {
        let opening = open.next_opening(at).unwrap();
        prop_assert!(open.is_open(opening));
        prop_assert_eq!(open.open_between(at, opening), Duration::ZERO);
        prop_assert_eq!(open.is_open(at), opening == at);
    }
}
