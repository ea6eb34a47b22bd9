//! The flow key of IPv4, 136 bits.

use core::fmt;
use core::net::Ipv4Addr;

use super::{Key, SlotKey, TCP, UDP};
use crate::arch::aes::Block;
use crate::arch::crc32c::Bytes;
use crate::batch::Batch;
use crate::hash::Hasher;
use crate::packet::{Frames, Parser, Target};
use crate::table::InSlots;

/// Input port and 5-tuple of one direction of a conversation.
///
/// As P4TC shows it, the key has six exact-match fields of 136 bits together: `input_port` 32,
/// `srcAddr` 32, `dstAddr` 32, `protocol` 8, `srcPort` 16, `dstPort` 16. [`FlowKey::to_bytes`]
/// returns that form. Here an 8-bit port number is enough (DPDK has at most 32 ports), so the key
/// fits two words and leaves 16 bits to spare, which are always zero. So a slot of a table's line
/// holds a whole key.
///
/// ```text
/// lo   dstAddr:32 | srcAddr:32                                  (wire byte order)
/// hi   0:16 | input_port:8 | protocol:8 | dstPort:16 | srcPort:16 (ports in wire order)
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(transparent)]
pub struct FlowKey(pub(crate) SlotKey);

impl FlowKey {
    /// Size of the P4TC form in bytes.
    pub const BYTES: usize = 17;

    /// Returns a key. `input_port` is the DPDK port id + 1, so it is never 0.
    ///
    /// # Panics
    /// When `input_port` is 0.
    #[must_use]
    pub fn new(
        input_port: u8,
        src: Ipv4Addr,
        dst: Ipv4Addr,
        protocol: u8,
        src_port: u16,
        dst_port: u16,
    ) -> Self {
        assert!(input_port != 0, "input_port 0 is never a valid port");
        Self::from_wire(
            input_port,
            protocol,
            u64::from(u32::from_le_bytes(src.octets())) | u64::from(u32::from_le_bytes(dst.octets())) << 32,
            u32::from(src_port.to_be()) | u32::from(dst_port.to_be()) << 16,
        )
    }

    /// Returns a key of words that were loaded little-endian from a frame.
    #[inline]
    pub(crate) fn from_wire(input_port: u8, protocol: u8, addrs: u64, ports: u32) -> Self {
        FlowKey(SlotKey {
            lo: addrs,
            hi: u64::from(ports) | u64::from(protocol) << 32 | u64::from(input_port) << 40,
        })
    }

    /// Returns the DPDK port id + 1 of the port where the frame entered.
    #[must_use]
    pub fn input_port(&self) -> u8 {
        (self.0.hi >> 40) as u8
    }

    /// Returns the IPv4 source address.
    #[must_use]
    pub fn src_addr(&self) -> Ipv4Addr {
        Ipv4Addr::from((self.0.lo as u32).to_le_bytes())
    }

    /// Returns the IPv4 destination address.
    #[must_use]
    pub fn dst_addr(&self) -> Ipv4Addr {
        Ipv4Addr::from(((self.0.lo >> 32) as u32).to_le_bytes())
    }

    /// Returns the IPv4 protocol number.
    #[must_use]
    pub fn protocol(&self) -> u8 {
        (self.0.hi >> 32) as u8
    }

    /// Returns the source port.
    #[must_use]
    pub fn src_port(&self) -> u16 {
        u16::from_be(self.0.hi as u16)
    }

    /// Returns the destination port.
    #[must_use]
    pub fn dst_port(&self) -> u16 {
        u16::from_be((self.0.hi >> 16) as u16)
    }

    /// Returns the key as P4TC lays it out: the input port (little-endian, as the kernel's
    /// ifindex), then addresses, protocol and ports as on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0] = self.input_port();
        bytes[4..12].copy_from_slice(&self.0.lo.to_le_bytes());
        bytes[12] = self.protocol();
        bytes[13..17].copy_from_slice(&(self.0.hi as u32).to_le_bytes());
        bytes
    }

    /// Returns the key of which [`FlowKey::to_bytes`] returns these bytes, or `None` when the port
    /// is 0 or does not fit in 8 bits.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let (&[port, 0, 0, 0], rest) = bytes.split_first_chunk::<4>()? else { return None };
        let (addrs, rest) = rest.split_first_chunk::<8>()?;
        let (&protocol, rest) = rest.split_first()?;
        let ports = rest.first_chunk::<4>()?;
        (port != 0)
            .then(|| Self::from_wire(port, protocol, u64::from_le_bytes(*addrs), u32::from_le_bytes(*ports)))
    }
}

impl Key for FlowKey {
    type Hash = u32;
    type Hasher = Hasher;
    type Store = InSlots;

    #[inline(always)]
    fn home(hash: u32) -> u32 {
        hash
    }

    #[inline(always)]
    fn slot<'a>(&'a self, _: &'a u32) -> &'a SlotKey {
        &self.0
    }

    #[inline(always)]
    fn parse<F: Frames + ?Sized>(
        parser: &mut Parser,
        frames: &F,
        first: usize,
        input_port: u8,
        batch: &mut Batch<Self>,
    ) -> u64 {
        parser.parse(frames, first, input_port, Target::Batch(batch), Target::Off)
    }
}

impl Block for FlowKey {
    #[inline(always)]
    fn words(&self) -> [u64; 2] {
        self.0.words()
    }
}

/// The bytes of [`FlowKey::to_bytes`].
impl Bytes<2> for FlowKey {
    #[inline(always)]
    fn as_words(&self) -> ([u64; 2], u8) {
        // The bits above the input port are zero.
        let first = self.0.hi >> 40 | self.0.lo << 32;
        let second = self.0.lo >> 32 | u64::from(self.protocol()) << 32 | self.0.hi << 40;
        ([first, second], (self.0.hi >> 24) as u8)
    }
}

/// Writes the compact form: `port0/tcp/10.0.0.1:36876-10.0.0.2:1234`.
impl fmt::Display for FlowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port{}/", self.input_port().wrapping_sub(1))?;
        match self.protocol() {
            TCP => f.write_str("tcp")?,
            UDP => f.write_str("udp")?,
            other => write!(f, "{other}")?,
        }
        write!(f, "/{}:{}-{}:{}", self.src_addr(), self.src_port(), self.dst_addr(), self.dst_port())
    }
}

impl fmt::Debug for FlowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn p4tc_blob_of_the_worked_example() {
        // ifindex 2, 10.0.0.1:36876 -> 10.0.0.2:1234, TCP, as a little-endian kernel lays it out.
        let key = FlowKey::new(2, Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2), TCP, 36876, 1234);
        let blob = [2, 0, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 6, 0x90, 0x0c, 0x04, 0xd2];
        assert_eq!(key.to_bytes(), blob);
        assert_eq!(FlowKey::from_bytes(&blob), Some(key));
        let ([first, second], last) = key.as_words();
        let words: std::vec::Vec<u8> =
            first.to_le_bytes().into_iter().chain(second.to_le_bytes()).chain([last]).collect();
        assert_eq!(words, blob);
        assert_eq!(format!("{key}"), "port1/tcp/10.0.0.1:36876-10.0.0.2:1234");
    }

    #[test]
    fn ports_outside_one_byte_are_no_key() {
        let mut blob = [0; FlowKey::BYTES];
        assert_eq!(FlowKey::from_bytes(&blob), None);
        blob[1] = 1;
        assert_eq!(FlowKey::from_bytes(&blob), None);
    }
}
