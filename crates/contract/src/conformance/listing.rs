//! What a channel says its network holds.

use std::sync::Arc;

use guichet_domain::inbound::Inbound;

use super::bench::{Behaviour, Inward, Network};
use super::intake::ScriptedIntake;
use super::inward::write;
use super::musts::{ACKNOWLEDGES, HOLDINGS};
use super::report::{Broken, Tried};
use super::suite::{Suite, spawned};
use crate::channel::Fault;
use crate::holdings::{Held, Holdings};

/// One item taken in, one that waits: the first is known by what it is listed as, the second is left as it was.
pub(super) async fn lists_what_it_holds(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let (network, intake) = (suite.bench.network().await, ScriptedIntake::new());
    let life = suite.listen(&network, &intake).await;
    let first = write(suite, &network).await;
    let acknowledged = network.until_acknowledged(&first);
    suite.within(acknowledged, ACKNOWLEDGES, || "the item was accepted and never acknowledged".to_owned()).await?;
    suite.end(life).await?;
    let waiting = write(suite, &network).await;
    let before = intake.calls().len();
    let holdings = match list(suite, &network, &intake).await? {
        Ok(Some(holdings)) => holdings,
        Ok(None) => return Ok(Tried::No("the channel cannot list what its network holds")),
        Err(fault) => return broken(format!("the network works, and holdings answered {fault:?}")),
    };
    let accepted = intake.accepted();
    if let Some(held) = holdings.due.iter().find(|held| !accepted.iter().any(|item| names(held, item))) {
        return broken(format!("{} is listed as due, and nothing was handed in under its names", held.place));
    }
    let fetches = suite.bench.inward() == Inward::Fetches;
    if fetches && (holdings.ahead == 0 || network.acknowledged(&waiting).await || intake.calls().len() != before) {
        return broken(format!("an item nobody has fetched yet is not among what is ahead: {holdings:?}"));
    }
    if network.behave(Behaviour::Down).await
        && let Ok(listed) = list(suite, &network, &intake).await?
    {
        return broken(format!("the network is away, and holdings answered {listed:?}"));
    }
    Ok(Tried::Yes)
}

async fn list(
    suite: &mut Suite<'_>,
    network: &Arc<dyn Network>,
    intake: &Arc<ScriptedIntake>,
) -> Result<Result<Option<Holdings>, Fault>, Broken> {
    let port = suite.port(intake);
    let channel = network.plug(&port).await;
    let listing = spawned("holdings", async move { channel.holdings(&port).await });
    let listed = suite.within(listing, HOLDINGS, || "holdings did not end".to_owned()).await??;
    suite.heard(&listed);
    Ok(listed)
}

fn names(held: &Held, item: &Inbound) -> bool {
    held.external_id.as_ref() == Some(&item.external_id) || held.same_as.iter().any(|key| item.same_as.contains(key))
}

fn broken(what: String) -> Result<Tried, Broken> {
    Err(Broken::new(HOLDINGS, what))
}
