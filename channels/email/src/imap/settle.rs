//! Filing what was accepted: keywords, and moving in as few commands as there are sets, since one by one costs 250 times
//! as much.

use super::error::Error;
use super::session::Session;
use super::{folder, uids};

/// How many mails one command moves at most: servers are silent while they move.
const AT_ONCE: usize = 1_000;

impl Session {
    /// Sets `keyword` on `uids` (ascending). UIDs that are gone are passed over by the server.
    pub async fn mark(&mut self, uids: &[u32], keyword: &str) -> Result<(), Error> {
        for set in uids.chunks(AT_ONCE).flat_map(uids::sets) {
            let command = format!("UID STORE {set} +FLAGS.SILENT ({keyword})");
            self.wire.run(&command, "STORE", self.limits.slow_reply, |_| {}).await?;
        }
        Ok(())
    }

    /// Moves `uids` (ascending) out of the open folder. UIDs that are gone are passed over by the server; moving twice
    /// moves once.
    ///
    /// Without MOVE it copies, marks as deleted, and expunges only these UIDs; a server with neither MOVE nor UIDPLUS
    /// keeps them in place marked as deleted, since a bare EXPUNGE would also remove what others have marked.
    pub async fn move_to(&mut self, uids: &[u32], to: &str) -> Result<(), Error> {
        let to = folder::argument(to)?;
        let slow = self.limits.slow_reply;
        for set in uids.chunks(AT_ONCE).flat_map(uids::sets) {
            if self.can("MOVE") {
                self.wire.run(&format!("UID MOVE {set} {to}"), "MOVE", slow, |_| {}).await?;
                continue;
            }
            self.wire.run(&format!("UID COPY {set} {to}"), "COPY", slow, |_| {}).await?;
            self.wire.run(&format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)"), "STORE", slow, |_| {}).await?;
            if self.can("UIDPLUS") {
                self.wire.run(&format!("UID EXPUNGE {set}"), "EXPUNGE", slow, |_| {}).await?;
            }
        }
        Ok(())
    }
}
