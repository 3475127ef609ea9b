//! Any bytes as a bounce, a receipt or a complaint.
#![no_main]

use guichet_email::report::{self, Recipient};
use guichet_email::understand;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: guichet_fuzz::forgive_the_parser(), |raw: &[u8]| {
    let Some(tree) = understand::tree(raw) else { return };
    let Some(report) = report::parse(&tree, raw) else { return };
    report.recipients.iter().for_each(check);
});

fn check(one: &Recipient) {
    assert!(!one.address.is_empty() && !one.address.contains(['\r', '\n', '\0']), "{one:?}");
    assert!(!one.diagnostic.contains(['\r', '\n']), "{one:?}");
    if let Some(status) = &one.status {
        let mut numbers = status.split('.');
        assert!(matches!(numbers.next(), Some("2" | "4" | "5")), "{one:?}");
        let digits = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        assert!(numbers.next().is_some_and(digits) && numbers.next().is_some_and(digits), "{one:?}");
        assert!(numbers.next().is_none(), "{one:?}");
    }
    if let Some(reply) = &one.reply {
        assert!(reply.len() == 3 && reply.bytes().all(|byte| byte.is_ascii_digit()), "{one:?}");
        if let Some(status) = &one.status {
            assert_eq!(status.chars().next(), reply.chars().next(), "{one:?}");
        }
    }
}
