//! The sender: from the outbox to the channels.
//!
//! One loop: settle what has come back, claim as many due rows as may be held, commit both together, hand each to its
//! channel with no transaction open. More rows are held than may be sent at once, so that a connection never waits for
//! a commit; which of them were begun is noted in [`begun`](Begun), so that a crash leaves only those in doubt. A row in
//! doubt is looked for before it is sent again.

mod begun;
mod letter;
mod outcome;
mod outlet;
mod pause;
mod round;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use guichet_contract::Delivery;
use guichet_domain::Moment;
use guichet_domain::ids::{DeliveryId, SourceName};
use guichet_store::outbox::{self, Doubtful};
use guichet_store::{StoreError, Tx};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};
use uuid::Uuid;

use crate::intake::Reception;
use crate::kernel::Kernel;
use crate::lifecycle::Lifecycle;
use crate::supervisor::Keeper;
use begun::{Begun, Earlier};
use letter::Letter;
use outlet::{Outlet, Place, outlets};
use round::Attempted;

/// How long a held row may wait for its turn: what is left of the lease's margin then is for looking for an earlier copy.
const LONGEST_HELD: Duration = Duration::from_mins(7);
/// The longest wait for a reason to look again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How often leases and lives that are over are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(5);
/// Attempts settled together at most.
const SETTLE_LIMIT: usize = 256;
/// While others are under way, what ends within this time of each other shares a commit.
const GATHER: Duration = Duration::from_millis(5);

/// The sender's view of the daemon.
struct Sender {
    kernel: Arc<Kernel>,
    /// This life of the sender: what another held is nobody's.
    incarnation: Uuid,
    outlets: BTreeMap<SourceName, Outlet>,
    begun: Arc<Begun>,
}

/// Runs the sender until the soft stop; attempts under way are finished and settled, rows that only waited for their turn
/// are given back. Should it fall, it is restarted and goes on as after a crash of the process.
pub fn run(keeper: &Keeper, kernel: &Arc<Kernel>, reception: &Reception) {
    let (kernel, reception, lifecycle) = (Arc::clone(kernel), reception.clone(), keeper.lifecycle.clone());
    keeper.keep("sender", move || life(Arc::clone(&kernel), reception.clone(), lifecycle.clone()));
}

/// Sends everything that is due now, and what becomes due by that, then returns how many attempts were made. For tests: it
/// waits for nothing but the channels.
pub async fn drain(kernel: &Arc<Kernel>, reception: &Reception) -> Result<usize, StoreError> {
    let sender = Sender::open(kernel, reception, kernel.incarnation).await?;
    let never = CancellationToken::new();
    let (mut attempts, mut waiting) = (0, Vec::new());
    loop {
        let round = sender.round(&mut waiting, true, true).await?;
        if round.letters.is_empty() {
            return Ok(attempts);
        }
        for (letter, place) in round.letters {
            waiting.push(sender.attempt(letter, place, &never).await);
        }
        attempts += waiting.len();
    }
}

/// One life of the sender: until the stop, or a panic, by which no attempt outlives it.
async fn life(kernel: Arc<Kernel>, reception: Reception, lifecycle: Lifecycle) {
    let mut pause = Duration::from_millis(200);
    let incarnation = kernel.ids.uuid();
    let sender = loop {
        match Sender::open(&kernel, &reception, incarnation).await {
            Ok(sender) => break Arc::new(sender),
            Err(error) => {
                warn!(%error, "nothing can be sent until the state folder and the database can be written");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_WAIT),
            () = lifecycle.soft.cancelled() => return,
        }
    };
    let attempts = TaskTracker::new();
    let own = Lifecycle { soft: lifecycle.soft.clone(), hard: lifecycle.hard.child_token() };
    let end = AssertUnwindSafe(work(sender, &attempts, &own)).catch_unwind().await;
    // What is still under way is dropped, and the next life finds in the notes what may have arrived: were it to go on, the
    // next life would send the same rows beside it.
    own.hard.cancel();
    attempts.close();
    attempts.wait().await;
    if let Err(panic) = end {
        resume_unwind(panic);
    }
}

async fn work(sender: Arc<Sender>, tasks: &TaskTracker, lifecycle: &Lifecycle) {
    let (ended, mut results) = mpsc::unbounded_channel();
    let mut waiting: Vec<Attempted> = Vec::new();
    let mut out = 0_usize;
    let mut kept_house: Option<Instant> = None;
    loop {
        let stopping = lifecycle.soft.is_cancelled();
        let housekeeping = kept_house.is_none_or(|at| at.elapsed() >= HOUSEKEEPING);
        let settling = waiting.len();
        let wait = match sender.round(&mut waiting, !stopping, housekeeping).await {
            Ok(round) => {
                if housekeeping {
                    kept_house = Some(Instant::now());
                }
                out = (out - settling) + round.letters.len();
                for (letter, place) in round.letters {
                    let (sender, ended) = (Arc::clone(&sender), ended.clone());
                    let (soft, hard) = (lifecycle.soft.clone(), lifecycle.hard.clone());
                    tasks.spawn(async move {
                        tokio::select! {
                            // The receiver outlives the attempts; were it gone, the lease brings the row back.
                            attempted = sender.attempt(letter, place, &soft) => drop(ended.send(attempted)),
                            () = hard.cancelled() => {}
                        }
                    });
                }
                round.wait
            }
            Err(error) => {
                warn!(%error, unsettled = settling, "the outbox cannot be read or written now");
                Duration::from_secs(1)
            }
        };
        if stopping && out == 0 {
            return;
        }
        let room = SETTLE_LIMIT.saturating_sub(waiting.len());
        tokio::select! {
            _ = results.recv_many(&mut waiting, room), if out > waiting.len() && room > 0 => {}
            () = tokio::time::sleep(wait) => {}
            () = sender.kernel.outbox.notified() => {}
            () = lifecycle.soft.cancelled(), if !stopping => {}
            () = lifecycle.hard.cancelled() => return,
        }
        gather(&mut results, &mut waiting, out, lifecycle).await;
    }
}

