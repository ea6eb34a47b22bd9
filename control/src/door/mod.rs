//! The door: who may enter the service, what they may call, and how much they may use.
//!
//! A [`Door`] is the state that all listeners share.
//!
//! - Sockets: [`options`] names them, [`sockets`] opens them, a [`gate`] describes each.
//! - Connections: the [`listener`] accepts them, [`places`] bounds them, [`connections`] serves gRPC
//!   and [`crate::http`] serves pages. A [`peer`] describes the other end of a connection.
//! - Identity: [`tls`] does the handshake, and a [`bearer`] holds the names of a certificate.
//! - Permission: [`roles`] parses the rules, [`methods`] lists what each method needs, and
//!   [`access`] decides. [`reload`] applies changed certificates and rules.
//! - Bounds: [`limits`] holds them, [`lists`] bounds lists, [`refusals`] counts refused callers.
//! - Records: an [`account`] counts a call when it ends, [`handshakes`] counts those that are refused,
//!   and [`audit`] writes the audit log.

pub mod access;
pub mod account;
pub mod audit;
pub mod bearer;
pub mod connections;
pub mod descriptors;
pub mod gate;
pub mod handshakes;
pub mod limits;
pub mod listener;
pub mod lists;
pub mod methods;
pub mod names;
pub mod options;
pub mod peer;
mod peer_groups;
pub mod places;
pub mod refusals;
pub mod reload;
mod request;
pub mod roles;
pub mod sockets;
pub mod tls;

use std::sync::{Arc, Mutex};

use access::{Access, Policy};
use account::Calls;
use audit::Audit;
use handshakes::Pace;
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
    /// Which refused handshakes are written down.
    pub handshakes: Mutex<Pace>,
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
            handshakes: Mutex::default(),
            lists,
            watchers,
            tls: Tls::default(),
            access: Access::new(Policy::default()),
        }
    }
}
