//! One command at a time, and how it truly ended.
//!
//! Commands are written here, whole and in one piece, and not by async-imap (four writes each, and its trace log shows
//! passwords). Each answer is read under a limit and until the *tagged* line, so that NO, BAD, BYE and a closed connection
//! are errors, never a short success. After an error or a cancelled call the session is in an unknown place: drop it.

use std::collections::{HashMap, HashSet};
use std::io;
use std::time::Duration;

use async_imap::imap_proto::{AttributeValue, MailboxDatum, Outcome, Response, ResponseCode, Status};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::error::{Error, said};
use super::guard::Guard;

/// Names a command that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Tag(String);

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    Ok,
    /// NO or BAD, with the server's words.
    Refused(String),
}

/// A connection on which commands can be sent and their ends awaited.
#[derive(Debug)]
pub(super) struct Wire {
    client: async_imap::Client<Guard>,
    place: String,
    stop: CancellationToken,
    sent: u64,
    /// Commands that ended while another one was awaited.
    ended: HashMap<Tag, Ended>,
    /// UIDs whose text was asked for; text of any other mail is not kept.
    pub(super) wanted: HashSet<u32>,
    /// Text that came, by UID.
    pub(super) arrived: HashMap<u32, Vec<u8>>,
    /// How much text may be here at once: several times what is ever asked for.
    arrived_max: usize,
    /// Mails in the open folder.
    pub(super) exists: u32,
    /// An EXISTS came since this was last cleared: there may be new mail.
    pub(super) news: bool,
}

impl Wire {
    pub(super) fn new(guard: Guard, place: String, arrived_max: usize, stop: CancellationToken) -> Self {
        Self {
            client: async_imap::Client::new(guard),
            place,
            stop,
            sent: 0,
            ended: HashMap::new(),
            wanted: HashSet::new(),
            arrived: HashMap::new(),
            arrived_max,
            exists: 0,
            news: false,
        }
    }

