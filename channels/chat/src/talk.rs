//! What each frame of a known person does, whichever way it came.

use std::net::IpAddr;

use guichet_contract::{Acted, RequesterAct, Signal};
use guichet_domain::ids::Seq;
use guichet_domain::language::Language;
use uuid::Uuid;

use crate::channel::App;
use crate::identity::{self, is_email};
use crate::message;
use crate::person::{Identity, Person, Place};
use crate::protocol::{Asked, MAX_SYNC, Page, Plain, Rate, Read, Said, Sync, Typing};
use crate::rates::{Counted, Limit};
use crate::settings::IdentityMode;
use crate::translate::event;
use crate::trouble::{Code, Trouble};
use crate::words::Words;

/// Longest words beside a rating, in characters.
const LONGEST_RATING: usize = 2_000;

/// Who asks, and how.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) person: Person,
    pub(crate) address: IpAddr,
    pub(crate) words: Words,
    pub(crate) language: Option<Language>,
    pub(crate) zone: Option<String>,
    pub(crate) page: Option<Page>,
}

impl Caller {
    /// Counts one `what` of the session.
    pub(crate) fn count(&self, app: &App, what: &'static str, limit: Limit) -> Result<(), Trouble> {
        let session = Counted::Session(what, self.person.session.as_str().into());
        app.shared.rates.take([(session, limit)], app.port.clock.now()).map_err(Trouble::rate)
    }
}

/// Carries out one frame; `raw` is the frame as it came. Greetings, identities and logging out are their carriers'.
pub(crate) async fn handle(app: &App, caller: &Caller, asked: Asked, raw: &[u8]) -> Result<Vec<Said>, Trouble> {
    match asked {
        Asked::Msg(msg) => {
            let (cid, conv) = (Some(msg.cid), msg.conv);
            let said = message::take(app, caller, *msg, raw).await;
            said.map(|said| vec![said]).map_err(|trouble| trouble.about(cid, conv))
        }
        Asked::Typing(typing) => signal(app, caller, &typing).await,
        Asked::Read(read) => mark_read(app, caller, &read).await,
        Asked::Sync(sync) => {
            let conv = sync.conv;
            entries(app, caller, &sync).await.map_err(|trouble| trouble.about(None, Some(conv)))
        }
        Asked::Rate(rate) => self::rate(app, caller, rate).await,
        Asked::Close(plain) => act(app, caller, plain, RequesterAct::Close).await,
        Asked::Reopen(plain) => act(app, caller, plain, RequesterAct::Reopen).await,
        Asked::Transcript(plain) => act(app, caller, plain, RequesterAct::Transcript).await,
        Asked::Contact(contact) => {
            let address = contact.email.trim().to_owned();
            if !is_email(&address) {
                let words = caller.words.pick("This is no e-mail address.", "Ce n’est pas une adresse e-mail.");
                let trouble = Trouble::fields([("email".to_owned(), words.to_owned())].into());
                return Err(trouble.about(Some(contact.plain.cid), Some(contact.plain.conv)));
            }
            act(app, caller, contact.plain, RequesterAct::Contact { address }).await
        }
        Asked::Ping(ping) => Ok(vec![Said::Pong { t: ping.t }]),
        Asked::Hello(_) | Asked::Identify(_) | Asked::Logout => Err(Trouble::bad_frame("not here")),
    }
}

/// Who somebody is, by the site's word.
pub(crate) fn identify(app: &App, token: Option<&str>) -> Result<Option<Identity>, Trouble> {
    let settings = &app.shared.settings;
    let (token, keys) = match (settings.mode, token, &settings.keys) {
        (IdentityMode::Required, None, _) => return Err(Trouble::new(Code::IdentityRequired).fatal()),
        (IdentityMode::Off, _, _) | (_, None, _) => return Ok(None),
        (_, Some(_), None) => return Err(Trouble::new(Code::IdentityInvalid).fatal()),
        (_, Some(token), Some(keys)) => (token, keys),
    };
    let claims = identity::check(token, keys, &settings.source, app.port.clock.now());
    let claims = claims.map_err(|_| Trouble::new(Code::IdentityInvalid).fatal())?;
    Ok(Some(Identity::of(&settings.source, claims)))
}

async fn signal(app: &App, caller: &Caller, typing: &Typing) -> Result<Vec<Said>, Trouble> {
    let place = known(app, caller, typing.conv).await?.0;
    // More of it is dropped without a word: it is worth nothing a second later.
    if caller.count(app, "typing", Limit::per_second(1)).is_ok() || !typing.on {
        app.port.conversations.signal(&place.key, Signal::Typing { name: None, on: typing.on });
    }
    Ok(Vec::new())
}

