//! Who a mail is from and to, as the servers see it, and the commands that say so.

use super::session::Offers;
use crate::compose::is_sendable;

/// The envelope of one mail: one recipient, so that a refusal is always the refusal of this mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    sender: Option<String>,
    recipient: String,
    journal: Option<String>,
    id: Option<String>,
}

/// An address that cannot stand in an SMTP command ([`is_sendable`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {role} address is no mail address")]
pub struct BadEnvelope {
    role: &'static str,
}

impl Envelope {
    /// From `sender` (`None`: the null reverse path `<>`) to `recipient`. Addresses are taken leniently, as the world
    /// writes them (`a..b@example.jp`).
    pub fn new(sender: Option<&str>, recipient: &str) -> Result<Self, BadEnvelope> {
        Ok(Self {
            sender: sender.map(|address| checked(address, "sender")).transpose()?,
            recipient: checked(recipient, "recipient")?,
            journal: None,
            id: None,
        })
    }

    /// Sends a copy to `journal` in the same transaction. Its refusal never stops the mail.
    pub fn with_journal(mut self, journal: &str) -> Result<Self, BadEnvelope> {
        self.journal = Some(checked(journal, "journal")?);
        Ok(self)
    }

    /// Has bounces name `id` (ENVID, RFC 3461) where the server offers delivery status notifications.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// Whether an address needs the server to offer SMTPUTF8 (RFC 6531).
    pub(super) fn is_international(&self) -> bool {
        !self.recipient.is_ascii() || !self.sender.as_deref().unwrap_or_default().is_ascii()
    }

    /// A journal that this server cannot take is left out rather than the mail.
    pub(super) fn journal(&self, offers: &Offers) -> Option<&str> {
        self.journal.as_deref().filter(|address| address.is_ascii() || offers.smtputf8)
    }

    /// The MAIL command, with what the server offers.
    pub(super) fn write_mail(&self, out: &mut Vec<u8>, offers: &Offers, message: &[u8]) {
        out.extend_from_slice(b"MAIL FROM:<");
        out.extend_from_slice(self.sender.as_deref().unwrap_or_default().as_bytes());
        out.push(b'>');
        if offers.size.is_some() {
            out.extend_from_slice(format!(" SIZE={}", message.len()).as_bytes());
        }
        let ascii = message.is_ascii();
        if offers.eight_bit && !ascii {
            out.extend_from_slice(b" BODY=8BITMIME");
        }
        if offers.smtputf8 && (!ascii || self.is_international()) {
            out.extend_from_slice(b" SMTPUTF8");
        }
        if let Some(id) = self.id.as_deref().filter(|_| offers.dsn) {
            out.extend_from_slice(b" RET=HDRS ENVID=");
            write_xtext(out, id, 100);
        }
        out.extend_from_slice(b"\r\n");
    }

    /// The RCPT command of the recipient. With a null sender there is nobody to notify, so nothing is asked.
    pub(super) fn write_rcpt(&self, out: &mut Vec<u8>, offers: &Offers) {
        out.extend_from_slice(b"RCPT TO:<");
        out.extend_from_slice(self.recipient.as_bytes());
        out.push(b'>');
        if offers.dsn && self.sender.is_some() {
            out.extend_from_slice(b" NOTIFY=FAILURE,DELAY");
            if self.recipient.is_ascii() {
                out.extend_from_slice(b" ORCPT=rfc822;");
                write_xtext(out, &self.recipient, self.recipient.len());
            }
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// The RCPT command of the journal copy, about which nobody is to be notified.
pub(super) fn write_journal(out: &mut Vec<u8>, journal: &str, offers: &Offers) {
    out.extend_from_slice(b"RCPT TO:<");
    out.extend_from_slice(journal.as_bytes());
    out.extend_from_slice(if offers.dsn { b"> NOTIFY=NEVER\r\n".as_slice() } else { b">\r\n" });
}

fn checked(address: &str, role: &'static str) -> Result<String, BadEnvelope> {
    if !is_sendable(address) {
        return Err(BadEnvelope { role });
    }
    Ok(address.to_owned())
}

/// xtext of RFC 3461 section 4: printable ASCII but `+` and `=` as itself, the rest as `+XX`. At most `limit` bytes
/// of `text`.
fn write_xtext(out: &mut Vec<u8>, text: &str, limit: usize) {
    for byte in text.bytes().take(limit) {
        if (b'!'..=b'~').contains(&byte) && byte != b'+' && byte != b'=' {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("+{byte:02X}").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(envelope: &Envelope, offers: &Offers, message: &[u8]) -> String {
        let mut out = Vec::new();
        envelope.write_mail(&mut out, offers, message);
        envelope.write_rcpt(&mut out, offers);
        if let Some(journal) = envelope.journal(offers) {
            write_journal(&mut out, journal, offers);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_bare_server_gets_bare_commands() {
        let envelope = Envelope::new(None, "ann@example.org").unwrap().with_id("d-1");
        let said = commands(&envelope, &Offers::default(), b"x");
        assert_eq!(said, "MAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\n");
    }

    #[test]
    fn a_server_with_everything_is_told_everything() {
        let offers = Offers { size: Some(0), eight_bit: true, smtputf8: true, dsn: true, ..Offers::default() };
        let envelope = Envelope::new(Some("bounce+7@desk.example"), "ann+x@example.org").unwrap();
        let envelope = envelope.with_id("a=b").with_journal("sent@desk.example").unwrap();
        assert_eq!(
            commands(&envelope, &offers, "é".as_bytes()),
            "MAIL FROM:<bounce+7@desk.example> SIZE=2 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+3Db\r\n\
             RCPT TO:<ann+x@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;ann+2Bx@example.org\r\n\
             RCPT TO:<sent@desk.example> NOTIFY=NEVER\r\n"
        );
    }

    #[test]
    fn odd_but_real_addresses_pass_and_command_injection_does_not() {
        for address in ["a..b@docomo.ne.jp", "\"quoted\"@example.org", "o'hara@example.org", "jürgen@example.org"] {
            assert!(Envelope::new(None, address).is_ok(), "{address}");
        }
        let long = format!("{}@example.org", "a".repeat(400));
        for address in ["", "x", "@y", "x@", "a b@c", "a@b>\r\nDATA", "a@b\0", "<a@b>", "a@b\u{85}c", &long] {
            assert!(Envelope::new(None, address).is_err(), "{address}");
            assert!(Envelope::new(Some(address), "a@b").is_err(), "{address}");
            assert!(Envelope::new(None, "a@b").unwrap().with_journal(address).is_err(), "{address}");
        }
    }
}
