//! How long a file may be, and what it may not be called.

use std::fs;
use std::path::{Path, PathBuf};

use super::root;

/// Longer than this nobody reads to the end.
const LONGEST: usize = 600;
/// Half of all files are shorter than this.
const MEDIAN: usize = 200;
/// Names that say nothing: what is put under them belongs where it is used.
const EMPTY_WORDS: [&str; 8] = ["common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"];
const FOLDERS: [&str; 7] = ["benches", "channels", "crates", "fuzz", "src", "systemd", "tests"];

/// The first empty word in a path, if there is one.
fn empty_word(path: &Path) -> Option<&'static str> {
    let name = path.to_string_lossy().to_lowercase();
    let mut words = name.split(|letter: char| !letter.is_alphanumeric());
    words.find_map(|word| EMPTY_WORDS.into_iter().find(|empty| *empty == word))
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a folder of the tree can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && name != "corpus" && name != "artifacts" && !name.starts_with('.') {
                walk(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

/// Every file of the tree's own, relative to its top.
fn tree() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        walk(&root().join(folder), &mut found);
    }
    let relative = found.into_iter().filter_map(|path| path.strip_prefix(root()).ok().map(Path::to_path_buf));
    relative.collect()
}

fn rust_files() -> Vec<(PathBuf, String)> {
    let rust = tree().into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
    rust.map(|path| {
        let text = fs::read_to_string(root().join(&path)).expect("a source file is UTF-8");
        (path, text)
    })
    .collect()
}

#[test]
fn no_source_file_is_longer_than_600_lines() {
    let long = rust_files().into_iter().map(|(path, text)| (text.lines().count(), path));
    let long: Vec<String> = long
        .filter(|(lines, _)| *lines > LONGEST)
        .map(|(lines, path)| format!("{}: {lines} lines, over {LONGEST}; split it by what it is about", path.display()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn half_of_all_source_files_are_short() {
    let mut lengths: Vec<usize> = rust_files().iter().map(|(_, text)| text.lines().count()).collect();
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
    assert!(median > 0, "no source file was found");
    assert!(median <= MEDIAN, "the median source file has {median} lines, over {MEDIAN}");
}

#[test]
fn every_source_file_begins_by_saying_what_it_is() {
    let mute: Vec<String> = rust_files()
        .into_iter()
        // `tests.rs` beside a module is about that module, which says it.
        .filter(|(path, text)| !path.ends_with("tests.rs") && !text.starts_with("//!"))
        .map(|(path, _)| format!("{}: its first line is no `//!` comment", path.display()))
        .collect();
    assert!(mute.is_empty(), "{}", mute.join("\n"));
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    let empty: Vec<String> = tree()
        .into_iter()
        .filter_map(|path| {
            empty_word(&path).map(|word| format!("{}: `{word}` says nothing; name what it holds", path.display()))
        })
        .collect();
    assert!(empty.is_empty(), "{}", empty.join("\n"));
}

#[test]
fn an_empty_word_is_seen_wherever_it_stands_in_a_path() {
    assert_eq!(empty_word(Path::new("src/mail_utils.rs")), Some("utils"));
    assert_eq!(empty_word(Path::new("crates/helper/src/lib.rs")), Some("helper"));
    assert_eq!(empty_word(Path::new("src/Manager.rs")), Some("manager"));
    assert_eq!(empty_word(Path::new("src/utility_bill.rs")), None);
}
