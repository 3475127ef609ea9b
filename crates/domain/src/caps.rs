//! How many acknowledgements may go to whom: what stops a loop that no header shows, and a flood in our name. Other notices
//! follow an agent's act or a missed promise; no stranger can bring them about, so they are neither capped nor counted.
//!
//! Pure: the caller counts what has been queued within each window and asks here. A cap suppresses, for good; the
//! breaker only delays, since it may well be a true rush.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::reason::{self, Reason};
use crate::time::Moment;

/// The limits. All configurable; the defaults are for one help desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Caps {
    /// Acknowledgements to one address within an hour. 0 lets none leave.
    pub sender_hour: u32,
    /// Acknowledgements to one address within 24 hours. 0 lets none leave.
    pub sender_day: u32,
    /// Acknowledgements to one domain within an hour, except to [`Caps::own_domains`] and public providers. 0 lets
    /// none leave.
    pub domain_hour: u32,
    /// Domains of the organisation, whose people are many: no domain cap. Subdomains are included.
    pub own_domains: Vec<String>,
    /// The breaker opens when an hour has this many times the trailing hourly mean.
    pub breaker_factor: u32,
    /// The breaker stays closed below this many within an hour, whatever the mean.
    pub breaker_floor: u32,
    /// How long the breaker delays a message before it is looked at again, in minutes. At least 1 is taken.
    pub breaker_pause_minutes: u32,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            sender_hour: 5,
            sender_day: 20,
            domain_hour: 60,
            own_domains: Vec::new(),
            breaker_factor: 10,
            breaker_floor: 1_000,
            breaker_pause_minutes: 5,
        }
    }
}

/// What was already queued, this message not counted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counts {
    /// Acknowledgements of this very ticket, ever. Zero for other notices.
    pub ticket: u32,
    /// Acknowledgements to this address within the last hour.
    pub sender_hour: u32,
    /// Acknowledgements to this address within the last 24 hours.
    pub sender_day: u32,
    /// Acknowledgements to this domain within the last hour.
    pub domain_hour: u32,
    /// All acknowledgements within the last hour.
    pub global_hour: u32,
    /// Mean of all acknowledgements an hour, over the days before.
    pub trailing_mean: f64,
}

/// Whether a message may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowance {
    /// It may.
    Allowed,
    /// It never will: the row becomes suppressed with this reason.
    Suppressed(Reason),
    /// Not yet.
    DelayUntil {
        /// When to look again.
        until: Moment,
        /// [`reason::BREAKER`].
        reason: Reason,
    },
}

impl Caps {
    /// Decides on one acknowledgement to an address of `domain` (`None` on networks without domains). Caps come before
    /// the breaker: what must not leave is not kept waiting.
    pub fn allow(&self, counts: &Counts, domain: Option<&str>, now: Moment) -> Allowance {
        if counts.ticket > 0 {
            return Allowance::Suppressed(reason::CAP_TICKET);
        }
        if counts.sender_hour >= self.sender_hour {
            return Allowance::Suppressed(reason::CAP_SENDER_HOUR);
        }
        if counts.sender_day >= self.sender_day {
            return Allowance::Suppressed(reason::CAP_SENDER_DAY);
        }
        let capped = domain.is_some_and(|domain| !self.is_own_domain(domain) && !is_public_provider(domain));
        if capped && counts.domain_hour >= self.domain_hour {
            return Allowance::Suppressed(reason::CAP_DOMAIN_HOUR);
        }
        if self.breaker_is_open(counts) {
            let pause = Duration::from_secs(60 * u64::from(self.breaker_pause_minutes.max(1)));
            return Allowance::DelayUntil { until: now + pause, reason: reason::BREAKER };
        }
        Allowance::Allowed
    }

    /// Whether `domain` is one of [`Caps::own_domains`] or below one.
    pub fn is_own_domain(&self, domain: &str) -> bool {
        let domain = plain(domain);
        self.own_domains.iter().map(|own| plain(own)).any(|own| {
            domain
                .strip_suffix(own.as_str())
                .is_some_and(|rest| !own.is_empty() && (rest.is_empty() || rest.ends_with('.')))
        })
    }

    fn breaker_is_open(&self, counts: &Counts) -> bool {
        let usual = f64::from(self.breaker_factor) * counts.trailing_mean.max(0.0);
        let this_hour = counts.global_hour;
        this_hour >= self.breaker_floor && f64::from(this_hour) >= usual
    }
}

/// Whether `domain` gives mailboxes to the public, so that many unrelated people share it. Exact names only: a subdomain
/// may be anybody's.
pub fn is_public_provider(domain: &str) -> bool {
    let domain = plain(domain);
    PUBLIC_PROVIDERS.split(' ').any(|known| known == domain)
}

fn plain(domain: &str) -> String {
    domain.trim().trim_matches('.').to_ascii_lowercase()
}

