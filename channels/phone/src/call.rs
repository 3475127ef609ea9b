//! One call, put together from its events in whatever order they come.
//!
//! Putting an event into a call gives the same call whichever came first and however often it came: stages only go forward,
//! beginnings only get earlier, ends later, and what is said twice is known once.

use guichet_domain::Moment;
use serde::{Deserialize, Serialize};

use crate::event::{CallEvent, Direction, Disposition, Recording, Stage};

/// Most recordings and transcripts of one call.
const MOST: usize = 20;
/// Longest transcript that is kept, in characters.
const LONGEST: usize = 20_000;

/// What is known of a call. Kept as JSON in a slot of the source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) stage: Stage,
    pub(crate) direction: Option<Direction>,
    pub(crate) caller: Option<String>,
    pub(crate) caller_raw: Option<String>,
    pub(crate) withheld: bool,
    pub(crate) callee: Option<String>,
    pub(crate) name: Option<String>,
    /// What the systems said of its end.
    pub(crate) said: Option<Disposition>,
    pub(crate) by_agent: bool,
    pub(crate) agent: Option<String>,
    pub(crate) queue: Option<String>,
    pub(crate) started_at: Option<Moment>,
    pub(crate) answered_at: Option<Moment>,
    pub(crate) ended_at: Option<Moment>,
    pub(crate) duration_s: Option<u32>,
    pub(crate) recordings: Vec<Recording>,
    pub(crate) transcripts: Vec<String>,
    pub(crate) digits: Option<String>,
    pub(crate) attested: Option<String>,
    /// When the first event of it came.
    pub(crate) heard_at: Moment,
    /// Whether its caller is told a number while waiting: its ticket must exist before it ends.
    pub(crate) speaks: bool,
    /// When the number was put into an answer.
    pub(crate) spoken_at: Option<Moment>,
    /// No end was ever heard.
    pub(crate) swept: bool,
    /// Too many calls came: it is not entered.
    pub(crate) flooded: bool,
    /// The conversation it is entered in.
    pub(crate) conversation: Option<String>,
    /// Whether it joined the ticket of an earlier call.
    pub(crate) again: bool,
    pub(crate) reference: Option<String>,
    /// What was handed in for it.
    pub(crate) handed: Vec<String>,
}

impl Call {
    /// A call of which nothing is known yet.
    pub(crate) fn new(id: &str, heard_at: Moment) -> Self {
        Self { id: id.to_owned(), heard_at, ..Self::default() }
    }

    /// Puts an event into it; answers whether that told anything new.
    pub(crate) fn hear(&mut self, event: &CallEvent) -> bool {
        let before = self.clone();
        self.stage = self.stage.max(event.stage);
        keep(&mut self.direction, event.direction);
        if event.caller.withheld {
            self.withheld = true;
        }
        keep(&mut self.caller, event.caller.number.clone());
        keep(&mut self.caller_raw, event.caller.raw.clone());
        keep(&mut self.name, event.name.clone());
        if self.withheld {
            // Whoever hides their number is not known by another event of the same call.
            (self.caller, self.caller_raw, self.name) = (None, None, None);
        }
        keep(&mut self.callee, event.callee.number.clone().or_else(|| event.callee.raw.clone()));
        self.said = self.said.max(event.disposition);
        self.by_agent |= event.by_agent;
        keep(&mut self.agent, event.agent.clone());
        keep(&mut self.queue, event.queue.clone());
        self.started_at = earliest(self.started_at, event.started_at);
        self.answered_at = earliest(self.answered_at, event.answered_at);
        self.ended_at = self.ended_at.max(event.ended_at);
        self.duration_s = self.duration_s.max(event.duration_s);
        if let Some(recording) = &event.recording
            && !self.recordings.iter().any(|known| known.url == recording.url)
            && self.recordings.len() < MOST
        {
            self.recordings.push(recording.clone());
        }
        let transcript = event.transcript.as_ref().map(|text| text.trim().chars().take(LONGEST).collect::<String>());
        if let Some(text) = transcript.filter(|text| !text.is_empty() && !self.transcripts.contains(text))
            && self.transcripts.len() < MOST
        {
            self.transcripts.push(text);
        }
        keep(&mut self.digits, event.digits.clone());
        keep(&mut self.attested, event.attested.clone());
        *self != before
    }

    /// What became of it; `None` until it has ended.
    pub(crate) fn disposition(&self) -> Option<Disposition> {
        if self.stage != Stage::Ended {
            return None;
        }
        if self.by_agent {
            return Some(Disposition::Answered);
        }
        if self.said == Some(Disposition::Unknown) || self.swept {
            return Some(self.said.unwrap_or(Disposition::Unknown));
        }
        // A message that was left makes it one, whatever the system counts the box as.
        let spoke = !self.recordings.is_empty() || !self.transcripts.is_empty();
        // Where our own words answered the call, that it was answered means no person.
        Some(match self.said.filter(|said| !(self.speaks && *said == Disposition::Answered)) {
            Some(said) if said >= Disposition::Blocked => said,
            _ if spoke => Disposition::Voicemail,
            Some(said) => said,
            None => Disposition::Missed,
        })
    }

    /// For how long it rang, in seconds, where that is known.
    pub(crate) fn rang_secs(&self) -> Option<u64> {
        let until = self.answered_at.or(self.ended_at)?;
        self.started_at.map(|from| until.since(from).as_secs())
    }

    pub(crate) fn has_handed(&self, what: &str) -> bool {
        self.handed.iter().any(|handed| handed == what)
    }

    /// Whether it comes to us from outside.
    pub(crate) fn is_inbound(&self) -> bool {
        matches!(self.direction, None | Some(Direction::In))
    }
}

/// Keeps the smaller of two: which came first must not matter.
fn keep<T: PartialOrd>(known: &mut Option<T>, heard: Option<T>) {
    if let Some(heard) = heard
        && known.as_ref().is_none_or(|known| heard < *known)
    {
        *known = Some(heard);
    }
}

fn earliest(known: Option<Moment>, heard: Option<Moment>) -> Option<Moment> {
    [known, heard].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_our_own_words_answered_was_taken_by_nobody() {
        let ended = CallEvent { stage: Stage::Ended, disposition: Some(Disposition::Answered), ..CallEvent::default() };
        let heard = |speaks: bool, events: &[CallEvent]| {
            let mut call = Call { speaks, ..Call::new("c-1", Moment::from_secs(0)) };
            for event in events {
                call.hear(event);
            }
            call.disposition()
        };
        let message = Recording { url: "https://pbx.example.com/r.wav".to_owned(), duration_s: None };
        let left = CallEvent { stage: Stage::Recording, recording: Some(message), ..CallEvent::default() };
        let agent = CallEvent { stage: Stage::Answered, by_agent: true, ..CallEvent::default() };
        assert_eq!(heard(false, std::slice::from_ref(&ended)), Some(Disposition::Answered));
        assert_eq!(heard(true, std::slice::from_ref(&ended)), Some(Disposition::Missed));
        assert_eq!(heard(true, &[ended.clone(), left.clone()]), Some(Disposition::Voicemail));
        assert_eq!(heard(true, &[ended, left, agent]), Some(Disposition::Answered));
    }
}
