//! What one attempt is, and what follows from what it gave.

use std::time::Duration;

use guichet_contract::{Channel, Delivery, Fault, Outgoing, Port};
use guichet_domain::Moment;
use guichet_domain::inbound::Explained;
use guichet_domain::outgoing::NoticeKind;
use guichet_domain::reason;
use guichet_store::outbox::{OutboxRow, Outcome, Settlement};
use tracing::warn;

use crate::kernel::Kernel;
use crate::sender::letter::Letter;

/// The first and the longest wait before another try.
const WAITS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_hours(1));
/// How long after a doubt the message is looked for: its copy may still be under way.
const DOUBT_GRACE: Duration = Duration::from_mins(1);
/// How long looking for an earlier copy may take; a lease has room for it.
const LOOK_LIMIT: Duration = Duration::from_mins(2);
/// Doubts after which a message that can only be repeated, not found, is left alone.
const MOST_DOUBTS: i64 = 2;

/// An attempt's end: what is written down, and whom it is told.
pub(super) struct Ended {
    pub(super) settlement: Settlement,
    /// What an agent must see.
    pub(super) tell_agent: Option<Explained>,
    /// An address that is bad for good.
    pub(super) bad_address: Option<String>,
}

/// Makes one attempt. A row with doubts is looked for first; where it can be neither found nor repeated, nothing is sent
/// and the outcome stays unknown.
pub(super) async fn attempt(kernel: &Kernel, channel: &dyn Channel, port: &Port, letter: &Letter) -> Delivery {
    let outgoing = match letter.outgoing(kernel) {
        Ok(outgoing) => outgoing,
        Err(error) => return Delivery::Refused { detail: error.to_string(), hard: false },
    };
    let abilities = channel.abilities();
    if letter.row.doubts > 0 {
        if abilities.finds_sent
            && let Some(known) = look_for(channel, port, &outgoing).await
        {
            return known;
        }
        let surely_not = abilities.finds_sent;
        let may_repeat = abilities.idempotent_send || (abilities.repeats_once && letter.row.doubts < MOST_DOUBTS);
        if !surely_not && !may_repeat {
            return Delivery::Unknown {
                detail: "an earlier attempt has no known end, and repeating could show twice".into(),
            };
        }
    }
    let limit = Duration::from_secs(abilities.deadline_secs);
    match tokio::time::timeout(limit, channel.deliver(port, &outgoing)).await {
        Ok(delivery) => delivery,
        Err(_) => Delivery::Unknown { detail: format!("no end within {} s", limit.as_secs()) },
    }
}

/// What looking for a message says: it was sent, or it cannot be told now. `None`: surely not sent.
async fn look_for(channel: &dyn Channel, port: &Port, outgoing: &Outgoing) -> Option<Delivery> {
    let looked = tokio::time::timeout(LOOK_LIMIT, channel.find_sent(port, outgoing)).await;
    match looked.unwrap_or_else(|_| Err(Fault::passing(format!("no end within {} s", LOOK_LIMIT.as_secs())))) {
        Ok(Some(id)) => Some(Delivery::Delivered { external_id: Some(id), detail: "found among what was sent".into() }),
        Ok(None) => None,
        Err(fault) => {
            let (Fault::Passing { what } | Fault::Lasting { what, .. }) = fault;
            Some(Delivery::Retry {
                detail: format!("cannot be looked for now: {what}"),
                after: None,
                source_down: true,
            })
        }
    }
}

/// What is written down of an attempt.
pub(super) fn settlement(kernel: &Kernel, row: &OutboxRow, delivery: &Delivery, now: Moment) -> Ended {
    let abilities = kernel.sources.get(&row.source).map(|source| source.channel.abilities()).unwrap_or_default();
    let mut tell_agent = None;
    let mut bad_address = None;
    let (outcome, detail) = match delivery {
        Delivery::Delivered { external_id, detail } => (Outcome::Sent { external_id: external_id.clone() }, detail),
        Delivery::Retry { detail, after, source_down } => {
            // A source that is down is paused as a whole; its rows are ready when it is up again.
            let tries = if *source_down { 1 } else { row.attempts };
            let wait = backoff(tries, kernel.ids.random_u64()).max(after.unwrap_or_default().min(WAITS.1));
            // Time in which the whole source is down does not count towards the message's life.
            // A program that is gone for good must not fill the outbox: its events grow old all the same.
            let waits = *source_down && row.kind != NoticeKind::Event;
            let expires_at = waits.then(|| row.expires_at.max(now + wait + row.kind.life()));
            if !waits && now + wait >= row.expires_at {
                tell_agent = Some(Explained::new(reason::EXPIRED, detail.clone()));
                (Outcome::Expired { reason: Some(reason::EXPIRED) }, detail)
            } else {
                (Outcome::Retry { due_at: now + wait, expires_at }, detail)
            }
        }
        Delivery::Refused { detail, hard } => {
            if *hard {
                bad_address = Some(row.to.key());
            }
            tell_agent = Some(Explained::new(reason::REPORT_FAILED, detail.clone()));
            (Outcome::Refused { reason: Some(reason::REPORT_FAILED) }, detail)
        }
        Delivery::Unknown { detail } => {
            let doubts = row.doubts + 1;
            let helps =
                abilities.finds_sent || abilities.idempotent_send || (abilities.repeats_once && doubts < MOST_DOUBTS);
            if helps {
                (Outcome::Doubt { due_at: now + DOUBT_GRACE }, detail)
            } else {
                tell_agent = Some(Explained::new(reason::UNKNOWN_OUTCOME, detail.clone()));
                (Outcome::Unknown { reason: Some(reason::UNKNOWN_OUTCOME) }, detail)
            }
        }
    };
    // What may have arrived once is not surely lost because a later attempt failed, unless it was looked for.
    let outcome = match outcome {
        Outcome::Refused { .. } | Outcome::Expired { .. } if row.doubts > 0 && !abilities.finds_sent => {
            tell_agent = Some(Explained::new(reason::UNKNOWN_OUTCOME, detail.clone()));
            Outcome::Unknown { reason: Some(reason::UNKNOWN_OUTCOME) }
        }
        outcome => outcome,
    };
    if !matches!(outcome, Outcome::Sent { .. }) {
        warn!(delivery = %row.id, source = %row.source, kind = row.kind.as_str(), attempt = row.attempts, outcome = outcome.as_str(), "an attempt to send did not succeed");
    }
    if row.kind == NoticeKind::Event {
        // A program's mail: the source's health and the outbox show it. Told to an agent it would be an event of the
        // ticket again, for the same program, without end; and a receiver that is gone is no person's bad address.
        (tell_agent, bad_address) = (None, None);
    }
    let settlement = Settlement { id: row.id, fence: row.fence, outcome, detail: detail.chars().take(500).collect() };
    Ended { settlement, tell_agent, bad_address }
}

/// Full jitter over 5 s x 2^n, at most an hour: many messages to one server that was down must not come back at once.
fn backoff(attempts: i64, random: u64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or(0);
    let ceiling = WAITS.0.saturating_mul(1 << doublings).min(WAITS.1);
    let span = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(random % span.max(1)).max(Duration::from_millis(500))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_with_full_jitter_and_end_at_an_hour() {
        assert_eq!(backoff(1, 4_999), Duration::from_millis(4_999));
        assert_eq!(backoff(1, 5_000), Duration::from_millis(500), "never less than half a second");
        assert_eq!(backoff(3, 19_999), Duration::from_millis(19_999));
        for attempts in 1..100 {
            assert!(backoff(attempts, u64::MAX) <= WAITS.1);
        }
    }
}
