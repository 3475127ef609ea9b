//! A mailbox that is open: looking into it, and the commands that change it.

use std::time::Duration;

use async_imap::imap_proto::{AttributeValue, MailboxDatum, Response, ResponseCode, Status};
use guichet_domain::time::Moment;
use tokio_util::sync::CancellationToken;

use super::error::Error;
use super::guard::Guard;
use super::login::{self, Capabilities};
use super::wire::{Ended, Wire};
use super::{folder, moment, uids};
use crate::credentials::Credentials;
use crate::net::{self, Endpoint, Security, Stream};
use crate::tls::{self, Refusal};

/// Time limits and bounds of one session. The defaults suit any server; tests shorten them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Name look-up and TCP connection together.
    pub connect: Duration,
    /// Silence during TLS, greeting and login. Servers slow logins down after failed ones, so not under 30 s.
    pub login: Duration,
    /// Silence during commands that servers answer at once.
    pub reply: Duration,
    /// Silence during commands that may take a server long: opening, searching, moving.
    pub slow_reply: Duration,
    /// The longest one IDLE lasts; also how often the folder is searched, whatever IDLE says.
    pub poll: Duration,
    /// How often the folder is searched where the server knows no IDLE.
    pub poll_without_idle: Duration,
    /// Silence after DONE before the connection is held for dead.
    pub done: Duration,
    /// Mails in one batch at most.
    pub batch_messages: usize,
    /// Bytes of mail in one batch at most, unless a single mail is larger.
    pub batch_bytes: u64,
    /// Larger mail than this is fetched alone, in parts of `part` bytes.
    pub whole: u32,
    /// Bytes asked for at once of a large mail.
    pub part: u32,
    /// Larger mail than this is not read to its end; see [`super::fetch::Body::TooLarge`].
    pub message_max: u32,
    /// Mails one search may find at most, roughly; larger folders are searched piece by piece.
    pub search_at_once: u32,
    /// The longest line a server may send.
    pub line_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            login: Duration::from_secs(45),
            reply: Duration::from_mins(1),
            slow_reply: Duration::from_mins(3),
            poll: Duration::from_mins(1),
            poll_without_idle: Duration::from_secs(20),
            done: Duration::from_secs(15),
            batch_messages: 128,
            batch_bytes: 4 << 20,
            whole: 2 << 20,
            part: 1 << 20,
            message_max: 50 << 20,
            search_at_once: 20_000,
            line_max: 4 << 20,
        }
    }
}

/// What SELECT told about a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    /// Changes when the server can no longer vouch for its UIDs.
    pub uidvalidity: u32,
    /// The UID the next mail will get; some old servers do not say.
    pub uidnext: Option<u32>,
    /// How many mails there are.
    pub exists: u32,
    /// Nothing can be moved or marked.
    pub read_only: bool,
    /// The server keeps keywords of our own making.
    pub keywords: bool,
}

/// What is known of a mail before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its UID.
    pub uid: u32,
    /// Bytes, as the server counts them; some count wrongly.
    pub size: u32,
    /// When the server got it (INTERNALDATE); the earliest moment if the server does not say.
    pub received: Moment,
}

/// A logged-in connection. After any error, or when a call was cancelled, drop it and open another.
#[derive(Debug)]
pub struct Session {
    pub(super) wire: Wire,
    pub(super) limits: Limits,
    pub(super) capabilities: Capabilities,
}

