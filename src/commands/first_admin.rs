//! The link by which the first admin comes into the console, made at each start while there is none.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;

use tracing::{info, warn};

use crate::desk::Desk;
use crate::state::StateFolder;

/// The file's name in the state folder.
const FILE: &str = "first-admin";

/// Makes the link and says it: at the terminal when somebody sits there, else in a file that only this user can read, whose
/// path is logged. Of an earlier file nothing is left. That it cannot be made is no reason not to start.
pub(super) async fn invite(desk: &Desk, state: &StateFolder, address: SocketAddr) {
    let path = state.path().join(FILE);
    if let Err(error) = fs::remove_file(&path)
        && error.kind() != io::ErrorKind::NotFound
    {
        warn!(%error, "the file of an earlier first admin's link could not be removed");
    }
    let secret = match desk.first_admin().await {
        Ok(Some(secret)) => secret,
        Ok(None) => return,
        Err(error) => {
            warn!(%error, "no link for a first admin could be made; `guichet agent add --admin` works all the same");
            return;
        }
    };
    let base = desk.kernel().texts.public_url().map_or_else(|| format!("http://{address}"), str::to_owned);
    let link = format!("{base}/console/welcome/{secret}");
    let mut out = io::stderr();
    if out.is_terminal() {
        let words = format!(
            "\n  Nobody administers this desk yet. For the next hour, once, this opens the console:\n    {link}\n"
        );
        // A terminal that went away is no reason to stop.
        drop(out.write_all(words.as_bytes()));
        return;
    }
    let mut options = OpenOptions::new();
    let written =
        options.write(true).create_new(true).mode(0o600).open(&path).and_then(|mut file| writeln!(file, "{link}"));
    match written {
        Ok(()) => {
            info!(file = %path.display(), "nobody administers this desk yet: a link to the console is in this file, good for an hour");
        }
        Err(error) => warn!(%error, file = %path.display(), "the link for a first admin could not be written"),
    }
}
