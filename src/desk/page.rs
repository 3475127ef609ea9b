//! The service below `/t/{token}`, the status page of one ticket: what its page shows and does, for whoever holds its key.
//!
//! A key is 128 random bits of which only the hash is kept. It ends 90 days after the ticket was closed, and when a new one
//! takes its place ([`Desk::page_renew`], [`Desk::renew_page`]). `None` of any function here means that the key opens nothing:
//! the page says the same whether it never did, ended or was renewed. Reading changes nothing; every act takes an id made by
//! the page when it was shown (a hidden field), so that a form sent twice acts once.

use std::time::Duration;

use guichet_contract::{Acted, Fault, FileContent, RequesterAct, TimelineEntry};
use guichet_domain::Moment;
use guichet_domain::ids::{ExternalId, MessageId, Seq};
use guichet_domain::inbound::{Attachment, Content, Inbound, Item, RefersTo};
use guichet_domain::language::Language;
use guichet_domain::reference::Reference;
use guichet_domain::ticket::State;
use guichet_domain::token::{Claim, StatusToken};
use guichet_store::conversation::Thread;
use guichet_store::{Tx, requester, ticket};
use uuid::Uuid;

use crate::desk::{Desk, DeskError};
use crate::intake::conversations::{file_of, standing};
use crate::intake::port::shown;
use crate::requests::{Carried, Whose, Wish, carry_out, thread_of};

/// How long a page can be read after its ticket was closed.
const PAGE_LIFE: Duration = Duration::from_hours(90 * 24);
/// Entries of one look.
const ENTRIES: i64 = 200;
/// Longest text written on a page, in characters.
const LONGEST: usize = 100_000;
/// Most files of one message written on a page.
const MOST_FILES: usize = 10;

/// What the page of a ticket shows.
#[derive(Debug, Clone, PartialEq)]
pub struct PageView {
    /// The number, as shown.
    pub reference: String,
    /// One line; empty when the requester gave none.
    pub subject: String,
    /// The language the requester is answered in.
    pub language: Language,
    /// Where it stands.
    pub state: State,
    /// What it was filed under, in words of that language.
    pub category: String,
    /// When it was registered.
    pub opened_at: Moment,
    /// When an answer is promised; absent once there was one.
    pub promised_at: Option<Moment>,
    /// The IANA zone of the desk's calendar, in which times are told.
    pub zone: String,
    /// Until when it can be reopened and rated; set while it is resolved.
    pub window_until: Option<Moment>,
    /// The requester's rating of the last closure.
    pub rating: Option<PageRating>,
    /// The public entries behind the place asked for, in order; no note, no event, no agent's login.
    pub timeline: Vec<TimelineEntry>,
    /// Pass it to get the entries behind these; absent when there are none.
    pub next: Option<Seq>,
}

/// How a requester found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRating {
    /// 1 (bad) to 5.
    pub score: i64,
    /// Free words.
    pub text: Option<String>,
}

/// Something written on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageReply {
    /// Made when the page was shown: the same id with the same words and files is the same message. With others it is a
    /// further one: somebody went back, changed it and sent again.
    pub id: Uuid,
    /// What is written; may be empty when there are files.
    pub text: String,
    /// Files, their names and types judged already (`guichet_domain::file_name`, `media_type`); at most 10.
    pub files: Vec<Attachment>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageReplied {
    /// The number of the ticket it is in: a new one when the page's own was closed for good.
    pub reference: String,
    /// Whether it opened a new ticket that follows. It has a page of its own, whose link goes by mail.
    pub follows: bool,
}

