//! Categories and rules, compiled.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind};
use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::settings::{CategorySettings, RuleSettings, TaxonomySettings};
use super::words::words;
use super::{Classification, Fact, classify};
use crate::language::Language;
use crate::ticket::Kind;

const MAX_RULES: usize = 2_000;
const MAX_PHRASES: usize = 20_000;
const MAX_PHRASE_CHARS: usize = 200;
/// With more phrases than this the search table would take more memory than its speed is worth.
const MAX_QUICK_PHRASES: usize = 4_000;
const MAX_PATTERNS: usize = 200;
const PATTERN_BYTES: usize = 1 << 18;
const PATTERNS_BYTES: usize = 1 << 22;

/// Categories and the rules that find them. Cheap to clone.
#[derive(Clone)]
pub struct Taxonomy(Arc<Compiled>);

pub(super) struct Compiled {
    /// The index of the default category.
    pub(super) default: usize,
    pub(super) categories: Vec<Category>,
    pub(super) rules: Vec<Rule>,
    pub(super) phrases: Vec<Phrase>,
    pub(super) finder: AhoCorasick,
    pub(super) patterns: Vec<Pattern>,
    pub(super) pattern_set: RegexSet,
}

/// A category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// Stored with tickets.
    pub key: String,
    /// The category it refines, as a place in [`Taxonomy::categories`].
    pub parent: Option<usize>,
    labels: BTreeMap<Language, String>,
}

pub(super) struct Rule {
    pub(super) name: String,
    pub(super) votes: Vec<(usize, f32)>,
    pub(super) kind: Option<Kind>,
    pub(super) facts: Vec<Fact>,
}

/// A phrase, at the same place as in the finder.
pub(super) struct Phrase {
    pub(super) rule: usize,
    /// `None` counts in every language.
    pub(super) language: Option<Language>,
    /// Whether any ending may follow.
    pub(super) open: bool,
}

pub(super) struct Pattern {
    pub(super) rule: usize,
    pub(super) regex: Regex,
}

/// What is wrong with a taxonomy, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {remedy}")]
pub struct TaxonomyError {
    /// The category, rule or line.
    pub place: String,
    /// What is wrong there and what would be right.
    pub remedy: String,
}

static DEFAULT: LazyLock<Taxonomy> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
    Taxonomy::new(&TaxonomySettings::default()).expect("the built-in taxonomy is sound")
});

impl Default for Taxonomy {
    /// The built-in categories (hardware, software, network, access, other) and rules, in English and French. Compiled
    /// once a process.
    fn default() -> Self {
        DEFAULT.clone()
    }
}

impl fmt::Debug for Taxonomy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Taxonomy({} categories, {} rules)", self.0.categories.len(), self.0.rules.len())
    }
}

impl Taxonomy {
    /// Reads TOML as [`TaxonomySettings`] describes it.
    pub fn from_toml(text: &str) -> Result<Self, TaxonomyError> {
        Self::new(&read(text)?)
    }

    /// Compiles the settings, together with the built-in ones unless they stand alone.
    pub fn new(settings: &TaxonomySettings) -> Result<Self, TaxonomyError> {
        let merged = if settings.standalone { settings.clone() } else { extended(settings)? };
        let categories = categories(&merged.category)?;
        let place = |key: &str| categories.iter().position(|category| category.key == key);
        let default = merged.default.as_deref().unwrap_or("other");
        let default = place(default).ok_or_else(|| unknown_category("default", default, &categories))?;
        let mut compiler = Compiler::default();
        for rule in &merged.rule {
            compiler.add(rule, &categories)?;
        }
        compiler.finish(default, categories).map(|compiled| Self(Arc::new(compiled)))
    }

    /// What the rules make of a request. Pure, and linear in the text; of a long one only the beginning is read.
    /// Phrases of another language than the text's count half, since people mix them in this trade.
    pub fn classify(&self, subject: &str, text: &str, language: Language) -> Classification {
        classify::classify(&self.0, subject, text, language)
    }

    /// All categories, parents before or after their children as they were written.
    pub fn categories(&self) -> &[Category] {
        &self.0.categories
    }

