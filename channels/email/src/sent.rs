//! Looking for the copy of a mail that we may have sent.

use std::sync::{Arc, Mutex as Locked, PoisonError};
use std::time::Duration;

use guichet_contract::{Fault, Port, Stop};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::channel::Desk;
use crate::imap::{Error, Mailbox, Session};
use crate::listen::credentials;

/// One look takes no longer than this; what is asked for meanwhile waits its turn.
const LONGEST: Duration = Duration::from_secs(60);
/// A connection is kept so long after a look: doubts come in rows.
const KEPT: Duration = Duration::from_secs(20);

/// The connection that is looked with.
#[derive(Default)]
pub(crate) struct Looking {
    session: Arc<Mutex<Option<Kept>>>,
    stop: Locked<Stop>,
}

struct Kept {
    session: Session,
    used: Instant,
}

impl Looking {
    /// Looks end when this stop comes.
    pub(crate) fn until(&self, stop: &Stop) {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = stop.clone();
    }

    /// Whether the copy of a mail lies in the folder that is watched, or where its mail is moved to.
    pub(crate) async fn find(&self, desk: &Desk, port: &Port, message_id: &str) -> Result<bool, Fault> {
        let stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let looked = timeout(LONGEST, self.look(desk, port, message_id, &stop)).await;
        looked.unwrap_or_else(|_| {
            Err(Fault::passing(format!("the mail server did not end the search within {} s", LONGEST.as_secs())))
        })
    }

    async fn look(&self, desk: &Desk, port: &Port, message_id: &str, stop: &Stop) -> Result<bool, Fault> {
        let Some(imap) = desk.settings.imap.as_ref().filter(|_| desk.journals()) else {
            return Err(Fault::lasting(
                "no copy of what is sent comes back to this mailbox",
                "set `journal`, with the `imap` and `smtp` sections, and what was sent can be looked for",
            ));
        };
        let mailbox = &imap.mailbox;
        let passing = |error: Error| Fault::passing(error.to_string());
        let mut place = self.session.lock().await;
        // Taken out for the time of its use: dropped in between, it is closed and not found in an unknown state.
        if let Some(Kept { mut session, .. }) = place.take()
            && let Ok(found) = search(&mut session, mailbox, message_id).await
        {
            *place = Some(Kept { session, used: Instant::now() });
            return Ok(found);
        }
        let credentials = credentials(desk, imap, port).await?;
        let opened = Session::open(&mailbox.endpoint, &credentials, &mailbox.limits, stop).await;
        let mut session = opened.map_err(passing)?;
        let found = search(&mut session, mailbox, message_id).await.map_err(passing)?;
        *place = Some(Kept { session, used: Instant::now() });
        tokio::spawn(close_when_idle(Arc::clone(&self.session)));
        Ok(found)
    }
}

async fn search(session: &mut Session, mailbox: &Mailbox, message_id: &str) -> Result<bool, Error> {
    for folder in [Some(&mailbox.folder), mailbox.processed.as_ref(), mailbox.failed.as_ref()].into_iter().flatten() {
        // Where mail is moved to is made when the first mail is received.
        if *folder != mailbox.folder && !session.exists(folder).await? {
            continue;
        }
        session.examine(folder).await?;
        if !session.search_message_id(message_id).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Ends with the connection: one task a connection that was opened.
async fn close_when_idle(place: Arc<Mutex<Option<Kept>>>) {
    loop {
        let due = match place.lock().await.as_ref() {
            Some(kept) => kept.used + KEPT,
            None => return,
        };
        tokio::time::sleep_until(due).await;
        let mut kept = place.lock().await;
        if kept.as_ref().is_some_and(|kept| kept.used + KEPT <= Instant::now())
            && let Some(Kept { session, .. }) = kept.take()
        {
            session.logout().await;
            return;
        }
    }
}
