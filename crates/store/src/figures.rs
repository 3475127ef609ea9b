//! Figures: what was counted, beside what is there. They must agree at any moment.

use std::collections::BTreeMap;

use guichet_domain::Moment;
use guichet_domain::ids::SourceName;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::record::Verdict;
use crate::sql::{self, queries};

queries! {
    TALLY = "SELECT source, verdict, n FROM tally ORDER BY source, verdict";
    ROWS = "SELECT source, verdict, count(*) AS n FROM inbound GROUP BY source, verdict ORDER BY source, verdict";
    ORPHANS = "SELECT count(*) AS n FROM inbox_key WHERE NOT EXISTS (SELECT 1 FROM inbound WHERE inbound.id = inbox_key.inbound)";
    GAPS = "SELECT count(*) AS n FROM (SELECT ticket FROM entry WHERE seq IS NOT NULL GROUP BY ticket \
        HAVING count(*) <> max(seq) OR min(seq) <> 1) AS gap";
    ENTRIES_OFF = "SELECT count(*) AS n FROM ticket WHERE last_seq <> COALESCE((SELECT max(seq) FROM entry \
        WHERE entry.ticket = ticket.id), 0)";
    SILENT = "SELECT count(*) AS n FROM ticket WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.ticket = ticket.id \
        AND outbox.kind = 'acknowledgement') AND NOT EXISTS (SELECT 1 FROM explanation \
        WHERE explanation.ticket = ticket.id AND explanation.code LIKE 'ack.none.%')";
    TWICE = "SELECT count(*) AS n FROM (SELECT ticket FROM outbox WHERE kind = 'acknowledgement' GROUP BY ticket \
        HAVING count(*) > 1) AS doubled";
    OPENED_NOWHERE = "SELECT count(*) AS n FROM inbound WHERE verdict IN ('opened', 'appended') AND (ticket IS NULL \
        OR NOT EXISTS (SELECT 1 FROM ticket WHERE ticket.id = inbound.ticket))";
    FROM_NOTHING = "SELECT count(*) AS n FROM ticket WHERE NOT EXISTS (SELECT 1 FROM inbound \
        WHERE inbound.ticket = ticket.id AND inbound.verdict = 'opened')";
    OVERDUE = "SELECT count(*) AS n FROM outbox WHERE state = 'sending' AND (lease_until IS NULL OR lease_until < $1)";
    LOOSE = "SELECT count(*) AS n FROM attempt WHERE ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM outbox \
        WHERE outbox.id = attempt.delivery AND outbox.state = 'sending')";
    UNTRIED = "SELECT count(*) AS n FROM outbox WHERE state = 'sent' AND NOT EXISTS (SELECT 1 FROM attempt \
        WHERE attempt.delivery = outbox.id)";
}

/// Counts by source and verdict.
pub type Figures = BTreeMap<(SourceName, Verdict), i64>;

/// What does not agree. All zero in a sound database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Discrepancies {
    /// Sources and verdicts other than duplicates that were counted otherwise than rows are there: counted, there.
    pub tally: BTreeMap<(SourceName, Verdict), (i64, i64)>,
    /// Inbox keys that lead to nothing.
    pub orphan_keys: i64,
    /// Tickets whose public entries have gaps.
    pub gaps: i64,
    /// Tickets whose last place is not their last entry's.
    pub last_seq: i64,
}

impl Discrepancies {
    /// Whether everything agrees.
    pub fn is_sound(&self) -> bool {
        self.tally.is_empty() && self.orphan_keys == 0 && self.gaps == 0 && self.last_seq == 0
    }
}

/// What was counted since the database was made: received is their sum.
pub async fn tally(tx: &mut Tx) -> Result<Figures, StoreError> {
    figures(tx, TALLY).await
}

/// What is there. Duplicates have a row only where the caller records one.
pub async fn rows(tx: &mut Tx) -> Result<Figures, StoreError> {
    figures(tx, ROWS).await
}

/// Compares what was counted with what is there. Reads whole tables: some seconds a million tickets.
pub async fn discrepancies(tx: &mut Tx) -> Result<Discrepancies, StoreError> {
    let (counted, there) = (tally(tx).await?, rows(tx).await?);
    let mut found = Discrepancies::default();
    for key in counted.keys().chain(there.keys()).filter(|(_, verdict)| *verdict != Verdict::Duplicate) {
        let pair = (counted.get(key).copied().unwrap_or(0), there.get(key).copied().unwrap_or(0));
        if pair.0 != pair.1 {
            found.tally.insert(key.clone(), pair);
        }
    }
    found.orphan_keys = count(tx, ORPHANS).await?;
    found.gaps = count(tx, GAPS).await?;
    found.last_seq = count(tx, ENTRIES_OFF).await?;
    Ok(found)
}

/// Further rules that hold in a sound database: the stable name of each, the rule, how many things break it. Reads whole
/// tables.
pub async fn soundness(tx: &mut Tx, now: Moment) -> Result<Vec<(&'static str, &'static str, i64)>, StoreError> {
    let rules = [
        ("every_ticket_answered", "every ticket has an acknowledgement or a reason for none", SILENT),
        ("answered_once", "no ticket has two acknowledgements", TWICE),
        ("opened_has_ticket", "what was opened or appended has its ticket", OPENED_NOWHERE),
        ("ticket_has_origin", "every ticket was opened by something that came in", FROM_NOTHING),
        ("attempts_end", "an attempt under way belongs to a row that is being sent", LOOSE),
        ("sent_was_tried", "what was sent has an attempt", UNTRIED),
    ];
    let mut found = Vec::with_capacity(rules.len() + 1);
    for (name, rule, sql) in rules {
        found.push((name, rule, count(tx, sql).await?));
    }
    let overdue = sql::row(tx, OVERDUE, &[now.into()]).await?.map_or(Ok(0), |row| row.get("n"))?;
    found.push(("leases_hold", "no row is being sent beyond its lease", overdue));
    Ok(found)
}

async fn figures(tx: &mut Tx, sql: &'static str) -> Result<Figures, StoreError> {
    let rows = sql::rows(tx, sql, &[]).await?;
    rows.iter().map(|row| Ok(((row.source("source")?, row.word("verdict", Verdict::parse)?), row.get("n")?))).collect()
}

async fn count(tx: &mut Tx, sql: &'static str) -> Result<i64, StoreError> {
    sql::row(tx, sql, &[]).await?.map_or(Ok(0), |row| row.get("n"))
}
