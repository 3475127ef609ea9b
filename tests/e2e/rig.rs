//! Real servers for the stories: `tests/rig`, started when the first story needs it and stopped after the last.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::mail::Mail;
use super::person::{Person, address_in};

/// Mailboxes for desks on a rig that is shared: each story has its own.
const MAILBOXES: u32 = 90;

static SHARED: Mutex<Weak<Rig>> = Mutex::new(Weak::new());
static DESKS: AtomicU32 = AtomicU32::new(1);
static PEOPLE: AtomicU32 = AtomicU32::new(1000);
static LAID: AtomicU32 = AtomicU32::new(1);

/// A Dovecot, a Postfix and a token endpoint. Dropped, they stop.
pub struct Rig {
    folder: tempfile::TempDir,
    env: HashMap<String, String>,
    /// What lies in the mailbox of everybody, read once.
    everyone: Mutex<HashMap<PathBuf, Arc<Mail>>>,
}

impl Rig {
    /// Servers shared by stories that neither halt them nor read the same mailbox. `None`, said aloud, where there cannot be any.
    pub fn shared() -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rig) = shared.upgrade() {
            return Some(rig);
        }
        let rig = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&rig);
        Some(rig)
    }

    /// Servers of this story's own.
    pub fn own() -> Option<Arc<Self>> {
        Self::start().map(Arc::new)
    }

    fn start() -> Option<Self> {
        if let Some(missing) = missing() {
            eprintln!("skipped: end-to-end tests on real mail servers: {missing}");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("guichet.").tempdir().unwrap();
        let place = folder.path().join("rig");
        let mut rig = Self { folder, env: HashMap::new(), everyone: Mutex::default() };
        Self::mail(&["start", &place.display().to_string(), "--fsync", "never", "--customers", &MAILBOXES.to_string()]);
        let env = std::fs::read_to_string(place.join("env")).unwrap();
        rig.env =
            env.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        Some(rig)
    }

    /// What the rig says of itself under this key.
    pub fn says(&self, key: &str) -> &str {
        self.env.get(key).unwrap_or_else(|| panic!("the rig says nothing of {key}"))
    }

    /// A port.
    pub fn port(&self, key: &str) -> u16 {
        self.says(key).parse().unwrap()
    }

    /// The file with its certificate authority.
    pub fn authority(&self) -> &str {
        self.says("RIG_CA")
    }

    fn place(&self) -> PathBuf {
        self.folder.path().join("rig")
    }

    /// Takes a server away for a while: `dovecot` or `postfix`.
    pub fn halt(&self, server: &str) {
        Self::mail(&["halt", &self.place().display().to_string(), server]);
    }

    /// Brings it back.
    pub fn resume(&self, server: &str) {
        Self::mail(&["resume", &self.place().display().to_string(), server]);
    }

    /// Cuts a user's sessions.
    pub fn kick(&self, user: &str) {
        Self::mail(&["kick", &self.place().display().to_string(), user]);
    }

    /// Numbers a user's mail anew.
    pub fn renumber(&self, user: &str) {
        Self::mail(&["uidvalidity", &self.place().display().to_string(), user, "--renew"]);
    }

    fn mail(words: &[&str]) {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rig/mail");
        let said = Command::new(program).args(words).output().unwrap();
        let shown = || format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        assert!(said.status.success(), "tests/rig/mail {}: {}", words.join(" "), shown());
    }

    /// A mailbox for a desk that no other story has: its user.
    pub fn desk_user() -> String {
        let number = DESKS.fetch_add(1, Ordering::Relaxed);
        assert!(number <= MAILBOXES, "there are {MAILBOXES} mailboxes for desks; raise MAILBOXES");
        format!("c{number}")
    }

    /// Somebody no other story knows, by this name.
    pub fn person(self: &Arc<Self>, name: &str) -> Person {
        let number = PEOPLE.fetch_add(1, Ordering::Relaxed);
        Person::new(self, name, &format!("person-{number}@customer.test"))
    }

    /// Somebody with this address.
    pub fn person_at(self: &Arc<Self>, name: &str, address: &str) -> Person {
        Person::new(self, name, address)
    }

    /// Everything that lies in a user's folder (`INBOX`, `Processed`), oldest first.
    pub fn lying(&self, user: &str, folder: &str) -> Vec<PathBuf> {
        let maildir = self.place().join("mail").join(user).join("Maildir");
        let folder = if folder == "INBOX" { maildir } else { maildir.join(format!(".{folder}")) };
        let mut found = Vec::new();
        for part in ["new", "cur"] {
            let Ok(entries) = std::fs::read_dir(folder.join(part)) else { continue };
            found.extend(entries.flatten().map(|entry| entry.path()));
        }
        found.sort_by_key(|path| delivered(path));
        found
    }

    /// All mail written to an address of people without a mailbox of their own.
    pub fn received_by(&self, address: &str) -> Vec<Arc<Mail>> {
        let mut known = self.everyone.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for path in self.lying("everyone", "INBOX") {
            if !known.contains_key(&path) {
                let Ok(raw) = std::fs::read(&path) else { continue };
                known.insert(path.clone(), Arc::new(Mail::read(&raw)));
            }
            let mail = Arc::clone(&known[&path]);
            if address_in(&mail.header("To")) == address {
                found.push(mail);
            }
        }
        found
    }

    /// Another mail program of the same user says `commands`; what it was answered.
    pub fn other_client(&self, user: &str, commands: &[&str]) -> String {
        let socket = TcpStream::connect(("127.0.0.1", self.port("RIG_IMAP"))).unwrap();
        let mut reader = BufReader::new(socket);
        let login = format!("LOGIN {user} {}", self.says("RIG_PASSWORD"));
        let mut answer = String::new();
        // One after the other: what is sent ahead a server may carry out in another order.
        for command in [login.as_str()].into_iter().chain(commands.iter().copied()).chain(["LOGOUT"]) {
            reader.get_mut().write_all(format!("t {command}\r\n").as_bytes()).unwrap();
            let mut line = String::new();
            while !line.starts_with("t ") {
                line.clear();
                assert!(reader.read_line(&mut line).unwrap() > 0, "{command}: {answer}");
                answer += &line;
            }
            assert!(line.starts_with("t OK"), "{command}: {answer}");
        }
        answer
    }

    /// Puts a mail into a mailbox, as another server's delivery would: octets as they are.
    pub fn lay(&self, user: &str, raw: &[u8]) {
        self.lay_aged(user, raw, Duration::ZERO);
    }

    /// The same, delivered so long ago.
    pub fn lay_aged(&self, user: &str, raw: &[u8], age: Duration) {
        let number = LAID.fetch_add(1, Ordering::Relaxed);
        let name = &format!("{}.M{number}P{}.rig", 1_700_000_000 + number, std::process::id());
        let owner = std::fs::metadata(self.place().join("mail")).unwrap();
        let (uid, gid) = (owner.uid(), owner.gid());
        let home = self.place().join("mail").join(user);
        let maildir = home.join("Maildir");
        for folder in [&home, &maildir, &maildir.join("new"), &maildir.join("cur"), &maildir.join("tmp")] {
            if std::fs::create_dir(folder).is_ok() {
                chown(folder, Some(uid), Some(gid)).unwrap();
            }
        }
        let draft = maildir.join("tmp").join(name);
        std::fs::write(&draft, raw).unwrap();
        chown(&draft, Some(uid), Some(gid)).unwrap();
        let file = std::fs::File::open(&draft).unwrap();
        file.set_modified(file.metadata().unwrap().modified().unwrap() - age).unwrap();
        std::fs::rename(&draft, maildir.join("new").join(name)).unwrap();
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if !self.env.is_empty() {
            Self::mail(&["stop", &self.place().display().to_string()]);
        }
    }
}

/// When a mail was delivered, by its file's name: `1774.M123P4Q1.host`.
fn delivered(path: &Path) -> (u64, u64, String) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (seconds, rest) = name.split_once(".M").unwrap_or((&name, ""));
    let micros: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (seconds.parse().unwrap_or_default(), micros.parse().unwrap_or_default(), name)
}

fn missing() -> Option<&'static str> {
    let is_installed = |name: &str| {
        ["/usr/sbin", "/usr/bin", "/usr/local/sbin"].iter().any(|folder| Path::new(folder).join(name).exists())
    };
    if !is_installed("dovecot") {
        return Some("dovecot is not installed");
    }
    if !is_installed("postfix") {
        return Some("postfix is not installed");
    }
    (!rustix::process::geteuid().is_root()).then_some("Postfix starts for root alone")
}
