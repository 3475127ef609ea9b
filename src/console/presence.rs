//! Who looks at which ticket, and who is answering. In memory alone: a browser says so every few seconds, and falls silent when
//! it is closed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use guichet_domain::Moment;
use tokio::sync::watch;

/// Who has not said anything for so long is gone.
const SILENCE: Duration = Duration::from_secs(40);
/// Most people who are remembered at once.
const MOST: usize = 5_000;

/// Who is where.
#[derive(Debug)]
pub struct Presence {
    here: Mutex<HashMap<(String, String), Here>>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Here {
    replying: bool,
    at: Moment,
}

/// Somebody at a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// The agent.
    pub agent: String,
    /// Whether the agent is writing.
    pub replying: bool,
}

impl Default for Presence {
    fn default() -> Self {
        Self { here: Mutex::default(), changed: watch::channel(0).0 }
    }
}

impl Presence {
    /// An agent is at a ticket; whether that is new.
    pub fn here(&self, ticket: &str, agent: &str, replying: bool, now: Moment) -> bool {
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = here.len();
        here.retain(|_, seen| seen.at + SILENCE > now);
        let gone = gone != here.len();
        if here.len() >= MOST {
            return false;
        }
        let before = here.insert((ticket.to_owned(), agent.to_owned()), Here { replying, at: now });
        let news = gone || before.is_none_or(|before| before.replying != replying);
        drop(here);
        if news {
            self.changed.send_modify(|count| *count += 1);
        }
        before.is_none()
    }

    /// An agent left a ticket.
    pub fn left(&self, ticket: &str, agent: &str) {
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let was = here.remove(&(ticket.to_owned(), agent.to_owned())).is_some();
        drop(here);
        if was {
            self.changed.send_modify(|count| *count += 1);
        }
    }

    /// Who else is at a ticket.
    pub fn others(&self, ticket: &str, but: &str, now: Moment) -> Vec<Present> {
        let here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let mut others: Vec<Present> = here
            .iter()
            .filter(|((at, agent), seen)| at == ticket && agent != but && seen.at + SILENCE > now)
            .map(|((_, agent), seen)| Present { agent: agent.clone(), replying: seen.replying })
            .collect();
        others.sort_by(|one, other| one.agent.cmp(&other.agent));
        others
    }

    /// Grows whenever somebody comes, goes, or begins to write.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_falls_silent_is_gone() {
        let (presence, now) = (Presence::default(), Moment::from_secs(1_800_000_000));
        presence.here("GT-1", "ana", true, now);
        presence.here("GT-1", "bo", false, now + Duration::from_secs(30));
        let names = |at: Moment| -> Vec<String> {
            presence.others("GT-1", "bo", at).into_iter().map(|present| present.agent).collect()
        };
        assert_eq!(names(now + Duration::from_secs(30)), ["ana"]);
        assert!(names(now + SILENCE).is_empty());
        presence.left("GT-1", "bo");
        assert!(presence.others("GT-1", "x", now + Duration::from_secs(31)).iter().all(|one| one.agent == "ana"));
    }

    #[test]
    fn only_news_wakes_whoever_watches() {
        let (presence, now) = (Presence::default(), Moment::from_secs(1_800_000_000));
        let mut changes = presence.changes();
        presence.here("GT-1", "ana", false, now);
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        presence.here("GT-1", "ana", false, now + Duration::from_secs(10));
        assert!(!changes.has_changed().unwrap());
        presence.here("GT-1", "ana", true, now + Duration::from_secs(20));
        assert!(changes.has_changed().unwrap());
    }
}