impl Desk {
    /// What the page shows: public entries behind `after`, at most 200.
    pub async fn page(&self, token: &str, after: Seq) -> Result<Option<PageView>, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let Some(thread) = self.open_page(&mut tx, token).await? else { return Ok(None) };
        let stands = standing(&mut tx, &self.kernel, &thread).await?;
        let (own, end) = (&thread.ticket, &thread.end);
        let rating = requester::rating(&mut tx, end.id).await?.filter(|rating| rating.closure == end.closures);
        let mut entries = thread.entries(&mut tx, after, ENTRIES + 1).await?;
        let most = usize::try_from(ENTRIES).unwrap_or(usize::MAX);
        let more = entries.len() > most;
        entries.truncate(most);
        let next = entries.last().filter(|_| more).and_then(|kept| kept.entry.seq);
        let window = Duration::from_hours(24) * self.kernel.desk.window_days;
        let desk = self.kernel.texts.desk();
        Ok(Some(PageView {
            reference: stands.reference,
            subject: own.subject.clone(),
            language: own.language,
            state: end.state,
            category: self.kernel.desk.taxonomy.label(&end.category, own.language).to_string(),
            opened_at: own.opened_at,
            promised_at: stands.promised_at,
            zone: self.kernel.desk.calendar.zone_name().to_owned(),
            window_until: end.resolved_at.filter(|_| end.state == State::Resolved).map(|at| at + window),
            rating: rating.map(|rating| PageRating { score: rating.score, text: rating.text }),
            timeline: entries.into_iter().filter_map(|kept| shown(kept, &own.source, desk)).collect(),
            next,
        }))
    }

    /// Whether this key opens a page: before much is read from whoever shows it.
    pub async fn opens_page(&self, token: &str) -> Result<bool, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        Ok(self.open_page(&mut tx, token).await?.is_some())
    }

    /// A file of an entry the page shows, by its place among the entry's files.
    pub async fn page_file(
        &self,
        token: &str,
        entry: MessageId,
        position: usize,
    ) -> Result<Option<FileContent>, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let Some(thread) = self.open_page(&mut tx, token).await? else { return Ok(None) };
        file_of(&mut tx, &self.kernel, &thread, entry, position).await.map_err(away)
    }

    /// Writes on the page: a message of the requester like any other, durable when it returns. Whoever holds the key of the
    /// page writes as the requester. A repetition with the same id and content changes nothing and answers the same.
    pub async fn page_reply(&self, token: &str, reply: PageReply) -> Result<Option<PageReplied>, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let Some(thread) = self.open_page(&mut tx, token).await? else { return Ok(None) };
        drop(tx);
        if reply.text.trim().is_empty() && reply.files.is_empty() {
            return Err(DeskError::invalid("the text is empty", "write something, or add a file"));
        }
        if reply.text.chars().nth(LONGEST).is_some() || reply.files.len() > MOST_FILES {
            return Err(DeskError::invalid(
                "the message is too long",
                "write at most 100,000 characters and add at most 10 files; send the rest in another message",
            ));
        }
        let own = &thread.ticket;
        let source = self.source(own.source.as_str())?;
        let token = self.kernel.keyring.mint(&Claim::ReplyAddress { ticket: own.id });
        let raw = reply.text.clone().into_bytes();
        let mark = mark(&reply);
        let item = Item {
            from: own.requester.clone(),
            conversation: Some(own.conversation.clone()),
            refers_to: RefersTo { tokens: vec![token], ..RefersTo::default() },
            subject: Some(own.subject.clone()).filter(|subject| !subject.is_empty()),
            reply_text: reply.text.clone(),
            text: reply.text,
            attachments: reply.files,
            ..Item::default()
        };
        let inbound = Inbound {
            external_id: ExternalId::new(format!("page:{}:{mark}", own.id)),
            same_as: Vec::new(),
            content: Content::Read(Box::new(item)),
            received_at: self.kernel.clock.now(),
            raw,
            quiet: None,
        };
        let accepted = self.reception.accept(&own.source, source, vec![inbound], Vec::new()).await?;
        let reference = accepted.receipts.into_iter().next().and_then(|receipt| receipt.reference);
        let end = thread.end.reference.shown(self.prefix()).to_string();
        // What is kept aside is an agent's to look at, not for the writer to know.
        let reference = reference.unwrap_or_else(|| end.clone());
        Ok(Some(PageReplied { follows: reference != end, reference }))
    }

    /// The requester acts by the page: close, reopen, rate, transcript, an address, how far they read. What cannot be done
    /// as things stand is [`Acted::Refused`] with its code, and changes nothing.
    pub async fn page_act(&self, token: &str, id: Uuid, act: RequesterAct) -> Result<Option<Acted>, DeskError> {
        Ok(self.page_wish(token, id, Wish::Act(act)).await?.map(|carried| carried.acted))
    }

    /// Makes a new key for the page, at its holder's wish, and gives it; every earlier one ends. A repetition with the same
    /// id finds its own key ended, and gives `None`.
    pub async fn page_renew(&self, token: &str, id: Uuid) -> Result<Option<String>, DeskError> {
        Ok(self.page_wish(token, id, Wish::Renew).await?.and_then(|carried| carried.key))
    }

    /// Mails a link to the page of a ticket to its requester, when somebody gives its number and their address, both match
    /// and the caps allow it. Whether they do is told to nobody: the page answers the same in every case. Answer the browser
    /// before this returns, or the time it takes says what the words do not; limit how often one caller may ask.
    pub async fn send_page_link(&self, reference: &str, address: &str, id: Uuid) -> Result<(), DeskError> {
        let Ok(reference) = Reference::parse(reference, self.prefix()) else { return Ok(()) };
        let mut tx = self.kernel.db.read().await?;
        let Some(found) = ticket::by_reference(&mut tx, &reference).await? else { return Ok(()) };
        drop(tx);
        carry_out(&self.kernel, Whose::Ticket(found.id), id, &Wish::Link(address.to_owned())).await?;
        Ok(())
    }

    /// Makes a new key for the page of a ticket, at an agent's wish, and mails its link to the requester; every earlier key
    /// ends: for a link that went astray.
    pub async fn renew_page(&self, agent: &str, reference: &str, id: Uuid) -> Result<(), DeskError> {
        let mut tx = self.kernel.db.read().await?;
        let found = self.find(&mut tx, reference).await?;
        drop(tx);
        let wish = Wish::RenewBy(agent.to_owned());
        match carry_out(&self.kernel, Whose::Ticket(found.id), id, &wish).await?.acted {
            Acted::Done | Acted::Already => Ok(()),
            Acted::Refused { code, why } => Err(DeskError::state(code.explanation(), why)),
        }
    }

    async fn page_wish(&self, token: &str, id: Uuid, wish: Wish) -> Result<Option<Carried>, DeskError> {
        let mut tx = self.kernel.db.read().await?;
        if self.open_page(&mut tx, token).await?.is_none() {
            return Ok(None);
        }
        drop(tx);
        let Some(token) = StatusToken::parse(token) else { return Ok(None) };
        Ok(Some(carry_out(&self.kernel, Whose::Page(&token.hash()), id, &wish).await?))
    }

    /// The ticket this key opens, with what it was merged into.
    async fn open_page(&self, tx: &mut Tx, token: &str) -> Result<Option<Thread>, DeskError> {
        let Some(token) = StatusToken::parse(token).filter(|_| self.kernel.desk.public_pages) else { return Ok(None) };
        let thread = thread_of(tx, Whose::Page(&token.hash())).await?;
        let now = self.kernel.clock.now();
        let lives = |thread: &Thread| {
            let closed = thread.end.closed_at.filter(|_| thread.end.state == State::Closed);
            closed.is_none_or(|closed| now.since(closed) < PAGE_LIFE)
        };
        Ok(thread.filter(lives))
    }
}

/// What tells a message from its repetition.
fn mark(reply: &PageReply) -> Uuid {
    let words = Uuid::new_v5(&reply.id, reply.text.as_bytes());
    reply.files.iter().fold(words, |mark, file| {
        let named = Uuid::new_v5(&mark, file.name.as_bytes());
        Uuid::new_v5(&named, &file.bytes)
    })
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn away(fault: Fault) -> DeskError {
    DeskError::Busy { after: Duration::from_secs(5), why: fault.to_string() }
}
