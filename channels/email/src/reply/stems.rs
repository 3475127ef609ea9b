//! Lists of phrases, asked in one pass whether a text holds one of them or begins with one.

use std::collections::HashMap;

use regex::Regex;

/// Phrases looked for anywhere.
pub(super) struct Stems(Option<Regex>);

impl Stems {
    /// Whether `text` holds one of them, within a word too.
    pub(super) fn are_in(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|any| any.is_match(text))
    }
}

impl FromIterator<&'static str> for Stems {
    fn from_iter<I: IntoIterator<Item = &'static str>>(phrases: I) -> Self {
        let escaped: Vec<String> = phrases.into_iter().map(regex::escape).collect();
        // Plain words always compile; an empty list is in no text.
        Self((!escaped.is_empty()).then(|| Regex::new(&escaped.join("|")).ok()).flatten())
    }
}

/// Phrases looked for at the beginning, by their first two bytes.
#[derive(Default)]
pub(super) struct Openings(HashMap<[u8; 2], Vec<&'static str>>);

impl Openings {
    /// What stands behind each of them that `text` begins with.
    pub(super) fn stripped<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let known = two(text.bytes()).and_then(|two| self.0.get(&two));
        known.into_iter().flatten().filter_map(move |opening| text.strip_prefix(opening))
    }

    /// Whether `text` begins with one of them.
    pub(super) fn open(&self, text: &str) -> bool {
        self.stripped(text).next().is_some()
    }

    /// Whether text may begin so once folded: cheap, and sometimes yes in vain.
    pub(super) fn may_open(&self, unfolded: &str) -> bool {
        two(unfolded.bytes())
            .is_some_and(|two| !two.is_ascii() || self.0.contains_key(&two.map(|byte| byte.to_ascii_lowercase())))
    }
}

impl FromIterator<&'static str> for Openings {
    fn from_iter<I: IntoIterator<Item = &'static str>>(phrases: I) -> Self {
        let mut openings = Self::default();
        for phrase in phrases {
            if let Some(two) = two(phrase.bytes()) {
                openings.0.entry(two).or_default().push(phrase);
            }
        }
        openings
    }
}

/// The last two bytes folded text would have; `None` where folding decides.
pub(super) fn ending(unfolded: &str) -> Option<[u8; 2]> {
    let [last, before] = two(unfolded.bytes().rev())?;
    (last.is_ascii() && before.is_ascii()).then(|| [before.to_ascii_lowercase(), last.to_ascii_lowercase()])
}

fn two(mut bytes: impl Iterator<Item = u8>) -> Option<[u8; 2]> {
    Some([bytes.next()?, bytes.next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_found_wherever_it_stands_and_signs_in_it_mean_themselves() {
        let stems: Stems = ["reply above. do not", "l'ambiente"].into_iter().collect();
        assert!(stems.are_in("please reply above. do not change"));
        assert!(!stems.are_in("reply aboveX do not"));
        assert!(!Stems::from_iter([]).are_in("anything"));
    }

    #[test]
    fn openings_are_told_by_the_text_alone() {
        let openings: Openings = ["sent from", "sent from outlook", "发自"].into_iter().collect();
        assert_eq!(openings.stripped("sent from my phone").collect::<Vec<_>>(), [" my phone"]);
        assert!(openings.open("发自我的手机") && !openings.open("s") && !openings.open("see"));
        assert!(openings.may_open("Sent") && openings.may_open("发") && !openings.may_open("Bonjour"));
        assert_eq!((ending("Gesendet"), ending("envoyé"), ending("x")), (Some(*b"et"), None, None));
    }
}
