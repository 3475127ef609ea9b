//! The gate before passwords: how often somebody may try, and how many are checked at once. In memory: it forgets when the
//! process ends.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::{PasswordHash, PasswordVerifier as _, Salt};
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use guichet_domain::{Ids, Moment};
use tokio::sync::Semaphore;

/// Failures count for so long.
const WINDOW: Duration = Duration::from_mins(15);
/// Failures within the window: of one account from one address, of one address, of one account from anywhere. The last is
/// high, so that a stranger does not easily lock somebody out.
const LIMITS: [u32; 3] = [6, 40, 100];
/// Most keys that are remembered.
const MOST_KEYS: usize = 20_000;
/// Passwords that are checked at once: each takes 19 MiB for some fifty milliseconds.
const AT_ONCE: usize = 2;
/// OWASP's smaller setting: memory in KiB, passes, lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);
/// What a wrong account is checked against, so that it takes as long as a right one. No password fits it.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LWxpdmVzLWhlcmU$4J6bNHCVU1gYdFJ8fQW2r0b3pY0m6m9u3G8Dq2F1n4E";

/// How many, since when.
type Failures = HashMap<String, (u32, Moment)>;

/// Counts failures and bounds work.
#[derive(Debug)]
pub struct Gate {
    failures: Mutex<Failures>,
    checking: Semaphore,
}

impl Default for Gate {
    fn default() -> Self {
        Self { failures: Mutex::default(), checking: Semaphore::new(AT_ONCE) }
    }
}

impl Gate {
    /// How long whoever is at `ip` must wait before trying `account` again; `None`: not at all.
    pub fn wait(&self, account: &str, ip: IpAddr, now: Moment) -> Option<Duration> {
        waits(&self.failures.lock().unwrap_or_else(PoisonError::into_inner), account, ip, now)
    }

    /// Lets somebody try, and counts the try as a failure until it is [taken back](Self::spared): a hundred tries at once are
    /// no more than one after another. Otherwise: how long to wait.
    pub fn enter(&self, account: &str, ip: IpAddr, now: Moment) -> Result<(), Duration> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait) = waits(&failures, account, ip, now) {
            return Err(wait);
        }
        note(&mut failures, account, ip, now);
        Ok(())
    }

    /// Takes back a try that succeeded.
    pub fn spared(&self, account: &str, ip: IpAddr) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys(account, ip) {
            if let Some((count, _)) = failures.get_mut(&key) {
                *count = count.saturating_sub(1);
            }
        }
    }

    /// Takes back a try that succeeded, and forgets the failures of the account at the address: somebody signed in there.
    pub fn passed(&self, account: &str, ip: IpAddr) {
        self.spared(account, ip);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let [pair, ..] = keys(account, ip);
        failures.remove(&pair);
    }

    /// Whether a password fits a hash; with none, `false` after the same time.
    pub async fn fits(&self, password: String, hash: Option<String>) -> bool {
        let Ok(_permit) = self.checking.acquire().await else { return false };
        let check = move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
            let fits = PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
            known && fits
        };
        tokio::task::spawn_blocking(check).await.unwrap_or(false)
    }

    /// What is stored of a password: a PHC string. `None` when it cannot be computed.
    pub async fn hash(&self, password: String, ids: &dyn Ids) -> Option<String> {
        let mut salt = [0; 16];
        ids.random(&mut salt);
        let salt = data_encoding::BASE64_NOPAD.encode(&salt);
        let _permit = self.checking.acquire().await.ok()?;
        let compute = move || {
            let (memory, passes, lanes) = COST;
            let params = Params::new(memory, passes, lanes, None).ok()?;
            let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let salt = Salt::from_b64(&salt).ok()?;
            argon.hash_password(password.as_bytes(), salt).ok().map(|hash| hash.to_string())
        };
        tokio::task::spawn_blocking(compute).await.ok().flatten()
    }
}

fn waits(failures: &Failures, account: &str, ip: IpAddr, now: Moment) -> Option<Duration> {
    let over = keys(account, ip).into_iter().zip(LIMITS).filter_map(|(key, limit)| {
        let (count, since) = failures.get(&key)?;
        let end = *since + WINDOW;
        (*count >= limit && end > now).then(|| end.since(now))
    });
    over.max()
}

fn note(failures: &mut Failures, account: &str, ip: IpAddr, now: Moment) {
    if failures.len() >= MOST_KEYS {
        failures.retain(|_, (_, since)| *since + WINDOW > now);
    }
    if failures.len() >= MOST_KEYS {
        failures.clear();
    }
    for key in keys(account, ip) {
        let entry = failures.entry(key).or_insert((0, now));
        if entry.1 + WINDOW <= now {
            *entry = (0, now);
        }
        entry.0 += 1;
    }
}

/// By account and address, by address, by account. Of an IPv6 address its network counts: one person has all of it.
fn keys(account: &str, ip: IpAddr) -> [String; 3] {
    let place = match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    };
    let account: String = account.chars().take(60).collect::<String>().to_lowercase();
    [format!("{account}\n{place}"), format!("\n{place}"), format!("{account}\n")]
}

#[cfg(test)]
mod tests {
    use guichet_testkit::TestIds;

    use super::*;

    const NOW: Moment = Moment::from_secs(1_800_000_000);

    #[test]
    fn six_failures_close_the_gate_there_and_not_elsewhere() {
        let gate = Gate::default();
        let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for _ in 0..5 {
            drop(gate.enter("amelie", here, NOW));
        }
        assert_eq!(gate.wait("amelie", here, NOW), None);
        drop(gate.enter("Amelie", here, NOW));
        assert_eq!(gate.wait("amelie", here, NOW), Some(WINDOW));
        assert_eq!(gate.wait("amelie", there, NOW), None);
        assert_eq!(gate.wait("bruno", here, NOW), None);
        assert_eq!(gate.wait("amelie", here, NOW + WINDOW), None);
    }

    #[test]
    fn whoever_tries_many_accounts_from_one_network_is_stopped() {
        let gate = Gate::default();
        for n in 0..40_u16 {
            let ip = IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]);
            drop(gate.enter(&format!("agent{n}"), ip, NOW));
        }
        assert!(gate.wait("somebody", IpAddr::from([0x2001, 0xdb8, 0, 1, 9, 9, 9, 9]), NOW).is_some());
        assert!(gate.wait("somebody", IpAddr::from([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1]), NOW).is_none());
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_and_nobodys_fits_none() {
        let gate = Gate::default();
        let hash = gate.hash("correct horse".to_owned(), &TestIds::seeded(1)).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(gate.fits("correct horse".to_owned(), Some(hash.clone())).await);
        assert!(!gate.fits("correct hors".to_owned(), Some(hash)).await);
        assert!(!gate.fits(String::new(), None).await);
        assert!(PasswordHash::new(NOBODY).is_ok(), "it must cost as much as a real one");
    }

    #[test]
    fn tries_at_once_are_counted_before_they_are_judged() {
        let gate = Gate::default();
        let here = IpAddr::from([192, 0, 2, 1]);
        let let_in = (0..60).filter(|_| gate.enter("amelie", here, NOW).is_ok()).count();
        assert_eq!(let_in, 6);
        gate.spared("amelie", here);
        assert_eq!(gate.enter("amelie", here, NOW), Ok(()));
        for _ in 0..200 {
            gate.passed("amelie", here);
            assert_eq!(gate.enter("amelie", here, NOW), Ok(()), "whoever knows the password is not counted");
        }
    }
}
