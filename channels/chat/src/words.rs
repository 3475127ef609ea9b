//! What the server says to visitors, in their language.

use guichet_domain::language::Language;

use crate::trouble::{Code, Trouble};

/// The language of the server's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Words {
    #[default]
    En,
    Fr,
}

impl Words {
    /// By a language tag or an `Accept-Language` header: its first language decides.
    pub(crate) fn of(tag: Option<&str>) -> Self {
        let first = tag.and_then(|tag| tag.split([',', ';']).next());
        if first.and_then(Language::parse) == Some(Language::Fr) { Self::Fr } else { Self::En }
    }

    /// The language tag.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    /// One of two texts.
    pub(crate) const fn pick<'a>(self, en: &'a str, fr: &'a str) -> &'a str {
        match self {
            Self::En => en,
            Self::Fr => fr,
        }
    }

    /// The sentence for an error. What is particular to it (a field's name) is kept beside it.
    pub(crate) fn of_trouble(self, trouble: &Trouble, email: Option<&str>) -> String {
        let mut words = match trouble.code {
            Code::RateLimited => self.wait(trouble.retry_after_ms.unwrap_or(1000)),
            Code::BadFrame | Code::NotPossible if !trouble.message.is_empty() => trouble.message.clone(),
            code => self.sentence(code).to_owned(),
        };
        if let Some(email) = email {
            words.push(' ');
            words.push_str(self.pick("You can also write to ", "Vous pouvez aussi écrire à "));
            words.push_str(email);
            words.push('.');
        }
        words
    }

    fn wait(self, millis: u32) -> String {
        let secs = millis.div_ceil(1000).max(1);
        let (number, unit) = match secs {
            1..=90 => (secs, "s"),
            91..=5400 => (secs.div_ceil(60), "min"),
            _ => (secs.div_ceil(3600), "h"),
        };
        match self {
            Self::En => format!("That was a lot at once. Please try again in {number} {unit}."),
            Self::Fr => format!("Cela fait beaucoup à la fois. Merci de réessayer dans {number} {unit}."),
        }
    }

    fn sentence(self, code: Code) -> &'static str {
        let (en, fr) = match code {
            Code::BadFrame | Code::UnknownType => (
                "This program and the server do not understand each other.",
                "Ce programme et le serveur ne se comprennent pas.",
            ),
            Code::UnsupportedVersion => (
                "This chat is out of date. Please reload the page.",
                "Ce chat n’est plus à jour. Merci de recharger la page.",
            ),
            Code::HelloRequired => {
                ("The conversation must begin with a greeting.", "La conversation doit commencer par une salutation.")
            }
            Code::SessionUnknown => ("This session has ended.", "Cette session est terminée."),
            Code::OriginNotAllowed => ("This site may not use this chat.", "Ce site ne peut pas utiliser ce chat."),
            Code::IdentityInvalid => (
                "We could not check who you are. Please log in again.",
                "Nous n’avons pas pu vérifier votre identité. Merci de vous reconnecter.",
            ),
            Code::IdentityRequired => ("Please log in to chat.", "Merci de vous connecter pour discuter."),
            Code::ConvUnknown => ("This conversation does not exist.", "Cette conversation n’existe pas."),
            Code::NotPossible => ("This is not possible now.", "Ce n’est pas possible pour l’instant."),
            Code::Empty => ("The message is empty.", "Le message est vide."),
            Code::TooLong => ("The message is too long.", "Le message est trop long."),
            Code::FormInvalid => ("Please check the fields.", "Merci de vérifier les champs."),
            Code::FileUnknown => (
                "A file is no longer there. Please add it again.",
                "Un fichier n’est plus disponible. Merci de l’ajouter à nouveau.",
            ),
            Code::FileTooLarge => ("The file is too large.", "Le fichier est trop volumineux."),
            Code::FileType => ("This type of file is not accepted.", "Ce type de fichier n’est pas accepté."),
            Code::RateLimited | Code::Busy => {
                ("One moment, please. We will try again.", "Un instant, s’il vous plaît. Nous réessayons.")
            }
            Code::Blocked => {
                ("Your message was put aside for review.", "Votre message a été mis de côté pour vérification.")
            }
            Code::NotFound => ("This link has expired.", "Ce lien a expiré."),
            Code::Internal => ("Something went wrong on our side.", "Une erreur s’est produite de notre côté."),
        };
        self.pick(en, fr)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_error_has_a_sentence_in_both_languages() {
        for code in Code::ALL {
            let words = [Words::En, Words::Fr].map(|words| words.of_trouble(&Trouble::new(*code), None));
            assert!(words.iter().all(|words| words.ends_with('.')), "{words:?}");
            assert_ne!(words[0], words[1]);
        }
    }

    #[test]
    fn whoever_must_wait_is_told_how_long_and_the_way_out() {
        let told = |wait, words| Trouble::rate(Duration::from_secs(wait)).said(words, Some("help@example.org")).message;
        assert_eq!(
            told(1, Words::En),
            "That was a lot at once. Please try again in 1 s. You can also write to help@example.org."
        );
        assert_eq!(
            told(3000, Words::Fr),
            "Cela fait beaucoup à la fois. Merci de réessayer dans 50 min. Vous pouvez aussi écrire à help@example.org."
        );
        assert!(told(7200, Words::En).contains(" 2 h."));
    }

    #[test]
    fn the_first_language_asked_for_decides() {
        for (tag, words) in
            [("fr-CA,fr;q=0.9,en;q=0.8", Words::Fr), ("en-GB,fr;q=0.5", Words::En), ("", Words::En), ("pl", Words::En)]
        {
            assert_eq!(Words::of(Some(tag)), words, "{tag}");
        }
        assert_eq!(Words::of(None), Words::En);
    }
}
