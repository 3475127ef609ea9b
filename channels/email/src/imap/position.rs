//! Where reading stands in a folder, and what the first look takes.
//!
//! UIDs only mean something under their UIDVALIDITY, so a position carries it. It also remembers the first look: a folder
//! that is rebuilt years later is read again from its start, and the mail that was left aside then must be left aside again.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use guichet_domain::time::Moment;

use super::session::{Listed, Selected};

/// How much of what lies in a folder is taken when it is looked at for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// Everything.
    All,
    /// Only what comes from now on.
    None,
    /// What the server received within this span before now.
    Since(Duration),
}

/// How far a folder has been read: everything up to `last_uid` is accepted, gone, or left aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The folder's UIDVALIDITY.
    pub uidvalidity: u32,
    /// Counts the times the folder's UIDs started anew, also under the same UIDVALIDITY.
    pub epoch: u32,
    /// The highest UID that needs no more reading.
    pub last_uid: u32,
    /// Mail below this UID was there when this epoch began; it is taken by its date.
    pub boundary: u32,
    /// Mail below the boundary that the server received earlier is left aside.
    pub since: Moment,
    /// When the folder was looked at for the first time.
    pub first_look: Moment,
}

impl Position {
    /// The position before the first look. `uidnext` is the UID the next mail will get.
    pub fn first(selected: &Selected, uidnext: u32, history: History, now: Moment) -> Self {
        let since = match history {
            History::All => Moment::EARLIEST,
            History::None => now,
            History::Since(span) => (now - span).max(Moment::EARLIEST),
        };
        let last_uid = if history == History::None { uidnext.saturating_sub(1) } else { 0 };
        let uidvalidity = selected.uidvalidity;
        Self { uidvalidity, epoch: 0, last_uid, boundary: uidnext, since, first_look: now }
    }

    /// Whether the folder as it is now continues this position.
    ///
    /// A folder restored from a backup may keep its UIDVALIDITY and count its UIDs down; new mail would then be taken for
    /// old. So a UIDNEXT that is not above what was read is a new epoch as well.
    pub fn continued_by(&self, selected: &Selected) -> bool {
        let counts_on = selected.uidnext.is_none_or(|next| next > self.last_uid);
        selected.uidvalidity == self.uidvalidity && counts_on
    }

    /// The start of a new epoch: everything is read again, deduplication absorbs what was there before.
    #[must_use]
    pub fn anew(&self, selected: &Selected, uidnext: u32) -> Self {
        Self {
            uidvalidity: selected.uidvalidity,
            epoch: self.epoch.saturating_add(1),
            last_uid: 0,
            boundary: uidnext,
            ..*self
        }
    }

    /// Whether a mail must be looked at by its date before it is taken.
    pub fn by_date(&self, uid: u32) -> bool {
        uid < self.boundary && self.since > Moment::EARLIEST
    }

    /// Whether the first look of this numbering took nothing that was there, whatever its date.
    pub fn took_no_history(&self) -> bool {
        self.epoch == 0 && self.since == self.first_look
    }

    /// Whether a mail is taken rather than left aside.
    pub fn takes(&self, mail: &Listed) -> bool {
        !self.by_date(mail.uid) || mail.received >= self.since
    }

    /// Whether a mail is history, which is answered only if the operator wants that.
    ///
    /// In later epochs the UIDs of the first look mean nothing any more; the date decides.
    pub fn is_history(&self, mail: &Listed) -> bool {
        mail.uid < self.boundary && (self.epoch == 0 || mail.received < self.first_look)
    }

    /// What a mail is called for good: the same mail read again gets the same name.
    pub fn name(&self, folder: &str, uid: u32) -> String {
        match self.epoch {
            0 => format!("{folder}/{}/{uid}", self.uidvalidity),
            epoch => format!("{folder}/{}.{epoch}/{uid}", self.uidvalidity),
        }
    }
}

/// The form in which positions are stored.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { uidvalidity, epoch, last_uid, boundary, since, first_look } = self;
        write!(f, "1:{uidvalidity}:{epoch}:{last_uid}:{boundary}:{}:{}", since.micros(), first_look.micros())
    }
}

