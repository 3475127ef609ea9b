//! `guichet run`: the daemon.

use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener};
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::ambient::{SystemClock, SystemIds};
use crate::commands::first_admin;
use crate::config::Config;
use crate::http::{self, App};
use crate::intake::{self, Reception};
use crate::kernel::{Kernel, KernelError};
use crate::lifecycle::{self, Lifecycle};
use crate::state::{StateError, StateFolder};
use crate::supervisor::Keeper;
use crate::{sender, supervisor, timers};

/// Why the daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration, the database or a source's settings.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The state folder.
    #[error(transparent)]
    State(#[from] StateError),
    /// The listener.
    #[error(
        "[http] listen = \"{address}\": {source}; stop whatever uses this port, or set another in the configuration"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The socket for other commands.
    #[error("{path}: {source}; mend the permissions of the state folder")]
    Socket {
        /// The socket.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Signals cannot be received.
    #[error("signals cannot be received: {0}")]
    Signals(io::Error),
}

/// Runs until it is told to stop. Everything that was accepted is durable whenever it ends.
pub async fn run(config: &Config) -> Result<(), RunError> {
    let state = StateFolder::open(&config.state)?;
    let _lock = state.lock()?;
    let lifecycle = Lifecycle::default();
    lifecycle.listen().map_err(RunError::Signals)?;
    let kernel = Kernel::open(config, state, Arc::new(SystemClock), Arc::new(SystemIds::default())).await?;
    let address = config.http.listen;
    let listener = listener(address).await.map_err(|source| RunError::Listen { address, source })?;
    let address = listener.local_addr().unwrap_or(address);
    let socket = local_socket(&kernel.state.socket())?;

    let reception = Reception::start(Arc::clone(&kernel));
    let app = App::new(Arc::clone(&kernel), reception.clone(), &config.http);
    let desk = app.desk().clone();
    let (stopping, soft) = (kernel.stopping.clone(), lifecycle.soft.clone());
    tokio::spawn(async move {
        soft.cancelled().await;
        stopping.cancel();
    });
    let tasks = TaskTracker::new();
    let keeper = Keeper {
        tasks: tasks.clone(),
        board: kernel.board.clone(),
        ids: Arc::clone(&kernel.ids),
        lifecycle: lifecycle.clone(),
    };
    http::keep_serving(&keeper, listener, http::router(app.clone()))
        .map_err(|source| RunError::Listen { address, source })?;
    http::keep_serving_local(&keeper, socket, http::router_local(app))
        .map_err(|source| RunError::Socket { path: kernel.state.socket().display().to_string(), source })?;
    sender::run(&keeper, &kernel, &reception);
    timers::run(&keeper, &kernel);
    let mut welcomes = Vec::new();
    for (name, source) in kernel.sources.iter().filter(|(_, source)| source.enabled) {
        let port = intake::port(&reception, name, source);
        welcomes.extend(source.channel.welcome(&port).await);
        let (channel, board, ids) = (Arc::clone(&source.channel), kernel.board.clone(), Arc::clone(&kernel.ids));
        supervisor::run(&tasks, channel, port, board, ids, lifecycle.clone());
    }
    let watched = reception.clone();
    let alive = move || {
        let reception = watched.clone();
        async move { reception.is_alive().await }
    };
    tokio::spawn(lifecycle::feed_watchdog(lifecycle.hard.clone(), alive));

    let names = kernel.sources.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    lifecycle::ready(&format!("listening on {address}; sources: {names}"));
    info!(%address, state = %kernel.state.path().display(), config = %config.origin(), sources = %names, "guichet is ready");
    greet(config, &kernel, address, &welcomes);
    first_admin::invite(&desk, &kernel.state, address).await;

    lifecycle.soft.cancelled().await;
    tasks.close();
    tokio::select! {
        () = tasks.wait() => {}
        () = late(&lifecycle) => warn!("some tasks did not end in time and are dropped"),
    }
    drop(reception);
    if let Err(error) = std::fs::remove_file(kernel.state.socket()) {
        warn!(%error, "the local socket could not be removed");
    }
    kernel.db.close().await;
    info!("guichet has stopped");
    Ok(())
}

async fn late(lifecycle: &Lifecycle) {
    lifecycle.hard.cancelled().await;
    // A moment for what the hard stop ends by itself: attempts that are settled as unknown.
    tokio::time::sleep(Duration::from_secs(2)).await;
}

/// The listener systemd passed (`guichet.socket`: no connection is refused while the daemon restarts), else one of our own.
async fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    match listenfd::ListenFd::from_env().take_tcp_listener(0)? {
        Some(passed) => {
            passed.set_nonblocking(true)?;
            TcpListener::from_std(passed)
        }
        None => TcpListener::bind(address).await,
    }
}

/// The socket by which other commands reach the daemon: for this user alone. One that a killed daemon left is replaced;
/// the lock on the state folder says that nobody else serves it.
fn local_socket(path: &Path) -> Result<UnixListener, RunError> {
    let failed = |source| RunError::Socket { path: path.display().to_string(), source };
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Tells a person at a terminal where it listens and what to try next.
fn greet(config: &Config, kernel: &Kernel, address: SocketAddr, welcomes: &[String]) {
    let mut out = io::stderr();
    if !out.is_terminal() {
        return;
    }
    let state = kernel.state.path().display();
    let flags = if config.file.is_none() && std::env::var_os("STATE_DIRECTORY").is_none() {
        format!(" --state {state}")
    } else {
        String::new()
    };
    let source = kernel.sources.keys().next().map_or("local", |name| name.as_str());
    let words = format!(
        "\n  guichet listens on http://{address} and keeps everything in {state}\n\n  Try, in another terminal:\n    \
         guichet{flags} inject --source {source} < some.eml     a mail becomes a ticket and is acknowledged\n    \
         guichet{flags} ticket list                          the tickets\n    guichet config example                      \
         how to connect a real mailbox\n{}\n  Stop with Ctrl-C.\n\n",
        welcomes.iter().flat_map(|words| ["\n  ", words.as_str(), "\n"]).collect::<String>()
    );
    // A terminal that went away is no reason to stop.
    drop(out.write_all(words.as_bytes()));
}
