//! From a list of UIDs to batches of mail: sizes first, then texts, the next batch asked for while this one is read.

use std::collections::VecDeque;

use guichet_domain::time::Moment;

use super::error::Error;
use super::fetch::{Asked, Body};
use super::position::Position;
use super::session::{Limits, Listed, Session};
use super::sink::{Batch, Fetched};
use super::suspects::Suspects;

/// How many sizes one command asks for.
const SIZES_AT_ONCE: usize = 500;

/// What is to be done with one UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Take(u32),
    Skip(u32),
}

/// Reads the mails of one listing, in order.
pub(super) struct Reader {
    folder: String,
    suspects: Suspects,
    position: Position,
    /// Where this reading began: what is left aside below was counted before.
    floor: u32,
    steps: VecDeque<Step>,
    sized: VecDeque<Sized>,
    ahead: Option<Pending>,
}

enum Sized {
    Mail(Listed),
    Skipped(u32),
    Gone(u32),
}

/// A batch that is decided on. `asked` unless it is a large mail, which is read only when its turn comes.
struct Pending {
    mails: Vec<Listed>,
    /// Not to be asked for: connections break off there.
    unreadable: Vec<Listed>,
    asked: Option<Asked>,
    last: u32,
    skipped: u64,
    gone: u64,
}

impl Reader {
    /// `steps` ascend. Positions of the batches start from `position` and never go back.
    pub(super) fn new(folder: &str, suspects: Suspects, position: Position, steps: Vec<Step>) -> Self {
        let (steps, sized, floor) = (steps.into(), VecDeque::new(), position.last_uid);
        Self { folder: folder.to_owned(), suspects, position, floor, steps, sized, ahead: None }
    }

    /// The next batch, `None` when all is read. Of a mail that vanished meanwhile only the count remains, and that only
    /// after the server, asked again, no longer lists it.
    pub(super) async fn next(&mut self, session: &mut Session) -> Result<Option<Batch>, Error> {
        let current = match self.ahead.take() {
            Some(pending) => pending,
            None => match self.decide(session).await? {
                Some(pending) => pending,
                None => return Ok(None),
            },
        };
        self.ahead = self.decide(session).await?;
        self.read(session, current).await.map(Some)
    }

    /// Reads and throws away what was asked for ahead, so that the session can be used for something else.
    pub(super) async fn discard(&mut self, session: &mut Session) -> Result<(), Error> {
        match self.ahead.take().and_then(|pending| pending.asked) {
            Some(asked) => session.discard(asked).await,
            None => Ok(()),
        }
    }

    async fn decide(&mut self, session: &mut Session) -> Result<Option<Pending>, Error> {
        let limits = session.limits.clone();
        while self.sized.len() < limits.batch_messages && !self.steps.is_empty() {
            self.size(session).await?;
        }
        let Some(mut pending) = cut(&mut self.sized, &limits) else { return Ok(None) };
        let guilty = |mail: &Listed| self.suspects.guilty(self.position.uidvalidity, mail.uid);
        (pending.unreadable, pending.mails) = pending.mails.into_iter().partition(guilty);
        let large = pending.mails.iter().any(|mail| mail.size > limits.whole);
        if !large && !pending.mails.is_empty() {
            pending.asked = Some(session.ask(pending.mails.clone()).await?);
        }
        Ok(Some(pending))
    }

