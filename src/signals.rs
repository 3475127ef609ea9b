//! Passing signs between requesters and agents: typing, reading, looking. Never stored; a slow listener misses the oldest,
//! and nothing is kept for a conversation nobody listens to.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use guichet_contract::Signal;
use guichet_domain::ids::{ConversationKey, SourceName};
use tokio::sync::broadcast;

/// Signs a listener may be behind before it misses the oldest.
const KEPT: usize = 32;
/// Conversations above which those nobody listens to any more are looked for.
const FEW: usize = 64;

/// The signs of all conversations, by the side they are for.
#[derive(Debug, Default)]
pub struct Signals {
    requesters: Hub,
    agents: Hub,
}

/// The listeners of one side.
#[derive(Debug, Default)]
struct Hub {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    channels: HashMap<(SourceName, ConversationKey), broadcast::Sender<Signal>>,
    /// How many there were after those nobody listens to were last dropped.
    kept: usize,
}

impl Signals {
    /// What agents do, for the requester of a conversation.
    pub fn for_requester(&self, source: &SourceName, conversation: &ConversationKey) -> broadcast::Receiver<Signal> {
        self.requesters.listen(source, conversation)
    }

    /// What the requester of a conversation does, for agents.
    pub fn for_agents(&self, source: &SourceName, conversation: &ConversationKey) -> broadcast::Receiver<Signal> {
        self.agents.listen(source, conversation)
    }

    /// Tells the requester of a conversation, if they listen.
    pub fn tell_requester(&self, source: &SourceName, conversation: &ConversationKey, signal: Signal) {
        self.requesters.tell(source, conversation, signal);
    }

    /// Tells the agents who look at a conversation, if any do.
    pub fn tell_agents(&self, source: &SourceName, conversation: &ConversationKey, signal: Signal) {
        self.agents.tell(source, conversation, signal);
    }
}

impl Hub {
    fn listen(&self, source: &SourceName, conversation: &ConversationKey) -> broadcast::Receiver<Signal> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked for only when there are twice as many as the last time: each listener costs the same, however many there are.
        if inner.channels.len() >= FEW.max(inner.kept * 2) {
            inner.channels.retain(|_, sender| sender.receiver_count() > 0);
            inner.kept = inner.channels.len();
        }
        let key = (source.clone(), conversation.clone());
        inner.channels.entry(key).or_insert_with(|| broadcast::channel(KEPT).0).subscribe()
    }

    fn tell(&self, source: &SourceName, conversation: &ConversationKey, signal: Signal) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (source.clone(), conversation.clone());
        let gone = inner.channels.get(&key).is_some_and(|sender| sender.send(signal).is_err());
        if gone {
            inner.channels.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typing(on: bool) -> Signal {
        Signal::Typing { name: None, on }
    }

    #[test]
    fn a_sign_reaches_the_other_side_of_its_conversation_alone() {
        let signals = Signals::default();
        let (chat, one, other) = (SourceName::from("chat"), ConversationKey::from("1"), ConversationKey::from("2"));
        let mut agent = signals.for_agents(&chat, &one);
        let mut visitor = signals.for_requester(&chat, &one);
        let mut elsewhere = signals.for_agents(&chat, &other);
        signals.tell_agents(&chat, &one, typing(true));
        assert_eq!(agent.try_recv().unwrap(), typing(true));
        assert!(visitor.try_recv().is_err() && elsewhere.try_recv().is_err());
        signals.tell_requester(&chat, &one, typing(false));
        assert_eq!(visitor.try_recv().unwrap(), typing(false));
    }

    #[test]
    fn nothing_is_kept_for_conversations_nobody_listens_to() {
        let signals = Signals::default();
        let chat = SourceName::from("chat");
        for n in 0..10_000 {
            drop(signals.for_requester(&chat, &ConversationKey::new(n.to_string())));
        }
        assert!(signals.requesters.inner.lock().unwrap().channels.len() <= FEW);
        signals.tell_requester(&chat, &ConversationKey::from("9999"), typing(true));
        assert!(!signals.requesters.inner.lock().unwrap().channels.contains_key(&(chat, "9999".into())));
    }
}
