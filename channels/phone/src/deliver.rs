//! What the core wants a caller to be told.

use std::time::Duration;

use guichet_contract::{Delivery, Outgoing, Port};
use guichet_domain::outgoing::NoticeKind;

use crate::channel::PhoneSource;
use crate::plan::call_of;
use crate::ways::Notice;

/// How long an acknowledgement waits for being spoken in the call.
const SPOKEN_WITHIN: Duration = Duration::from_secs(30);
/// Attempts that are made while waiting for that.
const WAITS: i64 = 3;

/// One attempt.
pub(crate) async fn deliver(source: &PhoneSource, port: &Port, outgoing: &Outgoing) -> Delivery {
    if outgoing.kind == NoticeKind::Event {
        let detail = "a phone source tells callers, and no programs of events".to_owned();
        return Delivery::Refused { detail, hard: false };
    }
    let call = call_of(outgoing.conversation.as_str());
    if outgoing.kind == NoticeKind::Acknowledgement
        && let Some((true, id)) = call
        && let Some(delivery) = spoken(source, port, outgoing, id).await
    {
        return delivery;
    }
    let number = outgoing.to.address.as_str();
    if !number.starts_with('+') {
        let detail = "the caller has no number that can be reached; call back if you know one".to_owned();
        return Delivery::Refused { detail, hard: false };
    }
    let sounds = source.sounds();
    let notice = Notice {
        id: outgoing.id.to_string(),
        kind: outgoing.kind,
        number,
        reference: &outgoing.reference,
        language: outgoing.language,
        text: &outgoing.text,
        call: call.map(|(_, id)| id),
        desk: source.settings.desk.as_deref(),
        sounds: &sounds,
    };
    source.settings.ways.tell(port, &notice).await
}

/// What became of an acknowledgement that is spoken in the call itself; `None` when it was not, and must go another way.
async fn spoken(source: &PhoneSource, port: &Port, outgoing: &Outgoing, id: &str) -> Option<Delivery> {
    let call = match source.engine.settled(port, id).await {
        Ok(call) => call?,
        Err(fault) => {
            return Some(Delivery::Retry { detail: fault.to_string(), after: None, source_down: false });
        }
    };
    if call.spoken_at.is_some() {
        return Some(Delivery::Delivered { external_id: None, detail: "spoken in the call".to_owned() });
    }
    let waits = port.clock.now().since(call.heard_at) < SPOKEN_WITHIN && outgoing.attempt <= WAITS;
    let detail = "the call is being answered".to_owned();
    waits.then_some(Delivery::Retry { detail, after: Some(Duration::from_secs(5)), source_down: false })
}
