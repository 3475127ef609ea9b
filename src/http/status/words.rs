//! The words of the status page, in full in every language it is shown in.

use guichet_domain::language::Language;
use guichet_domain::ticket::State;

macro_rules! words {
    ($($name:ident: $en:literal, $fr:literal;)*) => {
        /// What can be said.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Word { $($name),* }

        /// `word` in `lang`; English where the page is not offered in it. Words in braces are filled in by the caller.
        pub(super) const fn say(lang: Language, word: Word) -> &'static str {
            match (word, lang) {
                $((Word::$name, Language::Fr) => $fr, (Word::$name, _) => $en,)*
            }
        }

        #[cfg(test)]
        const ALL: &[Word] = &[$(Word::$name),*];
    };
}

words! {
    Title: "Your request", "Votre demande";
    Number: "Number", "Numéro";
    Standing: "Status", "État";
    About: "About", "Objet";
    Filed: "Filed under", "Classée dans";
    Opened: "Received on", "Reçue le";
    Promise: "You get an answer by", "Vous aurez une réponse au plus tard le";
    New: "Received", "Reçue";
    Open: "In progress", "En cours";
    Waiting: "Waiting for your answer", "En attente de votre réponse";
    Resolved: "Solved", "Résolue";
    Closed: "Closed", "Clôturée";
    Talk: "What was said", "Les échanges";
    You: "You", "Vous";
    Files: "Files:", "Fichiers :";
    Earlier: "Later messages", "Messages suivants";
    Write: "Write to us", "Nous écrire";
    WriteClosed: "This request is closed. What you write opens a new one that follows it.",
        "Cette demande est clôturée. Ce que vous écrivez en ouvre une nouvelle, qui y fait suite.";
    Message: "Your message", "Votre message";
    Attach: "Pictures or files (at most 5, of 10 MB each)", "Images ou fichiers (5 au plus, de 10 Mo chacun)";
    Send: "Send", "Envoyer";
    Close: "It is settled for me", "C’est réglé pour moi";
    Reopen: "It is not solved: take it up again", "Ce n’est pas résolu : rouvrir";
    RateTitle: "How was it?", "Comment cela s’est-il passé ?";
    RateWords: "Anything to add?", "Quelque chose à ajouter ?";
    Rate: "Tell us", "Nous le dire";
    Rated: "You gave {score} out of 5.", "Vous avez donné {score} sur 5.";
    Score1: "1, bad", "1, mauvais";
    Score2: "2", "2";
    Score3: "3, fair", "3, moyen";
    Score4: "4", "4";
    Score5: "5, very good", "5, très bien";
    Renew: "Make a new link", "Faire un nouveau lien";
    RenewHint: "This page is for you alone. Has somebody else seen its address? Then make a new one: this one ends.",
        "Cette page n’est que pour vous. Quelqu’un d’autre a vu son adresse ? Faites-en une nouvelle : celle-ci prend fin.";
    DoneReplied: "Your message has reached us.", "Votre message nous est parvenu.";
    DoneFollows: "Your message opened a new request; its number comes by e-mail.",
        "Votre message a ouvert une nouvelle demande ; son numéro arrive par e-mail.";
    DoneClosed: "Noted: it is settled.", "C’est noté : c’est réglé.";
    DoneReopened: "We take it up again.", "Nous reprenons votre demande.";
    DoneRated: "Thank you, that helps us.", "Merci, cela nous aide.";
    DoneRenewed: "This is the new address of this page. Keep it; the old one has ended.",
        "Voici la nouvelle adresse de cette page. Conservez-la ; l’ancienne a pris fin.";
    NotDone: "This was not possible:", "Cela n’a pas été possible :";
    Refused: "as the request stands now, it cannot be done. The page shows how it stands.",
        "dans l’état actuel de la demande, cela ne peut pas se faire. La page montre où elle en est.";
    Empty: "write something, or add a file.", "écrivez quelque chose, ou joignez un fichier.";
    TooMuch: "at most 5 files of 10 MB each, and 100,000 characters.", "5 fichiers au plus, de 10 Mo chacun, et 100 000 caractères.";
    FileKind: "programs and web pages are not taken as files.", "les programmes et les pages web ne sont pas acceptés comme fichiers.";
    Busy: "it could not be stored just now. Try again in a minute; what you wrote is still here.",
        "l’enregistrement n’a pas pu se faire à l’instant. Réessayez dans une minute ; ce que vous avez écrit est encore ici.";
    GoneTitle: "This link opens nothing", "Ce lien n’ouvre rien";
    GoneText: "It may be mistyped, or over, or a newer one took its place.", "Il est peut-être mal recopié, ou expiré, ou remplacé par un plus récent.";
    FindTitle: "Find your request", "Retrouver votre demande";
    FindIntro: "Give the number and your e-mail address. If they belong together, we mail you a link to its page.",
        "Indiquez le numéro et votre adresse e-mail. S’ils vont ensemble, nous vous envoyons un lien vers sa page.";
    FindNumber: "Number of the request", "Numéro de la demande";
    FindEmail: "Your e-mail address", "Votre adresse e-mail";
    FindSend: "Mail me the link", "M’envoyer le lien";
    FoundTitle: "Look into your mailbox", "Regardez votre boîte aux lettres";
    FoundText: "If number and address belong together, a link is on its way. It may take a minute; look among the unwanted mail too.",
        "Si le numéro et l’adresse vont ensemble, un lien est en route. Cela peut prendre une minute ; regardez aussi parmi les indésirables.";
    TooMany: "Too many questions came from your network. Try again in {minutes} min.",
        "Trop de demandes sont venues de votre réseau. Réessayez dans {minutes} min.";
    FindAgain: "Find your request by its number", "Retrouver votre demande par son numéro";
}

/// The state as its requester reads it.
pub(super) const fn state(lang: Language, state: State) -> &'static str {
    let word = match state {
        State::New => Word::New,
        State::Open => Word::Open,
        State::Waiting => Word::Waiting,
        State::Resolved => Word::Resolved,
        State::Closed => Word::Closed,
    };
    say(lang, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_there_in_every_language_with_the_same_places_to_fill() {
        let places = |text: &str| text.matches('{').count();
        for word in ALL {
            assert_eq!(places(say(Language::En, *word)), places(say(Language::Fr, *word)), "{word:?}");
            assert!(!say(Language::Fr, *word).trim().is_empty(), "{word:?}");
        }
    }
}
