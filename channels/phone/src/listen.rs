//! What is done beside the requests: events an earlier process left, those that could not be entered at once, and calls that
//! never end.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex as Held, PoisonError};
use std::time::Duration;

use guichet_contract::{Fault, Health, Port, Stop};
use guichet_domain::Moment;
use tokio::sync::{Mutex, Semaphore, mpsc};

use crate::channel::{Inner, PhoneSource};
use crate::engine::{ENDLESS, NotEntered, Standing};
use crate::fetching::Wanted;
use crate::plan::short_hash;
use crate::spool::{Kept, Place};

/// How often calls without an end are looked for.
const SWEEP: Duration = Duration::from_mins(1);
/// How long a sound can be played.
const SOUNDS: Duration = Duration::from_hours(1);
/// Recordings that are fetched at once.
const LANES: usize = 2;
/// Shortest and longest wait before an event is tried again.
const WAITS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_mins(1));

/// What is left to be done.
pub(crate) enum Job {
    /// An event that was taken and could not be entered.
    Enter { place: Place, kept: Kept, after: Duration },
    /// A recording that is to be fetched.
    Fetch { wanted: Wanted, after: Duration },
}

/// The jobs that wait: one listener takes them at a time.
pub(crate) struct Jobs {
    queue: Mutex<mpsc::UnboundedReceiver<Job>>,
    /// Recordings that are being fetched, by key.
    pub(crate) fetching: Held<HashSet<String>>,
    /// How many come at once.
    pub(crate) lanes: Semaphore,
    /// Calls that are on, by id, with when they were first heard of here.
    open: Held<HashMap<String, Moment>>,
}

impl Jobs {
    pub(crate) fn new(queue: mpsc::UnboundedReceiver<Job>) -> Self {
        Self {
            queue: Mutex::new(queue),
            open: Held::default(),
            fetching: Held::default(),
            lanes: Semaphore::new(LANES),
        }
    }
}

/// Runs until `stop`.
pub(crate) async fn listen(source: &PhoneSource, port: &Port, stop: &Stop) -> Result<(), Fault> {
    let spool = source.spool().await?;
    source.secrets(port).await?;
    source.recall_open().await;
    source.recall_wanted().await;
    let left = spool.left();
    for (place, kept) in left {
        let job = Job::Enter { place, kept, after: Duration::ZERO };
        drop(source.jobs.send(job));
    }
    let ways = source.settings.ways.names();
    let told = if ways.is_empty() { "callers are told while they wait alone".to_owned() } else { ways.join(", ") };
    let note = format!("calls are taken at {}; {told}", source.settings.base);
    port.intake.report(Health::Good { note });
    let mut queue = source.queued.queue.lock().await;
    let mut sweep = tokio::time::interval(SWEEP);
    sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = sweep.tick() => source.sweep(port).await,
            job = queue.recv() => match job {
                Some(Job::Enter { place, kept, after }) => {
                    // Waits beside this loop: a stop leaves what waits on disk.
                    let (source, port, stop) = (source.clone(), port.clone(), stop.clone());
                    tokio::spawn(async move {
                        tokio::select! {
                            () = stop.cancelled() => {}
                            () = tokio::time::sleep(after) => drop(source.enter(&port, place, kept).await),
                        }
                    });
                }
                Some(Job::Fetch { wanted, after }) => {
                    let (source, port, stop) = (source.clone(), port.clone(), stop.clone());
                    tokio::spawn(async move {
                        tokio::select! {
                            () = stop.cancelled() => {}
                            () = async {
                                tokio::time::sleep(after).await;
                                source.fetch(&port, wanted).await;
                            } => {}
                        }
                    });
                }
                None => return Ok(()),
            }
        }
    }
}

impl Inner {
    /// Puts what a request told on disk and enters it, side by side: both are durable when this returns `Ok`.
    pub(crate) async fn take(&self, port: &Port, kept: Kept) -> Result<Vec<Standing>, NotEntered> {
        let spool = self.spool().await?;
        let (place, entered) = tokio::join!(spool.put(&kept), self.engine.enter(port, &kept));
        match place {
            Ok(place) => self.settle(port, place, kept, entered).await,
            Err(error) => {
                tracing::error!(source = %self.source, %error, "an event of a call cannot be kept; its sender is told");
                let why = "the state folder cannot be written to".to_owned();
                Err(NotEntered::Later { after: Duration::from_secs(5), why })
            }
        }
    }

