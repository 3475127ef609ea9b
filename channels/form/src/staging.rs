//! Uploads of a form that is not yet right: kept beside its id, so that nobody chooses a file twice.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use guichet_domain::file_name;
use guichet_domain::media_type;
use tokio::fs;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;

/// How long an upload waits for its form, by the disk's clock.
const LIFE: Duration = Duration::from_hours(25);
/// Longest media type a browser may declare, in octets.
const DECLARED: usize = 100;
/// Octets of all uploads of a source that wait for their forms.
const MOST_WAITING: u64 = 1 << 30;
/// Uploads of one form, those under way too.
const MOST_OF_ONE: usize = 100;
/// Forms whose files are in memory at once.
const IN_MEMORY: usize = 2;

/// The folder of a source's uploads.
pub(crate) struct Staging {
    folder: PathBuf,
    waiting: AtomicU64,
    /// Held by whoever has the files of a form in memory.
    pub(crate) in_memory: Semaphore,
}

/// An upload that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Staged {
    /// Its place among the uploads of its form.
    pub(crate) number: usize,
    /// Safe to show.
    pub(crate) name: String,
    /// What its bytes are.
    pub(crate) media_type: &'static str,
    /// Octets.
    pub(crate) size: u64,
}

/// An upload under way.
pub(crate) struct Upload {
    place: Place,
    name: String,
    declared: String,
    file: fs::File,
    size: u64,
    beginning: Vec<u8>,
}

/// A number of a form that is taken for one upload; given back unless that is kept.
struct Place {
    folder: PathBuf,
    number: usize,
    kept: bool,
}

impl Place {
    /// Takes the first that is free. The same form sent twice at once may do so twice at once.
    async fn take(folder: PathBuf) -> std::io::Result<Self> {
        let mut number = 0;
        while number < MOST_OF_ONE {
            fs::create_dir_all(&folder).await?;
            let mine = fs::OpenOptions::new().write(true).create_new(true).open(path(&folder, number, "name")).await;
            match mine {
                Ok(_) => return Ok(Self { folder, number, kept: false }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                // The other one was taken in just now, and its folder went.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(std::io::Error::other("too many uploads of one form"))
    }

    fn path(&self, extension: &str) -> PathBuf {
        path(&self.folder, self.number, extension)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept {
            drop(std::fs::remove_file(self.path("part")));
            drop(std::fs::remove_file(self.path("name")));
        }
    }
}

fn path(folder: &Path, number: usize, extension: &str) -> PathBuf {
    folder.join(format!("{number}.{extension}"))
}

impl Staging {
    pub(crate) fn new(folder: &Path) -> Self {
        let (waiting, in_memory) = (AtomicU64::new(0), Semaphore::new(IN_MEMORY));
        Self { folder: folder.join("uploads"), waiting, in_memory }
    }

    /// Whether so much waits that nothing more is taken.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.load(Ordering::Acquire) >= MOST_WAITING
    }

    /// Begins an upload of the form with this id, which was checked. What is dropped without being kept leaves nothing.
    pub(crate) async fn begin(&self, id: &str, name: Option<&str>, declared: &str) -> std::io::Result<Upload> {
        let place = Place::take(self.folder.join(id)).await?;
        let file = fs::File::create(place.path("part")).await?;
        let declared: String = declared.chars().filter(char::is_ascii_graphic).take(DECLARED).collect();
        let name = file_name::safe(name, &declared, place.number + 1);
        Ok(Upload { place, name, declared, file, size: 0, beginning: Vec::new() })
    }

    /// What is kept for a form, in order.
    pub(crate) async fn list(&self, id: &str) -> Vec<Staged> {
        let mut found = Vec::new();
        let Ok(mut folder) = fs::read_dir(self.folder.join(id)).await else { return found };
        while let Ok(Some(entry)) = folder.next_entry().await {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "name") {
                continue;
            }
            let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            let said = fs::read_to_string(&path).await.ok();
            let file = fs::metadata(path.with_extension("bytes")).await;
            if let (Some(number), Some(said), Ok(file)) = (number, said, file)
                && let Some((declared, name)) = said.split_once('\n')
            {
                let beginning = beginning(&path.with_extension("bytes")).await;
                let media_type = media_type::of(&beginning, declared);
                found.push(Staged { number, name: name.to_owned(), media_type, size: file.len() });
            }
        }
        found.sort_by_key(|staged| staged.number);
        found
    }

    /// The bytes of one upload.
    pub(crate) async fn read(&self, id: &str, number: usize) -> std::io::Result<Vec<u8>> {
        fs::read(path(&self.folder.join(id), number, "bytes")).await
    }

    /// Keeps an upload for its form.
    pub(crate) async fn keep(&self, mut upload: Upload) -> std::io::Result<()> {
        upload.file.flush().await?;
        fs::rename(upload.place.path("part"), upload.place.path("bytes")).await?;
        fs::write(upload.place.path("name"), format!("{}\n{}", upload.declared, upload.name)).await?;
        upload.place.kept = true;
        self.waiting.fetch_add(upload.size, Ordering::AcqRel);
        Ok(())
    }

    /// Forgets these uploads of a form. Others may be under way: the same form, sent once more.
    pub(crate) async fn clear(&self, id: &str, gone: &[Staged]) {
        let folder = self.folder.join(id);
        for staged in gone {
            if fs::remove_file(path(&folder, staged.number, "bytes")).await.is_ok() {
                let less = |waiting: u64| Some(waiting.saturating_sub(staged.size));
                if let Err(never) = self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, less) {
                    tracing::debug!(never, "what waits could not be counted down");
                }
            }
            drop(fs::remove_file(path(&folder, staged.number, "name")).await);
        }
        drop(fs::remove_dir(folder).await);
    }

