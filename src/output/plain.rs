//! Making text from outside safe to show: what a stranger wrote must not move the cursor, clear the screen or turn the
//! reading direction of the line around it.

/// One line: every control character, line break and direction mark is a space or gone.
pub fn line(text: &str) -> String {
    let kept = text.chars().filter(|c| !is_direction(*c)).map(|c| if is_control(c) { ' ' } else { c });
    kept.collect::<String>().trim().to_owned()
}

/// A text with its line breaks; tabs become spaces.
pub fn text(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => kept.push('\n'),
            '\t' => kept.push_str("    "),
            c if is_control(c) || is_direction(c) => {}
            c => kept.push(c),
        }
    }
    kept
}

fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_cannot_write_to_the_terminal() {
        assert_eq!(line("Hi\u{1b}[2J\r\nthere\u{202e}"), "Hi [2J  there");
        assert_eq!(text("a\r\n\tb\u{1b}]0;x\u{7}"), "a\n    b]0;x");
    }
}
