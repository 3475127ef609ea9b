//! Intake: from what a channel hands in to durable tickets.
//!
//! All sources hand in to one [`Reception`]. It writes what waits in one transaction, and while that commits the next
//! batch gathers: under load many items share one commit, alone an item waits for nobody.

pub(crate) mod conversations;
mod ledger;
pub(crate) mod port;
mod prepare;
mod record;
mod slots;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use guichet_contract::{Accepted, CursorMove, NotAccepted, Receipt};
use guichet_domain::Moment;
use guichet_domain::ids::{InboundId, SourceName};
use guichet_domain::inbound::{Content, Explained, Inbound};
use guichet_domain::reason;
use guichet_store::{ErrorKind, StoreError, Tx};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};

pub use port::port;
pub(crate) use prepare::{own_key, shared_key};

use crate::kernel::{Kernel, Source};
use prepare::{Bench, Prepared};
use record::{Done, take_in};

/// Most items of one transaction.
const MAX_ITEMS: usize = 256;
/// Most bytes of one transaction, but for a single larger item.
const MAX_BYTES: usize = 4 << 20;
/// How long a source waits for a place before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a transaction is tried when others change the same tickets.
const TRIES: usize = 8;
/// A batch of fewer bytes is prepared at once where it came in: that takes less than a millisecond.
const WORTH_A_THREAD: usize = 64 << 10;
/// What waits at most.
const QUEUE: usize = 64;

/// Where everything that comes in is written. Cheap to clone.
#[derive(Clone)]
pub struct Reception {
    kernel: Arc<Kernel>,
    orders: mpsc::Sender<Order>,
    slots: slots::Slots,
}

/// What would become of an item. Dropping `tx`, or rolling it back, undoes it.
pub(crate) struct Rehearsed {
    /// Holds everything that was written.
    pub(crate) tx: Tx,
    /// The row of the item.
    pub(crate) inbound: InboundId,
    /// What its source would be told.
    pub(crate) receipt: Receipt,
    /// When it was taken in.
    pub(crate) now: Moment,
}

/// A prepared batch and whom to tell.
struct Order {
    items: Vec<Prepared>,
    moves: Vec<record::Move>,
    answer: oneshot::Sender<Result<Vec<Receipt>, NotAccepted>>,
}

