//! The sender: from the outbox to the channels.
//!
//! One loop: settle what has come back, claim as many due rows as may be held, commit both together, hand each to its
//! channel with no transaction open. More rows are held than may be sent at once, so that a connection never waits for
//! a commit; which of them were begun is noted in [`begun`](Begun), so that a crash leaves only those in doubt. A row in
//! doubt is looked for before it is sent again.

mod begun;
mod letter;
mod outcome;
mod pause;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use guichet_contract::{Channel, Delivery, Departures, Port};
use guichet_domain::Moment;
use guichet_domain::decide::decide;
use guichet_domain::event::Event;
use guichet_domain::ids::{DeliveryId, SourceName, TicketId};
use guichet_domain::inbound::Explained;
use guichet_domain::outgoing::NoticeKind;
use guichet_domain::reason::{self, Reason};
use guichet_store::outbox::{self, Claim, Doubtful, OutboxRow, Settlement};
use guichet_store::record::{Batch, Identity, record};
use guichet_store::{StoreError, Tx, ticket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::intake::{self, Reception};
use crate::kernel::Kernel;
use crate::lifecycle::Lifecycle;
use crate::writing::write_decision;
use begun::{Begun, Earlier};
use letter::{Letter, letters};
use outcome::{Ended, settlement};
use pause::{Leave, Pause};

/// Rows held for each that may be sent at once.
const AHEAD: usize = 8;
/// How much longer a lease is than the longest attempt: a held row waits for its turn.
const LEASE_MARGIN: Duration = Duration::from_mins(10);
/// How long a held row may wait for its turn: what is left of the margin then is for looking for an earlier copy.
const LONGEST_HELD: Duration = Duration::from_mins(7);
/// The longest wait for a reason to look again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How often leases and lives that are over are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(5);
/// Most rows that expire in one round.
const EXPIRE_LIMIT: i64 = 500;
/// Attempts settled together at most.
const SETTLE_LIMIT: usize = 256;

/// The sender's view of the daemon.
struct Sender {
    kernel: Arc<Kernel>,
    outlets: BTreeMap<SourceName, Outlet>,
    begun: Arc<Begun>,
}

/// A source as the sender sees it.
struct Outlet {
    channel: Arc<dyn Channel>,
    port: Port,
    /// As many as may be held.
    held: Arc<Semaphore>,
    /// As many as may be sent at once.
    lanes: Semaphore,
    lease: Duration,
    /// Whether it takes anything at all.
    pause: Pause,
}

/// What one attempt gave.
struct Attempted {
    row: OutboxRow,
    delivery: Delivery,
    /// Given back once the row is settled, so that no more rows are held than may be.
    _permit: OwnedSemaphorePermit,
}

/// What one round claimed, and when the next is worth while.
struct Round {
    letters: Vec<(Letter, OwnedSemaphorePermit)>,
    wait: Duration,
}

/// Runs the sender as a task of `tasks` until the soft stop; attempts under way are finished and settled, rows that only waited
/// for their turn are given back.
pub fn run(tasks: &TaskTracker, kernel: Arc<Kernel>, reception: &Reception, lifecycle: Lifecycle) {
    let reception = reception.clone();
    let tracker = tasks.clone();
    tasks.spawn(async move {
        let mut pause = Duration::from_millis(200);
        let sender = loop {
            match Sender::open(&kernel, &reception).await {
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
        work(sender, &tracker, &lifecycle).await;
    });
}

/// Sends everything that is due now, and what becomes due by that, then returns how many attempts were made. For tests: it
/// waits for nothing but the channels.
pub async fn drain(kernel: &Arc<Kernel>, reception: &Reception) -> Result<usize, StoreError> {
    let sender = Sender::open(kernel, reception).await?;
    let never = CancellationToken::new();
    let (mut attempts, mut waiting) = (0, Vec::new());
    loop {
        let round = sender.round(&mut waiting, true, true).await?;
        if round.letters.is_empty() {
            return Ok(attempts);
        }
        for (letter, permit) in round.letters {
            waiting.push(sender.attempt(letter, permit, &never).await);
        }
        attempts += waiting.len();
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
                for (letter, permit) in round.letters {
                    let (sender, ended) = (Arc::clone(&sender), ended.clone());
                    let (soft, hard) = (lifecycle.soft.clone(), lifecycle.hard.clone());
                    tasks.spawn(async move {
                        tokio::select! {
                            // The receiver outlives the attempts; were it gone, the lease brings the row back.
                            attempted = sender.attempt(letter, permit, &soft) => drop(ended.send(attempted)),
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
    }
}

impl Sender {
    /// Takes back what an earlier life held, clearing the doubt of what it surely never began.
    async fn open(kernel: &Arc<Kernel>, reception: &Reception) -> Result<Self, StoreError> {
        let (begun, earlier) = Begun::open(kernel.state.path()).map_err(StoreError::from)?;
        let begun = Arc::new(begun);
        let sender = Self { kernel: Arc::clone(kernel), outlets: outlets(kernel, reception, &begun), begun };
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
        let recovered = outbox::recover(tx, self.kernel.incarnation, alone, now).await?;
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

    /// One transaction: settles `waiting` (emptied when it is written), and with `claiming` claims for every free permit.
    async fn round(
        &self,
        waiting: &mut Vec<Attempted>,
        claiming: bool,
        housekeeping: bool,
    ) -> Result<Round, StoreError> {
        let kernel = &self.kernel;
        let now = kernel.clock.now();
        let mut tx = kernel.db.write().await?;
        let told = settle(&mut tx, kernel, waiting, now).await?;
        for attempted in waiting.iter() {
            if let Some(outlet) = self.outlets.get(&attempted.row.source) {
                match attempted.delivery {
                    Delivery::Retry { source_down: true, .. } => outlet.pause.down(now),
                    _ => outlet.pause.up(),
                }
            }
        }
        let mut expired = Vec::new();
        if housekeeping {
            self.recover(&mut tx, &Earlier::Unknown, now).await?;
            expired = outbox::expire(&mut tx, now, EXPIRE_LIMIT).await?;
        }
        // What was settled above gives its permits back only after the commit; the next round uses them.
        let (claimed, wait) = if claiming { self.claim(&mut tx, now).await? } else { (Vec::new(), LONGEST_WAIT) };
        let letters = letters(&mut tx, claimed).await?;
        crate::crash::point("sender.before_commit");
        tx.commit().await?;
        crate::crash::point("sender.after_commit");
        let wait = if waiting.is_empty() { wait } else { Duration::ZERO };
        for attempted in waiting.drain(..) {
            self.begun.end(attempted.row.id, attempted.row.fence);
        }
        let expired = expired.iter().map(|end| (end.ticket, end.id, Explained::new(reason::EXPIRED, "")));
        for (ticket, delivery, why) in told.into_iter().chain(expired) {
            if let Err(error) = tell_agent(kernel, ticket, delivery, why, now).await {
                error!(%error, %delivery, "an agent could not be told of a delivery that failed; the outbox shows it");
            }
        }
        Ok(Round { letters, wait })
    }

    async fn claim(
        &self,
        tx: &mut Tx,
        now: Moment,
    ) -> Result<(Vec<(OutboxRow, OwnedSemaphorePermit)>, Duration), StoreError> {
        let mut claimed = Vec::new();
        let mut wait = LONGEST_WAIT;
        for (source, outlet) in &self.outlets {
            let mut permits = match outlet.pause.leave(now) {
                Leave::All => take_permits(&outlet.held),
                Leave::One => take_permits(&outlet.held).into_iter().take(1).collect(),
                Leave::After(until) => {
                    wait = wait.min(until.since(now).max(Duration::from_millis(10)));
                    continue;
                }
            };
            let limit = i64::try_from(permits.len()).unwrap_or(i64::MAX);
            if limit == 0 {
                continue;
            }
            let claim = Claim { source, incarnation: self.kernel.incarnation, lease: outlet.lease, limit };
            let rows = outbox::claim(tx, &claim, now).await?;
            if rows.is_empty()
                && let Some(due) = outbox::next_due(tx, source, now).await?
            {
                wait = wait.min(due.since(now).max(Duration::from_millis(10)));
            }
            claimed.extend(rows.into_iter().map_while(|row| permits.pop().map(|permit| (row, permit))));
        }
        Ok((claimed, wait))
    }

    /// Waits for a lane and makes the attempt; its beginning is noted here, or by a channel that knows it better. After the soft stop nothing is begun any more.
    async fn attempt(&self, letter: Letter, permit: OwnedSemaphorePermit, soft: &CancellationToken) -> Attempted {
        // A channel that panics leaves one row in doubt; unheard of, it would leave the sender waiting for it.
        let delivery = AssertUnwindSafe(self.deliver(&letter, soft)).catch_unwind().await;
        let delivery = delivery.unwrap_or_else(|_| Delivery::Unknown { detail: "the channel panicked".into() });
        crate::crash::point("sender.after_delivery");
        self.begun.came_of(letter.row.id, letter.row.fence, &delivery);
        crate::crash::point("sender.after_note");
        Attempted { row: letter.row, delivery, _permit: permit }
    }

    async fn deliver(&self, letter: &Letter, soft: &CancellationToken) -> Delivery {
        let not_begun = |detail: &str| Delivery::Retry { detail: detail.into(), after: None, source_down: true };
        let Some(outlet) = self.outlets.get(&letter.row.source) else { return not_begun("its source is gone") };
        let held = Instant::now();
        let lane = tokio::select! {
            biased;
            () = soft.cancelled() => None,
            lane = outlet.lanes.acquire() => lane.ok(),
        };
        let Some(_lane) = lane else { return not_begun("the daemon stopped before it began") };
        if held.elapsed() >= LONGEST_HELD {
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

fn outlets(kernel: &Kernel, reception: &Reception, begun: &Arc<Begun>) -> BTreeMap<SourceName, Outlet> {
    let sending = kernel.sources.iter().filter(|(_, source)| source.enabled && source.channel.abilities().sends);
    sending
        .map(|(name, source)| {
            let abilities = source.channel.abilities();
            let lanes = abilities.concurrency.max(1);
            let begun = Arc::clone(begun);
            let departures = Departures::noted_by(move |id| {
                begun.begin(id).map_err(|error| format!("the state folder cannot be written: {error}"))
            });
            let outlet = Outlet {
                channel: Arc::clone(&source.channel),
                port: Port { departures, ..intake::port(reception, name, source) },
                held: Arc::new(Semaphore::new(lanes * AHEAD)),
                lanes: Semaphore::new(lanes),
                lease: Duration::from_secs(abilities.deadline_secs) + LEASE_MARGIN,
                pause: Pause::default(),
            };
            (name.clone(), outlet)
        })
        .collect()
}

/// All permits that are free now: rows are claimed only for permits that are held.
fn take_permits(permits: &Arc<Semaphore>) -> Vec<OwnedSemaphorePermit> {
    std::iter::from_fn(|| Arc::clone(permits).try_acquire_owned().ok()).collect()
}

/// Writes down what attempts gave; gives what agents must be told once it is committed.
async fn settle(
    tx: &mut Tx,
    kernel: &Kernel,
    attempted: &[Attempted],
    now: Moment,
) -> Result<Vec<(TicketId, DeliveryId, Explained)>, StoreError> {
    if attempted.is_empty() {
        return Ok(Vec::new());
    }
    let ended: Vec<Ended> =
        attempted.iter().map(|attempted| settlement(kernel, &attempted.row, &attempted.delivery, now)).collect();
    let settlements: Vec<Settlement> = ended.iter().map(|ended| ended.settlement.clone()).collect();
    let stale = outbox::settle(tx, &settlements, now).await?;
    for id in &stale {
        warn!(delivery = %id, "an attempt ended after its lease: what came of it no longer counts");
    }
    let mut batch = Batch { at: now, ..Batch::default() };
    let mut told = Vec::new();
    for (attempted, ended) in attempted.iter().zip(&ended) {
        if stale.contains(&attempted.row.id) {
            continue;
        }
        batch.identities.extend(ended.bad_address.as_deref().map(|address| undeliverable(address, now)));
        told.extend(ended.tell_agent.clone().map(|why| (attempted.row.ticket, attempted.row.id, why)));
    }
    record(tx, &batch).await?;
    Ok(told)
}

fn undeliverable(address: &str, at: Moment) -> Identity<'_> {
    static HARD: Reason = reason::REPORT_HARD;
    Identity { address, language: None, verified: false, undeliverable: Some(&HARD), works: false, at }
}

/// Puts what went wrong before an agent's eyes: on the ticket itself.
async fn tell_agent(
    kernel: &Kernel,
    id: TicketId,
    delivery: DeliveryId,
    why: Explained,
    now: Moment,
) -> Result<(), StoreError> {
    let mut tx = kernel.db.write().await?;
    // An event that a program did not take would be announced to the same program, and so on for ever.
    let row = outbox::by_id(&mut tx, delivery).await?;
    if row.is_none_or(|row| row.kind == NoticeKind::Event) {
        return tx.rollback().await;
    }
    let Some(ticket) = ticket::load(&mut tx, id).await? else { return tx.rollback().await };
    let rules = kernel.rules(&ticket.source);
    match decide(Some(&ticket), Event::Failed { delivery, why }, &rules, kernel.ids.as_ref(), now) {
        Ok(mut decision) => write_decision(&mut tx, kernel, &mut decision, ticket.version, now).await?,
        Err(refusal) => warn!(%refusal, "a failed delivery could not be entered on its ticket"),
    }
    tx.commit().await
}
