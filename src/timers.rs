//! What happens by itself: tickets whose time has come, and the housekeeping of each hour.

use std::sync::Arc;
use std::time::Duration;

use guichet_domain::Moment;
use guichet_domain::decide::decide;
use guichet_domain::event::Event;
use guichet_store::timer::{self, Timer};
use guichet_store::{ErrorKind, StoreError, idempotency, retention, ticket};
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::desk::spare_bad_addresses;
use crate::kernel::Kernel;
use crate::lifecycle::Lifecycle;
use crate::writing::write_decision;

/// How often timers are looked at.
const TICK: Duration = Duration::from_secs(5);
/// Timers of one look.
const MOST: i64 = 200;
/// How long a timer is put off that cannot be acted on.
const PUT_OFF: Duration = Duration::from_mins(5);
/// How often old things are cleared away.
const HOUSEKEEPING: Duration = Duration::from_hours(1);
/// Items that lose their raw bytes in one transaction.
const PRUNE: i64 = 500;
/// How long the breaker looks back, with a day to spare.
const PULSES: Duration = Duration::from_hours(8 * 24);
/// How long answers to requests with a key are kept.
const ANSWERS: Duration = Duration::from_hours(7 * 24);

/// Runs both as tasks of `tasks` until the soft stop.
pub fn run(tasks: &TaskTracker, kernel: Arc<Kernel>, lifecycle: Lifecycle) {
    let (other, stop) = (Arc::clone(&kernel), lifecycle.clone());
    tasks.spawn(async move {
        loop {
            if let Err(error) = fire_due(&kernel).await {
                warn!(%error, "timers cannot be read or written now");
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                () = lifecycle.soft.cancelled() => return,
            }
        }
    });
    tasks.spawn(async move {
        loop {
            // Not at once: a start is busy enough.
            tokio::select! {
                () = tokio::time::sleep(HOUSEKEEPING) => {}
                () = stop.soft.cancelled() => return,
            }
            if let Err(error) = clear_away(&other).await {
                warn!(%error, "old things cannot be cleared away now");
            }
        }
    });
}

/// Acts on every timer that is due, each in a transaction of its own; gives how many.
pub async fn fire_due(kernel: &Kernel) -> Result<usize, StoreError> {
    let mut fired = 0;
    loop {
        let mut tx = kernel.db.read().await?;
        let due = timer::due(&mut tx, kernel.clock.now(), MOST).await?;
        drop(tx);
        for timer in &due {
            match fire(kernel, timer).await {
                Ok(acted) => fired += usize::from(acted),
                // Somebody acts on the ticket at this moment: its timer is due again at the next look.
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) if error.is_environment() => return Err(error),
                Err(error) => {
                    warn!(%error, ticket = %timer.ticket, kind = timer.kind.as_str(), "a timer cannot be acted on; it is put off");
                    put_off(kernel, timer).await?;
                }
            }
        }
        if due.len() < usize::try_from(MOST).unwrap_or(usize::MAX) {
            return Ok(fired);
        }
    }
}

/// Acts on one timer; `false` when it was cleared or set anew meanwhile.
async fn fire(kernel: &Kernel, timer: &Timer) -> Result<bool, StoreError> {
    let now = kernel.clock.now();
    let mut tx = kernel.db.write().await?;
    if !timer::clear(&mut tx, timer).await? {
        return Ok(false);
    }
    let Some(ticket) = ticket::load(&mut tx, timer.ticket).await? else {
        tx.commit().await?;
        return Ok(false);
    };
    let rules = kernel.rules(&ticket.source);
    let decision = decide(Some(&ticket), Event::Timer(timer.kind), &rules, kernel.ids.as_ref(), now);
    let mut decision = decision.map_err(|refusal| StoreError::Other { what: refusal.to_string() })?;
    spare_bad_addresses(&mut tx, &mut decision, now).await?;
    write_decision(&mut tx, kernel, &mut decision, ticket.version, now).await?;
    crate::crash::point("timer.before_commit");
    tx.commit().await?;
    crate::crash::point("timer.after_commit");
    if !decision.deliveries.is_empty() {
        kernel.outbox.notify_one();
        kernel.watchers.wake(&ticket.source, &ticket.conversation);
    }
    Ok(true)
}

async fn put_off(kernel: &Kernel, timer: &Timer) -> Result<(), StoreError> {
    let mut tx = kernel.db.write().await?;
    timer::postpone(&mut tx, timer, kernel.clock.now() + PUT_OFF).await?;
    tx.commit().await
}

/// Clears away what is not kept for ever, a little at a time, so that nobody waits long for the writer.
pub async fn clear_away(kernel: &Kernel) -> Result<(), StoreError> {
    let now = kernel.clock.now();
    if kernel.raw_days > 0 {
        prune_raw(kernel, now - Duration::from_hours(u64::from(kernel.raw_days) * 24)).await?;
    }
    let mut tx = kernel.db.write().await?;
    retention::prune_pulses(&mut tx, now - PULSES).await?;
    idempotency::prune(&mut tx, now - ANSWERS).await?;
    tx.commit().await?;
    kernel.db.checkpoint().await
}

async fn prune_raw(kernel: &Kernel, before: Moment) -> Result<(), StoreError> {
    let mut dropped = 0;
    loop {
        // Otherwise the same bytes could come in again in between, find their file, and name it just as it goes.
        let _alone = kernel.blob_files.write().await;
        let mut tx = kernel.db.write().await?;
        let pruned = retention::prune_raw(&mut tx, before, PRUNE).await?;
        tx.commit().await?;
        dropped += pruned.inbounds;
        for hash in &pruned.files {
            // A file that stays behind costs room, nothing else.
            if let Err(error) = crate::blobs::remove(&kernel.state, hash).await {
                warn!(%error, "a file of raw bytes cannot be removed");
            }
        }
        if pruned.inbounds < u64::try_from(PRUNE).unwrap_or(0) {
            break;
        }
    }
    if dropped > 0 {
        info!(items = dropped, "raw bytes were dropped as they are kept for a time only; their tickets stay");
    }
    Ok(())
}
