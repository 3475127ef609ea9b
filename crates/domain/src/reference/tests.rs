use proptest::prelude::*;

use super::*;

fn example() -> Reference {
    Reference::from_free(482_109_375)
}

#[test]
fn people_see_the_prefix_and_groups_of_three_three_and_four() {
    assert_eq!(example().shown("GT").to_string(), "GT-482-109-3753");
    assert_eq!(example().shown("").to_string(), "482-109-3753");
    assert_eq!(example().digits(), "4821093753");
    assert_eq!(example().spoken(), "4 8 2, 1 0 9, 3 7 5 3");
    assert_eq!(Reference::from_free(7).shown("GT").to_string(), "GT-000-000-0076");
}

#[test]
fn a_number_is_read_however_it_is_written() {
    for text in [
        "GT-482-109-3753",
        "gt 482 109 3753",
        "482.109.3753",
        "4821093753",
        " [Gt-482-109-3753] ",
        "GT#4821093753",
        "4821093753#",
        "GT\u{2011}482\u{2011}109\u{2011}3753",
        "GT\u{a0}482\u{202f}109\u{a0}3753",
        "GT–482—109−3753",
        "４８２－１０９－３７５３",
        "ＧＴ-482-109-3753",
        "٤٨٢-١٠٩-٣٧٥٣",
        "۴۸۲ ۱۰۹ ۳۷۵۳",
        "\u{200e}GT-482-109-3753\u{200e}",
        "4 8 2 1 0 9 3 7 5 3",
    ] {
        assert_eq!(Reference::parse(text, "GT"), Ok(example()), "{text}");
    }
}

#[test]
fn a_wrong_number_is_told_apart_from_no_number() {
    assert_eq!(Reference::parse("GT-482-109-3754", "GT"), Err(ReferenceError::WrongCheckDigit));
    assert_eq!(Reference::parse("GT-482-109-375", "GT"), Err(ReferenceError::WrongLength { found: 9 }));
    assert_eq!(Reference::parse("48210937535", "GT"), Err(ReferenceError::WrongLength { found: 11 }));
    for text in ["", "GT", "my printer", "XX-482-109-3753", "482-109-3753 printer", "482-l09-3753"] {
        assert_eq!(Reference::parse(text, "GT"), Err(ReferenceError::NotOne), "{text}");
    }
}

#[test]
fn a_subject_gives_up_its_number() {
    for subject in [
        "Re: [GT-482-109-3753] printer",
        "RE: printer (gt 482 109 3753)",
        "Tr : GT-4821093753 – imprimante",
        "GT#482-109-3753: still broken",
        "Re: 482-109-3753 printer",
        "my ticket is 482 109 3753.",
        "2 users (482-109-3753)",
        "GT-482-109-3753 and again GT-482-109-3753",
    ] {
        assert_eq!(find_in(subject, "GT"), [example()], "{subject}");
    }
}

#[test]
fn two_numbers_in_one_subject_come_in_order() {
    let other = Reference::from_free(1);
    let subject = format!("{} then {}", other.shown("GT"), example().shown("GT"));
    assert_eq!(find_in(&subject, "GT"), [other, example()]);
}

#[test]
fn telephone_numbers_and_longer_numbers_are_not_references() {
    for subject in [
        "call me on 4821093753",
        "call +1 482-109-3753",
        "call 1-482-109-3753",
        "call +33 (0)482 109 3753",
        "call (0) 482 109 3753",
        "invoice 482-109-3753-12",
        "X482-109-3753",
        "482-109-37531",
        "GT-482-109-3754",
        "GTX-482-109-3753x",
        "",
    ] {
        assert!(find_in(subject, "GT").is_empty(), "{subject}");
    }
}

#[test]
fn the_rule_for_bare_numbers_can_be_tightened_and_loosened() {
    assert_eq!(find_with("see 4821093753", "GT", Bare::Any), [example()]);
    assert!(find_with("see 482-109-3753", "GT", Bare::Never).is_empty());
    assert_eq!(find_with("see gt482-109-3753", "GT", Bare::Never), [example()]);
}

#[test]
fn json_carries_the_grouped_form_and_takes_any() {
    let json = serde_json::to_string(&example()).unwrap();
    assert_eq!(json, "\"482-109-3753\"");
    assert_eq!(serde_json::from_str::<Reference>("\"4821093753\"").unwrap(), example());
    assert!(serde_json::from_str::<Reference>("\"4821093754\"").is_err());
}

#[test]
fn a_prefix_begins_with_a_letter_and_stays_short() {
    for good in ["", "GT", "it2", "HELPDESK"] {
        assert!(is_valid_prefix(good), "{good}");
    }
    for bad in ["2GT", "G", "G T", "GT-", "HELPDESKS", "é1"] {
        assert!(!is_valid_prefix(bad), "{bad}");
    }
}

proptest! {
    #[test]
    fn what_is_shown_is_read_back(free in 0..FREE, prefix in "([A-Za-z][A-Za-z0-9]{1,7})?") {
        let reference = Reference::from_free(free);
        let shown = reference.shown(&prefix).to_string();
        prop_assert_eq!(Reference::parse(&shown, &prefix), Ok(reference));
        prop_assert_eq!(find_in(&format!("Re: [{shown}] printer"), &prefix), vec![reference]);
        prop_assert_eq!(reference.spoken().parse::<Reference>(), Ok(reference));
    }

    #[test]
    fn every_single_wrong_digit_is_noticed(free in 0..FREE, at in 0..DIGITS, by in 1..10_u8) {
        let mut digits = Reference::from_free(free).0;
        digits[at] = (digits[at] + by) % 10;
        prop_assert_eq!(Reference::from_digits(&digits), Err(ReferenceError::WrongCheckDigit));
    }

    #[test]
    fn every_swap_of_neighbours_is_noticed(free in 0..FREE, at in 0..DIGITS - 1) {
        let mut digits = Reference::from_free(free).0;
        prop_assume!(digits[at] != digits[at + 1]);
        digits.swap(at, at + 1);
        prop_assert_eq!(Reference::from_digits(&digits), Err(ReferenceError::WrongCheckDigit));
    }

    #[test]
    fn any_text_at_all_is_answered(text in ".{0,80}", prefix in ".{0,4}") {
        let parsed = Reference::parse(&text, &prefix);
        prop_assert!(parsed.is_err() || damm(parsed.unwrap().0.into_iter()) == 0);
        for reference in find_with(&text, &prefix, Bare::Any) {
            prop_assert_eq!(damm(reference.0.into_iter()), 0);
        }
    }
}
