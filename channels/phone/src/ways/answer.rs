//! The words of text messages: short, in our own words where no person wrote them.

use guichet_domain::language::Language;
use guichet_domain::outgoing::NoticeKind;

use super::Notice;

/// What a text message says.
pub(super) fn text(notice: &Notice<'_>) -> String {
    let french = notice.language == Language::Fr;
    let number = notice.reference;
    let words = match (notice.kind, french) {
        (NoticeKind::Acknowledgement, true) => format!("votre demande est enregistrée sous le numéro {number}."),
        (NoticeKind::Acknowledgement, false) => format!("your request is registered under number {number}."),
        (NoticeKind::Closure, true) => format!("votre demande {number} est résolue. Sinon, rappelez-nous."),
        (NoticeKind::Closure, false) => format!("your request {number} is resolved. If not, call us again."),
        (NoticeKind::Delay, true) => {
            format!("votre demande {number} prend plus de temps que prévu. Nous y travaillons.")
        }
        (NoticeKind::Delay, false) => format!("your request {number} takes longer than promised. We are at it."),
        _ => return notice.text.to_owned(),
    };
    match notice.desk {
        Some(desk) => format!("{desk} : {words}"),
        None => capitalised(&words),
    }
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
