//! Which language a mail is written in.
//!
//! Two steps. Frequent words vote first, which costs a table of a few hundred words and decides nearly every mail.
//! Only where English and French stay level, or no known word occurs, are the statistical models asked; they are
//! loaded at that moment and stay, so an ordinary mail never pays for their memory.

mod words;

use std::collections::HashMap;
use std::sync::LazyLock;

use guichet_domain::language::{Language, fold};
use lingua::{Language as Model, LanguageDetector, LanguageDetectorBuilder};

use words::{LISTS, MARKS};

/// Characters looked at: the beginning says enough, and long logs would only outvote it.
const MOST_CHARACTERS: usize = 4_000;
/// Points a language needs to be believed: one word of its own, or two shared with one other.
const ENOUGH: u32 = 4;
/// Letters below which the models guess rather than know.
const FEWEST_LETTERS: usize = 12;
/// How sure the models must be where the votes leave only English and French.
const EVEN: f64 = 0.5;
/// How sure they must be when hardly a known word occurs, so that it may be a language they do not know.
const SURE: f64 = 0.9;

/// The language of a mail, from its subject and the text its writer wrote (quotation and signature taken off, or they
/// vote too). `None` when too little is written to tell; `Some(Other)` when it is clearly none of the named ones.
///
/// The first call that needs the models loads them, which takes some tens of milliseconds: call it off the async
/// threads if that matters.
pub fn detect(subject: &str, text: &str) -> Option<Language> {
    let text: String = subject
        .chars()
        .take(MOST_CHARACTERS / 4)
        .chain(" \n ".chars())
        .chain(text.chars().take(MOST_CHARACTERS))
        .collect();
    let text = without_addresses(&text);
    if let Some(language) = by_script(&text) {
        return Some(language);
    }
    let letters = text.chars().filter(|character| character.is_alphabetic()).count();
    match vote(&text) {
        Vote::Clear(language) => Some(language),
        Vote::Level if letters >= FEWEST_LETTERS => by_models(&text, EVEN),
        Vote::Weak if letters >= FEWEST_LETTERS => by_models(&text, SURE),
        Vote::Split | Vote::Level | Vote::Weak => None,
    }
}

/// What the frequent words say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vote {
    /// One language leads.
    Clear(Language),
    /// English and French lead together.
    Level,
    /// Hardly a known word.
    Weak,
    /// Other languages are level, which the models cannot part.
    Split,
}

fn vote(text: &str) -> Vote {
    let mut ranking: Vec<(Language, u32)> = count(text).into_iter().collect();
    ranking.sort_by_key(|(language, points)| (std::cmp::Reverse(*points), *language));
    let (first, points) = ranking.first().copied().unwrap_or((Language::Other, 0));
    let (second, runner_up) = ranking.get(1).copied().unwrap_or((Language::Other, 0));
    let modelled = |language: Language| matches!(language, Language::En | Language::Fr);
    if points >= ENOUGH && points >= runner_up * 2 {
        Vote::Clear(first)
    } else if runner_up > 0 && modelled(first) && modelled(second) {
        Vote::Level
    } else if points < ENOUGH && (points == 0 || modelled(first) || (modelled(second) && points == runner_up)) {
        Vote::Weak
    } else if points >= ENOUGH && points > runner_up {
        Vote::Clear(first)
    } else {
        Vote::Split
    }
}

/// Links and addresses are in no language.
fn without_addresses(text: &str) -> String {
    text.split_whitespace()
        .filter(|word| !word.contains("://") && !word.contains('@') && !word.starts_with("www."))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A text mostly in another script is in none of the named languages.
fn by_script(text: &str) -> Option<Language> {
    let (mut latin, mut other) = (0_usize, 0_usize);
    for character in text.chars().filter(|character| character.is_alphabetic()) {
        if character <= '\u{24f}' || ('\u{1e00}'..='\u{1eff}').contains(&character) { latin += 1 } else { other += 1 }
    }
    (other > latin && other >= 2).then_some(Language::Other)
}

/// A word's points for each language that has it: many for a word of one language alone, none for one of four.
static POINTS: LazyLock<HashMap<&'static str, Vec<(Language, u32)>>> = LazyLock::new(|| {
    let mut owners: HashMap<&'static str, Vec<Language>> = HashMap::new();
    for (language, list) in LISTS {
        for word in list.split_whitespace() {
            let languages = owners.entry(word).or_default();
            if !languages.contains(language) {
                languages.push(*language);
            }
        }
    }
    let points = |owners: usize| match owners {
        1 => 4,
        2 => 2,
        3 => 1,
        _ => 0,
    };
    owners
        .into_iter()
        .map(|(word, languages)| {
            (word, languages.iter().map(|language| (*language, points(languages.len()))).collect())
        })
        .collect()
});

