//! Phone numbers: from whatever a system writes to E.164, or not at all.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region};

use crate::event::Line;

/// Most characters of a number that is kept as it came.
const LONGEST: usize = 64;
/// What stands for a number that its owner keeps to himself: words, and those words as typed on a keypad.
const WITHHELD: [&str; 17] = [
    "anonymous",
    "restricted",
    "unavailable",
    "unknown",
    "blocked",
    "private",
    "withheld",
    "hidden",
    "no number",
    "<unknown>",
    "anonyme",
    "masqué",
    "266696687",
    "7378742833",
    "2562533",
    "8656696",
    "86282452253",
];
/// Where national French numbers lead that are not of the mainland.
const OVERSEAS: [Region; 5] = [Region::RE, Region::GP, Region::GF, Region::MQ, Region::YT];

/// How those begin.
const OVERSEAS_PREFIXES: [&str; 8] = ["0262", "0263", "0269", "0590", "0594", "0596", "069", "0639"];

/// How a system writes numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers {
    /// Whose national numbers they are.
    pub(crate) country: Region,
    /// Whether numbers of the public network come without their plus.
    pub(crate) plusless: bool,
}

impl Numbers {
    /// What `text` means. Nothing is `Line::default()`.
    pub(crate) fn read(self, text: &str) -> Line {
        let text = bare(text);
        if text.is_empty() {
            return Line::default();
        }
        if is_withheld(&text) {
            return Line { withheld: true, ..Line::default() };
        }
        match self.e164(&text) {
            Some(number) => Line { number: Some(number), ..Line::default() },
            None => Line { raw: Some(text.chars().take(LONGEST).collect()), ..Line::default() },
        }
    }

    fn e164(self, text: &str) -> Option<String> {
        if text.chars().count() > LONGEST || !text.chars().all(|c| c.is_ascii_digit() || " +-.()/".contains(c)) {
            return None;
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let international = text.starts_with('+') || digits.starts_with("00");
        // Short codes are dialled within a country alone.
        if digits.len() <= 6 || digits.len() > 17 {
            return None;
        }
        if international {
            let number = format!("+{}", digits.trim_start_matches("00"));
            return parse(&number, None).filter(is_possible).map(|number| written(&number));
        }
        let plussed = || parse(&format!("+{digits}"), None).filter(|_| !digits.starts_with('0'));
        if self.plusless
            && let Some(number) = plussed().filter(is_possible)
        {
            return Some(written(&number));
        }
        let national = parse(text, Some(self.country));
        let overseas = || {
            let french = self.country == Region::FR;
            OVERSEAS.into_iter().filter(move |_| french).find_map(|region| parse(text, Some(region)).filter(is_valid))
        };
        // Within France these are dialled like numbers of the mainland, and some would be valid there.
        let mainland = || national.clone().filter(is_valid);
        let far = OVERSEAS_PREFIXES.iter().any(|prefix| digits.starts_with(prefix));
        let first = if far { overseas().or_else(mainland) } else { mainland().or_else(overseas) };
        let found = first.or_else(|| plussed().filter(is_valid));
        let found = found.or_else(|| national.filter(is_possible)).or_else(|| plussed().filter(is_possible));
        found.map(|number| written(&number))
    }
}

/// Whether a text message can reach it.
pub(crate) fn is_mobile(e164: &str) -> bool {
    parse(e164, None).is_some_and(|number| {
        is_valid(&number) && matches!(number.get_type(), PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile)
    })
}

/// As people write it: `+33 6 12 34 56 78`.
pub(crate) fn shown(e164: &str) -> String {
    parse(e164, None)
        .map_or_else(|| e164.to_owned(), |number| number.format_as(PhoneNumberFormat::International).into_owned())
}

/// The region of this code (`FR`), if there is one.
pub(crate) fn region(code: &str) -> Option<Region> {
    Region::from_code(code).ok()
}

/// Whether `text` is what systems write for a number that must not be known.
pub(crate) fn is_withheld(text: &str) -> bool {
    let word = text.trim().trim_matches('"').trim_start_matches('+').to_lowercase();
    WITHHELD.contains(&word.as_str())
}

/// Without what surrounds it: a scheme, a host, parameters. A plus that was read as a blank is not missed.
fn bare(text: &str) -> String {
    let text = text.trim().trim_matches(['<', '>', '"']);
    let text = text.strip_prefix("sip:").or_else(|| text.strip_prefix("sips:")).unwrap_or(text);
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let text = text.split([';', '@']).next().unwrap_or_default().trim();
    text.chars().map(|c| c.to_digit(10).map_or(c, |_| c)).filter(|c| !c.is_control()).collect()
}

fn parse(text: &str, region: Option<Region>) -> Option<PhoneNumber> {
    PHONE_NUMBER_UTIL.parse(text, region).ok()
}

fn is_valid(number: &PhoneNumber) -> bool {
    number.is_valid()
}

fn is_possible(number: &PhoneNumber) -> bool {
    number.is_possible_with_reason().is_ok()
}

fn written(number: &PhoneNumber) -> String {
    number.format_as(PhoneNumberFormat::E164).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRENCH: Numbers = Numbers { country: Region::FR, plusless: false };

    fn number(text: &str) -> Option<String> {
        FRENCH.read(text).number
    }

    #[test]
    fn every_way_of_writing_a_number_gives_the_same() {
        for text in [
            "+33612345678",
            "0033612345678",
            "33612345678",
            "0612345678",
            "06 12 34 56 78",
            " 33612345678",
            "sip:+33612345678@pbx.example;user=phone",
            "tel:+33-6-12-34-56-78",
            "+33612345678;ext=12",
        ] {
            assert_eq!(number(text).as_deref(), Some("+33612345678"), "{text}");
        }
    }

    #[test]
    fn where_numbers_come_without_a_plus_they_are_international() {
        let german = Numbers { country: Region::FR, plusless: true };
        assert_eq!(german.read("4915112345678").number.as_deref(), Some("+4915112345678"));
        assert_eq!(german.read("0612345678").number.as_deref(), Some("+33612345678"));
    }

    #[test]
    fn french_numbers_from_overseas_have_their_own_country() {
        assert_eq!(number("0262123456").as_deref(), Some("+262262123456"));
        assert_eq!(number("0690123456").as_deref(), Some("+590690123456"));
        assert_eq!(number("0596501234").as_deref(), Some("+596596501234"));
    }

    #[test]
    fn short_codes_and_extensions_stay_as_they_are() {
        for text in ["3631", "15", "7701", "101", "999999999999999999999999999999999999", "not a number"] {
            let line = FRENCH.read(text);
            assert_eq!((line.number, line.raw.as_deref(), line.withheld), (None, Some(text), false));
        }
        assert_eq!(FRENCH.read(&"9".repeat(500)).raw.map(|raw| raw.len()), Some(64));
    }

    #[test]
    fn a_withheld_number_leaves_nothing() {
        for text in
            ["anonymous", "Restricted", "+266696687", "86282452253", "<unknown>", "sip:anonymous@anonymous.invalid"]
        {
            assert_eq!(FRENCH.read(text), Line { withheld: true, ..Line::default() }, "{text}");
        }
        assert_eq!(FRENCH.read(" "), Line::default());
    }

    #[test]
    fn texts_go_to_mobiles_only() {
        assert!(is_mobile("+33612345678"));
        assert!(is_mobile("+447911123456"));
        for other in ["+33140000001", "+33899123456", "+33800123456", "3631"] {
            assert!(!is_mobile(other), "{other}");
        }
        assert_eq!(shown("+33612345678"), "+33 6 12 34 56 78");
    }
}
