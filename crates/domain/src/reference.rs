//! The public ticket number: nine random digits and a check digit, shown `GT-482-109-3753`.
//!
//! Digits alone, because they are said alike in every language and typed on any telephone. Random, so that nobody
//! counts our tickets or guesses the next one. The check digit is Damm's, which catches every single wrong digit and
//! every swap of two neighbours: the two mistakes people make.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ambient::Ids;

/// How many digits a reference has, the check digit included.
pub const DIGITS: usize = 10;

/// Nine free digits.
const FREE: u64 = 1_000_000_000;

/// Damm's quasigroup of order ten: totally anti-symmetric, zeros on the diagonal.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// A ticket's public number. The value is its ten digits, always with a right check digit; the prefix is a matter of
/// display only, so that changing it in the configuration breaks no old number.
///
/// It identifies, it does not authorise: whoever shows one has proved nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference([u8; DIGITS]);

/// Why a text is not a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing in it looks like a ticket number, or something else stands beside the digits.
    #[error("this is not a ticket number; one looks like 482-109-3753")]
    NotOne,
    /// Digits, but too few or too many.
    #[error("a ticket number has 10 digits, this has {found}")]
    WrongLength {
        /// How many digits were given.
        found: usize,
    },
    /// Ten digits of which at least one is mistyped.
    #[error("one digit of this ticket number is wrong; please read it again")]
    WrongCheckDigit,
}

/// Which numbers without the prefix [`find_with`] takes for a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bare {
    /// None: the prefix is required.
    Never,
    /// Those written in groups of 3, 3 and 4 digits. One telephone number in ten written so has a right check digit,
    /// which is harmless where a reference is only a hint.
    #[default]
    Grouped,
    /// Any run of ten digits with a right check digit.
    Any,
}

impl Reference {
    /// Draws a new reference, not guessable from earlier ones. Uniqueness is decided by the table's index: on a clash the
    /// caller draws again.
    pub fn draw(ids: &dyn Ids) -> Self {
        // The bias of the remainder is below one in 10^10: no reason to draw twice.
        Self::from_free(ids.random_u64() % FREE)
    }

    /// The reference whose first nine digits are `free % 10^9`.
    pub fn from_free(free: u64) -> Self {
        let mut digits = [0_u8; DIGITS];
        let mut rest = free % FREE;
        for digit in digits.iter_mut().take(DIGITS - 1).rev() {
            *digit = u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        let check = damm(digits.iter().take(DIGITS - 1).copied());
        if let Some(last) = digits.last_mut() {
            *last = check;
        }
        Self(digits)
    }

    /// Reads a reference as people write and say it: with or without the prefix in any case, with spaces, dots and dashes
    /// of any kind (non-breaking ones too), in brackets, after `#`, in full-width or Arabic digits. Nothing else may
    /// stand beside it; see [`find_in`] for running text.
    pub fn parse(text: &str, prefix: &str) -> Result<Self, ReferenceError> {
        let kept: Vec<char> = text.chars().filter_map(significant).collect();
        let prefix: Vec<char> = prefix.chars().filter_map(significant).collect();
        let rest = kept.strip_prefix(prefix.as_slice()).unwrap_or(&kept);
        if rest.is_empty() {
            return Err(ReferenceError::NotOne);
        }
        let digits: Vec<u8> = rest.iter().map(|c| digit(*c)).collect::<Option<_>>().ok_or(ReferenceError::NotOne)?;
        Self::from_digits(&digits)
    }

    /// The reference of these ten digit values (0 to 9 each).
    pub fn from_digits(digits: &[u8]) -> Result<Self, ReferenceError> {
        let digits: [u8; DIGITS] =
            digits.try_into().map_err(|_| ReferenceError::WrongLength { found: digits.len() })?;
        if digits.iter().any(|d| *d > 9) {
            return Err(ReferenceError::NotOne);
        }
        if damm(digits.iter().copied()) != 0 {
            return Err(ReferenceError::WrongCheckDigit);
        }
        Ok(Self(digits))
    }

    /// The ten digits without anything between them: what is stored, and what is typed on a keypad.
    pub fn digits(&self) -> String {
        self.0.iter().map(|d| char::from(b'0' + d)).collect()
    }

    /// For a voice to read out: digit by digit, a pause between the groups (`4 8 2, 1 0 9, 3 7 5 3`).
    pub fn spoken(&self) -> String {
        let mut out = String::with_capacity(22);
        for (at, digit) in self.0.iter().enumerate() {
            match at {
                0 => {}
                3 | 6 => out.push_str(", "),
                _ => out.push(' '),
            }
            out.push(char::from(b'0' + digit));
        }
        out
    }

    /// The form shown to people, `GT-482-109-3753`; without the leading dash when `prefix` is empty.
    pub fn shown<'a>(&self, prefix: &'a str) -> Shown<'a> {
        Shown { reference: *self, prefix }
    }
}

/// A reference with its prefix, ready to be written. Made by [`Reference::shown`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<'a> {
    reference: Reference,
    prefix: &'a str,
}

/// Whether `prefix` can stand before a reference: empty, or two to eight ASCII letters and digits that begin with a
/// letter. A prefix of digits could not be told from the number.
pub fn is_valid_prefix(prefix: &str) -> bool {
    prefix.is_empty()
        || (2..=8).contains(&prefix.len())
            && prefix.starts_with(|c: char| c.is_ascii_alphabetic())
            && prefix.chars().all(|c| c.is_ascii_alphanumeric())
}

