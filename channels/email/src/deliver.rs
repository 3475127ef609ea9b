//! From the outbox to the network: one mail, one attempt.

use std::path::Path;
use std::sync::Arc;

use guichet_contract::{Delivery, Fault, Outgoing, Port};
use guichet_domain::Moment;
use guichet_domain::outgoing::NoticeKind;

use crate::channel::id_of;
use crate::compose::{Attachment, AutoSubmitted, NamedAddress, OutgoingMail, compose, reply_subject};
use crate::oauth::AccessTokens;
use crate::settings::{EnvelopeSetting, Proof, Settings, Smtp};
use crate::smtp::{Envelope, Folder, Login, NotTried, Outcome, Pool, Relay};
use crate::token::Tokens;

/// What mail leaves by.
pub(crate) enum Outlet {
    /// A mail server.
    Server(Pool),
    /// A folder of files.
    Files(Folder),
}

impl Outlet {
    pub(crate) fn new(settings: &Settings, folder: &Path, tokens: Option<Arc<Tokens>>) -> Self {
        match &settings.smtp {
            Some(smtp) => Self::Server(Pool::new(relay(smtp, tokens))),
            None => Self::Files(Folder::new(folder)),
        }
    }

    /// One attempt. A mail that cannot be written at all is refused with the reason.
    pub(crate) async fn deliver(&self, settings: &Settings, notice: &Outgoing, port: &Port) -> Delivery {
        let refused = |detail: String| Delivery::Refused { detail, hard: false };
        let mail = mail(settings, notice, port.clock.now());
        let id = id_of(&mail.message_id);
        let bytes = match compose(&mail) {
            Ok(bytes) => bytes,
            Err(error) => return refused(error.to_string()),
        };
        match self {
            Self::Files(folder) => match folder.write(&notice.id.to_string(), bytes).await {
                Ok(_) => Delivery::Delivered { external_id: Some(id), detail: "written as a file".into() },
                Err(error) => Delivery::Retry { detail: error.to_string(), after: None, source_down: true },
            },
            Self::Server(pool) => match envelope(settings, notice) {
                Ok(envelope) => {
                    let departs = || port.departures.note(notice.id);
                    of_outcome(pool.send_noting(&envelope, &bytes, &departs).await, id)
                }
                Err(error) => refused(error.to_string()),
            },
        }
    }

    /// Closes what is open and idle, within seconds. Attempts under way go on.
    pub(crate) async fn close(&self) {
        if let Self::Server(pool) = self {
            pool.close().await;
        }
    }

    /// Tries the way out without sending.
    pub(crate) async fn check(&self) -> Result<Vec<String>, Fault> {
        match self {
            Self::Files(folder) => Ok(vec![format!(
                "no `smtp` is configured: outgoing mail is written to files under {}",
                folder.path().display()
            )]),
            Self::Server(pool) => match pool.probe().await {
                Ok(()) => Ok(vec!["SMTP: connected and let in".to_owned()]),
                Err(NotTried::Passing { why, .. }) => Err(Fault::passing(why)),
                Err(NotTried::Lasting { why, remedy }) => Err(Fault::lasting(why, remedy)),
            },
        }
    }
}

fn relay(smtp: &Smtp, tokens: Option<Arc<Tokens>>) -> Relay {
    let user = smtp.user.clone().unwrap_or_default();
    let login = match (&smtp.proof, tokens) {
        (Some(Proof::Password(password)), _) => Login::Password { user, password: password.expose().to_owned() },
        (Some(Proof::Token(_)), Some(tokens)) => Login::Token { user, tokens: tokens as Arc<dyn AccessTokens> },
        _ => Login::None,
    };
    Relay {
        hello: smtp.hello.clone(),
        login,
        connections: smtp.connections,
        per_minute: smtp.per_minute,
        ..Relay::new(smtp.endpoint.clone())
    }
}

