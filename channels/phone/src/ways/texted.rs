//! Text messages that were taken and then not delivered: what they said is told by another way, once.

use std::path::Path;

use guichet_contract::{Delivery, Fault, Port};
use guichet_domain::ids::ExternalId;
use guichet_domain::language::Language;
use guichet_domain::outgoing::NoticeKind;
use serde::{Deserialize, Serialize};

use super::{Notice, Ways};

/// What a text message said, for the day its network says that it did not arrive.
#[derive(Debug, Serialize, Deserialize)]
struct Texted {
    id: String,
    kind: String,
    number: String,
    reference: String,
    language: Language,
    text: String,
    call: Option<String>,
    /// Whether another way was tried: it is not tried again, whatever came of it.
    tried: bool,
}

/// Remembers what a text message said. If that fails it stays with the text message.
pub(super) async fn remember(port: &Port, id: &ExternalId, notice: &Notice<'_>) {
    let texted = Texted {
        id: notice.id.clone(),
        kind: notice.kind.as_str().to_owned(),
        number: notice.number.to_owned(),
        reference: notice.reference.to_owned(),
        language: notice.language,
        text: notice.text.to_owned(),
        call: notice.call.map(str::to_owned),
        tried: false,
    };
    let Ok(value) = serde_json::to_string(&texted) else { return };
    if let Err(fault) = port.intake.put_slot(&slot(id.as_str()), 0, Some(value)).await {
        tracing::warn!(source = %port.source, %fault, "a text message that does not arrive is not told by another way");
    }
}

/// Tells by another way what a text message said that did not arrive; `None` where there was nothing to tell, no other way, or
/// it was tried before.
pub(crate) async fn told_otherwise(
    ways: &Ways,
    port: &Port,
    message: &str,
    sounds: &Path,
) -> Result<Option<Delivery>, Fault> {
    if !ways.has_others() {
        return Ok(None);
    }
    let kept = port.intake.slot(&slot(message)).await?;
    let texted = kept.value.as_deref().and_then(|value| serde_json::from_str::<Texted>(value).ok());
    let Some(mut texted) = texted.filter(|texted| !texted.tried) else { return Ok(None) };
    let Some(kind) = NoticeKind::parse(&texted.kind) else { return Ok(None) };
    // Noted before it is tried: a process that dies in between leaves it to a person.
    texted.tried = true;
    let Ok(value) = serde_json::to_string(&texted) else { return Ok(None) };
    if !port.intake.put_slot(&slot(message), kept.version, Some(value)).await? {
        return Ok(None);
    }
    let notice = Notice {
        id: texted.id.clone(),
        kind,
        number: &texted.number,
        reference: &texted.reference,
        language: texted.language,
        text: &texted.text,
        call: texted.call.as_deref(),
        desk: None,
        sounds,
    };
    Ok(Some(ways.tell_otherwise(port, &notice).await))
}

fn slot(message: &str) -> String {
    format!("sms:{message}")
}
