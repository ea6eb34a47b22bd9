//! Which IPv4 protocols are tracked.

use crate::key::{TCP, UDP};

/// The IPv4 protocols that are tracked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocols {
    /// TCP only.
    Tcp,
    /// TCP and UDP.
    TcpUdp,
}

impl Protocols {
    /// Returns true when frames of this IPv4 protocol are looked up.
    #[inline]
    #[must_use]
    pub fn tracks(self, protocol: u8) -> bool {
        protocol == TCP || (protocol == UDP && self == Protocols::TcpUdp)
    }
}