    async fn size(&mut self, session: &mut Session) -> Result<(), Error> {
        let unknown = session.limits.whole;
        let some = self.steps.len().min(SIZES_AT_ONCE);
        let steps: Vec<Step> = self.steps.drain(..some).collect();
        let take: Vec<u32> =
            steps.iter().filter_map(|step| if let Step::Take(uid) = step { Some(*uid) } else { None }).collect();
        let listed = session.sizes(&take).await?;
        let missing = without(&take, &listed);
        let present = if missing.is_empty() { Vec::new() } else { session.search_among(&missing).await? };
        let mut listed = listed.into_iter().peekable();
        for step in steps {
            let sized = match step {
                Step::Skip(uid) => Sized::Skipped(uid),
                Step::Take(uid) => match listed.next_if(|mail| mail.uid == uid) {
                    Some(mail) if self.position.takes(&mail) => Sized::Mail(mail),
                    Some(_) => Sized::Skipped(uid),
                    // There, but without a size: held for as large as a mail in a batch can be.
                    None if present.binary_search(&uid).is_ok() => {
                        Sized::Mail(Listed { uid, size: unknown, received: Moment::EARLIEST })
                    }
                    None => Sized::Gone(uid),
                },
            };
            self.sized.push_back(sized);
        }
        Ok(())
    }

    async fn read(&mut self, session: &mut Session, pending: Pending) -> Result<Batch, Error> {
        let Pending { mails, unreadable, asked, last, skipped, mut gone } = pending;
        let uidvalidity = self.position.uidvalidity;
        let uids: Vec<u32> = mails.iter().map(|mail| mail.uid).collect();
        let mut bodies: Vec<(Listed, Body)> = Vec::with_capacity(mails.len());
        let read = bodies_of(session, mails, asked, &mut bodies).await;
        if let Err(error) = &read
            && error.broke_off()
            && let Some(due) = uids.iter().find(|&&uid| !session.has_arrived(uid) && !has(&bodies, uid))
        {
            self.suspects.blame(uidvalidity, *due);
        }
        gone += read?;
        for uid in uids {
            self.suspects.clear(uidvalidity, uid);
        }
        let why = "the server ends the connection each time it is asked for this mail";
        bodies.extend(unreadable.into_iter().map(|mail| (mail, Body::Unreadable(why.to_owned()))));
        bodies.sort_unstable_by_key(|(mail, _)| mail.uid);
        self.position.last_uid = self.position.last_uid.max(last);
        let (skipped, gone) = if last > self.floor { (skipped, gone) } else { (0, 0) };
        let position = self.position;
        let mails = bodies.into_iter().map(|(mail, body)| Fetched {
            name: position.name(&self.folder, mail.uid),
            uid: mail.uid,
            size: match &body {
                Body::Whole(text) => u32::try_from(text.len()).unwrap_or(u32::MAX),
                Body::TooLarge(_) | Body::Unreadable(_) => mail.size,
            },
            received: mail.received,
            history: position.is_history(&mail),
            body,
        });
        Ok(Batch { mails: mails.collect(), folder: self.folder.clone(), position, skipped, gone })
    }
}

/// Takes the next batch off the front: as many as the limits allow, a large mail alone.
fn cut(sized: &mut VecDeque<Sized>, limits: &Limits) -> Option<Pending> {
    let mut pending = Pending { mails: Vec::new(), unreadable: Vec::new(), asked: None, last: 0, skipped: 0, gone: 0 };
    let mut bytes = 0;
    while let Some(next) = sized.front() {
        if let Sized::Mail(mail) = next {
            bytes += u64::from(mail.size);
            let full = pending.mails.len() >= limits.batch_messages || bytes > limits.batch_bytes;
            let alone = mail.size > limits.whole || pending.mails.iter().any(|mail| mail.size > limits.whole);
            if !pending.mails.is_empty() && (full || alone) {
                break;
            }
        }
        match sized.pop_front()? {
            Sized::Mail(mail) => {
                pending.last = mail.uid;
                pending.mails.push(mail);
            }
            Sized::Skipped(uid) => (pending.last, pending.skipped) = (uid, pending.skipped + 1),
            Sized::Gone(uid) => (pending.last, pending.gone) = (uid, pending.gone + 1),
        }
    }
    (pending.last > 0).then_some(pending)
}

