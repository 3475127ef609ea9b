//! What is said and written of calls, in French and in English.

use guichet_domain::Moment;
use guichet_domain::language::Language;
use jiff::tz::TimeZone;

use crate::call::Call;
use crate::event::Disposition;
use crate::number::shown;

fn is_french(language: Language) -> bool {
    language == Language::Fr
}

/// Who called, as agents read it.
pub(crate) fn caller(call: &Call, language: Language) -> String {
    match (&call.caller, &call.caller_raw) {
        (Some(number), _) => shown(number),
        (None, Some(raw)) => one_line(raw),
        (None, None) if call.withheld => {
            (if is_french(language) { "un numéro masqué" } else { "a withheld number" }).to_owned()
        }
        (None, None) => (if is_french(language) { "un numéro inconnu" } else { "an unknown number" }).to_owned(),
    }
}

/// The subject of a call's ticket.
pub(crate) fn subject(call: &Call, language: Language) -> String {
    let who = caller(call, language);
    let french = is_french(language);
    match call.disposition() {
        Some(Disposition::Answered) if french => format!("Appel de {who}"),
        Some(Disposition::Answered) | None if !french => format!("Call from {who}"),
        None => format!("Appel de {who}"),
        Some(Disposition::Voicemail) if french => format!("Message vocal de {who}"),
        Some(Disposition::Voicemail) => format!("Voicemail from {who}"),
        Some(Disposition::Busy) if french => format!("Appel de {who}, ligne occupée"),
        Some(Disposition::Busy) => format!("Call from {who}, line busy"),
        Some(Disposition::Abandoned) if french => format!("Appel abandonné de {who}"),
        Some(Disposition::Abandoned) => format!("Abandoned call from {who}"),
        Some(_) if french => format!("Appel manqué de {who}"),
        Some(_) => format!("Missed call from {who}"),
    }
}

/// What became of a call, in one sentence.
pub(crate) fn outcome(call: &Call, disposition: Disposition, language: Language) -> String {
    let french = is_french(language);
    let by = call.agent.as_deref().map(one_line);
    match disposition {
        Disposition::Answered => match (by, french) {
            (Some(agent), true) => format!("Pris par {agent}."),
            (Some(agent), false) => format!("Answered by {agent}."),
            (None, true) => "Un agent a pris l'appel.".to_owned(),
            (None, false) => "An agent answered.".to_owned(),
        },
        other => match (other, french) {
            (Disposition::Voicemail, true) => "L'appelant a laissé un message vocal.",
            (Disposition::Voicemail, false) => "The caller left a message.",
            (Disposition::Busy, true) => "Toutes les lignes étaient occupées : rappeler.",
            (Disposition::Busy, false) => "All lines were busy: call back.",
            (Disposition::Abandoned, true) => "L'appelant a raccroché avant la réponse : rappeler.",
            (Disposition::Abandoned, false) => "The caller hung up before anybody answered: call back.",
            (Disposition::Ivr, true) => "Un serveur vocal a servi l'appelant.",
            (Disposition::Ivr, false) => "A voice menu served the caller.",
            (Disposition::Unknown, true) => "La fin de l'appel n'a jamais été signalée.",
            (Disposition::Unknown, false) => "The end of the call was never told.",
            (Disposition::Failed, true) => "L'appel n'a pas pu être établi.",
            (Disposition::Failed, false) => "The call could not be set up.",
            (Disposition::Blocked, true) => "L'appel a été refusé par une règle.",
            (Disposition::Blocked, false) => "The call was refused by a rule.",
            (_, true) => "Personne n'a répondu : rappeler.",
            (_, false) => "Nobody answered: call back.",
        }
        .to_owned(),
    }
}

/// The facts of a call, a line each.
pub(crate) fn facts(call: &Call, language: Language, zone: &TimeZone) -> Vec<String> {
    let french = is_french(language);
    let mut lines = Vec::new();
    let mut line = |fr: &str, en: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("{}{value}", if french { fr } else { en })));
    };
    line("Appelant : ", "Caller: ", Some(caller(call, language)));
    line("Nom affiché : ", "Shown name: ", call.name.as_deref().map(one_line));
    line("Numéro appelé : ", "Called: ", call.callee.as_deref().map(|number| one_line(&shown(number))));
    line("File : ", "Queue: ", call.queue.as_deref().map(one_line));
    let at = call.started_at.unwrap_or(call.heard_at);
    line("Heure : ", "Time: ", Some(local(at, language, zone)));
    let secs = call.duration_s.filter(|secs| *secs > 0);
    line("Durée : ", "Duration: ", secs.map(|secs| format!("{secs} s")));
    line("Touches : ", "Keys pressed: ", call.digits.as_deref().map(one_line));
    line("Attestation du numéro : ", "Attestation of the number: ", call.attested.as_deref().map(one_line));
    lines
}

