//! Who is at the other end of a connection, as a request tells it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::door::access::Policy;
use crate::door::bearer::Bearer;
use crate::door::gate::Gate;
use crate::door::methods::{METHODS, Method};
use crate::door::places::{Leave, Place};

/// A process, as the kernel tells it over a unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number, if the kernel shows it to us.
    pub pid: Option<u32>,
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its supplementary groups.
    pub groups: Vec<u32>,
}

/// Where a connection comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The other end of a TCP connection.
    Tcp(SocketAddr),
    /// The process that dialled a unix socket, if the kernel told it.
    Unix(Option<Process>),
}

/// The connection that a request came over. Each request has it among its extensions.
#[derive(Clone, Debug)]
pub struct Peer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    gate: Arc<Gate>,
    origin: Origin,
    bearer: Option<Bearer>,
    place: Arc<Place>,
    /// How many calls run, by method.
    running: Vec<AtomicUsize>,
}

impl Peer {
    /// Describes a connection that came in by `gate` and has this place. `bearer` is who has shown a
    /// certificate.
    #[must_use]
    pub fn new(gate: Arc<Gate>, origin: Origin, bearer: Option<Bearer>, place: Arc<Place>) -> Self {
        let running = METHODS.iter().map(|_| AtomicUsize::new(0)).collect();
        Self(Arc::new(Inner { gate, origin, bearer, place, running }))
    }

    /// Returns where the connection comes from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// Returns the process at the other end of a unix socket.
    #[must_use]
    pub fn process(&self) -> Option<&Process> {
        match &self.0.origin {
            Origin::Tcp(_) => None,
            Origin::Unix(process) => process.as_ref(),
        }
    }

    /// Returns who has shown a certificate.
    #[must_use]
    pub fn bearer(&self) -> Option<&Bearer> {
        self.0.bearer.as_ref()
    }

    /// Returns who the caller is, `CN=alice` or `uid=0`, if that is known.
    #[must_use]
    pub fn identity(&self) -> Option<String> {
        let process = || self.process().map(|process| format!("uid={}", process.uid));
        self.bearer().map(Bearer::identity).or_else(process)
    }

    /// Returns the door that the connection came in by.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }

    pub(crate) fn place(&self) -> &Arc<Place> {
        &self.0.place
    }

    /// Ends the connection with all its calls, once the peer had time to read what it was told.
    pub fn dismiss(&self) {
        self.0.place.leave(Leave::Soon);
    }

    /// Counts a call of this method as running until the returned value is dropped.
    pub(super) fn begin(&self, method: &'static Method) -> Running {
        let number = METHODS.iter().position(|other| std::ptr::eq(other, method)).unwrap_or_default();
        self.0.running[number].fetch_add(1, Ordering::Relaxed);
        Running { peer: self.clone(), number }
    }

    /// Returns whether the calls that run are all allowed by `policy`.
    pub(super) fn keeps_to(&self, policy: &Policy) -> bool {
        let mut running = METHODS.iter().zip(&self.0.running);
        running
            .all(|(method, count)| count.load(Ordering::Relaxed) == 0 || policy.check(self, method).is_ok())
    }
}

/// A call that runs.
#[derive(Debug)]
pub(super) struct Running {
    peer: Peer,
    number: usize,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.peer.0.running[self.number].fetch_sub(1, Ordering::Relaxed);
    }
}
