//! Waiting for mail.

use std::time::Duration;

use async_imap::imap_proto::{MailboxDatum, Response};
use tokio::time::{Instant, timeout_at};

use super::error::Error;
use super::session::Session;
use super::wire::Ended;

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// The server announced something new.
    News,
    /// Nothing for as long as was asked; look anyway.
    TimeUp,
    /// The server will not wait with us: look from time to time instead.
    Unsupported,
}

impl Session {
    /// Waits in the open folder until mail is announced or `at_most` is over.
    ///
    /// Announcements since the last search count, so that none is lost between searching and waiting. A server that does
    /// not end the wait within its limit after DONE is held for dead.
    pub async fn idle(&mut self, at_most: Duration) -> Result<Woken, Error> {
        if !self.can("IDLE") {
            return Ok(Woken::Unsupported);
        }
        if self.wire.news {
            return Ok(Woken::News);
        }
        let during = "IDLE";
        let until = Instant::now() + at_most;
        let tag = self.wire.send(during, during, self.limits.reply).await?;
        loop {
            if self.wire.read(during, self.limits.done, |response| matches!(response, Response::Continue(_))).await? {
                break;
            }
            if let Some(Ended::Refused(_)) = self.wire.take_end(&tag) {
                self.capabilities.remove("IDLE");
                return Ok(Woken::Unsupported);
            }
        }
        // Mail that was announced before the `+` came has set `news` too.
        while !self.wire.news {
            let read = self.wire.read(during, at_most.saturating_mul(2), |response| {
                matches!(response, Response::MailboxData(MailboxDatum::Recent(1..)))
            });
            let Ok(recent) = timeout_at(until, read).await else { break };
            self.wire.news |= recent?;
            if self.wire.take_end(&tag).is_some() {
                // The server ended the wait by itself.
                return Ok(if self.wire.news { Woken::News } else { Woken::TimeUp });
            }
        }
        self.wire.send_line("DONE", during, self.limits.done).await?;
        self.wire.finish(&tag, during, self.limits.done, |_| {}).await?;
        Ok(if self.wire.news { Woken::News } else { Woken::TimeUp })
    }
}
