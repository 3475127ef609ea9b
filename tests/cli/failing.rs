//! Disks that are full, folders that cannot be written, databases of a later version, daemons that die.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;

use super::{Desk, MAIL};

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_state_folder_that_cannot_be_written_keeps_the_mail_upstream() {
    let desk = Desk::new();
    if is_root() {
        println!("skipped: root may write everywhere");
        return;
    }
    std::fs::create_dir(desk.state()).unwrap();
    std::fs::set_permissions(desk.state(), std::fs::Permissions::from_mode(0o500)).unwrap();
    let said = desk.pipe(MAIL, &["inject", "--source", "local"]).failed(75);
    assert!(said.contains("make the state folder and the database writable"), "{said}");
}

#[test]
fn a_state_folder_that_cannot_be_is_told() {
    let desk = Desk::new();
    desk.file("var", "a file where the folder should be");
    let said = desk.pipe(MAIL, &["inject", "--source", "local"]).failed(75);
    assert!(said.starts_with("guichet: state folder ") && said.contains("--state"), "{said}");
    desk.run(&["ticket", "list"]).failed(1);
}

/// A disk of a few MiB where the state folder is; taken away when the test ends.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn under(desk: &Desk) -> Option<Self> {
        std::fs::create_dir(desk.state()).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "none"]).arg(desk.state()).output();
        mounted.is_ok_and(|mount| mount.status.success()).then(|| Self(desk.state()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}

#[test]
fn a_full_disk_keeps_the_mail_upstream_and_the_tickets_whole() {
    let desk = Desk::new();
    let Some(_disk) = SmallDisk::under(&desk) else {
        println!("skipped: no small disk can be mounted here (that takes root)");
        return;
    };
    let said = desk.pipe(MAIL, &["inject", "--source", "local"]).failed(75);
    assert!(said.contains("free some space"), "below the floor: {said}");
    desk.configure("[storage]\nfloor_mib = 0\n");
    let reference = desk.ticket_of(MAIL);
    let fill = std::fs::File::create(desk.state().join("fill")).unwrap();
    let full = std::io::copy(&mut std::io::repeat(0).take(32 << 20), &mut &fill);
    assert!(full.is_err(), "the disk is full");
    let next = MAIL.replace("a1@", "a2@").replace("plus.", &"plus. ".repeat(20_000));
    let said = desk.pipe(&next, &["inject", "--source", "local"]).failed(75);
    assert!(said.contains("free space") || said.contains("cannot be written"), "{said}");
    drop(fill);
    std::fs::remove_file(desk.state().join("fill")).unwrap();
    assert!(desk.pipe(&next, &["inject", "--source", "local"]).well().ends_with(" opened\n"), "now there is room");
    assert!(desk.does(&["ticket", "list"]).contains(&reference));
    desk.does(&["reconcile"]);
}

#[test]
fn a_database_of_a_later_version_is_left_alone() {
    let desk = Desk::new();
    desk.ticket_of(MAIL);
    let script = "import sqlite3, sys\nbase = sqlite3.connect(sys.argv[1])\nbase.execute(\"INSERT INTO _sqlx_migrations SELECT 99, \
        description, installed_on, success, checksum, execution_time FROM _sqlx_migrations LIMIT 1\")\nbase.commit()\n";
    let changed = Command::new("python3").args(["-c", script]).arg(desk.state().join("guichet.db")).output();
    if !changed.is_ok_and(|python| python.status.success()) {
        println!("skipped: python3 with sqlite3 is not here");
        return;
    }
    let said = desk.run(&["ticket", "list"]).failed(1);
    assert!(said.contains("the database has schema 99") && said.contains("run the newer guichet"), "{said}");
    desk.pipe(MAIL, &["inject", "--source", "local"]).failed(75);
}

#[test]
fn a_daemon_that_dies_in_the_middle_keeps_the_mail_upstream() {
    let desk = Desk::new();
    std::fs::create_dir(desk.state()).unwrap();
    let socket = UnixListener::bind(desk.state().join("guichet.sock")).unwrap();
    let daemon = std::thread::spawn(move || {
        let (mut stream, _) = socket.accept().unwrap();
        let mut some = [0; 16];
        stream.read_exact(&mut some).unwrap();
    });
    let said = desk.pipe(MAIL, &["inject", "--source", "local"]).failed(75);
    daemon.join().unwrap();
    assert!(said.contains("the daemon went away before it answered"), "{said}");
}

#[test]
fn the_socket_a_killed_daemon_left_is_no_daemon() {
    let desk = Desk::new();
    std::fs::create_dir(desk.state()).unwrap();
    drop(UnixListener::bind(desk.state().join("guichet.sock")).unwrap());
    assert!(desk.pipe(MAIL, &["inject", "--source", "local"]).well().ends_with(" opened\n"));
}
