//! How automatic mails begin their subject, where no header says so.
//!
//! Only the very beginning counts, and only when the phrase ends there or is followed by punctuation: a person asks why "Out of
//! office does not work", a server writes "Out of office: ...". An answer (`Re: Out of office`) is a person's.

use super::Nature;

const AWAY: &[&str] = &[
    "out of office",
    "out of the office",
    "i am out of the office",
    "i'm out of the office",
    "i am out of office",
    "out of office autoreply",
    "out of office auto-reply",
    "out of office reply",
    "out of office notification",
    "away from my mail",
    "away from the office",
    "away from my desk",
    "vacation reply",
    "vacation response",
    "vacation message",
    "absence du bureau",
    "absent du bureau",
    "absente du bureau",
    "message d'absence",
    "message d’absence",
    "avis d'absence",
    "notification d'absence",
    "réponse d'absence",
    "abwesenheit",
    "abwesenheitsnotiz",
    "abwesenheitsmeldung",
    "abwesenheitsbenachrichtigung",
    "abwesend",
    "nicht im büro",
    "außer haus",
    "fuera de la oficina",
    "fuera de oficina",
    "ausente de la oficina",
    "mensaje de ausencia",
    "fuori ufficio",
    "fuori sede",
    "assente dall'ufficio",
    "assenza dall'ufficio",
    "messaggio di assenza",
    "fora do escritório",
    "ausência do escritório",
    "ausência temporária",
    "mensagem de ausência",
    "fora da empresa",
    "afwezig",
    "afwezigheid",
    "afwezigheidsbericht",
    "afwezigheidsassistent",
    "niet op kantoor",
    "poza biurem",
    "nieobecność",
    "nieobecność w biurze",
    "jestem poza biurem",
    "不在通知",
    "不在応答",
    "不在のお知らせ",
    "外出中",
    "不在办公室",
    "нет на месте",
    "вне офиса",
    "нет в офисе",
    "отсутствие на рабочем месте",
    "отсутствую",
    "в отпуске",
];

const ANSWERED: &[&str] = &[
    "automatic reply",
    "automatic response",
    "auto reply",
    "auto-reply",
    "autoreply",
    "auto response",
    "auto-response",
    "autoresponse",
    "auto responder",
    "autoresponder",
    "automated reply",
    "automated response",
    "automatically generated reply",
    "réponse automatique",
    "reponse automatique",
    "automatische antwort",
    "automatische rückantwort",
    "autom. antwort",
    "automatische eingangsbestätigung",
    "respuesta automática",
    "respuesta automatica",
    "contestación automática",
    "risposta automatica",
    "resposta automática",
    "resposta automatica",
    "automatisch antwoord",
    "automatisch bericht",
    "automatyczna odpowiedź",
    "odpowiedź automatyczna",
    "autoodpowiedź",
    "自動返信",
    "自動応答",
    "自動送信",
    "自动回复",
    "自动答复",
    "自動回覆",
    "自动回覆",
    "автоматический ответ",
    "автоответ",
    "автоответчик",
];

const FAILED: &[&str] = &[
    "delivery status notification",
    "delivery failure notification",
    "mail delivery failed",
    "mail delivery status report",
    "mail delivery failure",
    "mail delivery problem",
    "mail delivery error",
    "mail delivery system",
    "mail delivery warning",
    "message delivery failure",
    "message delivery has failed",
    "undeliverable",
    "undeliverable mail",
    "undeliverable message",
    "undeliverable email",
    "undeliverable e-mail",
    "undelivered mail",
    "undelivered mail returned to sender",
    "undelivered message",
    "returned mail",
    "returned to sender",
    "mail returned to sender",
    "failure notice",
    "failure delivery",
    "failed mail",
    "nondeliverable mail",
    "non-deliverable mail",
    "non-delivery",
    "non delivery report",
    "non-delivery report",
    "nondelivery report",
    "mail system error",
    "mail not delivered",
    "message not delivered",
    "mail could not be delivered",
    "message could not be delivered",
    "mail failed, returning to sender",
    "email delivery failure",
    "automatically rejected mail",
    "delayed mail",
    "message undeliverable",
    "warning: could not send message",
    "there was an error sending your mail",
    "message status - undeliverable",
    "non remis",
    "non distribuable",
    "message non distribué",
    "message non remis",
    "échec de la remise",
    "échec de remise",
    "avis de non-remise",
    "echec de la remise",
    "notification d'échec de remise",
    "notification d'état de remise",
    "unzustellbar",
    "nicht zustellbar",
    "nachricht unzustellbar",
    "zustellung fehlgeschlagen",
    "unzustellbare nachricht",
    "zustellbericht",
    "unzustellbarkeitsbericht",
    "benachrichtigung zum übermittlungsstatus",
    "no se puede entregar",
    "no entregado",
    "mensaje no entregado",
    "no se pudo entregar",
    "notificación de estado de entrega",
    "non recapitabile",
    "messaggio non recapitabile",
    "mancato recapito",
    "impossibile recapitare",
    "notifica di mancato recapito",
    "não entregue",
    "mensagem não entregue",
    "não foi possível entregar",
    "falha na entrega",
    "notificação de status de entrega",
    "onbestelbaar",
    "niet bezorgd",
    "onbestelbaar bericht",
    "bericht niet bezorgd",
    "niedostarczalne",
    "nie można dostarczyć",
    "nie dostarczono",
    "wiadomość niedostarczona",
    "配信不能",
    "配信エラー",
    "配送エラー",
    "配信不能通知",
    "送信エラー",
    "メール配信エラー",
    "未配信",
    "退信",
    "系统退信",
    "未送达",
    "无法投递",
    "未传递",
    "投递失败",
    "無法傳遞",
    "недоставлено",
    "не удается доставить",
    "не удалось доставить",
    "ваше сообщение не доставлено",
    "недоставленное сообщение",
    "сообщение не доставлено",
];

