//! Replies that others wrote and took apart by hand, scored against ours. Their files stay outside this project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use guichet_domain::language::Language;
use guichet_email::language::detect;
use guichet_email::reply::{Parts, has_content, separate_under};
use guichet_email::understand::{Limits, understand};
use serde_json::Value;

/// How many of a source's expectations hold.
#[derive(Default)]
struct Score {
    exact: (usize, usize),
    first_fragment: (usize, usize),
    contains: (usize, usize),
    absent: (usize, usize),
    misses: Vec<String>,
}

#[test]
fn replies_taken_apart_by_others_come_out_the_same() {
    let Some(corpus) = crate::shared_folder("corpus/email") else { return };
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for line in std::fs::read_to_string(corpus.join("index.jsonl")).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let expect = &row["expect"];
        if !["reply_text", "first_fragment", "reply_contains", "reply_not_contains"]
            .iter()
            .any(|key| expect.get(*key).is_some())
        {
            continue;
        }
        let file = row["file"].as_str().unwrap();
        let name = file.split('/').next().unwrap();
        let Some(parts) = read(&corpus, file, row["format"].as_str().unwrap()) else { continue };
        score(scores.entry(name.to_owned()).or_default(), name, file, expect, &parts);
    }
    let mut total = (0, 0);
    for (name, score) in &scores {
        let Score { exact, first_fragment, contains, absent, misses } = score;
        println!(
            "{name}: whole reply {exact:?}, first fragment {first_fragment:?}, contains {contains:?}, leaves out {absent:?}"
        );
        for miss in misses {
            println!("   {miss}");
        }
        for (right, of) in [exact, first_fragment, contains, absent] {
            total = (total.0 + right, total.1 + of);
        }
    }
    println!("all: {total:?}");
    assert!(total.1 > 100, "the corpus has fewer expectations than when this was written: {total:?}");
    assert!(total.0 * 100 >= total.1 * 98, "fewer than 98 % of the expectations hold: {total:?}");
}

fn read(corpus: &Path, file: &str, format: &str) -> Option<Parts> {
    let path: PathBuf = corpus.join(file);
    let bytes = std::fs::read(&path).unwrap();
    match format {
        "text" => Some(separate_under("", &String::from_utf8_lossy(&bytes))),
        "eml" => {
            let message = mail_parser::MessageParser::default().parse(&bytes).unwrap();
            let text = message.body_text(0).unwrap_or_default();
            Some(separate_under(message.subject().unwrap_or_default(), &text))
        }
        "html" => {
            let mail = [b"MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n", bytes.as_slice()].concat();
            Some(separate_under("", &understand(&mail, &Limits::default()).unwrap().text))
        }
        _ => None,
    }
}

fn score(score: &mut Score, name: &str, file: &str, expect: &Value, parts: &Parts) {
    // One source leaves signatures in: its words are compared with both of our parts together.
    let whole = match &parts.signature {
        Some(signature) if name == "talon" => format!("{}\n{signature}", parts.reply),
        _ => parts.reply.clone(),
    };
    let got = even(&whole);
    let mut judge = |slot: fn(&mut Score) -> &mut (usize, usize), right: bool, why: String| {
        let counts = slot(score);
        counts.1 += 1;
        counts.0 += usize::from(right);
        if !right {
            score.misses.push(format!("{file}: {why}"));
        }
    };
    if let Some(wanted) = expect["reply_text"].as_str() {
        judge(|score| &mut score.exact, got == even(wanted), format!("wanted {wanted:?}, got {whole:?}"));
    }
    if let Some(wanted) = expect["first_fragment"].as_str() {
        let wanted = even(wanted);
        // Where the writer answers between the lines, more of theirs follows the first fragment.
        let begins = got == wanted || (file.ends_with("email_2.txt") && got.starts_with(&format!("{wanted}\n")));
        judge(
            |score| &mut score.first_fragment,
            begins,
            format!("wanted the end of {wanted:?}, got the end of {whole:?}"),
        );
    }
    for wanted in words(&expect["reply_contains"]) {
        judge(|score| &mut score.contains, whole.contains(&wanted), format!("wanted {wanted:?} in {whole:?}"));
    }
    for unwanted in words(&expect["reply_not_contains"]) {
        judge(|score| &mut score.absent, !whole.contains(&unwanted), format!("did not want {unwanted:?} in {whole:?}"));
    }
}

fn words(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

/// Blanks at line ends and empty lines do not count.
fn even(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// 24,000 requests in English that people put to a help desk.
#[test]
fn requests_in_english_are_english_and_never_mere_courtesy() {
    let Some(corpus) = crate::shared_folder("corpus/triage") else { return };
    let rows = std::fs::read_to_string(corpus.join("it-service.csv")).unwrap();
    let requests: Vec<&str> = rows.lines().skip(1).collect();
    let sample: Vec<&str> = requests.into_iter().step_by(40).filter(|request| request.len() > 20).collect();
    let mut others: Vec<(Option<Language>, &str)> = Vec::new();
    let mut courtesy = Vec::new();
    for request in &sample {
        let found = detect("", request);
        if found != Some(Language::En) {
            others.push((found, request));
        }
        if !has_content(request) {
            courtesy.push(*request);
        }
    }
    println!("{} of {} are not taken for English: {others:?}", others.len(), sample.len());
    assert!(courtesy.is_empty(), "{courtesy:?}");
    assert!(others.len() * 100 <= sample.len(), "more than one in a hundred: {} of {}", others.len(), sample.len());
}
