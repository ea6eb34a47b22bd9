//! The keys of flows in a compact form, because tables hold millions of them.

use std::fmt;
use std::str::FromStr;

use crate::key::{Violation, WideKey};
use crate::table::{Family, IPV4_FLOWS, IPV6_FLOWS, TableDescription};
use crate::v1::Key;

/// The key of [`IPV4_FLOWS`], host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowKeyV4 {
    /// DPDK port id + 1; never 0.
    pub input_port: u32,
    /// IPv4 source address, most significant byte first.
    pub src_addr: u32,
    /// IPv4 destination address, most significant byte first.
    pub dst_addr: u32,
    /// Source port of the segment.
    pub src_port: u16,
    /// Destination port of the segment.
    pub dst_port: u16,
    /// IPv4 protocol number.
    pub protocol: u8,
}

/// The key of [`IPV6_FLOWS`], ports in host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowKeyV6 {
    /// DPDK port id + 1; never 0.
    pub input_port: u32,
    /// IPv6 source address, as on the wire.
    pub src_addr: [u8; 16],
    /// IPv6 destination address, as on the wire.
    pub dst_addr: [u8; 16],
    /// Source port of the segment.
    pub src_port: u16,
    /// Destination port of the segment.
    pub dst_port: u16,
    /// Protocol number of the upper layer.
    pub protocol: u8,
}

/// The key of a flow of either family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FlowKey {
    /// A key of IPv4.
    V4(FlowKeyV4),
    /// A key of IPv6.
    V6(FlowKeyV6),
}

const _: () = assert!(size_of::<FlowKey>() == 48, "a million keys sit in the mirror");

impl FlowKeyV4 {
    /// Length of the P4TC form, bytes.
    pub const BYTES: usize = 17;

    /// Returns the same key as a [`WideKey`].
    #[must_use]
    #[inline]
    pub fn widen(self) -> WideKey {
        WideKey {
            input_port: self.input_port,
            src_addr: self.src_addr.into(),
            dst_addr: self.dst_addr.into(),
            protocol: self.protocol,
            src_port: self.src_port,
            dst_port: self.dst_port,
        }
    }

    /// Converts a key that was checked against [`IPV4_FLOWS`], whose addresses have 32 bits.
    fn narrow(key: WideKey) -> Self {
        Self {
            input_port: key.input_port,
            src_addr: key.src_addr as u32,
            dst_addr: key.dst_addr as u32,
            src_port: key.src_port,
            dst_port: key.dst_port,
            protocol: key.protocol,
        }
    }

    /// Returns the key as P4TC lays it out: the port as the kernel's little-endian ifindex, then
    /// addresses, protocol and ports as on the wire.
    #[must_use]
    #[inline]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.input_port.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.src_addr.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.dst_addr.to_be_bytes());
        bytes[12] = self.protocol;
        bytes[13..15].copy_from_slice(&self.src_port.to_be_bytes());
        bytes[15..].copy_from_slice(&self.dst_port.to_be_bytes());
        bytes
    }

    /// Reads the form that [`FlowKeyV4::to_bytes`] writes; `None` when the port is 0.
    #[must_use]
    #[inline]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let word = |at: usize| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        let input_port = u32::from_le_bytes(word(0));
        (input_port != 0).then(|| Self {
            input_port,
            src_addr: u32::from_be_bytes(word(4)),
            dst_addr: u32::from_be_bytes(word(8)),
            protocol: bytes[12],
            src_port: u16::from_be_bytes([bytes[13], bytes[14]]),
            dst_port: u16::from_be_bytes([bytes[15], bytes[16]]),
        })
    }
}

impl FlowKeyV6 {
    /// Length of the P4TC form, bytes.
    pub const BYTES: usize = 41;

    /// Returns the same key as a [`WideKey`].
    #[must_use]
    #[inline]
    pub fn widen(self) -> WideKey {
        WideKey {
            input_port: self.input_port,
            src_addr: u128::from_be_bytes(self.src_addr),
            dst_addr: u128::from_be_bytes(self.dst_addr),
            protocol: self.protocol,
            src_port: self.src_port,
            dst_port: self.dst_port,
        }
    }

    /// Converts a key that was checked against [`IPV6_FLOWS`].
    fn narrow(key: WideKey) -> Self {
        Self {
            input_port: key.input_port,
            src_addr: key.src_addr.to_be_bytes(),
            dst_addr: key.dst_addr.to_be_bytes(),
            src_port: key.src_port,
            dst_port: key.dst_port,
            protocol: key.protocol,
        }
    }

