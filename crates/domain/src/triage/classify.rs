//! Finding phrases and patterns, and counting their votes.

use std::cmp::Reverse;

use super::taxonomy::{Compiled, Rule};
use super::words::words;
use super::{Classification, Fact, levels};
use crate::inbound::Explained;
use crate::language::Language;
use crate::reason;
use crate::ticket::Kind;

const SUBJECT_CHARS: usize = 500;
const TEXT_CHARS: usize = 4_000;
/// A pathological text repeats one word; the first finds tell as much as all.
const MAX_FINDS: usize = 400;
const MAX_TOLD: usize = 16;
/// How much of a request without a subject (a chat, a call) is taken for one: people begin with what it is about.
const BEGINNING_CHARS: usize = 80;
const OTHER_LANGUAGE: f32 = 0.5;
/// From how many people on everybody counts as affected.
const ALL_FROM: u32 = 20;
/// A category needs this much to be chosen at all: words said in passing are no evidence.
const ENOUGH: f32 = 2.0;
/// The lead that is worth as much as not knowing: with it, and nothing said for anything else, confidence is a half. A word
/// that names the thing in the subject, or two of them in the text, are such a lead.
const DOUBT: f32 = 6.0;

/// Where a rule spoke, at its strongest.
#[derive(Clone)]
struct Hit {
    rule: usize,
    factor: f32,
    words: String,
    place: Place,
    everybody: bool,
}

/// Where in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Subject,
    /// The first words of a request without a subject.
    Beginning,
    Text,
}

impl Place {
    const fn factor(self) -> f32 {
        match self {
            Self::Subject | Self::Beginning => 2.0,
            Self::Text => 1.0,
        }
    }

    const fn told(self) -> &'static str {
        match self {
            Self::Subject => " in the subject",
            Self::Beginning => " at the beginning",
            Self::Text => "",
        }
    }
}

/// A phrase found, as places in the words.
#[derive(Clone, Copy)]
struct Find {
    phrase: usize,
    start: usize,
    end: usize,
}

pub(super) fn classify(compiled: &Compiled, subject: &str, text: &str, language: Language) -> Classification {
    let mut hits = Vec::new();
    if subject.trim().is_empty() {
        find(compiled, &words(beginning(text), BEGINNING_CHARS), Place::Beginning, language, &mut hits);
    } else {
        find(compiled, &words(subject, SUBJECT_CHARS), Place::Subject, language, &mut hits);
    }
    find(compiled, &words(text, TEXT_CHARS), Place::Text, language, &mut hits);
    let (category, confidence) = choose(compiled, &hits);
    let kind = kind(compiled, &hits);
    let facts = facts(compiled, &hits);
    let mut why: Vec<Explained> = hits.iter().take(MAX_TOLD).filter_map(|hit| told(compiled, hit)).collect();
    if confidence.is_none() {
        why.push(Explained::new(reason::TRIAGE_DEFAULT, category.clone()));
    }
    let (impact, impact_why) = levels::impact(&facts);
    let (urgency, urgency_why) = levels::urgency(kind, &facts);
    why.push(Explained::new(reason::TRIAGE_RULE, impact_why));
    why.push(Explained::new(reason::TRIAGE_RULE, urgency_why));
    let confidence = confidence.unwrap_or_default();
    Classification { category, confidence, kind, impact, urgency, facts, why }
}

/// The first line that says anything, not beyond [`BEGINNING_CHARS`] and not cut within a word.
fn beginning(text: &str) -> &str {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    match line.char_indices().nth(BEGINNING_CHARS) {
        Some((end, _)) => line.get(..end).and_then(|head| head.rsplit_once(' ')).map_or("", |(head, _)| head),
        None => line,
    }
}

/// Adds what is found in `words`, each rule once, at its strongest.
fn find(compiled: &Compiled, words: &str, place: Place, language: Language, hits: &mut Vec<Hit>) {
    let mut finds: Vec<Find> = Vec::new();
    for found in compiled.finder.find_overlapping_iter(words).take(MAX_FINDS) {
        finds.push(Find { phrase: found.pattern().as_usize(), start: found.start(), end: found.end() });
    }
    drop_those_within_longer_ones(&mut finds);
    for found in &finds {
        let Some(phrase) = compiled.phrases.get(found.phrase) else { continue };
        let Some(rule) = compiled.rules.get(phrase.rule) else { continue };
        // A foreign word speaks of the matter, but how a sentence is meant is said in its own language.
        let foreign = phrase.language.is_some_and(|written| written != language);
        if foreign && rule.votes.is_empty() && matches!(language, Language::En | Language::Fr) {
            continue;
        }
        let factor = if foreign { place.factor() * OTHER_LANGUAGE } else { place.factor() };
        if hits.iter().any(|known| known.rule == phrase.rule && known.factor >= factor) {
            continue;
        }
        let text = words.get(found.start..found.end).unwrap_or_default().trim();
        let text = if phrase.open { whole_word(words, found.start, found.end) } else { text };
        let hit = Hit { rule: phrase.rule, factor, words: text.to_owned(), place, everybody: false };
        add(hits, hit);
    }
    for pattern in compiled.pattern_set.matches(words) {
        let Some(pattern) = compiled.patterns.get(pattern) else { continue };
        let Some(captures) = pattern.regex.captures(words) else { continue };
        let count = captures.name("count").map(|count| count.as_str().parse::<u32>().unwrap_or(u32::MAX));
        if count.is_some_and(|count| count < 2) {
            continue;
        }
        let text = captures.get(0).map_or("", |found| found.as_str()).trim().to_owned();
        let everybody = count.is_some_and(|count| count >= ALL_FROM);
        add(hits, Hit { rule: pattern.rule, factor: place.factor(), words: text, place, everybody });
    }
}

