//! Sockets towards mail servers: connecting within a limit, and turning a plain connection into TLS.
//!
//! Every socket has TCP_NODELAY: IMAP and SMTP are dialogues of small writes, and Nagle's algorithm against delayed
//! acknowledgements costs 40 ms a mail.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (IMAPS 993, SMTPS 465).
    Tls,
    /// Plain at first, TLS before anything secret is said; a server that offers none is refused.
    StartTls,
    /// No protection at all: only to this machine, unless the operator allows it.
    Plain,
}

/// A server to talk to.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Host name or address; also the name the certificate must bear.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Whether [`Security::Plain`] may leave this machine.
    pub plain_anywhere: bool,
    /// Believed authorities: [`crate::tls::client_config`].
    pub tls: Arc<ClientConfig>,
}

impl Endpoint {
    /// `host:port`, for messages to the operator.
    pub fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// A connection, protected or not.
#[derive(Debug)]
pub enum Stream {
    /// As it left the system.
    Plain(TcpStream),
    /// After a TLS handshake.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects to the first address of `host` that answers, with TCP_NODELAY set.
///
/// `limit` bounds the whole: the name look-up and every address. Each address but the last gets at most half of what is
/// left, so that one dead address (often IPv6) does not use up the time of a live one. Cancelling closes what was opened.
pub async fn connect(host: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
    let deadline = Instant::now() + limit;
    let found =
        timeout_at(deadline, lookup_host((host, port))).await.map_err(|_| late("the name look-up", limit))??;
    let addresses: Vec<SocketAddr> = found.collect();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for (index, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = if index + 1 == addresses.len() { left } else { left / 2 };
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => failure = error,
            Err(_) => failure = late("the connection", limit),
        }
    }
    Err(failure)
}

/// Makes a connection secure: at once for implicit TLS, or after the protocol's own STARTTLS was agreed.
///
/// The certificate must bear `host`. An error that [`crate::tls::refusal`] recognises will not heal by trying again.
pub async fn secure(stream: TcpStream, host: &str, config: &Arc<ClientConfig>, limit: Duration) -> io::Result<Stream> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the host is neither a name nor an address"))?;
    let handshake = TlsConnector::from(Arc::clone(config)).connect(name, stream);
    let stream = timeout(limit, handshake).await.map_err(|_| late("the TLS handshake", limit))??;
    Ok(Stream::Tls(Box::new(stream)))
}

fn late(what: &str, limit: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("{what} took longer than {} s", limit.as_secs()))
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_never_shakes_hands_is_given_up_within_the_limit() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = silent.local_addr().unwrap().port();
        let stream = connect("127.0.0.1", port, Duration::from_secs(5)).await.unwrap();
        assert!(stream.nodelay().unwrap());
        let config = crate::tls::client_config(None).unwrap();
        let error = secure(stream, "127.0.0.1", &config, Duration::from_millis(30)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_closed_port_is_an_error_at_once() {
        let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let error = connect("127.0.0.1", gone, Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
