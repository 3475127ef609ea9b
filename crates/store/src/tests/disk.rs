//! A disk that fills up, and one that cannot be written.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::make::{NOW, opened, ticket};
use super::skipped;
use crate::record::{Batch, record};
use crate::{Db, ErrorKind, Options, Target, blob};

/// A small file system of its own, gone when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "guichet-test"]).arg(folder).output();
        mounted.ok().filter(|output| output.status.success()).map(|_| Self(folder.to_owned()))
    }

    fn remount(&self, mode: &str) -> bool {
        let remounted = Command::new("mount").args(["-o", &format!("remount,{mode}")]).arg(&self.0).output();
        remounted.is_ok_and(|output| output.status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).output().unwrap();
    }
}

/// Bytes that do not get smaller.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[4]
    };
    (0..100_000).map(next).collect()
}

#[tokio::test]
async fn a_full_disk_is_told_and_work_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        return skipped("a full disk: only root can mount a small one");
    };
    let db = Db::open(&Target::Sqlite(disk.0.join("guichet.db")), &Options::default()).await.unwrap();
    opened(&db, &[1]).await;
    // Somebody else's file takes what room there is, and is removed later.
    let filler = disk.0.join("filler");
    std::fs::write(&filler, vec![0_u8; 1_500_000]).unwrap();
    let mut error = None;
    for seed in 1..60 {
        let packed = blob::pack(&noise(seed), NOW);
        let batch = Batch { at: NOW, blobs: vec![&packed], ..Batch::default() };
        let mut tx = db.write().await.unwrap();
        let written = match record(&mut tx, &batch).await {
            Ok(_) => tx.commit().await,
            Err(error) => Err(error),
        };
        if let Err(refused) = written {
            error = Some(refused);
            break;
        }
    }
    let error = error.expect("three mebibytes do not hold six");
    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
    assert!(error.remedy().starts_with("free space on the disk"));
    let mut tx = db.read().await.unwrap();
    assert!(crate::ticket::load(&mut tx, ticket(1).id).await.unwrap().is_some(), "reading goes on");
    drop(tx);
    std::fs::remove_file(filler).unwrap();
    opened(&db, &[2]).await;
    assert!(db.integrity().await.unwrap().is_empty());
    db.close().await;
}

#[tokio::test]
async fn a_disk_that_cannot_be_written_is_told_from_a_full_one() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        return skipped("a read-only disk: only root can mount one");
    };
    if !disk.remount("ro") {
        return skipped("a read-only disk: it could not be mounted again");
    }
    let error = Db::open(&Target::Sqlite(disk.0.join("guichet.db")), &Options::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
}
