//! Commands beside a running daemon.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use super::{Desk, MAIL};

/// A daemon that is stopped when the test ends.
struct Daemon(Child);

impl Daemon {
    fn on(desk: &Desk) -> Self {
        desk.configure("[http]\nlisten = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n");
        let mut child = desk.command(&[]).stderr(Stdio::piped()).spawn().expect("the daemon starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        while !line.contains("guichet is ready") {
            line.clear();
            assert!(lines.read_line(&mut line).expect("its log") > 0, "it ended before it was ready");
        }
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Self(child)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn commands_ask_the_daemon_and_what_they_queue_waits_for_nobody() {
    let desk = Desk::new();
    let _daemon = Daemon::on(&desk);
    let ran = desk.pipe(MAIL, &["inject", "--source", "local"]);
    assert!(!ran.err.contains("not running"), "{ran:?}");
    let reference = ran.well().split_once(' ').unwrap().0.to_owned();
    let closed = desk.run(&["ticket", "close", &reference, "Done."]);
    assert_eq!((closed.code, closed.err.as_str()), (0, ""));
    assert!(desk.does(&["doctor"]).contains("ok    daemon         it runs and answers"));
    let copy = desk.at("copy.db").display().to_string();
    desk.does(&["backup", &copy]);
}

#[test]
fn an_import_goes_through_the_daemon() {
    let desk = Desk::new();
    let _daemon = Daemon::on(&desk);
    let mail = |number| MAIL.replace("a1@", &format!("a{number}@"));
    let one = |number| format!("From jean@client.test Sun Nov 22 10:00:00 2026\n{}\n", mail(number));
    let file = desk.file("archive", (0..50).map(one).collect::<String>());
    assert_eq!(desk.json(&["import", "--source", "local", &file])["opened"], 50);
}

#[test]
fn a_second_daemon_is_refused_and_told_who_has_the_folder() {
    let desk = Desk::new();
    let daemon = Daemon::on(&desk);
    let said = desk.run(&["run"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains(&format!("(process {})", daemon.0.id())), "{said:?}");
}
