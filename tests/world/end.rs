//! What must be true of every world when its story is over.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use guichet_domain::Clock as _;
use guichet_domain::ids::DeliveryId;
use guichet_domain::outgoing::DeliveryState;
use guichet_store::outbox::{self, OutboxRow};
use guichet_store::timer;

use super::life::World;

impl World {
    /// Checks the world as a whole: every letter was acknowledged to its network, nothing due is left, what was counted is
    /// there, every row says what the people have seen.
    pub(super) async fn ends(&self) {
        assert!(self.post.until_all_taken().now_or_never().is_some(), "letters still lie in their boxes");
        self.works().await;
        let life = self.life();
        let now = self.clock.now();
        let mut tx = life.kernel.db.read().await.unwrap();
        assert_eq!(outbox::oldest_due(&mut tx, now).await.unwrap(), None, "a delivery is due and was not tried");
        assert_eq!(timer::due(&mut tx, now, 1).await.unwrap(), [], "a timer is due and did not fire");
        let rows = all_rows(&mut tx).await;
        drop(tx);
        let balance = life.desk.reconcile().await.unwrap();
        let broken: Vec<_> = balance.checks.iter().filter(|check| check.broken > 0).collect();
        assert!(balance.sound, "the books do not agree: {broken:?}");
        self.check_copies(&rows);
    }

    /// What people saw, against what the rows say.
    fn check_copies(&self, rows: &[OutboxRow]) {
        let mut copies: BTreeMap<DeliveryId, i64> = BTreeMap::new();
        for sent in self.post.sent().iter().chain(&self.wire.sent()) {
            *copies.entry(sent.notice.id).or_default() += 1;
        }
        for row in rows {
            let seen = copies.remove(&row.id).unwrap_or(0);
            let doubts = row.doubts;
            assert!(row.state != DeliveryState::Sending, "nobody holds {row:?}");
            assert!(seen <= 1 + doubts, "{seen} copies with {doubts} doubts: {row:?}");
            assert!(seen <= 2, "{seen} copies: {row:?}");
            match row.state {
                DeliveryState::Sent => assert!(seen >= 1, "said to be sent, and nobody saw it: {row:?}"),
                DeliveryState::Suppressed | DeliveryState::Refused | DeliveryState::Expired => {
                    assert_eq!(seen, 0, "seen all the same: {row:?}");
                }
                DeliveryState::Pending | DeliveryState::Unknown => assert!(seen <= doubts, "without a doubt: {row:?}"),
                DeliveryState::Sending => {}
            }
        }
        assert!(copies.is_empty(), "people saw what stands in no outbox: {copies:?}");
    }
}

/// Every row of the outbox.
pub(super) async fn all_rows(tx: &mut guichet_store::Tx) -> Vec<OutboxRow> {
    let (mut rows, mut before) = (Vec::new(), None);
    loop {
        let page = outbox::list(tx, &outbox::Filter { before, limit: 200, ..outbox::Filter::default() }).await.unwrap();
        before = page.last().map(|row| row.number);
        if page.is_empty() {
            return rows;
        }
        rows.extend(page);
    }
}
