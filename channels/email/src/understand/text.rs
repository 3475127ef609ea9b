//! Text for people: one kind of line end, nothing invisible that could do harm.

/// Line ends become `\n`; control characters go, tabs stay; the end is trimmed. At most `bytes` long; true when cut.
pub(super) fn tidy(text: &str, bytes: usize) -> (String, bool) {
    let cut = text.len() > bytes;
    let text = text.get(..text.floor_char_boundary(bytes)).unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // Copies whole stretches between the few characters that change.
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\n' && c != '\t') {
        let (plain, odd) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = odd.chars();
        if chars.next() == Some('\r') && !odd.starts_with("\r\n") {
            out.push('\n');
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.truncate(out.trim_end().len());
    (out, cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_end_becomes_one_kind_and_controls_go() {
        assert_eq!(tidy("a\r\nb\rc\nd\0e\u{7}\tf \r\n\r\n", 100), ("a\nb\nc\nde\tf".to_owned(), false));
        assert_eq!(tidy("ééé", 3), ("é".to_owned(), true));
    }
}
