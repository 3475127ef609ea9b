//! What the suite found.

use std::fmt;

use super::musts::Must;

/// A rule that was broken, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The rule.
    pub must: Must,
    /// What happened.
    pub what: String,
}

impl Broken {
    pub(super) fn new(must: Must, what: impl Into<String>) -> Self {
        Self { must, what: what.into() }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} broken: {}\n    the rule: {}", self.must.number, self.what, self.must.words)
    }
}

/// Whether a check could be made on this network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tried {
    Yes,
    /// Why not.
    No(&'static str),
}

/// What the suite found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The numbers of the rules that were tried and kept.
    pub kept: Vec<&'static str>,
    /// The checks that could not be made, by the rule's number, and why.
    pub untried: Vec<(&'static str, &'static str)>,
    /// The rules that were broken.
    pub broken: Vec<Broken>,
}

impl Report {
    /// Ends the test when a rule was broken, naming each by its number in `docs/CONTRACT.md`.
    ///
    /// # Panics
    /// When a rule was broken.
    #[track_caller]
    pub fn assert_kept(&self) {
        assert!(self.broken.is_empty(), "{self}");
    }

    pub(super) fn judge(&mut self, must: Must, end: Result<Tried, Broken>) {
        match end {
            Ok(Tried::Yes) => self.kept.push(must.number),
            Ok(Tried::No(why)) => self.untried.push((must.number, why)),
            Err(broken) => self.broken.push(broken),
        }
    }

    pub(super) fn tidy(mut self) -> Self {
        self.kept.retain(|number| self.broken.iter().all(|broken| broken.must.number != *number));
        self.kept.dedup();
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the channel breaks {} of the contract's rules (docs/CONTRACT.md):", self.broken.len())?;
        for broken in &self.broken {
            writeln!(f, "  {broken}")?;
        }
        writeln!(f, "  kept: {}", self.kept.join(" "))?;
        for (number, why) in &self.untried {
            writeln!(f, "  {number} not tried: {why}")?;
        }
        Ok(())
    }
}
