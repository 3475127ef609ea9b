//! A body read, whatever its form: names and values.
//!
//! What a body is, is told by its first bytes; its Content-Type is often wrong. Nested values have their path as name
//! (`data.payload.from`, `user.0`); of XML the root element's name is left out.

use data_encoding::{BASE64, BASE64_NOPAD};

/// Most values a body may hold.
const MOST: usize = 5_000;
/// Most pairs of a form.
const MOST_PAIRS: usize = 200;
/// Deepest nesting of an XML document: its parser goes down once for each level.
const DEEPEST: usize = 64;
/// Most nodes of an XML document.
const MOST_NODES: u32 = 20_000;

/// Names and values, in the body's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

/// Why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable(pub(crate) String);

impl Fields {
    /// Reads a body: JSON, XML, or a form, of which `cdr=` may hold either, percent-encoded, in base64 or bare.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(body).map_err(|_| Unreadable("it is not UTF-8".to_owned()))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        match text.chars().next() {
            None => Ok(Self::default()),
            Some('{' | '[') => Self::json(text),
            Some('<') => Self::xml(text),
            Some(_) => match text.strip_prefix("cdr=") {
                Some(inner) => Self::read_inner(inner),
                None => Self::form(text),
            },
        }
    }

    fn read_inner(inner: &str) -> Result<Self, Unreadable> {
        let decoded = if inner.starts_with(['{', '<']) {
            inner.to_owned()
        } else if inner.contains('%') {
            percent_decoded(inner, true)
        } else {
            let compact: String = inner.chars().filter(|c| !c.is_whitespace()).collect();
            let bytes = BASE64.decode(compact.as_bytes()).or_else(|_| BASE64_NOPAD.decode(compact.as_bytes()));
            let bytes = bytes.map_err(|_| Unreadable("what follows cdr= is no encoding we know".to_owned()))?;
            String::from_utf8(bytes).map_err(|_| Unreadable("it is not UTF-8".to_owned()))?
        };
        match decoded.trim_start().chars().next() {
            Some('{') => Self::json(&decoded),
            Some('<') => Self::xml(decoded.trim_start()),
            _ => Err(Unreadable("what follows cdr= is neither JSON nor XML".to_owned())),
        }
    }

    /// Reads a form, or the query of an address.
    pub(crate) fn form(text: &str) -> Result<Self, Unreadable> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let mut fields = Vec::new();
        for pair in pairs {
            if fields.len() == MOST_PAIRS {
                return Err(Unreadable(format!("it holds more than {MOST_PAIRS} pairs")));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.push((percent_decoded(name, true), percent_decoded(value, true)));
        }
        Ok(Self(fields))
    }

    fn json(text: &str) -> Result<Self, Unreadable> {
        // serde_json refuses what is nested deeper than 128.
        let value = serde_json::from_str(text).map_err(|error| Unreadable(format!("it is no JSON: {error}")))?;
        let mut fields = Vec::new();
        flatten(String::new(), &value, &mut fields)?;
        Ok(Self(fields))
    }

    fn xml(text: &str) -> Result<Self, Unreadable> {
        if !is_shallow(text) {
            return Err(Unreadable(format!("it is no XML we take: nested deeper than {DEEPEST}, or with a DTD")));
        }
        let options = roxmltree::ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES };
        let document = roxmltree::Document::parse_with_options(text, options)
            .map_err(|error| Unreadable(format!("it is no XML we take: {error}")))?;
        let mut fields = Vec::new();
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            let is_leaf = !node.children().any(|child| child.is_element());
            let mut names: Vec<&str> = node.ancestors().map(|node| node.tag_name().name()).collect();
            // The document itself and the root element.
            names.truncate(names.len().saturating_sub(2));
            names.reverse();
            if is_leaf && fields.len() < MOST {
                fields.push((names.join("."), node.text().unwrap_or_default().trim().to_owned()));
            }
        }
        Ok(Self(fields))
    }

    /// The first value under any of these names, in the order of the names. What stands for nothing is left out.
    pub(crate) fn get(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|wanted| {
            let mut values = self.0.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
            values.find(|value| is_something(value))
        })
    }

    /// [`Fields::get`] of one name.
    pub(crate) fn of(&self, name: &str) -> Option<&str> {
        self.get(&[name])
    }

    /// Every pair, as it came.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether an XML document is nested no deeper than its parser can go, and declares nothing. What is no XML may be either.