/// Whole subjects: with anything behind them, a customer speaks of a parcel.
const FAILED_ALONE: [&str; 3] = ["delivery failure", "returned message", "mail error"];

/// What the beginning of a decoded subject says; `None` for a person's.
pub(super) fn nature(subject: &str) -> Option<Nature> {
    let shown = subject
        .trim_start_matches(|mark: char| mark.is_whitespace() || matches!(mark, '[' | '(' | '【' | '（' | '*' | '<'));
    // Notes writes the capitals; "Auto: scratched door" is a person with a car.
    if shown.starts_with("AUTO:") {
        return Some(Nature::OutOfOffice);
    }
    // No phrase below is longer than this, and a subject may be very long.
    let start: String = shown.chars().take(64).flat_map(char::to_lowercase).collect();
    let begins = |phrases: &[&str]| phrases.iter().any(|phrase| start.strip_prefix(phrase).is_some_and(ends_phrase));
    if begins(FAILED) || FAILED_ALONE.contains(&start.trim_end()) || is_delay(&start) || is_complaint(shown) {
        Some(Nature::Report)
    } else if begins(AWAY) || is_until(&start) {
        Some(Nature::OutOfOffice)
    } else if begins(ANSWERED) {
        Some(Nature::AutoReply)
    } else {
        None
    }
}

/// Whether a phrase is over here: at the end, or at a mark no person's sentence has there.
fn ends_phrase(rest: &str) -> bool {
    let next = rest.trim_start();
    let Some(mark) = next.chars().next() else { return true };
    if matches!(mark, ':' | '：' | '(' | '（' | '[' | ']' | '】' | ')' | '）' | '!' | '|' | '/' | '>') {
        return true;
    }
    // A dash or a full stop only with its space: "out-of-office-hours line" goes on.
    matches!(mark, '-' | '–' | '—' | '.' | ',' | '…') && next.chars().nth(1).is_none_or(char::is_whitespace)
}

/// "Warning: message 1abc-00 delayed 24 hours", "Warning: could not send message for past 4 hours".
fn is_delay(start: &str) -> bool {
    let Some(rest) = start.strip_prefix("warning").and_then(|rest| rest.strip_prefix([':', '-'])) else { return false };
    let rest = rest.trim_start_matches(['-', ' ']);
    (rest.starts_with("message ") && (rest.contains(" delayed") || rest.contains("not yet been delivered")))
        || rest.starts_with("could not send m")
}

/// "complaint about message from 192.0.2.1": Hotmail's feedback loop. A person complains about people, not about numbers.
pub(super) fn is_complaint(subject: &str) -> bool {
    let lower: String = subject.trim_start().chars().take(40).flat_map(char::to_lowercase).collect();
    lower
        .strip_prefix("complaint about message from ")
        .is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
}

/// "Away until May 5", "Out of office until Monday": with the word that only a holiday message has after it.
fn is_until(start: &str) -> bool {
    const LEADS: [&str; 11] = [
        "en congés",
        "en vacances",
        "away",
        "out of office",
        "out of the office",
        "absent",
        "absente",
        "abwesend",
        "fuera de la oficina",
        "afwezig",
        "assente",
    ];
    // "Absent du 3 au 5" is how people announce somebody's leave to a desk; "jusqu'au 5" is how they announce their own.
    const UNTIL: [&str; 7] = ["until ", "till ", "jusqu", "bis ", "hasta ", "tot ", "fino "];
    LEADS.iter().any(|lead| {
        start
            .strip_prefix(lead)
            .is_some_and(|rest| rest.starts_with(' ') && UNTIL.iter().any(|until| rest.trim_start().starts_with(until)))
    })
}