/// Waits a moment for more attempts to end, unless none is under way: the fewer commits, the more is sent.
async fn gather(
    results: &mut mpsc::UnboundedReceiver<Attempted>,
    waiting: &mut Vec<Attempted>,
    out: usize,
    lifecycle: &Lifecycle,
) {
    let until = Instant::now() + GATHER;
    while out > waiting.len() && waiting.len() < SETTLE_LIMIT && !lifecycle.hard.is_cancelled() {
        let room = SETTLE_LIMIT - waiting.len();
        if tokio::time::timeout_at(until, results.recv_many(waiting, room)).await.is_err() {
            return;
        }
    }
}

impl Sender {
    /// Takes back what an earlier life held, clearing the doubt of what it surely never began.
    async fn open(kernel: &Arc<Kernel>, reception: &Reception, incarnation: Uuid) -> Result<Self, StoreError> {
        let (begun, earlier) = Begun::open(kernel.state.path()).map_err(StoreError::from)?;
        let begun = Arc::new(begun);
        let outlets = outlets(kernel, reception, &begun);
        let sender = Self { kernel: Arc::clone(kernel), incarnation, outlets, begun };
        let now = kernel.clock.now();
        let mut tx = kernel.db.write().await?;
        let taken = earlier.taken();
        if !taken.is_empty() {
            // Those that were settled as well are somebody else's by now, or sent: their fence no longer counts.
            let stale = outbox::settle(&mut tx, &taken, now).await?;
            info!(sent = taken.len() - stale.len(), "what the network took before the process ended is settled");
        }
        sender.recover(&mut tx, &earlier, now).await?;
        tx.commit().await?;
        sender.begun.start().map_err(StoreError::from)?;
        Ok(sender)
    }

    /// On SQLite no other process holds the state folder, so whatever an earlier life held is nobody's, and its notes are at
    /// hand. On a shared database leases end by time alone, and nobody knows what another node had begun.
    async fn recover(&self, tx: &mut Tx, earlier: &Earlier, now: Moment) -> Result<(), StoreError> {
        let alone = !self.kernel.db.is_shared();
        let recovered = outbox::recover(tx, self.incarnation, alone, now).await?;
        if recovered.is_empty() {
            return Ok(());
        }
        let (never, doubtful): (Vec<&Doubtful>, Vec<&Doubtful>) =
            recovered.iter().partition(|row| alone && earlier.never_begun(row.id, row.fence));
        let ids = |rows: &[&Doubtful]| rows.iter().map(|row| row.id).collect::<Vec<DeliveryId>>();
        outbox::clear_doubts(tx, &ids(&never)).await?;
        for (source, outlet) in &self.outlets {
            let grace = outlet.channel.abilities().doubt_grace_secs;
            if grace > 0 {
                outbox::postpone(tx, source, &ids(&doubtful), now + Duration::from_secs(grace)).await?;
            }
        }
        info!(
            held = recovered.len(),
            in_doubt = doubtful.len(),
            "rows that were held and never settled are taken back"
        );
        Ok(())
    }

    /// Waits for a lane and makes the attempt; its beginning is noted here, or by a channel that knows it better. After the
    /// soft stop nothing is begun any more.
    async fn attempt(&self, letter: Letter, place: Place, soft: &CancellationToken) -> Attempted {
        let mut waited = None;
        // A channel that panics leaves one row in doubt; unheard of, it would leave the sender waiting for it.
        let delivery = AssertUnwindSafe(self.deliver(&letter, soft, &mut waited)).catch_unwind().await;
        let delivery = delivery.unwrap_or_else(|_| Delivery::Unknown { detail: "the channel panicked".into() });
        crate::crash::point("sender.after_delivery");
        self.begun.came_of(letter.row.id, letter.row.fence, &delivery);
        crate::crash::point("sender.after_note");
        Attempted { row: letter.row, delivery, waited, place }
    }

    async fn deliver(&self, letter: &Letter, soft: &CancellationToken, waited: &mut Option<Duration>) -> Delivery {
        let not_begun = |detail: &str| Delivery::Retry { detail: detail.into(), after: None, source_down: true };
        let Some(outlet) = self.outlets.get(&letter.row.source) else { return not_begun("its source is gone") };
        let held = Instant::now();
        let lane = tokio::select! {
            biased;
            () = soft.cancelled() => None,
            lane = outlet.lanes.acquire() => lane.ok(),
        };
        let Some(_lane) = lane else { return not_begun("the daemon stopped before it began") };
        let turn = held.elapsed();
        *waited = Some(turn);
        if turn >= LONGEST_HELD {
            // Its lease could end before the attempt does, and the row would be sent by whoever claims it then as well.
            return not_begun("others took too long to be sent");
        }
        self.begun.expect(letter.row.id, letter.row.fence);
        if !outlet.channel.abilities().notes_departure
            && let Err(error) = self.begun.begin(letter.row.id)
        {
            return not_begun(&format!("the state folder cannot be written: {error}"));
        }
        outcome::attempt(&self.kernel, outlet.channel.as_ref(), &outlet.port, letter).await
    }
}
