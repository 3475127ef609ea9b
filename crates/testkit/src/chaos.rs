//! A TCP proxy that does to a connection what networks do.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What is done to connections. A change holds for open connections too, at the next byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Chaos {
    /// Bytes pass.
    #[default]
    Pass,
    /// Nobody listens: connecting fails at once, and open connections are reset.
    Refuse,
    /// Connections are taken and nothing passes, in either direction, for ever.
    BlackHole,
    /// The connection is reset once so many bytes have passed this way.
    ResetAfter(Way, u64),
    /// The connection is closed in order once so many bytes have passed this way.
    FinAfter(Way, u64),
    /// Everything comes later by this much.
    Latency(Duration),
    /// One byte at a time, each in a packet of its own, with this pause before it.
    Drip(Duration),
}

/// A direction through the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From who connected to the server.
    Up,
    /// From the server to who connected.
    Down,
}

/// A proxy in front of one server. It ends when dropped.
pub struct ChaosProxy {
    address: SocketAddr,
    chaos: watch::Sender<Chaos>,
    connections: Arc<AtomicU64>,
    task: JoinHandle<()>,
    listening: watch::Receiver<bool>,
}

impl ChaosProxy {
    /// Listens on a free port of 127.0.0.1 and passes everything on to `server`.
    pub async fn before(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let chaos = watch::Sender::new(Chaos::Pass);
        let connections = Arc::new(AtomicU64::new(0));
        let (says, listening) = watch::channel(true);
        let door = Door { address, server, chaos: chaos.subscribe(), connections: Arc::clone(&connections), says };
        let task = tokio::spawn(door.keep(listener));
        Ok(Self { address, chaos, connections, task, listening })
    }

    /// Where to connect instead of to the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were taken so far.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    /// Does this from now on. Returns when new connections meet it.
    pub async fn set(&self, chaos: Chaos) {
        self.chaos.send_replace(chaos);
        let wanted = chaos != Chaos::Refuse;
        // Fails only when the task is gone, and then nobody listens either.
        drop(self.listening.clone().wait_for(|listening| *listening == wanted).await);
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Door {
    address: SocketAddr,
    server: SocketAddr,
    chaos: watch::Receiver<Chaos>,
    connections: Arc<AtomicU64>,
    says: watch::Sender<bool>,
}

impl Door {
    async fn keep(mut self, listener: TcpListener) {
        let mut open = Some(listener);
        loop {
            let shut = *self.chaos.borrow_and_update() == Chaos::Refuse;
            if shut {
                open = None;
            } else if open.is_none() {
                open = listen_again(self.address).ok();
            }
            self.says.send_replace(open.is_some());
            let taken = async {
                match &open {
                    Some(listener) => listener.accept().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                taken = taken => {
                    let Ok((client, _)) = taken else { continue };
                    self.connections.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(carry(client, self.server, self.chaos.clone()));
                }
                changed = self.chaos.changed() => if changed.is_err() { return },
            }
        }
    }
}

/// Takes the same port as before: others of this machine may be pointed at it.
fn listen_again(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(64)
}

/// How a direction of a connection came to its end.
enum End {
    Fin,
    Reset,
}

async fn carry(mut client: TcpStream, server: SocketAddr, mut chaos: watch::Receiver<Chaos>) {
    // A server that is not asked cannot notice: the black hole swallows the connection itself.
    if chaos.wait_for(|chaos| *chaos != Chaos::BlackHole).await.is_err() {
        return;
    }
    let Ok(mut upstream) = TcpStream::connect(server).await else {
        drop(client.set_zero_linger());
        return;
    };
    for side in [&client, &upstream] {
        drop(side.set_nodelay(true));
    }
    let end = {
        let (client_read, client_write) = client.split();
        let (server_read, server_write) = upstream.split();
        let up = pin!(pump(client_read, server_write, Way::Up, chaos.clone()));
        let down = pin!(pump(server_read, client_write, Way::Down, chaos));
        // One way at its end does not end the other: who closed its half may still read the answer. A reset ends both.
        match select(up, down).await {
            Either::Left((End::Reset, _)) | Either::Right((End::Reset, _)) => End::Reset,
            Either::Left((End::Fin, down)) => down.await,
            Either::Right((End::Fin, up)) => up.await,
        }
    };
    if matches!(end, End::Reset) {
        drop(client.set_zero_linger());
        drop(upstream.set_zero_linger());
    }
}

async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, way: Way, mut chaos: watch::Receiver<Chaos>) -> End {
    let mut passed = 0u64;
    let mut buffer = vec![0; 16 * 1024];
    let mut refusal = chaos.clone();
    loop {
        let read = tokio::select! {
            biased;
            _ = refusal.wait_for(|chaos| *chaos == Chaos::Refuse) => return End::Reset,
            read = from.read(&mut buffer) => read,
        };
        let bytes = match read {
            Ok(0) => {
                drop(to.shutdown().await);
                return End::Fin;
            }
            Ok(count) => buffer.get(..count).unwrap_or_default(),
            Err(_) => return End::Reset,
        };
        match pass(bytes, &mut to, way, &mut passed, &mut chaos).await {
            Ok(None) => {}
            Ok(Some(end)) => return end,
            Err(_) => return End::Reset,
        }
    }
}

/// Passes `bytes` on as the chaos of the moment wants it; answers how it ended the connection, if it did.
async fn pass(
    bytes: &[u8],
    to: &mut WriteHalf<'_>,
    way: Way,
    passed: &mut u64,
    chaos: &mut watch::Receiver<Chaos>,
) -> io::Result<Option<End>> {
    let Ok(now) = chaos.wait_for(|chaos| *chaos != Chaos::BlackHole).await.map(|chaos| *chaos) else {
        return Ok(Some(End::Reset));
    };
    let limit = match now {
        Chaos::ResetAfter(on, limit) | Chaos::FinAfter(on, limit) if on == way => Some(limit.saturating_sub(*passed)),
        _ => None,
    };
    let fits = limit.map_or(bytes.len(), |limit| usize::try_from(limit).unwrap_or(usize::MAX).min(bytes.len()));
    let fitting = bytes.get(..fits).unwrap_or_default();
    match now {
        Chaos::Drip(pause) => {
            for byte in fitting {
                tokio::time::sleep(pause).await;
                to.write_all(std::slice::from_ref(byte)).await?;
            }
        }
        Chaos::Latency(by) => {
            tokio::time::sleep(by).await;
            to.write_all(fitting).await?;
        }
        _ => to.write_all(fitting).await?,
    }
    *passed += u64::try_from(fits).unwrap_or(u64::MAX);
    if limit != Some(u64::try_from(fits).unwrap_or(u64::MAX)) {
        return Ok(None);
    }
    if matches!(now, Chaos::FinAfter(..)) {
        to.shutdown().await?;
        return Ok(Some(End::Fin));
    }
    Ok(Some(End::Reset))
}

#[cfg(test)]
mod tests;
