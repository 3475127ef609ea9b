//! What can go wrong with a mailbox, whether trying again can help, and what the operator should do.

use std::io;
use std::time::Duration;

/// Why a session ended or a command was not carried out. The text says what, where and the remedy, and holds no address,
/// password or mail: what a server said is cleaned by [`said`] before it enters here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// We were asked to stop. Nobody needs to act.
    #[error("stopped on request")]
    Stopped,
    /// No connection: name look-up, refusal, no route, no answer.
    #[error("cannot connect to {place}: {source}; check `host`, `port`, the name server and the firewall")]
    Connect {
        /// `host:port`.
        place: String,
        /// What the system said.
        source: io::Error,
    },
    /// The server's certificate is not believed.
    #[error(
        "{place} shows a certificate that is not believed: {reason}; correct `host`, or name the authority in `ca_file`"
    )]
    Certificate {
        /// `host:port`.
        place: String,
        /// Why, in the words of the verifier.
        reason: String,
    },
    /// The port does not speak TLS.
    #[error("{place} does not speak TLS at once; use port 993, or `security = \"starttls\"`")]
    NotTls {
        /// `host:port`.
        place: String,
    },
    /// STARTTLS was wanted and is not offered.
    #[error("{place} offers no STARTTLS; use `security = \"tls\"` and port 993")]
    NoStartTls {
        /// `host:port`.
        place: String,
    },
    /// Unprotected, and not to this machine.
    #[error(
        "{place} would get the password unprotected; use `security = \"tls\"`, or allow plain connections for this source"
    )]
    Unprotected {
        /// `host:port`.
        place: String,
    },
    /// The server clearly refuses the user or the password.
    #[error("{place} refuses the login: {reason}; correct user and password, the source stays stopped until then")]
    LoginRefused {
        /// `host:port`.
        place: String,
        /// The server's words.
        reason: String,
    },
    /// The server refuses the access token. It may have run out: renew it, then try again.
    #[error("{place} refuses the access token: {reason}; it is renewed at once, if this persists give consent again")]
    TokenRefused {
        /// `host:port`.
        place: String,
        /// The server's words.
        reason: String,
    },
    /// The login failed and the server does not say that the secret is wrong.
    #[error("{place} did not let us in: {reason}; it is tried again, if this persists check user and password")]
    LoginFailed {
        /// `host:port`.
        place: String,
        /// The server's words.
        reason: String,
    },
    /// No way to log in that both sides know.
    #[error("{place} does not offer {wanted}; it offers: {offered}; choose another `auth`")]
    NoMechanism {
        /// `host:port`.
        place: String,
        /// What the configuration asks for.
        wanted: &'static str,
        /// What the server lists.
        offered: String,
    },
    /// A configured folder does not exist and could not be made.
    #[error(
        "{place} has no folder \"{folder}\": {reason}; correct its name (servers may want a prefix such as \"INBOX.\") or create it"
    )]
    FolderMissing {
        /// `host:port`.
        place: String,
        /// As configured.
        folder: String,
        /// The server's words.
        reason: String,
    },
    /// Mail is to be moved out of a folder that may only be read.
    #[error("{place} opens \"{folder}\" read-only; give the account the right to change it, or leave mail in place")]
    ReadOnly {
        /// `host:port`.
        place: String,
        /// As configured.
        folder: String,
    },
    /// The name cannot be said in a command.
    #[error("the folder name \"{folder}\" holds a line end; correct it in the configuration")]
    BadFolderName {
        /// As configured, escaped.
        folder: String,
    },
    /// SELECT was answered without UIDVALIDITY: without it no mail can be told from another.
    #[error("{place} opened \"{folder}\" without UIDVALIDITY; if this persists the server cannot be used")]
    NoUidValidity {
        /// `host:port`.
        place: String,
        /// As configured.
        folder: String,
    },
    /// The server closed, with or without a BYE.
    #[error("{place} closed the connection during {during}{said}; it is opened again")]
    Closed {
        /// `host:port`.
        place: String,
        /// What we were doing.
        during: &'static str,
        /// Its BYE, if any.
        said: String,
    },
    /// Nothing came for too long.
    #[error("{place} said nothing for {} s during {during}; the connection is opened again", after.as_secs())]
    Silent {
        /// `host:port`.
        place: String,
        /// What we were doing.
        during: &'static str,
        /// How long we waited.
        after: Duration,
    },
    /// A command was answered NO or BAD.
    #[error("{place} refuses {during}: {reason}; it is tried again")]
    Refused {
        /// `host:port`.
        place: String,
        /// What we were doing.
        during: &'static str,
        /// The server's words.
        reason: String,
    },
    /// Bytes that are no IMAP, more of them than any answer needs, or a socket error.
    #[error("the connection to {place} broke during {during}: {source}; it is opened again")]
    Broken {
        /// `host:port`.
        place: String,
        /// What we were doing.
        during: &'static str,
        /// What the system or the parser said, without the bytes.
        source: io::Error,
    },
    /// Intake would not take what was read. The mail stays where it is.
    #[error("the mail was read and not taken in: {reason}; it stays in its folder and is offered again")]
    NotTaken {
        /// Intake's words.
        reason: String,
    },
    /// The stored position in the folder cannot be read.
    #[error("the position in \"{folder}\" cannot be read from the database: {reason}")]
    Position {
        /// As configured.
        folder: String,
        /// The store's words.
        reason: String,
    },
}

