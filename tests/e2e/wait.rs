//! The one place where a test waits for something it can only look at.
//!
//! Mail servers tell nobody that a file lies in a maildir, and the daemon's API answers questions and asks none. So these are
//! looked at again and again, with a short rest between and an end. Everything else blocks on the event itself: a
//! socket, a process.

use std::time::{Duration, Instant};

/// Between two looks.
const REST: Duration = Duration::from_millis(15);

/// Within this long anything happens on a busy machine; when it works it takes a fraction. Longer than the minute after which the
/// daemon looks into a mailbox by itself: a mail server may miss a file that is laid into a maildir in the second it looked.
pub const LONG: Duration = Duration::from_secs(90);

/// Looks until there is something to see. Panics with `what` when there still is nothing after [`LONG`].
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    until_told(what, || look().ok_or_else(String::new))
}

/// Looks until there is something to see; what is seen instead is said when it never comes.
pub fn until_told<T>(what: &str, look: impl FnMut() -> Result<T, String>) -> T {
    until_within(LONG, what, look)
}

/// The same, at most so long.
pub fn until_within<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let begin = Instant::now();
    loop {
        match look() {
            Ok(seen) => return seen,
            Err(instead) => assert!(begin.elapsed() < limit, "{what}: not so after {limit:?}. {instead}"),
        }
        std::thread::park_timeout(REST);
    }
}

/// Lets a random moment pass. Nothing is waited for: whoever is killed is killed at no moment of our choosing.
pub fn let_pass(moment: Duration) {
    let begin = Instant::now();
    while let Some(rest) = moment.checked_sub(begin.elapsed()) {
        std::thread::park_timeout(rest);
    }
}