    /// Enters what is on disk. What cannot be entered now is tried again by whoever listens; it stays on disk until then.
    async fn enter(&self, port: &Port, place: Place, kept: Kept) -> Result<Vec<Standing>, NotEntered> {
        let entered = self.engine.enter(port, &kept).await;
        self.settle(port, place, kept, entered).await
    }

    async fn settle(
        &self,
        port: &Port,
        place: Place,
        kept: Kept,
        entered: Result<Vec<Standing>, NotEntered>,
    ) -> Result<Vec<Standing>, NotEntered> {
        match &entered {
            Ok(standings) => {
                for standing in standings {
                    self.note_open(standing, kept.at);
                    self.want(standing, kept.at).await;
                }
                self.done(place);
            }
            Err(NotEntered::Later { after, .. }) => {
                let after = (*after).clamp(WAITS.0, WAITS.1);
                drop(self.jobs.send(Job::Enter { place, kept, after }));
            }
            Err(NotEntered::Refused { why }) => {
                tracing::error!(source = %self.source, why, "an event of a call was refused and is kept aside");
                let aside = crate::engine::unusable(kept.raw.as_bytes(), why, kept.at);
                match port.intake.accept(vec![aside], Vec::new()).await {
                    Ok(_) => self.done(place),
                    Err(_) => drop(self.jobs.send(Job::Enter { place, kept, after: WAITS.1 })),
                }
            }
        }
        entered
    }

    fn done(&self, place: Place) {
        if let Some(spool) = self.opened_spool() {
            spool.done(place);
        }
    }

    /// Remembers that a call is on, or no longer, also for the next life of the process.
    fn note_open(&self, standing: &Standing, at: Moment) {
        let known = {
            let mut open = self.queued.open.lock().unwrap_or_else(PoisonError::into_inner);
            if standing.open {
                open.insert(standing.id.clone(), at).is_some()
            } else {
                open.remove(&standing.id).is_some()
            }
        };
        let (folder, source) = (self.open_folder(), self.source.clone());
        let (opens, path) = (standing.open, folder.join(short_hash(&standing.id)));
        if opens == known {
            return;
        }
        let text = format!("{}\n{}", at.micros(), standing.id);
        // Nobody waits for it: a note that is missing or left over costs a look at the call.
        tokio::task::spawn_blocking(move || {
            let done = if opens {
                std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(path, text))
            } else {
                std::fs::remove_file(path)
            };
            if let Err(error) = done.or_else(|error| if opens { Err(error) } else { Ok(()) }) {
                tracing::warn!(%source, %error, "a call that never ends may not be noticed after a restart");
            }
        });
    }

    /// Reads which calls were on when the process ended.
    async fn recall_open(&self) {
        let Ok(mut entries) = tokio::fs::read_dir(self.open_folder()).await else { return };
        while let Ok(Some(entry)) = entries.next_entry().await {
            let Ok(text) = tokio::fs::read_to_string(entry.path()).await else { continue };
            let Some((at, id)) = text.split_once('\n') else { continue };
            let Ok(at) = at.parse() else { continue };
            let mut open = self.queued.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.entry(id.to_owned()).or_insert(Moment::from_micros(at));
        }
    }

    /// Ends calls of which no end came.
    async fn sweep(&self, port: &Port) {
        let now = port.clock.now();
        self.drop_sounds(now).await;
        let due: Vec<String> = {
            let open = self.queued.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.iter().filter(|(_, at)| now.since(**at) >= ENDLESS).map(|(id, _)| id.clone()).collect()
        };
        for id in due {
            match self.engine.sweep(port, &id, now).await {
                Ok(_) => self.note_open(&Standing { id, ..Standing::default() }, now),
                Err(why) => {
                    tracing::warn!(source = %self.source, ?why, "a call without an end stays open until the next look");
                }
            }
        }
    }

    /// Removes what was made to be played long ago.
    async fn drop_sounds(&self, now: Moment) {
        let Ok(mut entries) = tokio::fs::read_dir(self.sounds()).await else { return };
        while let Ok(Some(entry)) = entries.next_entry().await {
            let Ok(made) = entry.metadata().await.and_then(|known| known.modified()) else { continue };
            let Ok(made) = jiff::Timestamp::try_from(made) else { continue };
            if now.since(made.into()) > SOUNDS {
                drop(tokio::fs::remove_file(entry.path()).await);
            }
        }
    }

    fn open_folder(&self) -> std::path::PathBuf {
        self.state.join("open")
    }
}
