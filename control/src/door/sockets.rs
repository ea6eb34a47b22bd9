//! Opens the sockets of the doors.

use std::fs::Permissions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::door::gate::Gate;
use crate::door::names;
use crate::door::options::Doors;

/// The sockets of all doors. Dropping it closes them.
#[derive(Debug, Default)]
pub struct Sockets {
    /// Option, socket and door.
    pub tcp: Vec<(&'static str, TcpListener, Arc<Gate>)>,
    /// Socket, file and door.
    pub unix: Vec<(UnixListener, UnixPath, Arc<Gate>)>,
}

impl Sockets {
    /// Opens the doors. A door that other hosts can reach is opened only with `--client-ca` or
    /// `--insecure`.
    ///
    /// # Errors
    /// The option and the address that are wrong, and why.
    pub async fn open(doors: &Doors, has_client_ca: bool) -> Result<Self, String> {
        if let Some((option, address)) = doors.exposed().find(|_| !has_client_ca && !doors.insecure) {
            return Err(format!(
                "--{option} {address} is open to other hosts, and whoever reaches it may do anything: give \
                 --client-ca with --tls-cert and --tls-key, or --insecure"
            ));
        }
        let mut open = Self::default();
        for (option, address, serves) in doors.tcp() {
            let failed = |why| format!("--{option}: cannot listen on {address}: {why}");
            let socket = TcpListener::bind(address).await.map_err(failed)?;
            let had = socket.local_addr().map_err(failed)?;
            open.tcp.push((option, socket, Arc::new(Gate::new(option, had, serves))));
        }
        let group = doors.unix_group.as_deref().map(names::group).transpose();
        let group = group.map_err(|why| format!("--unix-group: {why}"))?;
        for (option, path, serves) in doors.unix() {
            let bound = bind_unix(path, doors.unix_mode.0, group).await;
            let (socket, file) = bound
                .map_err(|why| format!("--{option}: cannot listen on unix:{}: {why}", path.display()))?;
            open.unix.push((socket, file, Arc::new(Gate::new(option, path.display(), serves))));
        }
        Ok(open)
    }

    /// Returns the address of a TCP door.
    #[must_use]
    pub fn addr(&self, option: &str) -> Option<SocketAddr> {
        self.tcp.iter().find(|(name, ..)| *name == option).and_then(|(_, socket, _)| socket.local_addr().ok())
    }
}

/// Removes the file of a unix socket when the service ends, unless another service has replaced it.
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

/// Opens a unix socket, whose file gets this access mode and this group. A file that a dead service
/// left behind is replaced.
///
/// # Errors
/// The file cannot be made or given to the group, or a service listens there.
async fn bind_unix(path: &Path, mode: u32, group: Option<u32>) -> io::Result<(UnixListener, UnixPath)> {
    let left_behind = std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket())
        && UnixStream::connect(path).await.is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused);
    if left_behind {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    let made = UnixPath { path: path.to_owned(), file: file(path)? };
    if group.is_some() {
        chown(path, None, group)?;
    }
    std::fs::set_permissions(path, Permissions::from_mode(mode))?;
    Ok((listener, made))
}
