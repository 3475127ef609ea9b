//! The real binary, as an operator runs it: a configuration file, a state folder, a process; and as agents use it: the
//! command line beside it.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::rig::Rig;
use super::wait::{LONG, until_told, until_within};

/// The binary under test.
const BINARY: &str = env!("CARGO_BIN_EXE_guichet");

/// One mailbox of a desk, as the operator writes it. Public fields hold further lines of each section.
#[derive(Debug, Clone)]
pub struct Mailbox {
    /// The source's name.
    pub name: String,
    /// The account on the mail server.
    pub user: String,
    /// The account's password.
    pub password: String,
    /// Lines of `[[source]]`.
    pub top: String,
    /// Lines of `[source.imap]`.
    pub imap: String,
    /// Lines of `[source.smtp]`.
    pub smtp: String,
    /// The section `[source.oauth]`; with it no password is written.
    pub oauth: Option<String>,
    /// The IMAP host.
    pub host: String,
    /// Whether mail is filed once it was taken in.
    pub filed: bool,
}

impl Mailbox {
    /// A mailbox of this user of the rig.
    pub fn of(user: &str) -> Self {
        Self {
            name: format!("{user}-mail"),
            user: user.to_owned(),
            password: "secret".to_owned(),
            top: String::new(),
            imap: String::new(),
            smtp: String::new(),
            oauth: None,
            host: "localhost".to_owned(),
            filed: true,
        }
    }

    /// With further lines of `[[source]]`.
    pub fn top(mut self, lines: &str) -> Self {
        self.top = lines.to_owned();
        self
    }

    /// With further lines of `[source.imap]`.
    pub fn imap(mut self, lines: &str) -> Self {
        self.imap = lines.to_owned();
        self
    }

    /// Its address.
    pub fn address(&self) -> String {
        format!("{}@helpdesk.test", self.user)
    }

    fn toml(&self, rig: &Rig, folder: &Path) -> String {
        let Self { name, user, top, imap, smtp, host, .. } = self;
        let (address, ca) = (self.address(), rig.authority());
        let (imaps, smtps) = (rig.port("RIG_IMAPS"), rig.port("RIG_SMTPS"));
        let mut password = String::new();
        if self.oauth.is_none() {
            let file = folder.join(format!("{name}.password"));
            std::fs::write(&file, format!("{}\n", self.password)).unwrap();
            password = format!("password_file = \"{}\"", file.display());
        }
        let oauth = self.oauth.as_deref().unwrap_or_default();
        let filing = if self.filed { "processed = \"Processed\"\nfailed = \"Failed\"" } else { "" };
        format!(
            "\n[[source]]\nname = \"{name}\"\nchannel = \"email\"\naddress = \"{address}\"\ncheck_dkim = false\n{top}\n\
             \n[source.imap]\nhost = \"{host}\"\nport = {imaps}\nuser = \"{user}\"\n{password}\nca_file = \"{ca}\"\n\
             {filing}\n{imap}\n\
             \n[source.smtp]\nhost = \"localhost\"\nport = {smtps}\nuser = \"{user}\"\n{password}\nca_file = \"{ca}\"\n{smtp}\n{oauth}\n"
        )
    }
}

/// A desk: its folder, and the daemon while one runs on it.
pub struct Desk {
    folder: tempfile::TempDir,
    mailboxes: Vec<Mailbox>,
    daemon: Option<Child>,
}

impl Desk {
    /// A desk on these mailboxes, not started. `settings` are the lines before the sources.
    pub fn plan(rig: &Rig, settings: &str, mailboxes: &[Mailbox]) -> Self {
        let mut desk = Self::bare();
        let sources: String = mailboxes.iter().map(|mailbox| mailbox.toml(rig, desk.folder.path())).collect();
        desk.write_settings(&format!("{settings}\n[http]\nlisten = \"127.0.0.1:0\"\n{sources}"));
        desk.mailboxes = mailboxes.to_vec();
        desk
    }

    /// A desk without any mailbox, with the words of its configuration still to be written.
    pub fn bare() -> Self {
        let folder = tempfile::Builder::new().prefix("desk.").tempdir().unwrap();
        Self { folder, mailboxes: Vec::new(), daemon: None }
    }

    /// A running desk whose mailboxes are open: whatever is mailed from now on is news to it.
    pub fn open(rig: &Rig, settings: &str, mailboxes: &[Mailbox]) -> Self {
        let mut desk = Self::plan(rig, settings, mailboxes);
        desk.start();
        desk.is_listening();
        desk
    }

    /// A running desk on one mailbox of its own that believes its senders.
    pub fn on(rig: &Rig) -> Self {
        Self::open(rig, "", &[Mailbox::of(&Rig::desk_user()).top("trust = \"all\"")])
    }

