//! Uploads of a form that is not yet right: kept beside its id, so that nobody chooses a file twice.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use guichet_domain::file_name;
use guichet_domain::media_type;
use tokio::fs;
use tokio::io::AsyncWriteExt as _;

/// How long an upload waits for its form, by the disk's clock.
const LIFE: Duration = Duration::from_hours(25);
/// Longest media type a browser may declare, in octets.
const DECLARED: usize = 100;

/// The folder of a source's uploads.
pub(crate) struct Staging(PathBuf);

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
    folder: PathBuf,
    number: usize,
    name: String,
    declared: String,
    file: fs::File,
    size: u64,
    beginning: Vec<u8>,
}

impl Staging {
    pub(crate) fn new(folder: &Path) -> Self {
        Self(folder.join("uploads"))
    }

    /// Begins an upload of the form with this id, which was checked.
    pub(crate) async fn begin(
        &self,
        id: &str,
        number: usize,
        name: Option<&str>,
        declared: &str,
    ) -> std::io::Result<Upload> {
        let folder = self.0.join(id);
        fs::create_dir_all(&folder).await?;
        let file = fs::File::create(folder.join(format!("{number}.part"))).await?;
        let declared: String = declared.chars().filter(char::is_ascii_graphic).take(DECLARED).collect();
        let name = file_name::safe(name, &declared, number + 1);
        Ok(Upload { folder, number, name, declared, file, size: 0, beginning: Vec::new() })
    }

    /// What is kept for a form, in order.
    pub(crate) async fn list(&self, id: &str) -> Vec<Staged> {
        let mut found = Vec::new();
        let Ok(mut folder) = fs::read_dir(self.0.join(id)).await else { return found };
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
        fs::read(self.0.join(id).join(format!("{number}.bytes"))).await
    }

    /// Forgets the uploads of a form.
    pub(crate) async fn clear(&self, id: &str) {
        drop(fs::remove_dir_all(self.0.join(id)).await);
    }

    /// Forgets what waits for a form that is over. Answers how many forms' uploads went.
    pub(crate) async fn sweep(&self) -> usize {
        let mut gone = 0;
        let Ok(mut folder) = fs::read_dir(&self.0).await else { return gone };
        while let Ok(Some(entry)) = folder.next_entry().await {
            #[expect(clippy::disallowed_methods, reason = "file times are of the disk's clock, not of ours")]
            let now = SystemTime::now();
            let modified = entry.metadata().await.and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|modified| now.duration_since(modified).ok());
            if age.is_some_and(|age| age > LIFE) && fs::remove_dir_all(entry.path()).await.is_ok() {
                gone += 1;
            }
        }
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

    /// Keeps it.
    pub(crate) async fn keep(mut self) -> std::io::Result<()> {
        self.file.flush().await?;
        let path = |extension: &str| self.folder.join(format!("{}.{extension}", self.number));
        fs::rename(path("part"), path("bytes")).await?;
        fs::write(path("name"), format!("{}\n{}", self.declared, self.name)).await
    }

    /// Throws it away.
    pub(crate) async fn discard(self) {
        drop(fs::remove_file(self.folder.join(format!("{}.part", self.number))).await);
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
        let mut upload = staging.begin("ab", 0, Some("../../etc/passwd.png"), "image/png").await.unwrap();
        upload.write(b"#!/bin/sh\n").await.unwrap();
        assert_eq!((upload.name(), upload.media_type()), ("passwd.png", "text/x-script"));
        upload.keep().await.unwrap();
        let mut upload = staging.begin("ab", 1, None, "text/plain\nx").await.unwrap();
        upload.write(b"hello").await.unwrap();
        upload.keep().await.unwrap();
        staging.begin("ab", 2, None, "").await.unwrap().discard().await;
        let kept = staging.list("ab").await;
        assert_eq!(kept.len(), 2);
        assert_eq!((kept[0].name.as_str(), kept[0].media_type, kept[0].size), ("passwd.png", "text/x-script", 10));
        assert_eq!(staging.read("ab", 1).await.unwrap(), b"hello");
        assert_eq!(staging.sweep().await, 0);
        staging.clear("ab").await;
        assert_eq!(staging.list("ab").await, []);
    }
}
