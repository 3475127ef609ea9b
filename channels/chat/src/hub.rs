//! Who is connected here: lines by session and by identity, and what is told to all of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use guichet_domain::ids::Seq;
use tokio::sync::{Notify, mpsc};

use crate::person::{Person, Place};
use crate::trouble::{Close, Code, Trouble};

/// Frames that wait for one client.
pub(crate) const QUEUE: usize = 256;
/// Connections of one session.
const SOCKETS: usize = 5;
/// When to come back where too many come from one address.
const CROWDED: Duration = Duration::from_secs(30);

/// What waits for a client.
#[derive(Debug)]
pub(crate) enum Out {
    /// A frame, written.
    Frame(Box<str>),
    /// A conversation to follow from here on: it began elsewhere. Boxed, for the queue sets room aside for 32 of these.
    Follow(Box<(Place, Seq)>),
}

/// The near end of one client's line.
pub(crate) struct Handle {
    id: u64,
    pub(crate) queue: mpsc::Sender<Out>,
    /// Woken when the line is to end.
    pub(crate) ended: Notify,
    code: AtomicU16,
}

impl Handle {
    /// Ends the line; the first reason stands.
    pub(crate) fn end(&self, why: Close) {
        if self.code.compare_exchange(0, why.code(), Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.ended.notify_one();
        }
    }

    /// Why it is to end, if it is.
    pub(crate) fn why(&self) -> Option<Close> {
        Close::parse(self.code.load(Ordering::Acquire))
    }
}

/// All lines of a source.
#[derive(Default)]
pub(crate) struct Hub {
    book: Mutex<Book>,
    closing: AtomicBool,
    /// Counts the openings and closings of the desk.
    desk: AtomicU64,
}

#[derive(Default)]
struct Book {
    next: u64,
    /// By session, and by identity where there is one.
    lines: HashMap<Box<str>, Vec<Arc<Handle>>>,
    addresses: HashMap<IpAddr, usize>,
}

/// A line's entry; leaves when dropped.
pub(crate) struct Entry {
    hub: Arc<Hub>,
    pub(crate) handle: Arc<Handle>,
    names: Vec<Box<str>>,
    address: IpAddr,
}

impl Hub {
    /// Enters a line of `person`. A session's sixth line ends its first; an address has `most` lines.
    pub(crate) fn enter(
        self: &Arc<Self>,
        person: &Person,
        address: IpAddr,
        most: usize,
    ) -> Result<(Entry, mpsc::Receiver<Out>), Trouble> {
        if self.closing.load(Ordering::Acquire) {
            return Err(Trouble { retry_after_ms: Some(1000), ..Trouble::new(Code::Busy) });
        }
        let (queue, receiver) = mpsc::channel(QUEUE);
        let mut book = self.book();
        let here = book.addresses.get(&address).copied().unwrap_or_default();
        if most > 0 && here >= most {
            return Err(Trouble::rate(CROWDED).fatal());
        }
        book.addresses.insert(address, here + 1);
        book.next += 1;
        let handle = Arc::new(Handle { id: book.next, queue, ended: Notify::new(), code: AtomicU16::new(0) });
        let mut entry = Entry { hub: Arc::clone(self), handle: Arc::clone(&handle), names: Vec::new(), address };
        let session = person.session.as_str();
        let lines = book.lines.entry(session.into()).or_default();
        let open = lines.iter().filter(|line| line.why().is_none());
        if open.clone().count() >= SOCKETS
            && let Some(oldest) = open.clone().next()
        {
            oldest.end(Close::Crowded);
        }
        lines.push(handle);
        entry.names.push(session.into());
        drop(book);
        entry.identified(person);
        // A stop that came meanwhile has not seen this line.
        if self.closing.load(Ordering::Acquire) {
            entry.handle.end(Close::Restart);
        }
        Ok((entry, receiver))
    }

    /// Tells every line of a conversation's owner to follow it from behind `from`.
    pub(crate) fn follow(&self, place: &Place, from: Seq) {
        for line in self.lines(place.owner()) {
            if line.queue.try_send(Out::Follow(Box::new((place.clone(), from)))).is_err() {
                line.end(Close::Slow);
            }
        }
    }

    /// Tells every line of a conversation's owner a frame that may be lost.
    pub(crate) fn tell(&self, place: &Place, frame: &str) {
        for line in self.lines(place.owner()) {
            drop(line.queue.try_send(Out::Frame(frame.into())));
        }
    }

    /// Ends every line of a session.
    pub(crate) fn log_out(&self, session: &str) {
        for line in self.lines(session) {
            line.end(Close::Session);
        }
    }

    /// Ends every line; none is taken any more.
    pub(crate) fn stop(&self) {
        self.closing.store(true, Ordering::Release);
        let all: Vec<_> = self.book().lines.values().flatten().cloned().collect();
        for line in all {
            line.end(Close::Restart);
        }
    }

    /// Lines are taken: a source that was stopped listens again.
    pub(crate) fn start(&self) {
        self.closing.store(false, Ordering::Release);
    }

    /// How often the desk has opened or closed.
    pub(crate) fn desk(&self) -> u64 {
        self.desk.load(Ordering::Acquire)
    }

    /// The desk has opened or closed.
    pub(crate) fn desk_changed(&self) {
        self.desk.fetch_add(1, Ordering::AcqRel);
    }

    /// How many lines there are.
    pub(crate) fn count(&self) -> usize {
        self.book().addresses.values().sum()
    }

    fn lines(&self, name: &str) -> Vec<Arc<Handle>> {
        self.book().lines.get(name).cloned().unwrap_or_default()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// The line is its identity's too, from now on.
    pub(crate) fn identified(&mut self, person: &Person) {
        let Some(identity) = &person.identity else { return };
        if self.names.iter().any(|name| &**name == identity.owner()) {
            return;
        }
        self.hub.book().lines.entry(identity.owner().into()).or_default().push(Arc::clone(&self.handle));
        self.names.push(identity.owner().into());
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut book = self.hub.book();
        for name in &self.names {
            if let Some(lines) = book.lines.get_mut(name) {
                lines.retain(|line| line.id != self.handle.id);
                if lines.is_empty() {
                    book.lines.remove(name);
                }
            }
        }
        if let Some(here) = book.addresses.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                book.addresses.remove(&self.address);
            }
        }
    }
}