/// The references in running text such as a subject, in order, each once; only those whose check digit is right. Numbers
/// without the prefix count as [`Bare::Grouped`] says.
pub fn find_in(text: &str, prefix: &str) -> Vec<Reference> {
    find_with(text, prefix, Bare::default())
}

/// [`find_in`] with another rule for numbers without the prefix. Time is linear in the text.
pub fn find_with(text: &str, prefix: &str, bare: Bare) -> Vec<Reference> {
    let text: Vec<char> = text.chars().filter(|c| !is_invisible(*c)).map(folded).collect();
    let prefix: Vec<char> = prefix.chars().map(folded).collect();
    let mut found: Vec<Reference> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if let Some((reference, end)) = candidate(&text, at, &prefix, bare) {
            if !found.contains(&reference) {
                found.push(reference);
            }
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.prefix.is_empty() {
            write!(f, "{}-", self.prefix)?;
        }
        self.reference.fmt(f)
    }
}

impl fmt::Display for Reference {
    /// Without a prefix: `482-109-3753`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, digit) in self.0.iter().enumerate() {
            if at == 3 || at == 6 {
                f.write_str("-")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reference({self})")
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    /// [`Reference::parse`] without a prefix.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text, "")
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The reference that begins exactly at `at`, and where it ends.
fn candidate(text: &[char], at: usize, prefix: &[char], bare: Bare) -> Option<(Reference, usize)> {
    if at > 0 && text.get(at - 1).is_some_and(|c| c.is_alphanumeric()) {
        return None;
    }
    if !prefix.is_empty() && text.get(at..)?.starts_with(prefix) {
        let start = at + prefix.len();
        let gap = text.get(start..)?.iter().take(3).take_while(|c| is_separator(**c) || **c == '#').count();
        return digits_at(text, start + gap).and_then(accepted);
    }
    // A country or area code before it, or a longer number, makes a telephone or account number of it.
    let mut before = text.get(..at)?.iter().rev().filter(|c| !is_separator(**c));
    let part_of_more = match before.next() {
        Some('+') => true,
        Some(')') => before.next().is_some_and(|c| digit(*c).is_some()),
        Some(c) => digit(*c).is_some(),
        None => false,
    };
    if bare == Bare::Never || part_of_more {
        return None;
    }
    let run = digits_at(text, at)?;
    if bare == Bare::Grouped && !run.grouped {
        return None;
    }
    accepted(run)
}

/// Ten digits in running text.
#[derive(Clone, Copy)]
struct Run {
    digits: [u8; DIGITS],
    grouped: bool,
    end: usize,
}

fn accepted(run: Run) -> Option<(Reference, usize)> {
    Reference::from_digits(&run.digits).ok().map(|reference| (reference, run.end))
}

/// Ten digits from `start` on, at most two separators between neighbours, not followed by more of the same number.
fn digits_at(text: &[char], start: usize) -> Option<Run> {
    let mut run = Run { digits: [0; DIGITS], grouped: true, end: start };
    for (index, slot) in run.digits.iter_mut().enumerate() {
        let gap = text.get(run.end..)?.iter().take(2).take_while(|c| is_separator(**c)).count();
        if index == 0 && gap > 0 {
            return None;
        }
        run.grouped &= (gap == 1) == (index == 3 || index == 6) && gap < 2;
        run.end += gap;
        *slot = digit(*text.get(run.end)?)?;
        run.end += 1;
    }
    if text.get(run.end).is_some_and(|c| c.is_alphanumeric()) {
        return None;
    }
    // `482-109-3753-12` is a longer number, `482-109-3753. 2 users` is not.
    let dashed = text.get(run.end).is_some_and(|c| *c == '-');
    if dashed && text.get(run.end + 1).is_some_and(|c| digit(*c).is_some()) {
        return None;
    }
    Some(run)
}

fn damm(digits: impl Iterator<Item = u8>) -> u8 {
    digits.fold(0, |interim, digit| DAMM[usize::from(interim % 10)][usize::from(digit % 10)])
}

/// The character as a lone reference counts it: folded, or nothing for what only decorates.
fn significant(c: char) -> Option<char> {
    let decoration = matches!(c, '#' | '*' | '[' | ']' | '(' | ')' | '<' | '>' | '"' | '\'' | ':' | ',' | '°');
    if decoration || is_invisible(c) { None } else { Some(folded(c)).filter(|c| !is_separator(*c)) }
}

/// Full-width letters and foreign digits as ASCII, letters upper-case, every dash as `-`, every space as ` `.
fn folded(c: char) -> char {
    let from = |zero: u32| char::from_digit(u32::from(c) - zero, 10).unwrap_or(c);
    match c {
        '\u{FF10}'..='\u{FF19}' => from(0xFF10),
        '\u{0660}'..='\u{0669}' => from(0x0660),
        '\u{06F0}'..='\u{06F9}' => from(0x06F0),
        '\u{0966}'..='\u{096F}' => from(0x0966),
        '\u{FF21}'..='\u{FF3A}' | '\u{FF41}'..='\u{FF5A}' => {
            char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c).to_ascii_uppercase()
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' => '-',
        '\u{FF0E}' | '\u{00B7}' | '\u{2024}' => '.',
        '\u{FF03}' => '#',
        _ if c.is_whitespace() => ' ',
        _ => c.to_ascii_uppercase(),
    }
}

fn is_separator(folded: char) -> bool {
    matches!(folded, ' ' | '-' | '.' | '_' | '/')
}

/// Soft hyphens, joiners and direction marks: they come with a copied number and mean nothing in it.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

fn digit(folded: char) -> Option<u8> {
    folded.to_digit(10).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests;
