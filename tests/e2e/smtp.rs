//! A mail program's way out: SMTP by hand, as plain as it gets.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// A connection to a mail server.
pub struct Smtp {
    reader: BufReader<TcpStream>,
}

impl Smtp {
    /// Connects and says hello. An error when the server is away.
    pub fn connect(port: u16) -> Result<Self, String> {
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(Duration::from_mins(1))).map_err(|error| error.to_string())?;
        let mut smtp = Self { reader: BufReader::new(stream) };
        smtp.answer()?;
        smtp.say("EHLO people.customer.test")?;
        Ok(smtp)
    }

    /// Sends one mail; `from` empty for nobody. The server has it when this is Ok.
    pub fn send(&mut self, from: &str, to: &[&str], raw: &[u8]) -> Result<(), String> {
        self.say(&format!("MAIL FROM:<{from}>"))?;
        for recipient in to {
            self.say(&format!("RCPT TO:<{recipient}>"))?;
        }
        self.say("DATA")?;
        let mut wire = Vec::with_capacity(raw.len() + 1024);
        for line in raw.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b".") {
                wire.push(b'.');
            }
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            wire.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b".\r\n");
        self.reader.get_mut().write_all(&wire).map_err(|error| error.to_string())?;
        self.answer()
    }

    fn say(&mut self, line: &str) -> Result<(), String> {
        self.reader.get_mut().write_all(format!("{line}\r\n").as_bytes()).map_err(|error| error.to_string())?;
        self.answer().map_err(|answer| format!("{line}: {answer}"))
    }

    fn answer(&mut self) -> Result<(), String> {
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).map_err(|error| error.to_string())?;
            match line.as_bytes() {
                [b'2' | b'3', _, _, b'-', ..] => {}
                [b'2' | b'3', ..] => return Ok(()),
                _ => return Err(line.trim().to_owned()),
            }
        }
    }
}
