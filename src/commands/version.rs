//! What this build is.

use std::sync::LazyLock;

/// The version with what decides how it behaves: kinds of channel, schema, target.
pub fn long() -> &'static str {
    static LONG: LazyLock<String> = LazyLock::new(written);
    &LONG
}

fn written() -> String {
    let kinds: Vec<_> = guichet_channels::kinds().iter().map(|kind| kind.name()).collect();
    format!(
        "{}\nchannels: {}\ndatabase: SQLite or PostgreSQL, schema {}\ntarget: {}-{}{}{}",
        env!("CARGO_PKG_VERSION"),
        kinds.join(", "),
        guichet_store::known_version(),
        std::env::consts::ARCH,
        std::env::consts::OS,
        if cfg!(debug_assertions) { ", unoptimised" } else { "" },
        if cfg!(feature = "failpoints") { ", with crash points" } else { "" },
    )
}