impl Session {
    /// Connects, secures the connection and logs in.
    ///
    /// `stop` ends any later wait with [`Error::Stopped`]. Every step has its limit; nothing secret is sent before the
    /// connection is as secure as `endpoint` asks.
    pub async fn open(
        endpoint: &Endpoint,
        credentials: &Credentials,
        limits: &Limits,
        stop: &CancellationToken,
    ) -> Result<Self, Error> {
        let opening = Self::open_unstoppable(endpoint, credentials, limits, stop);
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(Error::Stopped),
            session = opening => session,
        }
    }

    async fn open_unstoppable(
        endpoint: &Endpoint,
        credentials: &Credentials,
        limits: &Limits,
        stop: &CancellationToken,
    ) -> Result<Self, Error> {
        let place = endpoint.place();
        let failed = |source| Error::Connect { place: place.clone(), source };
        let socket = net::connect(&endpoint.host, endpoint.port, limits.connect).await.map_err(failed)?;
        let here = socket.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
        if endpoint.security == Security::Plain && !here && !endpoint.plain_anywhere {
            return Err(Error::Unprotected { place });
        }
        let stream = match endpoint.security {
            Security::Tls => secure(socket, endpoint, limits).await?,
            Security::StartTls | Security::Plain => Stream::Plain(socket),
        };
        let mut wire = wire(stream, &place, limits, stop);
        let mut known = login::greeting(&mut wire, limits).await?;
        if endpoint.security == Security::StartTls {
            // A PREAUTH before TLS would keep us from asking for TLS at all: whoever sends it is not trusted.
            if known {
                return Err(Error::NoStartTls { place });
            }
            wire = starttls(wire, endpoint, limits, stop).await?;
            known = false;
        }
        let offered = login::capabilities(&mut wire, limits).await?;
        let mut capabilities =
            if known { offered } else { login::login(&mut wire, endpoint, credentials, &offered, limits).await? };
        if capabilities.is_empty() {
            capabilities = login::capabilities(&mut wire, limits).await?;
        }
        Ok(Self { wire, limits: limits.clone(), capabilities })
    }

    /// Whether the server lists `capability` (in capitals).
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// `host:port`, for messages to the operator.
    pub fn place(&self) -> &str {
        self.wire.place()
    }

    /// Opens a folder for reading and changing.
    ///
    /// A folder that does not exist is [`Error::FolderMissing`]; one opened without UIDVALIDITY is refused, since that is
    /// what a half-dead server answers.
    pub async fn select(&mut self, folder: &str) -> Result<Selected, Error> {
        self.look_into("SELECT", folder).await
    }

    /// Like [`Session::select`], for looking only.
    pub async fn examine(&mut self, folder: &str) -> Result<Selected, Error> {
        self.look_into("EXAMINE", folder).await
    }

    async fn look_into(&mut self, during: &'static str, folder: &str) -> Result<Selected, Error> {
        let mut seen = Seen::default();
        let command = format!("{during} {}", folder::argument(folder)?);
        let tag = self.wire.send(&command, during, self.limits.reply).await?;
        let ended = self.wire.finish(&tag, during, self.limits.slow_reply, |response| seen.take(response)).await?;
        self.wire.news = false;
        if let Ended::Refused(reason) = ended {
            let place = self.place().to_owned();
            return Err(if reason.contains("[NONEXISTENT]") || !self.exists(folder).await? {
                Error::FolderMissing { place, folder: folder.to_owned(), reason }
            } else {
                self.wire.refused(during, reason)
            });
        }
        let missing = || Error::NoUidValidity { place: self.place().to_owned(), folder: folder.to_owned() };
        Ok(Selected {
            uidvalidity: seen.uidvalidity.filter(|&validity| validity > 0).ok_or_else(missing)?,
            uidnext: seen.uidnext,
            exists: seen.exists,
            read_only: seen.read_only,
            keywords: seen.keywords,
        })
    }

    /// The UIDs above `last`, ascending. The answer is complete: a refusal or a lost connection is an error.
    pub async fn search_after(&mut self, last: u32) -> Result<Vec<u32>, Error> {
        let Some(first) = last.checked_add(1) else { return Ok(Vec::new()) };
        // Cleared before the server looks: mail that comes while it answers is announced and makes us ask again.
        self.wire.news = false;
        self.search_range(first, None, "").await
    }

    /// Which of `uids` (ascending) are still there.
    pub async fn search_among(&mut self, uids: &[u32]) -> Result<Vec<u32>, Error> {
        let mut found = Vec::new();
        for set in uids::sets(uids) {
            found.extend(self.search(&format!("UID {set}")).await?);
        }
        found.retain(|uid| uids.binary_search(uid).is_ok());
        Ok(found)
    }

    /// The UIDs up to `last` whose INTERNALDATE may be `since` or later, ascending; up to two days too many.
    pub async fn search_since(&mut self, since: Moment, last: u32) -> Result<Vec<u32>, Error> {
        self.search_range(1, Some(last), &date(since)).await
    }

    /// Like [`Session::search_since`], without what is marked as deleted.
    pub(super) async fn search_left(&mut self, since: Moment, last: u32) -> Result<Vec<u32>, Error> {
        self.search_range(1, Some(last), &format!(" UNDELETED{}", date(since))).await
    }

    /// The UIDs of mails with this exact Message-ID; finds our own sent mail in a journal folder.
    pub async fn search_message_id(&mut self, id: &str) -> Result<Vec<u32>, Error> {
        let id: String = id.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\')).collect();
        self.search(&format!("HEADER Message-ID \"{id}\"")).await
    }

    /// UID, size and date of each of `uids` (ascending), ascending, as far as the server tells: a refusal because of one
    /// mail it cannot open leaves out that one and what comes after it.
    pub async fn sizes(&mut self, uids: &[u32]) -> Result<Vec<Listed>, Error> {
        let mut listed: Vec<Listed> = Vec::with_capacity(uids.len());
        for set in uids::sets(uids) {
            let command = format!("UID FETCH {set} (UID RFC822.SIZE INTERNALDATE)");
            let each = |response: &Response<'_>| listed.extend(entry(response));
            let tag = self.wire.send(&command, "FETCH of sizes", self.limits.reply).await?;
            self.wire.finish(&tag, "FETCH of sizes", self.limits.slow_reply, each).await?;
        }
        listed.retain(|entry| uids.binary_search(&entry.uid).is_ok());
        listed.sort_unstable_by_key(|entry| entry.uid);
        listed.dedup_by_key(|entry| entry.uid);
        Ok(listed)
    }

    /// Whether the folder exists.
    pub async fn exists(&mut self, folder: &str) -> Result<bool, Error> {
        let mut found = false;
        let command = format!("LIST \"\" {}", folder::argument(folder)?);
        let each = |response: &Response<'_>| {
            found |= matches!(response, Response::MailboxData(MailboxDatum::List(_)));
        };
        self.wire.run(&command, "LIST", self.limits.reply, each).await?;
        Ok(found)
    }

    /// Makes the folder unless it is there. [`Error::FolderMissing`] if the server will not.
    pub async fn ensure_folder(&mut self, folder: &str) -> Result<(), Error> {
        if self.exists(folder).await? {
            return Ok(());
        }
        let command = format!("CREATE {}", folder::argument(folder)?);
        let tag = self.wire.send(&command, "CREATE", self.limits.reply).await?;
        match self.wire.finish(&tag, "CREATE", self.limits.reply, |_| {}).await? {
            Ended::Ok => Ok(()),
            Ended::Refused(reason) if reason.contains("[ALREADYEXISTS]") => Ok(()),
            Ended::Refused(reason) => {
                let place = self.place().to_owned();
                Err(Error::FolderMissing { place, folder: folder.to_owned(), reason })
            }
        }
    }

    /// Asks for nothing and waits for the answer: an error if the connection is dead.
    pub async fn noop(&mut self) -> Result<(), Error> {
        self.wire.run("NOOP", "NOOP", self.limits.reply, |_| {}).await
    }

    /// Whether the server announced new mail since the last [`Session::search_after`].
    pub const fn news(&self) -> bool {
        self.wire.news
    }

    /// Says goodbye; what the server answers does not matter any more, nor whether it does.
    pub async fn logout(mut self) {
        let parting = async {
            let tag = self.wire.send("LOGOUT", "LOGOUT", self.limits.done).await?;
            self.wire.finish(&tag, "LOGOUT", self.limits.done, |_| {}).await
        };
        // Either end is fine: the BYE, or no answer.
        drop(tokio::time::timeout(Duration::from_secs(1), parting).await);
    }

    /// Searches `first` to `last`, or to the end. In a huge folder piece by piece: a single answer would be one line of
    /// megabytes, which the parser reads again from its start with every packet.
    pub(super) async fn search_range(
        &mut self,
        first: u32,
        last: Option<u32>,
        criteria: &str,
    ) -> Result<Vec<u32>, Error> {
        if last.is_some_and(|last| last < first) {
            return Ok(Vec::new());
        }
        let mut width = self.limits.search_at_once;
        let last = match last {
            last if self.wire.exists <= width => {
                let end = last.map_or_else(|| "*".to_owned(), |last| last.to_string());
                let mut found = self.search(&format!("UID {first}:{end}{criteria}")).await?;
                // `n:*` always holds the highest UID, even if that is below n.
                found.retain(|&uid| uid >= first && last.is_none_or(|last| uid <= last));
                return Ok(found);
            }
            Some(last) => last,
            None => self.search("UID *").await?.last().copied().unwrap_or(0),
        };
        let mut found = Vec::new();
        let mut from = first;
        while from <= last {
            let to = from.saturating_add(width - 1).min(last);
            let piece = self.search(&format!("UID {from}:{to}{criteria}")).await?;
            if piece.len() < (width / 4) as usize {
                width = width.saturating_mul(2);
            }
            found.extend(piece);
            let Some(next) = to.checked_add(1) else { break };
            from = next;
        }
        Ok(found)
    }

    async fn search(&mut self, criteria: &str) -> Result<Vec<u32>, Error> {
        let mut found = Vec::new();
        let command = format!("UID SEARCH {criteria}");
        let each = |response: &Response<'_>| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                found.extend_from_slice(uids);
            }
        };
        self.wire.run(&command, "SEARCH", self.limits.slow_reply, each).await?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

