//! Any text as the text of a mail: its reply is made of its lines, and taking it apart is work in line with its length.
#![no_main]

use std::time::{Duration, Instant};

use guichet_email::reply::{has_content, separate_under};
use libfuzzer_sys::fuzz_target;

/// What a text of [`LONG`] bytes may take in an instrumented build on a busy machine; quadratic work takes far longer.
const PATIENCE: Duration = Duration::from_secs(5);
const LONG: usize = 256 * 1024;

fuzz_target!(|raw: &[u8]| {
    let text = String::from_utf8_lossy(raw);
    let subject = if raw.len() % 2 == 0 { "Fwd: printer" } else { "printer" };
    let parts = separate_under(subject, &text);
    for line in parts.reply.lines().chain(parts.signature.iter().flat_map(|signature| signature.lines())) {
        assert!(text.contains(line.trim()), "{line:?} is not in the mail");
    }
    assert!(parts.reply.len() <= text.len() + 2, "the reply is longer than the mail");
    has_content(&parts.reply);

    if raw.len() % 16 == 5 {
        let long = text.repeat(LONG / text.len() + 1);
        let began = Instant::now();
        separate_under(subject, &long);
        assert!(began.elapsed() < PATIENCE, "{} bytes took {:?}", long.len(), began.elapsed());
    }
});
