//! A TCP relay in front of a unix socket that disturbs its connections: it cuts them, stops them,
//! slows them down to a trickle, or lets their clients vanish without notice.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::libc::linger;
use nix::sys::socket::{setsockopt, sockopt};

/// How long a thread waits for octets before it checks whether the relay's mode has changed.
const POLL: Duration = Duration::from_millis(20);
/// Pause between two octets of a trickle.
const TRICKLE: Duration = Duration::from_secs(1);
/// Octets copied at a time.
const CHUNK: usize = 1 << 16;

/// How octets are passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// They pass.
    Open = 0,
    /// Nothing is read from either side, so that the senders cannot send once the buffers are full.
    Stopped = 1,
    /// The client receives one octet a second; what it sends passes.
    Trickle = 2,
}

/// How a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// In order, as far as the client's transport can see (FIN).
    Close,
    /// With a reset.
    Reset,
}

/// One connection. The sockets close when the last reference is dropped.
#[derive(Debug)]
struct Connection {
    client: TcpStream,
    server: UnixStream,
    open: AtomicBool,
}

#[derive(Debug)]
struct Shared {
    to: PathBuf,
    flow: AtomicU8,
    refusing: AtomicBool,
    ending: AtomicBool,
    connections: Mutex<Vec<Arc<Connection>>>,
    /// Server sides whose clients have vanished.
    abandoned: Mutex<Vec<UnixStream>>,
}

/// A running relay. Dropping it closes everything.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Relay {
    /// Listens on a free port of the loopback device; each connection is forwarded to the unix
    /// socket `to`, and closed when nothing listens there.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn new(to: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        listener.set_nonblocking(true).expect("a socket");
        let shared = Arc::new(Shared {
            to: to.to_owned(),
            flow: AtomicU8::new(Flow::Open as u8),
            refusing: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            connections: Mutex::default(),
            abandoned: Mutex::default(),
        });
        let acceptor = {
            let shared = shared.clone();
            std::thread::spawn(move || accept(&listener, &shared))
        };
        Self { address, shared, acceptor: Some(acceptor) }
    }

    /// Returns the URI to connect to: `http://HOST:PORT`.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes how octets are passed on, on present and future connections.
    pub fn set(&self, flow: Flow) {
        self.shared.flow.store(flow as u8, Ordering::Release);
    }

    /// Sets whether new connections are closed as soon as they arrive.
    pub fn refuse(&self, refusing: bool) {
        self.shared.refusing.store(refusing, Ordering::Release);
    }

    /// Cuts the present connections on both sides and returns their number.
    pub fn cut(&self, how: Cut) -> usize {
        let cut = std::mem::take(&mut *lock(&self.shared.connections));
        for connection in &cut {
            if how == Cut::Reset {
                // The option takes effect when the socket closes. If it cannot be set, the
                // connection is closed without a reset.
                let _ = setsockopt(&connection.client, sockopt::Linger, &linger { l_onoff: 1, l_linger: 0 });
            } else {
                let _ = connection.client.shutdown(Shutdown::Both);
            }
            let _ = connection.server.shutdown(Shutdown::Both);
            connection.open.store(false, Ordering::Release);
        }
        cut.len()
    }

    /// Makes the clients vanish: the server's sockets stay open, but nothing reads them, and the
    /// server is not notified.
    pub fn vanish(&self) {
        for connection in std::mem::take(&mut *lock(&self.shared.connections)) {
            connection.open.store(false, Ordering::Release);
            let _ = connection.client.shutdown(Shutdown::Both);
            if let Ok(server) = connection.server.try_clone() {
                lock(&self.shared.abandoned).push(server);
            }
        }
    }

    /// Returns the number of open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        lock(&self.shared.connections).len()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Release);
        self.cut(Cut::Close);
        if let Some(acceptor) = self.acceptor.take() {
            // A panic of that thread has been printed already.
            let _ = acceptor.join();
        }
        self.cut(Cut::Close);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while !shared.ending.load(Ordering::Acquire) {
        let client = match listener.accept() {
            Ok((client, _)) => client,
            Err(_) => {
                std::thread::sleep(POLL);
                continue;
            }
        };
        if shared.refusing.load(Ordering::Acquire) {
            continue;
        }
        // Nothing listens there, and dropping `client` closes its connection.
        let Ok(server) = UnixStream::connect(&shared.to) else { continue };
        if prepare(&client, &server).is_err() {
            continue;
        }
        let connection = Arc::new(Connection { client, server, open: AtomicBool::new(true) });
        lock(&shared.connections).push(connection.clone());
        for towards_client in [false, true] {
            let (connection, shared) = (connection.clone(), shared.clone());
            std::thread::spawn(move || {
                if towards_client {
                    pump(&connection.server, &connection.client, true, &connection, &shared);
                } else {
                    pump(&connection.client, &connection.server, false, &connection, &shared);
                }
                end(&connection, &shared);
            });
        }
    }
}

