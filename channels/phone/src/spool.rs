//! Events that were taken and are not yet entered, on disk: an event is here before its sender hears yes, and until everything that
//! follows from it is durable elsewhere. Many that come at once share one flush.
//!
//! A segment is a file of JSON lines in the source's folder. It is removed when all its events are done; what a killed process
//! left is done at the next start. Doing an event twice changes nothing.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use guichet_domain::Moment;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::event::Heard;

/// A segment is left for a new one when it holds so many bytes.
const FULL: u64 = 4 << 20;

/// What one request told, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) at: Moment,
    pub(crate) heard: Vec<Heard>,
    /// The body as it came; nothing where it held what must not be kept.
    pub(crate) raw: String,
    /// Whether its caller waits for an answer.
    pub(crate) speaks: bool,
}

/// Which segment holds an event: given back when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place(u64);

enum Order {
    Put(String, oneshot::Sender<io::Result<Place>>),
    Done(Place),
}

/// The spool of a source.
pub(crate) struct Spool {
    shared: Arc<Shared>,
    /// What an earlier process left.
    left: Mutex<Vec<(Place, Kept)>>,
}

/// What waits, and whoever writes it.
struct Shared {
    waiting: Mutex<Waiting>,
    keeper: Mutex<Keeper>,
}

#[derive(Default)]
struct Waiting {
    orders: Vec<Order>,
    /// Whether a thread writes: it goes on until nothing waits.
    writes: bool,
}

impl Spool {
    /// Opens the spool in `folder`, which is made when it is missing, and reads what is left in it. Blocks.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut segments: Vec<u64> = std::fs::read_dir(folder)?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".jsonl")?.parse().ok())
            .collect();
        segments.sort_unstable();
        let (mut left, mut open) = (Vec::new(), HashMap::new());
        for segment in &segments {
            let bytes = std::fs::read(path(folder, *segment))?;
            // A last line without its end was never answered: its sender comes again.
            let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
            let kept: Vec<Kept> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
            if kept.is_empty() {
                std::fs::remove_file(path(folder, *segment))?;
                continue;
            }
            open.insert(*segment, kept.len());
            left.extend(kept.into_iter().map(|kept| (Place(*segment), kept)));
        }
        let next = segments.last().map_or(1, |last| last + 1);
        let keeper = Mutex::new(Keeper { folder: folder.to_owned(), next, current: None, open });
        Ok(Self { shared: Arc::new(Shared { waiting: Mutex::default(), keeper }), left: Mutex::new(left) })
    }

    /// Takes what an earlier process left, oldest first. The second time there is nothing.
    pub(crate) fn left(&self) -> Vec<(Place, Kept)> {
        std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps it. Returns when it is on disk.
    pub(crate) async fn put(&self, kept: &Kept) -> io::Result<Place> {
        let mut line = serde_json::to_string(kept)?;
        line.push('\n');
        let (answer, answered) = oneshot::channel();
        self.order(Order::Put(line, answer));
        answered.await.map_err(|_| io::Error::other("the spool has ended"))?
    }

    /// All that follows from the event is durable.
    pub(crate) fn done(&self, place: Place) {
        self.order(Order::Done(place));
    }

    fn order(&self, order: Order) {
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.orders.push(order);
        if !std::mem::replace(&mut waiting.writes, true) {
            let shared = Arc::clone(&self.shared);
            tokio::task::spawn_blocking(move || shared.write());
        }
    }
}

impl Shared {
    /// Carries out what waits, until nothing does. Orders are carried out in turn.
    fn write(&self) {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let orders = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                if waiting.orders.is_empty() {
                    waiting.writes = false;
                    return;
                }
                std::mem::take(&mut waiting.orders)
            };
            keeper.carry_out(orders);
        }
    }
}

/// Who writes.
struct Keeper {
    folder: PathBuf,
    next: u64,
    current: Option<(u64, File, u64)>,
    /// Events not done, by segment.
    open: HashMap<u64, usize>,
}

