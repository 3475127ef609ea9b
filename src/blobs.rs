//! Bytes too large for the database: content-addressed files below the state folder.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use guichet_store::blob::{BlobHash, Packed};
use tokio::io::AsyncWriteExt as _;

use crate::state::StateFolder;

/// Packed bytes up to this many stay in the database.
const IN_DATABASE: usize = 256 << 10;
/// Files begun by this process: each is written under a name of its own.
static WRITERS: AtomicU64 = AtomicU64::new(0);

/// Where the bytes of this hash lie, when they lie in a file.
pub fn path(state: &StateFolder, hash: &BlobHash) -> PathBuf {
    let name = hash.hex();
    let shelf: String = name.chars().take(2).collect();
    state.blobs().join(shelf).join(name)
}

/// Moves large bytes out of `packed` into their file; small ones are left alone. When it returns, the file survives a
/// power cut: written beside, flushed, renamed, the folder flushed. The same bytes again cost one look.
pub async fn spill(state: &StateFolder, packed: &mut Packed) -> io::Result<()> {
    let Some(bytes) = packed.bytes.take_if(|bytes| bytes.len() > IN_DATABASE) else { return Ok(()) };
    let path = path(state, &packed.hash);
    if tokio::fs::try_exists(&path).await? {
        return Ok(());
    }
    let Some(folder) = path.parent() else { return Err(io::Error::other("a blob's path has no folder")) };
    tokio::fs::create_dir_all(folder).await?;
    // One mail may come by two mailboxes at once: two writers of one file would leave holes in it.
    let writer = WRITERS.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("part-{}-{writer}", std::process::id()));
    let mut file = tokio::fs::File::create(&beside).await?;
    file.write_all(&bytes).await?;
    file.sync_all().await?;
    tokio::fs::rename(&beside, &path).await?;
    for folder in [Some(folder), folder.parent()].into_iter().flatten() {
        tokio::fs::File::open(folder).await?.sync_all().await?;
    }
    Ok(())
}

/// The packed bytes of a file.
pub async fn read(state: &StateFolder, hash: &BlobHash) -> io::Result<Vec<u8>> {
    tokio::fs::read(path(state, hash)).await
}

/// Removes the file of a hash that nothing refers to any more; one that is not there is fine.
pub async fn remove(state: &StateFolder, hash: &BlobHash) -> io::Result<()> {
    match tokio::fs::remove_file(path(state, hash)).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
