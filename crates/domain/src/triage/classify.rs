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
const IN_SUBJECT: f32 = 2.0;
const OTHER_LANGUAGE: f32 = 0.5;
/// From how many people on everybody counts as affected.
const ALL_FROM: u32 = 20;
/// A category needs this much to be chosen at all.
const ENOUGH: f32 = 0.75;
/// Added to all votes when confidence is worked out, so that one weak word is never certain.
const DOUBT: f32 = 1.0;

/// Where a rule spoke, at its strongest.
#[derive(Clone)]
struct Hit {
    rule: usize,
    factor: f32,
    words: String,
    in_subject: bool,
    everybody: bool,
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
    find(compiled, &words(subject, SUBJECT_CHARS), true, language, &mut hits);
    find(compiled, &words(text, TEXT_CHARS), false, language, &mut hits);
    let (category, confidence) = choose(compiled, &hits);
    let kind = kind(compiled, &hits);
    let facts = facts(compiled, &hits);
    let mut why: Vec<Explained> = hits.iter().take(MAX_TOLD).filter_map(|hit| told(compiled, hit)).collect();
    if confidence <= 0.0 {
        why.push(Explained::new(reason::TRIAGE_DEFAULT, category.clone()));
    }
    let (impact, impact_why) = levels::impact(&facts);
    let (urgency, urgency_why) = levels::urgency(kind, &facts);
    why.push(Explained::new(reason::TRIAGE_RULE, impact_why));
    why.push(Explained::new(reason::TRIAGE_RULE, urgency_why));
    Classification { category, confidence, kind, impact, urgency, facts, why }
}

/// Adds what is found in `words`, each rule once, at its strongest.
fn find(compiled: &Compiled, words: &str, in_subject: bool, language: Language, hits: &mut Vec<Hit>) {
    let place = if in_subject { IN_SUBJECT } else { 1.0 };
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
        let factor = if foreign { place * OTHER_LANGUAGE } else { place };
        if hits.iter().any(|known| known.rule == phrase.rule && known.factor >= factor) {
            continue;
        }
        let text = words.get(found.start..found.end).unwrap_or_default().trim();
        let text = if phrase.open { whole_word(words, found.start, found.end) } else { text };
        let hit = Hit { rule: phrase.rule, factor, words: text.to_owned(), in_subject, everybody: false };
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
        add(hits, Hit { rule: pattern.rule, factor: place, words: text, in_subject, everybody });
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

/// The category with most votes, children's counted to their parents; then the child that has at least half of them.
fn choose(compiled: &Compiled, hits: &[Hit]) -> (String, f32) {
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
        return (default.map(|category| category.key.clone()).unwrap_or_default(), 0.0);
    };
    let tops = compiled.categories.iter().zip(&totals).filter(|(category, _)| category.parent.is_none());
    let all: f32 = tops.map(|(_, total)| total.max(0.0)).sum();
    let confidence = most / (all + DOUBT);
    let mut total = most;
    while let Some((child, of_child)) = best(Some(chosen)).filter(|(_, of_child)| *of_child * 2.0 >= total) {
        (chosen, total) = (child, of_child);
    }
    (compiled.categories.get(chosen).map(|category| category.key.clone()).unwrap_or_default(), confidence)
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
    let place = if hit.in_subject { " in the subject" } else { "" };
    let mut says: Vec<String> = Vec::new();
    for (category, weight) in &rule.votes {
        says.push(format!("{} {:+}", compiled.categories.get(*category)?.key, weight * hit.factor));
    }
    says.extend(rule.kind.map(|kind| kind.as_str().to_owned()));
    says.extend(rule.facts.iter().map(|fact| fact.as_str().to_owned()));
    let detail = format!("{}: {:?}{place}: {}", rule.name, hit.words, says.join(", "));
    Some(Explained::new(reason::TRIAGE_RULE, detail))
}
