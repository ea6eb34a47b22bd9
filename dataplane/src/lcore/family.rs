//! The two tables of a data plane, one for each address family, by the type of their keys.
//!
//! All code about a table is written for any [`TableKey`]. What differs from family to family is
//! here: which table it is, and the forms that its keys have on the link and in filters.

use conntrack::shard::Tracked;
use conntrack::{FlowKey, FlowKeyV6, Key};
use flowtracker_proto::key::{self, WideKey};
use flowtracker_proto::table::Family;

/// Bytes of the longest key in a command.
pub const KEY_BYTES: usize = FlowKeyV6::BYTES;

/// The key of a table.
pub trait TableKey: Key {
    /// The family of its addresses, which names the table.
    const FAMILY: Family;
    /// Bytes of a key in a command.
    const BYTES: usize;

    /// Returns the DPDK port id + 1 of the port where the flow's frames enter.
    fn input_port(&self) -> u8;
    /// Returns the key in the form of the link's records.
    fn link_key(&self) -> key::FlowKey;
    /// Returns the key as a filter sees it.
    #[inline]
    fn wide(&self) -> WideKey {
        self.link_key().widen()
    }
    /// Returns the key as a command carries it: [`TableKey::BYTES`] bytes, and zeros.
    fn to_command(&self) -> [u8; KEY_BYTES];
    /// Returns the key of a command; `None` when it is not a key of this table.
    fn from_command(bytes: &[u8]) -> Option<Self>;
}

impl TableKey for FlowKey {
    const FAMILY: Family = Family::Ipv4;
    const BYTES: usize = FlowKey::BYTES;

    fn input_port(&self) -> u8 {
        self.input_port()
    }

    #[inline]
    fn link_key(&self) -> key::FlowKey {
        key::FlowKey::V4(key::FlowKeyV4 {
            input_port: u32::from(self.input_port()),
            src_addr: self.src_addr().to_bits(),
            dst_addr: self.dst_addr().to_bits(),
            src_port: self.src_port(),
            dst_port: self.dst_port(),
            protocol: self.protocol(),
        })
    }

    fn to_command(&self) -> [u8; KEY_BYTES] {
        let mut bytes = [0; KEY_BYTES];
        bytes[..FlowKey::BYTES].copy_from_slice(&self.to_bytes());
        bytes
    }

    fn from_command(bytes: &[u8]) -> Option<Self> {
        FlowKey::from_bytes(bytes.try_into().ok()?)
    }
}

impl TableKey for FlowKeyV6 {
    const FAMILY: Family = Family::Ipv6;
    const BYTES: usize = FlowKeyV6::BYTES;

    fn input_port(&self) -> u8 {
        self.input_port()
    }

    #[inline]
    fn link_key(&self) -> key::FlowKey {
        key::FlowKey::V6(key::FlowKeyV6 {
            input_port: u32::from(self.input_port()),
            src_addr: self.src_addr().octets(),
            dst_addr: self.dst_addr().octets(),
            src_port: self.src_port(),
            dst_port: self.dst_port(),
            protocol: self.protocol(),
        })
    }

    fn to_command(&self) -> [u8; KEY_BYTES] {
        self.to_bytes()
    }

    fn from_command(bytes: &[u8]) -> Option<Self> {
        FlowKeyV6::from_bytes(bytes.try_into().ok()?)
    }
}

/// Returns `true` when the table of a family is among those that are tracked.
#[must_use]
pub fn tracks(tracked: Tracked, family: Family) -> bool {
    match family {
        Family::Ipv4 => tracked.ipv4(),
        Family::Ipv6 => tracked.ipv6(),
    }
}

/// Iterates over the families that are tracked, IPv4 first.
pub fn families(tracked: Tracked) -> impl Iterator<Item = Family> {
    Family::ALL.into_iter().filter(move |family| tracks(tracked, *family))
}

#[cfg(test)]
mod tests;
