//! How the programs of a trial reach each other: by unix sockets, or over mutual TLS. The relays pass
//! octets, and know nothing of it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{DATAPLANE, NARROW, Trial};
use crate::process::binary;
use crate::relay::Relay;
use crate::tls::{self, Bridge, Certificates};
use crate::watcher::Watcher;

/// What a trial with mutual TLS has beside.
pub(super) struct Secure {
    certificates: Certificates,
    /// Where the service listens, each time that it is started.
    address: SocketAddr,
    /// The relays' way there.
    _bridge: Bridge,
}

impl Secure {
    /// Makes certificates, and lets the unix socket `socket` lead to the service.
    pub(super) fn new(socket: &Path) -> Self {
        let address = tls::free_address();
        Self { certificates: Certificates::new(DATAPLANE), address, _bridge: Bridge::new(socket, address) }
    }
}

impl Trial {
    /// Starts the watchers that behave. Those of before, if there are any, end.
    pub(super) fn start_watchers(&mut self) {
        let direct = match &self.secure {
            Some(secure) => format!("https://{}", secure.address),
            None => format!("unix:{}", self.socket().display()),
        };
        self.watchers = vec![
            Watcher::ctl("ctl, directly", &mut self.ctl(&direct), None),
            Watcher::ctl("ctl, through a relay", &mut self.ctl(&self.uri(&self.users)), None),
            Watcher::ctl("ctl with a filter", &mut self.ctl(&direct), Some(NARROW)),
            self.stranger("another, through a relay"),
        ];
    }

    /// Starts a watcher through the users' relay: a client of the API, which has no TLS, or else
    /// another `ctl`.
    pub(super) fn stranger(&self, name: &str) -> Watcher {
        match &self.secure {
            Some(_) => Watcher::ctl(name, &mut self.ctl(&self.uri(&self.users)), None),
            None => Watcher::api(name, &self.users.uri()),
        }
    }

    /// Returns the URI of the service behind a relay.
    pub(super) fn uri(&self, relay: &Relay) -> String {
        let uri = relay.uri();
        if self.secure.is_some() { uri.replace("http:", "https:") } else { uri }
    }

    /// Returns a `ctl` that asks `server`.
    pub(super) fn ctl(&self, server: &str) -> Command {
        let mut command = Command::new(binary("ctl"));
        command.args(["--server", server]);
        if let Some(secure) = &self.secure {
            secure.certificates.identify(&mut command, "viewer");
        }
        command
    }

    /// Adds the control service's TCP door.
    pub(super) fn listen(&self, control: &mut Command) {
        match &self.secure {
            Some(secure) => {
                control.arg(format!("--listen={}", secure.address));
                control.args(secure.certificates.of_service(DATAPLANE));
            }
            None => _ = control.arg("--listen=127.0.0.1:0"),
        }
    }

    /// Adds the data plane's certificates.
    pub(super) fn certify(&self, dataplane: &mut Command) {
        if let Some(secure) = &self.secure {
            dataplane.args(secure.certificates.of_dataplane(DATAPLANE));
        }
    }
}
