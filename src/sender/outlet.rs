//! A source as the sender sees it: its channel, and how much of it may be held and sent at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use guichet_contract::{Channel, Departures, Port};
use guichet_domain::ids::SourceName;
use tokio::sync::Semaphore;

use super::begun::Begun;
use super::pause::Pause;
use crate::intake::{self, Reception};
use crate::kernel::Kernel;

/// Rows held for each that may be sent at once: at least, and at most.
const AHEAD: (usize, usize) = (8, 64);
/// Held rows should wait for their turn so long: shorter, and connections may wait for a commit; longer, and rows are
/// held to no purpose.
const TURN: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// How much longer a lease is than the longest attempt: a held row waits for its turn.
const LEASE_MARGIN: Duration = Duration::from_mins(10);

/// A source that sends.
pub(super) struct Outlet {
    pub(super) channel: Arc<dyn Channel>,
    pub(super) port: Port,
    /// How many may be held.
    pub(super) held: Arc<Held>,
    /// As many as may be sent at once.
    pub(super) lanes: Semaphore,
    pub(super) lease: Duration,
    /// Whether it takes anything at all.
    pub(super) pause: Pause,
}

/// Counts the rows held of a source, and learns how many it is worth to hold: more while they are sent faster than they
/// can be claimed, fewer when they only wait.
pub(super) struct Held {
    now: AtomicUsize,
    least: usize,
    most: usize,
    allowed: Mutex<usize>,
}

/// One row's place among those held; given back when dropped.
pub(super) struct Place(Arc<Held>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Held {
    /// For so many sent at once. Where other processes send from the same database (`shared`) no more is held than is
    /// needed: they want work too, and what a killed process held is in doubt there until its lease is over.
    pub(super) fn new(lanes: usize, shared: bool) -> Self {
        let (least, most) = (lanes * AHEAD.0, lanes * if shared { AHEAD.0 } else { AHEAD.1 });
        Self { now: AtomicUsize::new(0), least, most, allowed: Mutex::new(least) }
    }

    /// How many more may be held.
    pub(super) fn free(&self) -> usize {
        self.allowed().saturating_sub(self.now.load(Ordering::Relaxed))
    }

    /// Holds one more.
    pub(super) fn hold(self: &Arc<Self>) -> Place {
        self.now.fetch_add(1, Ordering::Relaxed);
        Place(Arc::clone(self))
    }

    /// Rows were sent after the longest of them had waited so long for its turn; and nothing more could be held meanwhile
    /// (`full`).
    pub(super) fn learn(&self, longest: Duration, full: bool) {
        let mut allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        if longest > TURN.1 {
            *allowed = (*allowed / 2).max(self.least);
        } else if longest < TURN.0 && full {
            *allowed = (*allowed * 2).min(self.most);
        }
    }

    fn allowed(&self) -> usize {
        *self.allowed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sources that send, by name.
pub(super) fn outlets(kernel: &Kernel, reception: &Reception, begun: &Arc<Begun>) -> BTreeMap<SourceName, Outlet> {
    let sending = kernel.sources.iter().filter(|(_, source)| source.enabled && source.channel.abilities().sends);
    sending
        .map(|(name, source)| {
            let abilities = source.channel.abilities();
            let lanes = abilities.concurrency.max(1);
            let begun = Arc::clone(begun);
            let departures = Departures::noted_by(move |id| {
                begun.begin(id).map_err(|error| format!("the state folder cannot be written: {error}"))
            });
            let outlet = Outlet {
                channel: Arc::clone(&source.channel),
                port: Port { departures, ..intake::port(reception, name, source) },
                held: Arc::new(Held::new(lanes, kernel.db.is_shared())),
                lanes: Semaphore::new(lanes),
                lease: Duration::from_secs(abilities.deadline_secs) + LEASE_MARGIN,
                pause: Pause::default(),
            };
            (name.clone(), outlet)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(20);
    const SLOW: Duration = Duration::from_secs(9);

    #[test]
    fn more_is_held_while_it_leaves_faster_than_it_is_claimed_and_less_when_it_only_waits() {
        let held = Arc::new(Held::new(8, false));
        assert_eq!(held.free(), 64);
        held.learn(QUICK, false);
        assert_eq!(held.free(), 64, "there was nothing more to hold");
        for _ in 0..9 {
            held.learn(QUICK, true);
        }
        assert_eq!(held.free(), 512);
        let places: Vec<Place> = (0..500).map(|_| held.hold()).collect();
        assert_eq!(held.free(), 12);
        held.learn(Duration::from_secs(1), true);
        assert_eq!(held.free(), 12, "a turn of about a second is as it should be");
        for _ in 0..9 {
            held.learn(SLOW, true);
        }
        assert_eq!(held.free(), 0, "more is held than is now allowed");
        drop(places);
        assert_eq!(held.free(), 64);
    }

    #[test]
    fn on_a_shared_database_no_more_is_held_than_needed() {
        let held = Held::new(4, true);
        held.learn(QUICK, true);
        assert_eq!(held.free(), 32);
    }
}
