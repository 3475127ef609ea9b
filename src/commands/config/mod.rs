//! `guichet config`: the configuration, explained to people and to editors.

mod schema;

use super::{Context, Failure};

/// The file with every key and its default.
const CORE: &str = include_str!("../../../config/guichet.toml");

/// Prints every key with its default, and the settings of every kind of source, commented out: the whole is a
/// configuration that can be used as it is.
pub fn example(context: &Context) -> Result<(), Failure> {
    Ok(context.output.write(&whole_example())?)
}

/// Prints the JSON Schema of the file.
pub fn schema(context: &Context) -> Result<(), Failure> {
    Ok(context.output.value(&schema::document(&guichet_channels::kinds()))?)
}

fn whole_example() -> String {
    let mut text = CORE.to_owned();
    for kind in guichet_channels::kinds() {
        text.push_str("\n# ---- A source of the channel \"");
        text.push_str(kind.name());
        text.push_str("\": take the \"# \" away from what you use. ----\n#\n");
        for line in kind.example().lines() {
            text.push_str(if line.is_empty() { "#" } else { "# " });
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Place};

    fn toml(text: &str) -> serde_json::Value {
        serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
    }

    #[test]
    fn the_whole_example_is_a_configuration_that_runs_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("guichet.toml");
        std::fs::write(&file, whole_example()).unwrap();
        let config = Config::load(&Place { config: Some(file), state: None }).unwrap();
        assert_eq!(
            config.sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>(),
            ["local", "chat", "form", "phone"]
        );
        assert!(whole_example().contains("# [source.imap]"), "the e-mail settings stand behind it");
    }

    #[test]
    fn the_schema_accepts_what_the_examples_say_and_refuses_an_unknown_key() {
        let schema = schema::document(&guichet_channels::kinds());
        assert_eq!(schema::tests::faults(&schema, &toml(CORE), "$"), Vec::<String>::new());
        for kind in guichet_channels::kinds() {
            assert_eq!(schema::tests::faults(&schema, &toml(kind.example()), "$"), Vec::<String>::new());
        }
        let wrong = toml("[desk]\nnmae = \"x\"\n");
        assert_eq!(schema::tests::faults(&schema, &wrong, "$"), ["$.desk.nmae: unknown"]);
        let wrong = toml(
            "[[source]]\nname = \"a\"\nchannel = \"email\"\n[source.imap]\nhost = \"h\"\nuser = \"u\"\nprot = 1\n",
        );
        assert!(!schema::tests::faults(&schema, &wrong, "$").is_empty());
    }

    #[test]
    fn every_key_of_the_schema_stands_in_the_documented_file() {
        let schema = schema::document(&[]);
        for (section, of) in schema["properties"].as_object().unwrap() {
            for key in of["properties"].as_object().into_iter().flatten().map(|(key, _)| key) {
                let stands = |line: &str| {
                    let line = line.trim_start_matches(['#', ' ']);
                    line.starts_with(&format!("{key} =")) || line == format!("[{section}.{key}]")
                };
                assert!(CORE.lines().any(stands), "[{section}] {key} is not documented in config/guichet.toml");
            }
        }
    }
}