    /// The category with this key; `None` when it was taken out of the configuration since.
    pub fn category(&self, key: &str) -> Option<&Category> {
        self.0.categories.iter().find(|category| category.key == key)
    }

    /// What people read for a key, in their language; the key itself when the category is gone.
    pub fn label<'a>(&'a self, key: &'a str, language: Language) -> &'a str {
        self.category(key).map_or(key, |category| category.label(language))
    }
}

impl Category {
    /// What people read: in their language, else in English, else the key.
    pub fn label(&self, language: Language) -> &str {
        self.labels.get(&language).or_else(|| self.labels.get(&Language::En)).map_or(&self.key, String::as_str)
    }
}

fn read(text: &str) -> Result<TaxonomySettings, TaxonomyError> {
    toml::from_str(text).map_err(|error| fault("taxonomy", error.to_string().trim_end()))
}

/// The built-in settings with these on top.
fn extended(settings: &TaxonomySettings) -> Result<TaxonomySettings, TaxonomyError> {
    let mut merged = read(include_str!("default.toml"))?;
    for name in &settings.off {
        if !merged.rule.iter().any(|rule| rule.name == *name) {
            return Err(fault(&format!("off = {name:?}"), "there is no built-in rule of this name"));
        }
    }
    let replaced = |name: &String| settings.off.contains(name) || settings.rule.iter().any(|rule| rule.name == *name);
    merged.rule.retain(|rule| !replaced(&rule.name));
    merged.rule.extend(settings.rule.iter().cloned());
    merged.category.retain(|known| !settings.category.iter().any(|category| category.key == known.key));
    merged.category.extend(settings.category.iter().cloned());
    if settings.default.is_some() {
        merged.default.clone_from(&settings.default);
    }
    Ok(merged)
}

fn categories(written: &[CategorySettings]) -> Result<Vec<Category>, TaxonomyError> {
    let mut categories: Vec<Category> = Vec::with_capacity(written.len());
    for category in written {
        let place = format!("category {:?}", category.key);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
        if category.key.is_empty() || category.key.len() > 60 || !category.key.chars().all(plain) {
            return Err(fault(&place, "a key has 1 to 60 lower-case letters, digits, dots, dashes and underscores"));
        }
        if categories.iter().any(|known| known.key == category.key) {
            return Err(fault(&place, "it stands twice: leave one out"));
        }
        let parent = match &category.parent {
            None => None,
            Some(parent) => Some(
                written
                    .iter()
                    .position(|known| known.key == *parent)
                    .ok_or_else(|| fault(&place, &format!("its parent {parent:?} is no category")))?,
            ),
        };
        let mut labels = BTreeMap::new();
        for (code, label) in &category.label {
            labels.insert(language(code, &place)?, label.clone());
        }
        categories.push(Category { key: category.key.clone(), parent, labels });
    }
    for category in &categories {
        let ancestors = std::iter::successors(category.parent, |at| categories.get(*at)?.parent);
        if ancestors.take(categories.len() + 1).count() > categories.len() {
            return Err(fault(&format!("category {:?}", category.key), "it is among its own parents"));
        }
    }
    Ok(categories)
}

#[derive(Default)]
struct Compiler {
    rules: Vec<Rule>,
    phrases: Vec<Phrase>,
    texts: Vec<String>,
    patterns: Vec<Pattern>,
}

