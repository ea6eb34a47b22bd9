//! The door: what callers may take of the service, and what becomes of what exceeds it.
//!
//! [`limits`] holds the bounds as options set them, [`refusals`] counts by reason whoever was
//! refused. A [`Door`] is shared by everything that lets callers in. [`options`] say which doors
//! there are, [`sockets`] opens them. Connections come in by a [`gate`], at its [`listener`], have one of the [`places`], and are served as [`connections`] of gRPC, each with a
//! [`peer`], or by [`crate::http`]. [`lists`] have places, too. [`tls`] tells the [`bearer`]
//! of a certificate, [`access`] what the caller may do by the [`roles`] that rules give, for each of
//! the [`methods`]. [`reload`] reads certificates and rules again. What becomes of a call is the
//! [`account`] of it, and the [`audit`] log tells who has changed what.

pub mod access;
pub mod account;
pub mod audit;
pub mod bearer;
pub mod connections;
pub mod descriptors;
pub mod gate;
pub mod limits;
pub mod listener;
pub mod lists;
pub mod methods;
pub mod names;
pub mod options;
pub mod peer;
pub mod places;
pub mod refusals;
pub mod reload;
mod request;
pub mod roles;
pub mod sockets;
pub mod tls;

use std::sync::Arc;

use access::{Access, Policy};
use account::Calls;
use audit::Audit;
use limits::Limits;
use lists::Lists;
use refusals::Refusals;
use tls::Tls;
use tokio::sync::Semaphore;

/// The bounds of the service, and the count of those that exceeded them.
#[derive(Debug)]
pub struct Door {
    /// What callers may take.
    pub limits: Limits,
    /// How often one wanted more.
    pub refusals: Arc<Refusals>,
    /// How calls have ended.
    pub calls: Calls,
    /// What is written down of them.
    pub audit: Audit,
    /// The places of lists.
    pub lists: Arc<Lists>,
    /// A permit for each event stream.
    pub watchers: Arc<Semaphore>,
    /// Handshakes of the TCP doors.
    pub tls: Tls,
    /// Who may do what.
    pub access: Access,
}

impl Door {
    /// Creates a door with these bounds that has refused nobody yet. It is without TLS and rules.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let lists = Lists::new(limits.max_lists);
        let watchers = Arc::new(Semaphore::new(limits.max_watchers));
        Self {
            limits,
            refusals: Arc::default(),
            calls: Calls::default(),
            audit: Audit::default(),
            lists,
            watchers,
            tls: Tls::default(),
            access: Access::new(Policy::default()),
        }
    }
}
