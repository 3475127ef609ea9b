//! HTML made fit to show, and HTML made into text.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

mod words;

pub use words::to_text;

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
    const VOID: &[&str] = &[
        "br", "img", "hr", "meta", "link", "input", "col", "area", "base", "wbr", "p", "li", "td", "tr", "th",
        "option", "dt", "dd",
    ];
    let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
    let name = tag.get(..end).unwrap_or_default();
    VOID.iter().any(|void| void.eq_ignore_ascii_case(name))
}

/// Tags taken out in one pass, nothing rendered: for documents no renderer should be given.
fn stripped(html: &str) -> String {
    mail_parser::decoders::html::html_to_text(html)
}

#[cfg(test)]
mod tests;
