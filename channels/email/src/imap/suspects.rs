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

/// How many mails are remembered at once. A server that breaks at more than these breaks at anything.
const MOST: usize = 1_000;

/// Remembers across the connections of one folder; clones share the memory.
#[derive(Debug, Clone, Default)]
pub struct Suspects(Arc<Mutex<BTreeMap<(u32, u32), u32>>>);

impl Suspects {
    /// A connection broke off when this mail was due.
    pub(super) fn blame(&self, uidvalidity: u32, uid: u32) {
        let mut known = self.lock();
        // Under another number of the folder the same uids are other mails.
        known.retain(|(folder, _), _| *folder == uidvalidity);
        let times = known.entry((uidvalidity, uid)).or_default();
        *times = times.saturating_add(1);
        while known.len() > MOST {
            // Mail is read in order, so the lowest is the longest behind us.
            let Some(lowest) = known.keys().find(|key| **key != (uidvalidity, uid)).copied() else { return };
            known.remove(&lowest);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn blamed(suspects: &Suspects, uid: u32) {
        for _ in 0..ENOUGH {
            suspects.blame(7, uid);
        }
    }

    #[test]
    fn a_mail_that_breaks_the_connection_again_and_again_is_passed_over_until_it_comes() {
        let suspects = Suspects::default();
        for _ in 1..ENOUGH {
            suspects.blame(7, 1);
        }
        assert!(!suspects.guilty(7, 1));
        suspects.blame(7, 1);
        assert!(suspects.guilty(7, 1) && !suspects.guilty(7, 2));
        suspects.clear(7, 1);
        assert!(!suspects.guilty(7, 1));
        assert!(suspects.lock().is_empty(), "what came is forgotten");
    }

    #[test]
    fn only_so_many_are_remembered_and_the_lowest_are_forgotten_first() {
        let suspects = Suspects::default();
        for uid in 10..2_000 {
            blamed(&suspects, uid);
        }
        blamed(&suspects, 1);
        assert_eq!(suspects.lock().len(), MOST);
        assert!(suspects.guilty(7, 1), "the one blamed just now is remembered, wherever it stands");
        assert!(suspects.guilty(7, 1_999) && !suspects.guilty(7, 10));
    }

    #[test]
    fn a_folder_that_is_numbered_anew_begins_without_suspects() {
        let suspects = Suspects::default();
        blamed(&suspects, 1);
        suspects.blame(8, 5);
        assert!(!suspects.guilty(7, 1));
        assert_eq!(suspects.lock().len(), 1);
    }
}
