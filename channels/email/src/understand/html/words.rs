//! HTML made into text a person reads as it was meant.

use std::borrow::Cow;

use html2text::{config, render::TextDecorator};

use super::{sanity::is_sane, stripped};

/// Wider than any paragraph should be: lines are wrapped where they are shown, not here.
const WIDTH: usize = 2_000;
/// Marks around a link's target, taken out again after rendering; private-use characters, removed from the input.
const LINK: (char, char, char) = ('\u{f8f0}', '\u{f8f1}', '\u{f8f2}');

/// HTML as text: links as `words (address)`, lists and quotes marked, rows of data tables on a line each, pictures as
/// their alternative text. Scripts, styles and comments are gone. Never fails: what cannot be rendered is stripped.
pub fn to_text(html: &str) -> String {
    if !is_sane(html) {
        return stripped(html);
    }
    let html: Cow<'_, str> = if html.contains([LINK.0, LINK.1, LINK.2]) {
        html.replace([LINK.0, LINK.1, LINK.2], "").into()
    } else {
        html.into()
    };
    let mut settings = config::with_decorator(Words { targets: Vec::new() })
        .allow_width_overflow()
        .no_link_wrapping()
        .link_footnotes(false);
    // Tables inside tables hold a layout and no data: their cells are read one after the other.
    settings = if has_nested_tables(&html) { settings.raw_mode(true) } else { settings.no_table_borders() };
    match settings.string_from_read(html.as_bytes(), WIDTH) {
        Ok(text) => tidy(&text),
        Err(_) => stripped(&html),
    }
}

fn has_nested_tables(html: &str) -> bool {
    let mut open = 0_u32;
    for tag in html.split('<').skip(1) {
        if starts_with_name(tag, "table") {
            open += 1;
            if open > 1 {
                return true;
            }
        } else if starts_with_name(tag, "/table") {
            open = open.saturating_sub(1);
        }
    }
    false
}

fn starts_with_name(tag: &str, name: &str) -> bool {
    tag.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name))
        && tag.get(name.len()..).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// Link marks resolved, rules shortened, blanks at line ends and runs of empty lines removed.
fn tidy(rendered: &str) -> String {
    let resolved = links(rendered);
    let mut out = String::with_capacity(resolved.len());
    let mut empty = 0;
    for line in resolved.lines() {
        let line = line.trim_end();
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if empty > 0 && !out.is_empty() {
            out.push('\n');
        }
        empty = 0;
        let rule = line.chars().count() > 20 && line.chars().all(|c| matches!(c, '─' | '━' | '-' | '='));
        out.push_str(if rule { "---" } else { line });
        out.push('\n');
    }
    out
}

/// `LINK.0 words LINK.1 target LINK.2` to `words (target)`; the target alone where the words say the same.
fn links(rendered: &str) -> String {
    let mut out = String::with_capacity(rendered.len());
    let mut rest = rendered;
    while let Some((before, after)) = rest.split_once(LINK.0) {
        out.push_str(before);
        let Some((words, after)) = after.split_once(LINK.1) else {
            rest = after;
            break;
        };
        let (target, after) = after.split_once(LINK.2).unwrap_or((after, ""));
        out.push_str(words.trim_end());
        let plain = words.split_whitespace().collect::<String>();
        let bare = |url: &str| {
            let url = url.trim_end_matches('/');
            let url = url.strip_prefix("mailto:").or_else(|| url.strip_prefix("tel:")).unwrap_or(url);
            url.split_once("://").map_or(url, |(_, rest)| rest).to_lowercase()
        };
        let shown = ["http:", "https:", "mailto:", "tel:", "ftp:"].iter().any(|scheme| target.starts_with(scheme));
        if shown && bare(&plain) != bare(target) {
            if !words.trim().is_empty() {
                out.push(' ');
            }
            out.push('(');
            out.push_str(target.strip_prefix("mailto:").unwrap_or(target));
            out.push(')');
        }
        rest = after;
    }
    out.push_str(&rest.replace([LINK.0, LINK.1, LINK.2], ""));
    out
}

/// Renders words with as little markup as text mails use.
#[derive(Clone, Debug)]
struct Words {
    targets: Vec<String>,
}

impl TextDecorator for Words {
    type Annotation = ();

    fn decorate_link_start(&mut self, url: &str) -> (String, ()) {
        let url = url.trim();
        self.targets.push(url.chars().filter(|c| !c.is_whitespace() && !c.is_control()).take(2_000).collect());
        (LINK.0.to_string(), ())
    }

    fn decorate_link_end(&mut self) -> String {
        format!("{}{}{}", LINK.1, self.targets.pop().unwrap_or_default(), LINK.2)
    }

    fn decorate_em_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    fn decorate_strikeout_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) {}

    fn decorate_preformat_cont(&self) {}

    fn decorate_image(&mut self, _src: &str, title: &str) -> (String, ()) {
        (if title.trim().is_empty() { String::new() } else { format!("[{}]", title.trim()) }, ())
    }

    fn header_prefix(&self, _level: usize) -> String {
        String::new()
    }

    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }

    fn unordered_item_prefix(&self) -> String {
        "- ".to_owned()
    }

    fn ordered_item_prefix(&self, place: i64) -> String {
        format!("{place}. ")
    }

    fn make_subblock_decorator(&self) -> Self {
        self.clone()
    }
}
