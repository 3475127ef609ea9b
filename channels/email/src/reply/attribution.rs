//! The line above a quotation that says who wrote it and when: `On 3 May 2026, at 10:02, Ann <ann@…> wrote:`.
//!
//! Mail programs build it from a date, a person and a verb, in an order and a language of their own, and break it
//! over lines. So it is recognised by what it is made of, not by one pattern a program.

use guichet_domain::language::fold;

use super::line::{LONGEST_MARK, Line};
use super::words::{INTRODUCTIONS, WROTE, WROTE_TO_ME, WROTE_UNSPACED};

/// Lines an attribution may be broken over.
const MOST_LINES: usize = 4;

/// What a candidate is made of.
struct Traits {
    introduced: bool,
    dated: bool,
    year: bool,
    digit: bool,
    verb: bool,
    verb_last: bool,
    colon: bool,
    address: bool,
    address_last: bool,
    words: usize,
}

/// How many lines, from `start`, are an attribution; `None` when there is none. `quoted_follows(end)` tells whether
/// the first line with text behind `end` is marked as quoted: less proof is asked for then.
pub(super) fn at(lines: &[Line<'_>], start: usize, quoted_follows: impl Fn(usize) -> bool) -> Option<usize> {
    let first = lines.get(start)?;
    if !may_begin(first.text()) {
        return None;
    }
    let mut joined = String::new();
    for count in 1..=MOST_LINES {
        let line = lines.get(start + count - 1)?;
        // An address broken before its bracket leaves `>:` at the start of a line, which is no mark of quotation.
        let closes = line.raw().starts_with(">:") && joined.contains('<');
        let text = if closes { line.raw().trim() } else { line.text() };
        if text.is_empty() || text.len() + joined.len() > LONGEST_MARK || (line.depth() != first.depth() && !closes) {
            return None;
        }
        if !joined.is_empty() && !closes && !joined.ends_with(['<', '(']) {
            joined.push(' ');
        }
        joined.push_str(text);
        let quoted = quoted_follows(start + count);
        if accepts(&joined, quoted, count) {
            return later_start(lines, start, count, quoted).map_or(Some(count), |_| None);
        }
    }
    None
}

/// A person's own sentence may stand on the line above and be joined to the attribution by mistake: where a later
/// line alone is a whole attribution, the first does not begin one.
fn later_start(lines: &[Line<'_>], start: usize, count: usize, quoted: bool) -> Option<usize> {
    let begins_plainly = lines.get(start).is_some_and(|line| {
        let traits = traits(line.text());
        traits.introduced && (traits.dated || traits.year)
    });
    if begins_plainly {
        return None;
    }
    (start + 1..start + count).find(|later| {
        let texts = lines.iter().skip(*later).take(start + count - later).map(|line| line.text()).collect::<Vec<_>>();
        let joined = texts.join(" ");
        (introduced(&fold(&joined)) || starts_with_date(&joined)) && accepts(&joined, quoted, texts.len())
    })
}

/// Cheap: most lines of most mails end here.
fn may_begin(text: &str) -> bool {
    if text.is_empty() || text.len() > LONGEST_MARK {
        return false;
    }
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    has_digit || text.ends_with([':', '：', ',']) || introduced(&fold(first_word(text)))
}

/// The text up to the blank behind its first word.
fn first_word(text: &str) -> &str {
    let letters = text.find(char::is_alphanumeric).unwrap_or(text.len());
    let end = text.bytes().skip(letters).position(|byte| byte == b' ').map_or(text.len(), |length| letters + length);
    text.get(..end).unwrap_or(text)
}

fn introduced(folded: &str) -> bool {
    let start = folded.trim_start_matches(|character: char| !character.is_alphanumeric());
    let word = start.split(|character: char| !character.is_alphabetic()).next().unwrap_or_default();
    INTRODUCTIONS.contains(word) || ["在", "于", "於"].iter().any(|character| start.starts_with(character))
}

fn accepts(joined: &str, quoted_follows: bool, lines: usize) -> bool {
    let core = joined.trim_matches(|character: char| character == '-' || character == '*' || character.is_whitespace());
    if !core.ends_with([':', '：', ' ']) && !speaks_of_writing(&fold(core)) {
        return false;
    }
    let traits = traits(core);
    if traits.verb && (traits.colon || (traits.verb_last && traits.address && traits.dated)) {
        let placed = traits.introduced || traits.dated;
        if quoted_follows {
            let named_only = traits.words <= 8 && lines <= 2;
            return if placed { traits.dated || traits.address || traits.digit } else { named_only };
        }
        // Nothing marks what follows as quoted: be sure, or a person's own text would be hidden.
        let tells = WROTE_TO_ME.are_in(&fold(core));
        return !tells && ((placed && traits.address && traits.digit) || names_writer(core, &traits));
    }
    traits.colon && traits.address_last && traits.dated && (traits.introduced || starts_with_date(core))
}

/// `Ann Lee <ann@shop.example> wrote:` needs no date: nobody ends a sentence so.
fn names_writer(core: &str, traits: &Traits) -> bool {
    let Some((person, verb)) = core.rsplit_once('>') else { return false };
    let bracketed = person.rsplit_once('<').is_some_and(|(name, address)| {
        address.contains('@') && !address.contains(' ') && name.split_whitespace().count() <= 6
    });
    bracketed && traits.verb_last && verb.split_whitespace().count() <= 3
}

fn starts_with_date(core: &str) -> bool {
    core.starts_with(|character: char| character.is_ascii_digit())
}

/// Cheap: whether there is a verb at all, without which only a colon at the end counts.
fn speaks_of_writing(folded: &str) -> bool {
    folded.split(|character: char| !character.is_alphanumeric()).any(|word| WROTE.contains(word))
        || (!folded.is_ascii() && WROTE_UNSPACED.are_in(folded))
}

fn traits(core: &str) -> Traits {
    let folded = fold(core);
    let colon = folded.ends_with([':', '：']);
    let body = folded.trim_end_matches([':', '：', ' ']);
    let words: Vec<&str> =
        body.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_verb = |word: &&str| WROTE.contains(word);
    let unspaced = !body.is_ascii() && WROTE_UNSPACED.are_in(body);
    let tail = words.iter().rev().take(2);
    Traits {
        introduced: introduced(&folded),
        dated: has_date(&words, body),
        year: words.iter().any(|word| is_year(word)),
        digit: body.bytes().any(|byte| byte.is_ascii_digit()),
        verb: unspaced || words.iter().any(is_verb),
        verb_last: unspaced || tail.into_iter().any(is_verb),
        colon,
        address: body.contains('@'),
        address_last: body.ends_with(['>', ')', ']']) || body.rsplit(' ').next().is_some_and(|word| word.contains('@')),
        words: words.len(),
    }
}

fn is_year(word: &str) -> bool {
    word.len() == 4
        && (word.starts_with("19") || word.starts_with("20"))
        && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// A year, a time of day or a numeric date. `words` are the runs of letters and digits, so that 10:32, 10h32, 10.32,
/// 3/5/26 and 2026-05-03 all show as neighbouring numbers.
fn has_date(words: &[&str], body: &str) -> bool {
    if words.iter().any(|word| is_year(word)) || body.contains(['年', '月']) {
        return true;
    }
    let bytes = body.as_bytes();
    bytes.windows(4).any(|window| {
        matches!(window, [a, b':' | b'.' | b'/' | b'h' | b'-', c, d]
            if a.is_ascii_digit() && c.is_ascii_digit() && (d.is_ascii_digit() || matches!(d, b'/' | b'-' | b'.')))
    })
}
