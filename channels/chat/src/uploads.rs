//! Files on their way into a message: streamed to the source's folder, named by their session, cleared after an hour.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use data_encoding::HEXLOWER;
use futures_util::StreamExt as _;
use guichet_domain::inbound::Attachment;
use guichet_domain::{Ids, Moment};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;

use crate::sniff::{self, HEAD};
use crate::trouble::{Code, Trouble};

/// Files of one message.
pub(crate) const MAX_FILES: usize = 5;
/// How long a file waits for its message.
pub(crate) const LIFE: Duration = Duration::from_hours(1);
/// Bytes of all files of one message: they are in memory while it is taken in.
const MAX_TOGETHER: u64 = 25 << 20;
/// Bytes of all files that wait, of everybody.
const MAX_WAITING: u64 = 1 << 30;
/// Longest pause between two pieces of a file, and longest time for all of it.
const PAUSE: Duration = Duration::from_secs(30);
const WHOLE: Duration = Duration::from_mins(10);

/// The files that wait.
pub(crate) struct Uploads {
    folder: PathBuf,
    waiting: AtomicU64,
    /// What is being written in this life.
    coming: Mutex<HashSet<PathBuf>>,
}

/// What is kept of a file beside it.
#[derive(Debug, Serialize, Deserialize)]
struct Label {
    name: String,
    media_type: String,
    size: u64,
    /// When it came, in microseconds.
    at: i64,
}

/// A file that came whole.
#[derive(Debug, Serialize)]
pub(crate) struct Upload {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) media_type: String,
    pub(crate) size: u64,
    pub(crate) expires_at: Moment,
}

/// What its sender says of a file.
pub(crate) struct Declared<'a> {
    pub(crate) session: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) media_type: &'a str,
    pub(crate) most: u64,
}

/// Takes an unfinished file away when its request ends early.
struct Unfinished<'a>(&'a Uploads, PathBuf);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.coming().remove(&self.1);
        // It was renamed when all went well: then there is nothing to take away.
        drop(std::fs::remove_file(&self.1));
    }
}

impl Uploads {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, waiting: AtomicU64::new(0), coming: Mutex::default() }
    }

    /// Takes one file. What is left when the future is dropped is cleared at once.
    pub(crate) async fn take(
        &self,
        declared: &Declared<'_>,
        body: Body,
        (ids, now): (&dyn Ids, Moment),
    ) -> Result<Upload, Trouble> {
        if self.waiting.load(Ordering::Acquire) >= MAX_WAITING {
            return Err(Trouble { retry_after_ms: Some(60_000), ..Trouble::new(Code::Busy) });
        }
        let mut id = [0; 16];
        ids.random(&mut id);
        let id = HEXLOWER.encode(&id);
        let path = self.folder.join(format!("{}-{id}", declared.session));
        let part = path.with_extension("part");
        tokio::fs::create_dir_all(&self.folder).await.map_err(away)?;
        self.coming().insert(part.clone());
        let _unfinished = Unfinished(self, part.clone());
        let written = tokio::time::timeout(WHOLE, write(&part, body, declared.most)).await;
        let (head, size) = written.map_err(|_| Trouble::bad_frame("the file did not come in time"))??;
        let judged = sniff::judge(&head, declared.media_type, declared.name);
        let (media_type, name) = judged.ok_or_else(|| Trouble::new(Code::FileType))?;
        let label = Label { name, media_type: media_type.to_owned(), size, at: now.micros() };
        let json = serde_json::to_vec(&label).map_err(|_| Trouble::new(Code::Internal))?;
        // The label first: what has none would never be cleared.
        tokio::fs::write(path.with_extension("json"), json).await.map_err(away)?;
        tokio::fs::rename(&part, &path).await.map_err(away)?;
        self.waiting.fetch_add(size, Ordering::AcqRel);
        let Label { name, media_type, .. } = label;
        Ok(Upload { id, name, media_type, size, expires_at: now + LIFE })
    }

    /// The files a message names, of its own session.
    pub(crate) async fn load(&self, session: &str, ids: &[String]) -> Result<Vec<Attachment>, Trouble> {
        let (mut files, mut together) = (Vec::with_capacity(ids.len()), 0_u64);
        for id in ids {
            let unknown = || Trouble::new(Code::FileUnknown);
            if id.len() != 32 || !id.bytes().all(|letter| letter.is_ascii_digit() || (b'a'..=b'f').contains(&letter)) {
                return Err(unknown());
            }
            let path = self.folder.join(format!("{session}-{id}"));
            let label = tokio::fs::read(path.with_extension("json")).await.map_err(|_| unknown())?;
            let label: Label = serde_json::from_slice(&label).map_err(|_| unknown())?;
            together = together.saturating_add(label.size);
            if together > MAX_TOGETHER && !files.is_empty() {
                return Err(Trouble::new(Code::FileTooLarge));
            }
            let bytes = tokio::fs::read(&path).await.map_err(|_| unknown())?;
            files.push(Attachment { name: label.name, media_type: label.media_type, content_id: None, bytes });
        }
        Ok(files)
    }

    /// Clears what is older than an hour or was left unfinished by an earlier life, and counts what waits. Blocks: not for
    /// an async thread.
    pub(crate) fn sweep(&self, now: Moment) {
        let mut waiting = 0;
        for path in entries(&self.folder) {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("part") if !self.coming().contains(&path) => drop(std::fs::remove_file(&path)),
                Some("json") => {
                    let label = std::fs::read(&path).ok().and_then(|json| serde_json::from_slice::<Label>(&json).ok());
                    match label {
                        Some(label) if now.since(Moment::from_micros(label.at)) < LIFE => waiting += label.size,
                        _ => {
                            drop(std::fs::remove_file(path.with_extension("")));
                            drop(std::fs::remove_file(&path));
                        }
                    }
                }
                _ => {}
            }
        }
        self.waiting.store(waiting, Ordering::Release);
    }

    fn coming(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = std::fs::read_dir(folder).into_iter().flatten().flatten();
    read.map(|entry| entry.path()).collect()
}

