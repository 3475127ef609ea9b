//! A state folder of its own, and commands run on it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What a command did.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

/// A desk that nobody else uses.
pub(super) struct Desk {
    root: TempDir,
}

impl Desk {
    /// A folder with an empty configuration, so that none of the machine's is found.
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder for the test");
        std::fs::write(root.path().join("guichet.toml"), "").expect("a configuration");
        Self { root }
    }

    /// A file or folder beside the state folder.
    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The state folder.
    pub(super) fn state(&self) -> PathBuf {
        self.at("var")
    }

    /// Writes a file and gives its path as an argument.
    pub(super) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("a path in UTF-8").to_owned()
    }

    /// Sets the configuration.
    pub(super) fn configure(&self, toml: &str) {
        self.file("guichet.toml", toml);
    }

    /// A command on this desk, not yet run.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(self.root.path());
        command.arg("--config").arg(self.at("guichet.toml")).arg("--state").arg(self.state()).args(arguments);
        command
    }

    /// Runs a command with nothing on standard input.
    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments), b"")
    }

    /// Runs a command with `input` on standard input.
    pub(super) fn pipe(&self, input: impl AsRef<[u8]>, arguments: &[&str]) -> Ran {
        ran(self.command(arguments), input.as_ref())
    }

    /// Runs a command that must end well; gives its output.
    pub(super) fn does(&self, arguments: &[&str]) -> String {
        self.run(arguments).well()
    }

    /// What a command says as JSON.
    pub(super) fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {ran:?}"))
    }

    /// Takes a mail in; gives the reference of its ticket.
    pub(super) fn ticket_of(&self, mail: &str) -> String {
        let out = self.pipe(mail, &["inject", "--source", "local"]).well();
        out.split_once(' ').expect("a reference and a verdict").0.to_owned()
    }
}

impl Ran {
    /// The output of a command that must have ended well.
    pub(super) fn well(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// The one line a command that must have failed with `code` said.
    pub(super) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.err.lines().count(), 1, "one line says it: {self:?}");
        self.err.trim_end().to_owned()
    }
}

/// The binary in a folder, with nothing of the tester's environment that it heeds.
pub(super) fn bare(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guichet"));
    command.current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("TZ", "UTC").env("USER", "ada").stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(super) fn ran(mut command: Command, input: &[u8]) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    // A command that does not read to the end has said why on its standard error.
    drop(child.stdin.take().expect("a pipe").write_all(input));
    let done = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code: done.status.code().unwrap_or(-1), out: text(done.stdout), err: text(done.stderr) }
}
