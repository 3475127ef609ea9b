//! Text messages and their alphabet: 160 letters of GSM 03.38, or 70 of anything.

/// The basic alphabet of GSM 03.38.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Those that take two places.
const EXTENDED: &str = "^{}\\[~]|€";

/// The longest text that is sent, in characters: ten parts of the basic alphabet.
pub(crate) const LONGEST: usize = 1_530;

/// `text` as it is sent: what only typography put outside the alphabet is written plainly where that brings all of it inside;
/// what is too long is cut, which shows.
pub(crate) fn fitted(text: &str) -> String {
    let text = text.trim();
    let plain: String = text.chars().flat_map(plainly).collect();
    let mut fitted = if is_gsm(&plain) { plain } else { text.to_owned() };
    if fitted.chars().count() > LONGEST {
        fitted = fitted.chars().take(LONGEST - 8).collect();
        fitted.push_str(" [...]");
    }
    fitted
}

/// Whether every letter is of the alphabet.
pub(crate) fn is_gsm(text: &str) -> bool {
    text.chars().all(|c| BASIC.contains(c) || EXTENDED.contains(c))
}

/// How many parts it is charged as.
pub(crate) fn parts(text: &str) -> usize {
    let (length, one, many) = if is_gsm(text) {
        (text.chars().map(|c| if EXTENDED.contains(c) { 2 } else { 1 }).sum(), 160, 153)
    } else {
        (text.encode_utf16().count(), 70, 67)
    };
    if length <= one { 1 } else { length.div_ceil(many) }
}

fn plainly(c: char) -> Vec<char> {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' => vec!['\''],
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '«' | '»' => vec!['"'],
        '\u{2013}' | '\u{2014}' | '\u{2011}' | '\u{2010}' => vec!['-'],
        '…' => vec!['.', '.', '.'],
        '\u{a0}' | '\u{202f}' | '\u{2009}' | '\t' => vec![' '],
        'œ' => vec!['o', 'e'],
        'Œ' => vec!['O', 'E'],
        c => vec![c],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typography_costs_nothing_and_other_letters_are_kept() {
        assert_eq!(fitted("C’est « réglé » – merci…"), "C'est \" réglé \" - merci...");
        assert_eq!(fitted("C’est prêt"), "C’est prêt");
        assert_eq!((parts(&"a".repeat(160)), parts(&"a".repeat(161)), parts(&"€".repeat(80))), (1, 2, 1));
        assert_eq!((parts(&"ê".repeat(70)), parts(&"ê".repeat(71)), parts(&"😀".repeat(36))), (1, 2, 2));
    }

    #[test]
    fn what_is_too_long_is_cut_where_one_sees_it() {
        let cut = fitted(&"word ".repeat(400));
        assert_eq!(cut.chars().count(), 1_528);
        assert!(cut.ends_with(" [...]") && parts(&cut) == 10);
    }
}