impl Keeper {
    fn carry_out(&mut self, orders: Vec<Order>) {
        let (mut lines, mut answers, mut done) = (String::new(), Vec::new(), Vec::new());
        for order in orders {
            match order {
                Order::Put(line, answer) => {
                    lines.push_str(&line);
                    answers.push(answer);
                }
                Order::Done(place) => done.push(place),
            }
        }
        if !answers.is_empty() {
            self.write(&lines, answers);
        }
        for place in done {
            self.settle(place);
        }
    }

    fn write(&mut self, lines: &str, answers: Vec<oneshot::Sender<io::Result<Place>>>) {
        match self.append(lines) {
            Ok(segment) => {
                *self.open.entry(segment).or_default() += answers.len();
                for answer in answers {
                    // Where nobody waits any more, nothing will call it done, and the next start does it.
                    drop(answer.send(Ok(Place(segment))));
                }
            }
            Err(error) => {
                // What is half written is in a segment that nothing is added to.
                self.current = None;
                for answer in answers {
                    drop(answer.send(Err(io::Error::new(error.kind(), error.to_string()))));
                }
            }
        }
    }

    fn append(&mut self, lines: &str) -> io::Result<u64> {
        if self.current.is_none() {
            let segment = self.next;
            self.next += 1;
            let file = OpenOptions::new().create_new(true).append(true).open(path(&self.folder, segment))?;
            File::open(&self.folder)?.sync_all()?;
            self.current = Some((segment, file, 0));
        }
        let Some((segment, file, size)) = &mut self.current else { return Err(io::Error::other("no segment")) };
        file.write_all(lines.as_bytes())?;
        file.sync_data()?;
        *size += lines.len() as u64;
        let (segment, full) = (*segment, *size >= FULL);
        if full {
            self.current = None;
        }
        Ok(segment)
    }

    fn settle(&mut self, Place(segment): Place) {
        let Some(count) = self.open.get_mut(&segment) else { return };
        *count -= 1;
        if *count > 0 {
            return;
        }
        self.open.remove(&segment);
        match &mut self.current {
            Some((current, file, size)) if *current == segment => {
                // Emptied rather than replaced: making a file costs a flush of its folder. If it fails, the next start does it again.
                if file.set_len(0).is_ok() {
                    *size = 0;
                }
            }
            _ => drop(std::fs::remove_file(path(&self.folder, segment))),
        }
    }
}

fn path(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{segment:012}.jsonl"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(raw: &str) -> Kept {
        Kept { at: Moment::from_secs(1), heard: Vec::new(), raw: raw.to_owned(), speaks: false }
    }

    #[tokio::test]
    async fn what_was_not_done_is_there_after_a_restart_and_what_was_done_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path()).unwrap();
        let first = spool.put(&kept("one")).await.unwrap();
        spool.put(&kept("two")).await.unwrap();
        drop(spool);
        let spool = Spool::open(folder.path()).unwrap();
        let left = spool.left();
        assert_eq!(left.iter().map(|(_, kept)| kept.raw.as_str()).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(left[0].0, first);
        assert!(spool.left().is_empty());
        for (place, _) in left {
            spool.done(place);
        }
        // Orders are carried out in turn: when the second of these is answered, what was done before the first is gone.
        spool.put(&kept("three")).await.unwrap();
        spool.put(&kept("four")).await.unwrap();
        drop(spool);
        let left = Spool::open(folder.path()).unwrap().left();
        assert_eq!(left.iter().map(|(_, kept)| kept.raw.as_str()).collect::<Vec<_>>(), ["three", "four"]);
    }

    #[tokio::test]
    async fn a_line_that_was_half_written_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path()).unwrap();
        spool.put(&kept("whole")).await.unwrap();
        drop(spool);
        let segment = path(folder.path(), 1);
        let mut file = OpenOptions::new().append(true).open(segment).unwrap();
        file.write_all(b"{\"at\":\"2026-11-2").unwrap();
        assert_eq!(Spool::open(folder.path()).unwrap().left().len(), 1);
    }
}
