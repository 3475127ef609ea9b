//! Accepting connections until the soft stop; what is under way ends before the hard one.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use axum::serve::{Listener, ListenerExt as _};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::debug;

use super::peer::Hop;
use crate::lifecycle::Lifecycle;

/// How long a client may take to send the head of a request, or to begin the next one.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// Connections at once: below the open-file limit of small machines.
const CONNECTIONS: usize = 15_000;

/// Serves `router` on a TCP listener until the soft stop; returns when all requests have been answered, or at the hard
/// stop.
pub async fn serve(listener: TcpListener, router: Router, lifecycle: Lifecycle) {
    // Answers are written whole: waiting for more to say only delays them.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    accept(listener, router, lifecycle, |address| Some(*address)).await;
}

/// The same on a Unix socket.
pub async fn serve_local(listener: UnixListener, router: Router, lifecycle: Lifecycle) {
    accept(listener, router, lifecycle, |_| None).await;
}

async fn accept<L>(mut listener: L, router: Router, lifecycle: Lifecycle, other_end: fn(&L::Addr) -> Option<SocketAddr>)
where
    L: Listener,
    L::Addr: Send,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, (stream, address)) = tokio::select! {
            next = next => next,
            () = lifecycle.soft.cancelled() => break,
        };
        let (router, lifecycle, hop) = (router.clone(), lifecycle.clone(), other_end(&address).map(Hop));
        connections.spawn(async move {
            connection(stream, hop, router, &lifecycle).await;
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    tokio::select! {
        () = connections.wait() => {}
        () = lifecycle.hard.cancelled() => {}
    }
}

/// One connection until it ends; after the soft stop it ends with the answer under way.
async fn connection<I>(stream: I, hop: Option<Hop>, router: Router, lifecycle: &Lifecycle)
where
    I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = router.map_request(move |mut request: Request<Incoming>| {
        if let Some(hop) = hop {
            request.extensions_mut().insert(hop);
        }
        request
    });
    let service = TowerToHyperService::new(service);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut stopping = false;
    loop {
        tokio::select! {
            end = connection.as_mut() => {
                if let Err(error) = end {
                    debug!(%error, "a connection ended early");
                }
                return;
            }
            () = lifecycle.soft.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = lifecycle.hard.cancelled() => return,
        }
    }
}
