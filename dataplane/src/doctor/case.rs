//! What the checks examine: a start with these arguments, on this machine.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::doctor::root::Root;
use crate::start::config::Config;
use crate::start::eal_args::EalArgs;

/// What the checks need beside the files of [`Root`].
#[derive(Clone, Debug)]
pub struct Environment {
    /// `RUNTIME_DIRECTORY`, which systemd sets.
    pub runtime_directory: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`, which a login sets.
    pub xdg_runtime_dir: Option<PathBuf>,
    /// DPDK's folder of drivers.
    pub plugins: PathBuf,
    /// Returns `true` when the kernel would let a thread of this process move to a CPU. A cpuset
    /// may keep it from that; affinity (`taskset`) does not, because DPDK sets it anew.
    pub may_run_on: fn(u32) -> bool,
    /// Returns what a program prints, such as `ethtool -k eth0`.
    pub output_of: fn(&[&str]) -> io::Result<String>,
    /// The present, since 1970.
    pub now: Duration,
}

/// The start that is examined.
pub(super) struct Case<'a> {
    pub(super) root: &'a Root,
    pub(super) env: &'a Environment,
    pub(super) eal: &'a EalArgs,
    pub(super) config: &'a Config,
}

/// Longest wait for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
