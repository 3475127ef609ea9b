//! Which attempts were begun: what a killed process leaves for the next to know.
//!
//! Rows are claimed many at a time, ahead of the connections that send them; of those a killed process held, only the few
//! it had begun may have arrived. Each is noted here the moment before it is handed to its channel: one small write, not
//! flushed, because a killed process loses nothing it has written. Only when the machine itself went down is the note
//! worth nothing; the boot's id tells, and then every row that was held is in doubt.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use guichet_domain::ids::DeliveryId;
use uuid::Uuid;

/// Bytes of one note: id and fence.
const NOTE: usize = 24;
/// Beyond this the file is written anew with what is under way.
const MOST: u64 = 4 << 20;

/// The notes of this life.
pub(super) struct Begun {
    path: PathBuf,
    boot: Uuid,
    open: Mutex<Open>,
}

struct Open {
    file: File,
    length: u64,
    under_way: HashSet<(DeliveryId, i64)>,
}

/// What the life before had begun.
pub(super) enum Earlier {
    /// Nobody knows: every row it held is in doubt.
    Unknown,
    /// Exactly these.
    These(HashSet<(DeliveryId, i64)>),
}

impl Earlier {
    /// Whether this attempt was surely never begun.
    pub(super) fn never_begun(&self, id: DeliveryId, fence: i64) -> bool {
        match self {
            Self::Unknown => false,
            Self::These(begun) => !begun.contains(&(id, fence)),
        }
    }
}

impl Begun {
    /// Reads the notes of the life before, then begins those of this one. The notes of the life before must have been
    /// used (written to the database) before [`Self::start`] forgets them.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, Earlier)> {
        let path = folder.join("begun");
        let boot = boot_id();
        let earlier = read(&path, boot);
        let file = append(&path)?;
        let length = file.metadata()?.len();
        let open = Mutex::new(Open { file, length, under_way: HashSet::new() });
        Ok((Self { path, boot, open }, earlier))
    }

    /// Forgets the life before: to be called once what it left is settled.
    pub(super) fn start(&self) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        self.rewrite(&mut open)
    }

    /// Notes that an attempt begins. When this fails the attempt must not begin.
    pub(super) fn begin(&self, id: DeliveryId, fence: i64) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.length > MOST {
            self.rewrite(&mut open)?;
        }
        open.file.write_all(&note(id, fence))?;
        open.length += NOTE as u64;
        open.under_way.insert((id, fence));
        Ok(())
    }

    /// The attempt is settled: it need not be kept when the file is written anew.
    pub(super) fn end(&self, id: DeliveryId, fence: i64) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).under_way.remove(&(id, fence));
    }

    /// A new file beside, with what is under way, then renamed: at any moment one of the two says all.
    fn rewrite(&self, open: &mut Open) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        let mut bytes = self.boot.as_bytes().to_vec();
        for (id, fence) in &open.under_way {
            bytes.extend_from_slice(&note(*id, *fence));
        }
        fs::write(&beside, &bytes)?;
        fs::rename(&beside, &self.path)?;
        open.file = append(&self.path)?;
        open.length = bytes.len() as u64;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

fn note(id: DeliveryId, fence: i64) -> [u8; NOTE] {
    let mut note = [0; NOTE];
    let (head, tail) = note.split_at_mut(16);
    head.copy_from_slice(id.0.as_bytes());
    tail.copy_from_slice(&fence.to_be_bytes());
    note
}

/// What a file of this boot says; a torn last note is of an attempt that did not begin.
fn read(path: &Path, boot: Uuid) -> Earlier {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        // Nothing was ever sent from here.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Earlier::These(HashSet::new()),
        Err(_) => return Earlier::Unknown,
    };
    let Some((head, notes)) = bytes.split_at_checked(16) else { return Earlier::Unknown };
    if head != boot.as_bytes() || boot.is_nil() {
        return Earlier::Unknown;
    }
    let parse = |note: &[u8]| {
        let (id, fence) = note.split_at_checked(16)?;
        Some((DeliveryId(Uuid::from_slice(id).ok()?), i64::from_be_bytes(fence.try_into().ok()?)))
    };
    Earlier::These(notes.chunks_exact(NOTE).filter_map(parse).collect())
}

/// The id Linux gives each boot; nil where there is none, and then nothing is believed.
fn boot_id() -> Uuid {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Uuid::parse_str(text.trim()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> DeliveryId {
        DeliveryId(Uuid::from_u128(n))
    }

    #[test]
    fn the_next_life_knows_what_was_begun_and_what_only_held() {
        let folder = tempfile::tempdir().unwrap();
        let (begun, _) = Begun::open(folder.path()).unwrap();
        begun.start().unwrap();
        begun.begin(id(1), 3).unwrap();
        drop(begun);
        let (_, earlier) = Begun::open(folder.path()).unwrap();
        assert!(!earlier.never_begun(id(1), 3));
        assert!(earlier.never_begun(id(1), 4), "another claim of the same row is another attempt");
        assert!(earlier.never_begun(id(2), 1));
    }

    #[test]
    fn after_a_power_cut_everything_is_in_doubt() {
        let folder = tempfile::tempdir().unwrap();
        let (begun, _) = Begun::open(folder.path()).unwrap();
        begun.start().unwrap();
        let mut bytes = fs::read(folder.path().join("begun")).unwrap();
        bytes[0] ^= 1;
        fs::write(folder.path().join("begun"), bytes).unwrap();
        let (_, earlier) = Begun::open(folder.path()).unwrap();
        assert!(!earlier.never_begun(id(2), 1));
    }

    #[test]
    fn a_file_written_anew_keeps_what_is_under_way() {
        let folder = tempfile::tempdir().unwrap();
        let (begun, _) = Begun::open(folder.path()).unwrap();
        begun.start().unwrap();
        begun.begin(id(1), 1).unwrap();
        begun.begin(id(2), 1).unwrap();
        begun.end(id(1), 1);
        begun.start().unwrap();
        begun.begin(id(3), 1).unwrap();
        let (_, earlier) = Begun::open(folder.path()).unwrap();
        let known = [1, 2, 3].map(|n| earlier.never_begun(id(n), 1));
        assert_eq!(known, [true, false, false]);
    }
}
