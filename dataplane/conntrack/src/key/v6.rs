//! The flow key of IPv6, 328 bits.

use core::fmt;
use core::net::Ipv6Addr;

use super::{Key, SlotKey};
use crate::arch::crc32c::Bytes;
use crate::batch::Batch;
use crate::hash::{HashV6, HasherV6};
use crate::packet::{Frames, Parser, Target};
use crate::table::Beside;

/// Input port and 5-tuple of one direction of a conversation over IPv6.
///
/// As P4TC shows it, the key has six exact-match fields of 328 bits together: `input_port` 32,
/// `srcAddr` 128, `dstAddr` 128, `hdr.ipv6.nextHdr` 8, `srcPort` 16, `dstPort` 16.
/// [`FlowKeyV6::to_bytes`] returns that form. The protocol is that of the upper layer, behind all
/// extension headers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(C)]
pub struct FlowKeyV6 {
    // Arrays of bytes, because they are copied in one piece: a value that is stored in two pieces
    // and loaded in one has to wait until both have left the store buffer.
    src: [u8; 16],
    dst: [u8; 16],
    /// As the upper word of [`FlowKey`](super::FlowKey): input port, protocol, ports.
    rest: u64,
}

impl FlowKeyV6 {
    /// Size of the P4TC form in bytes.
    pub const BYTES: usize = 41;

    /// Returns a key. `input_port` is the DPDK port id + 1, so it is never 0; `protocol` is that of
    /// the upper layer.
    ///
    /// # Panics
    /// When `input_port` is 0.
    #[must_use]
    pub fn new(
        input_port: u8,
        src: Ipv6Addr,
        dst: Ipv6Addr,
        protocol: u8,
        src_port: u16,
        dst_port: u16,
    ) -> Self {
        assert!(input_port != 0, "input_port 0 is never a valid port");
        let ports = u32::from(src_port.to_be()) | u32::from(dst_port.to_be()) << 16;
        let mut key = FlowKeyV6::default();
        key.set(input_port, protocol, &src.octets(), &dst.octets(), ports);
        key
    }

    /// Sets the whole key, in place. `ports` were loaded little-endian from a frame.
    #[inline(always)]
    pub(crate) fn set(&mut self, input_port: u8, protocol: u8, src: &[u8; 16], dst: &[u8; 16], ports: u32) {
        (self.src, self.dst) = (*src, *dst);
        self.rest = u64::from(ports) | u64::from(protocol) << 32 | u64::from(input_port) << 40;
    }

    /// Returns the addresses, and the other fields in one word: `0:16 | input_port:8 | protocol:8 |
    /// dstPort:16 | srcPort:16`, the ports in wire order.
    #[inline(always)]
    pub(crate) fn parts(&self) -> (&[u8; 16], &[u8; 16], u64) {
        (&self.src, &self.dst, self.rest)
    }

    /// Returns the DPDK port id + 1 of the port where the frame entered.
    #[must_use]
    pub fn input_port(&self) -> u8 {
        (self.rest >> 40) as u8
    }

    /// Returns the source address.
    #[must_use]
    pub fn src_addr(&self) -> Ipv6Addr {
        Ipv6Addr::from(self.src)
    }

    /// Returns the destination address.
    #[must_use]
    pub fn dst_addr(&self) -> Ipv6Addr {
        Ipv6Addr::from(self.dst)
    }

    /// Returns the protocol number of the upper layer.
    #[must_use]
    pub fn protocol(&self) -> u8 {
        (self.rest >> 32) as u8
    }

    /// Returns the source port.
    #[must_use]
    pub fn src_port(&self) -> u16 {
        u16::from_be(self.rest as u16)
    }

    /// Returns the destination port.
    #[must_use]
    pub fn dst_port(&self) -> u16 {
        u16::from_be((self.rest >> 16) as u16)
    }

