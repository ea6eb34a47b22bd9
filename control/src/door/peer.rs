//! Who is at the other end of a connection, as a request tells it.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::unix::UCred;

use crate::door::gate::Gate;
use crate::door::places::{Leave, Place};

/// Where a connection comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The other end of a TCP connection.
    Tcp(SocketAddr),
    /// A unix socket; the credentials of the process that dialled (`SO_PEERCRED`), if they could be
    /// read.
    Unix(Option<UCred>),
}

/// The connection that a request came over. Each request has it among its extensions.
#[derive(Clone, Debug)]
pub struct Peer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    gate: Arc<Gate>,
    origin: Origin,
    place: Arc<Place>,
}

impl Peer {
    /// Describes a connection that came in by `gate` and has this place.
    #[must_use]
    pub fn new(gate: Arc<Gate>, origin: Origin, place: Arc<Place>) -> Self {
        Self(Arc::new(Inner { gate, origin, place }))
    }

    /// Returns the credentials of the process at the other end of a unix socket.
    #[must_use]
    pub fn credentials(&self) -> Option<UCred> {
        match self.0.origin {
            Origin::Tcp(_) => None,
            Origin::Unix(credentials) => credentials,
        }
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
}
