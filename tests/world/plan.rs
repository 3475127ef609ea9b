//! How a world is made: what the operator wrote, and what its networks can do.

use guichet_testkit::PaperOptions;

/// A world to be. Built by naming what differs from a plain desk that is always open.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The configuration file, without sources.
    pub(super) config: String,
    /// What the network of letters can do.
    pub(super) letters: PaperOptions,
    /// Whether every writer is believed.
    pub(super) trust_all: bool,
    /// The events a program is told of, if there is one.
    pub(super) program: Option<Vec<String>>,
    /// Whether there is a page where people talk, and one where they fill in a form; what those cannot say goes by letter.
    pub(super) pages: bool,
    /// What makes this world's ids differ from another's.
    pub(super) seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            config: "[desk.calendar]\nhours = [\"24x7\"]\n[storage]\nfloor_mib = 0\n".to_owned(),
            letters: PaperOptions::default(),
            trust_all: false,
            program: None,
            pages: false,
            seed: 1,
        }
    }
}

impl Plan {
    /// With this configuration file.
    pub(super) fn configured(config: &str) -> Self {
        Self { config: format!("{config}\n[storage]\nfloor_mib = 0\n"), ..Self::default() }
    }

    /// With pages where people talk and fill in forms.
    pub(super) fn with_pages() -> Self {
        Self { pages: true, ..Self::default() }
    }

    /// On a network that can do this.
    pub(super) fn on(letters: PaperOptions) -> Self {
        Self { letters, ..Self::default() }
    }
}
