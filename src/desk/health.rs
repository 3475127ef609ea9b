//! How the daemon and its sources do.

use std::time::Duration;

use guichet_store::outbox;

use crate::desk::Desk;
use crate::desk::views::{HealthReport, PartView, SourceState, SourceView};
use crate::supervisor::HealthState;

/// How long the database may take to begin a transaction before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(5);

impl Desk {
    /// The sources with their health, by name.
    pub fn sources(&self) -> Vec<SourceView> {
        let (board, now) = (self.kernel.board.all(), self.kernel.clock.now());
        let view = |(name, source): (&guichet_domain::ids::SourceName, &crate::kernel::Source)| {
            let line = board.get(name);
            SourceView {
                name: name.clone(),
                channel: source.kind.clone(),
                enabled: source.enabled,
                state: line.map_or(SourceState::Idle, |line| state(line.state)),
                note: line.map(|line| line.note.clone()).unwrap_or_default(),
                good_at: line.and_then(|line| line.good_at),
                good_age_secs: line.and_then(|line| line.good_at).map(|at| now.since(at).as_secs()),
                restarts: line.map_or(0, |line| line.restarts),
            }
        };
        self.kernel.sources.iter().map(view).collect()
    }

    /// Whether the daemon can do its work, and why not.
    pub async fn health(&self) -> HealthReport {
        let kernel = self.kernel.as_ref();
        let sources = self.sources();
        let mut reasons = Vec::new();
        match tokio::time::timeout(PATIENCE, kernel.db.write()).await {
            Ok(Ok(tx)) => drop(tx.rollback().await),
            Ok(Err(error)) => reasons.push(format!("the database cannot be written: {}", error.remedy())),
            Err(_) => reasons.push(format!("the database did not answer within {} s", PATIENCE.as_secs())),
        }
        let disk_free_bytes = kernel.state.free_bytes().ok();
        if let Some(free) = disk_free_bytes.filter(|free| *free < kernel.floor_bytes) {
            let (free, floor) = (free >> 20, kernel.floor_bytes >> 20);
            reasons.push(format!(
                "{free} MiB are free where the state folder is; nothing is taken in below {floor} MiB: free some space"
            ));
        }
        for source in sources.iter().filter(|source| source.state == SourceState::Down) {
            reasons.push(format!("source {} is down: {}", source.name, source.note));
        }
        let parts = self.parts();
        for part in parts.iter().filter(|part| !part.runs) {
            reasons.push(format!("the {} fell and is restarted ({}): the log says more", part.name, part.note));
        }
        if !self.reception.is_running() {
            reasons.push("nothing is written of what comes in: restart the daemon; the log says why".to_owned());
        }
        HealthReport {
            ready: reasons.is_empty(),
            reasons,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: kernel.db.engine().to_owned(),
            disk_free_bytes,
            outbox_age_secs: self.outbox_age().await.map_or(0, |age| age.as_secs()),
            sources,
            parts,
        }
    }

    /// The parts of the daemon that are kept running, by name.
    fn parts(&self) -> Vec<PartView> {
        let parts = self.kernel.board.parts().into_iter();
        parts
            .map(|(name, part)| PartView {
                name: name.to_owned(),
                runs: part.runs,
                note: part.note,
                restarts: part.restarts,
            })
            .collect()
    }

    /// How long the row has waited that has been due the longest; `None` when the database cannot tell.
    pub async fn outbox_age(&self) -> Option<Duration> {
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.read().await.ok()?;
        let oldest = outbox::oldest_due(&mut tx, now).await.ok()?;
        Some(oldest.map(|at| now.since(at)).unwrap_or_default())
    }
}

const fn state(state: HealthState) -> SourceState {
    match state {
        HealthState::Starting => SourceState::Starting,
        HealthState::Good => SourceState::Good,
        HealthState::Warning => SourceState::Warning,
        HealthState::Troubled => SourceState::Troubled,
        HealthState::Down => SourceState::Down,
    }
}