fn date(since: Moment) -> String {
    if since > Moment::EARLIEST { format!(" SINCE {}", moment::search_date(since)) } else { String::new() }
}

#[derive(Default)]
struct Seen {
    uidvalidity: Option<u32>,
    uidnext: Option<u32>,
    exists: u32,
    read_only: bool,
    keywords: bool,
}

impl Seen {
    fn take(&mut self, response: &Response<'_>) {
        let code = match response {
            Response::MailboxData(MailboxDatum::Exists(count)) => {
                self.exists = *count;
                return;
            }
            Response::Data { status: Status::Ok, outcome } | Response::Done { outcome, .. } => outcome.code.as_ref(),
            _ => return,
        };
        match code {
            Some(ResponseCode::UidValidity(validity)) => self.uidvalidity = Some(*validity),
            Some(ResponseCode::UidNext(next)) => self.uidnext = Some(*next),
            Some(ResponseCode::ReadOnly) => self.read_only = true,
            Some(ResponseCode::PermanentFlags(flags)) => self.keywords = flags.iter().any(|flag| flag == "\\*"),
            _ => {}
        }
    }
}

fn entry(response: &Response<'_>) -> Option<Listed> {
    let Response::Fetch(_, attributes) = response else { return None };
    let (mut uid, mut size, mut received) = (None, None, Moment::EARLIEST);
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(value) => uid = Some(*value),
            AttributeValue::Rfc822Size(value) => size = Some(*value),
            AttributeValue::InternalDate(text) => received = moment::internal_date(text).unwrap_or(received),
            _ => {}
        }
    }
    Some(Listed { uid: uid?, size: size?, received })
}

