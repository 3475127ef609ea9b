//! HTML made fit to show, and HTML made into text.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

mod sanity;
mod words;

use sanity::is_sane;
pub use words::to_text;

/// HTML an agent's browser may show: an allow-list of tags and attributes. No script, style, form, frame or event
/// handler; no remote picture (it would tell the sender when it is read), only `cid:` ones; links open nothing but
/// http, https, mailto and tel, and carry `rel="noopener noreferrer nofollow"`.
pub fn sanitise(html: &str) -> String {
    static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(cleaner);
    if !is_sane(html) {
        return escape(&stripped(html));
    }
    let clean = CLEANER.clean(html).to_string();
    // Each short `<a>` gets a long `rel`: a page of nothing else would grow tenfold.
    if clean.len() > html.len().saturating_mul(4).saturating_add(4_096) { escape(&stripped(html)) } else { clean }
}

/// Text as HTML that shows it unchanged.
pub(super) fn escape(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<pre>{escaped}</pre>\n")
}

/// Whether what is labelled plain text is an HTML page: careless mailers send one as the other.
pub(super) fn is_document(text: &str) -> bool {
    let begin = text.trim_start();
    begin.starts_with('<') && {
        let head = begin.get(..begin.floor_char_boundary(4_096)).unwrap_or(begin).to_ascii_lowercase();
        (head.contains("<html") || head.contains("<!doctype html")) && head.contains('>')
    }
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

/// Tags taken out in one pass, nothing rendered: for documents no renderer should be given.
fn stripped(html: &str) -> String {
    mail_parser::decoders::html::html_to_text(html)
}

#[cfg(test)]
mod tests;