async fn mark_read(app: &App, caller: &Caller, read: &Read) -> Result<Vec<Said>, Trouble> {
    let (place, standing) = known(app, caller, read.conv).await?;
    let upto = Seq(read.upto.min(standing.last_seq.0));
    if upto <= standing.read_upto {
        return Ok(Vec::new());
    }
    caller.count(app, "read", Limit::per_minute(60)).map_err(|trouble| trouble.about(None, Some(read.conv)))?;
    let id = caller.person.derived(&format!("read/{}", upto.0), read.conv);
    let conversations = &app.port.conversations;
    conversations
        .act(&place.key, id, RequesterAct::Read { upto })
        .await
        .map_err(|refusal| Trouble::from(refusal).about(None, Some(read.conv)))?;
    conversations.signal(&place.key, Signal::Read { upto });
    tell_standing(app, &place).await;
    Ok(Vec::new())
}

async fn rate(app: &App, caller: &Caller, rate: Rate) -> Result<Vec<Said>, Trouble> {
    let wrong = |trouble: Trouble| trouble.about(Some(rate.plain.cid), Some(rate.plain.conv));
    if !(1..=5).contains(&rate.score) {
        return Err(wrong(Trouble::bad_frame("`score` is 1 to 5")));
    }
    let text = rate.text.filter(|text| !text.trim().is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_RATING) {
        return Err(wrong(Trouble::new(Code::TooLong)));
    }
    act(app, caller, rate.plain, RequesterAct::Rate { score: rate.score, text }).await
}

async fn act(app: &App, caller: &Caller, plain: Plain, act: RequesterAct) -> Result<Vec<Said>, Trouble> {
    let Plain { cid, conv } = plain;
    let done = async {
        caller.count(app, "act", Limit::per_minute(30))?;
        let place = known(app, caller, conv).await?.0;
        let id = caller.person.derived("act", cid);
        let dup = match app.port.conversations.act(&place.key, id, act).await? {
            Acted::Done => false,
            Acted::Already => true,
            Acted::Refused { code, why } => {
                return Err(Trouble { reason: Some(Box::new(code)), message: why, ..Trouble::new(Code::NotPossible) });
            }
        };
        tell_standing(app, &place).await;
        Ok(vec![Said::Done { cid, conv, dup }])
    };
    done.await.map_err(|trouble| trouble.about(Some(cid), Some(conv)))
}

/// Tells the person's lines where a conversation stands after an act, which may have made no entry that wakes them.
async fn tell_standing(app: &App, place: &Place) {
    if let Ok(Some(standing)) = app.port.conversations.standing(&place.key).await
        && let Ok(summary) = app.summary(place, &standing).await
    {
        app.shared.hub.tell(place, &Said::Conv(Box::new(summary)).text());
    }
}

async fn entries(app: &App, caller: &Caller, sync: &Sync) -> Result<Vec<Said>, Trouble> {
    caller.count(app, "sync", Limit::per_minute(120))?;
    let (place, standing) = known(app, caller, sync.conv).await?;
    let limit = sync.limit.unwrap_or(MAX_SYNC).clamp(1, MAX_SYNC);
    let after = match (sync.after, sync.before) {
        (Some(after), None) => after.max(0),
        (None, Some(before)) => (before.min(standing.last_seq.0 + 1) - 1 - limit).max(0),
        _ => return Err(Trouble::bad_frame("one of `after` and `before` is wanted")),
    };
    let end = sync.before.map_or(after.saturating_add(limit), |before| before.saturating_sub(1));
    let entries = app.port.intake.timeline(&place.key, Seq(after)).await?;
    let links = app.links().await?;
    let now = app.port.clock.now();
    let mut said = Vec::new();
    let (mut from, mut upto) = (Seq(0), Seq(0));
    for entry in entries.into_iter().filter(|entry| entry.seq.0 <= end) {
        from = if said.is_empty() { entry.seq } else { from };
        upto = entry.seq;
        said.push(Said::Event(Box::new(event(&place, entry, links, now))));
    }
    let more = if sync.before.is_some() { from.0 > 1 } else { upto.0 > 0 && upto < standing.last_seq };
    said.push(Said::Synced { conv: sync.conv, from, upto, more });
    Ok(said)
}

/// The conversation, if it is the caller's.
async fn known(app: &App, caller: &Caller, conv: Uuid) -> Result<(Place, guichet_contract::Standing), Trouble> {
    let found = app.find(&caller.person, conv).await?;
    found.ok_or_else(|| Trouble::new(Code::ConvUnknown).about(None, Some(conv)))
}
