//! The server that takes our mail, and how to reach it.

use std::io;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

use super::limits::Limits;
use crate::net::{self, Endpoint};
use crate::oauth::AccessTokens;

/// One SMTP server and everything a send needs to know of it.
#[derive(Clone)]
pub struct Relay {
    /// Where it listens, and how the connection is protected.
    pub endpoint: Endpoint,
    /// Who we say we are in EHLO: a host name, or an address in brackets.
    pub hello: String,
    /// How we prove it.
    pub login: Login,
    /// Connections at the same time; at least one.
    pub connections: usize,
    /// How long a connection without mail is kept.
    pub idle: Duration,
    /// At most so many mails in any minute.
    pub per_minute: Option<NonZeroU32>,
    /// The time limits.
    pub limits: Limits,
}

/// How we prove who we are.
#[derive(Clone)]
pub enum Login {
    /// Not at all: a server that trusts our address.
    None,
    /// AUTH PLAIN, else LOGIN.
    Password {
        /// The account.
        user: String,
        /// Its password; never logged.
        password: String,
    },
    /// AUTH XOAUTH2, else OAUTHBEARER.
    Token {
        /// The account.
        user: String,
        /// Gives access tokens.
        tokens: Arc<dyn AccessTokens>,
    },
}

/// A byte stream to the server: a socket, TLS over it, or a test's pipe.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Opens the byte stream.
#[async_trait]
pub trait Dial: Send + Sync {
    /// A new connection, not yet TLS. Called under a time limit.
    async fn dial(&self) -> io::Result<Box<dyn Wire>>;
}

/// Over TCP, with TCP_NODELAY: a mail is two small writes with a reply awaited after each, and held back by Nagle's
/// algorithm each would wait for the other side's delayed acknowledgement, some 40 ms.
pub(super) struct Tcp {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) limit: Duration,
}

#[async_trait]
impl Dial for Tcp {
    async fn dial(&self) -> io::Result<Box<dyn Wire>> {
        Ok(Box::new(net::connect(&self.host, self.port, self.limit).await?))
    }
}

impl Relay {
    /// A relay at `endpoint` with the usual values: own name `localhost`, no login, four connections, idle ones closed
    /// after 30 s, no rate.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            hello: "localhost".to_owned(),
            login: Login::None,
            connections: 4,
            idle: Duration::from_secs(30),
            per_minute: None,
            limits: Limits::default(),
        }
    }

    /// As messages name it.
    pub(super) fn name(&self) -> String {
        self.endpoint.place()
    }

    /// Whether the server is this machine itself.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.endpoint.host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}
