//! What became of attempts, noted beside the database: what a killed process leaves for the next to know.
//!
//! Rows are claimed many at a time, ahead of the connections that send them, and settled many at a time; of those a killed
//! process held, only the few may have arrived that were leaving at that moment. Each is noted here the moment before the
//! network may take it, and again when it answered: one small write, not flushed, because a killed process loses
//! nothing it has written. Only when the machine itself went down are the notes worth nothing; the boot's id tells, and then
//! every row that was held is in doubt.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use guichet_contract::Delivery;
use guichet_domain::ids::{DeliveryId, ExternalId};
use guichet_store::outbox::{Outcome, Settlement};
use uuid::Uuid;

/// Says how the notes are written.
const FORM: u8 = 2;
/// Beyond this the file is written anew with what is under way.
const MOST: u64 = 4 << 20;

const BEGUN: u8 = 1;
const TAKEN: u8 = 2;
const NOT_TAKEN: u8 = 3;

/// A claim of a row: the same row claimed again is another attempt.
type Attempt = (DeliveryId, i64);

/// The notes of this life.
pub(super) struct Begun {
    path: PathBuf,
    boot: Uuid,
    open: Mutex<Open>,
}

struct Open {
    file: File,
    length: u64,
    /// The fence of each row that is at its turn.
    expected: HashMap<DeliveryId, i64>,
    /// The last note of what is not settled yet.
    under_way: HashMap<Attempt, Vec<u8>>,
}

/// What the life before had noted.
pub(super) enum Earlier {
    /// Nobody knows: every row it held is in doubt.
    Unknown,
    /// Exactly this.
    Noted {
        /// What may have arrived.
        begun: HashSet<Attempt>,
        /// What the network said it took, with what it calls it.
        taken: HashMap<Attempt, Option<ExternalId>>,
    },
}

impl Earlier {
    /// Whether this attempt was surely never begun, or surely not taken.
    pub(super) fn never_begun(&self, id: DeliveryId, fence: i64) -> bool {
        match self {
            Self::Unknown => false,
            Self::Noted { begun, .. } => !begun.contains(&(id, fence)),
        }
    }

    /// What is to be written down of attempts the network answered well before the process ended.
    pub(super) fn taken(&self) -> Vec<Settlement> {
        let Self::Noted { taken, .. } = self else { return Vec::new() };
        let settlement = |(&(id, fence), external_id): (&Attempt, &Option<ExternalId>)| Settlement {
            id,
            fence,
            outcome: Outcome::Sent { external_id: external_id.clone() },
            detail: "taken before the process ended".to_owned(),
        };
        taken.iter().map(settlement).collect()
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
        let open = Mutex::new(Open { file, length, expected: HashMap::new(), under_way: HashMap::new() });
        Ok((Self { path, boot, open }, earlier))
    }

    /// Forgets the life before: to be called once what it left is settled.
    pub(super) fn start(&self) -> io::Result<()> {
        self.rewrite(&mut self.lock())
    }

    /// A row's turn has come: it may begin from now on.
    pub(super) fn expect(&self, id: DeliveryId, fence: i64) {
        self.lock().expected.insert(id, fence);
    }

    /// Notes that the network may take a row from now on. When this fails nothing may leave.
    pub(super) fn begin(&self, id: DeliveryId) -> io::Result<()> {
        let mut open = self.lock();
        let Some(&fence) = open.expected.get(&id) else { return Err(io::Error::other("it is not its turn")) };
        self.write(&mut open, (id, fence), note(BEGUN, (id, fence), None))
    }

    /// Notes what the network said. Where that cannot be written the row is in doubt should the process be killed now.
    pub(super) fn came_of(&self, id: DeliveryId, fence: i64, delivery: &Delivery) {
        let mut open = self.lock();
        open.expected.remove(&id);
        let attempt = (id, fence);
        let bytes = match delivery {
            Delivery::Delivered { external_id, .. } => note(TAKEN, attempt, external_id.as_ref()),
            Delivery::Retry { .. } | Delivery::Refused { .. } if open.under_way.contains_key(&attempt) => {
                note(NOT_TAKEN, attempt, None)
            }
            _ => return,
        };
        drop(self.write(&mut open, attempt, bytes));
    }