/// Streams a body to a file; answers its beginning and its size.
async fn write(path: &Path, body: Body, most: u64) -> Result<(Vec<u8>, u64), Trouble> {
    let mut file = tokio::fs::File::create(path).await.map_err(away)?;
    let mut pieces = body.into_data_stream();
    let (mut head, mut size) = (Vec::new(), 0_u64);
    loop {
        let piece: Option<Result<Bytes, _>> = tokio::time::timeout(PAUSE, pieces.next())
            .await
            .map_err(|_| Trouble::bad_frame("the file did not come in time"))?;
        let Some(piece) = piece else { break };
        let piece = piece.map_err(|_| Trouble::bad_frame("the file ended early"))?;
        size += piece.len() as u64;
        if size > most {
            return Err(Trouble::new(Code::FileTooLarge));
        }
        let room = HEAD.saturating_sub(head.len());
        head.extend(piece.iter().take(room));
        file.write_all(&piece).await.map_err(away)?;
    }
    file.flush().await.map_err(away)?;
    if size == 0 {
        return Err(Trouble::new(Code::Empty));
    }
    Ok((head, size))
}

/// A disk that is full or away.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn away(error: std::io::Error) -> Trouble {
    tracing::warn!(%error, "an upload could not be written");
    Trouble { retry_after_ms: Some(10_000), ..Trouble::new(Code::Busy) }
}

#[cfg(test)]
mod tests {
    use guichet_testkit::TestIds;

    use super::*;

    const SESSION: &str = "00112233445566778899aabbccddeeff";
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n....";

    fn declared(name: &str) -> Declared<'_> {
        Declared { session: SESSION, name: Some(name), media_type: "image/png", most: 100 }
    }

    fn start() -> Moment {
        Moment::from_secs(1_795_424_400)
    }

    fn files(folder: &Path) -> usize {
        entries(folder).len()
    }

    #[tokio::test]
    async fn a_file_waits_an_hour_for_its_message_and_is_gone_then() {
        let folder = tempfile::tempdir().unwrap();
        let (uploads, ids) = (Uploads::new(folder.path().to_owned()), TestIds::default());
        let upload = uploads.take(&declared("a.png"), Body::from(PNG), (&ids, start())).await.unwrap();
        assert_eq!((upload.name.as_str(), upload.size), ("a.png", 12));
        let named = [upload.id.clone()];
        assert_eq!(uploads.load(SESSION, &named).await.unwrap()[0].bytes, PNG);
        uploads.sweep(start() + Duration::from_mins(59));
        assert!(uploads.load(SESSION, &named).await.is_ok());
        uploads.sweep(start() + Duration::from_mins(61));
        assert_eq!(uploads.load(SESSION, &named).await.unwrap_err().code, Code::FileUnknown);
        assert_eq!(files(folder.path()), 0);
    }

    #[tokio::test]
    async fn somebody_elses_file_and_a_path_are_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let (uploads, ids) = (Uploads::new(folder.path().to_owned()), TestIds::default());
        let upload = uploads.take(&declared("a.png"), Body::from(PNG), (&ids, start())).await.unwrap();
        let other = SESSION.replace('0', "1");
        assert_eq!(uploads.load(&other, &[upload.id]).await.unwrap_err().code, Code::FileUnknown);
        for path in ["../../../etc/passwd", "", "é", &"A".repeat(32), &format!("{SESSION}/x")] {
            assert_eq!(uploads.load(SESSION, &[path.to_owned()]).await.unwrap_err().code, Code::FileUnknown);
        }
    }

    #[tokio::test]
    async fn what_is_refused_or_breaks_off_leaves_nothing_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let (uploads, ids) = (Uploads::new(folder.path().to_owned()), TestIds::default());
        let take = |body: Body| {
            let (uploads, ids) = (&uploads, &ids);
            async move { uploads.take(&declared("a.png"), body, (ids, start())).await.unwrap_err().code }
        };
        let broken = futures_util::stream::iter([Ok(Bytes::from_static(PNG)), Err("the line was cut")]);
        assert_eq!(take(Body::from_stream(broken)).await, Code::BadFrame);
        assert_eq!(take(Body::from("<script>")).await, Code::FileType);
        assert_eq!(take(Body::from(vec![0x89; 101])).await, Code::FileTooLarge);
        assert_eq!(take(Body::empty()).await, Code::Empty);
        assert_eq!(files(folder.path()), 0);
    }

    #[tokio::test]
    async fn what_an_earlier_life_left_unfinished_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let (uploads, ids) = (Uploads::new(folder.path().to_owned()), TestIds::default());
        let upload = uploads.take(&declared("a.png"), Body::from(PNG), (&ids, start())).await.unwrap();
        std::fs::write(folder.path().join(format!("{SESSION}-half.part")), "x").unwrap();
        uploads.sweep(start());
        assert_eq!(files(folder.path()), 2);
        assert!(uploads.load(SESSION, &[upload.id]).await.is_ok());
    }
}
