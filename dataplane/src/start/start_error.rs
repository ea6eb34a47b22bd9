//! Why the data plane did not start.

use std::io;

use conntrack::table::TableConfigError;
use dpdk::FailedDevice;

use crate::start::config::ConfigError;
use crate::start::rings::FramesTooLong;
use crate::start::topology::TopologyError;

/// Why the data plane did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An option is not acceptable.
    #[error(transparent)]
    Flag(#[from] ConfigError),
    /// DPDK refused.
    #[error(transparent)]
    Dpdk(#[from] dpdk::Error),
    /// There is no memory for this many mbufs.
    #[error(
        "no room for {0} mbufs: give the EAL more memory (-m, hugepages), or ask for fewer (--mbufs, --rxd, --txd, \
         --rxq): {1}"
    )]
    Mbufs(u32, dpdk::Error),
    /// The EAL could not make these devices. The ports behind them would have moved up.
    #[error("{}", failed_devices(.0))]
    Devices(Vec<FailedDevice>),
    /// Two ports are on one interface of the kernel: their devices, and their DPDK port ids.
    #[error(
        "{} and {} (port{}, port{}) are on the same interface: give each its own iface=",
        .0[0], .0[1], .1[0], .1[1]
    )]
    SameInterface([String; 2], [u16; 2]),
    /// Ports and lcores do not fit together.
    #[error(transparent)]
    Topology(#[from] TopologyError),
    /// A device would cut frames.
    #[error(transparent)]
    Frames(#[from] FramesTooLong),
    /// A table of a shard cannot be made, with the capacity of this flag.
    #[error("--{0}: {1}")]
    Table(&'static str, TableConfigError),
    /// The system refused something that the start needs.
    #[error("{0}: {1}")]
    System(String, io::Error),
}

impl StartError {
    /// Returns `true` if other flags are needed, and not another state of the machine.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            StartError::Flag(_) => true,
            StartError::Dpdk(error) => error.is_usage(),
            _ => false,
        }
    }
}

fn failed_devices(failed: &[FailedDevice]) -> String {
    let each = failed.iter().map(|one| format!("port for {} was not made: {}", one.device, one.reason));
    each.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
