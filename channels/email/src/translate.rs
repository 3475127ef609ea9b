//! From a mail's bytes to the core's words. Pure.

use std::collections::HashSet;

use guichet_domain::Moment;
use guichet_domain::ids::ExternalId;
use guichet_domain::inbound::{
    Attachment, Content, Explained, Inbound, Item, Machine, Nature, OwnClaim, Party, RefersTo, Report, ReportOutcome,
    Trust,
};
use guichet_domain::reason::Reason;

use crate::machine::{self, OwnAddresses};
use crate::report::{self, Action, Kind};
use crate::trust;
use crate::understand::{self, AttachmentKind, Limits, Mail, Mailbox};
use crate::{language, reply};

/// What a mailbox knows of itself that reading its mail needs.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    /// Our own addresses.
    pub own: OwnAddresses,
    /// Whose word on authentication is believed.
    pub authserv_ids: Vec<String>,
}

/// One mail, as it came.
#[derive(Debug)]
pub struct Letter {
    /// Its name for good.
    pub name: String,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// When we got it.
    pub received_at: Moment,
    /// No automatic answer is wanted, for this reason.
    pub quiet: Option<Reason>,
    /// It was cut: its source does not hand out more.
    pub cut: Option<Explained>,
}

impl Reader {
    /// What `letter` says. Never fails: what cannot be read says why.
    pub fn read(&self, letter: Letter) -> Inbound {
        let Letter { name, raw, received_at, quiet, cut } = letter;
        let (content, same_as) = match understand::understand_caught(&raw, &Limits::default()) {
            Ok(mail) => {
                let keys = understand::keys(&raw, &mail);
                let mut item = self.item(&raw, mail);
                item.notes.extend(cut);
                (Content::Read(Box::new(item)), keys.identity.into_iter().chain(keys.content).collect())
            }
            Err(error) => {
                // Where the source itself gave less than the whole, that is why.
                let why = cut.unwrap_or_else(|| Explained::new(error.reason(), error.to_string()));
                (Content::Unreadable { reason: why.code, detail: why.detail }, Vec::new())
            }
        };
        Inbound { external_id: ExternalId::new(name), same_as, content, received_at, raw, quiet }
    }

    fn item(&self, raw: &[u8], mail: Mail) -> Item {
        let tree = understand::tree(raw);
        let verdict = tree.as_ref().and_then(|tree| machine::judge(tree, &self.own));
        let claim = tree.as_ref().and_then(|tree| machine::own_claim(tree, &self.own));
        let report = tree.as_ref().and_then(|tree| report::parse(tree, raw));
        let parts = reply::separate_under(mail.subject.as_deref().unwrap_or_default(), &mail.text);
        let reply_text = parts.reply;
        let words = if reply_text.trim().is_empty() { &mail.text } else { &reply_text };
        let language = language::detect(mail.subject.as_deref().unwrap_or_default(), words);
        let mut notes: Vec<Explained> = mail.notes.iter().map(|note| Explained::new(*note, "")).collect();
        notes.extend(file_notes(&mail));
        if let Some(forwarded) = &parts.forwarded {
            notes.push(Explained::new("mail.forwarded", forwarded.from.clone().unwrap_or_default()));
        }
        let nature = match (&report, &verdict) {
            (Some(report), _) if report.kind != Kind::Challenge => Nature::Report(reports(report)),
            (_, Some(verdict)) if is_auto_reply(verdict.nature) => Nature::AutoReply,
            _ => Nature::Message,
        };
        Item {
            nature,
            from: mail.from.iter().find(|from| from.is_routable()).map(party),
            reply_to: mail.reply_to.iter().find(|to| to.is_routable()).map(party),
            contact: None,
            category: None,
            recipients: self.recipients(&mail),
            conversation: None,
            refers_to: refers_to(&mail, report.as_ref()),
            own_ids: mail.message_id.iter().map(|id| external_id(id)).collect(),
            trust: trust::by_header(&mail, &self.authserv_ids).map_or(Trust::Unverified, Trust::Verified),
            machine: verdict.map(|verdict| Machine { reason: Reason::of(verdict.reason), detail: verdict.detail }),
            own: own(claim),
            text: mail.text,
            reply_text,
            html: mail.sanitised_html,
            language,
            attachments: mail.attachments.into_iter().map(attachment).collect(),
            subject: mail.subject.filter(|subject| !subject.trim().is_empty()),
            sent_at: mail.date,
            notes,
        }
    }

