//! Phone systems and the real binary: `tests/rig/phone` tells the stories.

use std::process::Command;

fn story(name: &str) {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rig/phone");
    let done = match Command::new(program).arg(env!("CARGO_BIN_EXE_guichet")).arg(name).output() {
        Ok(done) => done,
        Err(error) => {
            eprintln!("skipped: phone stories: {program}: {error}");
            return;
        }
    };
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    println!("{said}");
    assert!(matches!(done.status.code(), Some(0 | 77)), "{said}");
}

#[test]
fn six_calls_through_a_real_proxy_are_five_tickets() {
    story("kamailio");
}

#[test]
fn what_twilios_own_library_signs_is_believed_and_one_byte_changed_is_not() {
    story("twilio");
}

#[test]
fn killed_between_events_and_while_they_come_nothing_is_lost_and_nothing_doubled() {
    story("killed");
}