/// Puts the finds in the order of the text and leaves out each that lies within a longer one.
fn drop_those_within_longer_ones(finds: &mut Vec<Find>) {
    finds.sort_unstable_by_key(|find| (find.start, Reverse(find.end)));
    // The one that reaches farthest so far: whatever ends no later began no earlier, so it lies within.
    let mut farthest: Option<Find> = None;
    finds.retain(|find| match farthest {
        Some(far) if find.end <= far.end => find.start == far.start && find.end == far.end,
        _ => {
            farthest = Some(*find);
            true
        }
    });
}

/// The words from `start` to the end of the word that `end` stands in.
fn whole_word(words: &str, start: usize, end: usize) -> &str {
    let rest = words.get(end..).unwrap_or_default();
    let more = rest.find(' ').unwrap_or(rest.len());
    words.get(start..end + more).unwrap_or_default().trim()
}

fn add(hits: &mut Vec<Hit>, hit: Hit) {
    match hits.iter_mut().find(|known| known.rule == hit.rule) {
        None => hits.push(hit),
        Some(known) => {
            known.everybody |= hit.everybody;
            if hit.factor > known.factor {
                *known = Hit { everybody: known.everybody, ..hit };
            }
        }
    }
}

/// The category with most votes, children's counted to their parents; then the child that has at least half of them. The
/// default one, without a confidence, where too little was said for any.
fn choose(compiled: &Compiled, hits: &[Hit]) -> (String, Option<f32>) {
    let mut totals = vec![0.0_f32; compiled.categories.len()];
    for hit in hits {
        for (category, weight) in compiled.rules.get(hit.rule).map(|rule| rule.votes.as_slice()).unwrap_or_default() {
            let up = |at: &usize| compiled.categories.get(*at).and_then(|category| category.parent);
            for at in std::iter::successors(Some(*category), up) {
                if let Some(total) = totals.get_mut(at) {
                    *total += weight * hit.factor;
                }
            }
        }
    }
    let best = |parent: Option<usize>| {
        let children = compiled.categories.iter().zip(&totals).enumerate();
        let children = children.filter(|(_, (category, _))| category.parent == parent);
        // The first of equals, in the order they were written.
        children.fold(None, |best: Option<(usize, f32)>, (at, (_, total))| match best {
            Some((_, most)) if most >= *total => best,
            _ => Some((at, *total)),
        })
    };
    let Some((mut chosen, most)) = best(None).filter(|(_, total)| *total >= ENOUGH) else {
        let default = compiled.categories.get(compiled.default);
        return (default.map(|category| category.key.clone()).unwrap_or_default(), None);
    };
    let others = compiled.categories.iter().zip(&totals).enumerate();
    let others = others.filter(|(at, (category, _))| category.parent.is_none() && *at != chosen);
    let second = others.map(|(_, (_, total))| *total).fold(0.0, f32::max);
    let confidence = (most - second) / (most + DOUBT);
    let mut total = most;
    while let Some((child, of_child)) = best(Some(chosen)).filter(|(_, of_child)| *of_child * 2.0 >= total) {
        (chosen, total) = (child, of_child);
    }
    (compiled.categories.get(chosen).map(|category| category.key.clone()).unwrap_or_default(), Some(confidence))
}

/// The kind most rules speak for. When they are even, the rarer word counts: a problem, then what is broken, then what
/// is wanted or asked.
fn kind(compiled: &Compiled, hits: &[Hit]) -> Kind {
    let mut best = (Kind::default(), 0.0);
    for kind in [Kind::Problem, Kind::Incident, Kind::ServiceRequest, Kind::Question] {
        let spoke = hits.iter().filter(|hit| rule(compiled, hit).is_some_and(|rule| rule.kind == Some(kind)));
        let total: f32 = spoke.map(|hit| hit.factor).sum();
        if total > best.1 {
            best = (kind, total);
        }
    }
    best.0
}

fn facts(compiled: &Compiled, hits: &[Hit]) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    for hit in hits {
        let Some(rule) = rule(compiled, hit) else { continue };
        for fact in &rule.facts {
            let wider = hit.everybody && *fact == Fact::AffectedMany;
            facts.push(if wider { Fact::AffectedAll } else { *fact });
        }
    }
    facts.sort_unstable();
    facts.dedup();
    facts
}

fn rule<'a>(compiled: &'a Compiled, hit: &Hit) -> Option<&'a Rule> {
    compiled.rules.get(hit.rule)
}

/// `printer: "imprimante" in the subject: hardware +6`.
fn told(compiled: &Compiled, hit: &Hit) -> Option<Explained> {
    let rule = rule(compiled, hit)?;
    let place = hit.place.told();
    let mut says: Vec<String> = Vec::new();
    for (category, weight) in &rule.votes {
        says.push(format!("{} {:+}", compiled.categories.get(*category)?.key, weight * hit.factor));
    }
    says.extend(rule.kind.map(|kind| kind.as_str().to_owned()));
    says.extend(rule.facts.iter().map(|fact| fact.as_str().to_owned()));
    let detail = format!("{}: {:?}{place}: {}", rule.name, hit.words, says.join(", "));
    Some(Explained::new(reason::TRIAGE_RULE, detail))
}
