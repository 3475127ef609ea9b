//! Start, stop, and what systemd is told of both.
//!
//! Two stages: the soft stop ends listening and lets what is under way finish; the hard stop, a second signal or 30 s
//! later, drops the rest. Whatever is dropped is durable already: the next start goes on with it.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Time between the soft and the hard stop.
pub const GRACE: Duration = Duration::from_secs(30);

/// The two stages of stopping, shared by every task.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// Take nothing new in; finish what is under way.
    pub soft: CancellationToken,
    /// Return now.
    pub hard: CancellationToken,
}

impl Lifecycle {
    /// Listens for SIGTERM and SIGINT from now on.
    pub fn listen(&self) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (soft, hard) = (self.soft.clone(), self.hard.clone());
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = soft.cancelled() => {}
            }
            info!(grace_secs = GRACE.as_secs(), "stopping: taking nothing new in, finishing what is under way");
            notify(&[sd_notify::NotifyState::Stopping]);
            soft.cancel();
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = tokio::time::sleep(GRACE) => {}
                () = hard.cancelled() => return,
            }
            warn!("stopping at once: what was under way goes on at the next start");
            hard.cancel();
        });
        Ok(())
    }
}

/// Says to systemd that all is up, with one line of status. Without systemd, nothing.
pub fn ready(status: &str) {
    notify(&[sd_notify::NotifyState::Ready, sd_notify::NotifyState::Status(status)]);
}

/// Feeds systemd's watchdog while `alive` answers yes in time: a writer that hangs or is gone gets the process restarted.
/// Returns at once when no watchdog is set.
pub async fn feed_watchdog<F>(stop: CancellationToken, alive: impl Fn() -> F + Send)
where
    F: Future<Output = bool> + Send,
{
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut tick = tokio::time::interval(limit / 3);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Ok(true) = tokio::time::timeout(limit / 3, alive()).await {
            notify(&[sd_notify::NotifyState::Watchdog]);
        } else {
            warn!("nothing can be taken in, or the database did not answer in time: the watchdog is not fed");
        }
    }
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "systemd could not be told");
    }
}
