//! Runs every source as its own task, restarts it when it falls, and keeps its health.
//!
//! A panic or a passing fault restarts the source after a pause that doubles from 1 s to 5 min, with jitter, and is
//! short again once the source has done well; a lasting fault takes that one source down and leaves the others alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use guichet_contract::{Channel, Fault, Health, Port};
use guichet_domain::ids::SourceName;
use guichet_domain::{Clock, Ids, Moment};
use serde::Serialize;
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

/// The health of all sources, shared by whoever reports and whoever shows it.
#[derive(Clone)]
pub struct HealthBoard {
    sources: Arc<Mutex<BTreeMap<SourceName, SourceHealth>>>,
    clock: Arc<dyn Clock>,
}

impl HealthBoard {
    /// An empty board.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { sources: Arc::default(), clock }
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
    use super::*;

    #[test]
    fn a_restart_waits_between_half_the_pause_and_all_of_it() {
        for random in [0, 1, 499, 500, u64::MAX] {
            let wait = jittered(Duration::from_secs(1), random);
            assert!((Duration::from_millis(500)..Duration::from_secs(1)).contains(&wait), "{wait:?}");
        }
    }
}