    /// Writes the configuration.
    pub fn write_settings(&self, text: &str) {
        std::fs::write(self.settings(), text).unwrap();
    }

    /// The configuration file.
    pub fn settings(&self) -> PathBuf {
        self.folder.path().join("guichet.toml")
    }

    /// The state folder.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The address of its first mailbox.
    pub fn address(&self) -> String {
        self.mailboxes[0].address()
    }

    /// The user of its first mailbox.
    pub fn user(&self) -> &str {
        &self.mailboxes[0].user
    }

    /// Starts the daemon and waits until it says that it is ready. How long that took.
    pub fn start(&mut self) -> Duration {
        self.start_with(&[])
    }

    /// Starts it with this environment.
    pub fn start_with(&mut self, environment: &[(&str, &str)]) -> Duration {
        let begin = Instant::now();
        let notify = self.folder.path().join("notify");
        drop(std::fs::remove_file(&notify));
        let socket = UnixDatagram::bind(&notify).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        // Each look of a story at the API would be a line.
        let mut command = self.command(&["run", "--log", "info,guichet::http=warn"]);
        command.envs(environment.iter().copied()).env("NOTIFY_SOCKET", &notify).stdin(Stdio::null());
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.daemon = Some(command.spawn().unwrap());
        let mut words = [0; 4096];
        loop {
            if let Ok(length) = socket.recv(&mut words)
                && String::from_utf8_lossy(&words[..length]).lines().any(|line| line == "READY=1")
            {
                return begin.elapsed();
            }
            if let Some(status) = self.ended() {
                // A crash point may be passed before all is up; the story asks for it.
                assert!(!environment.is_empty(), "the daemon ended at its start: {status}\n{}", self.log());
                return begin.elapsed();
            }
            assert!(begin.elapsed() < LONG, "the daemon was not ready after {LONG:?}\n{}", self.log());
        }
    }

    /// Waits until every mailbox is open and waited on.
    pub fn is_listening(&self) {
        until_told("the mailboxes are open", || {
            let health = self.ask("/health/ready").ok_or("The daemon does not answer.")?;
            let sources = health["sources"].as_array().cloned().unwrap_or_default();
            let open = sources.iter().all(|source| matches!(source["state"].as_str(), Some("good" | "warning")));
            if open { Ok(()) } else { Err(format!("There is {health}.\n{}", self.log())) }
        });
    }

    /// How one source does, in the daemon's words: state and note.
    pub fn source(&self, name: &str) -> Option<(String, String)> {
        let health = self.ask("/health/ready")?;
        let source = health["sources"].as_array()?.iter().find(|source| source["name"] == name)?.clone();
        Some((source["state"].as_str()?.to_owned(), source["note"].as_str()?.to_owned()))
    }

    /// Waits until a source says this of itself; gives its whole note.
    pub fn source_says(&self, name: &str, state: &str, words: &str) -> String {
        until_told(&format!("{name} is {state} and says {words:?}"), || {
            let last = self.source(name);
            let found = last.clone().filter(|(is, note)| is == state && note.contains(words)).map(|(_, note)| note);
            found.ok_or_else(|| format!("It says {last:?}.\n{}", self.log()))
        })
    }

    /// Stops the daemon as systemd does, and waits for its end.
    pub fn stop(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        let pid = rustix::process::Pid::from_child(&daemon);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = daemon.wait().unwrap();
        assert!(status.success(), "the daemon did not end well: {status}\n{}", self.log());
    }

