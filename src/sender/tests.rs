//! What the sender survives: a network that panics, its own fall, an end at any moment.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use guichet_contract::Outgoing;
use guichet_domain::Ids;
use guichet_domain::outgoing::DeliveryState;
use guichet_store::outbox::{Filter, OutboxRow};
use guichet_store::timeline;
use guichet_testkit::TestIds;

use super::*;
use crate::supervisor::Keeper;
use crate::trial::{Trial, taken};

fn ids() -> Arc<dyn Ids> {
    Arc::new(TestIds::seeded(7))
}

/// All rows of the outbox, the oldest first.
async fn rows(trial: &Trial) -> Vec<OutboxRow> {
    let mut tx = trial.kernel.db.read().await.unwrap();
    let mut rows = outbox::list(&mut tx, &Filter { limit: 500, ..Filter::default() }).await.unwrap();
    rows.reverse();
    rows
}

/// Whether agents are told on the row's ticket that it did not arrive.
async fn is_told(trial: &Trial, row: &OutboxRow) -> bool {
    let mut tx = trial.kernel.db.read().await.unwrap();
    let ticket = guichet_store::ticket::load(&mut tx, row.ticket).await.unwrap().unwrap();
    let entries = timeline::entries(&mut tx, row.ticket, 0, 50).await.unwrap();
    assert_eq!(ticket.attention.is_some(), entries.len() > 2, "{entries:?}");
    ticket.attention.is_some()
}

fn fails_for_ann(notice: &Outgoing) -> Delivery {
    assert!(!notice.to.address.starts_with("ann@"), "this network has never heard of Ann");
    taken(notice)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_panics_is_unknown_and_the_others_leave() {
    let trial = Trial::open(ids(), fails_for_ann).await;
    trial.asked_by(["ann", "ben"].map(str::to_owned)).await;
    assert_eq!(drain(&trial.kernel, &trial.reception).await.unwrap(), 2);
    trial.asked_by(["cem".to_owned()]).await;
    assert_eq!(drain(&trial.kernel, &trial.reception).await.unwrap(), 1);
    let rows = rows(&trial).await;
    let states: Vec<DeliveryState> = rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [DeliveryState::Unknown, DeliveryState::Sent, DeliveryState::Sent]);
    assert_eq!(rows[0].detail.as_deref(), Some("the channel panicked"));
    assert!(is_told(&trial, &rows[0]).await);
}

/// Chance that fails once, when it is told to.
struct Brittle(TestIds, Arc<AtomicBool>);

impl Ids for Brittle {
    fn uuid(&self) -> Uuid {
        self.0.uuid()
    }

    fn random(&self, bytes: &mut [u8]) {
        assert!(!self.1.swap(false, Ordering::SeqCst), "no more chance");
        self.0.random(bytes);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_falls_is_restarted_and_sends_what_it_held() {
    let (attempted, mut attempts) = mpsc::unbounded_channel();
    let fails = Arc::new(AtomicBool::new(false));
    let (breaks, first) = (Arc::clone(&fails), AtomicBool::new(true));
    let trial = Trial::open(Arc::new(Brittle(TestIds::seeded(7), fails)), move |notice| {
        attempted.send(notice.to.address.clone()).unwrap();
        if !first.swap(false, Ordering::SeqCst) {
            return taken(notice);
        }
        // How long to wait before the next attempt is drawn when this is settled.
        breaks.store(true, Ordering::SeqCst);
        Delivery::Retry { detail: "busy".into(), after: None, source_down: false }
    })
    .await;
    trial.asked_by(["ann".to_owned()]).await;
    let keeper = Keeper {
        tasks: TaskTracker::new(),
        board: trial.kernel.board.clone(),
        ids: Arc::clone(&trial.kernel.ids),
        lifecycle: Lifecycle::default(),
    };
    run(&keeper, &trial.kernel, &trial.reception);
    for _ in 0..2 {
        assert_eq!(attempts.recv().await.unwrap(), "ann@ann.test");
    }
    keeper.lifecycle.soft.cancel();
    keeper.tasks.close();
    keeper.tasks.wait().await;
    let part = trial.kernel.board.parts().remove("sender").unwrap();
    assert_eq!((part.restarts, part.note.as_str()), (1, "it panicked: no more chance"));
    let rows = rows(&trial).await;
    assert_eq!((rows[0].state, rows[0].doubts, rows[0].attempts), (DeliveryState::Sent, 0, 2));
}

/// Whether `work` came to its end within so many turns; else it is dropped, as by a kill.
async fn within<T>(turns: usize, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut left) = (pin!(work), turns);
    std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(end) => Poll::Ready(Some(end)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_the_sender_ends_a_delivery_that_failed_is_told_if_it_is_settled() {
    let trial = Trial::open(ids(), |_| Delivery::Refused { detail: "no such person".into(), hard: false }).await;
    let sender = Sender::open(&trial.kernel, &trial.reception, trial.kernel.incarnation).await.unwrap();
    let never = CancellationToken::new();
    let mut seen = [false, false];
    for turns in 0..500 {
        trial.asked_by([format!("person-{turns}")]).await;
        let mut letters = sender.round(&mut Vec::new(), true, false).await.unwrap().letters;
        let (letter, place) = letters.pop().unwrap();
        let id = letter.row.id;
        let mut waiting = vec![sender.attempt(letter, place, &never).await];
        let whole = within(turns, sender.round(&mut waiting, false, false)).await;
        // Waits for whatever the driver still does.
        trial.kernel.db.write().await.unwrap().rollback().await.unwrap();
        let row = rows(&trial).await.into_iter().find(|row| row.id == id).unwrap();
        let settled = row.state == DeliveryState::Refused;
        assert_eq!(is_told(&trial, &row).await, settled, "after {turns} turns");
        seen[usize::from(settled)] = true;
        if whole.is_some() {
            break;
        }
    }
    assert_eq!(seen, [true, true], "it was ended before the commit and after it");
}
