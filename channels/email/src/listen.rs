//! From the network to the intake: the mailbox as a source.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use guichet_contract::{Cursor, CursorMove, Fault, Health, NotAccepted, Port, Staged, Stop, Verdict};
use guichet_domain::inbound::{Explained, Inbound};
use guichet_domain::reason;

use crate::channel::{Desk, troubled};
use crate::credentials::Credentials;
use crate::dkim::Checker;
use crate::imap::position::Position;
use crate::imap::sink::{Batch, Body, Fetched, Outcome, Progress, Refusal, Sink};
use crate::imap::{self, Error};
use crate::oauth::AccessTokens;
use crate::settings::{Imap, Proof};
use crate::token::{self, Tokens};
use crate::translate::{Letter, Reader};

/// How often a mailbox without IMAP says how it does.
const REMINDED: Duration = Duration::from_hours(1);

/// Receives until `stop`; a mailbox without IMAP only waits.
pub(crate) async fn listen(desk: &Desk, port: Port, stop: Stop) -> Result<(), Fault> {
    let Some(imap) = &desk.settings.imap else {
        return only_sends(desk, &port, &stop).await;
    };
    let credentials = credentials(desk, imap, &port).await?;
    let tokens = desk.tokens(&port).await?;
    let sink = MailSink {
        desk,
        reader: &desk.reader,
        port: &port,
        imap,
        dkim: desk.settings.check_dkim.then_some(&desk.dkim),
        files: desk.settings.smtp.is_none(),
        tokens,
        waiting: Mutex::new(0),
    };
    let ended = imap::receive(&imap.mailbox, &credentials, &sink, port.clock.as_ref(), &stop).await;
    match ended {
        Ok(()) | Err(Error::Stopped) => Ok(()),
        Err(error) => {
            if let (Error::TokenRefused { .. }, Credentials::Bearer { token, .. }) = (&error, &credentials)
                && let Some(tokens) = desk.tokens(&port).await?
            {
                tokens.refused(token);
            }
            Err(fault(&error))
        }
    }
}

/// Waits, and looks from time to time whether the authorisation to send will end.
async fn only_sends(desk: &Desk, port: &Port, stop: &Stop) -> Result<(), Fault> {
    let tokens = desk.tokens(port).await?;
    loop {
        let note = idle_note(desk);
        let warning = tokens.as_ref().and_then(|tokens| tokens.warning(port.clock.now()));
        if let Some(why) = desk.stuck() {
            troubled(port, format!("mail cannot leave: {why}; {note}"));
        } else {
            port.intake.report(match warning {
                Some(warning) => Health::Warning { note: format!("{note}; {warning}") },
                None => Health::Good { note },
            });
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(REMINDED) => {}
        }
    }
}

/// Tries to receive, changing nothing.
pub(crate) async fn check(desk: &Desk, port: &Port) -> Result<Vec<String>, Fault> {
    let Some(imap) = &desk.settings.imap else {
        return Ok(vec!["no `imap` is configured: mail comes by `guichet inject` alone".to_owned()]);
    };
    let credentials = credentials(desk, imap, port).await?;
    let stop = Stop::new();
    imap::probe(&imap.mailbox, &credentials, &stop).await.map_err(|error| fault(&error))
}

/// What the mailbox is logged into with: the password, or a token that is valid now.
pub(crate) async fn credentials(desk: &Desk, imap: &Imap, port: &Port) -> Result<Credentials, Fault> {
    let user = imap.user.clone();
    match &imap.proof {
        Proof::Password(password) => Ok(Credentials::Password { user, password: password.expose().to_owned() }),
        Proof::Token(mechanism) => {
            let tokens = desk.tokens(port).await?.ok_or_else(|| {
                Fault::lasting("the mailbox logs in with tokens and names no application", "add its `oauth` section")
            })?;
            let token = tokens.current().await.map_err(token::fault)?;
            Ok(Credentials::Bearer { user, token, mechanism: *mechanism })
        }
    }
}

fn idle_note(desk: &Desk) -> String {
    let out = if desk.settings.smtp.is_none() {
        format!("; outgoing mail is written to files under {}", desk.folder.display())
    } else {
        String::new()
    };
    format!("takes mail from `guichet inject`{out}")
}

fn fault(error: &Error) -> Fault {
    if !error.lasting() {
        return Fault::passing(error.to_string());
    }
    let (what, remedy) = error.parts();
    Fault::lasting(what, remedy)
}

/// Hands what was fetched to the intake.
struct MailSink<'a> {
    desk: &'a Desk,
    reader: &'a Reader,
    port: &'a Port,
    imap: &'a Imap,
    dkim: Option<&'a Checker>,
    files: bool,
    tokens: Option<Arc<Tokens>>,
    waiting: Mutex<u64>,
}

/// A batch as the core takes it.
struct Understood {
    staged: Result<Staged, NotAccepted>,
    step: CursorMove,
}

