//! Which language a mail is written in.
//!
//! Two steps. Frequent words vote first, which costs a table of a few hundred words and decides nearly every mail.
//! Only where English and French stay level, or no known word occurs, are the statistical models asked; they are
//! loaded at that moment and stay, so an ordinary mail never pays for their memory.

mod words;

use std::sync::LazyLock;

use guichet_domain::language::{Language, fold};
use guichet_domain::vocabulary::WordMap;
use lingua::{Language as Model, LanguageDetector, LanguageDetectorBuilder};

use words::{LISTS, MARKS};

/// Characters looked at: the beginning says enough, and long logs would only outvote it.
const MOST_CHARACTERS: usize = 4_000;
/// Points a language needs to be believed: one word of its own, or two shared with one other.
const ENOUGH: u32 = 4;
/// Words between two looks at whether the rest still has to be read.
const BETWEEN_LOOKS: usize = 64;
/// Points after which a language that leads by far is believed without the rest: some twenty words of its own.
const PLENTY: u32 = 80;
/// How many times the next one's points it must have by then.
const BY_FAR: u32 = 4;
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
    let subject = beginning(subject, MOST_CHARACTERS / 4);
    let text = beginning(text, MOST_CHARACTERS);
    let mut count = Count::default();
    for (index, word) in words(subject).chain(words(text)).enumerate() {
        count.add(word);
        if index % BETWEEN_LOOKS == BETWEEN_LOOKS - 1
            && let Some(language) = count.settled()
        {
            return Some(language);
        }
    }
    if count.other > count.latin && count.other >= 2 {
        // Mostly in another script: none of the named languages.
        return Some(Language::Other);
    }
    let enough = count.latin + count.other >= FEWEST_LETTERS;
    let shown = || words(subject).chain(words(text)).collect::<Vec<_>>().join(" ");
    match vote(&count) {
        Vote::Clear(language) => Some(language),
        Vote::Level if enough => by_models(&shown(), EVEN),
        Vote::Weak if enough => by_models(&shown(), SURE),
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

fn vote(count: &Count) -> Vote {
    let [(first, points), (second, runner_up)] = count.leaders();
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

fn beginning(text: &str, characters: usize) -> &str {
    if text.len() <= characters {
        return text;
    }
    let end = text.char_indices().nth(characters).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or(text)
}

/// The words between blanks. Links and addresses are in no language.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().filter(|word| {
        let address =
            word.bytes().any(|byte| matches!(byte, b'@' | b':')) && (word.contains('@') || word.contains("://"));
        !address && !word.starts_with("www.")
    })
}

/// Every language, in the order in which points are kept. Of equals, the first leads.
const LANGUAGES: [Language; 8] =
    [Language::En, Language::Fr, Language::De, Language::Es, Language::It, Language::Pt, Language::Nl, Language::Other];

/// Points, one entry for each of [`LANGUAGES`].
type Points = [u8; LANGUAGES.len()];

/// What is known of the words read so far.
#[derive(Default)]
struct Count {
    points: [u32; LANGUAGES.len()],
    /// Letters of the Latin script.
    latin: usize,
    /// Letters of all others.
    other: usize,
}

impl Count {
    fn add(&mut self, word: &str) {
        if word.is_ascii() {
            self.latin += word.bytes().filter(u8::is_ascii_alphabetic).count();
        } else {
            for character in word.chars() {
                self.add_character(character);
            }
        }
        for part in fold(word).split(|character: char| !character.is_alphabetic()) {
            if let Some(points) = POINTS.get(part) {
                self.give(*points);
            }
        }
    }

    fn add_character(&mut self, character: char) {
        if character.is_alphabetic() {
            let latin = character <= '\u{24f}' || ('\u{1e00}'..='\u{1eff}').contains(&character);
            if latin { self.latin += 1 } else { self.other += 1 }
        }
        if !character.is_ascii()
            && let Some(points) = MARKED.get(character as usize)
        {
            self.give(*points);
        }
    }

    fn give(&mut self, points: Points) {
        for (total, points) in self.points.iter_mut().zip(points) {
            *total += u32::from(points);
        }
    }

    /// The first two.
    fn leaders(&self) -> [(Language, u32); 2] {
        let mut leaders = [(Language::Other, 0); 2];
        for (language, points) in LANGUAGES.into_iter().zip(self.points) {
            if points > leaders[0].1 {
                leaders = [(language, points), leaders[0]];
            } else if points > leaders[1].1 {
                leaders[1] = (language, points);
            }
        }
        leaders
    }

    /// The language that the rest of the text would hardly change.
    fn settled(&self) -> Option<Language> {
        let [(first, points), (_, runner_up)] = self.leaders();
        (points >= PLENTY && points >= runner_up * BY_FAR && self.latin > self.other * 2).then_some(first)
    }
}

/// A word's points for each language that has it: many for a word of one language alone, none for one of four.
static POINTS: LazyLock<WordMap<Points>> = LazyLock::new(|| {
    let mut points: WordMap<Points> = WordMap::default();
    for (language, list) in LISTS {
        for word in list.split_whitespace() {
            *of(points.entry(word).or_default(), *language) = 1;
        }
    }
    for each in points.values_mut() {
        let worth = match each.iter().sum() {
            1_u8 => 4,
            2 => 2,
            3 => 1,
            _ => 0,
        };
        for own in each {
            *own *= worth;
        }
    }
    points
});

/// The points of letters that point to a language by themselves, at the place of their number.
static MARKED: LazyLock<Vec<Points>> = LazyLock::new(|| {
    let mut marked: Vec<Points> = Vec::new();
    for (characters, language, points) in MARKS {
        for character in characters.chars() {
            let place = character as usize;
            if marked.len() <= place {
                marked.resize(place + 1, Points::default());
            }
            if let Some(known) = marked.get_mut(place) {
                *of(known, *language) += points;
            }
        }
    }
    marked
});

fn of(points: &mut Points, language: Language) -> &mut u8 {
    let place = LANGUAGES.iter().position(|known| *known == language).unwrap_or(LANGUAGES.len() - 1);
    &mut points[place]
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

    fn needs_model(subject: &str, text: &str) -> bool {
        let mut count = Count::default();
        words(subject).chain(words(text)).for_each(|word| count.add(word));
        count.other <= count.latin && matches!(vote(&count), Vote::Level | Vote::Weak)
    }

    #[test]
    fn a_long_text_is_judged_by_its_beginning() {
        let french = "Bonjour, mon imprimante ne marche plus depuis hier et je ne peux pas travailler. ".repeat(12);
        assert_eq!(detect("", &format!("{french} {}", "the and is are was ".repeat(40))), Some(Language::Fr));
        let both = "Bonjour, mon imprimante ne marche plus. Hello, my printer does not work. ".repeat(12);
        assert_ne!(detect("", &format!("{both} {}", "der die das und nicht ".repeat(200))), Some(Language::Fr));
    }

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
            assert!(!needs_model("", text), "{text} needed a model");
        }
    }

    #[test]
    fn ordinary_mails_never_load_the_models() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/human");
        let index = std::fs::read_to_string(folder.join("index.jsonl")).unwrap();
        let mails: Vec<serde_json::Value> = index.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let needs_model = |mail: &&serde_json::Value| {
            needs_model(mail["subject"].as_str().unwrap_or_default(), mail["reply_text"].as_str().unwrap())
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
