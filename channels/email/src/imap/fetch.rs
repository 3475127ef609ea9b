//! Reading mail: batches of whole ones with the next batch already asked for, large ones in parts.

use super::error::Error;
use super::session::{Listed, Session};
use super::uids;
use super::wire::{Ended, Tag};

/// How much of a mail that is too large is read, for a ticket that says so.
const HEAD: u32 = 256 << 10;

/// A mail as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// Larger than [`super::Limits::message_max`]: its beginning, headers included.
    TooLarge(Vec<u8>),
    /// The server lists it and will not hand it out, asked twice.
    Unreadable(String),
}

/// A batch that was asked for and not yet read.
#[derive(Debug)]
pub(super) struct Asked {
    tags: Vec<Tag>,
    pub(super) mails: Vec<Listed>,
}

impl Session {
    /// Asks for a batch without waiting, so that the server works while the batch before is being read or taken in.
    pub(super) async fn ask(&mut self, mails: Vec<Listed>) -> Result<Asked, Error> {
        let wanted: Vec<u32> = mails.iter().map(|mail| mail.uid).collect();
        let mut tags = Vec::new();
        for set in uids::sets(&wanted) {
            // Bounded even for mail that is said to be small: servers misjudge sizes.
            let command = format!("UID FETCH {set} (UID BODY.PEEK[]<0.{}>)", self.limits.whole);
            tags.push(self.wire.send(&command, "FETCH", self.limits.reply).await?);
        }
        self.wire.wanted.extend(wanted);
        Ok(Asked { tags, mails })
    }

    /// Reads a batch that was asked for: the mails in order, and those the server did not send.
    ///
    /// A NO is no error here: what did come is good, the rest is among the missing.
    pub(super) async fn collect(&mut self, asked: Asked) -> Result<(Vec<(Listed, Vec<u8>)>, Vec<Listed>), Error> {
        for tag in &asked.tags {
            self.wire.finish(tag, "FETCH", self.limits.reply, |_| {}).await?;
        }
        let (mut found, mut missing) = (Vec::with_capacity(asked.mails.len()), Vec::new());
        for mail in asked.mails {
            self.wire.wanted.remove(&mail.uid);
            match self.wire.arrived.remove(&mail.uid) {
                Some(text) => found.push((mail, text)),
                None => missing.push(mail),
            }
        }
        Ok((found, missing))
    }

    /// Whether the text of a mail that was asked for is here and not yet collected.
    pub(super) fn has_arrived(&self, uid: u32) -> bool {
        self.wire.arrived.contains_key(&uid)
    }

    /// Reads and throws away what was asked for.
    pub(super) async fn discard(&mut self, asked: Asked) -> Result<(), Error> {
        for mail in &asked.mails {
            self.wire.wanted.remove(&mail.uid);
            self.wire.arrived.remove(&mail.uid);
        }
        for tag in &asked.tags {
            self.wire.finish(tag, "FETCH", self.limits.reply, |_| {}).await?;
        }
        Ok(())
    }

    /// Reads one mail in parts, going on after `text`, which holds its beginning.
    ///
    /// `None` if the mail is gone, or the server would not give a part; ask whether it is still there.
    pub(super) async fn fetch_parts(&mut self, mail: &Listed, mut text: Vec<u8>) -> Result<Option<Body>, Error> {
        let max = self.limits.message_max as usize;
        if mail.size > self.limits.message_max {
            return Ok(self.part(mail.uid, 0, HEAD).await?.map(Body::TooLarge));
        }
        text.reserve_exact((mail.size as usize).saturating_sub(text.len()));
        loop {
            let offset = u32::try_from(text.len()).unwrap_or(u32::MAX);
            let Some(part) = self.part(mail.uid, offset, self.limits.part).await? else { return Ok(None) };
            let last = part.len() < self.limits.part as usize;
            text.extend_from_slice(&part);
            if text.len() > max {
                text.truncate(HEAD as usize);
                text.shrink_to_fit();
                return Ok(Some(Body::TooLarge(text)));
            }
            if last {
                return Ok(Some(Body::Whole(text)));
            }
        }
    }

    /// One part of one mail, and the server's reason in `Err` if it refuses.
    async fn part(&mut self, uid: u32, offset: u32, length: u32) -> Result<Option<Vec<u8>>, Error> {
        self.wire.wanted.insert(uid);
        let command = format!("UID FETCH {uid} (UID BODY.PEEK[]<{offset}.{length}>)");
        let tag = self.wire.send(&command, "FETCH", self.limits.reply).await?;
        let ended = self.wire.finish(&tag, "FETCH", self.limits.reply, |_| {}).await?;
        self.wire.wanted.remove(&uid);
        let part = self.wire.arrived.remove(&uid);
        Ok(part.filter(|_| ended == Ended::Ok))
    }
}
