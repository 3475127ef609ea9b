//! Starting, and everything that keeps a daemon from it: one clear line with the remedy.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output};

use super::desk::Desk;

/// A desk on a mailbox that needs no server.
fn alone() -> Desk {
    let desk = Desk::bare();
    desk.write_settings("[http]\nlisten = \"127.0.0.1:0\"\n");
    desk
}

fn complaint(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).trim().to_owned()
}

#[test]
fn a_mail_from_a_pipe_is_a_ticket_and_its_acknowledgement_lies_in_a_file() {
    let mut desk = alone();
    println!("start to ready, development build: {:?}", desk.start());
    let mail = desk.state().join("some.eml");
    std::fs::write(
        &mail,
        "From: Ann <ann@example.org>\nTo: support@example.org\nSubject: Fire\n\nThe printer is on fire.\n",
    )
    .unwrap();
    let said = desk.agent(&["inject", "--source", "local", &mail.display().to_string()]);
    let reference = said.split_whitespace().next().unwrap().to_owned();
    assert!(said.contains("opened"), "{said}");
    let again = desk.agent(&["inject", "--source", "local", &mail.display().to_string()]);
    assert!(again.contains(&reference) && again.contains("duplicate"), "{again}");
    desk.has_sent_everything();
    let outgoing = desk.state().join("sources/local/outgoing");
    let files: Vec<_> = std::fs::read_dir(outgoing).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(std::fs::read_to_string(&files[0]).unwrap().contains(&reference));
    desk.ends_well();
}

#[test]
fn a_second_daemon_on_the_same_state_is_refused_and_told_who_holds_it() {
    let mut desk = alone();
    desk.start();
    let second = desk.tries(&["run"]);
    assert_eq!(second.status.code(), Some(1));
    let said = complaint(&second);
    let last = said.lines().last().unwrap_or_default();
    assert!(last.contains("another guichet (process ") && last.contains("stop that one first"), "{said}");
    desk.ends_well();
}

#[test]
fn a_port_that_is_taken_is_named_with_the_key_that_sets_it() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    let desk = Desk::bare();
    desk.write_settings(&format!("[http]\nlisten = \"{address}\"\n"));
    let refused = desk.tries(&["run"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = complaint(&refused);
    let last = said.lines().last().unwrap_or_default();
    assert!(
        last.contains(&format!("listen = \"{address}\"")) && last.contains("stop whatever uses this port"),
        "{said}"
    );
}

#[test]
fn wrong_settings_are_named_with_file_line_and_what_was_meant() {
    let desk = Desk::bare();
    for (settings, words) in [
        ("[desk]\nnmae = \"x\"\n", "guichet.toml:2: nmae: there is no such key; did you mean \"name\"?"),
        ("[[source]]\nname = \"a\"\nchannel = \"emial\"\n", "emial"),
        (
            "[[source]]\nname = \"a\"\nchannel = \"email\"\naddress = \"support\"\n",
            "address = \"support\": this is no mail address",
        ),
        ("[desk.calendar]\nzone = \"Mars/Olympus\"\n", "Mars/Olympus"),
    ] {
        desk.write_settings(settings);
        for command in ["run", "check"] {
            let refused = desk.tries(&[command]);
            let said = complaint(&refused);
            assert_eq!(refused.status.code(), Some(78), "{command}: {said}");
            assert!(said.contains(words), "{command}: {words:?} is not in {said:?}");
            assert_eq!(said.lines().count(), 1, "one clear line: {said}");
        }
    }
}

#[test]
fn a_bad_template_is_named_before_anything_starts() {
    let desk = Desk::bare();
    let templates = desk.settings().with_file_name("templates");
    std::fs::create_dir(&templates).unwrap();
    std::fs::write(templates.join("acknowledgement.en.txt"), "Subject: x\n\nHello {{ nmae\n").unwrap();
    desk.write_settings("[texts]\nfolder = \"templates\"\n");
    let refused = desk.tries(&["check"]);
    assert_eq!(refused.status.code(), Some(78));
    assert!(complaint(&refused).contains("acknowledgement.en.txt"), "{}", complaint(&refused));
}

#[test]
fn a_state_folder_that_cannot_be_written_is_named() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: a read-only state folder: only root can become another user");
        return;
    }
    let desk = alone();
    std::fs::create_dir(desk.state()).unwrap();
    for path in [desk.settings().parent().unwrap().to_owned(), desk.state(), desk.settings()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    // Nobody may walk to a binary in a home folder, so it is run from beside its settings.
    let binary = desk.settings().with_file_name("guichet");
    // By another process: a child of a test beside this one would hold a file of ours open for writing, and then it cannot run.
    assert!(Command::new("cp").arg(env!("CARGO_BIN_EXE_guichet")).arg(&binary).status().unwrap().success());
    let mut command = Command::new(binary);
    command.arg("--config").arg(desk.settings()).arg("--state").arg(desk.state()).arg("run").uid(65_534).gid(65_534);
    let refused = command.output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{}", complaint(&refused));
    let said = complaint(&refused);
    let last = said.lines().last().unwrap_or_default();
    assert!(last.contains("state folder") && last.contains("mend its permissions"), "{said}");
}

#[test]
fn a_database_of_a_later_version_is_refused_with_the_way_back() {
    let mut desk = alone();
    desk.start();
    desk.stop();
    let later = "import sqlite3, sys\nd = sqlite3.connect(sys.argv[1])\nd.execute(\"INSERT INTO _sqlx_migrations (version, \
        description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)\")\nd.commit()\n";
    let done = Command::new("python3").arg("-c").arg(later).arg(desk.state().join("guichet.db")).output();
    let Ok(done) = done else {
        eprintln!("skipped: a database of a later version: python3 is not installed");
        return;
    };
    assert!(done.status.success(), "{}", complaint(&done));
    let refused = desk.tries(&["run"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = complaint(&refused);
    let last = said.lines().last().unwrap_or_default();
    assert!(last.contains("schema 9999") && last.contains("knows schemas up to"), "{said}");
}
