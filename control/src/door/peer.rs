//! Who is at the other end of a connection, as a request tells it.

use std::sync::Arc;

use tokio::net::unix::UCred;

use crate::door::places::{Leave, Place};

/// The connection that a request came over. Each request has it among its extensions.
#[derive(Clone, Debug)]
pub struct Peer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    credentials: Option<UCred>,
    place: Arc<Place>,
}

impl Peer {
    /// Describes a connection that has this place. A unix socket tells the credentials of the
    /// process that dialled (`SO_PEERCRED`).
    #[must_use]
    pub fn new(credentials: Option<UCred>, place: Arc<Place>) -> Self {
        Self(Arc::new(Inner { credentials, place }))
    }

    /// Returns the credentials of the process at the other end of a unix socket.
    #[must_use]
    pub fn credentials(&self) -> Option<UCred> {
        self.0.credentials
    }

    pub(crate) fn place(&self) -> &Arc<Place> {
        &self.0.place
    }

    /// Ends the connection with all its calls, once the peer had time to read what it was told.
    pub fn dismiss(&self) {
        self.0.place.leave(Leave::Soon);
    }
}