fn wire(stream: Stream, place: &str, limits: &Limits, stop: &CancellationToken) -> Wire {
    // Twice what is asked for at once: some servers round up, none needs more.
    let literal_max = 2 * limits.whole.max(limits.part) as usize;
    let arrived_max = usize::try_from(limits.batch_bytes.saturating_mul(4)).unwrap_or(usize::MAX).max(literal_max);
    Wire::new(Guard::new(stream, literal_max, limits.line_max), place.to_owned(), arrived_max, stop.clone())
}

async fn secure(socket: tokio::net::TcpStream, endpoint: &Endpoint, limits: &Limits) -> Result<Stream, Error> {
    let place = endpoint.place();
    net::secure(socket, &endpoint.host, &endpoint.tls, limits.login).await.map_err(|source| {
        match tls::refusal(&source) {
            Some(Refusal::Certificate(reason)) => Error::Certificate { place, reason },
            Some(Refusal::NotTls) => Error::NotTls { place },
            None => Error::Connect { place, source },
        }
    })
}

async fn starttls(
    mut wire: Wire,
    endpoint: &Endpoint,
    limits: &Limits,
    stop: &CancellationToken,
) -> Result<Wire, Error> {
    let place = endpoint.place();
    let offered = login::capabilities(&mut wire, limits).await?;
    if !offered.contains("STARTTLS") {
        return Err(Error::NoStartTls { place });
    }
    wire.run("STARTTLS", "STARTTLS", limits.login, |_| {}).await?;
    // Whatever was read ahead is thrown away with the old parser: it came unprotected.
    match wire.into_guard().into_stream() {
        Some(Stream::Plain(socket)) => {
            let stream = secure(socket, endpoint, limits).await?;
            Ok(self::wire(stream, &place, limits, stop))
        }
        _ => Err(Error::NoStartTls { place }),
    }
}