    /// Returns the key as P4TC lays it out: the input port (little-endian, as the kernel's
    /// ifindex), then addresses, protocol and ports as on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0] = self.input_port();
        bytes[4..20].copy_from_slice(&self.src);
        bytes[20..36].copy_from_slice(&self.dst);
        bytes[36] = self.protocol();
        bytes[37..41].copy_from_slice(&(self.rest as u32).to_le_bytes());
        bytes
    }

    /// Returns the key of which [`FlowKeyV6::to_bytes`] returns these bytes, or `None` when the
    /// port is 0 or does not fit in 8 bits.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let (&[port, 0, 0, 0], rest) = bytes.split_first_chunk::<4>()? else { return None };
        let (src, rest) = rest.split_first_chunk::<16>()?;
        let (dst, rest) = rest.split_first_chunk::<16>()?;
        let (&protocol, rest) = rest.split_first()?;
        let ports = rest.first_chunk::<4>()?;
        let mut key = FlowKeyV6::default();
        key.set(port, protocol, src, dst, u32::from_le_bytes(*ports));
        (port != 0).then_some(key)
    }
}

impl Key for FlowKeyV6 {
    type Hash = HashV6;
    type Hasher = HasherV6;
    type Store = Beside<Self>;

    #[inline(always)]
    fn home(hash: HashV6) -> u32 {
        hash.home()
    }

    #[inline(always)]
    fn slot<'a>(&'a self, hash: &'a HashV6) -> &'a SlotKey {
        hash.slot()
    }

    #[inline(always)]
    fn parse<F: Frames + ?Sized>(
        parser: &mut Parser,
        frames: &F,
        first: usize,
        input_port: u8,
        batch: &mut Batch<Self>,
    ) -> u64 {
        parser.parse(frames, first, input_port, Target::Off, Target::Batch(batch))
    }
}

/// The bytes of [`FlowKeyV6::to_bytes`].
impl Bytes<5> for FlowKeyV6 {
    #[inline(always)]
    fn as_words(&self) -> ([u64; 5], u8) {
        let bytes = self.to_bytes();
        let (words, last) = bytes.as_chunks::<8>();
        (core::array::from_fn(|i| u64::from_le_bytes(words[i])), last[0])
    }
}

/// Writes the fields, for test messages. The text form of keys is that of the API, which is not the
/// engine's business.
impl fmt::Debug for FlowKeyV6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (src, dst) = ((self.src_addr(), self.src_port()), (self.dst_addr(), self.dst_port()));
        write!(f, "{}/{}/[{}]:{}-[{}]:{}", self.input_port(), self.protocol(), src.0, src.1, dst.0, dst.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::TCP;

    #[test]
    fn p4tc_blob_of_a_worked_example() {
        // ifindex 2, [2001:db8::1]:53660 -> [2001:db8::2]:1234, TCP, as a little-endian kernel lays
        // it out.
        let addr = |host| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host);
        let key = FlowKeyV6::new(2, addr(1), addr(2), TCP, 53660, 1234);
        let mut blob = [0; FlowKeyV6::BYTES];
        (blob[0], blob[36]) = (2, 6);
        blob[4..8].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        blob[20..24].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        (blob[19], blob[35]) = (1, 2);
        blob[37..].copy_from_slice(&[0xd1, 0x9c, 0x04, 0xd2]);
        assert_eq!(key.to_bytes(), blob);
        assert_eq!(FlowKeyV6::from_bytes(&blob), Some(key));
        assert_eq!((key.src_addr(), key.dst_addr(), key.protocol()), (addr(1), addr(2), TCP));
        assert_eq!((key.input_port(), key.src_port(), key.dst_port()), (2, 53660, 1234));
    }

    #[test]
    fn ports_outside_one_byte_are_no_key() {
        let mut blob = [0; FlowKeyV6::BYTES];
        assert_eq!(FlowKeyV6::from_bytes(&blob), None);
        blob[1] = 1;
        assert_eq!(FlowKeyV6::from_bytes(&blob), None);
    }
}
