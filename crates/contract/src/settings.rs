//! Reading settings with errors a person can act on.

use serde::de::value::Error as Wordless;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde_json::{Map, Value};

use crate::channel::SettingsError;

/// Reads a source's settings into `T` (which denies unknown fields). An unknown key is named with the nearest known one, a
/// value of the wrong form with its key.
#[expect(clippy::needless_pass_by_value, reason = "whoever reads settings is done with them")]
pub fn read<T: DeserializeOwned>(settings: Value) -> Result<T, SettingsError> {
    T::deserialize(&settings).map_err(|error| blamed::<T>(&settings, &error.to_string()))
}

/// The same for one section of the settings, `[source.NAME]`: errors name it.
pub fn section<T: DeserializeOwned>(name: &str, settings: Value) -> Result<T, SettingsError> {
    read(settings).map_err(|error| within(name, error))
}

/// The same for a section whose keys are `A`'s and `B`'s together.
pub fn section_of_two<A: DeserializeOwned, B: DeserializeOwned>(
    name: &str,
    settings: Value,
) -> Result<(A, B), SettingsError> {
    let Value::Object(keys) = settings else { return section::<A>(name, settings).and(Err(not_a_section(name))) };
    let (of_a, of_b) = (keys_of::<A>(), keys_of::<B>());
    if let Some(unknown) = keys.keys().find(|key| !of_a.contains(&key.as_str()) && !of_b.contains(&key.as_str())) {
        let known: Vec<String> = of_a.iter().chain(of_b).map(|key| (*key).to_owned()).collect();
        return Err(within(name, no_such_key(unknown, &known)));
    }
    let (a, b): (Map<String, Value>, Map<String, Value>) =
        keys.into_iter().partition(|(key, _)| of_a.contains(&key.as_str()));
    Ok((section(name, Value::Object(a))?, section(name, Value::Object(b))?))
}

/// The keys of a struct that derives `Deserialize` and flattens nothing; none of anything else.
pub fn keys_of<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut keys: &'static [&'static str] = &[];
    // It always fails: it has no value to give, and only listens to what is asked of it.
    drop(T::deserialize(Listening(&mut keys)));
    keys
}

