//! One message to the core, and its acknowledgement.

use guichet_contract::{Accepted, NotAccepted, Receipt, Verdict};
use guichet_domain::ids::{ExternalId, Seq};
use guichet_domain::inbound::{Attachment, Content, Explained, Inbound, Item};
use guichet_domain::reason::Reason;
use guichet_domain::ticket::State;

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
    /// Whether it begins the conversation, as far as is known.
    begins: bool,
    /// Whether it opens a ticket: the first of the conversation, or one that follows a closed one.
    opens: bool,
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
    if goal.begins {
        filled = form::filled(&app.shared.settings.form, &msg.form, goal.place.verified, caller.words)?;
    }
    if goal.opens {
        may_open(app, caller)?;
    }
    let files = app.shared.uploads.load(caller.person.session.as_str(), &msg.files).await;
    let attachments = match files {
        Ok(attachments) => attachments,
        // Files of a message that was taken in may be gone when it is repeated.
        Err(trouble) => {
            let seq = place_of(app, &goal.place, &external).await?.ok_or(trouble)?;
            let standing = app.port.conversations.standing(&goal.place.key).await?;
            let ticket = standing.map(|standing| standing.reference).unwrap_or_default();
            return Ok(acknowledge(app, &msg, &goal, seq, true, ticket));
        }
    };
    let inbound = inbound(app, caller, &msg, &goal, filled, attachments, raw);
    let receipt = accept(app, inbound).await?;
    let Some(ticket) = receipt.reference.filter(|_| receipt.verdict != Verdict::Quarantined) else {
        return Err(Trouble::new(Code::Blocked));
    };
    let dup = receipt.verdict == Verdict::Duplicate;
    let seq = match receipt.seq {
        Seq(0) => place_of(app, &goal.place, &external).await?.unwrap_or_default(),
        seq => seq,
    };
    if !dup {
        let from = if goal.begins { Seq(0) } else { Seq(seq.0 - 1) };
        app.shared.hub.follow(&goal.place, from);
    }
    Ok(acknowledge(app, &msg, &goal, seq, dup, ticket))
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
    if let Some(conv) = msg.conv {
        let found = app.find(&caller.person, conv).await?;
        let (place, standing) = found.ok_or_else(|| Trouble::new(Code::ConvUnknown))?;
        return Ok(Goal { place, begins: false, opens: standing.state == State::Closed });
    }
    let place = caller.person.new_place(msg.cid);
    let begins = app.port.conversations.standing(&place.key).await?.is_none();
    Ok(Goal { place, begins, opens: begins })
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
    let Filled { name, email, subject, category, notes: mut said } = filled;
    if goal.opens {
        said.extend(surroundings(caller));
    }
    let person = &caller.person;
    let item = Item {
        from: Some(person.party(&goal.place, name)),
        contact: person.contact(&goal.place, email),
        conversation: Some(goal.place.key.clone()),
        own_ids: vec![person.external_id(msg.cid)],
        subject,
        category,
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

fn acknowledge(app: &App, msg: &Msg, goal: &Goal, seq: Seq, dup: bool, ticket: String) -> Said {
    Said::Ack { cid: msg.cid, conv: goal.place.conv, ticket, seq, at: app.port.clock.now(), dup }
}
