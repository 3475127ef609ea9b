//! Who asks, and how often, for channels that serve people over HTTP.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};

/// Who sent a request: in the extensions of every request to a channel's routes. The daemon has read what trusted proxies
/// say (`[http] trusted_proxies`), so that channels need not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The address of the person, or of the last hop nobody vouches for.
    pub ip: IpAddr,
    /// Whether the person's connection is encrypted, as far as the proxy says.
    pub secure: bool,
}

impl Default for Peer {
    /// This machine: for requests that came by no network.
    fn default() -> Self {
        Self { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), secure: false }
    }
}

impl Peer {
    /// What rates are counted by: the address, of IPv6 the /64 that one subscriber has.
    pub fn counted(&self) -> IpAddr {
        match self.ip.to_canonical() {
            IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
            ip @ IpAddr::V4(_) => ip,
        }
    }
}

/// Networks remembered at most; beyond it those that are nearly full again are forgotten, and then all.
const MOST: usize = 50_000;

/// So many an hour from one network, by token buckets (each fills up evenly over the hour). Counts in memory, for one process.
#[derive(Debug)]
pub struct Rates {
    per_hour: f64,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: i64,
}

impl Rates {
    /// At most `per_hour` from one network, all at once or spread.
    pub fn new(per_hour: u32) -> Self {
        Self { per_hour: per_hour.into(), buckets: Mutex::default() }
    }

    /// One more from `network` at `now` (seconds since 1970). When it is one too many: in how many seconds the next is taken;
    /// it is not counted then.
    pub fn count(&self, network: IpAddr, now: i64) -> Result<(), i64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST && !buckets.contains_key(&network) {
            buckets.retain(|_, bucket| bucket.refilled(self.per_hour, now) < self.per_hour - 1.0);
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(network).or_insert(Bucket { left: self.per_hour, at: now });
        bucket.left = bucket.refilled(self.per_hour, now);
        bucket.at = now;
        if bucket.left < 1.0 {
            let wait = (1.0 - bucket.left) * 3600.0 / self.per_hour;
            #[expect(clippy::cast_possible_truncation, reason = "at most an hour in seconds")]
            return Err(wait.ceil() as i64);
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

impl Bucket {
    fn refilled(&self, per_hour: f64, now: i64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "seconds since a visit")]
        let since = (now - self.at).max(0) as f64;
        (self.left + since * per_hour / 3600.0).min(per_hour)
    }
}

/// The one answer to requests that do not prove themselves to a source, and to those for a source that does not exist: nobody
/// learns which of the two it was.
pub fn forbidden() -> axum::response::Response {
    use axum::response::IntoResponse as _;
    let json = [(axum::http::header::CONTENT_TYPE, "application/json")];
    (axum::http::StatusCode::FORBIDDEN, json, "{\"error\":\"forbidden\"}").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_hour_and_another_its_own() {
        let network = |last: u8| IpAddr::from([192, 0, 2, last]);
        let rates = Rates::new(3);
        for _ in 0..3 {
            assert_eq!(rates.count(network(1), 0), Ok(()));
        }
        assert_eq!(rates.count(network(1), 0), Err(1200));
        assert_eq!(rates.count(network(2), 0), Ok(()));
        assert_eq!(rates.count(network(1), 1_300), Ok(()));
    }

    #[test]
    fn one_subscriber_has_one_rate_whatever_addresses_it_takes() {
        let counted = |ip: &str| Peer { ip: ip.parse().unwrap(), secure: true }.counted();
        assert_eq!(counted("2001:db8::1"), counted("2001:db8::ffff:2"));
        assert_ne!(counted("2001:db8::1"), counted("2001:db8:0:1::1"));
        assert_eq!(counted("::ffff:192.0.2.1"), counted("192.0.2.1"));
    }
}