/// Notes the keys that are asked for.
struct Listening<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Listening<'_> {
    type Error = Wordless;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Wordless> {
        Err(Wordless::custom("nothing is here"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Wordless> {
        *self.0 = fields;
        Err(Wordless::custom("nothing is here"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// What `words` say, with the key whose absence changes them: serde does not tell which value it was about.
fn blamed<T: DeserializeOwned>(settings: &Value, words: &str) -> SettingsError {
    let mut error = explain(words);
    let Value::Object(keys) = settings else { return error };
    if !error.key.is_empty() {
        return error;
    }
    let guilty = keys.iter().find(|(key, _)| {
        let mut others = keys.clone();
        others.remove(*key);
        T::deserialize(&Value::Object(others)).map_or_else(|other| other.to_string() != words, |_| true)
    });
    if let Some((key, value)) = guilty {
        let secret = ["password", "secret", "token"].iter().any(|word| key.contains(word));
        error.value = error.value.filter(|_| !secret);
        if error.value.is_none() && !secret && !value.is_object() {
            error.value = Some(value.to_string());
        }
        if secret {
            // serde quotes the value in its words.
            "it does not have the form it must have".clone_into(&mut error.what);
        }
        error.key.clone_from(key);
    }
    error
}

fn within(section: &str, error: SettingsError) -> SettingsError {
    SettingsError { key: format!("{section}.{}", error.key), ..error }
}

fn not_a_section(name: &str) -> SettingsError {
    SettingsError {
        key: format!("{name}."),
        value: None,
        what: "this is no section".to_owned(),
        remedy: "`guichet config example` shows every key with its form".to_owned(),
    }
}

fn no_such_key(unknown: &str, known: &[String]) -> SettingsError {
    let remedy = match nearest(unknown, known) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None if known.is_empty() => "remove it".to_owned(),
        None => format!("use one of: {}", known.join(", ")),
    };
    SettingsError { key: unknown.to_owned(), value: None, what: "there is no such key".to_owned(), remedy }
}

/// Turns serde's words into ours: which key, what is wrong, what to do.
pub fn explain(words: &str) -> SettingsError {
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let names = quoted(words);
    if words.contains("unknown field")
        && let Some((unknown, known)) = names.split_first()
    {
        return no_such_key(unknown, known);
    }
    if words.contains("unknown variant")
        && let Some((unknown, known)) = names.split_first()
    {
        let remedy = format!("use one of: {}", known.join(", "));
        return SettingsError {
            key: String::new(),
            value: Some(format!("\"{unknown}\"")),
            what: "this value is not known".to_owned(),
            remedy,
        };
    }
    if words.contains("missing field")
        && let Some(key) = names.first()
    {
        let remedy = "add it; `guichet config example` shows every key".to_owned();
        return SettingsError { key: key.clone(), value: None, what: "it is missing".to_owned(), remedy };
    }
    let remedy = "`guichet config example` shows every key with its form".to_owned();
    SettingsError { key: String::new(), value: None, what: words.to_owned(), remedy }
}

/// The known name nearest to `unknown`, if any is near enough to be what was meant.
pub fn nearest<'a>(unknown: &str, known: &'a [String]) -> Option<&'a str> {
    let limit = unknown.chars().count().div_ceil(3);
    known
        .iter()
        .map(|name| (distance(unknown, name), name))
        .min()
        .filter(|(distance, _)| *distance <= limit)
        .map(|(_, name)| name.as_str())
}

/// Levenshtein's distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = i;
        for (j, b) in right.iter().enumerate() {
            let (Some(above), Some(before)) = (row.get(j + 1).copied(), row.get_mut(j).map(|cell| *cell)) else {
                break;
            };
            let here = (diagonal + usize::from(a != *b)).min(above + 1).min(before + 1);
            diagonal = above;
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = here;
            }
            if j == 0
                && let Some(cell) = row.first_mut()
            {
                *cell = i + 1;
            }
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its name is read")]
        address: String,
    }

    #[test]
    fn an_unknown_key_is_named_with_the_nearest_one() {
        let error = read::<Sample>(serde_json::json!({"adress": "x"})).unwrap_err().to_string();
        assert_eq!(error, "adress: there is no such key; did you mean \"address\"?");
        let error = read::<Sample>(serde_json::json!({"zzz": "x"})).unwrap_err().to_string();
        assert!(error.starts_with("zzz: there is no such key; "), "{error}");
        let error = read::<Sample>(serde_json::json!({})).unwrap_err().to_string();
        assert!(error.starts_with("address: it is missing; add it"), "{error}");
    }

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Other {
        many: u8,
        password: Option<String>,
    }

    #[test]
    fn a_value_of_the_wrong_form_is_named_with_its_key_and_its_section() {
        let read = |json| section_of_two::<Sample, Other>("imap", json).unwrap_err().to_string();
        let error = read(serde_json::json!({"address": "x", "many": 300}));
        assert_eq!(
            error,
            "[source.imap] many = 300: invalid value: integer `300`, expected u8; `guichet config example` shows every \
             key with its form"
        );
        let error = read(serde_json::json!({"address": 7}));
        assert!(error.starts_with("[source.imap] address = 7: invalid type"), "{error}");
        let error = read(serde_json::json!({"address": "x", "mani": 3}));
        assert_eq!(error, "[source.imap] mani: there is no such key; did you mean \"many\"?");
        let error = read(serde_json::json!({"many": 3}));
        assert!(error.starts_with("[source.imap] address: it is missing"), "{error}");
        let error = read(serde_json::json!("x"));
        assert!(error.starts_with("[source.imap]"), "{error}");
    }

    #[test]
    fn a_secret_of_the_wrong_form_is_not_shown() {
        let error = section_of_two::<Sample, Other>("imap", serde_json::json!({"address": "x", "password": 4711}));
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("[source.imap] password: it does not have"), "{error}");
        assert!(!error.contains("4711"), "{error}");
    }

    #[test]
    fn distances_are_levenshteins() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("ab", "b"), 1);
    }
}
