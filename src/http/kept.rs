//! Serving for as long as the daemon runs: should the loop that accepts connections fall, the next goes on with the same
//! socket, and whoever connects in between only waits.

use std::io;
use std::net::TcpListener as StdTcpListener;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use tokio::net::{TcpListener, UnixListener};
use tracing::error;

use super::{serve, serve_local};
use crate::supervisor::Keeper;

/// Serves the network until the soft stop.
pub fn keep_serving(keeper: &Keeper, listener: TcpListener, router: Router) -> io::Result<()> {
    let (socket, lifecycle) = (listener.into_std()?, keeper.lifecycle.clone());
    let again = |socket: &StdTcpListener| TcpListener::from_std(socket.try_clone()?);
    keep(keeper, "http", socket, again, move |listener| serve(listener, router.clone(), lifecycle.clone()));
    Ok(())
}

/// The same on a Unix socket.
pub fn keep_serving_local(keeper: &Keeper, listener: UnixListener, router: Router) -> io::Result<()> {
    let (socket, lifecycle) = (listener.into_std()?, keeper.lifecycle.clone());
    let again = |socket: &StdUnixListener| UnixListener::from_std(socket.try_clone()?);
    keep(keeper, "local socket", socket, again, move |listener| {
        serve_local(listener, router.clone(), lifecycle.clone())
    });
    Ok(())
}

/// Runs `serve` on a copy of `socket` made by `again`, anew whenever it falls. With the soft stop the socket is closed, so
/// that whoever connects from then on is refused and need not wait.
fn keep<S, L, F>(
    keeper: &Keeper,
    part: &'static str,
    socket: S,
    again: fn(&S) -> io::Result<L>,
    serve: impl Fn(L) -> F + Send + Sync + 'static,
) where
    S: Send + 'static,
    L: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let socket = Arc::new(Mutex::new(Some(socket)));
    let stop = keeper.lifecycle.soft.clone();
    keeper.keep(part, move || {
        let copy = socket.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(again);
        let serving = match copy {
            Some(Ok(listener)) => Some(serve(listener)),
            Some(Err(error)) => {
                error!(part, %error, "the socket cannot be listened to again");
                None
            }
            None => None,
        };
        let (socket, stop) = (Arc::clone(&socket), stop.clone());
        async move {
            let Some(serving) = serving else { return };
            let closing = async {
                stop.cancelled().await;
                drop(socket.lock().unwrap_or_else(PoisonError::into_inner).take());
            };
            tokio::join!(serving, closing);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::ambient::{SystemClock, SystemIds};
    use crate::lifecycle::Lifecycle;
    use crate::supervisor::HealthBoard;

    #[tokio::test]
    async fn after_the_accept_loop_fell_the_same_address_answers() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let keeper = Keeper {
            tasks: TaskTracker::new(),
            board: HealthBoard::new(Arc::new(SystemClock)),
            ids: Arc::new(SystemIds::default()),
            lifecycle: Lifecycle::default(),
        };
        let lives = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&lives);
        let again = |socket: &StdTcpListener| TcpListener::from_std(socket.try_clone()?);
        let socket = listener.into_std().unwrap();
        keep(&keeper, "http", socket, again, move |listener| {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                assert!(number > 0, "the first life falls with its first caller");
                stream.write_all(b"here").await.unwrap();
            }
        });
        drop(TcpStream::connect(address).await.unwrap());
        let mut answer = String::new();
        TcpStream::connect(address).await.unwrap().read_to_string(&mut answer).await.unwrap();
        assert_eq!((answer.as_str(), lives.load(Ordering::SeqCst)), ("here", 2));
        keeper.lifecycle.soft.cancel();
        keeper.tasks.close();
        keeper.tasks.wait().await;
        assert!(TcpStream::connect(address).await.is_err(), "a daemon that stops listens no longer");
    }
}