    /// Forgets what waits for a form that is over, and counts what still waits. Answers how many forms' uploads went.
    pub(crate) async fn sweep(&self) -> usize {
        let (mut gone, mut waiting) = (0, 0);
        let Ok(mut folder) = fs::read_dir(&self.folder).await else { return gone };
        while let Ok(Some(entry)) = folder.next_entry().await {
            #[expect(clippy::disallowed_methods, reason = "file times are of the disk's clock, not of ours")]
            let now = SystemTime::now();
            let modified = entry.metadata().await.and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|modified| now.duration_since(modified).ok());
            if age.is_some_and(|age| age > LIFE) && fs::remove_dir_all(entry.path()).await.is_ok() {
                gone += 1;
                continue;
            }
            let id = entry.file_name();
            waiting += self.list(&id.to_string_lossy()).await.iter().map(|staged| staged.size).sum::<u64>();
        }
        self.waiting.store(waiting, Ordering::Release);
        gone
    }
}

impl Upload {
    /// The name it will be shown by.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Octets so far.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.beginning.len() < BEGINNING {
            let wanted = (BEGINNING - self.beginning.len()).min(bytes.len());
            self.beginning.extend_from_slice(bytes.get(..wanted).unwrap_or_default());
        }
        self.size += bytes.len() as u64;
        self.file.write_all(bytes).await
    }

    /// What its bytes are, as far as they came.
    pub(crate) fn media_type(&self) -> &'static str {
        media_type::of(&self.beginning, &self.declared)
    }
}

/// How many octets say what a file is.
const BEGINNING: usize = 1024;

async fn beginning(path: &Path) -> Vec<u8> {
    use tokio::io::AsyncReadExt as _;
    let mut bytes = Vec::new();
    if let Ok(file) = fs::File::open(path).await {
        drop(file.take(BEGINNING as u64).read_to_end(&mut bytes).await);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_upload_waits_under_a_safe_name_and_says_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::new(folder.path());
        let mut upload = staging.begin("ab", Some("../../etc/passwd.png"), "image/png").await.unwrap();
        upload.write(b"#!/bin/sh\n").await.unwrap();
        assert_eq!((upload.name(), upload.media_type()), ("passwd.png", "text/x-script"));
        staging.keep(upload).await.unwrap();
        let mut upload = staging.begin("ab", None, "text/plain\nx").await.unwrap();
        upload.write(b"hello").await.unwrap();
        staging.keep(upload).await.unwrap();
        drop(staging.begin("ab", None, "").await.unwrap());
        let kept = staging.list("ab").await;
        assert_eq!(kept.len(), 2);
        assert_eq!((kept[0].name.as_str(), kept[0].media_type, kept[0].size), ("passwd.png", "text/x-script", 10));
        assert_eq!(staging.read("ab", 1).await.unwrap(), b"hello");
        assert_eq!(staging.sweep().await, 0);
        staging.clear("ab", &kept).await;
        assert_eq!(staging.list("ab").await, []);
    }

    #[tokio::test]
    async fn the_same_form_sent_twice_at_once_keeps_both_uploads_apart() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::new(folder.path());
        let mut one = staging.begin("ab", Some("a.txt"), "text/plain").await.unwrap();
        let mut other = staging.begin("ab", Some("a.txt"), "text/plain").await.unwrap();
        one.write(b"one").await.unwrap();
        other.write(b"other").await.unwrap();
        staging.keep(one).await.unwrap();
        let first = staging.list("ab").await;
        assert_eq!(staging.read("ab", first[0].number).await.unwrap(), b"one");
        staging.clear("ab", &first).await;
        staging.keep(other).await.unwrap();
        let second = staging.list("ab").await;
        assert_eq!(staging.read("ab", second[0].number).await.unwrap(), b"other");
    }

    #[tokio::test]
    async fn what_waits_is_counted_over_a_restart_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::new(folder.path());
        let mut upload = staging.begin("ab", Some("a.txt"), "text/plain").await.unwrap();
        upload.write(b"hello").await.unwrap();
        staging.keep(upload).await.unwrap();
        let again = Staging::new(folder.path());
        again.sweep().await;
        assert_eq!(again.waiting.load(Ordering::Acquire), 5);
        again.waiting.store(MOST_WAITING, Ordering::Release);
        assert!(again.is_full());
        again.clear("ab", &again.list("ab").await).await;
        assert!(!again.is_full());
    }
}