    /// The attempt is settled: it need not be kept when the file is written anew.
    pub(super) fn end(&self, id: DeliveryId, fence: i64) {
        self.lock().under_way.remove(&(id, fence));
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, open: &mut Open, attempt: Attempt, bytes: Vec<u8>) -> io::Result<()> {
        if open.length > MOST {
            self.rewrite(open)?;
        }
        if let Err(error) = open.file.write_all(&bytes) {
            // Perhaps half a note was written, and what is put behind it could not be read: the next one begins a new file.
            open.length = u64::MAX;
            return Err(error);
        }
        open.length += bytes.len() as u64;
        open.under_way.insert(attempt, bytes);
        Ok(())
    }

    /// A new file beside, with what is under way, then renamed: at any moment one of the two says all.
    fn rewrite(&self, open: &mut Open) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        let mut bytes = self.boot.as_bytes().to_vec();
        bytes.push(FORM);
        open.under_way.values().for_each(|note| bytes.extend_from_slice(note));
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

/// What, row, fence, and the length and octets of what the network calls it.
fn note(what: u8, (id, fence): Attempt, external_id: Option<&ExternalId>) -> Vec<u8> {
    // Longer than any network's; where it does not fit answers are told by their other marks.
    let name = external_id.map(ExternalId::as_str).filter(|name| u16::try_from(name.len()).is_ok()).unwrap_or_default();
    let mut note = vec![what];
    note.extend_from_slice(id.0.as_bytes());
    note.extend_from_slice(&fence.to_be_bytes());
    note.extend_from_slice(&u16::try_from(name.len()).unwrap_or(0).to_be_bytes());
    note.extend_from_slice(name.as_bytes());
    note
}

/// What a file of this boot says; a torn last note is of an attempt that did not begin, or whose end nobody heard.
fn read(path: &Path, boot: Uuid) -> Earlier {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        // Nothing was ever sent from here.
        Err(error) if error.kind() == io::ErrorKind::NotFound => boot.into_bytes().into_iter().chain([FORM]).collect(),
        Err(_) => return Earlier::Unknown,
    };
    let Some((head, mut notes)) = bytes.split_at_checked(17) else { return Earlier::Unknown };
    if head.strip_prefix(boot.as_bytes()) != Some(&[FORM]) || boot.is_nil() {
        return Earlier::Unknown;
    }
    let (mut begun, mut taken) = (HashSet::new(), HashMap::new());
    while let Some((what, attempt, name, rest)) = read_note(notes) {
        notes = rest;
        begun.remove(&attempt);
        match what {
            BEGUN => drop(begun.insert(attempt)),
            TAKEN => drop(taken.insert(attempt, name)),
            NOT_TAKEN => {}
            _ => return Earlier::Unknown,
        }
    }
    Earlier::Noted { begun, taken }
}