/// The Message-ID of the mail that says `notice`: the same for every attempt.
pub(crate) fn message_id(settings: &Settings, notice: &Outgoing) -> String {
    let domain = settings.address.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    format!("{}@{domain}", notice.message_token)
}

/// The mail that says `notice`.
fn mail(settings: &Settings, notice: &Outgoing, now: Moment) -> OutgoingMail {
    let from = NamedAddress { name: settings.from_name.clone(), address: settings.address.clone() };
    let reply_to = settings.plus_addressing.then(|| NamedAddress {
        name: settings.from_name.clone(),
        address: plus(&settings.address, &notice.reply_token),
    });
    let attachment = |file: &guichet_domain::inbound::Attachment| Attachment {
        name: file.name.clone(),
        media_type: file.media_type.clone(),
        content: file.bytes.clone(),
    };
    OutgoingMail {
        from,
        to: NamedAddress { name: notice.to.name.clone(), address: notice.to.address.clone() },
        reply_to,
        subject: match notice.kind {
            NoticeKind::Acknowledgement | NoticeKind::Event => notice.subject.clone(),
            _ => reply_subject(&notice.subject),
        },
        text: notice.text.clone(),
        html: notice.html.clone(),
        attachments: notice.attachments.iter().map(attachment).collect(),
        message_id: message_id(settings, notice),
        in_reply_to: notice.in_reply_to.as_ref().map(|id| id.as_str().to_owned()),
        references: notice.thread.iter().map(|id| id.as_str().to_owned()).collect(),
        date: now,
        auto_submitted: match notice.kind {
            NoticeKind::Acknowledgement => Some(AutoSubmitted::Replied),
            NoticeKind::Reply => None,
            _ => Some(AutoSubmitted::Generated),
        },
        loop_token: Some(notice.loop_token.clone()),
        language: Some(notice.language.as_str().to_owned()).filter(|language| language.len() == 2),
        headers: vec![("X-Guichet-Ticket".to_owned(), notice.reference.clone())],
    }
}

/// Automatic mail never names a mailbox that could be answered: its envelope sender is nobody, or an address whose
/// answers are reports to us.
fn envelope(settings: &Settings, notice: &Outgoing) -> Result<Envelope, crate::smtp::BadEnvelope> {
    let verp = plus(&settings.address, &notice.bounce_token);
    let sender = match settings.envelope {
        EnvelopeSetting::Verp if settings.plus_addressing => Some(verp.as_str()),
        _ if notice.kind.is_automatic() => None,
        _ => Some(settings.address.as_str()),
    };
    let envelope = Envelope::new(sender, &notice.to.address)?.with_id(&notice.id.to_string());
    match &settings.journal {
        Some(journal) => envelope.with_journal(journal),
        None => Ok(envelope),
    }
}

fn plus(address: &str, token: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{local}+{token}@{domain}"),
        None => address.to_owned(),
    }
}

fn of_outcome(outcome: Outcome, id: guichet_domain::ids::ExternalId) -> Delivery {
    match outcome {
        Outcome::Sent { text } => Delivery::Delivered { external_id: Some(id), detail: text },
        Outcome::Transient { code, text, retry_after } => {
            Delivery::Retry { detail: format!("{code} {text}"), after: retry_after, source_down: false }
        }
        Outcome::Permanent { code, enhanced, text } => {
            let status = enhanced.unwrap_or_default();
            // X.1.x speaks of the recipient's address, but for 7 and 8, which speak of ours; 550 without a status is how old
            // servers say it.
            let address = status.starts_with("5.1.") && !matches!(status.as_str(), "5.1.7" | "5.1.8");
            let hard = address || (status.is_empty() && matches!(code, 550 | 551 | 553));
            Delivery::Refused { detail: format!("{code} {text}"), hard }
        }
        Outcome::Unknown { why } => Delivery::Unknown { detail: why },
        Outcome::NotTried(NotTried::Passing { why, retry_after }) => {
            Delivery::Retry { detail: why, after: retry_after, source_down: true }
        }
        Outcome::NotTried(NotTried::Lasting { why, remedy }) => {
            Delivery::Retry { detail: format!("{why}; {remedy}"), after: None, source_down: true }
        }
    }
}

