//! How a command ends when it does not end well.

use std::io;

use guichet_store::StoreError;

use super::run::RunError;
use crate::config::ConfigError;
use crate::kernel::KernelError;
use crate::logging::FilterError;
use crate::output::Unwritten;
use crate::state::StateError;

/// The ends a command has besides success; `docs/OPERATIONS.md` promises them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: whoever read the output went away, which is no failure.
    Unheard = 0,
    /// 1: it did not work.
    Failed = 1,
    /// 2: the command line is wrong.
    Usage = 2,
    /// 75: not now, nothing was taken (EX_TEMPFAIL).
    NotNow = 75,
    /// 78: the settings are wrong (EX_CONFIG).
    Settings = 78,
}

/// What went wrong and what to do, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    words: String,
}

impl Failure {
    /// It did not work: what, and the remedy.
    pub fn new(what: impl std::fmt::Display, remedy: impl std::fmt::Display) -> Self {
        Self { exit: Exit::Failed, words: format!("{what}; {remedy}") }
    }

    /// It did not work, in words that hold the remedy already.
    pub fn whole(words: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, words: words.into() }
    }

    /// The command line asks for something that cannot be.
    pub fn usage(what: impl std::fmt::Display, remedy: impl std::fmt::Display) -> Self {
        Self { exit: Exit::Usage, ..Self::new(what, remedy) }
    }

    /// The same with another exit code.
    #[must_use]
    pub fn ending(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// A file or folder of the machine that could not be used.
    pub fn of_file(path: impl std::fmt::Display, error: &io::Error) -> Self {
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => "name one that exists",
            io::ErrorKind::PermissionDenied => "run as a user that may use it, or change its permissions",
            io::ErrorKind::StorageFull => "free some space",
            io::ErrorKind::AlreadyExists => "name one that does not exist yet",
            _ => "mend it or name another",
        };
        Self::new(format!("{path}: {error}"), remedy)
    }
}

impl From<Unwritten> for Failure {
    fn from(error: Unwritten) -> Self {
        match error.0.kind() {
            io::ErrorKind::BrokenPipe => Self { exit: Exit::Unheard, words: String::new() },
            _ => Self::of_file("standard output", &error.0),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(&error, error.remedy())
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Self::whole(error.to_string())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::whole(error.to_string()).ending(Exit::Settings)
    }
}

impl From<FilterError> for Failure {
    fn from(error: FilterError) -> Self {
        Self::whole(error.to_string()).ending(Exit::Settings)
    }
}

impl From<KernelError> for Failure {
    fn from(error: KernelError) -> Self {
        match error {
            KernelError::Config(error) => error.into(),
            KernelError::Store(error) => error.into(),
            KernelError::Source(_) => Self::whole(error.to_string()).ending(Exit::Settings),
            KernelError::Keys(_) => Self::whole(error.to_string()),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Kernel(error) => error.into(),
            RunError::State(error) => error.into(),
            other => Self::whole(other.to_string()),
        }
    }
}
