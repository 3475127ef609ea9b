//! The language a person writes in, and the folding every word list is compared under.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// A language that the gateway tells apart. Notices exist in full for English and French; the others fall back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English.
    En,
    /// French.
    Fr,
    /// German.
    De,
    /// Spanish.
    Es,
    /// Italian.
    It,
    /// Portuguese.
    Pt,
    /// Dutch.
    Nl,
    /// Known to be none of the above, such as Polish or Arabic. Not the same as not knowing, which is `None`.
    Other,
}

impl Language {
    /// Every language with a code of its own; `Other` is left out.
    pub const NAMED: [Self; 7] = [Self::En, Self::Fr, Self::De, Self::Es, Self::It, Self::Pt, Self::Nl];

    /// The ISO 639-1 code, or `other`. `parse` reads it back.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
            Self::De => "de",
            Self::Es => "es",
            Self::It => "it",
            Self::Pt => "pt",
            Self::Nl => "nl",
            Self::Other => "other",
        }
    }

    /// Reads a code or a language tag: case, region and script are ignored (`fr-CA`, `PT_br`). Any well-formed tag of
    /// another language is `Other`; what is no tag at all is `None`.
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        if let Some(language) = Self::NAMED.into_iter().find(|language| language.as_str() == primary) {
            return Some(language);
        }
        let is_code = (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_lowercase());
        (is_code || primary == "other").then_some(Self::Other)
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Language {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tag = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&tag).ok_or_else(|| serde::de::Error::custom(format!("{tag:?} is not a language code such as fr")))
    }
}

/// Lower case without accents, so that `Réponse`, `reponse` and `RÉPONSE` are one word. Length may change; text that
/// is already so is borrowed.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    if text.is_ascii() {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    Cow::Owned(folded)
}

/// Puts [`fold`] of the text behind what stands in `folded`.
pub fn fold_into(text: &str, folded: &mut String) {
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        // Most of any Latin text is ASCII, and goes over in runs.
        let run = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
        let (ascii, behind) = rest.split_at_checked(run).unwrap_or((rest, ""));
        if run > 0 {
            let start = folded.len();
            folded.push_str(ascii);
            if let Some(added) = folded.get_mut(start..) {
                added.make_ascii_lowercase();
            }
            rest = behind;
            continue;
        }
        fold_foreign(character, folded);
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
}

fn fold_foreign(character: char, folded: &mut String) {
    match character {
        'ß' | 'ẞ' => folded.push_str("ss"),
        'œ' | 'Œ' => folded.push_str("oe"),
        'æ' | 'Æ' => folded.push_str("ae"),
        'ł' | 'Ł' => folded.push('l'),
        '’' | '‘' | 'ʼ' => folded.push('\''),
        '\u{a0}' | '\u{202f}' | '\u{2007}' => folded.push(' '),
        // What decomposing would say of them, without asking its tables: these are in every French or German line.
        'À'..='Å' | 'à'..='å' => folded.push('a'),
        'Ç' | 'ç' => folded.push('c'),
        'È'..='Ë' | 'è'..='ë' => folded.push('e'),
        'Ì'..='Ï' | 'ì'..='ï' => folded.push('i'),
        'Ñ' | 'ñ' => folded.push('n'),
        'Ò'..='Ö' | 'ò'..='ö' | 'ø' | 'Ø' => folded.push('o'),
        'Ù'..='Ü' | 'ù'..='ü' => folded.push('u'),
        // Latin and Greek. Elsewhere a mark makes another letter: й, ガ, أ.
        '\u{c0}'..='\u{3ff}' | '\u{1e00}'..='\u{1fff}' => decompose_canonical(character, |part| {
            if !is_combining_mark(part) {
                folded.extend(part.to_lowercase());
            }
        }),
        _ => folded.extend(character.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_with_a_region_is_the_language_itself() {
        assert_eq!(Language::parse("fr-CA"), Some(Language::Fr));
        assert_eq!(Language::parse("PT_br"), Some(Language::Pt));
        assert_eq!(Language::parse("pl"), Some(Language::Other));
        assert_eq!(Language::parse(""), None);
        assert_eq!(Language::parse("not a tag"), None);
    }

    #[test]
    fn a_language_survives_being_stored() {
        for language in Language::NAMED.into_iter().chain([Language::Other]) {
            let stored = serde_json::to_string(&language).unwrap();
            assert_eq!(serde_json::from_str::<Language>(&stored).unwrap(), language, "{stored}");
        }
    }

    #[test]
    fn accents_case_and_typographic_apostrophes_fold_away() {
        assert_eq!(fold("Désolé, ça n’est PAS Größe"), "desole, ca n'est pas grosse");
        assert_eq!(fold("Любой Téléphone e\u{301}"), "любой telephone e");
        assert!(matches!(fold("already so"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_letter_folds_alike_however_its_accent_is_written() {
        for character in ('\u{c0}'..='\u{17f}').filter(|character| !"ßœŒæÆøØłŁ".contains(*character)) {
            let mut apart = String::from("x");
            decompose_canonical(character, |part| apart.push(part));
            assert_eq!(fold(&format!("x{character}")), fold(&apart), "{character}");
        }
    }
}
