//! How many acknowledgements were queued of late, for the caps and the breaker.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use guichet_domain::Moment;
use guichet_domain::caps::Counts;

use super::PULSE;
use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, Builder, queries};

const HOUR: Duration = Duration::from_hours(1);
const DAYS: Duration = Duration::from_hours(7 * 24);

queries! {
    PULSES = "SELECT CAST(COALESCE(sum(CASE WHEN span > $1 THEN n END), 0) AS BIGINT) AS hour, \
        CAST(COALESCE(sum(CASE WHEN span <= $1 THEN n END), 0) AS BIGINT) AS before, min(span) AS first \
        FROM pulse WHERE span > $2";
}

const ADDRESSES: &str = "SELECT recipient_key, count(*) AS n, \
     CAST(COALESCE(sum(CASE WHEN created_at > ";
const ADDRESSES_MIDDLE: &str = " THEN 1 END), 0) AS BIGINT) AS hour FROM outbox WHERE kind = 'acknowledgement' AND state <> 'suppressed' AND created_at > ";

/// Acknowledgements of late. Other notices follow what an agent does or a promise missed: no stranger brings them about
/// at will, and they neither obey the caps nor use them up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sent {
    addresses: HashMap<String, (u32, u32)>,
    domains: HashMap<String, u32>,
    global_hour: u32,
    trailing_mean: f64,
}

impl Sent {
    /// What a decision about one recipient needs. `ticket` is left at zero.
    pub fn counts(&self, address_key: &str, domain: Option<&str>) -> Counts {
        let (sender_hour, sender_day) = self.addresses.get(address_key).copied().unwrap_or_default();
        let domain_hour = domain.and_then(|domain| self.domains.get(domain)).copied().unwrap_or_default();
        Counts {
            ticket: 0,
            sender_hour,
            sender_day,
            domain_hour,
            global_hour: self.global_hour,
            trailing_mean: self.trailing_mean,
        }
    }

    /// Counts one more, queued by a decision whose row is not written yet: the next decision of the batch sees it.
    pub fn add(&mut self, address_key: &str, domain: Option<&str>) {
        let (hour, day) = self.addresses.entry(address_key.to_owned()).or_default();
        (*hour, *day) = (hour.saturating_add(1), day.saturating_add(1));
        if let Some(domain) = domain {
            let hour = self.domains.entry(domain.to_owned()).or_default();
            *hour = hour.saturating_add(1);
        }
        self.global_hour = self.global_hour.saturating_add(1);
    }
}

/// Counts for these recipients (address keys and domains, in lower case). A domain is counted up to `enough`: beyond the
/// highest cap nobody needs to know.
pub async fn sent(
    tx: &mut Tx,
    addresses: &BTreeSet<String>,
    domains: &BTreeSet<String>,
    enough: u32,
    now: Moment,
) -> Result<Sent, StoreError> {
    let mut sent = Sent::default();
    if !addresses.is_empty() {
        let mut query = Builder::new(tx, ADDRESSES);
        query.bind(now - HOUR).push(ADDRESSES_MIDDLE).bind(now - HOUR * 24).push(" AND recipient_key IN ");
        query.list(addresses.iter().map(String::as_str)).push(" GROUP BY recipient_key");
        for row in query.rows(tx).await? {
            sent.addresses.insert(row.get("recipient_key")?, (count(row.get("hour")?), count(row.get("n")?)));
        }
    }
    if !domains.is_empty() {
        let mut query = Builder::new(tx, "WITH wanted (domain) AS (VALUES ");
        query.tuples(domains.iter().map(|domain| [domain.as_str().into()]));
        query.push(
            ") SELECT wanted.domain AS domain, (SELECT count(*) FROM (SELECT 1 AS one FROM outbox \
             WHERE outbox.recipient_domain = wanted.domain AND kind = 'acknowledgement' AND state <> 'suppressed' AND created_at > ",
        );
        query.bind(now - HOUR).push(" LIMIT ").bind(i64::from(enough)).push(") AS enough) AS n FROM wanted");
        for row in query.rows(tx).await? {
            sent.domains.insert(row.get("domain")?, count(row.get("n")?));
        }
    }
    if let Some(row) = sql::row(tx, PULSES, &[(now - HOUR).into(), (now - DAYS).into()]).await? {
        sent.global_hour = count(row.get("hour")?);
        let first: Option<i64> = row.get("first")?;
        let first = first.map_or(now, Moment::from_micros);
        let span = (now - HOUR).since(first).max(Duration::from_micros(PULSE.unsigned_abs()));
        let hours = (span.as_secs_f64() / HOUR.as_secs_f64()).max(1.0);
        sent.trailing_mean = f64::from(count(row.get("before")?)) / hours;
    }
    Ok(sent)
}

fn count(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