impl Error {
    /// Whether trying again without a change of configuration or server is pointless.
    pub const fn lasting(&self) -> bool {
        matches!(
            self,
            Self::Certificate { .. }
                | Self::NotTls { .. }
                | Self::NoStartTls { .. }
                | Self::Unprotected { .. }
                | Self::LoginRefused { .. }
                | Self::NoMechanism { .. }
                | Self::FolderMissing { .. }
                | Self::ReadOnly { .. }
                | Self::BadFolderName { .. }
        )
    }

    /// Whether the connection ended under a command: by the server, by the network, or by its silence.
    pub(super) const fn broke_off(&self) -> bool {
        matches!(self, Self::Closed { .. } | Self::Silent { .. } | Self::Broken { .. })
    }

    /// What happened, and what is to be done about it.
    pub fn parts(&self) -> (String, String) {
        let text = self.to_string();
        match text.rsplit_once("; ") {
            Some((what, remedy)) => (what.to_owned(), remedy.to_owned()),
            None => (text, String::new()),
        }
    }

    /// Whether a new access token should be fetched before the next try.
    pub const fn token_refused(&self) -> bool {
        matches!(self, Self::TokenRefused { .. })
    }
}

/// A server's words made fit for a log: one line, at most 160 characters, words that look like addresses left out.
pub fn said(text: &str) -> String {
    let words = text.split_whitespace().map(|word| if word.contains('@') { "(address)" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_lose_addresses_and_line_ends() {
        assert_eq!(said("user bob@example.org\r\nis   unknown"), "user (address) is unknown");
        assert_eq!(said(&"x".repeat(500)).len(), 160);
    }

    #[test]
    fn what_and_remedy_are_told_apart_whatever_the_server_says() {
        let error = Error::LoginRefused { place: "mail:993".into(), reason: "no; go away".into() };
        let (what, remedy) = error.parts();
        assert_eq!(what, "mail:993 refuses the login: no; go away");
        assert!(remedy.starts_with("correct user and password"), "{remedy}");
    }

    #[test]
    fn a_wrong_password_is_lasting_and_a_closed_connection_is_not() {
        assert!(Error::LoginRefused { place: "a:1".into(), reason: "no".into() }.lasting());
        assert!(!Error::Closed { place: "a:1".into(), during: "FETCH", said: String::new() }.lasting());
    }
}