    /// Kills the daemon, as `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().unwrap();
            daemon.wait().unwrap();
        }
    }

    /// Waits for the daemon to end by itself.
    pub fn dies(&mut self) -> ExitStatus {
        let status = until_told("the daemon ends by itself", || self.ended().ok_or_else(|| self.log()));
        self.daemon = None;
        status
    }

    /// How the daemon ended, when it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.daemon.as_mut().and_then(|daemon| daemon.try_wait().unwrap())
    }

    /// What the daemon logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The binary with this desk's configuration and state.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        for key in [
            "GUICHET_CONFIG",
            "CONFIGURATION_DIRECTORY",
            "STATE_DIRECTORY",
            "RUST_LOG",
            "NOTIFY_SOCKET",
            "GUICHET_CRASH",
        ] {
            command.env_remove(key);
        }
        command.arg("--config").arg(self.settings()).arg("--state").arg(self.state()).args(words);
        command.env("GUICHET_AGENT", "amelie").stdin(Stdio::null());
        command
    }

    /// An agent runs a command beside the daemon.
    pub fn tries(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// An agent runs a command, which works; what it printed.
    pub fn agent(&self, words: &[&str]) -> String {
        let done = self.tries(words);
        let shown = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "guichet {}: {}\n{shown}\n{}", words.join(" "), done.status, self.log());
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// What the daemon answers on its local socket; `None` while it does not.
    pub fn ask(&self, path: &str) -> Option<Value> {
        let mut socket = UnixStream::connect(self.state().join("guichet.sock")).ok()?;
        socket.set_read_timeout(Some(LONG)).unwrap();
        // The older protocol: an answer without chunks that ends with the connection.
        let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n");
        socket.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        // A source that is down makes the daemon unready, and the answer says which.
        assert!(head.contains(" 200 ") || path.starts_with("/health/"), "GET {path}: {answer}");
        Some(serde_json::from_str(body).unwrap_or_else(|error| panic!("GET {path}: {error}: {body}")))
    }

    /// A ticket with everything.
    pub fn ticket(&self, reference: &str) -> Value {
        self.ask(&format!("/api/v1/tickets/{reference}")).expect("the daemon answers")
    }

    /// All tickets, merged ones left out, the last opened first.
    pub fn tickets(&self) -> Vec<Value> {
        let mut found = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.ask(&format!("/api/v1/tickets?limit=200&sort=opened{after}")).expect("the daemon answers");
            found.extend(page["tickets"].as_array().cloned().unwrap_or_default());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return found,
            }
        }
    }

    /// The tickets somebody asked for.
    pub fn tickets_of(&self, address: &str) -> Vec<Value> {
        let page =
            self.ask(&format!("/api/v1/tickets?limit=200&sort=opened&requester={}", address.replace('+', "%2B")));
        page.expect("the daemon answers")["tickets"].as_array().cloned().unwrap_or_default()
    }

    /// Waits until so many items have come in, whatever became of them. More must not come.
    pub fn has_received(&self, count: u64) {
        let balance = until_told(&format!("{count} items have come in"), || {
            let balance = self.ask("/api/v1/reconciliation").ok_or("The daemon does not answer.")?;
            let enough = balance["received"].as_u64() >= Some(count);
            if enough { Ok(balance) } else { Err(format!("There is {balance}.\n{}", self.log())) }
        });
        assert_eq!(balance["received"], count, "more came in than was sent: {balance}\n{}", self.log());
    }

    /// Waits until nothing is to be sent any more; what is in doubt may be left alone for a minute before it is sent again.
    pub fn has_sent_everything(&self) {
        until_within(LONG * 3, "the outbox is empty", || {
            let waiting =
                self.ask("/api/v1/outbox?state=pending,sending&limit=3").ok_or("The daemon does not answer.")?;
            let empty = waiting["deliveries"].as_array().is_some_and(Vec::is_empty);
            if empty { Ok(()) } else { Err(format!("There is {waiting}.\n{}", self.log())) }
        });
    }

    /// Waits until there are so many tickets, and gives them.
    pub fn has_tickets(&self, count: usize) -> Vec<Value> {
        until_told(&format!("there are {count} tickets"), || {
            let tickets = self.tickets();
            if tickets.len() >= count {
                Ok(tickets)
            } else {
                Err(format!("There are {}.\n{}", tickets.len(), self.log()))
            }
        })
    }

    /// What is kept aside: reason codes with addresses, the latest first.
    pub fn quarantine(&self) -> Vec<Value> {
        let page = self.ask("/api/v1/quarantine?limit=200").expect("the daemon answers");
        page["items"].as_array().cloned().unwrap_or_default()
    }

    /// The end of a story: everything adds up, the daemon stops well, and its log names neither people nor secrets.
    pub fn ends_well(self) {
        self.ends(&["reconcile"]);
    }

    /// The same where a mailbox cannot be asked what it holds.
    pub fn ends_well_cut_off(self) {
        self.ends(&["reconcile", "--offline"]);
    }

    fn ends(mut self, reconcile: &[&str]) {
        let balance = self.agent(reconcile);
        self.stop();
        let log = self.log();
        for secret in ["@customer.test", "\"secret\"", "panicked"] {
            assert!(!log.contains(secret), "the log holds {secret:?}:\n{log}");
        }
        assert!(!balance.contains("BAD"), "{balance}");
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon.as_mut() {
            // Ended already, it cannot be killed.
            drop(daemon.kill());
            drop(daemon.wait());
        }
        if std::thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log());
        }
    }
}

/// Texts of a JSON array's field, for comparing.
pub fn texts(value: &Value, list: &str, field: &str) -> Vec<String> {
    let items = value[list].as_array().cloned().unwrap_or_default();
    items.iter().map(|item| item[field].as_str().unwrap_or("-").to_owned()).collect()
}

/// The reasons of all entries of a ticket's timeline.
pub fn reasons(ticket: &Value) -> Vec<String> {
    let entries = ticket["timeline"].as_array().cloned().unwrap_or_default();
    let of = |entry: &Value| entry["reasons"].as_array().cloned().unwrap_or_default();
    entries.iter().flat_map(of).filter_map(|why| why["code"].as_str().map(ToOwned::to_owned)).collect()
}
