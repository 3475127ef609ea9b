//! The suite on the paper channel, whole and sabotaged.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use guichet_contract::conformance::{self, Behaviour, Bench, Inward, Network, Shown};
use guichet_contract::{Channel, Port};
use guichet_domain::ids::ExternalId;
use guichet_testkit::{Letter, LetterState, Paper, PaperOptions, PaperPost};

use crate::sabotage::{Sabotage, Sabotaged};

struct PaperBench {
    options: PaperOptions,
    sabotage: Option<Sabotage>,
}

struct PaperNetwork {
    post: PaperPost,
    options: PaperOptions,
    sabotage: Option<Sabotage>,
    letters: Mutex<HashMap<String, ExternalId>>,
}

#[async_trait]
impl Bench for PaperBench {
    async fn network(&mut self) -> Arc<dyn Network> {
        Arc::new(PaperNetwork {
            post: PaperPost::new(),
            options: self.options.clone(),
            sabotage: self.sabotage,
            letters: Mutex::default(),
        })
    }

    fn inward(&self) -> Inward {
        Inward::Fetches
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.options.seal.expose().to_owned()]
    }

    fn clock_is_paused(&self) -> bool {
        true
    }
}

impl PaperNetwork {
    fn letter(&self, mark: &str) -> Option<ExternalId> {
        self.letters.lock().unwrap().get(mark).cloned()
    }
}

#[async_trait]
impl Network for PaperNetwork {
    async fn plug(&self, _: &Port) -> Arc<dyn Channel> {
        let paper = Paper::plugged(&self.post, self.options.clone());
        match self.sabotage {
            Some(how) => Sabotaged::plugged(paper, how, self.post.clone()),
            None => paper,
        }
    }

    async fn write(&self, mark: &str, text: &str) -> bool {
        let id = self.post.write(Letter::from("ines@example.org").about("A request").says(text));
        self.letters.lock().unwrap().insert(mark.to_owned(), id);
        true
    }

    async fn acknowledged(&self, mark: &str) -> bool {
        self.letter(mark).and_then(|id| self.post.state(&id)).is_some_and(|state| state != LetterState::Waiting)
    }

    async fn until_acknowledged(&self, mark: &str) {
        if let Some(id) = self.letter(mark) {
            self.post.until_taken(&id).await;
        }
    }

    async fn behave(&self, behaviour: Behaviour) -> bool {
        self.post.behave(behaviour);
        true
    }

    async fn shown(&self) -> Vec<Shown> {
        self.post.sent().into_iter().map(|sent| Shown { text: sent.notice.text }).collect()
    }
}

fn options() -> PaperOptions {
    PaperOptions { addresses: vec!["desk@paper.test".to_owned()], notes_departure: true, ..PaperOptions::default() }
}

async fn report(options: PaperOptions, sabotage: Option<Sabotage>) -> conformance::Report {
    conformance::run(&mut PaperBench { options, sabotage }).await
}

#[tokio::test(start_paused = true)]
async fn the_paper_channel_keeps_the_whole_contract() {
    let report = report(PaperOptions { max_chars: Some(8_000), ..options() }, None).await;
    report.assert_kept();
    assert_eq!(report.untried, [], "{report}");
    let all: Vec<String> =
        (1..=28).chain(39..=40).map(|number| format!("C{number}")).filter(|number| number != "C23").collect();
    let mut kept = report.kept.clone();
    kept.sort_by_key(|number| number.trim_start_matches('C').parse::<u32>().unwrap());
    kept.dedup();
    assert_eq!(kept, all);
}

#[tokio::test(start_paused = true)]
async fn a_paper_channel_that_can_do_little_keeps_it_too() {
    let little =
        PaperOptions { idempotent_send: false, finds_sent: false, notes_departure: false, batch: 1, ..options() };
    let report = report(little, None).await;
    report.assert_kept();
    let untried: Vec<&str> = report.untried.iter().map(|(number, _)| *number).collect();
    assert_eq!(untried, ["C13", "C20", "C39"], "{report}");
}

#[tokio::test(start_paused = true)]
async fn every_sabotage_is_seen_and_named() {
    for (how, number) in Sabotage::ALL {
        let options = PaperOptions { idempotent_send: *how != Sabotage::DeliversUnknown, ..options() };
        let report = report(options, Some(*how)).await;
        let named: Vec<&str> = report.broken.iter().map(|broken| broken.must.number).collect();
        assert!(named.contains(number), "{how:?} should break {number}:\n{report}");
    }
}
