//! What stands below a person's words: name block, phone line, disclaimer.
//!
//! Only what is surely a signature goes. A name left in the reply costs nothing; a sentence taken out of it may cost
//! the ticket its point.

use guichet_domain::language::fold;
use guichet_domain::vocabulary::WordSet;

use super::line::trim;
use super::signature_words::{
    APOLOGIES, CLOSINGS, CONFIDENTIAL, DEVICE_ENDINGS, DEVICE_OPENINGS, DEVICE_WHOLE, DEVICES, FIRST_PERSON, FOOTERS,
    GREEN, LEGAL, LISTS, MAKES, POSSESSIVES, REQUESTS, SENTENCES,
};
use super::stems::ending;

/// Lines a `--` block may have when its blank is missing, so that it could also be a divider.
const LONGEST_LOOSE_BLOCK: usize = 30;
/// Lines at the end among which a phone's line is looked for.
const LAST_LINES: usize = 400;
/// Lines that may stand below a closing such as "Kind regards".
const LONGEST_NAME_BLOCK: usize = 12;

/// Which of these lines, all of one person and in one piece, are a signature. One entry a line.
pub(super) fn find(lines: &[&str]) -> Vec<bool> {
    let mut found = vec![false; lines.len()];
    let mut end = lines.len();
    let below = texts_below(lines);
    if let Some(start) = delimiter(lines, &below) {
        end = start;
    }
    loop {
        let before = end;
        end = trim_blank(lines, end);
        if let Some(start) = footer(lines, end) {
            end = start;
        }
        if end == before {
            break;
        }
    }
    for (line, slot) in lines.iter().zip(&mut found).take(end).skip(end.saturating_sub(LAST_LINES)) {
        *slot = is_device_line(line);
    }
    if let Some(start) = closing(lines, &found, end) {
        end = start;
    }
    mark(&mut found, end, lines.len());
    found
}

fn mark(found: &mut [bool], start: usize, end: usize) {
    found.iter_mut().take(end).skip(start).for_each(|slot| *slot = true);
}

fn trim_blank(lines: &[&str], mut end: usize) -> usize {
    while end > 0 && lines.get(end - 1).is_some_and(|line| trim(line).is_empty()) {
        end -= 1;
    }
    end
}

/// For each line, how many lines with text stand below it.
fn texts_below(lines: &[&str]) -> Vec<usize> {
    let mut below = vec![0; lines.len()];
    let mut count = 0;
    for (slot, line) in below.iter_mut().zip(lines).rev() {
        *slot = count;
        count += usize::from(!trim(line).is_empty());
    }
    below
}

/// `-- ` on a line of its own, outside a block of code.
fn delimiter(lines: &[&str], below: &[usize]) -> Option<usize> {
    let mut in_code = false;
    for (index, line) in lines.iter().enumerate() {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        if in_code || line.len() > 8 {
            continue;
        }
        let exact = matches!(*line, "-- " | "--\u{a0}");
        let loose = trim(line) == "--";
        if exact || (loose && below.get(index).is_some_and(|below| *below <= LONGEST_LOOSE_BLOCK)) {
            return Some(index);
        }
    }
    None
}

/// A mailing list's or a company's paragraph at the very end. Returns where it starts.
fn footer(lines: &[&str], end: usize) -> Option<usize> {
    let mut start = end;
    while start > 0 && end - start < 40 && !lines.get(start - 1).is_some_and(|line| trim(line).is_empty()) {
        start -= 1;
    }
    let paragraph = lines.get(start..end)?;
    let first = paragraph.first()?;
    if paragraph.iter().map(|line| line.len()).sum::<usize>() > 8_000 {
        return None;
    }
    let fenced =
        trim(first).len() >= 2 && trim(first).chars().all(|character| matches!(character, '_' | '*' | '-' | '='));
    let opening = if fenced { paragraph.get(1).unwrap_or(first) } else { first };
    let opening = fold(trim(opening).trim_start_matches(['*', '_', '-', '=', ' ', '[', '(', '\u{26a0}', '\u{fe0f}']))
        .into_owned();
    let all = fold(&paragraph.join(" ")).into_owned();
    let long = all.len() > 120;
    let is_list = fenced && LISTS.are_in(&all);
    let opens = FOOTERS.iter().any(|words| opening.starts_with(words));
    let confidential = long && CONFIDENTIAL.are_in(&all);
    if !(is_list || opens || confidential) {
        return None;
    }
    let legal = LEGAL.iter().filter(|words| all.contains(**words)).count();
    let opens = opens && (legal > 1 || (legal > 0 && long) || GREEN.are_in(&all));
    let reads_so = confidential && legal > 1;
    // Whoever writes "I" or asks is a person speaking of such a text.
    let personal = all.contains('?') || words_of(&all).any(|word| FIRST_PERSON.contains(word));
    (is_list || ((opens || reads_so) && !personal)).then_some(start)
}

