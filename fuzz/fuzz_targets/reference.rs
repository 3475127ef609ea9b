//! Any text as a reference, and any text with references in it.
#![no_main]

use guichet_domain::reference::{Bare, Reference, find_in, find_with};
use libfuzzer_sys::fuzz_target;

const PREFIX: &str = "GT";

fuzz_target!(|text: &str| {
    if let Ok(reference) = Reference::parse(text, PREFIX) {
        check(reference);
    }
    let found = find_in(text, PREFIX);
    let anywhere = find_with(text, PREFIX, Bare::Any);
    for (at, reference) in found.iter().enumerate() {
        assert!(!found.iter().take(at).any(|before| before == reference), "{reference:?} twice");
        assert!(anywhere.contains(reference), "{reference:?} only by the stricter rule");
        check(*reference);
    }
    assert_eq!(find_with("", PREFIX, Bare::Any), []);
});

/// What parses is shown, and what is shown parses, alone and in a sentence.
fn check(reference: Reference) {
    let shown = reference.shown(PREFIX).to_string();
    assert_eq!(Reference::parse(&shown, PREFIX), Ok(reference), "{shown}");
    assert_eq!(Reference::parse(&reference.digits(), PREFIX), Ok(reference), "{shown}");
    assert_eq!(find_in(&format!("Re: [{shown}] printer"), PREFIX), [reference], "{shown}");
    assert_eq!(find_with(&format!("about {}.", reference.digits()), PREFIX, Bare::Any), [reference], "{shown}");
}
