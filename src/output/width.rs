//! How wide text is on a terminal: combining marks take no place, East Asian and picture characters two.

use unicode_width::UnicodeWidthChar as _;

/// Columns one character takes.
pub fn of_char(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Columns a text takes on one line.
pub fn of(text: &str) -> usize {
    text.chars().map(of_char).sum()
}

/// `text` in at most `columns` columns; what is cut off shows as `…`.
pub fn cut(text: &str, columns: usize) -> String {
    if of(text) <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let mut kept = String::new();
    for c in text.chars() {
        let width = of_char(c);
        if width > left {
            break;
        }
        left -= width;
        kept.push(c);
    }
    kept.truncate(kept.trim_end().len());
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// `text` in lines of at most `columns` columns, broken between words; a longer word is broken itself. Empty lines stay.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut built = String::new();
        let mut used = 0;
        for word in line.split_inclusive(' ') {
            let width = of(word.trim_end());
            if used > 0 && used + width > columns {
                lines.push(std::mem::take(&mut built).trim_end().to_owned());
                used = 0;
            }
            for c in word.chars() {
                let width = of_char(c);
                if used + width > columns && c != ' ' {
                    lines.push(std::mem::take(&mut built));
                    used = 0;
                }
                built.push(c);
                used += width;
            }
        }
        lines.push(built.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_emoji_and_chinese_are_counted_as_they_are_shown() {
        assert_eq!(of("e\u{301}t\u{e9}"), 3);
        assert_eq!(of("打印机"), 6);
        assert_eq!(of("🚀 ok"), 5);
    }

    #[test]
    fn what_is_cut_says_so_and_keeps_within_its_columns() {
        assert_eq!(cut("Printer", 7), "Printer");
        assert_eq!(cut("Printer broken", 9), "Printer…");
        assert_eq!(cut("打印机坏了", 6), "打印…");
        assert_eq!(cut("x", 0), "");
    }

    #[test]
    fn long_lines_are_broken_between_words_and_long_words_within() {
        assert_eq!(wrap("the printer is broken", 11), ["the printer", "is broken"]);
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\n\nb", 10), ["a", "", "b"]);
    }
}
