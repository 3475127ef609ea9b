//! The sender: from the outbox to the channels.
//!
//! One round: take permits, claim as many due rows, commit, hand each to its channel with no transaction open, settle
//! what came back, many at once. A row whose attempt has no known end is looked for before it is sent again.

mod letter;
mod outcome;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use guichet_contract::{Channel, Delivery, Port};
use guichet_domain::Moment;
use guichet_domain::decide::decide;
use guichet_domain::event::Event;
use guichet_domain::ids::{DeliveryId, SourceName, TicketId};
use guichet_domain::inbound::Explained;
use guichet_domain::reason::{self, Reason};
use guichet_store::outbox::{self, Claim, OutboxRow, Settlement};
use guichet_store::record::{Batch, Identity, record};
use guichet_store::{StoreError, ticket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::intake::{self, Reception};
use crate::kernel::Kernel;
use crate::lifecycle::Lifecycle;
use crate::writing::write_decision;
use letter::{Letter, letters};
use outcome::{Ended, settlement};

/// How much longer a lease is than the longest attempt.
const LEASE_MARGIN: Duration = Duration::from_secs(120);
/// The longest wait: time-outs of leases and lives are looked at this often.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Most rows that expire in one round.
const EXPIRE_LIMIT: i64 = 500;
/// Attempts settled together at most.
const SETTLE_LIMIT: usize = 256;

/// A source as the sender sees it.
struct Outlet {
    channel: Arc<dyn Channel>,
    port: Port,
    permits: Arc<Semaphore>,
    lease: Duration,
}

/// What one attempt gave.
struct Attempted {
    row: OutboxRow,
    delivery: Delivery,
    /// Given back once the row is settled, so that no more rows are held than may be sent.
    _permit: OwnedSemaphorePermit,
}

/// The sender's view of the daemon.
struct Sender {
    kernel: Arc<Kernel>,
    outlets: BTreeMap<SourceName, Outlet>,
}

/// What one round claimed, and when the next is worth while.
struct Round {
    letters: Vec<(Letter, OwnedSemaphorePermit)>,
    wait: Duration,
}

/// Runs the sender as tasks of `tasks` until the soft stop; attempts under way are finished and settled.
pub fn run(tasks: &TaskTracker, kernel: Arc<Kernel>, reception: &Reception, lifecycle: Lifecycle) {
    let sender = Arc::new(Sender::new(Arc::clone(&kernel), reception));
    let (ended, results) = mpsc::unbounded_channel();
    tasks.spawn(settle_all(kernel, results));
    let tracker = tasks.clone();
    tasks.spawn(async move {
        while !lifecycle.soft.is_cancelled() {
            let wait = match sender.round().await {
                Ok(round) => {
                    for (letter, permit) in round.letters {
                        let (sender, ended, hard) = (Arc::clone(&sender), ended.clone(), lifecycle.hard.clone());
                        tracker.spawn(async move {
                            let attempted = tokio::select! {
                                attempted = sender.attempt(&letter, permit) => attempted,
                                () = hard.cancelled() => return,
                            };
                            // The receiver lives as long as any sender; were it gone, the lease brings the row back.
                            drop(ended.send(attempted));
                        });
                    }
                    round.wait
                }
                Err(error) => {
                    warn!(%error, "the outbox cannot be read or written now");
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = sender.kernel.outbox.notified() => {}
                () = lifecycle.soft.cancelled() => {}
            }
        }
    });
}

/// Sends everything that is due now, and what becomes due by that, then returns how many attempts were made. For tests and for
/// commands that run without a daemon.
pub async fn drain(kernel: &Arc<Kernel>, reception: &Reception) -> Result<usize, StoreError> {
    let sender = Sender::new(Arc::clone(kernel), reception);
    let mut attempts = 0;
    loop {
        let round = sender.round().await?;
        if round.letters.is_empty() {
            return Ok(attempts);
        }
        let mut attempted = Vec::with_capacity(round.letters.len());
        for (letter, permit) in round.letters {
            attempted.push(sender.attempt(&letter, permit).await);
        }
        attempts += attempted.len();
        settle(kernel, &attempted).await?;
    }
}

impl Sender {
    fn new(kernel: Arc<Kernel>, reception: &Reception) -> Self {
        let sending = kernel.sources.iter().filter(|(_, source)| source.enabled && source.channel.abilities().sends);
        let outlets = sending
            .map(|(name, source)| {
                let abilities = source.channel.abilities();
                let outlet = Outlet {
                    channel: Arc::clone(&source.channel),
                    port: intake::port(reception, name, source),
                    permits: Arc::new(Semaphore::new(abilities.concurrency.max(1))),
                    lease: Duration::from_secs(abilities.deadline_secs) + LEASE_MARGIN,
                };
                (name.clone(), outlet)
            })
            .collect();
        Self { kernel, outlets }
    }

    /// Takes back what nobody holds any more, ends what has outlived itself, and claims for every free permit.
    async fn round(&self) -> Result<Round, StoreError> {
        let kernel = &self.kernel;
        let now = kernel.clock.now();
        let mut tx = kernel.db.write().await?;
        // On SQLite no other process holds the state folder, so whatever an earlier life held is nobody's.
        let recovered = outbox::recover(&mut tx, kernel.incarnation, !kernel.db.is_shared(), now).await?;
        let expired = outbox::expire(&mut tx, now, EXPIRE_LIMIT).await?;
        let mut claimed = Vec::new();
        let mut wait = LONGEST_WAIT;
        for (source, outlet) in &self.outlets {
            let mut permits = take_permits(&outlet.permits);
            if permits.is_empty() {
                continue;
            }
            let limit = i64::try_from(permits.len()).unwrap_or(i64::MAX);
            let claim = Claim { source, incarnation: kernel.incarnation, lease: outlet.lease, limit };
            let rows = outbox::claim(&mut tx, &claim, now).await?;
            if let Some(due) = outbox::next_due(&mut tx, source, now).await? {
                wait = wait.min(due.since(now).max(Duration::from_millis(10)));
            }
            claimed.extend(rows.into_iter().map_while(|row| permits.pop().map(|permit| (row, permit))));
        }
        let letters = letters(&mut tx, claimed).await?;
        crate::crash::point("sender.before_claim_commit");
        tx.commit().await?;
        crate::crash::point("sender.after_claim_commit");
        if !recovered.is_empty() {
            info!(rows = recovered.len(), "attempts of an earlier life have no known end; each is looked for first");
        }
        for end in expired {
            tell_agent(kernel, end.ticket, end.id, Explained::new(reason::EXPIRED, ""), now).await?;
        }
        Ok(Round { letters, wait })
    }

    /// One attempt at one letter.
    async fn attempt(&self, letter: &Letter, permit: OwnedSemaphorePermit) -> Attempted {
        let delivery = match self.outlets.get(&letter.row.source) {
            Some(outlet) => outcome::attempt(&self.kernel, outlet.channel.as_ref(), &outlet.port, letter).await,
            None => Delivery::Retry { detail: "its source is gone".into(), after: None, source_down: true },
        };
        crate::crash::point("sender.after_delivery");
        Attempted { row: letter.row.clone(), delivery, _permit: permit }
    }
}

/// All permits that are free now: rows are claimed only for permits that are held.
fn take_permits(permits: &Arc<Semaphore>) -> Vec<OwnedSemaphorePermit> {
    std::iter::from_fn(|| Arc::clone(permits).try_acquire_owned().ok()).collect()
}

/// Settles what attempts gave, as many as have ended by then in one transaction, until no attempt is left.
async fn settle_all(kernel: Arc<Kernel>, mut results: mpsc::UnboundedReceiver<Attempted>) {
    let mut waiting: Vec<Attempted> = Vec::new();
    while results.recv_many(&mut waiting, SETTLE_LIMIT).await > 0 {
        while let Err(error) = settle(&kernel, &waiting).await {
            // What the network took must be written down: nothing else is worth doing until it is.
            error!(%error, rows = waiting.len(), "what was sent cannot be written down; trying again");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        waiting.clear();
        kernel.outbox.notify_one();
    }
}

async fn settle(kernel: &Kernel, attempted: &[Attempted]) -> Result<(), StoreError> {
    let now = kernel.clock.now();
    let ended: Vec<Ended> =
        attempted.iter().map(|attempted| settlement(kernel, &attempted.row, &attempted.delivery, now)).collect();
    let settlements: Vec<Settlement> = ended.iter().map(|ended| ended.settlement.clone()).collect();
    let mut tx = kernel.db.write().await?;
    let stale = outbox::settle(&mut tx, &settlements, now).await?;
    let mut batch = Batch { at: now, ..Batch::default() };
    for ended in ended.iter().filter(|ended| !stale.contains(&ended.settlement.id)) {
        if let Some(address) = &ended.bad_address {
            batch.identities.push(undeliverable(address, now));
        }
    }
    record(&mut tx, &batch).await?;
    crate::crash::point("sender.before_settle_commit");
    tx.commit().await?;
    crate::crash::point("sender.after_settle_commit");
    for id in &stale {
        warn!(delivery = %id, "an attempt ended after its lease: what came of it no longer counts");
    }
    for (attempted, ended) in attempted.iter().zip(ended) {
        if let Some(why) = ended.tell_agent.filter(|_| !stale.contains(&attempted.row.id)) {
            tell_agent(kernel, attempted.row.ticket, attempted.row.id, why, now).await?;
        }
    }
    Ok(())
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
    let Some(ticket) = ticket::load(&mut tx, id).await? else { return tx.rollback().await };
    let rules = kernel.rules(&ticket.source);
    match decide(Some(&ticket), Event::Failed { delivery, why }, &rules, kernel.ids.as_ref(), now) {
        Ok(mut decision) => write_decision(&mut tx, kernel, &mut decision, ticket.version, now).await?,
        Err(refusal) => warn!(%refusal, "a failed delivery could not be entered on its ticket"),
    }
    tx.commit().await
}