    pub(super) fn into_guard(self) -> Guard {
        self.client.into_inner()
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Sends a command; its end is awaited by [`Wire::finish`], possibly after others were sent.
    pub(super) async fn send(&mut self, command: &str, during: &'static str, limit: Duration) -> Result<Tag, Error> {
        self.sent += 1;
        let tag = Tag(format!("g{}", self.sent));
        self.write(&format!("{} {command}\r\n", tag.0), during, limit).await?;
        Ok(tag)
    }

    /// Sends a line that is no command of its own: an answer to a challenge, DONE.
    pub(super) async fn send_line(&mut self, line: &str, during: &'static str, limit: Duration) -> Result<(), Error> {
        self.write(&format!("{line}\r\n"), during, limit).await
    }

    /// Reads until `tag` ended. `each` sees every response on the way, the tagged one included.
    ///
    /// `silence` limits the time without a single byte, not the whole answer: a large mail on a slow line is no fault.
    pub(super) async fn finish(
        &mut self,
        tag: &Tag,
        during: &'static str,
        silence: Duration,
        mut each: impl FnMut(&Response<'_>) + Send,
    ) -> Result<Ended, Error> {
        loop {
            if let Some(ended) = self.ended.remove(tag) {
                return Ok(ended);
            }
            self.read(during, silence, &mut each).await?;
        }
    }

    /// Sends a command and reads until it ended well; NO and BAD are errors.
    pub(super) async fn run(
        &mut self,
        command: &str,
        during: &'static str,
        silence: Duration,
        each: impl FnMut(&Response<'_>) + Send,
    ) -> Result<(), Error> {
        let tag = self.send(command, during, silence).await?;
        match self.finish(&tag, during, silence, each).await? {
            Ended::Ok => Ok(()),
            Ended::Refused(reason) => Err(self.refused(during, reason)),
        }
    }

    /// The end of `tag`, if it already came.
    pub(super) fn take_end(&mut self, tag: &Tag) -> Option<Ended> {
        self.ended.remove(tag)
    }

    /// Reads one response and returns what `see` makes of it. Cancelling loses nothing that was not yet read whole.
    pub(super) async fn read<R: Send>(
        &mut self,
        during: &'static str,
        silence: Duration,
        see: impl FnOnce(&Response<'_>) -> R + Send,
    ) -> Result<R, Error> {
        loop {
            let before = self.client.get_ref().received();
            let waited = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(Error::Stopped),
                waited = timeout(silence, self.client.read_response()) => waited,
            };
            let response = match waited {
                Ok(Ok(Some(response))) => response,
                Ok(Ok(None)) => return Err(self.closed(during, String::new())),
                Ok(Err(source)) => return Err(self.broken(during, source)),
                Err(_) if self.client.get_ref().received() > before => continue,
                Err(_) => return Err(Error::Silent { place: self.place.clone(), during, after: silence }),
            };
            self.notice(response.parsed(), during)?;
            return Ok(see(response.parsed()));
        }
    }

    pub(super) fn refused(&self, during: &'static str, reason: String) -> Error {
        Error::Refused { place: self.place.clone(), during, reason }
    }

    async fn write(&mut self, line: &str, during: &'static str, limit: Duration) -> Result<(), Error> {
        let stop = self.stop.clone();
        let stream = self.client.get_mut();
        let write = async {
            stream.write_all(line.as_bytes()).await?;
            stream.flush().await
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(Error::Stopped),
            written = timeout(limit, write) => match written {
                Ok(Ok(())) => Ok(()),
                Ok(Err(source)) => Err(self.broken(during, source)),
                Err(_) => Err(Error::Silent { place: self.place.clone(), during, after: limit }),
            },
        }
    }

    /// What must be seen wherever it comes: the end of any command, BYE, new mail, text that was asked for.
    fn notice(&mut self, response: &Response<'_>, during: &'static str) -> Result<(), Error> {
        match response {
            Response::Done { tag, status, outcome } => {
                let ended = match status {
                    Status::Ok => Ended::Ok,
                    _ => Ended::Refused(words(outcome)),
                };
                self.ended.insert(Tag(tag.0.clone()), ended);
            }
            Response::Data { status: Status::Bye, outcome } => {
                return Err(self.closed(during, format!(" (\"{}\")", words(outcome))));
            }
            Response::MailboxData(MailboxDatum::Exists(count)) => (self.exists, self.news) = (*count, true),
            Response::Expunge(_) => self.exists = self.exists.saturating_sub(1),
            Response::Fetch(_, attributes) => self.keep(attributes, during)?,
            _ => {}
        }
        Ok(())
    }

    fn keep(&mut self, attributes: &[AttributeValue<'_>], during: &'static str) -> Result<(), Error> {
        let uid = attributes.iter().find_map(|attribute| match attribute {
            AttributeValue::Uid(uid) => Some(*uid),
            _ => None,
        });
        let text = attributes.iter().find_map(|attribute| match attribute {
            AttributeValue::BodySection { section: None, data: Some(data), .. } => Some(data),
            _ => None,
        });
        // Flags that another client changed are pushed as FETCH too, without text.
        let (Some(uid), Some(text)) = (uid, text) else { return Ok(()) };
        if self.wanted.contains(&uid) {
            let here: usize = self.arrived.values().map(Vec::len).sum();
            if here + text.len() > self.arrived_max {
                return Err(self.broken(during, io::Error::other("much more mail than its sizes announced")));
            }
            self.arrived.insert(uid, text.to_vec());
        }
        Ok(())
    }

    fn closed(&self, during: &'static str, said: String) -> Error {
        Error::Closed { place: self.place.clone(), during, said }
    }

    /// The parser puts the bytes it did not understand into its error: they may be mail, so they stay out of ours.
    fn broken(&self, during: &'static str, source: io::Error) -> Error {
        let source = match source.to_string() {
            text if text.contains("during parsing of") => io::Error::new(source.kind(), "bytes that are no IMAP"),
            _ => source,
        };
        Error::Broken { place: self.place.clone(), during, source }
    }
}

/// A response's text for the operator, with the codes the parser has split off put back.
pub(super) fn words(outcome: &Outcome<'_>) -> String {
    let code = match &outcome.code {
        Some(ResponseCode::TryCreate) => "[TRYCREATE] ",
        Some(ResponseCode::Alert) => "[ALERT] ",
        _ => "",
    };
    said(&format!("{code}{}", outcome.information.as_deref().unwrap_or_default()))
}
