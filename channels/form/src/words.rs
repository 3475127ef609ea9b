//! The words of the pages, in full in every language they are offered in.

/// A language the pages are offered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    En,
    Fr,
}

impl Lang {
    pub(crate) const ALL: [Self; 2] = [Self::En, Self::Fr];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    /// How the language calls itself.
    pub(crate) const fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Fr => "Français",
        }
    }

    /// The language asked for in the address, else the first of `Accept-Language` (RFC 9110 section 12.5.4, its weights
    /// taken as ordered) that we have, else English.
    pub(crate) fn chosen(asked: Option<&str>, accepted: &str) -> Self {
        let known = |tag: &str| {
            let primary = tag.trim().split(['-', ';']).next().unwrap_or_default().to_ascii_lowercase();
            Self::ALL.into_iter().find(|lang| lang.as_str() == primary)
        };
        asked.and_then(known).or_else(|| accepted.split(',').find_map(known)).unwrap_or(Self::En)
    }
}

macro_rules! words {
    ($($name:ident: $en:literal, $fr:literal;)*) => {
        /// What can be said.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Word { $($name),* }

        /// `word` in `lang`. Words in braces are filled in by the caller.
        pub(crate) const fn say(lang: Lang, word: Word) -> &'static str {
            match (word, lang) {
                $((Word::$name, Lang::En) => $en, (Word::$name, Lang::Fr) => $fr,)*
            }
        }

        #[cfg(test)]
        const ALL: &[Word] = &[$(Word::$name),*];
    };
}

