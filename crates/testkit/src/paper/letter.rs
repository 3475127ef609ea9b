//! Letters, both ways.

use guichet_contract::Outgoing;
use guichet_domain::ids::{ConversationKey, ExternalId};
use guichet_domain::inbound::{Item, Machine, Party, Trust};
use guichet_domain::reason::Reason;

/// A letter somebody writes to us.
#[derive(Debug, Clone)]
#[must_use = "a letter does nothing before it is posted"]
pub struct Letter {
    /// The box it is put in; each has a cursor of its own.
    pub post_box: String,
    /// What it says.
    pub item: Item,
}

impl Letter {
    /// A letter from this address, in the box `hall`.
    pub fn from(address: &str) -> Self {
        let item = Item { from: Some(Party::new(address)), ..Item::default() };
        Self { post_box: "hall".to_owned(), item }
    }

    /// Its words.
    pub fn says(mut self, text: &str) -> Self {
        text.clone_into(&mut self.item.text);
        text.clone_into(&mut self.item.reply_text);
        self
    }

    /// Its subject; a reference in it is found by the core.
    pub fn about(mut self, subject: &str) -> Self {
        self.item.subject = Some(subject.to_owned());
        self.item.refers_to.spoken_in = Some(subject.to_owned());
        self
    }

    /// The name shown beside the address.
    pub fn signed(mut self, name: &str) -> Self {
        if let Some(from) = &mut self.item.from {
            from.name = Some(name.to_owned());
        }
        self
    }

    /// Another box.
    pub fn into_box(mut self, post_box: &str) -> Self {
        post_box.clone_into(&mut self.post_box);
        self
    }

    /// The network's own grouping.
    pub fn in_conversation(mut self, conversation: &str) -> Self {
        self.item.conversation = Some(ConversationKey::new(conversation));
        self
    }

    /// Answers a letter of ours, as a mail program does: with its id, its token, and `Re:` before its subject.
    pub fn answering(mut self, received: &Received) -> Self {
        self.item.refers_to.ids.push(received.external_id.clone());
        self.item.refers_to.tokens.push(received.notice.reply_token.clone());
        let subject = format!("Re: {}", received.notice.subject);
        self.about(&subject)
    }

    /// Vouched for by the post office.
    pub fn verified(mut self) -> Self {
        self.item.trust = Trust::Verified(Reason::of("paper.sealed"));
        self
    }

    /// Written by a machine.
    pub fn by_machine(mut self) -> Self {
        self.item.machine = Some(Machine { reason: Reason::of("machine.paper"), detail: "a franking mark".to_owned() });
        self
    }

    /// Anything else of it.
    pub fn with(mut self, change: impl FnOnce(&mut Item)) -> Self {
        change(&mut self.item);
        self
    }
}

/// A letter of ours, as it lies before the person it was sent to.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its id on the network.
    pub external_id: ExternalId,
    /// What was sent; the text as it was cut.
    pub notice: Outgoing,
}
