//! Whether everything that came in is accounted for, and everything that must leave is on its way.

use std::collections::BTreeMap;

use guichet_domain::ids::SourceName;
use guichet_domain::verdict::Verdict;
use guichet_store::figures;

use crate::desk::views::{Check, Reconciliation, SourceBalance};
use crate::desk::{Desk, DeskError};

impl Desk {
    /// Compares what was counted with what is there, and asks no network. Reads whole tables in one snapshot: some seconds a million tickets.
    pub async fn balance(&self) -> Result<Reconciliation, DeskError> {
        let now = self.kernel.clock.now();
        let mut tx = self.kernel.db.read().await?;
        let tally = figures::tally(&mut tx).await?;
        let found = figures::discrepancies(&mut tx).await?;
        let mut checks = vec![Check {
            name: "counted_as_kept".into(),
            rule: "what was counted when it came in is there".into(),
            broken: i64::try_from(found.tally.len()).unwrap_or(i64::MAX),
            detail: found
                .tally
                .iter()
                .map(|((source, verdict), (counted, there))| {
                    format!("{source} {}: {counted} counted, {there} there", verdict.as_str())
                })
                .collect::<Vec<_>>()
                .join("; "),
        }];
        let mut check = |name: &str, rule: &str, broken: i64| {
            checks.push(Check { name: name.into(), rule: rule.into(), broken, detail: String::new() });
        };
        check("keys_lead_somewhere", "every key by which an item is known again leads to it", found.orphan_keys);
        check("timelines_without_gaps", "the public entries of a ticket are numbered without gaps", found.gaps);
        check("last_place_is_last_entry", "a ticket's last place is its last entry's", found.last_seq);
        for (name, rule, broken) in figures::soundness(&mut tx, now).await? {
            check(name, rule, broken);
        }
        let sources = balances(&tally);
        Ok(Reconciliation {
            sound: checks.iter().all(|check| check.broken == 0),
            received: sources.iter().map(|source| source.received).sum(),
            sources,
            upstream: Vec::new(),
            checks,
        })
    }
}

fn balances(tally: &figures::Figures) -> Vec<SourceBalance> {
    let mut sources: BTreeMap<&SourceName, SourceBalance> = BTreeMap::new();
    for ((source, verdict), n) in tally {
        let balance = sources.entry(source).or_insert_with(|| SourceBalance {
            source: source.clone(),
            received: 0,
            opened: 0,
            appended: 0,
            duplicate: 0,
            quarantined: 0,
        });
        balance.received += n;
        match verdict {
            Verdict::Opened => balance.opened += n,
            Verdict::Appended => balance.appended += n,
            Verdict::Duplicate => balance.duplicate += n,
            Verdict::Quarantined => balance.quarantined += n,
        }
    }
    sources.into_values().collect()
}
