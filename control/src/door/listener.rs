//! Listening sockets, and the loop that accepts what comes.
//!
//! What cannot be accepted, usually for want of a descriptor, is tried again after a pause; the
//! first failure of a row is logged. Meanwhile the connection that gives way first is ended, which
//! sets a descriptor free.

use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::door::Door;
use crate::door::peer::Origin;
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
        let credentials = stream.peer_cred().ok();
        Ok((stream, Origin::Unix(credentials)))
    }
}

/// Removes the file of a unix socket when the service ends, unless it is another's by then.
#[derive(Debug)]
pub struct UnixPath {
    path: PathBuf,
    /// Device and inode of the file.
    file: (u64, u64),
}

impl UnixPath {
    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for UnixPath {
    fn drop(&mut self) {
        if file(&self.path).is_ok_and(|present| present == self.file) {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

/// Returns the device and the inode of a file.
fn file(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::symlink_metadata(path).map(|m| (m.dev(), m.ino()))
}

/// Opens a unix socket. A file that a dead service left behind is replaced.
///
/// # Errors
/// The file cannot be made, or a service listens there.
pub async fn bind_unix(path: &Path) -> io::Result<(UnixListener, UnixPath)> {
    let left_behind = std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket())
        && UnixStream::connect(path).await.is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused);
    if left_behind {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    Ok((listener, UnixPath { path: path.to_owned(), file: file(path)? }))
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
