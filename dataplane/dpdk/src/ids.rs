//! Numbers that name things of DPDK, each a type of its own so that none is taken for another.

use std::fmt;

use dpdk_sys as sys;

/// A logical core of DPDK: a thread, usually pinned to the CPU of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LcoreId(pub u32);

impl LcoreId {
    /// Returns the lcore that runs the caller, or `None` on a thread that DPDK does not know.
    #[must_use]
    pub fn current() -> Option<Self> {
        // SAFETY: shim_lcore_id reads a thread-local variable of DPDK and has no precondition.
        let id = unsafe { sys::shim_lcore_id() };
        (id < sys::RTE_MAX_LCORE).then_some(Self(id))
    }
}

impl fmt::Display for LcoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lcore {}", self.0)
    }
}

/// An ethdev port of DPDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(pub u16);

impl fmt::Display for PortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {}", self.0)
    }
}

/// A receive or transmit queue of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub u16);

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "queue {}", self.0)
    }
}

/// A NUMA node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketId(pub i32);

impl SocketId {
    /// No preference (SOCKET_ID_ANY).
    pub const ANY: Self = Self(-1);
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ANY { f.write_str("any NUMA node") } else { write!(f, "NUMA node {}", self.0) }
    }
}
