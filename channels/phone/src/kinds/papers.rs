//! That the documentation has a set-up for every kind, and that it can be copied.

use super::SystemName;

const PAPER: &str = include_str!("../../../../docs/PHONE.md");

/// The lines of the settings shown, block by block.
fn blocks() -> Vec<Vec<&'static str>> {
    let blocks = PAPER.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|block| block.lines().collect()).collect()
}

#[test]
fn every_kind_has_a_set_up() {
    for (name, word) in SystemName::ALL.into_iter().filter(|(name, _)| *name != SystemName::Generic) {
        let kind = format!("kind = \"{word}\"");
        assert!(blocks().iter().any(|block| block.contains(&kind.as_str())), "{name:?}");
    }
}

#[test]
fn every_setting_that_is_shown_exists() {
    let schema = crate::schema::schema();
    for block in blocks() {
        // Sections of a source (`[source.sms]`) have keys of their own.
        let top =
            block.iter().skip_while(|line| **line != "[[source]]").skip(1).take_while(|line| !line.starts_with('['));
        let settings = top.filter_map(|line| line.trim_start_matches("# ").split_once(" = "));
        for (key, _) in settings.filter(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
            let known = matches!(key, "name" | "channel") || schema.get(key).is_some();
            assert!(known, "{key} in {block:?}");
        }
    }
}
