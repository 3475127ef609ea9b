//! One message to the core, and its acknowledgement.

use guichet_contract::{Accepted, NotAccepted, Receipt, Standing, Verdict};
use guichet_domain::ids::{ExternalId, Seq};
use guichet_domain::inbound::{Attachment, Content, Explained, Inbound, Item, RefersTo};
use guichet_domain::reason::Reason;
use guichet_domain::ticket::State;
use uuid::Uuid;

use crate::channel::App;
use crate::form::{self, Filled};
use crate::identity::line;
use crate::person::Place;
use crate::protocol::{Msg, Said};
use crate::rates::{Counted, Limit};
use crate::talk::Caller;
use crate::trouble::{Code, Trouble};
use crate::uploads::MAX_FILES;

/// Where a message goes.
struct Goal {
    place: Place,
    /// Whether it opens a ticket, as far as is known.
    new: bool,
    /// The closed conversation it follows, with where that stands.
    follows: Option<(Place, Standing)>,
}

/// Takes in a message; answers its acknowledgement.
pub(crate) async fn take(app: &App, caller: &Caller, msg: Msg, raw: &[u8]) -> Result<Said, Trouble> {
    judge(app, &msg)?;
    let limits = &app.shared.settings.limits;
    caller.count(app, "message", Limit::per_minute(limits.messages))?;
    caller.count(app, "message-hour", Limit::per_hour(limits.messages_hour))?;
    let goal = goal(app, caller, &msg).await?;
    let external = caller.person.external_id(msg.cid);
    let mut filled = Filled::default();
    if goal.new {
        if goal.follows.is_none() {
            let form = &app.shared.settings.form;
            filled = form::filled(form, &msg.form, goal.place.verified, caller.words)?;
        }
        may_open(app, caller)?;
    }
    let files = app.shared.uploads.load(caller.person.session.as_str(), &msg.files).await;
    let attachments = match files {
        Ok(attachments) => attachments,
        // Files of a message that was taken in may be gone when it is repeated.
        Err(trouble) => match place_of(app, &goal.place, &external).await? {
            Some(seq) => return acknowledge(app, &msg, goal, seq, true).await,
            None => return Err(trouble),
        },
    };
    let cid = msg.cid;
    let inbound = inbound(app, caller, &msg, &goal, filled, attachments, raw);
    let receipt = accept(app, inbound).await?;
    if receipt.verdict == Verdict::Quarantined || receipt.reference.is_none() {
        return Err(Trouble::new(Code::Blocked));
    }
    let dup = receipt.verdict == Verdict::Duplicate;
    let goal = if dup { first_goal(app, goal, &receipt).await? } else { goal };
    let seq = match receipt.seq {
        Seq(0) => place_of(app, &goal.place, &caller.person.external_id(cid)).await?.unwrap_or_default(),
        seq => seq,
    };
    if !dup {
        let from = if goal.new { Seq(0) } else { Seq(seq.0 - 1) };
        app.shared.hub.follow(&goal.place, from);
    }
    acknowledge_as(app, &msg, &goal, seq, dup, receipt.reference.unwrap_or_default())
}

fn judge(app: &App, msg: &Msg) -> Result<(), Trouble> {
    if msg.text.trim().is_empty() && msg.files.is_empty() {
        return Err(Trouble::new(Code::Empty));
    }
    if msg.text.chars().count() > app.shared.settings.limits.text {
        return Err(Trouble::new(Code::TooLong));
    }
    if msg.files.len() > MAX_FILES {
        return Err(Trouble::bad_frame("`files` are at most 5"));
    }
    Ok(())
}

/// Whether this session, and this address, may open one more ticket.
fn may_open(app: &App, caller: &Caller) -> Result<(), Trouble> {
    let limits = &app.shared.settings.limits;
    let session = Counted::Session("ticket", caller.person.session.as_str().into());
    let address = Counted::Address("ticket", caller.address);
    let wanted = [(session, Limit::per_hour(limits.tickets)), (address, Limit::per_hour(limits.tickets_address))];
    app.shared.rates.take(wanted, app.port.clock.now()).map_err(Trouble::rate)
}

async fn goal(app: &App, caller: &Caller, msg: &Msg) -> Result<Goal, Trouble> {
    let follows = match msg.conv {
        None => None,
        Some(conv) => {
            let found = app.find(&caller.person, conv).await?.ok_or_else(|| Trouble::new(Code::ConvUnknown))?;
            if found.1.state != State::Closed {
                return Ok(Goal { place: found.0, new: false, follows: None });
            }
            Some(found)
        }
    };
    let place = match &follows {
        // Who followed stays who it was, known or not.
        Some((old, _)) => caller.person.place(old.owner(), caller.person.derived("conv", msg.cid)),
        None => caller.person.new_place(msg.cid),
    };
    let new = app.port.conversations.standing(&place.key).await?.is_none();
    Ok(Goal { place, new, follows })
}

