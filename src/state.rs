//! The state folder: everything the daemon keeps outside the database, and the lock that keeps a second one out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The state folder, made and ready.
#[derive(Debug, Clone)]
pub struct StateFolder {
    root: PathBuf,
}

/// Why the state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be made, read or written.
    #[error("state folder {}: {source}; name a folder this user can write to with --state, or mend its permissions or its disk", root.display())]
    Unusable {
        /// The folder.
        root: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A daemon runs on it.
    #[error("state folder {}: another guichet{} is running on it; stop that one first, or give this one its own folder with --state", root.display(), pid.as_ref().map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Held {
        /// The folder.
        root: PathBuf,
        /// Its process, when it said so.
        pid: Option<String>,
    },
}

/// Holds the state folder for this process; dropped or dead, it is free again (the kernel's lock, not the file, counts).
#[derive(Debug)]
pub struct StateLock {
    _file: File,
}

impl StateFolder {
    /// Makes the folder, for this user alone, when it is not there.
    pub fn open(root: &Path) -> Result<Self, StateError> {
        let failed = |source| StateError::Unusable { root: root.to_owned(), source };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(failed)?;
        let root = root.canonicalize().map_err(failed)?;
        Ok(Self { root })
    }

    /// The folder as it is named, without making or touching it: to say what would be where.
    pub fn unopened(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Takes the folder for a daemon. A second one is refused, with the first one's process named.
    pub fn lock(&self) -> Result<StateLock, StateError> {
        let failed = |source| StateError::Unusable { root: self.root.clone(), source };
        let path = self.root.join("lock");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid =
                    std::fs::read_to_string(&path).ok().map(|pid| pid.trim().to_owned()).filter(|pid| !pid.is_empty());
                return Err(StateError::Held { root: self.root.clone(), pid });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(StateLock { _file: file })
    }

    /// The SQLite database.
    pub fn database(&self) -> PathBuf {
        self.root.join("guichet.db")
    }

    /// The socket by which other commands talk to the running daemon.
    pub fn socket(&self) -> PathBuf {
        self.root.join("guichet.sock")
    }

    /// A source's own folder; made by whoever first writes to it.
    pub fn source(&self, name: &str) -> PathBuf {
        self.root.join("sources").join(name.replace(':', "-"))
    }

    /// Content-addressed files too large for the database.
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// Bytes free to this user on the folder's disk.
    pub fn free_bytes(&self) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(&self.root)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_daemon_is_told_who_holds_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::open(root.path()).unwrap();
        let held = state.lock().unwrap();
        let error = state.lock().unwrap_err().to_string();
        assert!(error.contains(&format!("(process {})", std::process::id())), "{error}");
        assert!(error.contains("--state"), "{error}");
        drop(held);
        state.lock().unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let error = StateFolder::open(Path::new("/proc/nothing/here")).unwrap_err().to_string();
        assert!(error.starts_with("state folder /proc/nothing/here: "), "{error}");
    }
}