const PUBLIC_PROVIDERS: &str = "\
    126.com 163.com 9online.fr aliceadsl.fr aol.com aol.fr arcor.de att.net bbox.fr bell.net bluewin.ch \
    btinternet.com club-internet.fr comcast.net dbmail.com duck.com earthlink.net email.com fastmail.com \
    fastmail.fm free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.fr gmx.net googlemail.com hey.com \
    hispeed.ch hotmail.be hotmail.ca hotmail.ch hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr \
    hotmail.it icloud.com iinet.net.au inbox.com infomaniak.com juno.com kpnmail.nl laposte.net libero.it \
    libertysurf.fr live.be live.ca live.co.uk live.com live.fr live.nl mac.com mail.com mail.ru mailbox.org \
    mailo.com me.com msn.com naver.com neuf.fr noos.fr ntlworld.com numericable.fr online.fr optonline.net \
    optusnet.com.au orange.be orange.fr outlook.be outlook.com outlook.de outlook.es outlook.fr outlook.it pm.me \
    posteo.de posteo.net proton.me protonmail.ch protonmail.com proximus.be qq.com rambler.ru rocketmail.com \
    rogers.com sbcglobal.net sfr.fr shaw.ca sky.com skynet.be sunrise.ch sympatico.ca t-online.de talktalk.net \
    tele2.fr telenet.be telus.net tuta.io tutanota.com verizon.net videotron.ca virgilio.it virginmedia.com \
    voila.fr voo.be wanadoo.fr web.de yahoo.be yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com \
    yahoo.com.au yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru ymail.com zoho.com";

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_secs(1_800_000_000);

    fn decide(counts: Counts, domain: &str) -> Allowance {
        Caps { own_domains: vec!["Desk.Example.".into()], ..Caps::default() }.allow(&counts, Some(domain), NOW)
    }

    #[test]
    fn a_ticket_is_acknowledged_once_ever() {
        let counts = Counts { ticket: 1, ..Counts::default() };
        assert_eq!(decide(counts, "client.example"), Allowance::Suppressed(reason::CAP_TICKET));
    }

    #[test]
    fn the_fifth_message_of_the_hour_leaves_and_the_sixth_does_not() {
        let counts = |sender_hour| Counts { sender_hour, sender_day: sender_hour, ..Counts::default() };
        assert_eq!(decide(counts(4), "client.example"), Allowance::Allowed);
        assert_eq!(decide(counts(5), "client.example"), Allowance::Suppressed(reason::CAP_SENDER_HOUR));
        assert_eq!(decide(counts(5), "gmail.com"), Allowance::Suppressed(reason::CAP_SENDER_HOUR));
    }

    #[test]
    fn the_twenty_first_message_of_the_day_does_not_leave() {
        let counts = |sender_day| Counts { sender_day, ..Counts::default() };
        assert_eq!(decide(counts(19), "client.example"), Allowance::Allowed);
        assert_eq!(decide(counts(20), "client.example"), Allowance::Suppressed(reason::CAP_SENDER_DAY));
    }

    #[test]
    fn a_strange_domain_is_capped_and_ours_and_a_public_provider_are_not() {
        let counts = Counts { domain_hour: 60, ..Counts::default() };
        for capped in ["client.example", "notdesk.example", "mail.gmail.com", "outlook.attacker.example"] {
            assert_eq!(decide(counts, capped), Allowance::Suppressed(reason::CAP_DOMAIN_HOUR), "{capped}");
        }
        for free in ["desk.example", "DESK.example", "paris.desk.example", "gmail.com", "Orange.FR", "outlook.com"] {
            assert_eq!(decide(counts, free), Allowance::Allowed, "{free}");
        }
        assert_eq!(Caps::default().allow(&counts, None, NOW), Allowance::Allowed);
    }

    #[test]
    fn the_breaker_delays_and_never_suppresses() {
        let counts = |global_hour, trailing_mean| Counts { global_hour, trailing_mean, ..Counts::default() };
        let delayed = Allowance::DelayUntil { until: Moment::from_secs(1_800_000_300), reason: reason::BREAKER };
        assert_eq!(decide(counts(999, 1.0), "a.example"), Allowance::Allowed, "below the floor");
        assert_eq!(decide(counts(1_000, 1.0), "a.example"), delayed);
        assert_eq!(decide(counts(1_999, 200.0), "a.example"), Allowance::Allowed, "below ten times the mean");
        assert_eq!(decide(counts(2_000, 200.0), "a.example"), delayed);
        assert_eq!(decide(counts(1_000, f64::NAN), "a.example"), delayed, "no mean yet");
    }

    #[test]
    fn what_a_cap_suppresses_is_not_kept_waiting_by_the_breaker() {
        let counts = Counts { sender_hour: 5, global_hour: 5_000, ..Counts::default() };
        assert_eq!(decide(counts, "a.example"), Allowance::Suppressed(reason::CAP_SENDER_HOUR));
    }

    #[test]
    fn the_list_of_public_providers_holds_plain_names_only() {
        let plain = |domain: &str| domain.split('.').count() > 1 && domain.split('.').all(|label| !label.is_empty());
        assert!(PUBLIC_PROVIDERS.split(' ').all(|domain| plain(domain) && is_public_provider(domain)));
        assert!(!is_public_provider("") && !is_public_provider("com"));
    }

    #[test]
    fn the_operator_may_change_one_limit_and_not_misspell_another() {
        let caps: Caps = serde_json::from_str(r#"{"sender_hour": 2}"#).unwrap();
        assert_eq!((caps.sender_hour, caps.sender_day), (2, 20));
        assert!(serde_json::from_str::<Caps>(r#"{"sender_hours": 2}"#).is_err());
    }
}
