//! What happens by itself: tickets whose time has come, and the housekeeping of each hour.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use guichet_domain::Moment;
use guichet_domain::decide::decide;
use guichet_domain::event::{Event, TimerKind};
use guichet_store::timer::{self, Timer};
use guichet_store::{ErrorKind, StoreError, idempotency, requester, retention, ticket};
use tracing::{info, warn};

use crate::desk::spare_bad_addresses;
use crate::kernel::Kernel;
use crate::lifecycle::Lifecycle;
use crate::requests;
use crate::supervisor::Keeper;
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
/// How long it is known which acts of requesters were carried out: a browser may repeat them when it is opened again.
const ACTS: Duration = Duration::from_hours(30 * 24);

/// Runs both until the soft stop; each is restarted should it fall.
pub fn run(keeper: &Keeper, kernel: &Arc<Kernel>) {
    let (owner, lifecycle) = (Arc::clone(kernel), keeper.lifecycle.clone());
    keeper.keep("timers", move || look(Arc::clone(&owner), lifecycle.clone()));
    let (owner, lifecycle) = (Arc::clone(kernel), keeper.lifecycle.clone());
    keeper.keep("housekeeping", move || tidy(Arc::clone(&owner), lifecycle.clone()));
}

async fn look(kernel: Arc<Kernel>, lifecycle: Lifecycle) {
    loop {
        if let Err(error) = fire_due(&kernel).await {
            warn!(%error, "timers cannot be read or written now");
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = lifecycle.soft.cancelled() => return,
        }
    }
}

async fn tidy(kernel: Arc<Kernel>, lifecycle: Lifecycle) {
    loop {
        // Not at once: a start is busy enough.
        tokio::select! {
            () = tokio::time::sleep(HOUSEKEEPING) => {}
            () = lifecycle.soft.cancelled() => return,
        }
        if let Err(error) = clear_away(&kernel).await {
            warn!(%error, "old things cannot be cleared away now");
        }
    }
}

/// Acts on every timer that is due, each in a transaction of its own; gives how many. A timer whose ticket somebody else
/// changes at that moment is left to the next look.
pub async fn fire_due(kernel: &Kernel) -> Result<usize, StoreError> {
    fire_all(kernel, |kernel, timer| Box::pin(fire(kernel, timer))).await
}

/// What is done to a timer that is due.
type Act = for<'a> fn(&'a Kernel, &'a Timer) -> BoxFuture<'a, Result<bool, StoreError>>;

/// The same with what is done to each as a parameter.
async fn fire_all(kernel: &Kernel, act: Act) -> Result<usize, StoreError> {
    let mut fired = 0;
    loop {
        let mut tx = kernel.db.read().await?;
        let due = timer::due(&mut tx, kernel.clock.now(), MOST).await?;
        drop(tx);
        let mut left = false;
        for timer in &due {
            match act(kernel, timer).await {
                Ok(acted) => fired += usize::from(acted),
                Err(error) if error.kind() == ErrorKind::Conflict => left = true,
                Err(error) if error.is_environment() => return Err(error),
                Err(error) => {
                    warn!(%error, ticket = %timer.ticket, kind = timer.kind.as_str(), "a timer cannot be acted on; it is put off");
                    put_off(kernel, timer).await?;
                }
            }
        }
        // What was left is due still, and would be read again and again: the next look comes soon enough.
        if left || due.len() < usize::try_from(MOST).unwrap_or(usize::MAX) {
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
    let decision = match timer.kind {
        TimerKind::Unread => requests::unread(&mut tx, kernel, &ticket, now).await?,
        kind => decide(Some(&ticket), Event::Timer(kind), &rules, kernel.ids.as_ref(), now),
    };
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
    requester::prune(&mut tx, now - ACTS).await?;
    tx.commit().await?;
    kernel.db.refresh_statistics().await?;
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

#[cfg(test)]
mod tests {
    use guichet_testkit::TestIds;

    use super::*;
    use crate::trial::{Trial, taken};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn timers_of_tickets_that_others_change_are_left_to_the_next_look() {
        let trial = Trial::open(Arc::new(TestIds::seeded(7)), taken).await;
        let many = usize::try_from(MOST).unwrap();
        trial.asked_by((0..many).map(|number| format!("person-{number}"))).await;
        trial.clock.advance(Duration::from_hours(90 * 24));
        let busy: Act = |_, timer| {
            let what = timer.ticket.to_string();
            Box::pin(async { Err(StoreError::Conflict { what }) })
        };
        let look = tokio::time::timeout(Duration::from_secs(20), fire_all(&trial.kernel, busy));
        assert_eq!(look.await.expect("it does not try for ever").unwrap(), 0);
        assert_eq!(fire_due(&trial.kernel).await.unwrap(), many, "nothing was put off");
    }
}
