//! Text made comparable: lower case, no accents, words with one space between them.

use crate::language::fold_into;

/// `text` as words with one space before, between and after them; `?` is a word by itself, other punctuation is gone.
/// Looks at `limit` characters only, so that a long mail costs no more than a short one.
pub(super) fn words(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit) + 2);
    out.push(' ');
    let (mut rest, mut left) = (text, limit);
    // Most of any text is ASCII, and goes over in runs.
    while left > 0 {
        let run = rest.bytes().take(left).position(|byte| !byte.is_ascii() || byte == b'?');
        let (plain, behind) = rest.split_at_checked(run.unwrap_or(rest.len().min(left))).unwrap_or((rest, ""));
        push_ascii(&mut out, plain);
        left -= plain.len();
        let mut chars = behind.chars();
        match chars.next().filter(|_| left > 0) {
            None => break,
            Some('?') => {
                gap(&mut out);
                out.push_str("? ");
            }
            Some(c) => push_foreign(&mut out, c),
        }
        (rest, left) = (chars.as_str(), left - 1);
    }
    gap(&mut out);
    out
}

/// What each byte of ASCII becomes: a small letter, a digit, or the space between words.
const PLAIN: [u8; 128] = {
    let mut table = [b' '; 128];
    let mut byte = 0;
    while byte < 128_u8 {
        if byte.is_ascii_alphanumeric() {
            table[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// Some hundred bytes at a time, so that what is written is checked for room once and not letter by letter.
fn push_ascii(out: &mut String, text: &str) {
    let mut last = if out.ends_with(' ') { b' ' } else { b'x' };
    for piece in text.as_bytes().chunks(256) {
        let mut written = [0; 256];
        let mut length = 0;
        for byte in piece {
            let plain = PLAIN.get(*byte as usize).copied().unwrap_or(b' ');
            if let Some(slot) = written.get_mut(length) {
                *slot = plain;
            }
            // One space only between words.
            length += usize::from(plain != b' ' || last != b' ');
            last = plain;
        }
        out.push_str(written.get(..length).and_then(|written| str::from_utf8(written).ok()).unwrap_or_default());
    }
}

fn push_foreign(out: &mut String, c: char) {
    // Beyond the Latin blocks folding changes nothing that a phrase could tell.
    if c > '\u{36f}' {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else {
            gap(out);
        }
        return;
    }
    let mut buffer = [0; 4];
    let start = out.len();
    fold_into(c.encode_utf8(&mut buffer), out);
    // A lone combining mark folds to nothing and joins what stands around it.
    if out.get(start..).is_some_and(|folded| folded.chars().any(|c| !c.is_alphanumeric())) {
        out.truncate(start);
        gap(out);
    }
}

fn gap(out: &mut String) {
    if !out.ends_with(' ') {
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_punctuation_do_not_count() {
        assert_eq!(words("L’ÉCRAN n'est-il pas cassé ?!", 100), " l ecran n est il pas casse ? ");
        assert_eq!(words("e\u{301}cran, Wi-Fi\u{a0}: œuf", 100), " ecran wi fi oeuf ");
        assert_eq!(words("", 100), " ");
        assert_eq!(words("Принтер 打印机", 100), " принтер 打印机 ");
    }

    #[test]
    fn only_the_beginning_of_a_long_text_is_read() {
        assert_eq!(words("one two three", 7), " one two ");
        assert_eq!(words("one two three", 6), " one tw ");
        assert_eq!(words("été été", 2), " et ");
        assert_eq!(words("one", 3), " one ");
    }
}