impl Compiler {
    fn add(&mut self, rule: &RuleSettings, categories: &[Category]) -> Result<(), TaxonomyError> {
        let place = format!("rule {:?}", rule.name);
        if rule.name.is_empty() || self.rules.iter().any(|known| known.name == rule.name) {
            return Err(fault(&place, "give each rule a name of its own"));
        }
        let mut votes = Vec::with_capacity(rule.votes.len());
        for (key, weight) in &rule.votes {
            let at = categories.iter().position(|category| category.key == *key);
            let at = at.ok_or_else(|| unknown_category(&place, key, categories))?;
            if !(-100.0..=100.0).contains(weight) {
                return Err(fault(&place, &format!("the weight of {key:?} must lie between -100 and 100")));
            }
            votes.push((at, *weight));
        }
        if votes.is_empty() && rule.kind.is_none() && rule.facts.is_empty() {
            return Err(fault(&place, "it says nothing: give it votes, a kind or facts"));
        }
        let number = self.rules.len();
        for (code, phrases) in &rule.phrases {
            let language = if code == "any" { None } else { Some(language(code, &place)?) };
            for phrase in phrases {
                self.add_phrase(number, language, phrase).map_err(|remedy| fault(&place, &remedy))?;
            }
        }
        for pattern in &rule.pattern {
            self.add_pattern(number, pattern).map_err(|remedy| fault(&place, &remedy))?;
        }
        self.rules.push(Rule { name: rule.name.clone(), votes, kind: rule.kind, facts: rule.facts.clone() });
        if self.rules.len() > MAX_RULES {
            return Err(fault(&place, &format!("there are more than {MAX_RULES} rules")));
        }
        Ok(())
    }

    fn add_phrase(&mut self, rule: usize, language: Option<Language>, phrase: &str) -> Result<(), String> {
        let (stem, open) = match phrase.trim_end().strip_suffix('*') {
            Some(stem) => (stem, true),
            None => (phrase, false),
        };
        let text = words(stem, MAX_PHRASE_CHARS);
        if text.trim().is_empty() || stem.contains('*') || stem.chars().count() > MAX_PHRASE_CHARS {
            return Err(format!(
                "{phrase:?} is no phrase: words, at most {MAX_PHRASE_CHARS} letters, with * at the end"
            ));
        }
        // The space in front is the word's beginning; the one behind is its end, unless any ending may follow.
        self.texts.push(if open { text.trim_end().to_owned() } else { text });
        self.phrases.push(Phrase { rule, language, open });
        if self.phrases.len() > MAX_PHRASES {
            return Err(format!("there are more than {MAX_PHRASES} phrases"));
        }
        Ok(())
    }

    fn add_pattern(&mut self, rule: usize, pattern: &str) -> Result<(), String> {
        let regex = RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES).build();
        let regex = regex.map_err(|error| format!("pattern {pattern:?} cannot be used: {error}"))?;
        self.patterns.push(Pattern { rule, regex });
        if self.patterns.len() > MAX_PATTERNS {
            return Err(format!("there are more than {MAX_PATTERNS} patterns: use phrases where they do"));
        }
        Ok(())
    }

    fn finish(self, default: usize, categories: Vec<Category>) -> Result<Compiled, TaxonomyError> {
        let too_big = |error: &dyn fmt::Display| fault("taxonomy", &format!("too much to search for: {error}"));
        // The quickest kind: some two mebibytes for the built-in phrases, and a third of the time for each text.
        let kind = (self.texts.len() <= MAX_QUICK_PHRASES).then_some(AhoCorasickKind::DFA);
        let finder = AhoCorasickBuilder::new().kind(kind).build(&self.texts).map_err(|error| too_big(&error))?;
        let pattern_set = RegexSetBuilder::new(self.patterns.iter().map(|pattern| pattern.regex.as_str()))
            .size_limit(PATTERNS_BYTES)
            .dfa_size_limit(PATTERNS_BYTES)
            .build()
            .map_err(|error| too_big(&error))?;
        let Self { rules, phrases, patterns, .. } = self;
        Ok(Compiled { default, categories, rules, phrases, finder, patterns, pattern_set })
    }
}

fn language(code: &str, place: &str) -> Result<Language, TaxonomyError> {
    Language::NAMED
        .into_iter()
        .find(|language| language.as_str() == code)
        .ok_or_else(|| fault(place, &format!("{code:?} is no language here: use any, en, fr, de, es, it, pt or nl")))
}

fn unknown_category(place: &str, key: &str, categories: &[Category]) -> TaxonomyError {
    let known: Vec<&str> = categories.iter().map(|category| category.key.as_str()).collect();
    fault(place, &format!("{key:?} is no category; there are {}", known.join(", ")))
}

fn fault(place: &str, remedy: &str) -> TaxonomyError {
    TaxonomyError { place: place.to_owned(), remedy: remedy.to_owned() }
}
