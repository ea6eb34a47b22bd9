//! IPv6 frames, well formed and otherwise.

use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

use super::{ETHERTYPE_IPV6, MIN_FRAME, ethernet, tcp_syn, udp_header};
use crate::FlowKeyV6;
use crate::key::{TCP, UDP};

/// IANA protocol number of ICMPv6.
pub const ICMPV6: u8 = 58;
/// Protocol number of a fragment header (RFC 8200 section 4.5).
pub const FRAGMENT: u8 = 44;
/// Protocol number of an authentication header (RFC 4302).
pub const AUTHENTICATION: u8 = 51;

/// An IPv6 frame to be. Starts as a TCP SYN, see [`Ipv6Frame::tcp`].
#[derive(Clone, Debug)]
pub struct Ipv6Frame {
    tags: Vec<(u16, u16)>,
    ethertype: u16,
    version: u8,
    payload_length: Option<u16>,
    /// Extension headers: the protocol number of each, and its octets behind the first one, which is
    /// the number of the next.
    extensions: Vec<(u8, Vec<u8>)>,
    protocol: u8,
    src: Ipv6Addr,
    dst: Ipv6Addr,
    l4: Vec<u8>,
    min_len: usize,
}

impl Ipv6Frame {
    fn new(src: Ipv6Addr, dst: Ipv6Addr, protocol: u8, l4: Vec<u8>) -> Self {
        Self {
            tags: Vec::new(),
            ethertype: ETHERTYPE_IPV6,
            version: 6,
            payload_length: None,
            extensions: Vec::new(),
            protocol,
            src,
            dst,
            l4,
            min_len: MIN_FRAME,
        }
    }

    /// A TCP SYN without payload (RFC 9293 §3.1).
    #[must_use]
    pub fn tcp(src: (Ipv6Addr, u16), dst: (Ipv6Addr, u16)) -> Self {
        Self::new(src.0, dst.0, TCP, tcp_syn(src.1, dst.1))
    }

    /// A UDP datagram without payload (RFC 768).
    #[must_use]
    pub fn udp(src: (Ipv6Addr, u16), dst: (Ipv6Addr, u16)) -> Self {
        Self::new(src.0, dst.0, UDP, udp_header(src.1, dst.1))
    }

    /// A frame of the flow: its first segment or datagram, as [`Ipv6Frame::tcp`] and
    /// [`Ipv6Frame::udp`] make them. Of a protocol that has no ports, a TCP segment with that
    /// protocol's number.
    #[must_use]
    pub fn of(key: &FlowKeyV6) -> Self {
        let (src, dst) = ((key.src_addr(), key.src_port()), (key.dst_addr(), key.dst_port()));
        match key.protocol() {
            UDP => Self::udp(src, dst),
            protocol => Self::tcp(src, dst).protocol(protocol),
        }
    }

    /// An ICMPv6 echo request (RFC 4443 §4.1).
    #[must_use]
    pub fn icmp_echo(src: Ipv6Addr, dst: Ipv6Addr) -> Self {
        Self::new(src, dst, ICMPV6, vec![128, 0, 0, 0, 0, 1, 0, 1])
    }

    /// Adds a VLAN tag inside the ones there are, as [`Ipv4Frame::tag`](super::Ipv4Frame::tag).
    #[must_use]
    pub fn tag(mut self, tpid: u16, tci: u16) -> Self {
        self.tags.push((tpid, tci));
        self
    }

    /// Sets the EtherType behind the tags, whatever follows it.
    #[must_use]
    pub fn ethertype(mut self, ethertype: u16) -> Self {
        self.ethertype = ethertype;
        self
    }

    /// Sets the version nibble.
    #[must_use]
    pub fn version(mut self, version: u8) -> Self {
        self.version = version;
        self
    }

    /// Sets the payload length field, whatever the packet's length is. Octets.
    #[must_use]
    pub fn payload_length(mut self, octets: u16) -> Self {
        self.payload_length = Some(octets);
        self
    }

    /// Appends an extension header with this protocol number and this length field. Its length is
    /// what the field means for the number (RFC 8200 §4, RFC 4302 §2.2).
    #[must_use]
    pub fn extension(mut self, number: u8, length: u8) -> Self {
        let octets = match number {
            FRAGMENT => 8,
            AUTHENTICATION => (usize::from(length) + 2) * 4,
            _ => (usize::from(length) + 1) * 8,
        };
        let mut header = vec![0; octets - 1];
        header[0] = length;
        self.extensions.push((number, header));
        self
    }

    /// Appends a fragment header. `offset` counts 8-octet units, 0 for a first fragment, which with
    /// `more` unset is an atomic one (RFC 6946).
    #[must_use]
    pub fn fragment(self, offset: u16, more: bool) -> Self {
        let mut frame = self.extension(FRAGMENT, 0);
        if let Some((_, header)) = frame.extensions.last_mut() {
            header[1..3].copy_from_slice(&(offset << 3 | u16::from(more)).to_be_bytes());
        }
        frame
    }

    /// Sets the protocol number of what follows the last header, whatever that is.
    #[must_use]
    pub fn protocol(mut self, protocol: u8) -> Self {
        self.protocol = protocol;
        self
    }

    /// Makes `octets` octets follow the two ports, whatever the protocol's header has there.
    #[must_use]
    pub fn after_ports(mut self, octets: usize) -> Self {
        self.l4.truncate(4);
        self.l4.resize(4 + octets, 0xa5);
        self
    }

    /// Appends payload octets.
    #[must_use]
    pub fn payload(mut self, payload: &[u8]) -> Self {
        self.l4.extend_from_slice(payload);
        self
    }

    /// Leaves out the padding to the shortest frame.
    #[must_use]
    pub fn unpadded(mut self) -> Self {
        self.min_len = 0;
        self
    }

    /// The octets of the frame, without the frame check sequence.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        // What follows the fixed header, from its end to its start.
        let mut rest = self.l4.clone();
        let mut next = self.protocol;
        for (number, header) in self.extensions.iter().rev() {
            rest.splice(0..0, [next].into_iter().chain(header.iter().copied()));
            next = *number;
        }
        let length = self.payload_length.unwrap_or_else(|| u16::try_from(rest.len()).expect("fits 16 bits"));
        let mut ip = vec![self.version << 4, 0, 0, 0];
        ip.extend_from_slice(&length.to_be_bytes());
        ip.extend_from_slice(&[next, 64]); // next header, hop limit
        ip.extend_from_slice(&self.src.octets());
        ip.extend_from_slice(&self.dst.octets());
        ip.extend_from_slice(&rest);
        ethernet(&self.tags, self.ethertype, &ip, self.min_len)
    }
}
