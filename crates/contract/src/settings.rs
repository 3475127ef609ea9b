//! Reading settings with errors a person can act on.

use serde::de::DeserializeOwned;

use crate::channel::SettingsError;

/// Reads a source's settings into `T` (which denies unknown fields). An unknown key is named with the nearest known one.
pub fn read<T: DeserializeOwned>(settings: serde_json::Value) -> Result<T, SettingsError> {
    T::deserialize(settings).map_err(|error| explain(&error.to_string()))
}

/// Turns serde's words into ours: which key, what is wrong, what to do.
pub fn explain(words: &str) -> SettingsError {
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let names = quoted(words);
    if words.contains("unknown field")
        && let Some((unknown, known)) = names.split_first()
    {
        let remedy = match nearest(unknown, known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None if known.is_empty() => "remove it".to_owned(),
            None => format!("use one of: {}", known.join(", ")),
        };
        return SettingsError { key: unknown.clone(), value: None, what: "there is no such key".to_owned(), remedy };
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

    #[test]
    fn distances_are_levenshteins() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("ab", "b"), 1);
    }
}
