//! Whether a reply says anything: "merci beaucoup !" on a resolved ticket must not open it again.
//!
//! A reply has no content when every word of it is known courtesy in one language, at least one of them thanks or
//! confirms, and nothing asks or negates. Unknown words are content: to reopen a ticket once too often is an
//! annoyance, to overlook "mais ça ne marche pas" loses a request. The words of each language stand in
//! `courtesy/words.rs`.

mod words;

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::language::fold;
use words::{Courtesy, LANGUAGES};

/// Replies longer than this, in bytes, are content without a look.
const LONGEST: usize = 600;
/// Lines of a name block that may follow the thanks.
const MOST_NAME_WORDS: usize = 3;

/// Whether a reply, freed of quotation and signature, says anything beyond thanks, confirmation and farewell, in
/// English, French, German, Spanish, Italian, Portuguese or Dutch. Any question, negation, number or word that is not
/// plain courtesy counts as content. Nothing at all, or a friendly emoji, does not.
///
/// A bare "ok" has none: where an agent's question is open, look at the ticket's state before relying on this.
pub fn has_content(reply: &str) -> bool {
    let reply = reply.trim();
    if reply.len() > LONGEST || reply.contains(['?', '？', '؟']) {
        return true;
    }
    let Some((words, cheered)) = read(reply) else { return true };
    if words.is_empty() {
        // Nothing at all, or nothing but punctuation and friendly signs; `:(` has been seen to by `read`.
        return !cheered && reply.chars().any(|character| !character.is_whitespace() && !PLAIN.contains(character));
    }
    !VOCABULARIES.iter().any(|vocabulary| vocabulary.covers(&words, cheered))
}

/// A word as compared, and where it stood.
struct Word {
    folded: String,
    /// A capital first and small letters behind: what a name looks like.
    named: bool,
    line: usize,
    /// First of its line or after a full stop: a capital says nothing there.
    opens_sentence: bool,
}

const PLAIN: &str = ".,;:!-_*()\"'…–—>~+/|";
const CHEERS: &str = "👍👌🙏🙂😀😃😄😁😊😉🎉💯✅✔☺❤♥💪🤝👏🥳😍🤗🙌💙💚🧡💛💜🤩😎✨⭐🌟🏻🏼🏽🏾🏿🌹🌸💐🍀🍾🥂";
/// Emoticons and short codes, each as it is written and folded.
const CHEERS_WRITTEN: &[&str] =
    &[":+1:", ":thumbsup:", ":smile:", ":tada:", ":-)", ":)", ";-)", ";)", ":d", ":-d", "^^", "=)", "<3", "(y)"];

/// Splits a reply into words; `None` when a sign in it is content by itself. Tells whether a friendly sign was met.
fn read(reply: &str) -> Option<(Vec<Word>, bool)> {
    let mut words: Vec<Word> = Vec::new();
    let mut cheered = false;
    for (line_number, line) in reply.lines().enumerate() {
        let mut line = line.to_owned();
        for sign in CHEERS_WRITTEN {
            for written in [(*sign).to_owned(), sign.to_uppercase()] {
                if line.contains(&written) {
                    cheered = true;
                    line = line.replace(&written, " ");
                }
            }
        }
        let mut opens_sentence = true;
        let mut word = String::new();
        for character in line.chars().chain([' ']) {
            if character.is_alphanumeric() {
                word.push(character);
                continue;
            }
            if !word.is_empty() {
                words.push(Word {
                    folded: fold(&word).into_owned(),
                    named: is_named(&word),
                    line: line_number,
                    opens_sentence,
                });
                opens_sentence = false;
                word.clear();
            }
            if matches!(character, '.' | '!' | ':' | ';') {
                opens_sentence = true;
            }
            let invisible = matches!(character, '\u{fe0f}' | '\u{200b}'..='\u{200f}' | '\u{feff}');
            cheered |= CHEERS.contains(character) && !invisible;
            let known = character.is_whitespace()
                || invisible
                || matches!(character, '’' | '‘' | '«' | '»' | '“' | '”' | '„' | '¡' | '#')
                || PLAIN.contains(character)
                || CHEERS.contains(character);
            if !known {
                return None;
            }
        }
    }
    if words.iter().any(|word| word.folded.bytes().any(|byte| byte.is_ascii_digit())) {
        return None;
    }
    // A sad face is written with the signs that count as plain.
    let sad = [":(", ":-(", ":'(", ":/", ":-/"].iter().any(|face| reply.contains(face));
    (!sad).then_some((words, cheered))
}

