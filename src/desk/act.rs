//! An agent acts on a ticket: load, decide, write, tell, in one transaction.

use std::collections::BTreeSet;
use std::time::Duration;

use guichet_domain::Moment;
use guichet_domain::decide::decide;
use guichet_domain::event::{Act, Action, Event, Refusal};
use guichet_domain::priority::{Impact, Urgency};
use guichet_domain::ticket::{Kind, State, Ticket, Tier};
use guichet_store::timeline;
use guichet_store::trail::{self, Deed};
use guichet_store::{ErrorKind, Tx, agent, ticket};
use uuid::Uuid;

use crate::desk::agents::called;
use crate::desk::repeat::{Begin, Repeat};
use crate::desk::showing::{show_entry, show_ticket};
use crate::desk::undeliverable::spare_bad_addresses;
use crate::desk::views::{MessageKind, NewMessage, TicketView, Transition};
use crate::desk::{Desk, DeskError};
use crate::writing::write_decision;

/// How often an act is decided anew when somebody else was quicker.
const TRIES: usize = 8;
/// Most entries a late agent is told of.
const MOST_MEANWHILE: usize = 20;
/// Longest chain of merged tickets that is followed.
const HOPS: usize = 8;

/// Who asks for an act, on which ticket, and how it is told from its repetition.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The agent's name.
    pub agent: &'a str,
    /// The ticket, as people write it.
    pub reference: &'a str,
    /// The caller's key, if it gave one.
    pub repeat: Option<&'a Repeat>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// To write.
    Message(NewMessage),
    /// To do something else.
    Transition(Transition),
}

impl Wanted {
    fn version(&self) -> Option<i64> {
        match self {
            Self::Message(message) => message.version,
            Self::Transition(transition) => transition.version(),
        }
    }
}

impl Desk {
    /// Carries out an act; gives the ticket as it is then. With a version that is no longer the ticket's, nothing is done
    /// and what came meanwhile is told. With a key, a repetition gives the first answer and does nothing.
    ///
    /// Cancellation: the act may have been carried out; repeat it with its key.
    pub async fn act(&self, request: &Request<'_>, wanted: &Wanted) -> Result<TicketView, DeskError> {
        self.act_from(request, wanted, "api").await
    }

    /// The same by whoever asks from `origin` (a network address, or the way taken): the audit trail says so.
    pub async fn act_from(
        &self,
        request: &Request<'_>,
        wanted: &Wanted,
        origin: &str,
    ) -> Result<TicketView, DeskError> {
        for _ in 0..TRIES {
            match self.try_act(request, wanted, origin).await {
                Err(DeskError::Store(error)) if error.kind() == ErrorKind::Conflict => {}
                other => return other,
            }
        }
        Err(DeskError::Busy { after: Duration::from_secs(1), why: "too many people change this ticket at once".into() })
    }

    async fn try_act(&self, request: &Request<'_>, wanted: &Wanted, origin: &str) -> Result<TicketView, DeskError> {
        let kernel = self.kernel.as_ref();
        let now = kernel.clock.now();
        let mut tx = kernel.db.write().await?;
        if let Some(repeat) = request.repeat {
            match repeat.begin(&mut tx, request.agent, now).await? {
                Begin::Answered(view) => return Ok(view),
                Begin::Unfinished => return Err(DeskError::KeyInProgress),
                Begin::Fresh => {}
            }
        }
        let ticket = self.find(&mut tx, request.reference).await?;
        self.check(&mut tx, &ticket, wanted.version()).await?;
        let target = match wanted {
            Wanted::Transition(Transition::Merge { into, .. }) => Some(self.target(&mut tx, &ticket, into).await?),
            _ => None,
        };
        let what = action(wanted, target.as_ref());
        let (done, how) = told(&what, wanted);
        if let Action::Assign { to: Some(name) } = &what {
            check_agent(&mut tx, name).await?;
        }
        let id = request.repeat.map_or_else(|| kernel.ids.uuid(), |repeat| repeat.id(request.agent));
        let called = agent::by_name(&mut tx, request.agent).await?.as_ref().and_then(called);
        let act = Act { agent: request.agent.to_owned(), called, id, what };
        let changed = self.decide_and_write(&mut tx, &ticket, act, now).await?;
        let mut grown = vec![(changed.source.clone(), changed.conversation.clone())];
        if let Some(target) = target {
            let shown = ticket.reference.shown(self.prefix());
            let what =
                Action::Note { text: format!("{shown} was merged into this ticket; its later messages come here.") };
            let act = Act { agent: request.agent.to_owned(), called: None, id: Uuid::new_v5(&id, b"merged"), what };
            self.decide_and_write(&mut tx, &target, act, now).await?;
            grown.push((target.source, target.conversation));
        }
        let deed = Deed { agent: request.agent, origin, act: done, ticket: Some(changed.id), subject: &how };
        trail::add(&mut tx, &deed, now).await?;
        let view = show_ticket(&mut tx, self.prefix(), changed).await?;
        if let Some(repeat) = request.repeat {
            repeat.finish(&mut tx, request.agent, &view).await?;
        }
        crate::crash::point("act.before_commit");
        tx.commit().await?;
        crate::crash::point("act.after_commit");
        kernel.outbox.notify_one();
        for (source, conversation) in &grown {
            kernel.watchers.wake(source, conversation);
        }
        Ok(view)
    }

    /// Gives the ticket as it is then.
    pub(super) async fn decide_and_write(
        &self,
        tx: &mut Tx,
        ticket: &Ticket,
        act: Act,
        now: Moment,
    ) -> Result<Ticket, DeskError> {
        let kernel = self.kernel.as_ref();
        let rules = kernel.rules(&ticket.source);
        let mut decision = decide(Some(ticket), Event::Agent(act), &rules, kernel.ids.as_ref(), now)?;
        spare_bad_addresses(tx, &mut decision, now).await?;
        write_decision(tx, kernel, &mut decision, ticket.version, now).await?;
        Ok(decision.ticket)
    }

