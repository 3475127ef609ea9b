//! What the sources' networks still hold, against what is here.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use guichet_contract::{Fault, Held, Holdings};
use guichet_domain::ids::SourceName;
use guichet_store::inbound;

use crate::desk::views::{Check, Reconciliation, Upstream};
use crate::desk::{Desk, DeskError};
use crate::intake::{own_key, port, shared_key};
use crate::kernel::Source;

/// How long one network may take to be listed: below what a request of the command line may take.
const PATIENCE: Duration = Duration::from_secs(240);
/// Missing items that are named, of each source.
const NAMED: usize = 100;

impl Desk {
    /// [`balance`](Self::balance), and besides what every source's network holds: all that had to be taken in by now must be
    /// here. Takes as long as the slowest network, 4 min at most. A network that cannot be listed now says why in its
    /// line and breaks no check.
    pub async fn reconcile(&self) -> Result<Reconciliation, DeskError> {
        let sources = self.kernel.sources.iter().filter(|(_, source)| source.enabled);
        let listings = join_all(sources.map(|(name, source)| self.look_at(name, source))).await;
        let mut found = self.balance().await?;
        for (name, source, listing) in listings {
            match listing {
                Ok(None) => {}
                Ok(Some(holdings)) => found.upstream.push(self.compare(name, source, holdings).await?),
                Err(fault) => {
                    let nothing = self.compare(name, source, Holdings::default()).await?;
                    found.upstream.push(Upstream { trouble: Some(fault.to_string()), ..nothing });
                }
            }
        }
        let missing: Vec<&Upstream> = found.upstream.iter().filter(|line| line.missing > 0).collect();
        let check = Check {
            name: "upstream_is_here".into(),
            rule: "what a source still holds and had to be taken in is here".into(),
            broken: missing.iter().map(|line| line.missing).sum(),
            detail: missing
                .iter()
                .map(|line| format!("{}: {}", line.source, line.places.join("; ")))
                .collect::<Vec<_>>()
                .join("; "),
        };
        found.sound &= check.broken == 0;
        found.checks.push(check);
        Ok(found)
    }

    async fn look_at<'a>(
        &self,
        name: &'a SourceName,
        source: &'a Source,
    ) -> (&'a SourceName, &'a Source, Result<Option<Holdings>, Fault>) {
        let port = port(&self.reception, name, source);
        let listed = tokio::time::timeout(PATIENCE, source.channel.holdings(&port)).await;
        let late = || Fault::passing(format!("it could not be listed within {} s", PATIENCE.as_secs()));
        (name, source, listed.unwrap_or_else(|_| Err(late())))
    }

    async fn compare(&self, name: &SourceName, source: &Source, holdings: Holdings) -> Result<Upstream, DeskError> {
        let keys = |held: &Held| -> Vec<String> {
            let own = held.external_id.iter().map(|id| own_key(name, id));
            own.chain(held.same_as.iter().map(|key| shared_key(&source.kind, key))).collect()
        };
        let asked: Vec<String> = holdings.due.iter().flat_map(keys).collect();
        let mut tx = self.kernel.db.read().await?;
        let here: BTreeSet<&String> = inbound::known(&mut tx, &asked).await?.into_iter().collect();
        let missing = holdings.due.iter().filter(|held| !keys(held).iter().any(|key| here.contains(&key)));
        let missing: Vec<&str> = missing.map(|held| held.place.as_str()).collect();
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Ok(Upstream {
            source: name.clone(),
            held: number(holdings.held()),
            known: number((holdings.due.len() - missing.len()) as u64),
            missing: number(missing.len() as u64),
            places: missing.into_iter().take(NAMED).map(str::to_owned).collect(),
            ahead: number(holdings.ahead),
            aside: number(holdings.aside),
            nameless: number(holdings.nameless),
            trouble: None,
        })
    }
}
