//! What requesters ask for besides writing, whichever way they come: the conversation on their network, the ticket's page. An
//! act is one transaction.

use std::collections::BTreeSet;

use guichet_contract::{Acted, RequesterAct};
use guichet_domain::Moment;
use guichet_domain::caps::Counts;
use guichet_domain::decide::{Decision, decide, mail_address};
use guichet_domain::entry::EntryKind;
use guichet_domain::event::{self, Answer, Asked, Event, Line, Refusal};
use guichet_domain::ids::{ConversationKey, Seq, SourceName, TicketId};
use guichet_domain::inbound::Party;
use guichet_domain::language::Language;
use guichet_domain::reason::{self, Reason};
use guichet_domain::rules::Rules;
use guichet_domain::ticket::Ticket;
use guichet_store::conversation::{self, Thread};
use guichet_store::intake::{Wanted, find};
use guichet_store::requester::{self, Marks};
use guichet_store::timeline::KeptEntry;
use guichet_store::{ErrorKind, StoreError, Tx, outbox, ticket, timer};
use uuid::Uuid;

use crate::desk::spare_bad_addresses;
use crate::kernel::Kernel;
use crate::writing::write_decision;

/// How often an act is decided anew when somebody else was quicker.
const TRIES: usize = 8;
/// Entries that are read at once.
const PAGE: i64 = 200;
/// Most entries of a transcript.
const MOST: usize = 2_000;

