//! What the mailbox holds, for `guichet reconcile`: every mail that must have been taken in, by a name it is known under.
//!
//! In the folder that is watched that is exact: UIDs only grow, so whatever lies at or below the stored position was
//! accepted, gone or left aside, and its name (folder, UIDVALIDITY, UID) is its external id. A mail that was moved lost
//! that name. What says that we moved it is our keyword, which goes along; what names it is the key by which a second
//! delivery is recognised. Mail without the keyword was put there by others, or by a server that keeps no keywords: it is
//! counted and proves nothing.

use guichet_contract::{Fault, Held, Holdings, Port, Stop};
use guichet_domain::ids::ExternalId;

use crate::channel::Desk;
use crate::imap::position::Position;
use crate::imap::{Error, Mailbox, Session};
use crate::listen::credentials;
use crate::understand::{Keys, Limits, keys, understand_caught};

/// Lists what all folders of the mailbox hold; `None` without IMAP.
pub(crate) async fn holdings(desk: &Desk, port: &Port) -> Result<Option<Holdings>, Fault> {
    let Some(imap) = &desk.settings.imap else { return Ok(None) };
    let mailbox = &imap.mailbox;
    // Before anything is listed: what is taken in meanwhile then counts as ahead, and not as missing.
    let cursor = port.intake.cursor(&mailbox.folder).await?;
    let position = cursor.map(|cursor| cursor.0.parse::<Position>()).transpose();
    let position = position.map_err(|error| Fault::lasting(error.to_string(), "restore the last backup"))?;
    let credentials = credentials(desk, imap, port).await?;
    let stop = Stop::new();
    let passing = |error: Error| Fault::passing(error.to_string());
    let mut session = Session::open(&mailbox.endpoint, &credentials, &mailbox.limits, &stop).await.map_err(passing)?;
    let listed = list(&mut session, mailbox, position).await.map_err(passing)?;
    session.logout().await;
    Ok(Some(listed))
}

async fn list(session: &mut Session, mailbox: &Mailbox, position: Option<Position>) -> Result<Holdings, Error> {
    // The watched folder first: a mail that is moved meanwhile is counted twice rather than not at all.
    let folder = &mailbox.folder;
    let watched = session.count_watched(folder, position).await?;
    let mut holdings = Holdings { ahead: watched.ahead, aside: watched.aside, ..Holdings::default() };
    let name = |uid| position.map(|position| ExternalId::new(position.name(folder, uid)));
    let due = watched.due.into_iter();
    holdings.due.extend(due.map(|uid| Held { place: place(folder, uid), external_id: name(uid), same_as: Vec::new() }));
    let mut seen = vec![folder];
    for (filed, is_failed) in [(&mailbox.processed, false), (&mailbox.failed, true)] {
        let Some(filed) = filed.as_ref().filter(|filed| !seen.contains(filed)) else { continue };
        seen.push(filed);
        count_filed(session, filed, is_failed, &mut holdings).await?;
    }
    Ok(holdings)
}

async fn count_filed(
    session: &mut Session,
    folder: &str,
    is_failed: bool,
    holdings: &mut Holdings,
) -> Result<(), Error> {
    let filed = session.count_filed(folder).await?;
    holdings.aside += filed.others;
    let mut named = Vec::with_capacity(filed.marked.len());
    // What failed may have failed by its body: there the header alone does not say under which key it was taken.
    if !is_failed {
        session
            .headers(&filed.marked, |uid, header| {
                if let Some(Keys { identity: Some(key), .. }) = keys_of(header) {
                    named.push((uid, key));
                }
            })
            .await?;
        named.sort_unstable();
    }
    for uid in filed.marked {
        let known = named.binary_search_by_key(&uid, |(uid, _)| *uid).ok().and_then(|at| named.get(at));
        let same_as = match known {
            Some((_, key)) => vec![key.clone()],
            None => match session.whole(uid).await?.as_deref().and_then(keys_of) {
                Some(keys) => keys.identity.into_iter().chain(keys.content).collect(),
                None => Vec::new(),
            },
        };
        if same_as.is_empty() {
            holdings.nameless += 1;
        } else {
            holdings.due.push(Held { place: place(folder, uid), external_id: None, same_as });
        }
    }
    Ok(())
}

fn keys_of(raw: &[u8]) -> Option<Keys> {
    understand_caught(raw, &Limits::default()).ok().map(|mail| keys(raw, &mail))
}

fn place(folder: &str, uid: u32) -> String {
    format!("{folder}, UID {uid}")
}
