//! One connection to an SMTP server: lines out, replies in, each under a time limit.

use std::io;

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::limits::{Patience, Step};
use super::relay::Wire;
use super::reply::Reply;

/// Bytes of a body written under one time limit.
const BLOCK: usize = 256 * 1024;
/// A buffer that grew beyond this for a large mail is given back.
const KEPT_CAPACITY: usize = 1024 * 1024;

/// What the server offers in its answer to EHLO.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Offers {
    pub(super) starttls: bool,
    pub(super) pipelining: bool,
    pub(super) eight_bit: bool,
    pub(super) smtputf8: bool,
    pub(super) dsn: bool,
    /// The largest message in bytes; 0 is "no fixed limit".
    pub(super) size: Option<usize>,
    /// Mechanisms in upper case.
    pub(super) auth: Vec<String>,
}

/// A connection after its greeting. Dropping it closes the connection, which is always safe; what is kept for another
/// mail is decided by who finished a dialogue, never by `drop`.
pub(super) struct Session {
    wire: Box<dyn Wire>,
    input: Vec<u8>,
    /// Commands being put together.
    pub(super) output: Vec<u8>,
    /// The body being sent, dot-stuffed, with its final dot.
    pub(super) body: Vec<u8>,
    pub(super) offers: Offers,
    /// The server knows who we are.
    pub(super) logged_in: bool,
    pub(super) parked_at: Instant,
}

/// The connection is of no more use.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) step: Step,
    pub(super) how: How,
}

/// In which way.
#[derive(Debug)]
pub(super) enum How {
    Closed,
    TimedOut,
    Failed(io::Error),
    Nonsense,
}

impl Broken {
    /// For a person; without addresses.
    pub(super) fn why(&self) -> String {
        let step = self.step.name();
        match &self.how {
            How::Closed => format!("the server closed the connection at {step}"),
            How::TimedOut => format!("the server did not answer in time at {step}"),
            How::Failed(error) => format!("the connection failed at {step}: {error}"),
            How::Nonsense => format!("what the server said at {step} is not SMTP"),
        }
    }
}

impl Session {
    pub(super) fn new(wire: Box<dyn Wire>) -> Self {
        Self {
            wire,
            input: Vec::with_capacity(1024),
            output: Vec::with_capacity(512),
            body: Vec::new(),
            offers: Offers::default(),
            logged_in: false,
            parked_at: Instant::now(),
        }
    }

    /// The bare connection, to be wrapped in TLS; `None` when the server said more than it was asked, because what
    /// came before the handshake may have been written by somebody else.
    pub(super) fn into_wire(self) -> Option<Box<dyn Wire>> {
        self.input.is_empty().then_some(self.wire)
    }

    /// The next reply.
    pub(super) async fn reply(&mut self, step: Step, patience: &Patience) -> Result<Reply, Broken> {
        let until = patience.until(step);
        loop {
            match Reply::parse(&self.input) {
                Ok(Some((reply, length))) => {
                    self.input.drain(..length);
                    return Ok(reply);
                }
                Ok(None) => {}
                Err(_) => return Err(Broken { step, how: How::Nonsense }),
            }
            self.input.reserve(1024);
            match timeout_at(until, self.wire.read_buf(&mut self.input)).await {
                Ok(Ok(0)) => return Err(Broken { step, how: How::Closed }),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(Broken { step, how: failed(error) }),
                Err(_) => return Err(Broken { step, how: How::TimedOut }),
            }
        }
    }

    /// Sends `line`, which must end in CRLF, and waits for its reply.
    pub(super) async fn command(&mut self, line: &[u8], step: Step, patience: &Patience) -> Result<Reply, Broken> {
        write(&mut self.wire, line, step, patience).await?;
        self.reply(step, patience).await
    }

    /// Sends the commands `from..to` of `output` in one write.
    pub(super) async fn say(&mut self, from: usize, to: usize, step: Step, patience: &Patience) -> Result<(), Broken> {
        write(&mut self.wire, self.output.get(from..to).unwrap_or_default(), step, patience).await
    }

    /// Sends `body`: in one write if it is not large.
    ///
    /// On an error the final dot has not left: it is the end of the last block, and a block is either written whole or
    /// an error.
    pub(super) async fn say_body(&mut self, patience: &Patience) -> Result<(), Broken> {
        for block in self.body.chunks(BLOCK) {
            write(&mut self.wire, block, Step::Body, patience).await?;
        }
        Ok(())
    }

    /// Whether nothing came since the last reply. An idle server that says or closes something is about to leave.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut byte = [0];
        self.input.is_empty() && self.wire.read(&mut byte).now_or_never().is_none()
    }

    /// Puts the session in order for another mail.
    pub(super) fn tidy(&mut self) {
        for buffer in [&mut self.input, &mut self.output, &mut self.body] {
            if buffer.capacity() > KEPT_CAPACITY {
                *buffer = Vec::new();
            }
        }
        self.parked_at = Instant::now();
    }

    /// Takes leave, if the server still listens.
    pub(super) async fn quit(mut self, patience: &Patience) {
        if self.command(b"QUIT\r\n", Step::Quit, patience).await.is_ok() {
            // The server closes after its 221; our end goes with `self`.
            tracing::trace!("connection closed by QUIT");
        }
    }
}

impl Offers {
    /// Reads the lines of an answer to EHLO. Unknown ones are passed over.
    pub(super) fn read(text: &str) -> Self {
        let mut offers = Self::default();
        for line in text.lines().skip(1) {
            let line = line.to_ascii_uppercase().replacen("AUTH=", "AUTH ", 1);
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("STARTTLS") => offers.starttls = true,
                Some("PIPELINING") => offers.pipelining = true,
                Some("8BITMIME") => offers.eight_bit = true,
                Some("SMTPUTF8") => offers.smtputf8 = true,
                Some("DSN") => offers.dsn = true,
                Some("SIZE") => offers.size = Some(words.next().and_then(|n| n.parse().ok()).unwrap_or(0)),
                Some("AUTH") => offers.auth.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        offers
    }
}

async fn write(wire: &mut Box<dyn Wire>, bytes: &[u8], step: Step, patience: &Patience) -> Result<(), Broken> {
    let sent = timeout_at(patience.until(step), async {
        wire.write_all(bytes).await?;
        wire.flush().await
    });
    match sent.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Broken { step, how: failed(error) }),
        Err(_) => Err(Broken { step, how: How::TimedOut }),
    }
}

/// A connection torn down by the other end is closed, in whatever words.
fn failed(error: io::Error) -> How {
    match error.kind() {
        io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::UnexpectedEof => How::Closed,
        _ => How::Failed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read_in_any_case_and_both_spellings_of_auth() {
        let offers =
            Offers::read("mx.example\npipelining\nSIZE 52428800\nAUTH PLAIN LOGIN\nAUTH=XOAUTH2\n8BitMIME\nX-NEW 1");
        assert!(offers.pipelining && offers.eight_bit && !offers.starttls && !offers.dsn && !offers.smtputf8);
        assert_eq!(offers.size, Some(52_428_800));
        assert_eq!(offers.auth, ["PLAIN", "LOGIN", "XOAUTH2"]);
        assert_eq!(Offers::read("PIPELINING"), Offers::default(), "the first line is the server's name");
    }
}