fn words_of(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// `Sent from my phone`, in whichever words.
fn is_device_line(line: &str) -> bool {
    let line = trim(line);
    if line.len() < 8 || line.len() > 240 {
        return false;
    }
    // The address of a link does not count as words.
    let start = line.trim_start_matches(['<', '(', '[']);
    let end = start.bytes().position(|byte| b"<([]>)".contains(&byte));
    let without_brackets;
    let shown = match end.and_then(|end| start.split_at_checked(end)) {
        Some((_, rest)) if rest.starts_with('[') => {
            without_brackets = start.replace('[', "");
            without_brackets.split(['<', '(', ']', '>', ')']).next().unwrap_or_default()
        }
        Some((shown, _)) => shown,
        None => start,
    };
    let shown = trim(shown).trim_matches(|character: char| "-_*. ".contains(character));
    if !may_be_device_line(shown) {
        return false;
    }
    let folded = fold(shown);
    let folded = without_apology(&folded);
    if folded.is_empty() || folded.contains([',', '?', ';']) || folded.contains(". ") {
        return DEVICE_WHOLE.open(folded);
    }
    if DEVICE_WHOLE.open(folded) && folded.len() < 100 {
        return true;
    }
    let words: Vec<&str> = words_of(folded).collect();
    if words.iter().any(|word| SENTENCES.contains(word)) {
        return false;
    }
    let has = |list: &WordSet| words.iter().any(|word| list.contains(word));
    let whole_words = |rest: &&str| !rest.starts_with(|character: char| character.is_ascii_alphanumeric());
    let Some(rest) = DEVICE_OPENINGS.stripped(folded).find(whole_words) else {
        let ends = DEVICE_ENDINGS.iter().any(|ending| folded.ends_with(ending));
        return ends && (has(&MAKES) || has(&DEVICES)) && words.len() <= 9;
    };
    let possessed = rest.split_whitespace().next().is_some_and(|word| POSSESSIVES.contains(word));
    let count = rest.split_whitespace().count();
    (possessed && (2..=6).contains(&count)) || (has(&MAKES) && count <= 9) || (has(&DEVICES) && count <= 3)
}

/// Cheap: most lines of most mails end here.
fn may_be_device_line(shown: &str) -> bool {
    let ends = |text: &str| {
        let known = |two: [u8; 2]| DEVICE_ENDINGS.iter().any(|ending| ending.as_bytes().ends_with(&two));
        text.len() > 1 && ending(text).is_none_or(known)
    };
    DEVICE_OPENINGS.may_open(shown)
        || DEVICE_WHOLE.may_open(shown)
        || ends(shown)
        || shown.split_once([',', '.', ';', '–']).is_some_and(|(before, _)| ends(trim(before)))
}

/// "Sent from my phone, please excuse any typos."
fn without_apology(folded: &str) -> &str {
    let Some((before, after)) = folded.split_once([',', '.', ';', '–']) else { return folded };
    if APOLOGIES.are_in(after) { trim(before) } else { folded }
}

/// A closing on a line of its own, with only a name block below it. Never the first line with text: somebody may
/// write nothing but "Cordialement".
fn closing(lines: &[&str], found: &[bool], end: usize) -> Option<usize> {
    let mut below = 0;
    let mut start = None;
    for index in (0..end).rev() {
        let line = trim(lines.get(index)?);
        if line.is_empty() || found.get(index) == Some(&true) {
            continue;
        }
        if is_closing(line) {
            start = Some(index);
        } else if start.is_some() || !fits_name_block(line) {
            break;
        }
        below += 1;
        if below > LONGEST_NAME_BLOCK {
            break;
        }
    }
    let start = start?;
    lines.iter().take(start).any(|line| !trim(line).is_empty()).then_some(start)
}

fn is_closing(line: &str) -> bool {
    if line.len() > 80 {
        return false;
    }
    let folded = fold(line);
    let bare = folded.trim_end_matches([',', '.', '!', ' ', ';', '-']);
    if CLOSINGS.contains(bare) {
        return true;
    }
    // "Cordialement, Jean Dupont" and "Bonne journée et cordialement".
    let with_name = folded.split_once(',').is_some_and(|(words, name)| {
        CLOSINGS.contains(words.trim())
            && name.split_whitespace().count() <= 4
            && !name.contains(['?', '!'])
            && line
                .split_once(',')
                .is_some_and(|(_, name)| name.split_whitespace().all(|word| word.starts_with(char::is_uppercase)))
    });
    with_name
        || bare.split_once(" et ").is_some_and(|(first, second)| CLOSINGS.contains(first) && CLOSINGS.contains(second))
}

/// A name, a role, a number, an address: short, and no sentence, no list, no afterthought.
fn fits_name_block(line: &str) -> bool {
    let count = line.split_whitespace().count();
    let ended = count >= 6 && line.ends_with(['.', '!', '…']);
    let goes_on = count >= 4 && line.starts_with(char::is_lowercase);
    let lists = line.ends_with(':') || (count >= 2 && line.starts_with(['-', '*', '•', '·']));
    let folded = fold(line);
    let afterthought = ["p.s", "ps ", "ps:", "ps.", "nb ", "nb:", "n.b"].iter().any(|start| folded.starts_with(start));
    let speaks = count >= 3
        && words_of(&folded)
            .any(|word| SENTENCES.contains(word) || FIRST_PERSON.contains(word) || REQUESTS.contains(word));
    let short = line.len() <= 110 && count <= 14 && !line.contains(['?', '？']);
    short && !(ended || goes_on || lists || afterthought || speaks)
}

/// Whether a line is empty or one that a phone or a mail program signs with, so that no person wrote it.
pub(super) fn is_phone_line(line: &str) -> bool {
    trim(line).is_empty() || is_device_line(line)
}
