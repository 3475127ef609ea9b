//! Writing down what came of attempts.

use std::collections::HashMap;

use guichet_domain::Moment;
use guichet_domain::ids::{DeliveryId, ExternalId, MessageId};
use guichet_domain::outgoing::DeliveryState;
use guichet_domain::reason::Reason;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, queries};
use crate::value::Value;

queries! {
    KNOWN_BY = "INSERT INTO entry_id (external_id, ticket, entry, delivery, at) \
        SELECT $2, ticket, message, id, $3 FROM outbox WHERE id = $1 ON CONFLICT DO NOTHING";
}

const SETTLE: &str = "WITH settled (id, fence, state, reason, detail, due_at, expires_at, doubts, external_id, settled_at) \
     AS (VALUES ";
const SETTLE_TAIL: &str = ") UPDATE outbox SET state = settled.state, reason = settled.reason, detail = settled.detail, \
     due_at = COALESCE(settled.due_at, outbox.due_at), expires_at = COALESCE(settled.expires_at, outbox.expires_at), \
     doubts = outbox.doubts + settled.doubts, external_id = COALESCE(settled.external_id, outbox.external_id), \
     settled_at = settled.settled_at, lease_until = NULL, incarnation = NULL \
     FROM settled WHERE outbox.id = settled.id AND outbox.fence = settled.fence AND outbox.state = 'sending' \
     RETURNING outbox.id AS id, outbox.ticket AS ticket, outbox.message AS message";
// Nearly all there is to settle, said with as few values as it takes.
const SENT: &str = "WITH settled (id, fence, detail, external_id, settled_at) AS (VALUES ";
const SENT_TAIL: &str = ") UPDATE outbox SET state = 'sent', reason = NULL, detail = settled.detail, \
     external_id = COALESCE(settled.external_id, outbox.external_id), settled_at = settled.settled_at, \
     lease_until = NULL, incarnation = NULL \
     FROM settled WHERE outbox.id = settled.id AND outbox.fence = settled.fence AND outbox.state = 'sending' \
     RETURNING outbox.id AS id, outbox.ticket AS ticket, outbox.message AS message";
const ATTEMPTS: &str = "WITH ended (delivery, fence, ended_at, outcome, detail) AS (VALUES ";
const ATTEMPTS_TAIL: &str = ") UPDATE attempt SET ended_at = ended.ended_at, outcome = ended.outcome, detail = ended.detail \
     FROM ended WHERE attempt.delivery = ended.delivery AND attempt.fence = ended.fence AND attempt.ended_at IS NULL";
const KNOWN: &str = "INSERT INTO entry_id (external_id, ticket, entry, delivery, at) VALUES ";

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The row.
    pub id: DeliveryId,
    /// The fence it was claimed with.
    pub fence: i64,
    /// What came of it.
    pub outcome: Outcome,
    /// The network's words; no secrets.
    pub detail: String,
}

/// What came of an attempt, for the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The network took it.
    Sent {
        /// What it calls it: answers to that id find the ticket from now on.
        external_id: Option<ExternalId>,
    },
    /// Surely not taken: again later.
    Retry {
        /// When.
        due_at: Moment,
        /// A longer life, where the whole source was down.
        expires_at: Option<Moment>,
    },
    /// Perhaps taken: look for it, or repeat it, later.
    Doubt {
        /// When.
        due_at: Moment,
    },
    /// Never.
    Refused {
        /// Why.
        reason: Option<Reason>,
    },
    /// Nobody can know, and it is not repeated.
    Unknown {
        /// Why.
        reason: Option<Reason>,
    },
    /// Its life is over.
    Expired {
        /// Why.
        reason: Option<Reason>,
    },
    /// Not true any more when its turn came.
    Suppressed {
        /// Why.
        reason: Reason,
    },
}

impl Outcome {
    /// The stable word in the attempts' record.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::Retry { .. } => "retry",
            Self::Doubt { .. } | Self::Unknown { .. } => "unknown",
            Self::Refused { .. } => "refused",
            Self::Expired { .. } => "expired",
            Self::Suppressed { .. } => "suppressed",
        }
    }

    const fn state(&self) -> DeliveryState {
        match self {
            Self::Sent { .. } => DeliveryState::Sent,
            Self::Retry { .. } | Self::Doubt { .. } => DeliveryState::Pending,
            Self::Refused { .. } => DeliveryState::Refused,
            Self::Unknown { .. } => DeliveryState::Unknown,
            Self::Expired { .. } => DeliveryState::Expired,
            Self::Suppressed { .. } => DeliveryState::Suppressed,
        }
    }
}