    /// Everybody addressed; our own addresses without the token they may carry.
    fn recipients(&self, mail: &Mail) -> Vec<Party> {
        let (mut people, mut known) = (Vec::new(), HashSet::new());
        let delivered = mail.delivered_to.iter().filter(|address| understand::is_routable(address)).map(Party::new);
        for mut person in mail.to.iter().chain(&mail.cc).filter(|one| one.is_routable()).map(party).chain(delivered) {
            if self.own.contains(&person.address)
                && let Some((local, domain)) = person.address.rsplit_once('@')
                && let Some((plain, _)) = local.split_once('+')
            {
                person.address = format!("{plain}@{domain}");
            }
            if known.insert(person.key()) {
                people.push(person);
            }
        }
        people
    }
}

/// The form in which ids of mails are kept and compared: some programs fold the case of what they answer to.
pub fn external_id(id: &str) -> ExternalId {
    ExternalId::new(understand::fold_id(id))
}

fn party(mailbox: &Mailbox) -> Party {
    Party { address: mailbox.address.clone(), name: mailbox.name.clone() }
}

fn own(claim: Option<machine::OwnClaim>) -> OwnClaim {
    let Some(claim) = claim else { return OwnClaim::No };
    let id = claim.message_id.as_deref().and_then(token_of);
    let tokens = claim.loop_tokens.into_iter().chain(id).collect();
    match claim.address {
        Some(_) => OwnClaim::Claimed { tokens },
        None => OwnClaim::Marked { tokens },
    }
}

/// Our tokens are the local part of our ids.
fn token_of(id: &str) -> Option<String> {
    id.split_once('@').map(|(local, _)| local.to_owned())
}

fn refers_to(mail: &Mail, report: Option<&report::Report>) -> RefersTo {
    let mut ids: Vec<&str> = mail.in_reply_to.iter().map(String::as_str).collect();
    ids.extend(mail.references.iter().rev().map(String::as_str));
    let mut tokens: Vec<String> = mail.plus_tokens.iter().map(|plus| plus.token.clone()).collect();
    if let Some(report) = report {
        ids.extend(report.original.message_id.as_deref());
        tokens.extend(report.original.reported_to.iter().filter_map(|address| {
            let (local, _) = address.rsplit_once('@')?;
            local.split_once('+').map(|(_, token)| token.to_owned())
        }));
    }
    tokens.extend(ids.iter().filter_map(|id| token_of(id)));
    let mut known: Vec<ExternalId> = Vec::new();
    for id in ids.into_iter().map(external_id) {
        if !known.contains(&id) {
            known.push(id);
        }
    }
    RefersTo {
        tokens,
        ids: known,
        spoken_in: mail.subject.clone(),
        thread: mail.thread_index.map(|index| data_encoding::HEXLOWER.encode(&index)),
    }
}

fn is_auto_reply(nature: machine::Nature) -> bool {
    matches!(nature, machine::Nature::OutOfOffice | machine::Nature::AutoReply)
}

fn reports(report: &report::Report) -> Vec<Report> {
    let whole = match report.kind {
        Kind::Bounce => ReportOutcome::Failed,
        Kind::Delay => ReportOutcome::Delayed,
        Kind::Delivery | Kind::Receipt | Kind::Challenge => ReportOutcome::Delivered,
        Kind::Complaint => ReportOutcome::Complaint,
    };
    if report.recipients.is_empty() {
        return vec![Report {
            outcome: whole,
            recipient: report.original.recipient.clone(),
            status: None,
            diagnostic: None,
            hard: false,
        }];
    }
    let one = |recipient: &report::Recipient| Report {
        outcome: match (report.kind, recipient.action) {
            (Kind::Complaint, _) => ReportOutcome::Complaint,
            (_, Action::Failed) => ReportOutcome::Failed,
            (_, Action::Delayed) => ReportOutcome::Delayed,
            (_, Action::Delivered | Action::Relayed | Action::Expanded) => ReportOutcome::Delivered,
        },
        recipient: Some(recipient.address.clone()).filter(|address| !address.is_empty()),
        status: recipient.status.clone().or_else(|| recipient.reply.clone()),
        diagnostic: Some(recipient.diagnostic.chars().take(500).collect()).filter(|words: &String| !words.is_empty()),
        hard: recipient.hard,
    };
    report.recipients.iter().map(one).collect()
}

