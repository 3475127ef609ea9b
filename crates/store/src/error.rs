//! What can go wrong with a database, told so that an operator knows what to do.

use std::error::Error as _;

use sqlx::migrate::MigrateError;

/// Why a call to the store failed. Nothing of its transaction may be relied on: roll it back.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else holds it, or it is away: the same call may work in a moment.
    #[error("the database is busy or away: {what}")]
    Busy {
        /// In the driver's words.
        what: String,
    },
    /// Another transaction changed the same thing first: read again, decide again.
    #[error("somebody else changed it first: {what}")]
    Conflict {
        /// What was changed.
        what: String,
    },
    /// No room on the disk.
    #[error("the disk that holds the database is full: {what}")]
    Full {
        /// In the driver's words.
        what: String,
    },
    /// The database cannot be written.
    #[error("the database is read-only: {what}")]
    ReadOnly {
        /// In the driver's words.
        what: String,
    },
    /// A later version of guichet wrote it.
    #[error("the database has schema {found}, this program knows schemas up to {known}")]
    Newer {
        /// What it has.
        found: i64,
        /// What is known.
        known: i64,
    },
    /// It is damaged, or holds what this program cannot have written.
    #[error("the database is damaged: {what}")]
    Corrupt {
        /// What was found.
        what: String,
    },
    /// It does not promise what intake relies on.
    #[error("the database does not keep what it acknowledges: {what}")]
    Unsafe {
        /// Which promise is missing.
        what: String,
    },
    /// A write touched another number of rows than it must: a defect here, never the operator's.
    #[error("{what}: {expected} rows expected, {actual} touched")]
    Rows {
        /// Which write.
        what: &'static str,
        /// How many rows it must touch.
        expected: u64,
        /// How many it did.
        actual: u64,
    },
    /// It exists already.
    #[error("it exists already: {what}")]
    Taken {
        /// In the driver's words.
        what: String,
    },
    /// Anything else.
    #[error("the database refused: {what}")]
    Other {
        /// In the driver's words, with their causes.
        what: String,
    },
}

/// The kinds of [`StoreError`], for whoever decides between waiting, replaying and giving up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Wait a little and try again.
    Busy,
    /// Read again and decide again, at once.
    Conflict,
    /// Stop taking in until there is room.
    Full,
    /// Stop taking in until it can be written.
    ReadOnly,
    /// Never with this program.
    Newer,
    /// Never with this database.
    Corrupt,
    /// A defect, or one guilty item of a batch.
    Other,
}

impl StoreError {
    /// Which kind it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Busy { .. } => ErrorKind::Busy,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::Full { .. } => ErrorKind::Full,
            Self::ReadOnly { .. } => ErrorKind::ReadOnly,
            Self::Newer { .. } => ErrorKind::Newer,
            Self::Corrupt { .. } | Self::Unsafe { .. } => ErrorKind::Corrupt,
            Self::Rows { .. } | Self::Taken { .. } | Self::Other { .. } => ErrorKind::Other,
        }
    }

    /// Whether the whole database is in trouble rather than what was asked of it: keep things upstream and come back.
    pub fn is_environment(&self) -> bool {
        !matches!(self.kind(), ErrorKind::Other | ErrorKind::Conflict)
    }

    /// What to do about it, for the operator.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "it is tried again; if it lasts, see whether the database runs and what else uses it",
            Self::Conflict { .. } => "try again",
            Self::Full { .. } => {
                "free space on the disk that holds the state folder; nothing is lost, work goes on by itself"
            }
            Self::ReadOnly { .. } => {
                "make the state folder and the database writable for the user guichet runs as, or remount the disk"
            }
            Self::Newer { .. } => {
                "run the newer guichet that wrote it, or restore the backup it made beside the database before it changed it"
            }
            Self::Corrupt { .. } => "stop guichet, keep a copy of the state folder, and restore the last backup",
            Self::Unsafe { .. } => "put the state folder on a local disk with working locks and sync",
            Self::Rows { .. } | Self::Taken { .. } | Self::Other { .. } => {
                "this is likely a defect of guichet: report it with these words"
            }
        }
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        let what = words(&error);
        match &error {
            E::Io(io) if io.kind() == std::io::ErrorKind::StorageFull => Self::Full { what },
            E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::Io(_) | E::Tls(_) => Self::Busy { what },
            E::ColumnDecode { .. } | E::Decode(_) => Self::Corrupt { what },
            E::Database(database) => {
                let code = database.code().unwrap_or_default().into_owned();
                if database.is_unique_violation() {
                    return Self::Taken { what };
                }
                match code.parse::<i32>().ok().filter(|_| code.len() < 5) {
                    Some(code) => of_sqlite(code, what),
                    None => of_postgres(&code, what),
                }
            }
            _ => Self::Other { what },
        }
    }
}

/// Of the files beside the database.
impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as E;
        let what = error.to_string();
        match error.kind() {
            E::StorageFull | E::QuotaExceeded => Self::Full { what },
            E::ReadOnlyFilesystem => Self::ReadOnly { what },
            _ => Self::Other { what },
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => {
                Self::corrupt(format!("migration {version} was applied in another form, or by half"))
            }
            other => Self::Other { what: other.to_string() },
        }
    }
}

/// SQLite's result codes, the extended ones told by their low octet (<https://sqlite.org/rescode.html>).
fn of_sqlite(code: i32, what: String) -> StoreError {
    const IOERR_SHMSIZE: i32 = 4874;
    const IOERR_WRITE: i32 = 778;
    match (code, code & 0xff) {
        // A full disk shows as a failed write or a shared-memory file that cannot grow, too.
        (IOERR_SHMSIZE | IOERR_WRITE, _) | (_, 13) => StoreError::Full { what },
        // Busy, locked, protocol; input and output; cannot open.
        (_, 5 | 6 | 15 | 10 | 14) => StoreError::Busy { what },
        (_, 8) => StoreError::ReadOnly { what },
        (_, 11 | 26) => StoreError::Corrupt { what },
        _ => StoreError::Other { what },
    }
}

/// PostgreSQL's SQLSTATE classes (its manual, appendix A).
fn of_postgres(code: &str, what: String) -> StoreError {
    match code {
        "40001" | "40P01" => StoreError::Conflict { what },
        "53100" => StoreError::Full { what },
        "25006" => StoreError::ReadOnly { what },
        "XX001" | "XX002" => StoreError::Corrupt { what },
        "55P03" | "57014" => StoreError::Busy { what },
        _ if code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") => StoreError::Busy { what },
        _ => StoreError::Other { what },
    }
}

/// An error with its causes in one line.
fn words(error: &sqlx::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !words.contains(&more) {
            words.push_str(": ");
            words.push_str(&more);
        }
        cause = inner.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_has_its_own_words_for_a_full_disk_and_we_have_one() {
        for error in [of_sqlite(13, String::new()), of_sqlite(4874, String::new()), of_postgres("53100", String::new())]
        {
            assert_eq!(error.kind(), ErrorKind::Full);
            assert!(error.remedy().starts_with("free space"));
            assert!(error.is_environment());
        }
    }

    #[test]
    fn waiting_and_deciding_again_are_told_apart() {
        assert_eq!(of_sqlite(517, String::new()).kind(), ErrorKind::Busy);
        assert_eq!(of_postgres("57P01", String::new()).kind(), ErrorKind::Busy);
        assert_eq!(of_postgres("40P01", String::new()).kind(), ErrorKind::Conflict);
        assert_eq!(of_postgres("42703", String::new()).kind(), ErrorKind::Other);
    }
}
