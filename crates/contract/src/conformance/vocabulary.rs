//! What holds of everything that is handed in.

use guichet_domain::inbound::{Content, Inbound, Item, Party};

use super::intake::HandedIn;
use super::musts::VOCABULARY;
use super::report::Broken;

pub(super) fn check(calls: &[HandedIn]) -> Result<(), Broken> {
    for call in calls {
        let end = batch(call).and_then(|()| call.items.iter().try_for_each(item));
        end.map_err(|what| Broken::new(VOCABULARY, what))?;
    }
    Ok(())
}

fn batch(call: &HandedIn) -> Result<(), String> {
    must(call.items.len() <= 256, || format!("a batch of {} items", call.items.len()))?;
    for step in &call.moves {
        must(step.to.0.len() <= 1024, || format!("a cursor of {} bytes under {:?}", step.to.0.len(), step.key))?;
        must(!step.key.is_empty() && step.key.len() <= 1024, || format!("a cursor's key of {} bytes", step.key.len()))?;
    }
    Ok(())
}

fn item(item: &Inbound) -> Result<(), String> {
    let id = item.external_id.as_str();
    must((1..=1024).contains(&id.len()), || format!("an external id of {} bytes", id.len()))?;
    must(item.same_as.len() <= 4, || format!("{} shared keys", item.same_as.len()))?;
    must(item.same_as.iter().all(|key| !key.is_empty()), || "an empty shared key".to_owned())?;
    must(!item.raw.is_empty(), || format!("{id} came without its bytes"))?;
    match &item.content {
        Content::Read(read) => readable(read),
        Content::Unreadable { reason, .. } => code(reason.as_str()),
    }
}

fn readable(item: &Item) -> Result<(), String> {
    for party in item.from.iter().chain(&item.reply_to).chain(&item.recipients) {
        one_party(party)?;
    }
    if let Some(subject) = &item.subject {
        one_line("a subject", subject)?;
    }
    for file in &item.attachments {
        one_line("a file's name", &file.name)?;
        let safe = !file.name.is_empty() && !file.name.contains(['/', '\\']) && !file.name.starts_with('.');
        must(safe && file.name.chars().count() <= 120, || format!("the file name {:?}", file.name))?;
        must(file.media_type.contains('/'), || format!("the media type {:?}", file.media_type))?;
    }
    if let Some(machine) = &item.machine {
        code(machine.reason.as_str())?;
    }
    item.notes.iter().try_for_each(|note| code(note.code.as_str()))
}

fn one_party(party: &Party) -> Result<(), String> {
    one_line("an address", &party.address)?;
    must(!party.address.is_empty(), || "an empty address".to_owned())?;
    party.name.as_deref().map_or(Ok(()), |name| one_line("a name", name))
}

fn one_line(what: &str, text: &str) -> Result<(), String> {
    must(!text.chars().any(char::is_control), || format!("{what} with a control character: {text:?}"))
}

fn code(code: &str) -> Result<(), String> {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '.' | '_');
    must(!code.is_empty() && code.chars().all(plain), || format!("the reason code {code:?}"))
}

fn must(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
