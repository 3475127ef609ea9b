//! Where mail goes: what the receiving loop needs of the other side.

use std::future::Future;
use std::time::Duration;

use guichet_domain::time::Moment;

pub use super::fetch::Body;
use super::position::Position;

/// One mail, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its name for good: folder, UIDVALIDITY and UID. The same mail read again has the same name.
    pub name: String,
    /// Its UID.
    pub uid: u32,
    /// Bytes; where not all of them are here, as the server counts them.
    pub size: u32,
    /// When the server got it; the earliest moment if the server does not say.
    pub received: Moment,
    /// It lay there before the folder was looked at for the first time.
    pub history: bool,
    /// Its bytes, or why they are not all here.
    pub body: Body,
}

/// Mails in the order of their UIDs, with the position that holds once they are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The folder they lie in.
    pub folder: String,
    /// Possibly none: then only the position and the counts are news.
    pub mails: Vec<Fetched>,
    /// To be stored in the same transaction as the mails.
    pub position: Position,
    /// History that was left aside between the last position and this one.
    pub skipped: u64,
    /// Mail that somebody else removed before it could be read.
    pub gone: u64,
}

/// What became of an accepted mail, and so where it is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// To the folder for processed mail.
    Processed,
    /// To the folder for mail that could not be understood.
    Failed,
    /// Nowhere.
    Keep,
}

/// Why a batch was not accepted. Nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Not now. The mail stays on the server and is read again after this time.
    Busy {
        /// How long to wait.
        after: Duration,
        /// What is in the way.
        why: String,
    },
    /// Not like this. The session ends with this reason.
    Refused {
        /// What is wrong.
        why: String,
    },
}

/// How receiving goes, for the health page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Logged in, the folder is open and holds this many mails.
    Opened {
        /// Mails in the folder.
        exists: u32,
    },
    /// Everything that was there is taken in; waiting for more.
    Waiting,
    /// Intake is busy: mail stays on the server for a while.
    Busy {
        /// What is in the way.
        why: String,
    },
    /// Mail was accepted and could not be moved or marked. It is tried again with the next pass.
    NotFiled {
        /// What, where and why.
        why: String,
    },
    /// The server started its UIDs anew: the folder is read again.
    NewEpoch,
}

/// Takes mail in.
pub trait Sink: Send + Sync {
    /// A batch that is understood and not yet accepted.
    type Ready: Send;

    /// The position stored for `folder`; `None` if it was never looked at. The error is the store's words.
    fn position(&self, folder: &str) -> impl Future<Output = Result<Option<Position>, String>> + Send;

    /// Does with a batch what touches nothing outside: reads what its mails say. Runs while the batch before is being
    /// accepted and the one behind is being read; what it gives may be dropped, the mails are then read again.
    fn understand(&self, batch: Batch) -> impl Future<Output = Self::Ready> + Send;

    /// Takes a batch in. `Ok` means that its mails and its position are durable, and holds an outcome for each mail in
    /// order; only then are they moved. Handing in a mail again must be harmless: it happens after every lost connection.
    ///
    /// Runs while the batches behind are being read, one at a time and in order. Not cancelled by a stop unless it takes
    /// longer than the grace.
    fn accept(&self, ready: Self::Ready) -> impl Future<Output = Result<Vec<Outcome>, Refusal>> + Send;

    /// Hears how it goes. Must not block.
    fn progress(&self, progress: Progress) {
        drop(progress);
    }
}
