//! Slots are written together: what waits while a transaction commits shares the next one. Alone a write waits for nobody.

use std::sync::{Arc, Mutex as Held, PoisonError};

use guichet_contract::Fault;
use guichet_domain::ids::SourceName;
use guichet_store::{StoreError, keep};
use tokio::sync::{Mutex, oneshot};

use crate::intake::port::fault;
use crate::kernel::Kernel;

/// Most writes of one transaction.
const MOST: usize = 256;

/// A write that waits, and whom to tell.
struct Waiting {
    source: SourceName,
    key: String,
    seen: i64,
    value: Option<String>,
    answer: oneshot::Sender<Result<bool, Fault>>,
}

/// Writes the slots of all sources. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Slots {
    waiting: Arc<Held<Vec<Waiting>>>,
    /// Whoever holds it writes what waits; the others find theirs written.
    turn: Arc<Mutex<()>>,
}

impl Slots {
    /// Writes a slot if nobody wrote it since `seen`; answers, when it is durable, whether it did. Dropped, it may have been
    /// written. Whoever writes for others and is dropped leaves them with a passing fault: they read again.
    pub(super) async fn put(
        &self,
        kernel: &Kernel,
        source: &SourceName,
        key: &str,
        seen: i64,
        value: Option<String>,
    ) -> Result<bool, Fault> {
        let (answer, mut answered) = oneshot::channel();
        let waiting = Waiting { source: source.clone(), key: key.to_owned(), seen, value, answer };
        self.held().push(waiting);
        let _turn = tokio::select! {
            biased;
            told = &mut answered => return told.unwrap_or_else(|_| Err(given_up())),
            turn = self.turn.lock() => turn,
        };
        if let Ok(told) = answered.try_recv() {
            return told;
        }
        loop {
            let batch = {
                let mut waiting = self.held();
                let end = waiting.len().min(MOST);
                waiting.drain(..end).collect::<Vec<_>>()
            };
            if batch.is_empty() {
                return Err(given_up());
            }
            write(kernel, batch).await;
            if let Ok(told) = answered.try_recv() {
                return told;
            }
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a batch in one transaction and tells everybody.
async fn write(kernel: &Kernel, mut batch: Vec<Waiting>) {
    // In one order everywhere, so that two nodes never wait for each other.
    batch.sort_by(|a, b| (&a.source, &a.key).cmp(&(&b.source, &b.key)));
    match written(kernel, &batch).await {
        Ok(done) => {
            for (waiting, done) in batch.into_iter().zip(done) {
                // Whoever does not wait any more is not told.
                drop(waiting.answer.send(Ok(done)));
            }
        }
        Err(error) => {
            for waiting in batch {
                drop(waiting.answer.send(Err(fault(&error))));
            }
        }
    }
}

async fn written(kernel: &Kernel, batch: &[Waiting]) -> Result<Vec<bool>, StoreError> {
    let mut tx = kernel.db.write().await?;
    let mut done = Vec::with_capacity(batch.len());
    for waiting in batch {
        let Waiting { source, key, seen, value, .. } = waiting;
        done.push(keep::compare_and_set(&mut tx, source, key, *seen, value.as_deref()).await?);
    }
    tx.commit().await?;
    Ok(done)
}

fn given_up() -> Fault {
    Fault::passing("the write was given up half way; read the slot again")
}
