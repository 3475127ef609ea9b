//! Runs every source as its own task, restarts it when it falls, and keeps its health; and so for the parts of the daemon
//! itself that must always run.
//!
//! A panic or a passing fault restarts the source after a pause that doubles from 1 s to 5 min, with jitter, and is
//! short again once the source has done well; a lasting fault takes that one source down and leaves the others alone.
//! A part of the daemon is restarted for ever: its pause is short again once it has run for longer than the longest.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use guichet_contract::{Channel, Fault, Health, Port};
use guichet_domain::ids::SourceName;
use guichet_domain::{Clock, Ids, Moment};
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::lifecycle::Lifecycle;

/// The first and the longest pause before a restart.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

/// How long a source may take to return after the soft stop.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// How one source does, as the health pages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceHealth {
    /// Whether it works, is in trouble, or is down until somebody acts.
    pub state: HealthState,
    /// What it does, or what is wrong and what to do.
    pub note: String,
    /// When it last did well.
    pub good_at: Option<Moment>,
    /// How many times it was restarted since the daemon started.
    pub restarts: u64,
}

/// The kinds of health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Not heard of yet.
    Starting,
    /// Works.
    Good,
    /// Works; something will need attention.
    Warning,
    /// Does not work now; it tries again by itself.
    Troubled,
    /// Down until somebody acts.
    Down,
}

/// How one part of the daemon does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PartHealth {
    /// Whether it runs; else it waits for its restart.
    pub runs: bool,
    /// Why it fell the last time; empty when it never did.
    pub note: String,
    /// How many times it was restarted since the daemon started.
    pub restarts: u64,
}

/// The health of all sources and parts, shared by whoever reports and whoever shows it.
#[derive(Clone)]
pub struct HealthBoard {
    sources: Arc<Mutex<BTreeMap<SourceName, SourceHealth>>>,
    parts: Arc<Mutex<BTreeMap<&'static str, PartHealth>>>,
    clock: Arc<dyn Clock>,
}

impl HealthBoard {
    /// An empty board.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { sources: Arc::default(), parts: Arc::default(), clock }
    }

    /// Takes down what a source says of itself.
    pub fn report(&self, source: &SourceName, health: Health) {
        let now = self.clock.now();
        self.change(source, |line| match health {
            Health::Good { note } => {
                line.good_at = Some(now);
                (line.state, line.note) = (HealthState::Good, note);
            }
            Health::Warning { note } => {
                line.good_at = Some(now);
                (line.state, line.note) = (HealthState::Warning, note);
            }
            Health::Troubled { note } => (line.state, line.note) = (HealthState::Troubled, note),
        });
    }

    /// All sources with their health, by name.
    pub fn all(&self) -> BTreeMap<SourceName, SourceHealth> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The parts of the daemon that are kept running, by name.
    pub fn parts(&self) -> BTreeMap<&'static str, PartHealth> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change_part(&self, part: &'static str, change: impl FnOnce(&mut PartHealth)) {
        change(self.parts.lock().unwrap_or_else(PoisonError::into_inner).entry(part).or_default());
    }

    /// When the source last did well.
    fn good_at(&self, source: &SourceName) -> Option<Moment> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).get(source).and_then(|line| line.good_at)
    }

    fn change(&self, source: &SourceName, change: impl FnOnce(&mut SourceHealth)) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        change(sources.entry(source.clone()).or_insert_with(|| SourceHealth {
            state: HealthState::Starting,
            note: String::new(),
            good_at: None,
            restarts: 0,
        }));
    }
}

/// Starts `channel` as a task of `tasks` that lives until the soft stop or a lasting fault.
pub fn run(
    tasks: &TaskTracker,
    channel: Arc<dyn Channel>,
    port: Port,
    board: HealthBoard,
    ids: Arc<dyn Ids>,
    lifecycle: Lifecycle,
) {
    board.change(&port.source, |_| {});
    let tracker = tasks.clone();
    tasks.spawn(async move {
        let source = port.source.clone();
        let mut pause = PAUSES.0;
        loop {
            let before = board.good_at(&source);
            let end = once(&tracker, &channel, &port, &lifecycle).await;
            if lifecycle.soft.is_cancelled() {
                return;
            }
            let what = match end {
                Ok(()) => "it ended by itself".to_owned(),
                Err(Fault::Passing { what }) => what,
                Err(Fault::Lasting { what, remedy }) => {
                    error!(%source, %what, %remedy, "source is down until somebody acts; the others go on");
                    board.change(&source, |line| {
                        (line.state, line.note) = (HealthState::Down, format!("{what}; {remedy}"));
                    });
                    return;
                }
            };
            if board.good_at(&source) > before {
                pause = PAUSES.0;
            }
            let wait = jittered(pause, ids.random_u64());
            warn!(%source, %what, wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX), "source fell; it is restarted");
            board.change(&source, |line| {
                (line.state, line.note) = (HealthState::Troubled, what);
                line.restarts += 1;
            });
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = lifecycle.soft.cancelled() => return,
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    });
}

