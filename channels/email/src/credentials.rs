//! What we show a mail server to be let in. Printing any of it, even for debugging, shows dots.

use std::fmt;

/// How a login proves itself.
#[derive(Clone)]
pub enum Credentials {
    /// A user name and a password.
    Password {
        /// The account's user name.
        user: String,
        /// Its password.
        password: String,
    },
    /// A user name and an OAuth 2 access token.
    Bearer {
        /// The account's user name.
        user: String,
        /// A token that is valid now; who renews it stands elsewhere.
        token: String,
        /// How the token is presented.
        mechanism: Bearer,
    },
}

/// The two SASL mechanisms for OAuth 2 tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// Google's and Microsoft's own.
    XOAuth2,
    /// RFC 7628.
    OAuthBearer,
}

impl Bearer {
    /// The mechanism's name as servers list it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::XOAuth2 => "XOAUTH2",
            Self::OAuthBearer => "OAUTHBEARER",
        }
    }

    /// The first message of the exchange, before base64. `host` and `port` are told where the mechanism wants them.
    pub fn initial(self, user: &str, token: &str, host: &str, port: u16) -> String {
        match self {
            Self::XOAuth2 => format!("user={user}\x01auth=Bearer {token}\x01\x01"),
            Self::OAuthBearer => {
                let user = user.replace('=', "=3D").replace(',', "=2C");
                format!("n,a={user},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01")
            }
        }
    }

    /// What must answer the server's error challenge before it will say no.
    pub const fn after_failure(self) -> &'static str {
        match self {
            Self::XOAuth2 => "",
            Self::OAuthBearer => "\x01",
        }
    }
}

/// The message of SASL PLAIN (RFC 4616), before base64.
pub fn plain(user: &str, password: &str) -> String {
    format!("\0{user}\0{password}")
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { .. } => f.write_str("Password(..)"),
            Self::Bearer { mechanism, .. } => write!(f, "Bearer({})", mechanism.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_credentials_shows_neither_user_nor_secret() {
        let password = Credentials::Password { user: "desk".into(), password: "hunter2".into() };
        let token = Credentials::Bearer { user: "desk".into(), token: "ya29.x".into(), mechanism: Bearer::XOAuth2 };
        assert_eq!(format!("{password:?} {token:?}"), "Password(..) Bearer(XOAUTH2)");
    }

    #[test]
    fn oauthbearer_escapes_what_would_end_the_user_name() {
        let message = Bearer::OAuthBearer.initial("a,b=c", "t", "imap.example", 993);
        assert_eq!(message, "n,a=a=2Cb=3Dc,\x01host=imap.example\x01port=993\x01auth=Bearer t\x01\x01");
    }
}
