//! The only real clock, id and random source of the process.

use guichet_domain::{Clock, Ids, Moment};
use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the machine's clock is read")]
    fn now(&self) -> Moment {
        Moment::from(jiff::Timestamp::now())
    }
}

/// The machine's random source.
#[derive(Debug)]
pub struct SystemIds {
    random: SystemRandom,
}

impl Default for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the machine's randomness is opened")]
    fn default() -> Self {
        Self { random: SystemRandom::new() }
    }
}

impl Ids for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where ids are made")]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn random(&self, bytes: &mut [u8]) {
        // The kernel's source fails only before the machine has booted; an unsigned token must never leave instead.
        if self.random.fill(bytes).is_err() {
            std::process::abort();
        }
    }
}