    /// Refuses acts on what was merged, naming where it went, and acts of whoever has not seen what came meanwhile.
    async fn check(&self, tx: &mut Tx, ticket: &Ticket, seen: Option<i64>) -> Result<(), DeskError> {
        if let Some(into) = ticket.merged_into {
            let end = follow(tx, into).await?;
            let shown = end.map(|end| end.reference.shown(self.prefix()).to_string()).unwrap_or_default();
            return Err(DeskError::state("the ticket was merged", format!("act on {shown} instead")));
        }
        let Some(seen) = seen.filter(|seen| *seen != ticket.version) else { return Ok(()) };
        let missed = usize::try_from(ticket.version - seen).unwrap_or(0);
        let mut entries = timeline::entries(tx, ticket.id, 0, i64::MAX).await?;
        // Each change has its own instant: the entries of the last so many instants are what came meanwhile.
        let instants: BTreeSet<_> = entries.iter().map(|kept| kept.entry.at).collect();
        let since = instants.iter().rev().take(missed).next_back().copied();
        entries.retain(|kept| since.is_some_and(|since| kept.entry.at >= since));
        let skipped = entries.len().saturating_sub(MOST_MEANWHILE);
        let meanwhile = entries.into_iter().skip(skipped).map(show_entry).collect();
        Err(DeskError::Outdated { version: ticket.version, meanwhile })
    }

    /// The ticket that goes on after a merge, itself not merged, closed or the same.
    async fn target(&self, tx: &mut Tx, ticket: &Ticket, into: &str) -> Result<Ticket, DeskError> {
        let named = self.find(tx, into).await?;
        let target = follow(tx, named.id).await?.unwrap_or(named);
        if target.id == ticket.id {
            return Err(DeskError::invalid("a ticket cannot be merged into itself", "name another ticket"));
        }
        if target.state == State::Closed {
            let remedy = "reopen it first, then merge";
            return Err(Refusal::State { state: target.state, remedy }.into());
        }
        Ok(target)
    }
}

/// Where a ticket leads now: itself, or the one it was merged into.
async fn follow(tx: &mut Tx, id: guichet_domain::ids::TicketId) -> Result<Option<Ticket>, DeskError> {
    let mut at = ticket::load(tx, id).await?;
    for _ in 0..HOPS {
        match at.as_ref().and_then(|ticket| ticket.merged_into) {
            Some(into) => at = ticket::load(tx, into).await?,
            None => break,
        }
    }
    Ok(at)
}

/// Where agents are registered, tickets are assigned to them alone; a desk without any takes every name.
async fn check_agent(tx: &mut Tx, name: &str) -> Result<(), DeskError> {
    let agents = agent::list(tx).await?;
    let active: Vec<&str> =
        agents.iter().filter(|agent| agent.disabled_at.is_none()).map(|agent| agent.name.as_str()).collect();
    if active.is_empty() || active.contains(&name) {
        return Ok(());
    }
    Err(DeskError::invalid(format!("there is no agent \"{name}\""), format!("assign to one of: {}", active.join(", "))))
}

/// What the audit trail says of an act: the stable word, and how. Never what was written.
fn told(what: &Action, wanted: &Wanted) -> (&'static str, String) {
    match what {
        Action::Reply { ask, .. } => ("reply", if *ask { "asks".to_owned() } else { String::new() }),
        Action::Note { .. } => ("note", String::new()),
        Action::Assign { to } => ("assign", to.clone().unwrap_or_default()),
        Action::Escalate { to, .. } => ("escalate", to.map_or("", Tier::as_str).to_owned()),
        Action::Classify { kind, category, impact, urgency } => {
            let words =
                [kind.map(Kind::as_str), category.as_deref(), impact.map(Impact::as_str), urgency.map(Urgency::as_str)];
            ("classify", words.into_iter().flatten().collect::<Vec<_>>().join(" "))
        }
        Action::Close { silent, .. } => ("close", if *silent { "silent".to_owned() } else { String::new() }),
        Action::Reopen { .. } => ("reopen", String::new()),
        Action::Merge { .. } => match wanted {
            Wanted::Transition(Transition::Merge { into, .. }) => ("merge", into.clone()),
            _ => ("merge", String::new()),
        },
        Action::Unmerge { to } => ("unmerge", to.as_str().to_owned()),
        Action::Seen => ("seen", String::new()),
    }
}

fn action(wanted: &Wanted, target: Option<&Ticket>) -> Action {
    match wanted.clone() {
        Wanted::Message(NewMessage { kind: MessageKind::Reply, text, ask, .. }) => Action::Reply { text, ask },
        Wanted::Message(NewMessage { kind: MessageKind::Note, text, .. }) => Action::Note { text },
        Wanted::Transition(transition) => match transition {
            Transition::Assign { to, .. } => Action::Assign { to },
            Transition::Escalate { to, why, .. } => Action::Escalate { to, why },
            Transition::Classify { kind, category, impact, urgency, .. } => {
                Action::Classify { kind, category, impact, urgency }
            }
            Transition::Close { text, silent, .. } => Action::Close { text, silent },
            Transition::Reopen { why, .. } => Action::Reopen { why },
            Transition::Merge { .. } => match target {
                Some(target) => Action::Merge { into: target.id },
                // Looked up before; without a target nothing is merged.
                None => Action::Seen,
            },
            Transition::Seen { .. } => Action::Seen,
        },
    }
}