fn prepare(client: &TcpStream, server: &UnixStream) -> std::io::Result<()> {
    client.set_nonblocking(false)?;
    client.set_nodelay(true)?;
    client.set_read_timeout(Some(POLL))?;
    client.set_write_timeout(Some(POLL))?;
    server.set_read_timeout(Some(POLL))?;
    server.set_write_timeout(Some(POLL))
}

/// Ends both sides after one of them has ended, unless the connection has been taken out of the
/// list to be disturbed.
fn end(connection: &Arc<Connection>, shared: &Shared) {
    let mut connections = lock(&shared.connections);
    let Some(place) = connections.iter().position(|known| Arc::ptr_eq(known, connection)) else { return };
    connections.swap_remove(place);
    connection.open.store(false, Ordering::Release);
    let _ = connection.client.shutdown(Shutdown::Both);
    let _ = connection.server.shutdown(Shutdown::Both);
}

/// Copies one direction until that direction or the connection ends.
fn pump<A, B>(from: &A, to: &B, towards_client: bool, connection: &Connection, shared: &Shared)
where
    for<'a> &'a A: Read,
    for<'a> &'a B: Write,
{
    let open = || connection.open.load(Ordering::Acquire);
    let flow = || shared.flow.load(Ordering::Acquire);
    let (mut from, mut to) = (from, to);
    let mut buffer = vec![0; CHUNK];
    while open() {
        let trickle = towards_client && flow() == Flow::Trickle as u8;
        if flow() == Flow::Stopped as u8 {
            std::thread::sleep(POLL);
            continue;
        }
        let room = if trickle { 1 } else { CHUNK };
        let count = match from.read(&mut buffer[..room]) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if is_pause(&error) => continue,
            Err(_) => return,
        };
        let mut written = 0;
        while written < count && open() {
            match to.write(&buffer[written..count]) {
                Ok(0) => return,
                Ok(more) => written += more,
                Err(error) if is_pause(&error) => {}
                Err(_) => return,
            }
        }
        let next = Instant::now() + TRICKLE;
        while trickle && open() && flow() == Flow::Trickle as u8 && Instant::now() < next {
            std::thread::sleep(POLL);
        }
    }
}

