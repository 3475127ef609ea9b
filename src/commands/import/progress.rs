//! How far an import is: a line that is rewritten on a terminal, now and then a line elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use guichet_domain::verdict::Verdict;
use serde_json::{Value, json};
use tokio::time::Instant;

/// How often the line on a terminal is rewritten, and how often a line is written elsewhere.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// What was counted so far.
#[derive(Debug)]
pub struct Progress {
    counts: [u64; Verdict::ALL.len()],
    failed: u64,
    terminal: bool,
    quiet: bool,
    started: Instant,
    shown: Instant,
}

impl Progress {
    /// Begins to count. `quiet`: a program reads, nothing is shown on the way.
    pub fn new(quiet: bool) -> Self {
        let now = Instant::now();
        let terminal = io::stderr().is_terminal();
        Self { counts: [0; Verdict::ALL.len()], failed: 0, terminal, quiet, started: now, shown: now }
    }

    /// One more was taken in.
    pub fn taken(&mut self, verdict: Verdict) {
        for (count, of) in self.counts.iter_mut().zip(Verdict::ALL) {
            *count += u64::from(of == verdict);
        }
    }

    /// One more could not be.
    pub fn fail(&mut self) {
        self.failed += 1;
    }

    /// How many were taken in.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many could not be.
    pub const fn failed(&self) -> u64 {
        self.failed
    }

    /// Shows how far it is, when it is time to.
    pub fn show(&mut self) {
        let pause = if self.terminal { PAUSES.0 } else { PAUSES.1 };
        if self.quiet || self.shown.elapsed() < pause {
            return;
        }
        self.shown = Instant::now();
        let line = self.summary();
        // A terminal that went away is no reason to stop.
        if self.terminal {
            drop(write!(io::stderr().lock(), "\r\u{1b}[K{line}"));
        } else {
            drop(writeln!(io::stderr().lock(), "{line}"));
        }
    }

    /// Takes the line off the terminal.
    pub fn end(&self) {
        if self.terminal && !self.quiet {
            drop(write!(io::stderr().lock(), "\r\u{1b}[K"));
        }
    }

    /// All counts in one line.
    pub fn summary(&self) -> String {
        let words: Vec<String> = self
            .counts
            .iter()
            .zip(Verdict::ALL)
            .map(|(count, verdict)| format!("{count} {}", verdict.as_str()))
            .collect();
        let failed = if self.failed > 0 { format!(", {} not imported", self.failed) } else { String::new() };
        format!("{} messages, {}/s: {}{failed}", self.count(), self.rate(), words.join(", "))
    }

    /// All counts for a program.
    pub fn json(&self) -> Value {
        let mut all = json!({"messages": self.count(), "failed": self.failed, "per_second": self.rate()});
        for (count, verdict) in self.counts.iter().zip(Verdict::ALL) {
            if let Some(fields) = all.as_object_mut() {
                fields.insert(verdict.as_str().to_owned(), json!(count));
            }
        }
        all
    }

    fn rate(&self) -> u64 {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        self.count().saturating_mul(1000) / millis
    }
}