words! {
    StandardTitle: "Ask for help", "Demander de l’aide";
    StandardIntro: "Tell us what is wrong or what you need. You get a number at once, and answers by e-mail.",
        "Dites-nous ce qui ne va pas ou ce qu’il vous faut. Vous recevez un numéro tout de suite, et les réponses par e-mail.";
    ChooseTitle: "How can we help?", "Que pouvons-nous faire pour vous ?";
    ChooseIntro: "Choose what fits best.", "Choisissez ce qui convient le mieux.";
    Name: "Your name", "Votre nom";
    Optional: "optional", "facultatif";
    Email: "Your e-mail address", "Votre adresse e-mail";
    EmailHint: "We answer you there.", "C’est là que nous vous répondons.";
    Subject: "In a few words", "En quelques mots";
    SubjectHint: "For example: the printer on the second floor prints blank pages",
        "Par exemple : l’imprimante du deuxième imprime des pages blanches";
    Message: "What is it about?", "De quoi s’agit-il ?";
    MessageHint: "What happened, since when, what you have tried. Never write a password here.",
        "Ce qui s’est passé, depuis quand, ce que vous avez essayé. N’écrivez jamais de mot de passe ici.";
    Files: "Pictures or files", "Images ou fichiers";
    FilesHint: "At most {count}, {mib} MB each. Screenshots help.", "Au plus {count}, de {mib} Mo chacun. Les captures d’écran aident.";
    Kept: "Uploaded, no need to choose it again:", "Déjà reçu, inutile de le choisir à nouveau :";
    Keep: "Send along", "Joindre";
    Send: "Send", "Envoyer";
    Privacy: "How we treat what you send", "Ce que nous faisons de ce que vous envoyez";
    Yes: "Yes", "Oui";
    Choose: "Please choose", "Veuillez choisir";
    Trap: "Leave this field empty", "Laissez ce champ vide";
    Languages: "Languages", "Langues";
    Problem: "Please check:", "À vérifier :";
    ErrorTitle: "Error: ", "Erreur : ";
    EmailMissing: "Write your e-mail address, so that we can answer you.", "Indiquez votre adresse e-mail, pour que nous puissions vous répondre.";
    EmailWrong: "This does not look like an e-mail address; it should look like name@example.org.",
        "Cela ne ressemble pas à une adresse e-mail ; elle devrait avoir la forme nom@exemple.fr.";
    MessageMissing: "Write what it is about.", "Écrivez de quoi il s’agit.";
    FieldMissing: "Fill in “{label}”.", "Remplissez « {label} ».";
    NoSuchOption: "Choose one of the answers of “{label}”.", "Choisissez une des réponses de « {label} ».";
    TooLong: "“{label}” is too long: at most {most} characters.", "« {label} » est trop long : {most} caractères au plus.";
    TooManyFiles: "At most {count} files can be sent along.", "On peut joindre {count} fichiers au plus.";
    FileTooLarge: "“{label}” is too large: at most {mib} MB.", "« {label} » est trop volumineux : {mib} Mo au plus.";
    FileKind: "“{label}” is a kind of file we do not take: a program or a web page.",
        "« {label} » est d’un type que nous n’acceptons pas : un programme ou une page web.";
    TooOld: "This page was open for a long time. Nothing is lost: please press Send once more.",
        "Cette page est restée ouverte longtemps. Rien n’est perdu : appuyez encore une fois sur Envoyer.";
    TooQuick: "That was very quick. Please check what you wrote and press Send once more.",
        "C’était très rapide. Relisez ce que vous avez écrit et appuyez encore une fois sur Envoyer.";
    Puzzle: "Many requests are coming in. Your browser first has to do a small sum: press Send once more; without JavaScript, wait half a minute before.",
        "Beaucoup de demandes arrivent. Votre navigateur doit d’abord faire un petit calcul : appuyez encore une fois sur Envoyer ; sans JavaScript, attendez une demi-minute avant.";
    TooMany: "Too many requests came from your network. Try again in {minutes} min. Nothing you wrote is lost on this page.",
        "Trop de demandes sont venues de votre réseau. Réessayez dans {minutes} min. Rien de ce que vous avez écrit n’est perdu sur cette page.";
    Busy: "Your request could not be stored just now. Nothing you wrote is lost on this page: try again in a minute.",
        "Votre demande n’a pas pu être enregistrée à l’instant. Rien de ce que vous avez écrit n’est perdu sur cette page : réessayez dans une minute.";
    OrMail: "Or write to {email}.", "Ou écrivez à {email}.";
    ReceivedTitle: "We have it", "C’est bien reçu";
    ReceivedNumber: "Your request has the number", "Votre demande porte le numéro";
    ReceivedAside: "We have received what you sent. A person looks at it and answers you.",
        "Nous avons reçu votre envoi. Une personne va le regarder et vous répondre.";
    Next: "What happens next", "Et maintenant ?";
    NextMail: "A confirmation with this number is on its way to {address}.", "Une confirmation avec ce numéro part vers {address}.";
    NextPromise: "You get an answer by {time} at the latest.", "Vous aurez une réponse au plus tard le {time}.";
    NextAdd: "To add something, answer that e-mail.", "Pour ajouter quelque chose, répondez à cet e-mail.";
    NextNone: "No e-mail after a few minutes? Look among the unwanted mail, or send the form once more with the right address.",
        "Pas d’e-mail après quelques minutes ? Regardez parmi les indésirables, ou renvoyez le formulaire avec la bonne adresse.";
    Another: "Send another request", "Envoyer une autre demande";
    GoneTitle: "This page is over", "Cette page n’est plus valable";
    GoneText: "It shows a request for one day. The number stands in the e-mail we sent you.",
        "Elle montre une demande pendant un jour. Le numéro figure dans l’e-mail que nous vous avons envoyé.";
    NotFoundTitle: "There is no such form", "Ce formulaire n’existe pas";
    NotFoundText: "The address may be mistyped.", "L’adresse est peut-être mal écrite.";
    BackToForms: "To the forms", "Vers les formulaires";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_there_in_every_language_with_the_same_places_to_fill() {
        let places = |text: &str| {
            let mut found: Vec<String> =
                text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(str::to_owned).collect();
            found.sort();
            found
        };
        for word in ALL {
            assert_eq!(places(say(Lang::En, *word)), places(say(Lang::Fr, *word)), "{word:?}");
            assert!(!say(Lang::Fr, *word).trim().is_empty(), "{word:?}");
        }
    }

    #[test]
    fn the_address_comes_before_the_browser_and_what_we_have_before_what_we_have_not() {
        assert_eq!(Lang::chosen(Some("fr"), "en"), Lang::Fr);
        assert_eq!(Lang::chosen(Some("xx"), "de-DE,fr-CA;q=0.8,en;q=0.5"), Lang::Fr);
        assert_eq!(Lang::chosen(None, ""), Lang::En);
    }
}
