//! Word lists that are part of the program, asked for every word of every text.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// What is known of each word of a fixed list. Short words cost a few nanoseconds; the hash has no secret, so never
/// put in it what comes from outside.
pub type WordMap<V> = HashMap<&'static str, V, BuildHasherDefault<WordHasher>>;

/// A fixed list of words, for asking whether a word is among them.
#[derive(Debug, Clone, Default)]
pub struct WordSet {
    words: HashSet<&'static str, BuildHasherDefault<WordHasher>>,
    longest: usize,
}

impl WordSet {
    /// Whether `word`, as it stands, is one of them. Costs no more for a long word than for a short one.
    pub fn contains(&self, word: &str) -> bool {
        word.len() <= self.longest && self.words.contains(word)
    }

    /// The words, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.words.iter().copied()
    }
}

impl FromIterator<&'static str> for WordSet {
    fn from_iter<I: IntoIterator<Item = &'static str>>(words: I) -> Self {
        let words: HashSet<&'static str, _> = words.into_iter().collect();
        let longest = words.iter().map(|word| word.len()).max().unwrap_or_default();
        Self { words, longest }
    }
}

/// FNV-1a: the best there is for a handful of bytes, and no defence against chosen keys.
#[derive(Debug, Clone)]
pub struct WordHasher(u64);

impl Default for WordHasher {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_whole_or_not_at_all() {
        let words: WordSet = ["merci", "à", "wednesday"].into_iter().collect();
        assert!(["merci", "à", "wednesday"].iter().all(|word| words.contains(word)));
        assert!(["", "merc", "mercis", "wednesdays", "a"].iter().all(|word| !words.contains(word)));
        assert!(!words.contains(&"merci".repeat(1_000)));
        assert_eq!(words.iter().count(), 3);
        assert!(!WordSet::default().contains(""));
    }
}
