//! A mail's text as lines, each with its depth of quotation.

/// Lines longer than this are never looked at as an attribution, a header or a signature: no person's mail program
/// writes one, and it bounds the work that hostile text can cause.
pub(super) const LONGEST_MARK: usize = 600;

/// One line, without its line end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a>(&'a str);

/// The lines of a text, whatever ends them.
pub(super) fn split(text: &str) -> Vec<Line<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split('\n').map(|line| Line(line.strip_suffix('\r').unwrap_or(line))).collect()
}

impl<'a> Line<'a> {
    /// How many `>` stand before the text. `>From` with no space is what mailbox files make of a plain `From`.
    pub(super) fn depth(self) -> usize {
        self.unquoted(usize::MAX).0
    }

    /// Whether the line is quoted at all; cheaper than its depth.
    pub(super) fn is_quoted(self) -> bool {
        let start = trim_start_few(self.0);
        start.starts_with('>') && !start.starts_with(">From ")
    }

    /// The text behind the marks of quotation, with no blank at either end.
    pub(super) fn text(self) -> &'a str {
        if is_plain(self.0) { self.0 } else { trim(self.unquoted(usize::MAX).1) }
    }

    /// The line as written, but for blanks at its end, with up to `levels` marks of quotation taken away.
    pub(super) fn without(self, levels: usize) -> &'a str {
        self.unquoted(levels).1.trim_end_matches(is_blank)
    }

    /// The line as written.
    pub(super) fn raw(self) -> &'a str {
        self.0
    }

    /// Whether nothing can be seen in it.
    pub(super) fn is_empty(self) -> bool {
        self.text().is_empty()
    }

    fn unquoted(self, levels: usize) -> (usize, &'a str) {
        let mut rest = self.0;
        let mut depth = 0;
        while depth < levels {
            let start = if depth == 0 { trim_start_few(rest) } else { rest.strip_prefix(' ').unwrap_or(rest) };
            if depth == 0 && start.starts_with(">From ") {
                return (0, start.strip_prefix('>').unwrap_or(start));
            }
            let Some(behind) = start.strip_prefix('>') else { break };
            rest = behind;
            depth += 1;
        }
        (depth, if depth == 0 { rest } else { rest.strip_prefix(' ').unwrap_or(rest) })
    }
}

/// Takes away what shows as nothing at both ends, no-break and zero-width blanks among it.
pub(super) fn trim(text: &str) -> &str {
    if is_plain(text) { text } else { text.trim_matches(is_blank) }
}

/// Whether neither end can be a blank or a mark of quotation: so it is with most lines, and two bytes tell.
fn is_plain(text: &str) -> bool {
    let [first, .., last] = text.as_bytes() else { return false };
    first.is_ascii_graphic() && *first != b'>' && last.is_ascii_graphic()
}

/// The last one is a Canadian letter that a tracking add-on of Gmail leaves below a mail.
fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{34f}' | '\u{1427}')
}

/// Up to three blanks may stand before a mark of quotation; more is indented text.
fn trim_start_few(text: &str) -> &str {
    let mut rest = text;
    for _ in 0..3 {
        rest = rest.strip_prefix(' ').unwrap_or(rest);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_marks_with_or_without_blanks_between() {
        let depths: Vec<_> =
            split("own\n> one\n>> two\n> > > three\r\n    > code").iter().map(|line| line.depth()).collect();
        assert_eq!(depths, [0, 1, 2, 3, 0]);
    }

    #[test]
    fn a_from_escaped_by_a_mailbox_file_is_the_persons_own_line() {
        let line = split(">From here on it fails")[0];
        assert!(!line.is_quoted());
        assert_eq!(line.text(), "From here on it fails");
    }

    #[test]
    fn one_level_of_quotation_can_be_taken_away() {
        assert_eq!(split("> > older")[0].without(1), "> older");
        assert_eq!(split("> newer  ")[0].without(1), "newer");
    }
}