impl Reception {
    /// Starts the writer; it ends when the last clone is dropped and all that was taken is written.
    pub fn start(kernel: Arc<Kernel>) -> Self {
        let (orders, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(write_all(Arc::clone(&kernel), waiting));
        Self { kernel, orders, slots: slots::Slots::default() }
    }

    /// Whether the writer runs; it never ends by itself while there is somebody to hand in.
    pub fn is_running(&self) -> bool {
        !self.orders.is_closed()
    }

    /// Whether what is handed in can be written: the writer runs, and the database takes a transaction.
    pub async fn is_alive(&self) -> bool {
        self.is_running() && self.kernel.db.write().await.is_ok()
    }

    /// Takes in a batch from a source; see [`guichet_contract::Intake::accept`].
    pub async fn accept(
        &self,
        name: &SourceName,
        source: &Source,
        batch: Vec<Inbound>,
        moves: Vec<CursorMove>,
    ) -> Result<Accepted, NotAccepted> {
        if batch.is_empty() && moves.is_empty() {
            return Ok(Accepted { receipts: Vec::new() });
        }
        self.check_disk()?;
        let items = self.stage(source, batch).await?;
        self.accept_staged(name, items, moves).await
    }

    /// Does with a batch what needs no transaction; see [`guichet_contract::Intake::stage`].
    pub(crate) async fn stage(&self, source: &Source, batch: Vec<Inbound>) -> Result<Vec<Prepared>, NotAccepted> {
        if batch.len() > MAX_ITEMS {
            return Err(NotAccepted::Refused { why: format!("a batch holds at most {MAX_ITEMS} items") });
        }
        self.prepare(source, batch, false).await
    }

    /// Takes in what [`Reception::stage`] gave.
    pub(crate) async fn accept_staged(
        &self,
        name: &SourceName,
        mut items: Vec<Prepared>,
        moves: Vec<CursorMove>,
    ) -> Result<Accepted, NotAccepted> {
        self.check_disk()?;
        let _kept = self.kernel.blob_files.read().await;
        for item in &mut items {
            self.store_large(&mut item.raw).await?;
            for file in &mut item.files {
                self.store_large(file).await?;
            }
        }
        let moves = moves.into_iter().map(|step| (name.clone(), step.key, step.to.0)).collect();
        self.order(items, moves).await.map(|receipts| Accepted { receipts })
    }

    /// Takes in again what was kept aside, under its own row and past the rules that keep things aside.
    pub(crate) async fn release(
        &self,
        source: &Source,
        id: InboundId,
        inbound: Inbound,
    ) -> Result<Receipt, NotAccepted> {
        let mut items = self.prepare(source, vec![inbound], true).await?;
        let _kept = self.kernel.blob_files.read().await;
        for item in &mut items {
            item.id = id;
            for file in &mut item.files {
                self.store_large(file).await?;
            }
        }
        let receipts = self.order(items, Vec::new()).await?;
        receipts.into_iter().next().ok_or_else(|| NotAccepted::Refused { why: "nothing was released".into() })
    }

    async fn order(&self, items: Vec<Prepared>, moves: Vec<record::Move>) -> Result<Vec<Receipt>, NotAccepted> {
        let (answer, answered) = oneshot::channel();
        let busy = |why: &str| NotAccepted::Busy { after: Duration::from_secs(2), why: why.to_owned() };
        let place = tokio::time::timeout(PATIENCE, self.orders.reserve()).await;
        match place {
            Ok(Ok(place)) => place.send(Order { items, moves, answer }),
            Ok(Err(_)) => return Err(busy("the daemon is stopping")),
            Err(_) => return Err(busy("more comes in than can be written")),
        }
        answered.await.unwrap_or_else(|_| Err(busy("the daemon is stopping")))
    }

    /// Takes an item in the real way, in a transaction that the caller looks into and rolls back: nothing of it stays.
    pub(crate) async fn rehearse(&self, source: &Source, inbound: Inbound) -> Result<Rehearsed, NotAccepted> {
        let mut items = self.prepare(source, vec![inbound], false).await?;
        // Nothing of it stays, so the one writer is not kept busy with bytes that nobody will read.
        for packed in items.iter_mut().flat_map(|item| item.files.iter_mut().chain([&mut item.raw])) {
            packed.bytes = None;
        }
        let now = self.kernel.clock.now();
        let busy = |error: StoreError| NotAccepted::Busy { after: Duration::from_secs(2), why: error.to_string() };
        let mut tx = self.kernel.db.write().await.map_err(busy)?;
        let done = take_in(&mut tx, &self.kernel, &mut items, &[], now).await.map_err(busy)?;
        match (items.pop(), done.receipts.into_iter().next()) {
            (Some(item), Some(receipt)) => Ok(Rehearsed { tx, inbound: item.id, receipt, now }),
            _ => Err(NotAccepted::Refused { why: "nothing came of it".into() }),
        }
    }

    /// Prepares a batch, off the tasks that serve sockets where that takes longer than going there.
    async fn prepare(
        &self,
        source: &Source,
        batch: Vec<Inbound>,
        released: bool,
    ) -> Result<Vec<Prepared>, NotAccepted> {
        let bytes: usize = batch.iter().map(octets).sum();
        if bytes < WORTH_A_THREAD {
            return prepared(&self.kernel, source, batch, released);
        }
        let (kernel, source) = (Arc::clone(&self.kernel), source.clone());
        let prepared = tokio::task::spawn_blocking(move || prepared(&kernel, &source, batch, released)).await;
        // Only a panic or the end of the process comes between: the source keeps what it has.
        prepared.unwrap_or_else(|error| Err(NotAccepted::Refused { why: format!("preparing was cut off: {error}") }))
    }

    /// Refuses before the disk is full: a full disk can neither take in nor finish what is under way.
    fn check_disk(&self) -> Result<(), NotAccepted> {
        let free = self.kernel.state.free_bytes().unwrap_or(u64::MAX);
        if free >= self.kernel.floor_bytes {
            return Ok(());
        }
        let why = format!(
            "only {} MiB are free where the state folder is; nothing is taken in below {} MiB: free some space",
            free >> 20,
            self.kernel.floor_bytes >> 20
        );
        Err(NotAccepted::Busy { after: Duration::from_secs(30), why })
    }

    /// Moves large bytes into a content-addressed file, durable before the row that names it.
    async fn store_large(&self, packed: &mut guichet_store::blob::Packed) -> Result<(), NotAccepted> {
        crate::blobs::spill(&self.kernel.state, packed).await.map_err(|error| NotAccepted::Busy {
            after: Duration::from_secs(30),
            why: format!("the state folder cannot be written: {error}"),
        })
    }
}

/// How much there is to pack: as it came, and its files, which are not always part of that.
fn octets(inbound: &Inbound) -> usize {
    let files = match &inbound.content {
        Content::Read(item) => item.attachments.iter().map(|file| file.bytes.len()).sum(),
        Content::Unreadable { .. } => 0,
    };
    inbound.raw.len() + files
}

fn prepared(
    kernel: &Kernel,
    source: &Source,
    batch: Vec<Inbound>,
    released: bool,
) -> Result<Vec<Prepared>, NotAccepted> {
    let bench = Bench {
        rules: &source.rules,
        channel: &source.kind,
        keyring: &kernel.keyring,
        ids: kernel.ids.as_ref(),
        now: kernel.clock.now(),
        blocked: &kernel.blocklist,
        released,
    };
    batch.into_iter().map(|inbound| Prepared::new(inbound, &bench)).collect()
}

/// Writes what waits until nobody can hand in any more.
async fn write_all(kernel: Arc<Kernel>, mut waiting: mpsc::Receiver<Order>) {
    while let Some(first) = waiting.recv().await {
        let mut orders = vec![first];
        let size = |orders: &[Order]| {
            let items = orders.iter().flat_map(|order| &order.items);
            items.fold((0, 0), |(count, bytes), item| (count + 1, bytes + item.weight()))
        };
        while matches!(size(&orders), (items, bytes) if items < MAX_ITEMS && bytes < MAX_BYTES) {
            let Ok(next) = waiting.try_recv() else { break };
            orders.push(next);
        }
        commit(&kernel, orders).await;
    }
}

/// Writes `orders` in one transaction and tells each; when that fails, item by item, so that one bad item never stands
/// in another's way.
async fn commit(kernel: &Kernel, orders: Vec<Order>) {
    let mut items = Vec::new();
    let mut moves = Vec::new();
    let mut answers = Vec::new();
    for order in orders {
        answers.push((order.items.len(), order.answer));
        items.extend(order.items);
        moves.extend(order.moves);
    }
    let mut written = attempt(kernel, &mut items, &moves).await;
    if let Err(error) = &written
        && !is_everybodys(error)
    {
        warn!(%error, items = items.len(), "a batch failed; it is replayed item by item");
        written = replay(kernel, items, &moves).await;
    }
    match written {
        Ok(receipts) => {
            let mut receipts = receipts.into_iter();
            for (count, answer) in answers {
                // A source that went away hands its items in again and gets the same answer.
                drop(answer.send(Ok(receipts.by_ref().take(count).collect())));
            }
        }
        Err(error) => {
            warn!(%error, "nothing can be written now; the sources keep what they have");
            let busy = NotAccepted::Busy { after: Duration::from_secs(5), why: error.to_string() };
            for (_, answer) in answers {
                drop(answer.send(Err(busy.clone())));
            }
        }
    }
}

/// One transaction over all of `items`, made anew when somebody else was quicker to change a ticket.
async fn attempt(kernel: &Kernel, items: &mut [Prepared], moves: &[record::Move]) -> Result<Vec<Receipt>, StoreError> {
    for _ in 1..TRIES {
        match attempt_once(kernel, items, moves).await {
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            written => return written,
        }
    }
    attempt_once(kernel, items, moves).await
}

async fn attempt_once(
    kernel: &Kernel,
    items: &mut [Prepared],
    moves: &[record::Move],
) -> Result<Vec<Receipt>, StoreError> {
    let now = kernel.clock.now();
    crate::crash::point("intake.before_begin");
    let mut tx = kernel.db.write().await?;
    // One item must not end the only writer: what panics is the fault of an item like any other, and found by replaying.
    let taken = AssertUnwindSafe(take_in(&mut tx, kernel, items, moves, now)).catch_unwind().await;
    let done =
        taken.unwrap_or_else(|_| Err(StoreError::Other { what: "deciding panicked; see the log".to_owned() }))?;
    crate::crash::point("intake.before_commit");
    tx.commit().await?;
    crate::crash::point("intake.after_commit");
    Ok(tell(kernel, done))
}

/// Wakes whoever waits for what was written.
fn tell(kernel: &Kernel, done: Done) -> Vec<Receipt> {
    for (source, conversation) in &done.grown {
        kernel.watchers.wake(source, conversation);
    }
    if done.queued {
        kernel.outbox.notify_one();
    }
    done.receipts
}

/// Each item in a transaction of its own; the guilty one is kept aside with its reason. The cursors move last: behind
/// everything.
async fn replay(kernel: &Kernel, items: Vec<Prepared>, moves: &[record::Move]) -> Result<Vec<Receipt>, StoreError> {
    let mut receipts = Vec::with_capacity(items.len());
    for mut item in items {
        let mut written = attempt(kernel, std::slice::from_mut(&mut item), &[]).await;
        if let Err(error) = &written
            && !is_everybodys(error)
        {
            error!(%error, source = %item.rules.source.name, "an item cannot be recorded and is kept aside");
            item.content = Err(Explained::new(reason::GUILTY, error.to_string()));
            item.files.clear();
            written = attempt(kernel, std::slice::from_mut(&mut item), &[]).await;
        }
        receipts.extend(written?);
    }
    if !moves.is_empty() {
        attempt(kernel, &mut [], moves).await?;
    }
    Ok(receipts)
}

/// Whether the failure is of the database as a whole, or of the moment, and no item's fault.
fn is_everybodys(error: &StoreError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Busy | ErrorKind::Conflict | ErrorKind::Full | ErrorKind::ReadOnly | ErrorKind::Newer
    )
}
