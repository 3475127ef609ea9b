//! The e-mail channel against mails: its own set of mails by people, and those of others where they are at hand.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has failed")]
#![expect(clippy::print_stdout, reason = "scores and what was skipped are read by people")]

mod authors;
mod human;
mod machine_corpus;
mod mime;
mod reply_corpus;
mod report_corpus;

use std::path::PathBuf;

/// A folder of the material shared beside the repository (or named by `GUICHET_SHARED`), if it is there.
fn shared_folder(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GUICHET_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} is not here; set GUICHET_SHARED to the folder that holds {name}", folder.display());
    None
}