/// Settles attempts, all with a few statements. Gives the rows that were *not* settled: somebody else took them back in
/// the meantime, and what came of this attempt does not count any more.
pub async fn settle(tx: &mut Tx, settlements: &[Settlement], now: Moment) -> Result<Vec<DeliveryId>, StoreError> {
    let (sent, others): (Vec<&Settlement>, Vec<&Settlement>) =
        settlements.iter().partition(|settlement| matches!(settlement.outcome, Outcome::Sent { .. }));
    let sent = sent.into_iter().map(|settlement| sent_values(settlement, now)).collect();
    let others = others.into_iter().map(|settlement| values(settlement, now)).collect();
    let mut rows = sql::rows_over(tx, SENT, sent, SENT_TAIL).await?;
    rows.extend(sql::rows_over(tx, SETTLE, others, SETTLE_TAIL).await?);
    let mut settled = HashMap::with_capacity(rows.len());
    for row in rows {
        settled.insert(row.key("id", DeliveryId)?, (row.ticket("ticket")?, row.maybe_key("message", MessageId)?));
    }
    let (mut ended, mut known) = (Vec::with_capacity(settled.len()), Vec::with_capacity(settled.len()));
    for new in settlements {
        let Some((ticket, message)) = settled.get(&new.id) else { continue };
        let word = new.outcome.as_str().into();
        ended.push([new.id.into(), new.fence.into(), now.into(), word, new.detail.as_str().into()]);
        if let Outcome::Sent { external_id: Some(id) } = &new.outcome {
            known.push([id.into(), (*ticket).into(), Value::Uuid(message.map(|id| id.0)), new.id.into(), now.into()]);
        }
    }
    let expected = ended.len() as u64;
    sql::expect("end attempts", expected, sql::over(tx, ATTEMPTS, ended, ATTEMPTS_TAIL).await?)?;
    sql::over(tx, KNOWN, known, " ON CONFLICT DO NOTHING").await?;
    Ok(settlements.iter().map(|settlement| settlement.id).filter(|id| !settled.contains_key(id)).collect())
}

/// Makes answers to `external_id` find the ticket of a delivery. Twice does no harm.
pub(super) async fn known_by(
    tx: &mut Tx,
    delivery: DeliveryId,
    external_id: &ExternalId,
    now: Moment,
) -> Result<(), StoreError> {
    sql::execute(tx, KNOWN_BY, &[delivery.into(), external_id.into(), now.into()]).await?;
    Ok(())
}

fn sent_values(settlement: &Settlement, now: Moment) -> [Value<'_>; 5] {
    let external_id = match &settlement.outcome {
        Outcome::Sent { external_id } => external_id.as_ref(),
        _ => None,
    };
    [
        settlement.id.into(),
        settlement.fence.into(),
        settlement.detail.as_str().into(),
        external_id.map_or(Value::Text(None), Value::from),
        now.into(),
    ]
}

fn values(settlement: &Settlement, now: Moment) -> [Value<'_>; 10] {
    let outcome = &settlement.outcome;
    let (due_at, expires_at, doubts, external_id, reason) = match outcome {
        Outcome::Sent { external_id } => (None, None, 0, external_id.as_ref(), None),
        Outcome::Retry { due_at, expires_at } => (Some(*due_at), *expires_at, 0, None, None),
        Outcome::Doubt { due_at } => (Some(*due_at), None, 1, None, None),
        Outcome::Unknown { reason } => (None, None, 1, None, reason.as_ref()),
        Outcome::Refused { reason } | Outcome::Expired { reason } => (None, None, 0, None, reason.as_ref()),
        Outcome::Suppressed { reason } => (None, None, 0, None, Some(reason)),
    };
    let finished = outcome.state() != DeliveryState::Pending;
    [
        settlement.id.into(),
        settlement.fence.into(),
        outcome.state().as_str().into(),
        reason.into(),
        settlement.detail.as_str().into(),
        Value::at(due_at),
        Value::at(expires_at),
        doubts.into(),
        external_id.map_or(Value::Text(None), Value::from),
        Value::at(finished.then_some(now)),
    ]
}
