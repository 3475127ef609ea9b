//! AUTH (RFC 4954): which mechanism, what to say, what the answer means.

use data_encoding::BASE64;

use super::limits::{Patience, Step};
use super::outcome::NotTried;
use super::relay::{Login, Relay};
use super::reply::Reply;
use super::session::{Broken, Session};
use crate::credentials::{self, Bearer};

/// Why a login did not succeed.
pub(super) enum NotIn {
    /// The connection broke.
    Broken(Broken),
    /// The token was refused: a new one may do.
    TokenRefused(String),
    /// Refused, or not possible.
    Refused(NotTried),
}

/// Logs in with what `relay` has. `protected`: nobody between us and the server can read along.
pub(super) async fn log_in(
    session: &mut Session,
    relay: &Relay,
    protected: bool,
    patience: &Patience,
) -> Result<(), NotIn> {
    let mechanism = match &relay.login {
        Login::None => return Ok(()),
        Login::Password { .. } => pick(session, relay, &["PLAIN", "LOGIN"])?,
        Login::Token { .. } => pick(session, relay, &["XOAUTH2", "OAUTHBEARER"])?,
    };
    if !protected {
        let why = format!("{} would get the password unprotected", relay.name());
        return Err(NotIn::Refused(NotTried::lasting(why, "set security to \"tls\" or \"starttls\"")));
    }
    let (reply, token) = match &relay.login {
        Login::None => return Ok(()),
        Login::Password { user, password } if mechanism == "PLAIN" => {
            (exchange(session, mechanism, &[credentials::plain(user, password)], true, patience).await?, None)
        }
        Login::Password { user, password } => {
            let answers = [user.clone(), password.clone()];
            (exchange(session, mechanism, &answers, false, patience).await?, None)
        }
        Login::Token { user, tokens } => {
            let token = tokens.current().await.map_err(|fault| NotIn::Refused(fault.into()))?;
            let bearer = if mechanism == "XOAUTH2" { Bearer::XOAuth2 } else { Bearer::OAuthBearer };
            let initial = bearer.initial(user, &token, &relay.endpoint.host, relay.endpoint.port);
            let answers = [initial, bearer.after_failure().to_owned()];
            (exchange(session, mechanism, &answers, true, patience).await?, Some((tokens, token)))
        }
    };
    match reply.code {
        235 => {
            session.logged_in = true;
            Ok(())
        }
        _ if reply.is_transient() => Err(NotIn::Refused(NotTried::Passing {
            why: format!("{} puts the login off: {} {}", relay.name(), reply.code, reply.short_text()),
            retry_after: reply.retry_after(),
        })),
        _ => {
            let why = format!("{} refused the login: {} {}", relay.name(), reply.code, reply.short_text());
            match token {
                Some((tokens, token)) => {
                    tokens.refused(&token);
                    Err(NotIn::TokenRefused(why))
                }
                None => {
                    Err(NotIn::Refused(NotTried::lasting(why, "check user and password of the source's smtp section")))
                }
            }
        }
    }
}

/// What a refused token means once a fresh one was refused too.
pub(super) fn token_refused_twice(why: String) -> NotTried {
    NotTried::lasting(why, "authorise the account again, and check that SMTP is enabled for it")
}

fn pick<'m>(session: &Session, relay: &Relay, wanted: &[&'m str]) -> Result<&'m str, NotIn> {
    let offered = &session.offers.auth;
    wanted.iter().copied().find(|name| offered.iter().any(|offer| offer == name)).ok_or_else(|| {
        let offers = if offered.is_empty() { "no login at all".to_owned() } else { offered.join(", ") };
        NotIn::Refused(NotTried::lasting(
            format!("{} offers {offers}, not {}", relay.name(), wanted.join(" or ")),
            "check port, security and kind of login of the source's smtp section",
        ))
    })
}

/// Gives `answers` one challenge after the other, the first at once when `initial`; the last reply.
async fn exchange(
    session: &mut Session,
    mechanism: &str,
    answers: &[String],
    initial: bool,
    patience: &Patience,
) -> Result<Reply, NotIn> {
    let mut answers = answers.iter();
    let mut line = format!("AUTH {mechanism}");
    if initial && let Some(answer) = answers.next() {
        line.push(' ');
        line.push_str(&BASE64.encode(answer.as_bytes()));
    }
    loop {
        line.push_str("\r\n");
        let reply = session.command(line.as_bytes(), Step::Auth, patience).await.map_err(NotIn::Broken)?;
        match answers.next().filter(|_| reply.code == 334) {
            Some(answer) => line = BASE64.encode(answer.as_bytes()),
            None => return Ok(reply),
        }
    }
}
