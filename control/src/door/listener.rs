//! The loop that accepts what comes at a listening socket.
//!
//! What cannot be accepted, usually for want of a descriptor, is tried again after a pause; the
//! first failure of a row is logged. Meanwhile the connection that gives way first is ended, which
//! sets a descriptor free.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::door::Door;
use crate::door::peer::{Origin, Process};
use crate::door::peer_groups::peer_groups;
use crate::door::places::{Place, Places};
use crate::door::refusals::Reason;
use crate::stop::Stop;

/// Pause after a connection could not be accepted: while nobody can be sent away, and while one that
/// was is about to go.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(5));
/// Failures in a row have no more than this between them.
const ROW: Duration = Duration::from_secs(10);

/// A socket that connections are accepted from.
pub trait Listener {
    /// What it accepts.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Accepts a connection.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Io, Origin)>> + Send;
}

impl Listener for TcpListener {
    type Io = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, Origin)> {
        let (stream, from) = Self::accept(self).await?;
        // Nagle's algorithm (RFC 896) would keep an event back until the client has acknowledged the
        // one before, which it may delay. A connection that is dead already fails when it is used.
        drop(stream.set_nodelay(true));
        Ok((stream, Origin::Tcp(from)))
    }
}

impl Listener for UnixListener {
    type Io = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, Origin)> {
        let (stream, _) = Self::accept(self).await?;
        let process = process(&stream);
        Ok((stream, Origin::Unix(process)))
    }
}

/// Returns the process that dialled, with the groups that it had then (`SO_PEERCRED`,
/// `SO_PEERGROUPS`).
fn process(stream: &UnixStream) -> Option<Process> {
    let credentials = stream.peer_cred().ok()?;
    let pid = credentials.pid().and_then(|pid| u32::try_from(pid).ok());
    let groups = peer_groups(stream).unwrap_or_default();
    Some(Process { pid, uid: credentials.uid(), gid: credentials.gid(), groups })
}

/// What connections are let in by: their places, and as many sockets as those may need.
#[derive(Clone, Debug)]
pub struct Entrance {
    door: Arc<Door>,
    places: Arc<Places>,
    sockets: Arc<Semaphore>,
    /// Why another connection gives way to a newcomer.
    crowded: Reason,
}

impl Entrance {
    /// Lets connections in to `places`. One that gives way to a newcomer is counted as `crowded`.
    #[must_use]
    pub fn new(door: Arc<Door>, places: Arc<Places>, crowded: Reason) -> Self {
        let sockets = Arc::new(Semaphore::new(places.sockets()));
        Self { door, places, sockets, crowded }
    }

    /// Accepts connections and has each served by `serve`, until `stop` turns true. Then it waits
    /// until all of them have ended.
    pub async fn run<L: Listener, F>(
        self,
        listener: L,
        serve: impl Fn(L::Io, Origin, Arc<Place>) -> F,
        mut stop: Stop,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut connections = JoinSet::new();
        // One that waits for a newcomer has a socket in hand for it.
        self.sockets.add_permits(1);
        let mut failed: Option<Instant> = None;
        loop {
            let accepted = tokio::select! {
                accepted = self.accept(&listener) => accepted,
                Some(_) = connections.join_next() => continue,
                () = stop.wanted() => break,
            };
            match accepted {
                Ok((io, origin, socket)) => {
                    let (place, gone) = self.places.enter();
                    (0..gone).for_each(|_| self.door.refusals.count(self.crowded));
                    let served = serve(io, origin, Arc::new(place));
                    connections.spawn(async move {
                        served.await;
                        drop(socket);
                    });
                    if gone > 0 {
                        // Newcomers come faster than places become free. Each must have the time to
                        // say what it wants before the next ones push it out.
                        tokio::task::yield_now().await;
                    }
                }
                Err(why) => {
                    self.door.refusals.count(Reason::AcceptFailed);
                    let now = Instant::now();
                    if failed.replace(now).is_none_or(|before| now - before > ROW) {
                        tracing::warn!("cannot accept a connection: {why}; trying again");
                    }
                    let no_descriptor =
                        matches!(Errno::from_io_error(&why), Some(Errno::MFILE | Errno::NFILE));
                    let pause = if no_descriptor && self.places.make_room() {
                        self.door.refusals.count(self.crowded);
                        PAUSES.1
                    } else {
                        PAUSES.0
                    };
                    tokio::time::sleep(pause).await;
                }
            }
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    async fn accept<L: Listener>(
        &self,
        listener: &L,
    ) -> io::Result<(L::Io, Origin, Option<OwnedSemaphorePermit>)> {
        // The semaphore is never closed.
        let socket = self.sockets.clone().acquire_owned().await.ok();
        let (io, origin) = listener.accept().await?;
        Ok((io, origin, socket))
    }
}
