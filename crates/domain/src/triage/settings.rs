//! The taxonomy as it is written in TOML.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Fact;
use crate::ticket::Kind;

/// Categories and rules, as written. See `default.toml` beside this file for a full example.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaxonomySettings {
    /// Whether the built-in categories and rules are left out, instead of being added to.
    pub standalone: bool,
    /// Key of the category of requests on which no rule speaks.
    pub default: Option<String>,
    /// Names of built-in rules that shall not speak.
    pub off: Vec<String>,
    /// Categories; one with a built-in key replaces it.
    pub category: Vec<CategorySettings>,
    /// Rules; one with a built-in name replaces it.
    pub rule: Vec<RuleSettings>,
}

/// One category.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategorySettings {
    /// Stored with tickets: lower-case letters, digits, `.`, `-` and `_`.
    pub key: String,
    /// Key of the category this one refines.
    #[serde(default)]
    pub parent: Option<String>,
    /// What people read, by language code.
    #[serde(default)]
    pub label: BTreeMap<String, String>,
}

/// One rule: when any of its phrases or patterns is found, it votes and states facts, once.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleSettings {
    /// Shown to agents as the reason.
    pub name: String,
    /// Weight by category key; twice as much when found in the subject.
    pub votes: BTreeMap<String, f32>,
    /// The kind of request it speaks for.
    pub kind: Option<Kind>,
    /// What it states.
    pub facts: Vec<Fact>,
    /// Words and phrases by language code, or under `any`. Case, accents and punctuation do not count; whole words are
    /// compared, and a `*` at the end stands for any ending. Within a longer phrase that is found, a shorter one is not.
    pub phrases: BTreeMap<String, Vec<String>>,
    /// Regular expressions over the folded words (lower case, no accents, one space before, between and after words, `?`
    /// a word by itself). Write a space for the edge of a word: it is quicker than `\b`. A group named `count` makes the rule speak from 2 on, and for everybody from 20 on.
    pub pattern: Vec<String>,
}
