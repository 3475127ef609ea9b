//! Counting what lies in folders, without changing anything: the mail side of `guichet reconcile`.

use async_imap::imap_proto::{AttributeValue, MessageSection, Response, SectionPath};

use super::error::Error;
use super::fetch::Body;
use super::position::Position;
use super::receive::DONE;
use super::session::Session;
use super::uids;

/// How many mails' headers one command asks for.
const HEADERS_AT_ONCE: usize = 200;

/// What the folder holds that mail is received from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Watched {
    /// At or below the position, and not left aside: each was accepted under the name its position gives it.
    pub due: Vec<u32>,
    /// Will be read.
    pub ahead: u64,
    /// History the first look left aside.
    pub aside: u64,
}

/// What a folder holds that mail is moved to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filed {
    /// Bears our mark: we moved it, so it was accepted.
    pub marked: Vec<u32>,
    /// Put there by others, or by a server that keeps no marks.
    pub others: u64,
}

impl Session {
    /// Counts the folder that is watched; `position` is what is stored of it.
    pub async fn count_watched(&mut self, folder: &str, position: Option<Position>) -> Result<Watched, Error> {
        let selected = self.examine(folder).await?;
        // Without a position, or with one the server no longer vouches for, everything is yet to be read.
        let Some(position) = position.filter(|position| position.continued_by(&selected)) else {
            return Ok(Watched { ahead: u64::from(selected.exists), ..Watched::default() });
        };
        let all = self.search_range(1, None, "").await?;
        let old: Vec<u32> = all.iter().copied().filter(|&uid| position.by_date(uid)).collect();
        let young = match old.last() {
            Some(&last) if !position.took_no_history() => self.search_since(position.since, last).await?,
            _ => Vec::new(),
        };
        let young = self.sizes(&young).await?;
        let taken = |uid: u32| match young.binary_search_by_key(&uid, |mail| mail.uid) {
            Ok(at) => young.get(at).is_some_and(|mail| position.takes(mail)),
            Err(_) => !position.by_date(uid),
        };
        let mut watched = Watched::default();
        for uid in all {
            match (taken(uid), uid <= position.last_uid) {
                (false, _) => watched.aside += 1,
                (true, false) => watched.ahead += 1,
                (true, true) => watched.due.push(uid),
            }
        }
        Ok(watched)
    }

    /// Counts a folder that accepted mail is moved to, and leaves it open; nothing lies in one that does not exist.
    pub async fn count_filed(&mut self, folder: &str) -> Result<Filed, Error> {
        if !self.exists(folder).await? {
            return Ok(Filed::default());
        }
        let selected = self.examine(folder).await?;
        let marked = self.search_range(1, None, &format!(" KEYWORD {DONE}")).await?;
        let others = u64::from(selected.exists).saturating_sub(marked.len() as u64);
        Ok(Filed { marked, others })
    }

    /// The headers of `uids` (ascending) in the open folder, as far as the server gives them, in pieces.
    pub async fn headers(&mut self, uids: &[u32], mut each: impl FnMut(u32, &[u8]) + Send) -> Result<(), Error> {
        for set in uids.chunks(HEADERS_AT_ONCE).flat_map(uids::sets) {
            let command = format!("UID FETCH {set} (UID BODY.PEEK[HEADER])");
            let tag = self.wire.send(&command, "FETCH of headers", self.limits.reply).await?;
            let see = |response: &Response<'_>| {
                if let Some((uid, header)) = header_in(response) {
                    each(uid, header);
                }
            };
            self.wire.finish(&tag, "FETCH of headers", self.limits.slow_reply, see).await?;
        }
        Ok(())
    }

    /// One whole mail of the open folder; `None` if it is gone, too large, or the server will not hand it out.
    pub async fn whole(&mut self, uid: u32) -> Result<Option<Vec<u8>>, Error> {
        let Some(mail) = self.sizes(&[uid]).await?.pop() else { return Ok(None) };
        match self.fetch_parts(&mail, Vec::new()).await? {
            Some(Body::Whole(raw)) => Ok(Some(raw)),
            _ => Ok(None),
        }
    }
}

fn header_in<'r>(response: &'r Response<'_>) -> Option<(u32, &'r [u8])> {
    let Response::Fetch(_, attributes) = response else { return None };
    let (mut uid, mut header) = (None, None);
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(value) => uid = Some(*value),
            AttributeValue::BodySection {
                section: Some(SectionPath::Full(MessageSection::Header)),
                data: Some(data),
                ..
            } => header = Some(data.as_ref()),
            _ => {}
        }
    }
    Some((uid?, header?))
}
