//! The gate before passwords: how often somebody may try, and how many are checked at once. In memory: it forgets when the
//! process ends.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::{Output, ParamsString, PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
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
/// Octets of what a password becomes.
const OUTPUT: usize = 32;
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
    /// What passwords are checked in, used again: allocated anew on ever other threads it would add up to hundreds of MiB
    /// that the allocator keeps.
    rooms: Rooms,
}

type Rooms = Arc<Mutex<Vec<Vec<Block>>>>;

impl Default for Gate {
    fn default() -> Self {
        Self { failures: Mutex::default(), checking: Semaphore::new(AT_ONCE), rooms: Rooms::default() }
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
        let (known, hash) = (hash.is_some(), hash.unwrap_or_else(|| NOBODY.to_owned()));
        let Ok(hash) = PasswordHash::new(&hash) else { return false };
        let (Ok(params), Some(salt), Some(kept)) = (Params::try_from(&hash), hash.salt, hash.hash) else {
            return false;
        };
        let mut bytes = [0; 64];
        let Ok(salt) = salt.decode_b64(&mut bytes) else { return false };
        let found = self.compute(password, salt.to_vec(), params).await;
        // Outputs are compared in constant time.
        known && hash.algorithm == Algorithm::Argon2id.ident() && found == Some(kept)
    }

    /// What is stored of a password: a PHC string. `None` when it cannot be computed.
    pub async fn hash(&self, password: String, ids: &dyn Ids) -> Option<String> {
        let mut bytes = [0; 16];
        ids.random(&mut bytes);
        let salt = SaltString::encode_b64(&bytes).ok()?;
        let (memory, passes, lanes) = COST;
        let params = Params::new(memory, passes, lanes, None).ok()?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).ok()?,
            salt: Some(salt.as_salt()),
            hash: Some(self.compute(password, bytes.to_vec(), params).await?),
        };
        Some(hash.to_string())
    }

    async fn compute(&self, password: String, salt: Vec<u8>, params: Params) -> Option<Output> {
        let _permit = self.checking.acquire().await.ok()?;
        let rooms = Arc::clone(&self.rooms);
        let compute = move || {
            let mut room = rooms.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
            room.resize(params.block_count(), Block::default());
            let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let output = Output::init_with(OUTPUT, |out| {
                Ok(argon.hash_password_into_with_memory(password.as_bytes(), &salt, out, &mut room)?)
            });
            rooms.lock().unwrap_or_else(PoisonError::into_inner).push(room);
            output.ok()
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
            gate.enter("amelie", here, NOW).unwrap_or_default();
        }
        assert_eq!(gate.wait("amelie", here, NOW), None);
        gate.enter("Amelie", here, NOW).unwrap_or_default();
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
            gate.enter(&format!("agent{n}"), ip, NOW).unwrap_or_default();
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

    #[tokio::test]
    async fn a_password_fits_what_was_kept_of_it_and_the_memory_is_used_again() {
        let (gate, ids) = (Gate::default(), TestIds::default());
        let kept = gate.hash("correct horse battery".to_owned(), &ids).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        let fits = |password: &str, kept: Option<&String>| {
            let (gate, password, kept) = (&gate, password.to_owned(), kept.cloned());
            async move { gate.fits(password, kept).await }
        };
        assert!(fits("correct horse battery", Some(&kept)).await);
        assert!(!fits("correct horse batterz", Some(&kept)).await);
        assert!(!fits("correct horse battery", Some(&"no hash".to_owned())).await);
        let parsed = PasswordHash::new(&kept).unwrap();
        let by_the_book = Argon2::default();
        assert!(argon2::PasswordVerifier::verify_password(&by_the_book, b"correct horse battery", &parsed).is_ok());
        tokio::join!(fits("a", None), fits("b", None), fits("c", None), fits("d", Some(&kept)));
        assert!(gate.rooms.lock().unwrap().len() <= AT_ONCE);
    }
}
