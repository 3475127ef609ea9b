//! HTML made fit to show, and HTML made into text.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use html2text::{config, render::TextDecorator};

/// Wider than any paragraph should be: lines are wrapped where they are shown, not here.
const WIDTH: usize = 2_000;
/// Marks around a link's target, taken out again after rendering; private-use characters, removed from the input.
const LINK: (char, char, char) = ('\u{f8f0}', '\u{f8f1}', '\u{f8f2}');

/// HTML an agent's browser may show: an allow-list of tags and attributes. No script, style, form, frame or event
/// handler; no remote picture (it would tell the sender when it is read), only `cid:` ones; links open nothing but
/// http, https, mailto and tel, and carry `rel="noopener noreferrer nofollow"`.
pub fn sanitise(html: &str) -> String {
    static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(cleaner);
    if depth(html) > 500 {
        // Nested deeper than any person writes: shown as the text it holds.
        return escape(&stripped(html));
    }
    CLEANER.clean(html).to_string()
}

/// HTML as text: links as `words (address)`, lists and quotes marked, rows of data tables on a line each, pictures as
/// their alternative text. Scripts, styles and comments are gone. Never fails: what cannot be rendered is stripped.
pub fn to_text(html: &str) -> String {
    if depth(html) > 200 {
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

/// Text as HTML that shows it unchanged.
pub(super) fn escape(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<pre>{escaped}</pre>\n")
}

/// The charset an HTML document names for itself near its beginning.
pub(super) fn declared_charset(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..2_048).unwrap_or(bytes).to_ascii_lowercase();
    let at = head.windows(8).position(|eight| eight == b"charset=")? + 8;
    let rest = head.get(at..)?;
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    let end =
        rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"-_:.".contains(byte)).unwrap_or(rest.len());
    let label = rest.get(..end.min(40))?;
    // A document that could be read so far to find this is not in UTF-16, whatever it says.
    (!label.is_empty() && !label.starts_with(b"utf-16")).then(|| String::from_utf8_lossy(label).into_owned())
}

fn cleaner() -> Builder<'static> {
    let tags: HashSet<&str> = [
        "a",
        "abbr",
        "address",
        "b",
        "bdi",
        "blockquote",
        "br",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "font",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
    ]
    .into();
    let mut builder = Builder::new();
    builder
        .tags(tags)
        .clean_content_tags(
            ["script", "style", "title", "noscript", "template", "iframe", "object", "svg", "math"].into(),
        )
        .generic_attributes(["title", "dir", "lang"].into())
        .tag_attributes(
            [
                ("a", ["href"].into()),
                ("img", ["src", "alt", "width", "height"].into()),
                ("td", ["colspan", "rowspan", "align", "valign"].into()),
                ("th", ["colspan", "rowspan", "align", "valign"].into()),
                ("ol", ["start", "type"].into()),
                ("font", ["color"].into()),
            ]
            .into(),
        )
        .url_schemes(["http", "https", "mailto", "tel", "cid"].into())
        .url_relative(UrlRelative::Deny)
        .attribute_filter(|tag, attribute, value| match (tag, attribute) {
            ("img", "src") => is_cid(value).then_some(Cow::Borrowed(value)),
            ("a", "href") => (!is_cid(value)).then_some(Cow::Borrowed(value)),
            _ => Some(Cow::Borrowed(value)),
        })
        .link_rel(Some("noopener noreferrer nofollow"));
    builder
}

fn is_cid(url: &str) -> bool {
    url.trim_start().get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("cid:"))
}

/// How deep elements are nested, as far as a count of tags can tell; never too low for a document that is deep.
fn depth(html: &str) -> usize {
    let (mut now, mut deepest) = (0_usize, 0);
    for tag in html.split('<').skip(1) {
        match tag.bytes().next() {
            Some(b'/') => now = now.saturating_sub(1),
            Some(byte) if byte.is_ascii_alphabetic() && !is_void(tag) => now += 1,
            _ => {}
        }
        deepest = deepest.max(now);
    }
    deepest
}

/// Elements that are never closed, or mostly are not.
fn is_void(tag: &str) -> bool {
    let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
    let name = tag.get(..end).unwrap_or_default();
    const VOID: &[&str] = &[
        "br", "img", "hr", "meta", "link", "input", "col", "area", "base", "wbr", "p", "li", "td", "tr", "th",
        "option", "dt", "dd",
    ];
    VOID.iter().any(|void| void.eq_ignore_ascii_case(name))
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

/// Tags taken out in one pass, nothing rendered: for documents no renderer should be given.
fn stripped(html: &str) -> String {
    mail_parser::decoders::html::html_to_text(html)
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
        out.push_str(words);
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

#[cfg(test)]
mod tests;