#[cfg(test)]
mod tests {
    use guichet_domain::ids::ConversationKey;
    use guichet_domain::inbound::Party;
    use guichet_domain::language::Language;

    use super::*;

    fn notice(kind: NoticeKind, subject: &str) -> Outgoing {
        Outgoing {
            id: "018f2f4e-0000-7000-8000-000000000001".parse().unwrap(),
            attempt: 1,
            kind,
            to: Party::new("ann@client.test"),
            conversation: ConversationKey::new("c".to_owned()),
            reference: "GT-482-109-3755".to_owned(),
            language: Language::En,
            subject: subject.to_owned(),
            text: "We have it.".to_owned(),
            html: None,
            attachments: Vec::new(),
            reply_token: "r".to_owned(),
            message_token: "m".to_owned(),
            loop_token: "l".to_owned(),
            bounce_token: "b".to_owned(),
            in_reply_to: None,
            thread: Vec::new(),
        }
    }

    #[test]
    fn an_address_is_given_up_only_for_what_is_said_of_it() {
        let hard = |code, enhanced: Option<&str>| {
            let enhanced = enhanced.map(str::to_owned);
            let outcome = Outcome::Permanent { code, enhanced, text: "no".to_owned() };
            matches!(of_outcome(outcome, id_of("m@own.test")), Delivery::Refused { hard: true, .. })
        };
        assert!(hard(550, Some("5.1.1")) && hard(553, Some("5.1.3")) && hard(550, None));
        assert!(!hard(553, Some("5.1.8")), "our own address was refused");
        assert!(!hard(550, Some("5.7.1")) && !hard(550, Some("5.0.0")) && !hard(554, None));
    }

    #[test]
    fn automatic_mail_leaves_from_a_signed_address_of_its_own_or_from_nobody() {
        let leaves = |settings: serde_json::Value, kind, sender: Option<&str>| {
            let (settings, notice) = (Settings::read(settings).unwrap(), notice(kind, "Printer"));
            let expected = Envelope::new(sender, "ann@client.test").unwrap().with_id(&notice.id.to_string());
            assert_eq!(envelope(&settings, &notice), Ok(expected), "{kind:?}");
        };
        let verp = || serde_json::json!({"address": "desk@own.test"});
        let null = || serde_json::json!({"address": "desk@own.test", "envelope": "null"});
        let no_plus = || serde_json::json!({"address": "desk@own.test", "plus_addressing": false});
        for kind in [NoticeKind::Acknowledgement, NoticeKind::Delay, NoticeKind::Closure] {
            leaves(verp(), kind, Some("desk+b@own.test"));
            leaves(null(), kind, None);
            leaves(no_plus(), kind, None);
        }
        // What a person wrote is missed when it does not arrive: its bounce must come back.
        leaves(verp(), NoticeKind::Reply, Some("desk+b@own.test"));
        leaves(null(), NoticeKind::Reply, Some("desk@own.test"));
        leaves(no_plus(), NoticeKind::Reply, Some("desk@own.test"));
    }

    #[test]
    fn an_answer_says_re_and_an_acknowledgement_says_what_its_template_says() {
        let settings = Settings::read(serde_json::json!({"address": "desk@own.test"})).unwrap();
        let subject = |kind, subject: &str| mail(&settings, &notice(kind, subject), Moment::from_secs(0)).subject;
        for kind in [NoticeKind::Reply, NoticeKind::Closure, NoticeKind::Delay] {
            assert_eq!(subject(kind, "RE: AW: Printer"), "Re: Printer", "{kind:?}");
        }
        assert_eq!(subject(NoticeKind::Acknowledgement, "[GT-1] Printer"), "[GT-1] Printer");
    }
}