/// Where a message that was taken in before went: its conversation may have been closed since.
async fn first_goal(app: &App, goal: Goal, receipt: &Receipt) -> Result<Goal, Trouble> {
    let Some((old, standing)) = &goal.follows else { return Ok(goal) };
    if app.port.conversations.standing(&goal.place.key).await?.is_none()
        && receipt.reference.as_ref() == Some(&standing.reference)
    {
        return Ok(Goal { place: old.clone(), new: false, follows: None });
    }
    Ok(goal)
}

fn inbound(
    app: &App,
    caller: &Caller,
    msg: &Msg,
    goal: &Goal,
    filled: Filled,
    attachments: Vec<Attachment>,
    raw: &[u8],
) -> Inbound {
    let Filled { name, email, subject, notes: mut said } = filled;
    if goal.new {
        said.extend(surroundings(caller));
    }
    let person = &caller.person;
    let spoken_in = goal.follows.as_ref().map(|(_, standing)| standing.reference.clone());
    let item = Item {
        from: Some(person.party(&goal.place, name)),
        contact: person.contact(&goal.place, email),
        conversation: Some(goal.place.key.clone()),
        refers_to: RefersTo { spoken_in, ..RefersTo::default() },
        own_ids: vec![person.external_id(msg.cid)],
        subject,
        text: msg.text.clone(),
        reply_text: msg.text.clone(),
        language: caller.language,
        attachments,
        trust: person.trust(&goal.place),
        notes: said,
        ..Item::default()
    };
    Inbound {
        external_id: person.external_id(msg.cid),
        same_as: Vec::new(),
        content: Content::Read(Box::new(item)),
        received_at: app.port.clock.now(),
        raw: raw.to_vec(),
        quiet: None,
    }
}

/// What the client told of itself, for the agent.
fn surroundings(caller: &Caller) -> Vec<Explained> {
    let page = caller.page.as_ref();
    let told = [
        ("chat.page", page.and_then(|page| page.url.as_deref())),
        ("chat.page_title", page.and_then(|page| page.title.as_deref())),
        ("chat.time_zone", caller.zone.as_deref()),
    ];
    let notes = told.into_iter().filter_map(|(code, words)| Some((code, line(words?))));
    notes.filter(|(_, words)| !words.is_empty()).map(|(code, words)| Explained::new(code, words)).collect()
}

/// Hands one item in. What is refused as it is goes in as unreadable: nothing is dropped.
async fn accept(app: &App, inbound: Inbound) -> Result<Receipt, Trouble> {
    let intake = &app.port.intake;
    let taken = match intake.accept(vec![inbound.clone()], Vec::new()).await {
        Err(NotAccepted::Refused { why }) => {
            let content = Content::Unreadable { reason: Reason::of("chat.refused"), detail: why };
            let aside = intake.accept(vec![Inbound { content, ..inbound }], Vec::new()).await;
            aside.map_err(|refusal| match refusal {
                NotAccepted::Busy { .. } => Trouble::from(refusal),
                NotAccepted::Refused { .. } => Trouble::new(Code::Internal),
            })?
        }
        taken => taken?,
    };
    let Accepted { receipts } = taken;
    receipts.into_iter().next().ok_or_else(|| Trouble::new(Code::Internal))
}

/// The place in the timeline of a message that was taken in.
async fn place_of(app: &App, place: &Place, external: &ExternalId) -> Result<Option<Seq>, Trouble> {
    let mut after = Seq(0);
    loop {
        let entries = app.port.intake.timeline(&place.key, after).await?;
        let found = entries.iter().find(|entry| entry.external_id.as_ref() == Some(external));
        match (found, entries.last()) {
            (Some(entry), _) => return Ok(Some(entry.seq)),
            (None, Some(last)) => after = last.seq,
            (None, None) => return Ok(None),
        }
    }
}

async fn acknowledge(app: &App, msg: &Msg, goal: Goal, seq: Seq, dup: bool) -> Result<Said, Trouble> {
    let standing = app.port.conversations.standing(&goal.place.key).await?;
    let ticket = standing.map(|standing| standing.reference).unwrap_or_default();
    acknowledge_as(app, msg, &goal, seq, dup, ticket)
}

fn acknowledge_as(app: &App, msg: &Msg, goal: &Goal, seq: Seq, dup: bool, ticket: String) -> Result<Said, Trouble> {
    let follows: Option<Uuid> = goal.follows.as_ref().map(|(old, _)| old.conv);
    Ok(Said::Ack { cid: msg.cid, conv: goal.place.conv, ticket, seq, at: app.port.clock.now(), dup, follows })
}
