//! HTTP over the socket of a running daemon.

use std::io;
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use axum::http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::sync::Mutex;

use crate::commands::failure::{Exit, Failure};

type Connection = SendRequest<Full<Bytes>>;

/// A daemon that answers.
pub(super) struct Daemon {
    socket: PathBuf,
    /// Kept from one request to the next.
    idle: Mutex<Vec<Connection>>,
}

impl Daemon {
    /// The daemon behind `socket`; `None` when there is none, or only the socket a killed one left.
    pub(super) async fn find(socket: &Path) -> Result<Option<Self>, Failure> {
        match connect(socket).await {
            Ok(connection) => Ok(Some(Self { socket: socket.to_owned(), idle: Mutex::new(vec![connection]) })),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(unreachable(socket, &error)),
        }
    }

    /// Sends one request and gives the whole answer.
    pub(super) async fn ask(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Failure> {
        let mut connection = self.connection().await?;
        let mut sent = connection.try_send_request(request).await;
        if let Err(mut error) = sent {
            // The daemon ends connections that were idle for long: then nothing was sent yet.
            let Some(unsent) = error.take_message() else { return Err(gone(&error.into_error())) };
            connection = connect(&self.socket).await.map_err(|error| unreachable(&self.socket, &error))?;
            sent = connection.try_send_request(unsent).await;
        }
        let response = sent.map_err(|error| gone(&error.into_error()))?;
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.map_err(|error| gone(&error))?.to_bytes();
        self.idle.lock().await.push(connection);
        Ok((head.status, bytes))
    }

    async fn connection(&self) -> Result<Connection, Failure> {
        loop {
            // The guard ends with this line: nobody waits while an idle connection is looked at.
            let Some(mut connection) = self.idle.lock().await.pop() else { break };
            if connection.ready().await.is_ok() {
                return Ok(connection);
            }
        }
        connect(&self.socket).await.map_err(|error| unreachable(&self.socket, &error))
    }
}

async fn connect(socket: &Path) -> io::Result<Connection> {
    let stream = UnixStream::connect(socket).await?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(async move {
        // How it ended is told to whoever waits for an answer.
        drop(connection.await);
    });
    Ok(sender)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::NotADirectory)
}

fn unreachable(socket: &Path, error: &io::Error) -> Failure {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => "run as the user guichet runs as, or as root",
        _ => "see whether the daemon runs and answers",
    };
    Failure::new(format!("{}: {error}", socket.display()), remedy).ending(Exit::NotNow)
}

/// The connection broke while an answer was waited for: nobody knows whether it was done.
fn gone(error: &hyper::Error) -> Failure {
    let what = format!("the daemon went away before it answered: {error}");
    Failure::new(what, "it may or may not be done: look, and ask again when the daemon runs").ending(Exit::NotNow)
}
