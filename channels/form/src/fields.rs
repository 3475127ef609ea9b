//! What was typed into a form, and what is wrong with it.

use crate::settings::{FieldKeys, FieldKind, FormKeys};
use crate::words::{Lang, Word, say};

/// Longest values in characters.
pub(crate) const NAME: usize = 100;
pub(crate) const SUBJECT: usize = 200;
pub(crate) const MESSAGE: usize = 20_000;
/// RFC 5321 section 4.5.3.1.3: a path of 256 octets, its angle brackets included.
pub(crate) const ADDRESS: usize = 254;

/// The values of a form as they were sent: shown again when something is wrong, whatever they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Values(Vec<(String, String)>);

impl Values {
    /// One more. The first of a name counts.
    pub(crate) fn push(&mut self, name: String, value: String) {
        self.0.push((name, value));
    }

    /// What was typed; empty when nothing was.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Every value of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// One line: outer space and control characters gone.
    pub(crate) fn line(&self, name: &str) -> String {
        let kept: String = self.get(name).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        kept.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Several lines: control characters but line ends and tabs gone.
    pub(crate) fn text(&self, name: &str) -> String {
        let unified = self.get(name).replace("\r\n", "\n").replace('\r', "\n");
        let kept: String = unified.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        kept.trim().to_owned()
    }
}

/// Something wrong, by the field it is wrong with; no field for the form as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) field: Option<String>,
    pub(crate) words: String,
}

impl Wrong {
    pub(crate) fn with(field: &str, words: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), words: words.into() }
    }

    pub(crate) fn whole(words: impl Into<String>) -> Self {
        Self { field: None, words: words.into() }
    }
}

/// Everything that is wrong with what was typed, in the order of the page.
pub(crate) fn check(form: &FormKeys, values: &Values, lang: Lang) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    let too_long = |label: &str, most: usize| {
        say(lang, Word::TooLong).replace("{label}", label).replace("{most}", &most.to_string())
    };
    if values.line("name").chars().count() > NAME {
        wrongs.push(Wrong::with("name", too_long(say(lang, Word::Name), NAME)));
    }
    let address = values.line("email");
    if address.is_empty() {
        wrongs.push(Wrong::with("email", say(lang, Word::EmailMissing)));
    } else if !is_address(&address) {
        wrongs.push(Wrong::with("email", say(lang, Word::EmailWrong)));
    }
    if values.line("subject").chars().count() > SUBJECT {
        wrongs.push(Wrong::with("subject", too_long(say(lang, Word::Subject), SUBJECT)));
    }
    for field in &form.fields {
        wrongs.extend(check_field(field, values, lang));
    }
    let message = values.text("message");
    if message.is_empty() {
        wrongs.push(Wrong::with("message", say(lang, Word::MessageMissing)));
    } else if message.chars().count() > MESSAGE {
        wrongs.push(Wrong::with("message", too_long(say(lang, Word::Message), MESSAGE)));
    }
    wrongs
}

fn check_field(field: &FieldKeys, values: &Values, lang: Lang) -> Option<Wrong> {
    let label = field.label.get(lang);
    let value = values.text(&field.key);
    if value.is_empty() {
        let missing = || say(lang, Word::FieldMissing).replace("{label}", label);
        return field.required.then(|| Wrong::with(&field.key, missing()));
    }
    if field.kind == FieldKind::Select && !field.options.iter().any(|option| option.value == value) {
        return Some(Wrong::with(&field.key, say(lang, Word::NoSuchOption).replace("{label}", label)));
    }
    (value.chars().count() > field.max).then(|| {
        let words = say(lang, Word::TooLong).replace("{label}", label).replace("{most}", &field.max.to_string());
        Wrong::with(&field.key, words)
    })
}

/// What was answered to the operator's own fields, with the labels as they were shown.
pub(crate) fn answers(form: &FormKeys, values: &Values, lang: Lang) -> Vec<(String, String)> {
    let shown = |field: &FieldKeys, value: &str| match field.kind {
        FieldKind::Select => {
            let option = field.options.iter().find(|option| option.value == value);
            option.map_or_else(|| value.to_owned(), |option| option.label.get(lang).to_owned())
        }
        FieldKind::Checkbox => say(lang, Word::Yes).to_owned(),
        _ => value.to_owned(),
    };
    let filled = form.fields.iter().filter_map(|field| {
        let value = values.text(&field.key);
        (!value.is_empty()).then(|| (field.label.get(lang).to_owned(), shown(field, &value)))
    });
    filled.collect()
}

/// Whether something can be mailed to: one `@`, a local part and a domain with a dot, nothing that could stand for more than
/// one address or another header. What really takes mail only mail can tell.
pub(crate) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"@".contains(c);
    let labels = || domain.split('.');
    text.len() <= ADDRESS
        && (1..=64).contains(&local.len())
        && !text.replacen('@', "", 1).contains(forbidden)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && labels().count() >= 2
        && labels().all(|label| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_address() {
        for good in ["ana@example.org", "a.b+tag@sub.example.org", "élodie@exämple.fr", "o'neil@example.org"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "ana",
            "@example.org",
            "ana@",
            "ana@example",
            "a b@example.org",
            "ana@example.org,bob@example.org",
            "ana@example.org\r\nBcc: bob@example.org",
            "<ana@example.org>",
            "ana@@example.org",
            ".ana@example.org",
            "ana@-example.org",
            "ana@example..org",
            "\"ana\"@example.org",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
        assert!(!is_address(&format!("{}@example.org", "a".repeat(65))));
    }

    #[test]
    fn a_line_is_one_line_and_a_text_keeps_its_lines() {
        let mut values = Values::default();
        values.push("subject".to_owned(), " Screen\r\nBcc: x\u{0} flickers ".to_owned());
        values.push("message".to_owned(), "one\r\ntwo\u{1b}[31m\rthree\n".to_owned());
        assert_eq!(values.line("subject"), "Screen Bcc: x flickers");
        assert_eq!(values.text("message"), "one\ntwo[31m\nthree");
    }
}