/// Whose act it is: the asker has shown that it is theirs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose<'a> {
    /// A conversation of a source.
    Conversation(&'a SourceName, &'a ConversationKey),
    /// The ticket with this key of its page, as stored.
    Page(&'a str),
    /// A ticket, for an agent, or for whoever asks for something that only its requester gets.
    Ticket(TicketId),
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wish {
    /// What the waist knows.
    Act(RequesterAct),
    /// A new key of the page, by the requester.
    Renew,
    /// A new key of the page, mailed, by this agent.
    RenewBy(String),
    /// A link by mail, by whoever says they have this address.
    Link(String),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Carried {
    pub(crate) acted: Acted,
    /// The new key of the page, if one was asked for.
    pub(crate) key: Option<String>,
}

impl From<Acted> for Carried {
    fn from(acted: Acted) -> Self {
        Self { acted, key: None }
    }
}

/// Carries out an act, once for each `id` of a conversation or page. Durable when it returns.
pub(crate) async fn carry_out(kernel: &Kernel, whose: Whose<'_>, id: Uuid, wish: &Wish) -> Result<Carried, StoreError> {
    for _ in 1..TRIES {
        match carry_out_once(kernel, whose, id, wish).await {
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            carried => return carried,
        }
    }
    carry_out_once(kernel, whose, id, wish).await
}

/// What answers nobody has read lead to, when their time has come. Notes what is mailed, so that it is mailed once.
pub(crate) async fn unread(
    tx: &mut Tx,
    kernel: &Kernel,
    ticket: &Ticket,
    now: Moment,
) -> Result<Result<Decision, Refusal>, StoreError> {
    let (source, conversation) = (&ticket.source, &ticket.conversation);
    let mut entries = Vec::new();
    if let Some(thread) = conversation::thread(tx, source, conversation).await? {
        let marks = requester::marks(tx, source, conversation).await?;
        entries = thread.entries(tx, marks.read_upto.max(marks.mailed_upto), PAGE).await?;
    }
    // Whoever wrote had read what stood above.
    let read = entries.iter().rposition(|kept| kept.entry.kind == EntryKind::Inbound).map_or(0, |at| at + 1);
    let answers: Vec<Answer> = entries.iter().skip(read).filter(|kept| is_answer(kept)).map(answer).collect();
    let rules = kernel.rules(source);
    let decision = decide(Some(ticket), Event::Unread(answers), &rules, kernel.ids.as_ref(), now);
    if decision.as_ref().is_ok_and(|decision| !decision.deliveries.is_empty()) {
        let mailed_upto = entries.last().and_then(|kept| kept.entry.seq).unwrap_or_default();
        requester::advance(tx, source, conversation, Marks { mailed_upto, ..Marks::default() }).await?;
    }
    Ok(decision)
}

/// The conversation or ticket of whoever asks.
pub(crate) async fn thread_of(tx: &mut Tx, whose: Whose<'_>) -> Result<Option<Thread>, StoreError> {
    match whose {
        Whose::Conversation(source, key) => conversation::thread(tx, source, key).await,
        Whose::Ticket(id) => match ticket::load(tx, id).await? {
            Some(found) => conversation::thread_of_ticket(tx, found).await.map(Some),
            None => Ok(None),
        },
        Whose::Page(hash) => {
            let found = match ticket::by_status_hash(tx, hash).await? {
                Some(found) => Some(found),
                None => match requester::page(tx, hash).await? {
                    Some(id) => ticket::load(tx, id).await?,
                    None => None,
                },
            };
            match found {
                Some(found) => conversation::thread_of_ticket(tx, found).await.map(Some),
                None => Ok(None),
            }
        }
    }
}

/// Messages of late that anybody can bring about, to an address, for the caps.
pub(crate) async fn counts(tx: &mut Tx, address: &Party, rules: &Rules, now: Moment) -> Result<Counts, StoreError> {
    let (key, domain) = (address.key(), address.domain());
    let wanted = Wanted {
        addresses: BTreeSet::from([key.clone()]),
        domains: domain.iter().cloned().collect(),
        domain_cap: rules.desk.caps.domain_hour,
        ..Wanted::default()
    };
    let counts = find(tx, &wanted, now).await?.sent.counts(&key, domain.as_deref());
    // What is asked for on a page costs its asker nothing: it counts with the acknowledgements.
    let (sender_hour, sender_day) = requester::mailed(tx, &key, now).await?;
    Ok(Counts { sender_hour, sender_day, ..counts })
}

/// Whether somebody of the desk wrote it to the requester: not what leaves by itself.
pub(crate) fn is_answer(kept: &KeptEntry) -> bool {
    match kept.entry.kind {
        EntryKind::Reply => true,
        EntryKind::Notice => kept.entry.author.is_some(),
        EntryKind::Inbound | EntryKind::Note | EntryKind::Event => false,
    }
}

/// Wakes whoever waits for a ticket that grew, and the sender if something is to leave.
pub(crate) fn wake(kernel: &Kernel, decision: &Decision) {
    if !decision.deliveries.is_empty() {
        kernel.outbox.notify_one();
    }
    kernel.watchers.wake(&decision.ticket.source, &decision.ticket.conversation);
}

async fn carry_out_once(kernel: &Kernel, whose: Whose<'_>, id: Uuid, wish: &Wish) -> Result<Carried, StoreError> {
    let now = kernel.clock.now();
    let mut tx = kernel.db.write().await?;
    let Some(thread) = thread_of(&mut tx, whose).await? else {
        return Ok(refused(reason::ACT_NO_CONVERSATION, "write first: that opens a ticket").into());
    };
    if let Wish::Act(RequesterAct::Read { upto }) = wish {
        return read(tx, kernel, &thread, *upto, now).await.map(Carried::from);
    }
    if !requester::begin(&mut tx, key(&thread.ticket, whose, id), now).await? {
        return Ok(Acted::Already.into());
    }
    // What becomes of the work is the business of the ticket it became part of; where people are reached is their own.
    let concerns_work =
        matches!(wish, Wish::Act(RequesterAct::Close | RequesterAct::Reopen | RequesterAct::Rate { .. }));
    let target = if concerns_work { &thread.end } else { &thread.ticket };
    if target.requester.as_ref().map(Party::key) != thread.ticket.requester.as_ref().map(Party::key) {
        return Ok(refused(reason::ACT_MERGED, "write what you want to say; an agent does it").into());
    }
    let rules = kernel.rules(&target.source);
    let what = asked(&mut tx, kernel, &thread, wish, &rules, now).await?;
    let act = event::RequesterAct { id, what };
    let mut decision = match decide(Some(target), Event::Requester(act), &rules, kernel.ids.as_ref(), now) {
        Ok(decision) => decision,
        Err(Refusal::Impossible { code, .. }) if code == reason::ACT_ALREADY => return Ok(Acted::Already.into()),
        Err(Refusal::Impossible { code, why }) => return Ok(refused(code, why).into()),
        Err(refusal) => return Ok(refused(reason::ACT_INVALID, &refusal.to_string()).into()),
    };
    spare_bad_addresses(&mut tx, &mut decision, now).await?;
    write_decision(&mut tx, kernel, &mut decision, target.version, now).await?;
    crate::crash::point("act.before_commit");
    tx.commit().await?;
    crate::crash::point("act.after_commit");
    wake(kernel, &decision);
    let key = matches!(wish, Wish::Renew).then(|| decision.page_keys.first().cloned()).flatten();
    Ok(Carried { acted: Acted::Done, key })
}

/// Reading changes no ticket: nobody who works on it is disturbed.
async fn read(mut tx: Tx, kernel: &Kernel, thread: &Thread, upto: Seq, now: Moment) -> Result<Acted, StoreError> {
    let Ticket { id, source, conversation, .. } = &thread.ticket;
    let last = thread.last_seq(&mut tx).await?;
    let upto = upto.min(last);
    if !requester::advance(&mut tx, source, conversation, Marks { read_upto: upto, ..Marks::default() }).await? {
        return Ok(Acted::Already);
    }
    if upto == last {
        for ticket in [*id, thread.end.id] {
            timer::drop_kind(&mut tx, ticket, event::TimerKind::Unread).await?;
            let kind = guichet_domain::outgoing::NoticeKind::Unread;
            outbox::overtake(&mut tx, ticket, kind, &reason::OVERTAKEN, now).await?;
        }
    }
    tx.commit().await?;
    kernel.signals.tell_agents(source, conversation, guichet_contract::Signal::Read { upto });
    Ok(Acted::Done)
}

async fn asked(
    tx: &mut Tx,
    kernel: &Kernel,
    thread: &Thread,
    wish: &Wish,
    rules: &Rules,
    now: Moment,
) -> Result<Asked, StoreError> {
    let address = mail_address(&thread.ticket).map(|(party, _)| party);
    let counted = async |tx: &mut Tx| match &address {
        Some(address) => counts(tx, address, rules, now).await,
        None => Ok(Counts::default()),
    };
    Ok(match wish {
        Wish::Act(RequesterAct::Close) => Asked::Close,
        Wish::Act(RequesterAct::Reopen) => Asked::Reopen,
        Wish::Act(RequesterAct::Rate { score, text }) => Asked::Rate { score: *score, text: text.clone() },
        Wish::Act(RequesterAct::Contact { address }) => Asked::Contact { address: address.clone() },
        Wish::Act(RequesterAct::Transcript | RequesterAct::Read { .. }) => {
            let lines = lines(tx, kernel, thread).await?;
            Asked::Transcript { lines, counts: counted(tx).await? }
        }
        Wish::Renew => Asked::Renew { by: None, counts: Counts::default() },
        Wish::RenewBy(agent) => Asked::Renew { by: Some(agent.clone()), counts: counted(tx).await? },
        Wish::Link(address) => Asked::Link { address: address.clone(), counts: counted(tx).await? },
    })
}

/// What was said, for a transcript.
async fn lines(tx: &mut Tx, kernel: &Kernel, thread: &Thread) -> Result<Vec<Line>, StoreError> {
    let (language, zone) = (thread.ticket.language, kernel.desk.calendar.zone_name());
    let mut lines = Vec::new();
    let mut after = Seq::default();
    while lines.len() < MOST {
        let entries = thread.entries(tx, after, PAGE).await?;
        let Some(last) = entries.last().and_then(|kept| kept.entry.seq) else { break };
        after = last;
        for kept in &entries {
            let ours = is_answer(kept);
            if !ours && kept.entry.kind != EntryKind::Inbound {
                continue;
            }
            let name = kept.entry.author.as_ref().and_then(|author| author.name.clone());
            let nameless = if ours { kernel.texts.desk() } else { you(language) };
            let name = name.unwrap_or_else(|| nameless.to_owned());
            let head = format!("{name}, {}", kernel.texts.instant(kept.entry.at, zone, language));
            lines.push(Line { ours, head, text: kept.entry.text.clone() });
        }
    }
    Ok(lines)
}

fn answer(kept: &KeptEntry) -> Answer {
    let entry = &kept.entry;
    let name = entry.author.as_ref().and_then(|author| author.name.clone());
    // A notice is a letter with its own signature.
    let name = name.filter(|_| entry.kind == EntryKind::Reply);
    Answer { entry: entry.id, name, text: entry.text.clone() }
}

const fn you(language: Language) -> &'static str {
    match language {
        Language::Fr => "Vous",
        _ => "You",
    }
}

/// The act's key: whoever holds another conversation or page cannot take its id.
fn key(ticket: &Ticket, whose: Whose<'_>, id: Uuid) -> Uuid {
    let space = match whose {
        Whose::Conversation(source, conversation) => format!("{source}\n{conversation}"),
        Whose::Page(_) | Whose::Ticket(_) => format!("page\n{}", ticket.id),
    };
    Uuid::new_v5(&id, space.as_bytes())
}

fn refused(code: Reason, why: &str) -> Acted {
    Acted::Refused { code, why: why.to_owned() }
}