fn is_named(word: &str) -> bool {
    let mut characters = word.chars();
    characters.next().is_some_and(char::is_uppercase) && characters.all(char::is_lowercase) && word.len() > 1
}

/// One language's words, ready to be looked up.
struct Vocabulary {
    confirming: HashSet<&'static str>,
    around: HashSet<&'static str>,
    bound: HashSet<&'static str>,
    binding: HashSet<&'static str>,
    phrases: Vec<Vec<&'static str>>,
}

static VOCABULARIES: LazyLock<Vec<Vocabulary>> = LazyLock::new(|| LANGUAGES.iter().map(Vocabulary::of).collect());
/// Thanks are understood in any language: people mix them.
static CONFIRMING_ANYWHERE: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| LANGUAGES.iter().flat_map(|language| language.thanks.split_whitespace()).collect());
static TROUBLE: LazyLock<Vec<&'static str>> = LazyLock::new(|| words::TROUBLE.split_whitespace().collect());

impl Vocabulary {
    fn of(language: &Courtesy) -> Self {
        let set = |list: &'static str| list.split_whitespace().collect::<HashSet<_>>();
        let mut phrases: Vec<Vec<&'static str>> =
            language.phrases.split('|').map(|phrase| phrase.split_whitespace().collect()).collect();
        phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
        Self {
            confirming: language.thanks.split_whitespace().chain(language.confirming.split_whitespace()).collect(),
            around: set(language.around),
            bound: set(language.bound),
            binding: set(language.binding),
            phrases,
        }
    }

    /// Whether all of these words are courtesy, and something among them thanks or confirms.
    fn covers(&self, words: &[Word], cheered: bool) -> bool {
        let mut confirmed = cheered;
        let mut index = 0;
        while index < words.len() {
            let rest = words.get(index..).unwrap_or_default();
            let Some(word) = rest.first() else { break };
            let text = word.folded.as_str();
            if let Some(phrase) = self.phrases.iter().find(|phrase| starts_with(rest, phrase)) {
                confirmed = true;
                index += phrase.len();
            } else if self.confirming.contains(text) || CONFIRMING_ANYWHERE.contains(text) {
                confirmed = true;
                index += 1;
            } else if self.around.contains(text) || (index > 0 && self.is_bound(words, index)) {
                index += 1;
            } else if let Some(count) = name_at(words, index) {
                index += count;
            } else {
                return false;
            }
        }
        confirmed
    }

    /// "your help" is courtesy, "help" is a cry for it: such a word counts only behind one that binds it.
    fn is_bound(&self, words: &[Word], index: usize) -> bool {
        let (Some(before), Some(word)) = (words.get(index - 1), words.get(index)) else { return false };
        self.bound.contains(word.folded.as_str())
            && before.line == word.line
            && self.binding.contains(before.folded.as_str())
    }
}

fn starts_with(words: &[Word], phrase: &[&str]) -> bool {
    words.len() >= phrase.len() && words.iter().zip(phrase).all(|(word, part)| word.folded == *part)
}

/// How many words from `index` are a person's name: the last lines, or right behind a word of the same sentence.
fn name_at(words: &[Word], index: usize) -> Option<usize> {
    let first = words.get(index)?;
    if index == 0 {
        return None;
    }
    let same_line = words.iter().skip(index).take_while(|word| word.line == first.line);
    let own_line = words.get(index - 1).is_some_and(|before| before.line != first.line);
    let to_the_end = words.last().is_some_and(|last| last.line == first.line);
    let run = same_line.take_while(|word| word.named && !is_trouble(&word.folded)).count();
    if run == 0 || run > MOST_NAME_WORDS {
        return None;
    }
    let fills_line = words.iter().skip(index).filter(|word| word.line == first.line).count() == run;
    let last_line_name = own_line && fills_line && to_the_end;
    (last_line_name || !first.opens_sentence).then_some(run)
}

fn is_trouble(folded: &str) -> bool {
    TROUBLE.iter().any(|start| folded.starts_with(start))
}

#[cfg(test)]
mod tests;
