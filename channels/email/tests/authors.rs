//! The mail corpus and what its authors state about each mail. It lies outside the repository and may be absent.

use std::fs;

use serde_json::Value;

/// One mail of the corpus.
pub struct Sample {
    pub file: String,
    pub kind: String,
    pub expect: Value,
    pub raw: Vec<u8>,
}

/// Every whole mail of the corpus; `None` when it is not there.
pub fn samples() -> Option<Vec<Sample>> {
    let root = crate::shared_folder("corpus/email")?;
    let index = fs::read_to_string(root.join("index.jsonl")).expect("the corpus has an index");
    let samples = index.lines().filter_map(|line| {
        let row: Value = serde_json::from_str(line).expect("an index line");
        if row["format"] != "eml" {
            return None;
        }
        let file = row["file"].as_str().expect("a file").to_owned();
        let mut raw = fs::read(root.join(&file)).expect("a corpus mail");
        // As intake does: a mail with bare CR line ends was carried off an old Mac.
        if !raw.contains(&b'\n') {
            for byte in raw.iter_mut().filter(|byte| **byte == b'\r') {
                *byte = b'\n';
            }
        }
        Some(Sample {
            file,
            kind: row["kind"].as_str().unwrap_or_default().to_owned(),
            expect: row["expect"].clone(),
            raw,
        })
    });
    Some(samples.collect())
}

/// A count of hits with the names of the misses.
#[derive(Default)]
pub struct Score {
    pub hits: usize,
    pub misses: Vec<String>,
}

impl Score {
    pub fn add(&mut self, hit: bool, miss: impl FnOnce() -> String) {
        if hit {
            self.hits += 1;
        } else {
            self.misses.push(miss());
        }
    }

    pub fn total(&self) -> usize {
        self.hits + self.misses.len()
    }

    /// Prints the score and its misses; the complaint when it is under the floor, in per mille.
    pub fn held(&self, what: &str, floor: usize) -> Option<String> {
        println!("{what}: {} of {}", self.hits, self.total());
        for miss in &self.misses {
            println!("  not {what}: {miss}");
        }
        let low = self.hits * 1000 < floor * self.total();
        low.then(|| format!("{what}: {} of {} is under {floor} per mille", self.hits, self.total()))
    }
}

/// Fails with every score that is under its floor, after all are printed.
pub fn hold(scores: &[(&str, &Score, usize)]) {
    let low: Vec<String> = scores.iter().filter_map(|(what, score, floor)| score.held(what, *floor)).collect();
    assert!(low.is_empty(), "{}", low.join("; "));
}
