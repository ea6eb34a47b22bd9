//! A control service behind mutual TLS: certificates that `docker/certs.sh` makes, and a way for the
//! relays, which know unix sockets only, to its port.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;

use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::process::{run, workspace_root};

/// A folder of certificates: those of a CA, of the service, of viewer, operator, admin, and of each
/// data plane.
#[derive(Debug)]
pub struct Certificates(TempDir);

impl Certificates {
    /// Makes certificates, with one for the data plane `dataplane`.
    ///
    /// # Panics
    /// When openssl is missing.
    #[must_use]
    pub fn new(dataplane: &str) -> Self {
        let certificates = Self(tempfile::tempdir().expect("a temporary folder"));
        certificates.renew(dataplane);
        certificates
    }

    /// Replaces all pairs by new ones of the same CA, or by those of a new CA where there is none.
    ///
    /// # Panics
    /// When openssl is missing.
    pub fn renew(&self, dataplane: &str) {
        let script = workspace_root().join("docker/certs.sh");
        run(Command::new(script).arg(self.0.path()).env("DATAPLANES", dataplane));
    }

    /// Returns the path of a file, such as `viewer.pem`.
    #[must_use]
    pub fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// Returns the options with which the control service demands certificates, and gives each of
    /// them, and root on unix sockets, its role.
    #[must_use]
    pub fn of_service(&self, dataplane: &str) -> Vec<String> {
        let file = |option: &str, file: &str| format!("--{option}={}", self.path(file).display());
        let role = |name: &str, role: &str| format!("--role=CN={name}:{role}");
        vec![
            file("tls-cert", "server.pem"),
            file("tls-key", "server.key"),
            file("client-ca", "ca.pem"),
            role("viewer", "viewer"),
            role("operator", "operator"),
            role("admin", "admin"),
            role(dataplane, "dataplane"),
            "--role=uid=0:admin".to_owned(),
        ]
    }

    /// Returns the options with which a data plane dials over TLS.
    #[must_use]
    pub fn of_dataplane(&self, dataplane: &str) -> Vec<String> {
        let file = |option: &str, file: &str| format!("--control-{option}={}", self.path(file).display());
        vec![
            file("ca", "ca.pem"),
            file("cert", &format!("{dataplane}.pem")),
            file("key", &format!("{dataplane}.key")),
        ]
    }

    /// Lets `ctl` come as `name`.
    pub fn identify(&self, ctl: &mut Command, name: &str) {
        ctl.env("FLOWTRACKER_CACERT", self.path("ca.pem"));
        ctl.env("FLOWTRACKER_CERT", self.path(&format!("{name}.pem")));
        ctl.env("FLOWTRACKER_KEY", self.path(&format!("{name}.key")));
    }
}

/// Returns an address of the loopback device whose port was free a moment ago. A service that is
/// restarted needs the same one again.
///
/// # Panics
/// When there is no free port.
#[must_use]
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// Passes the octets of a unix socket's connections on to a TCP port. Dropping it closes everything.
#[derive(Debug)]
pub struct Bridge {
    ending: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Bridge {
    /// Listens on the unix socket `from`. Where nothing listens at `to`, the connection is closed.
    ///
    /// # Panics
    /// When the socket cannot be made.
    #[must_use]
    pub fn new(from: &Path, to: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = {
            let _context = runtime.enter();
            tokio::net::UnixListener::bind(from).expect("a socket")
        };
        let (ending, ended) = oneshot::channel();
        let carry = async move {
            while let Ok((mut near, _)) = listener.accept().await {
                tokio::spawn(async move {
                    if let Ok(mut far) = tokio::net::TcpStream::connect(to).await {
                        // Either end may be cut, which is what the relays are for.
                        let _ = far.set_nodelay(true);
                        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        };
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = carry => {}
                    _ = ended => {}
                }
            });
        });
        Self { ending: Some(ending), thread: Some(thread) }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        drop(self.ending.take());
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been printed already.
            let _ = thread.join();
        }
    }
}
