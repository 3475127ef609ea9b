//! Between the socket and the parser: counts what arrives, and ends the connection before a server makes us store more
//! than any answer needs.
//!
//! The parser below believes `{500000000}` and allocates for it before the bytes come. Here the announcement alone is
//! enough to stop. Also buffers both directions, so that a command is one TLS record and one packet.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, BufReader, BufWriter, ReadBuf};

use crate::net::Stream;

const READ: usize = 64 << 10;
const WRITE: usize = 8 << 10;

/// A buffered connection with bounds on literals and lines.
pub(super) struct Guard {
    inner: BufReader<BufWriter<Stream>>,
    scan: Scan,
    received: u64,
}

impl Guard {
    pub(super) fn new(stream: Stream, literal_max: usize, line_max: usize) -> Self {
        Self {
            inner: BufReader::with_capacity(READ, BufWriter::with_capacity(WRITE, stream)),
            scan: Scan::new(literal_max, line_max),
            received: 0,
        }
    }

    /// How many bytes came so far: a server that sends slowly is told from one that is silent.
    pub(super) const fn received(&self) -> u64 {
        self.received
    }

    /// The bare connection, for STARTTLS; `None` if bytes were already buffered, which nobody honest sends there.
    pub(super) fn into_stream(self) -> Option<Stream> {
        if self.inner.buffer().is_empty() { Some(self.inner.into_inner().into_inner()) } else { None }
    }
}

impl AsyncRead for Guard {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = polled {
            let fresh = buf.filled().get(before..).unwrap_or_default();
            this.received = this.received.saturating_add(fresh.len() as u64);
            this.scan.feed(fresh)?;
        }
        polled
    }
}

impl AsyncWrite for Guard {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard({} bytes received)", self.received)
    }
}

/// Follows lines and literals just closely enough to know which is which.
struct Scan {
    literal_max: usize,
    line_max: usize,
    /// Bytes of the current literal still to come.
    skip: usize,
    line: usize,
    /// The number being read after `{`, if we are in one; `closed` once its `}` came.
    number: Option<usize>,
    closed: bool,
}

impl Scan {
    const fn new(literal_max: usize, line_max: usize) -> Self {
        Self { literal_max, line_max, skip: 0, line: 0, number: None, closed: false }
    }

    fn feed(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let jump = self.skip.min(rest.len());
            self.skip -= jump;
            rest = rest.get(jump..).unwrap_or_default();
            let text = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |end| end + 1);
            let (line, after) = rest.split_at(text);
            rest = after;
            self.text(line)?;
        }
        Ok(())
    }

    /// Part of a line, up to its end at most. Only a number in braces right before the line end is a literal.
    fn text(&mut self, part: &[u8]) -> io::Result<()> {
        self.line += part.len();
        if self.line > self.line_max {
            return Err(io::Error::other(format!("a line of more than {} bytes", self.line_max)));
        }
        let ended = part.last() == Some(&b'\n');
        for &byte in part {
            match byte {
                b'{' => (self.number, self.closed) = (Some(0), false),
                b'0'..=b'9' if !self.closed => {
                    let digit = usize::from(byte - b'0');
                    self.number = self.number.map(|number| number.saturating_mul(10).saturating_add(digit));
                }
                b'\r' | b'\n' => {}
                b'}' if self.number.is_some() => self.closed = true,
                _ => (self.number, self.closed) = (None, false),
            }
        }
        if ended {
            self.line = 0;
            if let (Some(length), true) = (self.number.take(), self.closed) {
                if length > self.literal_max {
                    return Err(io::Error::other(format!(
                        "an announcement of {length} bytes, more than the {} asked for at most",
                        self.literal_max
                    )));
                }
                self.skip = length;
            }
            self.closed = false;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(parts: &[&str]) -> Result<usize, String> {
        let mut scan = Scan::new(1_000, 100);
        for part in parts {
            scan.feed(part.as_bytes()).map_err(|error| error.to_string())?;
        }
        Ok(scan.skip)
    }

    #[test]
    fn a_huge_announcement_is_refused_before_its_bytes_come() {
        let error = scan(&["* 1 FETCH (BODY[] {500000000}\r\n"]).unwrap_err();
        assert!(error.contains("500000000"), "{error}");
        assert!(scan(&["* 1 FETCH (BODY[] {99999999999999999999999999}\r\n"]).is_err());
    }

    #[test]
    fn a_huge_announcement_is_seen_however_it_is_cut() {
        let text = "* 1 FETCH (BODY[] {500000000}\r\n";
        for cut in 1..text.len() {
            let (a, b) = text.split_at(cut);
            assert!(scan(&[a, b]).is_err(), "cut at {cut}");
        }
        let bytes: Vec<String> = text.chars().map(String::from).collect();
        assert!(scan(&bytes.iter().map(String::as_str).collect::<Vec<_>>()).is_err());
    }

    #[test]
    fn what_a_literal_holds_is_not_read_as_announcement() {
        assert_eq!(scan(&["* 1 FETCH (BODY[] {13}\r\n{900000000}\r\n", ")\r\n"]), Ok(0));
        assert_eq!(scan(&["* 1 FETCH (BODY[] {500}\r\nabc"]), Ok(497));
    }

    #[test]
    fn braces_in_the_middle_of_a_line_are_only_text() {
        assert_eq!(scan(&["* OK {900000000} is a number\r\n"]), Ok(0));
        assert_eq!(scan(&["* OK {900000000}", " and more words follow here\r\n"]), Ok(0));
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let error = scan(&["* OK ", &"x".repeat(120)]).unwrap_err();
        assert!(error.contains("more than 100 bytes"), "{error}");
    }
}