/// Keeps the parts of the daemon itself running.
#[derive(Clone)]
pub struct Keeper {
    /// Where they run.
    pub tasks: TaskTracker,
    /// Where it is shown how they do.
    pub board: HealthBoard,
    /// Chance.
    pub ids: Arc<dyn Ids>,
    /// Until when.
    pub lifecycle: Lifecycle,
}

impl Keeper {
    /// Runs a part as a task of its own: one `life` after the other, the next when one panics or returns, until the soft
    /// stop. What falls is told by one line in the log, and shown by the health page.
    pub fn keep<F, L>(&self, part: &'static str, life: F)
    where
        F: Fn() -> L + Send + Sync + 'static,
        L: Future<Output = ()> + Send + 'static,
    {
        let Self { tasks, board, ids, lifecycle } = self.clone();
        tasks.spawn(async move {
            let mut pause = PAUSES.0;
            loop {
                board.change_part(part, |line| line.runs = true);
                let began = Instant::now();
                let end = AssertUnwindSafe(async { life().await }).catch_unwind().await;
                if lifecycle.soft.is_cancelled() {
                    return;
                }
                if began.elapsed() > PAUSES.1 {
                    pause = PAUSES.0;
                }
                let what = end.map_or_else(|panic| format!("it panicked: {}", words_of(&*panic)), |()| "it ended by itself".into());
                let wait = jittered(pause, ids.random_u64());
                error!(part, %what, wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX), "a part of the daemon fell; it is restarted");
                board.change_part(part, |line| *line = PartHealth { runs: false, note: what, restarts: line.restarts + 1 });
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = lifecycle.soft.cancelled() => return,
                }
                pause = (pause * 2).min(PAUSES.1);
            }
        });
    }
}

/// What a panic said, as far as it is text.
fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "see the log".to_owned())
}

/// One life of the source. A panic is a passing fault; a source that does not return in time is left behind.
async fn once(
    tasks: &TaskTracker,
    channel: &Arc<dyn Channel>,
    port: &Port,
    lifecycle: &Lifecycle,
) -> Result<(), Fault> {
    let source = port.source.clone();
    info!(%source, "source starts");
    let (channel, port, stop) = (Arc::clone(channel), port.clone(), lifecycle.soft.child_token());
    let mut life = tasks.spawn(async move { channel.listen(port, stop).await });
    let late = async {
        lifecycle.soft.cancelled().await;
        tokio::time::sleep(STOP_LIMIT).await;
    };
    tokio::select! {
        end = &mut life => end.unwrap_or_else(|panic| Err(Fault::passing(format!("it panicked: {panic}")))),
        () = late => {
            warn!(%source, limit_secs = STOP_LIMIT.as_secs(), "source did not stop in time and is dropped");
            life.abort();
            Ok(())
        }
    }
}

/// Between half of `pause` and all of it: many sources of one server must not come back at once.
fn jittered(pause: Duration, random: u64) -> Duration {
    let half = pause / 2;
    let span = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).max(1);
    half + Duration::from_millis(random % span)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::mpsc;

    use super::*;
    use crate::ambient::{SystemClock, SystemIds};

    #[tokio::test]
    async fn a_part_that_panics_or_ends_is_restarted_later_and_later_and_health_shows_it() {
        let keeper = Keeper {
            tasks: TaskTracker::new(),
            board: HealthBoard::new(Arc::new(SystemClock)),
            ids: Arc::new(SystemIds::default()),
            lifecycle: Lifecycle::default(),
        };
        let (lives, stop) = (AtomicU32::new(0), keeper.lifecycle.soft.clone());
        let (shown, (began, mut beginnings)) = (keeper.board.clone(), mpsc::unbounded_channel());
        keeper.keep("clockwork", move || {
            let (number, stop) = (lives.fetch_add(1, Ordering::SeqCst), stop.clone());
            let part = shown.parts().remove("clockwork").unwrap();
            began.send((Instant::now(), part.runs, part.restarts, part.note)).unwrap();
            async move {
                assert!(number != 0, "out of steam");
                if number > 1 {
                    stop.cancelled().await;
                }
            }
        });
        let mut lives = Vec::new();
        for _ in 0..3 {
            lives.push(beginnings.recv().await.unwrap());
        }
        let told: Vec<_> = lives.iter().map(|(_, runs, restarts, note)| (*runs, *restarts, note.as_str())).collect();
        assert_eq!(told, [(true, 0, ""), (true, 1, "it panicked: out of steam"), (true, 2, "it ended by itself")]);
        let waited = lives[2].0.duration_since(lives[0].0);
        assert!(waited >= Duration::from_millis(500 + 1_000), "{waited:?}");
        keeper.lifecycle.soft.cancel();
        keeper.tasks.close();
        keeper.tasks.wait().await;
        assert!(beginnings.recv().await.is_none(), "what is stopped is not restarted");
    }

    #[test]
    fn a_restart_waits_between_half_the_pause_and_all_of_it() {
        for random in [0, 1, 499, 500, u64::MAX] {
            let wait = jittered(Duration::from_secs(1), random);
            assert!((Duration::from_millis(500)..Duration::from_secs(1)).contains(&wait), "{wait:?}");
        }
    }
}