    /// Returns the key as P4TC lays it out, as [`FlowKeyV4::to_bytes`] does.
    #[must_use]
    #[inline]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.input_port.to_le_bytes());
        bytes[4..20].copy_from_slice(&self.src_addr);
        bytes[20..36].copy_from_slice(&self.dst_addr);
        bytes[36] = self.protocol;
        bytes[37..39].copy_from_slice(&self.src_port.to_be_bytes());
        bytes[39..].copy_from_slice(&self.dst_port.to_be_bytes());
        bytes
    }

    /// Reads the form that [`FlowKeyV6::to_bytes`] writes; `None` when the port is 0.
    #[must_use]
    #[inline]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        // `array::from_fn` would copy one byte after the other.
        let addr = |at: usize| {
            let mut addr = [0; 16];
            addr.copy_from_slice(&bytes[at..at + 16]);
            addr
        };
        let input_port = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        (input_port != 0).then(|| Self {
            input_port,
            src_addr: addr(4),
            dst_addr: addr(20),
            protocol: bytes[36],
            src_port: u16::from_be_bytes([bytes[37], bytes[38]]),
            dst_port: u16::from_be_bytes([bytes[39], bytes[40]]),
        })
    }
}

impl FlowKey {
    /// Checks a key of a request. Without a `family`, its addresses decide.
    ///
    /// # Errors
    ///
    /// Reports every field that is wrong, each under its path below `path`. An address of the other
    /// family is wrong.
    pub fn from_proto(family: Option<Family>, key: Option<&Key>, path: &str) -> Result<Self, Vec<Violation>> {
        let family = family.unwrap_or_else(|| key.map_or(Family::Ipv4, family_of));
        WideKey::from_proto(family.table(), key, path).map(|key| Self::narrow(family, key))
    }

    /// Returns the form of the API.
    #[must_use]
    pub fn to_proto(self) -> Key {
        self.widen().to_proto(self.table())
    }

    /// Returns the family of its addresses.
    #[must_use]
    #[inline]
    pub fn family(&self) -> Family {
        match self {
            Self::V4(_) => Family::Ipv4,
            Self::V6(_) => Family::Ipv6,
        }
    }

    /// Returns the description of the table that it is a key of.
    #[must_use]
    pub fn table(&self) -> &'static TableDescription {
        self.family().table()
    }

    /// Returns the same key as a [`WideKey`].
    #[must_use]
    #[inline]
    pub fn widen(self) -> WideKey {
        match self {
            Self::V4(key) => key.widen(),
            Self::V6(key) => key.widen(),
        }
    }

    /// Converts a key that was checked against the table of `family`.
    fn narrow(family: Family, key: WideKey) -> Self {
        match family {
            Family::Ipv4 => Self::V4(FlowKeyV4::narrow(key)),
            Family::Ipv6 => Self::V6(FlowKeyV6::narrow(key)),
        }
    }

    /// Returns P4TC's form: 17 bytes for IPv4, 41 for IPv6.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::V4(key) => key.to_bytes().to_vec(),
            Self::V6(key) => key.to_bytes().to_vec(),
        }
    }
}

/// Returns the family of the first address that a key of a request has; IPv4 if it has none.
fn family_of(key: &Key) -> Family {
    let addr = if key.src_addr.is_empty() { &key.dst_addr } else { &key.src_addr };
    if addr.contains(':') { Family::Ipv6 } else { Family::Ipv4 }
}

impl From<FlowKeyV4> for FlowKey {
    fn from(key: FlowKeyV4) -> Self {
        Self::V4(key)
    }
}

impl From<FlowKeyV6> for FlowKey {
    fn from(key: FlowKeyV6) -> Self {
        Self::V6(key)
    }
}

/// The compact form.
impl fmt::Display for FlowKeyV4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.widen().compact(&IPV4_FLOWS).fmt(f)
    }
}

/// The compact form.
impl fmt::Display for FlowKeyV6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.widen().compact(&IPV6_FLOWS).fmt(f)
    }
}

/// The compact form.
impl fmt::Display for FlowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(key) => key.fmt(f),
            Self::V6(key) => key.fmt(f),
        }
    }
}

/// Parses the compact form. Addresses of IPv6 stand in brackets there.
impl FromStr for FlowKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let family = if text.contains('[') { Family::Ipv6 } else { Family::Ipv4 };
        WideKey::parse(family.table(), text).map(|key| Self::narrow(family, key))
    }
}
