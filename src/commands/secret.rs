//! Asking for a secret: at a terminal without showing it, else the first line of standard input. Never an argument, which
//! everybody on the machine can see.

use std::io::{self, IsTerminal as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// The secret somebody types or pipes in, without its line end.
pub(super) fn ask(prompt: &str) -> io::Result<String> {
    let input = io::stdin();
    if !input.is_terminal() {
        return line(&input);
    }
    io::stderr().write_all(prompt.as_bytes())?;
    let before = tcgetattr(&input)?;
    let mut hidden = before.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&input, OptionalActions::Flush, &hidden)?;
    let typed = line(&input);
    tcsetattr(&input, OptionalActions::Flush, &before)?;
    io::stderr().write_all(b"\n")?;
    typed
}

fn line(input: &io::Stdin) -> io::Result<String> {
    let mut text = String::new();
    if input.read_line(&mut text)? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "nothing was given"));
    }
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}
