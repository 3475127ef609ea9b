//! One transaction of the sender: what came back is written down, and what is due is claimed.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use guichet_contract::Delivery;
use guichet_domain::Moment;
use guichet_domain::decide::decide;
use guichet_domain::event::Event;
use guichet_domain::ids::{DeliveryId, TicketId};
use guichet_domain::inbound::Explained;
use guichet_domain::outgoing::NoticeKind;
use guichet_domain::reason::{self, Reason};
use guichet_store::outbox::{self, Claim, OutboxRow, Settlement};
use guichet_store::record::{Batch, Identity, record};
use guichet_store::{ErrorKind, StoreError, Tx, ticket};
use tracing::{error, warn};

use super::begun::Earlier;
use super::letter::{Letter, letters};
use super::outcome::{Ended, settlement};
use super::outlet::Place;
use super::pause::Leave;
use super::{LONGEST_WAIT, Sender};
use crate::kernel::Kernel;
use crate::writing::write_decision;

/// Most rows that expire in one round.
const EXPIRE_LIMIT: i64 = 500;

/// What one attempt gave.
pub(super) struct Attempted {
    pub(super) row: OutboxRow,
    pub(super) delivery: Delivery,
    /// How long it waited for its turn; absent when its turn never came.
    pub(super) waited: Option<Duration>,
    /// Given back once the row is settled, so that no more rows are held than may be.
    pub(super) place: Place,
}

/// What one round claimed, and when the next is worth while.
pub(super) struct Round {
    pub(super) letters: Vec<(Letter, Place)>,
    pub(super) wait: Duration,
}

/// What an agent must see of a delivery.
type Told = (TicketId, DeliveryId, Explained);

impl Sender {
    /// One transaction: settles `waiting` (emptied when it is written), enters on the tickets what agents must see of it, and
    /// with `claiming` claims what may be held.
    pub(super) async fn round(
        &self,
        waiting: &mut Vec<Attempted>,
        claiming: bool,
        housekeeping: bool,
    ) -> Result<Round, StoreError> {
        let kernel = &self.kernel;
        let now = kernel.clock.now();
        let mut tx = kernel.db.write().await?;
        let mut told = settle(&mut tx, kernel, waiting, now).await?;
        self.learn(waiting, now);
        if housekeeping {
            self.recover(&mut tx, &Earlier::Unknown, now).await?;
            let expired = outbox::expire(&mut tx, now, EXPIRE_LIMIT).await?;
            told.extend(expired.iter().map(|end| (end.ticket, end.id, Explained::new(reason::EXPIRED, ""))));
        }
        for told in told {
            tell_agent(&mut tx, kernel, told, now).await?;
        }
        // What was settled above gives its places back only after the commit; the next round uses them.
        let (claimed, wait) = if claiming { self.claim(&mut tx, now).await? } else { (Vec::new(), LONGEST_WAIT) };
        let letters = letters(&mut tx, claimed).await?;
        crate::crash::point("sender.before_commit");
        tx.commit().await?;
        crate::crash::point("sender.after_commit");
        let wait = if waiting.is_empty() { wait } else { Duration::ZERO };
        for attempted in waiting.drain(..) {
            self.begun.end(attempted.row.id, attempted.row.fence);
            drop(attempted.place);
        }
        Ok(Round { letters, wait })
    }

    /// Takes note of how each source does.
    fn learn(&self, attempted: &[Attempted], now: Moment) {
        for (source, outlet) in &self.outlets {
            let mut longest = None;
            for attempted in attempted.iter().filter(|attempted| attempted.row.source == *source) {
                match attempted.delivery {
                    Delivery::Retry { source_down: true, .. } => outlet.pause.down(now),
                    _ => outlet.pause.up(),
                }
                longest = longest.max(attempted.waited);
            }
            if let Some(longest) = longest {
                outlet.held.learn(longest, outlet.held.free() == 0);
            }
        }
    }

    /// Claims what may be held; and when to look again if nobody wakes the sender before.
    async fn claim(&self, tx: &mut Tx, now: Moment) -> Result<(Vec<(OutboxRow, Place)>, Duration), StoreError> {
        let mut claimed = Vec::new();
        let mut wait = LONGEST_WAIT;
        for (source, outlet) in &self.outlets {
            let limit = match outlet.pause.leave(now) {
                Leave::All => outlet.held.free(),
                Leave::One => outlet.held.free().min(1),
                Leave::After(until) => {
                    wait = wait.min(until.since(now).max(Duration::from_millis(10)));
                    continue;
                }
            };
            if limit == 0 {
                continue;
            }
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let claim = Claim { source, incarnation: self.incarnation, lease: outlet.lease, limit };
            let rows = outbox::claim(tx, &claim, now).await?;
            if rows.is_empty()
                && let Some(due) = outbox::next_due(tx, source, now).await?
            {
                wait = wait.min(due.since(now).max(Duration::from_millis(10)));
            }
            claimed.extend(rows.into_iter().map(|row| (row, outlet.held.hold())));
        }
        Ok((claimed, wait))
    }
}

/// Writes down what attempts gave; gives what agents must be told.
async fn settle(tx: &mut Tx, kernel: &Kernel, attempted: &[Attempted], now: Moment) -> Result<Vec<Told>, StoreError> {
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
    if !batch.identities.is_empty() {
        record(tx, &batch).await?;
    }
    Ok(told)
}

fn undeliverable(address: &str, at: Moment) -> Identity<'_> {
    static HARD: Reason = reason::REPORT_HARD;
    Identity { address, language: None, verified: false, undeliverable: Some(&HARD), works: false, at }
}

/// Puts what went wrong before an agent's eyes, on the ticket itself, in the transaction that settles it: neither is
/// there without the other. A ticket on which it cannot be entered holds up nothing else.
async fn tell_agent(tx: &mut Tx, kernel: &Kernel, told: Told, now: Moment) -> Result<(), StoreError> {
    let delivery = told.1;
    tx.savepoint().await?;
    // One ticket that cannot be decided on must not end the sender.
    let entered = AssertUnwindSafe(enter_on_ticket(tx, kernel, told, now)).catch_unwind().await;
    let entered = entered.unwrap_or_else(|_| Err(StoreError::Other { what: "deciding panicked".to_owned() }));
    match entered {
        Ok(()) => tx.keep_savepoint().await,
        // The database's trouble, or somebody else acts on the ticket at this moment: all of it is done again.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::Busy | ErrorKind::Conflict | ErrorKind::Full | ErrorKind::ReadOnly | ErrorKind::Newer
            ) =>
        {
            Err(error)
        }
        Err(error) => {
            error!(%error, %delivery, "an agent could not be told of a delivery that failed; the outbox shows it");
            tx.undo_to_savepoint().await
        }
    }
}

async fn enter_on_ticket(
    tx: &mut Tx,
    kernel: &Kernel,
    (ticket, delivery, why): Told,
    now: Moment,
) -> Result<(), StoreError> {
    // An event that a program did not take would be announced to the same program, and so on for ever.
    let row = outbox::by_id(tx, delivery).await?;
    if row.is_none_or(|row| row.kind == NoticeKind::Event) {
        return Ok(());
    }
    let Some(ticket) = ticket::load(tx, ticket).await? else { return Ok(()) };
    let rules = kernel.rules(&ticket.source);
    match decide(Some(&ticket), Event::Failed { delivery, why }, &rules, kernel.ids.as_ref(), now) {
        Ok(mut decision) => write_decision(tx, kernel, &mut decision, ticket.version, now).await,
        Err(refusal) => {
            warn!(%refusal, "a failed delivery could not be entered on its ticket");
            Ok(())
        }
    }
}