fn count(text: &str) -> HashMap<Language, u32> {
    let mut votes = HashMap::new();
    let folded = fold(text);
    for word in folded.split(|character: char| !character.is_alphabetic()) {
        for (language, points) in POINTS.get(word).into_iter().flatten() {
            *votes.entry(*language).or_default() += points;
        }
    }
    for character in text.chars().filter(|character| !character.is_ascii()) {
        for (characters, language, points) in MARKS {
            if characters.contains(character) {
                *votes.entry(*language).or_default() += points;
            }
        }
    }
    votes
}

static MODELS: LazyLock<LanguageDetector> =
    LazyLock::new(|| LanguageDetectorBuilder::from_languages(&[Model::English, Model::French]).build());

fn by_models(text: &str, sure: f64) -> Option<Language> {
    let (model, confidence) = MODELS.compute_language_confidence_values(text).into_iter().next()?;
    if confidence < sure {
        return None;
    }
    match model {
        Model::English => Some(Language::En),
        Model::French => Some(Language::Fr),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_requests_are_told_apart_without_a_model() {
        for (text, language) in [
            ("Mon imprimante ne marche plus", Language::Fr),
            ("My printer does not work", Language::En),
            ("Mein Drucker druckt nicht mehr", Language::De),
            ("Mi impresora no funciona", Language::Es),
            ("La mia stampante non funziona", Language::It),
            ("A minha impressora não funciona", Language::Pt),
            ("Mijn printer werkt niet meer", Language::Nl),
            ("Moja drukarka nie działa", Language::Other),
            ("プリンターが動きません", Language::Other),
            ("الطابعة لا تعمل", Language::Other),
        ] {
            assert_eq!(detect("", text), Some(language), "{text}");
            assert!(by_script(text).is_some() || vote(text) == Vote::Clear(language), "{text} needed a model");
        }
    }

    #[test]
    fn ordinary_mails_never_load_the_models() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/human");
        let index = std::fs::read_to_string(folder.join("index.jsonl")).unwrap();
        let mails: Vec<serde_json::Value> = index.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let needs_model = |mail: &&serde_json::Value| {
            let text =
                format!("{} {}", mail["subject"].as_str().unwrap_or_default(), mail["reply_text"].as_str().unwrap());
            by_script(&text).is_none() && matches!(vote(&text), Vote::Level | Vote::Weak)
        };
        let needed: Vec<_> = mails.iter().filter(needs_model).map(|mail| &mail["file"]).collect();
        assert!(needed.len() * 50 <= mails.len(), "{} of {}: {needed:?}", needed.len(), mails.len());
    }

    #[test]
    fn the_subject_speaks_where_the_body_is_empty() {
        assert_eq!(detect("Absence de réseau au bureau", ""), Some(Language::Fr));
        assert_eq!(detect("Undeliverable parcels", "see below please"), Some(Language::En));
    }

    #[test]
    fn too_little_text_is_no_language() {
        assert_eq!(detect("", ""), None);
        assert_eq!(detect("", "12345 ???"), None);
        assert_eq!(detect("", "https://example.org/the/and/with a@b.example"), None);
    }

    #[test]
    fn rare_words_alone_are_left_to_the_models() {
        assert_eq!(detect("", "Clignotements intempestifs affichage vertical tremblant"), Some(Language::Fr));
        assert_eq!(detect("", "Flickering lights throughout upstairs hallway"), Some(Language::En));
    }
}
