//! Secrets: never in the configuration itself, never in a log.
//!
//! A setting `password` is given as exactly one of `password_file` (a path), `password_env` (the name of an environment
//! variable) or `password_credential` (the name of a systemd credential).

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use crate::channel::SettingsError;

/// A secret value. Shows as `(secret)`; the bytes are reached by [`expose`](Self::expose) alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the moment of its use.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Where one secret comes from: the three keys of a setting, of which exactly one may be given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct SecretKeys {
    /// `KEY_file`: the file that holds it; a last line feed is dropped.
    pub file: Option<PathBuf>,
    /// `KEY_env`: the environment variable that holds it; a last line feed is dropped.
    pub env: Option<String>,
    /// `KEY_credential`: the file of this name in `$CREDENTIALS_DIRECTORY`.
    pub credential: Option<String>,
}

impl SecretKeys {
    /// Reads the secret called `key`. `Ok(None)` when none of the three is given.
    pub fn read(&self, key: &str) -> Result<Option<Secret>, SettingsError> {
        let given =
            usize::from(self.file.is_some()) + usize::from(self.env.is_some()) + usize::from(self.credential.is_some());
        if given > 1 {
            return Err(SettingsError {
                key: key.to_owned(),
                value: None,
                what: "it is given in more than one way".to_owned(),
                remedy: format!("keep one of {key}_file, {key}_env and {key}_credential"),
            });
        }
        if let Some(path) = &self.file {
            return from_file(path, &format!("{key}_file")).map(Some);
        }
        if let Some(name) = &self.env {
            let value = std::env::var(name).map_err(|_| SettingsError {
                key: format!("{key}_env"),
                value: Some(format!("\"{name}\"")),
                what: "there is no such environment variable, or it is not text".to_owned(),
                remedy: "set it where guichet is started, or use a file".to_owned(),
            })?;
            return of_text(&value).map(Some).ok_or_else(|| SettingsError {
                key: format!("{key}_env"),
                value: Some(format!("\"{name}\"")),
                what: "this environment variable is empty".to_owned(),
                remedy: "set it where guichet is started, or use a file".to_owned(),
            });
        }
        if let Some(name) = &self.credential {
            let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") else {
                return Err(SettingsError {
                    key: format!("{key}_credential"),
                    value: Some(format!("\"{name}\"")),
                    what: "systemd passed no credentials".to_owned(),
                    remedy: "add LoadCredential= to the unit, or use a file".to_owned(),
                });
            };
            return from_file(&PathBuf::from(folder).join(name), &format!("{key}_credential")).map(Some);
        }
        Ok(None)
    }
}

fn from_file(path: &std::path::Path, key: &str) -> Result<Secret, SettingsError> {
    let failed = |what: String| SettingsError {
        key: key.to_owned(),
        value: Some(format!("\"{}\"", path.display())),
        what,
        remedy: "name a file that guichet's user can read and that holds the secret alone".to_owned(),
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    of_text(&text).ok_or_else(|| failed("it is empty".to_owned()))
}

/// The secret without the line end that editors and `$(...)`-less shells leave behind it; `None` when nothing is left.
fn of_text(text: &str) -> Option<Secret> {
    let value = text.trim_end_matches(['\r', '\n']);
    (!value.is_empty()).then(|| Secret::new(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_given_twice_is_refused_and_never_shown() {
        let keys = SecretKeys { file: Some("/x".into()), env: Some("Y".into()), credential: None };
        let error = keys.read("password").unwrap_err().to_string();
        assert_eq!(
            error,
            "password: it is given in more than one way; keep one of password_file, password_env and password_credential"
        );
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "(secret)");
    }

    #[test]
    fn a_line_end_behind_a_secret_is_none_of_it_wherever_it_comes_from() {
        assert_eq!(of_text("hunter2\r\n"), Some(Secret::new("hunter2")));
        assert_eq!(of_text(" hunter 2 "), Some(Secret::new(" hunter 2 ")));
        assert_eq!(of_text("\n"), None);
        let keys = SecretKeys { env: Some("CARGO_PKG_NAME".into()), ..SecretKeys::default() };
        assert_eq!(keys.read("password"), Ok(Some(Secret::new("guichet-contract"))));
    }

    #[test]
    fn a_file_gives_its_line_and_a_missing_one_is_named() {
        let keys = SecretKeys { file: Some("/nonexistent/pw".into()), ..SecretKeys::default() };
        let error = keys.read("password").unwrap_err().to_string();
        assert!(error.starts_with("password_file = \"/nonexistent/pw\": "), "{error}");
        assert_eq!(SecretKeys::default().read("password"), Ok(None));
    }
}