fn local(at: Moment, language: Language, zone: &TimeZone) -> String {
    let form = if is_french(language) { "%d/%m/%Y %H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    at.timestamp().to_zoned(zone.clone()).strftime(form).to_string()
}

/// Says that a caller calls again.
pub(crate) fn again(language: Language) -> &'static str {
    if is_french(language) { "Nouvel appel du même numéro." } else { "The same number called again." }
}

/// The heading of what was said.
pub(crate) fn transcript(language: Language) -> &'static str {
    if is_french(language) { "Transcription :" } else { "Transcript:" }
}

/// The text beside a recording.
pub(crate) fn recording(duration_s: Option<u32>, language: Language) -> String {
    let word = if is_french(language) { "Enregistrement" } else { "Recording" };
    match duration_s {
        Some(secs) => format!("{word} ({secs} s)"),
        None => word.to_owned(),
    }
}

/// Says why a recording is not here.
pub(crate) fn no_recording(why: &str, language: Language) -> String {
    if is_french(language) {
        format!("Un enregistrement n'a pas pu être récupéré : {why}")
    } else {
        format!("A recording could not be fetched: {why}")
    }
}

/// What a caller hears while waiting: the number said twice, digit by digit.
pub(crate) fn spoken(reference: &str, record: bool, language: Language) -> String {
    let said = spelled(reference);
    let mut words = if is_french(language) {
        format!("Votre demande est enregistrée sous le numéro {said}. Je répète : {said}.")
    } else {
        format!("Your request is registered under number {said}. Once more: {said}.")
    };
    if record {
        let more = if is_french(language) {
            " Laissez votre message après le signal sonore."
        } else {
            " Please leave your message after the tone."
        };
        words.push_str(more);
    }
    words
}

/// What a caller hears when no number can be given just now; promises nothing.
pub(crate) fn unspoken(language: Language) -> &'static str {
    if is_french(language) {
        "Bonjour. Votre appel est bien arrivé. Merci de patienter, ou de rappeler plus tard."
    } else {
        "Hello. Your call has reached us. Please hold the line, or call again later."
    }
}

/// What a caller hears when the ticket is closed.
pub(crate) fn spoken_closure(reference: &str, language: Language) -> String {
    let said = spelled(reference);
    if is_french(language) {
        format!("Bonjour. Votre demande numéro {said} est résolue. Je répète : {said}. Au revoir.")
    } else {
        format!("Hello. Your request number {said} is resolved. Once more: {said}. Goodbye.")
    }
}

/// A reference letter by letter, in groups: `G T, 4 8 2, 1 0 9, 3 7 5 5`.
pub(crate) fn spelled(reference: &str) -> String {
    let group = |group: &str| group.chars().map(String::from).collect::<Vec<_>>().join(" ");
    reference.split('-').filter(|part| !part.is_empty()).map(group).collect::<Vec<_>>().join(", ")
}

/// Text from outside in one line of at most 200 characters.
pub(crate) fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_said_digit_by_digit_and_twice() {
        assert_eq!(
            spoken("GT-482-109-3755", false, Language::Fr),
            "Votre demande est enregistrée sous le numéro G T, 4 8 2, 1 0 9, 3 7 5 5. Je répète : G T, 4 8 2, 1 0 9, \
             3 7 5 5."
        );
        assert!(spoken("GT-482-109-3755", true, Language::En).ends_with("Please leave your message after the tone."));
    }

    #[test]
    fn a_name_from_the_network_stays_in_its_line() {
        let call = Call { name: Some("Jean\r\nPriority: P1\u{7}".to_owned()), ..Call::default() };
        let lines = facts(&call, Language::En, &TimeZone::UTC);
        assert!(lines.contains(&"Shown name: Jean Priority: P1".to_owned()), "{lines:?}");
    }
}
