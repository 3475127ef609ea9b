//! The outbox: looking at it, sending again by hand, taking out.

use guichet_domain::ids::{DeliveryId, SourceName};
use guichet_domain::outgoing::DeliveryState;
use guichet_store::Tx;
use guichet_store::outbox::{self, Filter};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::desk::showing::show_delivery;
use crate::desk::views::{DeliveryPage, DeliveryView};
use crate::desk::{Desk, DeskError};

/// Rows of one page: unless said otherwise, and at most.
const PAGE: (i64, i64) = (50, 200);

/// Which rows of the outbox to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// States with commas between.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(example = "pending,refused")]
    pub state: Option<String>,
    /// Leaving by this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    /// At most so many, 1 to 200; 50 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}

impl Desk {
    /// Rows of the outbox, the latest first.
    pub async fn deliveries(&self, query: &DeliveryQuery) -> Result<DeliveryPage, DeskError> {
        let source = query.source.as_deref().map(SourceName::from);
        let limit = query.limit.unwrap_or(PAGE.0).clamp(1, PAGE.1);
        let states = states(query.state.as_deref())?;
        let filter = Filter { states, source: source.as_ref(), before: query.before, limit: limit + 1 };
        let mut tx = self.kernel.db.read().await?;
        let rows = outbox::list(&mut tx, &filter).await?;
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let next = rows.get(shown).and_then(|_| rows.get(shown - 1)).map(|last| last.number);
        let deliveries = rows.into_iter().take(shown).map(|row| show_delivery(row, Vec::new())).collect();
        Ok(DeliveryPage { deliveries, next })
    }

    /// One row with its attempts.
    pub async fn delivery(&self, id: DeliveryId) -> Result<DeliveryView, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        one(&mut tx, id).await
    }

    /// Sends a row (again), now. A row whose attempts have no known end is looked for first where the network can be
    /// asked.
    pub async fn retry(&self, id: DeliveryId) -> Result<DeliveryView, DeskError> {
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.write().await?;
        let before = one(&mut tx, id).await?;
        if !outbox::retry(&mut tx, id, before.kind.life(), now).await? {
            return Err(DeskError::state(
                format!("it is {}", before.state.as_str()),
                "only what was not sent can be sent",
            ));
        }
        let view = one(&mut tx, id).await?;
        tx.commit().await?;
        self.kernel.outbox.notify_one();
        Ok(view)
    }

    /// Takes a row out: it is not sent any more.
    pub async fn cancel(&self, id: DeliveryId) -> Result<DeliveryView, DeskError> {
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.write().await?;
        let before = one(&mut tx, id).await?;
        if !outbox::cancel(&mut tx, id, now).await? {
            let remedy = "only what waits, or ended without being sent, can be taken out";
            return Err(DeskError::state(format!("it is {}", before.state.as_str()), remedy));
        }
        let view = one(&mut tx, id).await?;
        tx.commit().await?;
        // The next row of its conversation may leave now.
        self.kernel.outbox.notify_one();
        Ok(view)
    }
}

async fn one(tx: &mut Tx, id: DeliveryId) -> Result<DeliveryView, DeskError> {
    let row = outbox::by_id(tx, id).await?;
    let row = row.ok_or_else(|| DeskError::not_found(format!("there is no delivery {id}"), "list the outbox"))?;
    let tries = outbox::attempts(tx, id).await?;
    Ok(show_delivery(row, tries))
}

fn states(words: Option<&str>) -> Result<Vec<DeliveryState>, DeskError> {
    let words = words.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
    let read = |word: &str| {
        let all = DeliveryState::ALL.map(DeliveryState::as_str).join(", ");
        DeliveryState::parse(word)
            .ok_or_else(|| DeskError::invalid(format!("state = {word}"), format!("use one of: {all}")))
    };
    words.map(read).collect()
}