fn is_pause(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::wait_for;
    use std::os::unix::net::UnixListener;

    const LIMIT: Duration = Duration::from_secs(30);

    struct Pair {
        client: TcpStream,
        server: UnixStream,
        relay: Relay,
        _folder: tempfile::TempDir,
    }

    fn pair() -> Pair {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("server");
        let listener = UnixListener::bind(&path).expect("a socket");
        let relay = Relay::new(&path);
        let client = TcpStream::connect(relay.address).expect("it listens");
        let (server, _) = listener.accept().expect("it dials on");
        client.set_read_timeout(Some(LIMIT)).expect("a socket");
        server.set_read_timeout(Some(LIMIT)).expect("a socket");
        wait_for("the connection is listed", LIMIT, || (relay.connections() == 1).then_some(()));
        Pair { client, server, relay, _folder: folder }
    }

    fn ends(mut socket: impl Read) -> Option<ErrorKind> {
        let mut octet = [0];
        match socket.read(&mut octet) {
            Ok(0) => None,
            Ok(_) => panic!("{octet:?} came"),
            Err(error) => Some(error.kind()),
        }
    }

    #[test]
    fn octets_pass_both_ways_and_an_end_ends_both_sides() {
        let mut pair = pair();
        let text: Vec<u8> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
        let writer = {
            let (mut client, text) = (pair.client.try_clone().expect("a socket"), text.clone());
            std::thread::spawn(move || client.write_all(&text).expect("taken"))
        };
        let mut read = vec![0; text.len()];
        pair.server.read_exact(&mut read).expect("all of it");
        assert!(read == text, "unchanged");
        writer.join().expect("it has written");
        pair.server.write_all(b"answer").expect("taken");
        drop(pair.server);
        let mut answer = Vec::new();
        pair.client.read_to_end(&mut answer).expect("all of it, then the end");
        assert_eq!(answer, b"answer");
        wait_for("the connection is gone", LIMIT, || (pair.relay.connections() == 0).then_some(()));
    }

    #[test]
    fn both_kinds_of_cut_reach_both_sides() {
        for (how, seen) in [(Cut::Close, None), (Cut::Reset, Some(ErrorKind::ConnectionReset))] {
            let pair = pair();
            assert_eq!(pair.relay.cut(how), 1);
            assert_eq!(ends(&pair.client), seen, "{how:?}");
            assert_eq!(ends(&pair.server), None);
        }
    }

    #[test]
    fn what_is_stopped_is_felt_by_the_sender_and_arrives_later() {
        let mut pair = pair();
        pair.relay.set(Flow::Stopped);
        pair.server.set_nonblocking(true).expect("a socket");
        let mut sent = 0;
        // This is more than the socket buffers hold. A chunk may still be on its way through the
        // relay.
        let full = wait_for("the sender feels it", LIMIT, || {
            loop {
                match pair.server.write(&[7; 4096]) {
                    Ok(more) => sent += more,
                    Err(error) => return (error.kind() == ErrorKind::WouldBlock).then_some(sent),
                }
            }
        });
        pair.relay.set(Flow::Open);
        let mut read = vec![0; full];
        pair.client.read_exact(&mut read).expect("all of it");
    }

    #[test]
    fn a_trickle_is_one_octet_at_a_time() {
        let mut pair = pair();
        pair.relay.set(Flow::Trickle);
        // Threads that are already reading still accept one full chunk.
        pair.server.write_all(b"x").expect("taken");
        let mut first = [0];
        pair.client.read_exact(&mut first).expect("one octet");
        pair.server.write_all(b"abc").expect("taken");
        let start = Instant::now();
        for octet in b"abc" {
            let mut read = [0; 16];
            let count = pair.client.read(&mut read).expect("one octet");
            assert_eq!(&read[..count], &[*octet]);
        }
        assert!(start.elapsed() >= TRICKLE, "three octets take more than one pause");
        pair.client.write_all(b"quick").expect("taken");
        let mut read = [0; 5];
        pair.server.read_exact(&mut read).expect("the other direction passes");
    }

    #[test]
    fn who_vanishes_says_nothing() {
        let pair = pair();
        pair.relay.vanish();
        assert_eq!(ends(&pair.client), None);
        pair.server.set_read_timeout(Some(10 * POLL)).expect("a socket");
        assert_eq!(ends(&pair.server), Some(ErrorKind::WouldBlock), "no end came");
    }

    #[test]
    fn who_is_refused_or_finds_nobody_is_closed_at_once() {
        let pair = pair();
        pair.relay.refuse(true);
        let refused = TcpStream::connect(pair.relay.address).expect("it listens");
        assert!(matches!(ends(&refused), None | Some(ErrorKind::ConnectionReset)));
        let nobody = Relay::new(Path::new("/nonexistent"));
        let client = TcpStream::connect(nobody.address).expect("it listens");
        assert!(matches!(ends(&client), None | Some(ErrorKind::ConnectionReset)));
    }
}
