//! Who there is: people who write and read letters, agents who act.

use guichet::desk::views::{MessageKind, NewMessage, TicketView, Transition};
use guichet::desk::{DeskError, Request, Wanted};
use guichet_contract::{Receipt, Verdict};
use guichet_domain::ids::ExternalId;
use guichet_testkit::{Letter, LetterState, Received};

use super::life::World;

/// Somebody who writes letters.
#[derive(Clone)]
pub(super) struct Person<'w> {
    world: &'w World,
    pub(super) address: String,
    sealed: bool,
}

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// Its id on the network.
    pub(super) id: ExternalId,
    /// What the source was told.
    pub(super) receipt: Receipt,
}

impl Told {
    /// The reference of its ticket.
    pub(super) fn ticket(&self) -> String {
        self.receipt.reference.clone().unwrap_or_else(|| panic!("it has no ticket: {:?}", self.receipt))
    }

    pub(super) fn verdict(&self) -> Verdict {
        self.receipt.verdict
    }
}

impl<'w> Person<'w> {
    pub(super) fn new(world: &'w World, address: &str) -> Self {
        Self { world, address: address.to_owned(), sealed: true }
    }

    /// Nobody vouches for this person's letters.
    pub(super) fn unsealed(mut self) -> Self {
        self.sealed = false;
        self
    }

    /// An empty letter of this person's.
    pub(super) fn letter(&self) -> Letter {
        let name: String = self.address.split(['@', '.']).next().unwrap_or_default().to_owned();
        let letter = Letter::from(&self.address).signed(&name);
        if self.sealed { letter.verified() } else { letter }
    }

    /// Writes these words, which are its subject too; gives what became of it.
    pub(super) async fn writes(&self, words: &str) -> Told {
        self.posts(self.letter().about(words).says(words)).await
    }

    /// Answers the last letter we wrote to this person.
    pub(super) async fn answers(&self, words: &str) -> Told {
        let letters = self.letters();
        let last = letters.last().unwrap_or_else(|| panic!("nothing came to {}", self.address));
        self.posts(self.letter().says(words).answering(last)).await
    }

    /// Posts a letter and waits until it is taken in.
    pub(super) async fn posts(&self, letter: Letter) -> Told {
        let id = self.world.post.write(letter);
        self.world.receives().await;
        self.world.told(&id)
    }

    /// Waits for the daemon to do what is due, then reads what is new: the words of each letter.
    pub(super) async fn reads(&self) -> Vec<String> {
        self.world.works().await;
        let letters = self.letters();
        let read = self.world.has_read(&self.address, letters.len());
        letters.into_iter().skip(read).map(|letter| letter.notice.text).collect()
    }

    /// All letters of ours that lie before this person.
    pub(super) fn letters(&self) -> Vec<Received> {
        self.world.post.received_by(&self.address)
    }
}

impl World {
    /// What the writer of a letter was told of its last delivery.
    pub(super) fn told(&self, id: &ExternalId) -> Told {
        match self.post.state(id) {
            Some(LetterState::Acknowledged(Some(receipt))) => Told { id: id.clone(), receipt },
            other => panic!("{id} has no receipt: {other:?}"),
        }
    }
}

/// Somebody of the desk.
#[derive(Clone)]
pub(super) struct Agent<'w> {
    world: &'w World,
    name: String,
}

impl<'w> Agent<'w> {
    pub(super) fn new(world: &'w World, name: &str) -> Self {
        Self { world, name: name.to_owned() }
    }

    /// Writes to the requester.
    pub(super) async fn replies(&self, ticket: &str, text: &str) -> TicketView {
        self.does(ticket, message(MessageKind::Reply, text, false)).await
    }

    /// Writes to the requester and waits for an answer.
    pub(super) async fn asks(&self, ticket: &str, text: &str) -> TicketView {
        self.does(ticket, message(MessageKind::Reply, text, true)).await
    }

    /// Writes for the other agents.
    pub(super) async fn notes(&self, ticket: &str, text: &str) -> TicketView {
        self.does(ticket, message(MessageKind::Note, text, false)).await
    }

    /// Closes it with a resolution.
    pub(super) async fn closes(&self, ticket: &str, text: &str) -> TicketView {
        let close = Transition::Close { text: Some(text.to_owned()), silent: false, version: None };
        self.does(ticket, Wanted::Transition(close)).await
    }

    /// Takes it up again.
    pub(super) async fn reopens(&self, ticket: &str) -> TicketView {
        self.does(ticket, Wanted::Transition(Transition::Reopen { why: None, version: None })).await
    }

    /// Makes it part of another.
    pub(super) async fn merges(&self, ticket: &str, into: &str) -> TicketView {
        let merge = Transition::Merge { into: into.to_owned(), version: None };
        self.does(ticket, Wanted::Transition(merge)).await
    }

    /// Has seen what needed attention.
    pub(super) async fn sees(&self, ticket: &str) -> TicketView {
        self.does(ticket, Wanted::Transition(Transition::Seen { version: None })).await
    }

    /// Acts, and must be allowed to.
    pub(super) async fn does(&self, ticket: &str, wanted: Wanted) -> TicketView {
        self.tries(ticket, &wanted).await.unwrap_or_else(|error| panic!("{wanted:?} on {ticket}: {error}"))
    }

    /// Acts, if allowed to.
    pub(super) async fn tries(&self, ticket: &str, wanted: &Wanted) -> Result<TicketView, DeskError> {
        let request = Request { agent: &self.name, reference: ticket, repeat: None };
        self.world.life().desk.act(&request, wanted).await
    }
}

fn message(kind: MessageKind, text: &str, ask: bool) -> Wanted {
    Wanted::Message(NewMessage { kind, text: text.to_owned(), ask, version: None })
}
