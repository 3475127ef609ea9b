//! Crash points: places at which a test kills the process, to see what is left.
//!
//! Compiled in by the feature `failpoints` alone. `GUICHET_CRASH=intake.before_commit:3` kills the process, as
//! `kill -9` would, when it comes to that point for the third time. The list of points is in `docs/ARCHITECTURE.md`;
//! `tests/e2e/crash.rs` goes through all of them.

/// Every point there is, in the order of one message's way in and out.
#[cfg(feature = "failpoints")]
pub const POINTS: &[&str] = &[
    "intake.before_begin",
    "intake.before_commit",
    "intake.after_commit",
    "sender.before_commit",
    "sender.after_commit",
    "sender.after_delivery",
    "sender.after_note",
    "timer.before_commit",
    "timer.after_commit",
    "act.before_commit",
    "act.after_commit",
];

/// Dies here when a test wants it; nothing otherwise.
#[cfg(not(feature = "failpoints"))]
pub fn point(_name: &str) {}

/// Dies here when a test wants it; nothing otherwise.
#[cfg(feature = "failpoints")]
pub fn point(name: &str) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WANTED: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        let wanted = std::env::var("GUICHET_CRASH").ok()?;
        let (name, count) = wanted.rsplit_once(':').unwrap_or((&wanted, "1"));
        Some((name.to_owned(), count.parse().unwrap_or(1)))
    });
    static HITS: AtomicU64 = AtomicU64::new(0);
    debug_assert!(POINTS.contains(&name), "{name} is not in the list of crash points");
    if let Some((wanted, count)) = WANTED.as_ref()
        && wanted == name
        && HITS.fetch_add(1, Ordering::SeqCst) + 1 == *count
        && let Some(own) = rustix::process::Pid::from_raw(i32::try_from(std::process::id()).unwrap_or(0))
    {
        // A signal, not abort: nothing is flushed, nothing unwinds, as in a power cut of the process.
        if rustix::process::kill_process(own, rustix::process::Signal::KILL).is_err() {
            std::process::abort();
        }
        std::thread::park();
    }
}