/// A stored position that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no position in a folder")]
pub struct NotAPosition(String);

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let parse = || {
            let mut fields = text.split(':');
            let version = fields.next()?;
            let mut number = || fields.next()?.parse::<u32>().ok();
            let (uidvalidity, epoch, last_uid, boundary) = (number()?, number()?, number()?, number()?);
            let mut moment = || Some(Moment::from_micros(fields.next()?.parse().ok()?));
            let (since, first_look) = (moment()?, moment()?);
            let whole = version == "1" && fields.next().is_none();
            whole.then_some(Self { uidvalidity, epoch, last_uid, boundary, since, first_look })
        };
        parse().ok_or_else(|| NotAPosition(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_secs(1_700_000_000);
    const DAY: Duration = Duration::from_hours(24);

    fn selected(uidvalidity: u32, uidnext: u32) -> Selected {
        Selected { uidvalidity, uidnext: Some(uidnext), exists: 0, read_only: false, keywords: true }
    }

    fn mail(uid: u32, received: Moment) -> Listed {
        Listed { uid, size: 1, received }
    }

    #[test]
    fn a_position_survives_being_stored() {
        let position = Position::first(&selected(7, 101), 101, History::Since(7 * DAY), NOW);
        assert_eq!(position.to_string().parse(), Ok(position));
        for text in ["", "1:2:3", "2:1:1:1:1:1:1", "1:1:1:1:1:1:1:1", "1:-1:1:1:1:1:1"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }

    #[test]
    fn since_seven_days_takes_younger_history_and_all_that_comes_later() {
        let position = Position::first(&selected(7, 101), 101, History::Since(7 * DAY), NOW);
        assert!(position.takes(&mail(100, NOW - 6 * DAY)) && position.is_history(&mail(100, NOW - 6 * DAY)));
        assert!(!position.takes(&mail(99, NOW - 8 * DAY)));
        // An old mail that somebody drags into the folder afterwards is new here.
        assert!(position.takes(&mail(101, NOW - 400 * DAY)) && !position.is_history(&mail(101, NOW - 400 * DAY)));
    }

    #[test]
    fn none_takes_nothing_that_is_there_and_all_takes_everything() {
        let none = Position::first(&selected(7, 101), 101, History::None, NOW);
        assert_eq!(none.last_uid, 100);
        assert!(!none.takes(&mail(100, NOW - DAY)) && none.takes(&mail(101, NOW)));
        let all = Position::first(&selected(7, 101), 101, History::All, NOW);
        assert!(all.takes(&mail(1, Moment::EARLIEST)) && all.is_history(&mail(1, Moment::EARLIEST)));
    }

    #[test]
    fn a_rebuilt_folder_is_read_again_but_what_was_left_aside_stays_aside() {
        let first = Position::first(&selected(7, 101), 101, History::Since(7 * DAY), NOW);
        let read = Position { last_uid: 150, ..first };
        assert!(read.continued_by(&selected(7, 151)));
        assert!(!read.continued_by(&selected(8, 151)));
        let anew = read.anew(&selected(8, 121), 121);
        assert_eq!(anew.last_uid, 0);
        assert!(!anew.takes(&mail(3, NOW - 8 * DAY)));
        assert!(anew.takes(&mail(5, NOW - DAY)) && anew.is_history(&mail(5, NOW - DAY)));
        assert!(anew.takes(&mail(120, NOW + DAY)) && !anew.is_history(&mail(120, NOW + DAY)));
    }

    #[test]
    fn uids_that_count_down_are_a_new_epoch_with_new_names() {
        let read = Position { last_uid: 150, ..Position::first(&selected(7, 101), 101, History::All, NOW) };
        assert!(!read.continued_by(&selected(7, 150)));
        let anew = read.anew(&selected(7, 150), 150);
        assert_ne!(anew.name("INBOX", 12), read.name("INBOX", 12));
        assert_eq!(read.name("INBOX", 12), "INBOX/7/12");
    }
}