fn read_note(bytes: &[u8]) -> Option<(u8, Attempt, Option<ExternalId>, &[u8])> {
    let (&what, rest) = bytes.split_first()?;
    let (id, rest) = rest.split_at_checked(16)?;
    let (fence, rest) = rest.split_at_checked(8)?;
    let (length, rest) = rest.split_at_checked(2)?;
    let (name, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(length.try_into().ok()?)))?;
    let attempt = (DeliveryId(Uuid::from_slice(id).ok()?), i64::from_be_bytes(fence.try_into().ok()?));
    let name = Some(std::str::from_utf8(name).ok()?).filter(|name| !name.is_empty()).map(ExternalId::new);
    Some((what, attempt, name, rest))
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

    /// A life that begins with these rows at their turn, the first claim of each.
    fn life(folder: &Path, rows: &[u128]) -> Begun {
        let (begun, _) = Begun::open(folder).unwrap();
        begun.start().unwrap();
        for row in rows {
            begun.expect(id(*row), 1);
        }
        begun
    }

    fn next(folder: &Path) -> Earlier {
        Begun::open(folder).unwrap().1
    }

    #[test]
    fn the_next_life_knows_what_was_begun_and_what_only_held() {
        let folder = tempfile::tempdir().unwrap();
        let begun = life(folder.path(), &[1, 2]);
        begun.begin(id(1)).unwrap();
        drop(begun);
        let earlier = next(folder.path());
        assert!(!earlier.never_begun(id(1), 1));
        assert!(earlier.never_begun(id(1), 4), "another claim of the same row is another attempt");
        assert!(earlier.never_begun(id(2), 1));
        assert!(earlier.taken().is_empty());
    }

    #[test]
    fn what_the_network_answered_is_in_no_doubt() {
        let folder = tempfile::tempdir().unwrap();
        let begun = life(folder.path(), &[1, 2, 3]);
        for row in [1, 2, 3] {
            begun.begin(id(row)).unwrap();
        }
        let detail = || "said".to_owned();
        let external_id = Some(ExternalId::new("it@desk.test"));
        begun.came_of(id(1), 1, &Delivery::Delivered { external_id: external_id.clone(), detail: detail() });
        begun.came_of(id(2), 1, &Delivery::Refused { detail: detail(), hard: true });
        begun.came_of(id(3), 1, &Delivery::Unknown { detail: detail() });
        drop(begun);
        let earlier = next(folder.path());
        assert_eq!([1, 2, 3].map(|row| earlier.never_begun(id(row), 1)), [true, true, false]);
        let taken: Vec<_> = earlier.taken().into_iter().map(|taken| (taken.id, taken.fence, taken.outcome)).collect();
        assert_eq!(taken, [(id(1), 1, Outcome::Sent { external_id })]);
    }

    #[test]
    fn nothing_leaves_before_its_turn() {
        let folder = tempfile::tempdir().unwrap();
        assert!(life(folder.path(), &[1]).begin(id(2)).is_err());
    }

    #[test]
    fn after_a_power_cut_everything_is_in_doubt() {
        let folder = tempfile::tempdir().unwrap();
        drop(life(folder.path(), &[]));
        let file = folder.path().join("begun");
        let mut bytes = fs::read(&file).unwrap();
        bytes[0] ^= 1;
        fs::write(file, bytes).unwrap();
        assert!(!next(folder.path()).never_begun(id(2), 1));
    }

    #[test]
    fn a_file_written_anew_keeps_what_is_under_way() {
        let folder = tempfile::tempdir().unwrap();
        let begun = life(folder.path(), &[1, 2, 3, 4]);
        for row in [1, 2, 3] {
            begun.begin(id(row)).unwrap();
        }
        begun.end(id(1), 1);
        begun.came_of(id(3), 1, &Delivery::Delivered { external_id: None, detail: String::new() });
        begun.start().unwrap();
        begun.begin(id(4)).unwrap();
        let earlier = next(folder.path());
        assert_eq!([1, 2, 3, 4].map(|n| earlier.never_begun(id(n), 1)), [true, false, true, false]);
        assert_eq!(earlier.taken().len(), 1);
    }

    #[test]
    fn a_torn_last_note_is_no_note() {
        let folder = tempfile::tempdir().unwrap();
        let begun = life(folder.path(), &[1, 2]);
        begun.begin(id(1)).unwrap();
        begun.begin(id(2)).unwrap();
        let file = folder.path().join("begun");
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..bytes.len() - 3]).unwrap();
        let earlier = next(folder.path());
        assert_eq!([1, 2].map(|n| earlier.never_begun(id(n), 1)), [false, true]);
    }
}