impl MailSink<'_> {
    fn letter(&self, mail: Fetched) -> Letter {
        let quiet = (mail.history && !self.imap.acknowledge_history).then_some(reason::ACK_HISTORY);
        let (raw, cut) = match mail.body {
            Body::Whole(raw) => (raw, None),
            Body::TooLarge(raw) => {
                let detail = format!("{} bytes; the whole mail stays on the server", mail.size);
                (raw, Some(Explained::new("mail.too_large", detail)))
            }
            // What the server will not hand out is kept aside by its name: nothing of it is silently passed over.
            Body::Unreadable(why) => (Vec::new(), Some(Explained::new("mail.unreadable", why))),
        };
        Letter { name: mail.name, raw, received_at: self.port.clock.now(), quiet, cut }
    }
}

impl Sink for MailSink<'_> {
    type Ready = Understood;

    async fn position(&self, folder: &str) -> Result<Option<Position>, String> {
        let cursor = self.port.intake.cursor(folder).await.map_err(|fault| fault.to_string())?;
        cursor.map(|cursor| cursor.0.parse::<Position>().map_err(|error| error.to_string())).transpose()
    }

    async fn understand(&self, batch: Batch) -> Understood {
        let step = CursorMove { key: batch.folder, to: Cursor(batch.position.to_string()) };
        let letters: Vec<Letter> = batch.mails.into_iter().map(|mail| self.letter(mail)).collect();
        let count = letters.len();
        let mut items = understood(self.reader, letters).await;
        let whole = items.len() == count;
        if !whole {
            // The cursor would move past mail that nobody has taken.
            let why = "reading the mail was cut off; it stays on the server".to_owned();
            return Understood { staged: Err(NotAccepted::Refused { why }), step };
        }
        if let Some(dkim) = self.dkim {
            dkim.check(&mut items).await;
        }
        Understood { staged: self.port.intake.stage(items).await, step }
    }

    async fn accept(&self, ready: Understood) -> Result<Vec<Outcome>, Refusal> {
        let Understood { staged, step } = ready;
        let accepted = match staged {
            Ok(staged) => self.port.intake.accept_staged(staged, vec![step]).await,
            Err(refused) => Err(refused),
        };
        let accepted = accepted.map_err(|refused| match refused {
            NotAccepted::Busy { after, why } => Refusal::Busy { after, why },
            NotAccepted::Refused { why } => Refusal::Refused { why },
        })?;
        let outcome = |verdict: Verdict| match verdict {
            Verdict::Quarantined => Outcome::Failed,
            Verdict::Opened | Verdict::Appended | Verdict::Duplicate => Outcome::Processed,
        };
        if let Ok(mut count) = self.waiting.lock() {
            *count += accepted.receipts.len() as u64;
        }
        Ok(accepted.receipts.iter().map(|receipt| outcome(receipt.verdict)).collect())
    }

    fn progress(&self, progress: Progress) {
        let folder = &self.imap.mailbox.folder;
        match progress {
            Progress::Opened { exists } => {
                self.port.intake.report(Health::Good { note: format!("{folder} is open and holds {exists} mails") });
            }
            Progress::Waiting => {
                let taken = self.waiting.lock().map(|count| *count).unwrap_or_default();
                let files =
                    if self.files { "; no `smtp` is configured: outgoing mail is written to files" } else { "" };
                let note = format!("{folder}: waiting for mail, {taken} taken in since it was opened{files}");
                let warning = self.tokens.as_ref().and_then(|tokens| tokens.warning(self.port.clock.now()));
                if let Some(why) = self.desk.stuck() {
                    // What comes in is no comfort to those who wait for what cannot leave.
                    troubled(self.port, format!("mail cannot leave: {why}; {note}"));
                    return;
                }
                self.port.intake.report(match warning {
                    Some(warning) => Health::Warning { note: format!("{note}; {warning}") },
                    None => Health::Good { note },
                });
            }
            Progress::Busy { why } => troubled(self.port, format!("{folder}: mail waits on the server: {why}")),
            Progress::NotFiled { why } => {
                troubled(self.port, format!("{folder}: mail was taken in and not moved: {why}"));
            }
            Progress::NewEpoch => {
                let note = format!("{folder}: the server numbers its mail anew; it is read again");
                self.port.intake.report(Health::Warning { note });
            }
        }
    }
}

/// Reads the letters off the tasks that serve sockets: a hostile mail may take long to read.
async fn understood(reader: &Reader, letters: Vec<Letter>) -> Vec<Inbound> {
    let reader = reader.clone();
    let read = tokio::task::spawn_blocking(move || letters.into_iter().map(|letter| reader.read(letter)).collect());
    // The reader catches its own panics; what is left is the runtime ending, when nobody takes the answer.
    read.await.unwrap_or_default()
}
