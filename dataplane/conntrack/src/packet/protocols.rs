//! Which protocols are tracked.

use crate::key::{TCP, UDP};

/// The protocols that are tracked, over both families.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocols {
    /// TCP only.
    Tcp,
    /// TCP and UDP.
    TcpUdp,
}

impl Protocols {
    /// Returns true when frames of this protocol are looked up.
    #[inline]
    #[must_use]
    pub fn tracks(self, protocol: u8) -> bool {
        protocol == TCP || (protocol == UDP && self == Protocols::TcpUdp)
    }
}
