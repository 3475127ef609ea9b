//! What lies under a path: mbox files, maildirs, single messages.

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::mbox::is_separator;

/// Something to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A file that holds one message.
    Single(PathBuf),
    /// A file that holds many.
    Mbox(PathBuf),
}

/// Everything under `path`, in a stable order: a maildir's `cur` and `new` (and its subfolders), mbox files, `.eml`
/// files. A path that is named itself is taken whatever it is called; in a folder only what looks like mail is.
pub fn found(path: &Path) -> io::Result<Vec<Found>> {
    let mut all = Vec::new();
    if path.is_dir() {
        folder(path, &mut all)?;
    } else {
        all.push(if is_mbox(path)? { Found::Mbox(path.to_owned()) } else { Found::Single(path.to_owned()) });
    }
    Ok(all)
}

fn folder(path: &Path, all: &mut Vec<Found>) -> io::Result<()> {
    let maildir = is_maildir(path);
    for entry in sorted(path)? {
        let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if entry.is_dir() {
            match name.as_str() {
                "cur" | "new" if maildir => {
                    all.extend(sorted(&entry)?.into_iter().filter(|file| file.is_file()).map(Found::Single));
                }
                // What is not delivered yet is nobody's.
                "tmp" if maildir => {}
                _ => folder(&entry, all)?,
            }
        } else if !entry.is_file() || name.starts_with('.') || maildir {
            // Dovecot's and Courier's own files, sockets and the like.
        } else if is_mbox(&entry)? {
            all.push(Found::Mbox(entry));
        } else if has_ending(&entry, &["eml", "msg", "mail"]) {
            all.push(Found::Single(entry));
        }
    }
    Ok(())
}

fn is_maildir(path: &Path) -> bool {
    path.join("cur").is_dir() && path.join("new").is_dir()
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| endings.contains(&ending.as_str()))
}

fn is_mbox(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    BufReader::new(File::open(path)?).take(1024).read_to_end(&mut head)?;
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(is_separator(first))
}

/// The entries of a folder by name; in a maildir names begin with the time of delivery.
fn sorted(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries =
        std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_mailboxes_gives_all_messages_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for folder in ["Maildir/cur", "Maildir/new", "Maildir/tmp", "Maildir/.Sent/cur", "Maildir/.Sent/new", "old"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        let files =
            ["Maildir/cur/1:2,S", "Maildir/new/2", "Maildir/tmp/3", "Maildir/dovecot-uidlist", "Maildir/.Sent/cur/4"];
        for file in files.into_iter().chain(["old/a.eml", "old/readme.txt"]) {
            std::fs::write(at(file), "Subject: x\n\n").unwrap();
        }
        std::fs::write(at("old/archive"), "From a@b.test Sun Nov 22 10:00:00 2026\nSubject: x\n\n").unwrap();
        let found = found(root.path()).unwrap();
        let single = |name: &str| Found::Single(at(name));
        assert_eq!(
            found,
            [
                single("Maildir/.Sent/cur/4"),
                single("Maildir/cur/1:2,S"),
                single("Maildir/new/2"),
                single("old/a.eml"),
                Found::Mbox(at("old/archive")),
            ]
        );
    }

    #[test]
    fn a_file_that_is_named_is_taken_whatever_it_is_called() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("message");
        std::fs::write(&file, "Subject: x\n\n").unwrap();
        assert_eq!(found(&file).unwrap(), [Found::Single(file)]);
    }
}