fn file_notes(mail: &Mail) -> Vec<Explained> {
    let named = |file: &understand::Attachment| {
        let tnef = file.kind == AttachmentKind::Tnef && !file.inner_names.is_empty();
        tnef.then(|| Explained::new("mail.tnef", file.inner_names.join(", ")))
    };
    mail.attachments.iter().filter_map(named).collect()
}

fn attachment(file: understand::Attachment) -> Attachment {
    Attachment { name: file.safe_name, media_type: file.media_type, content_id: file.content_id, bytes: file.content }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Inbound {
        let reader =
            Reader { own: OwnAddresses::new(["support@desk.test"]), authserv_ids: vec!["mx.desk.test".into()] };
        let raw = raw.replace('\n', "\r\n").into_bytes();
        reader.read(Letter { name: "INBOX/1/1".into(), raw, received_at: Moment::from_secs(1), quiet: None, cut: None })
    }

    fn item(raw: &str) -> Item {
        match read(raw).content {
            Content::Read(item) => *item,
            Content::Unreadable { reason, detail } => panic!("{reason}: {detail}"),
        }
    }

    const REPLY: &str = "From: Jean <jean@client.test>\nTo: Support <support+tokentoken@desk.test>\nSubject: Re: \
        [GT-482-109-3753] Imprimante\nMessage-ID: <A1@Client.test>\nIn-Reply-To: <Near@desk.test>\nReferences: \
        <far@desk.test> <Near@desk.test>\nAuthentication-Results: mx.desk.test; dmarc=pass \
        header.from=client.test\n\nToujours en panne.\n\nLe lun. 2 nov. 2026 à 10:00, Support <support@desk.test> a \
        écrit :\n> Bonjour\n";

    #[test]
    fn an_address_longer_than_any_can_be_is_nobodys() {
        let long = format!("{}@client.test", "a".repeat(400));
        let raw = format!("Delivered-To: {long}\nFrom: {long}\nTo: {long}, b@client.test\nSubject: x\n\nx\n");
        let item = item(&raw);
        assert_eq!(item.from, None);
        assert_eq!(item.recipients, [Party::new("b@client.test")]);
    }

    #[test]
    fn a_reply_says_who_whose_what_and_in_which_language() {
        let item = item(REPLY);
        assert_eq!(item.from.as_ref().map(Party::key).as_deref(), Some("jean@client.test"));
        assert_eq!(item.recipients.iter().map(Party::key).collect::<Vec<_>>(), ["support@desk.test"]);
        let ids: Vec<_> = item.refers_to.ids.iter().map(ExternalId::as_str).collect();
        assert_eq!(ids, ["near@desk.test", "far@desk.test"]);
        assert_eq!(item.refers_to.tokens.first().map(String::as_str), Some("tokentoken"));
        assert_eq!(item.reply_text, "Toujours en panne.");
        assert!(item.text.contains("> Bonjour"));
        assert_eq!(item.language, Some(guichet_domain::language::Language::Fr));
        assert_eq!(item.trust, Trust::Verified(Reason::of("trust.dmarc")));
        assert_eq!(item.machine, None);
    }

    #[test]
    fn the_same_mail_by_another_alias_shares_a_key_and_another_writer_does_not() {
        let keys = |raw: &str| read(raw).same_as;
        assert_eq!(keys(REPLY), keys(&format!("Received: from x\nDelivered-To: other@desk.test\n{REPLY}")));
        assert_ne!(keys(REPLY), keys(&REPLY.replace("jean@client.test", "paul@client.test")));
    }

    #[test]
    fn bytes_that_are_no_mail_say_why() {
        let Content::Unreadable { reason, .. } = read("   ").content else { panic!("it cannot be read") };
        assert_eq!(reason.as_str(), "mime.empty");
    }

    #[test]
    fn our_own_address_as_writer_is_a_claim_to_be_proved() {
        let own = item("From: support@desk.test\nX-Guichet-Loop: abc\nMessage-ID: <tok@desk.test>\n\nHi\n").own;
        assert_eq!(own, OwnClaim::Claimed { tokens: vec!["abc".into(), "tok".into()] });
        assert_eq!(item("From: jean@client.test\n\nHi\n").own, OwnClaim::No);
        let other = item("From: desk@other.test\nX-Guichet-Loop: abc\n\nHi\n").own;
        assert_eq!(other, OwnClaim::Marked { tokens: vec!["abc".into()] }, "the mark of another desk claims nothing");
    }
}