fn is_shallow(text: &str) -> bool {
    let (mut rest, mut depth) = (text, 0_usize);
    while let Some((_, tag)) = rest.split_once('<') {
        let skipped = [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>")];
        if let Some((_, end)) = skipped.iter().find(|(begin, _)| tag.starts_with(begin)) {
            rest = tag.split_once(end).map_or("", |(_, behind)| behind);
            continue;
        }
        if tag.starts_with('!') {
            return false;
        }
        // What stands in quotes ends no tag.
        let (mut quote, mut last) = (None, ' ');
        let end = tag.char_indices().find(|(_, c)| {
            match quote {
                Some(open) if open == *c => quote = None,
                None if matches!(c, '"' | '\'') => quote = Some(*c),
                None if *c == '>' => return true,
                _ => {}
            }
            last = *c;
            false
        });
        if tag.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if last != '/' {
            depth += 1;
        }
        if depth > DEEPEST {
            return false;
        }
        rest = end.and_then(|(at, _)| tag.get(at..)).unwrap_or_default();
    }
    true
}

/// Whether a value says anything: not the words programs write for nothing, not a variable nobody filled in.
fn is_something(value: &str) -> bool {
    let value = value.trim();
    let unfilled = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let unfilled = unfilled.is_some_and(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
    !value.is_empty() && value != "null" && !unfilled
}

fn flatten(path: String, value: &serde_json::Value, into: &mut Vec<(String, String)>) -> Result<(), Unreadable> {
    use serde_json::Value;
    if into.len() == MOST {
        return Err(Unreadable(format!("it holds more than {MOST} values")));
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Null => {}
        Value::Bool(flag) => into.push((path, flag.to_string())),
        // As they were written: an id larger than 2^53 is not a float.
        Value::Number(number) => into.push((path, number.to_string())),
        Value::String(text) => into.push((path, text.clone())),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                flatten(below(&at.to_string()), item, into)?;
            }
        }
        Value::Object(items) => {
            for (name, item) in items {
                flatten(below(name), item, into)?;
            }
        }
    }
    Ok(())
}

/// Percent-decoded; what is no encoding stays as it is. In forms a plus is a blank.
pub(crate) fn percent_decoded(text: &str, form: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', ..) if form => {
                bytes.push(b' ');
                rest = after;
            }
            (byte, ..) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str, name: &str) -> Option<String> {
        Fields::read(body.as_bytes()).unwrap().of(name).map(str::to_owned)
    }

    #[test]
    fn a_body_is_what_its_first_bytes_say() {
        assert_eq!(of(r#" {"a": {"b": 1234567890987654400}}"#, "a.b").as_deref(), Some("1234567890987654400"));
        assert_eq!(of("a%2Eb=x+y%20z", "a.b").as_deref(), Some("x y z"));
        assert_eq!(of("<cdr><a><b> x </b></a></cdr>", "a.b").as_deref(), Some("x"));
        assert_eq!(of("cdr=<cdr><a>x</a></cdr>", "a").as_deref(), Some("x"));
        assert_eq!(of("cdr=%7B%22a%22%3A1%7D", "a").as_deref(), Some("1"));
        assert_eq!(of("cdr=eyJhIjoiPj8ifQ==", "a").as_deref(), Some(">?"));
    }

    #[test]
    fn what_stands_for_nothing_is_nothing() {
        let body = r#"{"a": "", "b": "null", "c": null, "d": "[CallerNumber]", "e": "[not this]"}"#;
        for name in ["a", "b", "c", "d"] {
            assert_eq!(of(body, name), None, "{name}");
        }
        assert_eq!(of(body, "e").as_deref(), Some("[not this]"));
    }

    #[test]
    fn bombs_and_wrecks_are_refused() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let wide = format!("[{}1]", "1,".repeat(6_000));
        let pairs = "a=b&".repeat(201);
        let entities = r#"<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>"#;
        for bad in [r#"{"a": "#, deep.as_str(), &wide, &pairs, entities, "<a>", "cdr=!", "cdr=eA=="] {
            assert!(Fields::read(bad.as_bytes()).is_err(), "{}", bad.chars().take(40).collect::<String>());
        }
        assert!(Fields::read(b"\xff\xfe").is_err());
        for (open, close) in [("<a>", "</a>"), ("<a b='/>'>", "</a>"), ("<a><!-- </a></a> -->", "</a>")] {
            let deep = |times: usize| format!("{}x{}", open.repeat(times), close.repeat(times));
            assert!(Fields::read(deep(9_000).as_bytes()).is_err(), "{open}");
            assert!(Fields::read(deep(60).as_bytes()).is_ok(), "{open}");
        }
        let wide = format!("<a>{}</a>", "<b/>".repeat(100));
        assert!(Fields::read(wide.as_bytes()).is_ok());
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        assert_eq!(percent_decoded("100%+%4", true), "100% %4");
        assert_eq!(percent_decoded("%2B33+", false), "+33+");
    }
}