/// Reads what was decided on into `bodies`; how many mails turned out to be gone.
async fn bodies_of(
    session: &mut Session,
    mails: Vec<Listed>,
    asked: Option<Asked>,
    bodies: &mut Vec<(Listed, Body)>,
) -> Result<u64, Error> {
    let mut missing = Vec::new();
    if let Some(asked) = asked {
        let (found, not_sent) = session.collect(asked).await?;
        missing = not_sent;
        for (mail, text) in found {
            match whole(session, &mail, text).await? {
                Some(body) => bodies.push((mail, body)),
                None => missing.push(mail),
            }
        }
    } else {
        for mail in mails {
            match session.fetch_parts(&mail, Vec::new()).await? {
                Some(body) => bodies.push((mail, body)),
                None => missing.push(mail),
            }
        }
    }
    let mut gone = 0;
    for mail in missing {
        match again(session, &mail).await? {
            Some(body) => bodies.push((mail, body)),
            None => gone += 1,
        }
    }
    Ok(gone)
}

fn has(bodies: &[(Listed, Body)], uid: u32) -> bool {
    bodies.iter().any(|(mail, _)| mail.uid == uid)
}

/// A text that fills its bound to the last byte may go on: the server counted wrongly.
async fn whole(session: &mut Session, mail: &Listed, text: Vec<u8>) -> Result<Option<Body>, Error> {
    if text.len() < session.limits.whole as usize {
        return Ok(Some(Body::Whole(text)));
    }
    session.fetch_parts(mail, text).await
}

/// Second try for a mail that did not come. `None` only if the server, asked, does not list it any more.
async fn again(session: &mut Session, mail: &Listed) -> Result<Option<Body>, Error> {
    for _ in 0..2 {
        if session.search_among(&[mail.uid]).await?.is_empty() {
            return Ok(None);
        }
        if let Some(body) = session.fetch_parts(mail, Vec::new()).await? {
            return Ok(Some(body));
        }
    }
    if session.search_among(&[mail.uid]).await?.is_empty() {
        return Ok(None);
    }
    Ok(Some(Body::Unreadable("the server lists this mail and does not hand it out".to_owned())))
}

fn without(uids: &[u32], listed: &[Listed]) -> Vec<u32> {
    let there = |uid: &u32| listed.binary_search_by_key(uid, |mail| mail.uid).is_ok();
    uids.iter().copied().filter(|uid| !there(uid)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(uid: u32, size: u32) -> Sized {
        Sized::Mail(Listed { uid, size, received: Moment::EARLIEST })
    }

    fn cuts(mut sized: VecDeque<Sized>) -> Vec<(Vec<u32>, u32, u64, u64)> {
        let limits = Limits { batch_messages: 3, batch_bytes: 1_000, whole: 600, ..Limits::default() };
        std::iter::from_fn(|| cut(&mut sized, &limits))
            .map(|cut| (cut.mails.iter().map(|mail| mail.uid).collect(), cut.last, cut.skipped, cut.gone))
            .collect()
    }

    #[test]
    fn batches_are_bounded_by_number_and_bytes_and_a_large_mail_goes_alone() {
        let sized = [(1, 10), (2, 10), (3, 10), (4, 500), (5, 500), (6, 10), (7, 9_000), (8, 10)];
        let found = cuts(sized.map(|(uid, size)| mail(uid, size)).into());
        let uids: Vec<Vec<u32>> = found.into_iter().map(|cut| cut.0).collect();
        assert_eq!(uids, [vec![1, 2, 3], vec![4, 5], vec![6], vec![7], vec![8]]);
    }

    #[test]
    fn what_is_left_aside_or_gone_moves_the_position_and_is_counted_once() {
        let sized =
            [Sized::Skipped(1), mail(2, 1), Sized::Gone(4), mail(5, 1), mail(6, 1), Sized::Skipped(8), mail(9, 1)];
        assert_eq!(cuts(sized.into()), [(vec![2, 5, 6], 8, 2, 1), (vec![9], 9, 0, 0)]);
        assert_eq!(cuts([Sized::Skipped(3), Sized::Gone(4)].into()), [(vec![], 4, 1, 1)]);
    }
}
