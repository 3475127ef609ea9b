//! The transport of a source without SMTP: outgoing mails as files, for a person or another program to take.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A folder of `.eml` files, one a delivery.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Writes into `path`, which is made when the first mail comes.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where the files are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `message` as the file of delivery `id`, durably: when this returns, the file survives a power cut. A reader
    /// sees the whole file or none. The same id again replaces the file, so a repeated delivery shows once; a crash in
    /// between may leave a `.part` file behind, which the repetition replaces too.
    ///
    /// `id` makes the file's name and may hold letters, digits, `-`, `_` and `.`. Errors name the folder.
    pub async fn write(&self, id: &str, message: Vec<u8>) -> io::Result<PathBuf> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if id.is_empty() || id.len() > 200 || id.starts_with('.') || !id.bytes().all(fits) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this delivery id cannot name a file"));
        }
        let folder = self.path.clone();
        let name = id.to_owned();
        let written = tokio::task::spawn_blocking(move || write(&folder, &name, &message)).await;
        written.map_err(io::Error::other)?.map_err(|error| {
            io::Error::new(error.kind(), format!("cannot write outgoing mail into {}: {error}", self.path.display()))
        })
    }
}

fn write(folder: &Path, name: &str, message: &[u8]) -> io::Result<PathBuf> {
    if !folder.is_dir() {
        fs::create_dir_all(folder)?;
        if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
    }
    let part = folder.join(format!(".{name}.part"));
    let whole = folder.join(format!("{name}.eml"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part)?;
    file.write_all(message)?;
    file.sync_all()?;
    fs::rename(&part, &whole)?;
    // The name is durable only once the folder is.
    File::open(folder)?.sync_all()?;
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Folder) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_delivery_repeated_shows_once_with_its_last_content() {
        let state = tempfile::tempdir().unwrap();
        let folder = Folder::new(state.path().join("outgoing"));
        folder.write("0199-a", b"first".to_vec()).await.unwrap();
        let path = folder.write("0199-a", b"second".to_vec()).await.unwrap();
        folder.write("0199-b", b"other".to_vec()).await.unwrap();
        assert_eq!(fs::read(path).unwrap(), b"second");
        assert_eq!(files(&folder), ["0199-a.eml", "0199-b.eml"]);
    }

    #[tokio::test]
    async fn what_a_crash_left_half_written_is_replaced() {
        let state = tempfile::tempdir().unwrap();
        let folder = Folder::new(state.path());
        fs::write(state.path().join(".0199-a.part"), b"a longer text that was never finis").unwrap();
        let path = folder.write("0199-a", b"whole".to_vec()).await.unwrap();
        assert_eq!(fs::read(path).unwrap(), b"whole");
        assert_eq!(files(&folder), ["0199-a.eml"]);
    }

    #[tokio::test]
    async fn an_id_cannot_leave_the_folder() {
        let state = tempfile::tempdir().unwrap();
        let folder = Folder::new(state.path().join("outgoing"));
        for id in ["", "../x", "a/b", ".hidden", "a\0b"] {
            assert!(folder.write(id, Vec::new()).await.is_err(), "{id:?}");
        }
    }

    #[tokio::test]
    async fn an_error_names_the_folder() {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join("taken"), b"a file").unwrap();
        let error = Folder::new(state.path().join("taken")).write("a", Vec::new()).await.unwrap_err().to_string();
        assert!(error.contains("taken"), "{error}");
    }
}
