//! The HTML part of a notice, made from its text.

use guichet_domain::language::Language;

/// Paragraphs, line breaks and links of `text`; everything else is escaped. No image, no script, nothing remote: what a
/// mail program shows without asking. Colours are left to the reader's own light or dark mode.
pub(super) fn from_text(text: &str, language: Language) -> String {
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"></head>\n<body \
         style=\"font-family:sans-serif;font-size:16px;line-height:1.5;max-width:40em\">\n",
        language.as_str()
    );
    for paragraph in text.trim_end().split("\n\n") {
        html.push_str("<p>");
        for (at, line) in paragraph.lines().enumerate() {
            if at > 0 {
                html.push_str("<br>\n");
            }
            linked(&mut html, line);
        }
        html.push_str("</p>\n");
    }
    html.push_str("</body></html>\n");
    html
}

/// Escapes a line, making `https://` addresses into links.
fn linked(html: &mut String, line: &str) {
    for (at, word) in line.split(' ').enumerate() {
        if at > 0 {
            html.push(' ');
        }
        let address = word.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '»', '"']);
        if address.starts_with("https://") || address.starts_with("http://") {
            let shown = escaped(address);
            let rest = word.strip_prefix(address).unwrap_or_default();
            for piece in ["<a href=\"", &shown, "\">", &shown, "</a>", &escaped(rest)] {
                html.push_str(piece);
            }
        } else {
            html.push_str(&escaped(word));
        }
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_paragraphs_and_links_and_never_markup() {
        let html = from_text("See https://x.test/a?b=1&c=\"2\".\nBye <script>\n\nSecond\n", Language::Fr);
        assert!(html.contains("<html lang=\"fr\">"), "{html}");
        assert!(html.contains("<a href=\"https://x.test/a?b=1&amp;c=&quot;2\">"), "{html}");
        assert!(html.contains("<br>\nBye &lt;script&gt;</p>\n<p>Second</p>"), "{html}");
    }
}
