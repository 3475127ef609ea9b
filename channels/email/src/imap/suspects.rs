//! Mails at which connections break off.
//!
//! Some servers fall over one mail (a damaged file, a broken index) and close. Read again with each new connection, it would
//! keep everything behind it waiting for ever. So it is noted which mail was due when a connection broke, and after some
//! times that mail is handed on as unreadable instead of being asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many times a connection may break off at a mail before it is passed over. Networks break too, but not always at the
/// same mail.
const ENOUGH: u32 = 5;

/// Remembers across the connections of one folder; clones share the memory.
#[derive(Debug, Clone, Default)]
pub struct Suspects(Arc<Mutex<BTreeMap<(u32, u32), u32>>>);

impl Suspects {
    /// A connection broke off when this mail was due.
    pub(super) fn blame(&self, uidvalidity: u32, uid: u32) {
        *self.lock().entry((uidvalidity, uid)).or_default() += 1;
    }

    /// This mail came.
    pub(super) fn clear(&self, uidvalidity: u32, uid: u32) {
        self.lock().remove(&(uidvalidity, uid));
    }

    /// Whether it is better not asked for.
    pub(super) fn guilty(&self, uidvalidity: u32, uid: u32) -> bool {
        self.lock().get(&(uidvalidity, uid)).is_some_and(|&times| times >= ENOUGH)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(u32, u32), u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
