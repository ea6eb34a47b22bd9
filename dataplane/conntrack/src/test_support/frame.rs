//! Ethernet frames, well formed and otherwise.
//!
//! The builder fills in lengths and the IPv4 header checksum, and every field can be set to
//! something wrong afterwards. TCP and UDP checksums are left 0: these frames are looked at, not
//! delivered to a network stack. The exception is [`FlowFrames`].

mod ipv6;

use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

pub use ipv6::{AUTHENTICATION, FRAGMENT, ICMPV6, Ipv6Frame};

use crate::FlowKey;
use crate::key::{TCP, UDP};

/// EtherType of IPv4 (RFC 894).
pub const ETHERTYPE_IPV4: u16 = 0x0800;
/// EtherType of ARP (RFC 826).
pub const ETHERTYPE_ARP: u16 = 0x0806;
/// EtherType of IPv6 (RFC 2464).
pub const ETHERTYPE_IPV6: u16 = 0x86dd;
/// Tag protocol identifier of a customer VLAN tag (IEEE 802.1Q).
pub const TPID_8021Q: u16 = 0x8100;
/// Tag protocol identifier of a service VLAN tag (IEEE 802.1ad).
pub const TPID_8021AD: u16 = 0x88a8;

/// IANA protocol number of ICMP.
pub const ICMP: u8 = 1;

/// The flag "more fragments" (RFC 791) in the header's field of flags and fragment offset.
const MORE_FRAGMENTS: u16 = 0x2000;

/// Octets of the shortest Ethernet frame, without the frame check sequence (IEEE 802.3: 64 with
/// it).
pub const MIN_FRAME: usize = 60;

/// An IPv4 frame to be. Starts as a 60-byte TCP SYN, see [`Ipv4Frame::tcp`].
#[derive(Clone, Debug)]
pub struct Ipv4Frame {
    tags: Vec<(u16, u16)>,
    ethertype: u16,
    version: u8,
    ihl: Option<u8>,
    options: Vec<u8>,
    total_length: Option<u16>,
    fragment: u16,
    protocol: u8,
    src: Ipv4Addr,
    dst: Ipv4Addr,
    l4: Vec<u8>,
    min_len: usize,
}

impl Ipv4Frame {
    fn new(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, l4: Vec<u8>) -> Self {
        Self {
            tags: Vec::new(),
            ethertype: ETHERTYPE_IPV4,
            version: 4,
            ihl: None,
            options: Vec::new(),
            total_length: None,
            fragment: 0,
            protocol,
            src,
            dst,
            l4,
            min_len: MIN_FRAME,
        }
    }

    /// A TCP SYN without payload (RFC 9293 §3.1), padded to the shortest frame.
    #[must_use]
    pub fn tcp(src: (Ipv4Addr, u16), dst: (Ipv4Addr, u16)) -> Self {
        Self::new(src.0, dst.0, TCP, tcp_syn(src.1, dst.1))
    }

    /// A frame of the flow: its first segment or datagram, as [`Ipv4Frame::tcp`] and
    /// [`Ipv4Frame::udp`] make them. Of a protocol that has no ports, a TCP segment with that
    /// protocol's number.
    #[must_use]
    pub fn of(key: &FlowKey) -> Self {
        let (src, dst) = ((key.src_addr(), key.src_port()), (key.dst_addr(), key.dst_port()));
        match key.protocol() {
            UDP => Self::udp(src, dst),
            protocol => Self::tcp(src, dst).protocol(protocol),
        }
    }

    /// A UDP datagram without payload (RFC 768), padded to the shortest frame.
    #[must_use]
    pub fn udp(src: (Ipv4Addr, u16), dst: (Ipv4Addr, u16)) -> Self {
        Self::new(src.0, dst.0, UDP, udp_header(src.1, dst.1))
    }

    /// An ICMP echo request (RFC 792), padded to the shortest frame.
    #[must_use]
    pub fn icmp_echo(src: Ipv4Addr, dst: Ipv4Addr) -> Self {
        Self::new(src, dst, ICMP, vec![8, 0, 0xf7, 0xfd, 0, 1, 0, 1])
    }

    /// Adds a VLAN tag inside the ones there are. `tpid` is the EtherType that announces it, `tci`
    /// its 16 bits (priority, DEI, VLAN id).
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

    /// Appends `words` 32-bit words of IP options (no-operation, RFC 791).
    #[must_use]
    pub fn ip_options(mut self, words: usize) -> Self {
        self.options = vec![1; 4 * words];
        self
    }

    /// Sets the version nibble.
    #[must_use]
    pub fn version(mut self, version: u8) -> Self {
        self.version = version;
        self
    }

    /// Sets the IHL nibble, whatever the header's length is. 32-bit words.
    #[must_use]
    pub fn ihl(mut self, words: u8) -> Self {
        self.ihl = Some(words);
        self
    }

    /// Sets the total length field, whatever the packet's length is. Octets.
    #[must_use]
    pub fn total_length(mut self, octets: u16) -> Self {
        self.total_length = Some(octets);
        self
    }

    /// Sets the protocol number, whatever the payload is.
    #[must_use]
    pub fn protocol(mut self, protocol: u8) -> Self {
        self.protocol = protocol;
        self
    }

    /// Makes it the first fragment of a longer packet: MF set, offset 0.
    #[must_use]
    pub fn first_fragment(self) -> Self {
        self.fragment_field(MORE_FRAGMENTS)
    }

    /// Makes it a later fragment. `offset` counts 8-octet units, 1 to 8191.
    #[must_use]
    pub fn later_fragment(self, offset: u16, more: bool) -> Self {
        self.fragment_field(offset | if more { MORE_FRAGMENTS } else { 0 })
    }

    /// Sets the flags and the fragment offset, as they stand in the header.
    #[must_use]
    pub fn fragment_field(mut self, field: u16) -> Self {
        self.fragment = field;
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
        let header_len = 20 + self.options.len();
        let ihl =
            self.ihl.unwrap_or_else(|| u8::try_from(header_len / 4).expect("at most 10 words of options"));
        let total = self
            .total_length
            .unwrap_or_else(|| u16::try_from(header_len + self.l4.len()).expect("fits 16 bits"));

        let mut ip = vec![(self.version << 4) | (ihl & 0x0f), 0];
        ip.extend_from_slice(&total.to_be_bytes());
        ip.extend_from_slice(&[0x12, 0x34]); // identification
        ip.extend_from_slice(&self.fragment.to_be_bytes());
        ip.extend_from_slice(&[64, self.protocol, 0, 0]); // TTL, protocol, checksum to come
        ip.extend_from_slice(&self.src.octets());
        ip.extend_from_slice(&self.dst.octets());
        ip.extend_from_slice(&self.options);
        let checksum = internet_checksum(&ip);
        ip[10..12].copy_from_slice(&checksum.to_be_bytes());
        ip.extend_from_slice(&self.l4);

        ethernet(&self.tags, self.ethertype, &ip, self.min_len)
    }
}

fn ports(src: u16, dst: u16) -> Vec<u8> {
    [src.to_be_bytes(), dst.to_be_bytes()].concat()
}

/// The TCP header of a SYN without options (RFC 9293 §3.1).
fn tcp_syn(src: u16, dst: u16) -> Vec<u8> {
    let mut header = ports(src, dst);
    header.extend_from_slice(&1u32.to_be_bytes()); // sequence number
    header.extend_from_slice(&0u32.to_be_bytes()); // acknowledgment number
    header.extend_from_slice(&[5 << 4, 0x02]); // data offset 5 words, SYN
    header.extend_from_slice(&0xffff_u16.to_be_bytes()); // window
    header.extend_from_slice(&[0; 4]); // checksum, urgent pointer
    header
}

/// The UDP header of a datagram without payload (RFC 768).
fn udp_header(src: u16, dst: u16) -> Vec<u8> {
    let mut header = ports(src, dst);
    header.extend_from_slice(&8u16.to_be_bytes()); // length
    header.extend_from_slice(&[0; 2]); // no checksum
    header
}

/// An Ethernet II frame with any tags and EtherType around `body`, padded with zeros to at least
/// `min_len` octets.
#[must_use]
pub fn ethernet(tags: &[(u16, u16)], ethertype: u16, body: &[u8], min_len: usize) -> Vec<u8> {
    // Locally administered unicast addresses: no switch or stack claims them.
    let mut frame = vec![0x02, 0, 0, 0, 0, 0x02, 0x02, 0, 0, 0, 0, 0x01];
    for (tpid, tci) in tags {
        frame.extend_from_slice(&tpid.to_be_bytes());
        frame.extend_from_slice(&tci.to_be_bytes());
    }
    frame.extend_from_slice(&ethertype.to_be_bytes());
    frame.extend_from_slice(body);
    if frame.len() < min_len {
        frame.resize(min_len, 0);
    }
    frame
}

/// An ARP request for `target` (RFC 826), padded to the shortest frame.
#[must_use]
pub fn arp_request(sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let mut body = vec![0, 1, 8, 0, 6, 4, 0, 1];
    body.extend_from_slice(&[0x02, 0, 0, 0, 0, 0x01]);
    body.extend_from_slice(&sender.octets());
    body.extend_from_slice(&[0; 6]);
    body.extend_from_slice(&target.octets());
    ethernet(&[], ETHERTYPE_ARP, &body, MIN_FRAME)
}

/// `frame` cut to every length from 0 to its own.
pub fn every_prefix(frame: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..=frame.len()).map(|len| frame[..len].to_vec())
}

/// Shortest TCP frames of `count` distinct flows towards one server, at most 2^32: consecutive
/// source ports first, then the next source address.
///
/// # Panics
/// When `count` is more than 2^32.
pub fn distinct_flows(count: u64) -> impl Iterator<Item = Vec<u8>> {
    const PORTS: u64 = 1 << 16;
    assert!(count <= PORTS * PORTS, "only 2^32 flows are distinct here");
    (0..count).map(|i| {
        let host = u32::try_from(i / PORTS).expect("below 2^16");
        let port = u16::try_from(i % PORTS).expect("below 2^16");
        let src = Ipv4Addr::from_bits(Ipv4Addr::new(10, 1, 0, 0).to_bits() + host);
        Ipv4Frame::tcp((src, port), (Ipv4Addr::new(10, 0, 0, 2), 80)).build()
    })
}

/// One frame that is rewritten for flow after flow, for senders that have no time to build each:
/// the numbering is that of [`distinct_flows`], and both checksums are right, so that a network
/// stack takes it as well.
#[derive(Clone, Debug)]
pub struct FlowFrames {
    frame: Vec<u8>,
    src: Ipv4Addr,
}

impl Default for FlowFrames {
    fn default() -> Self {
        let src = Ipv4Addr::new(10, 1, 0, 0);
        let frame = Ipv4Frame::tcp((src, 0), (Ipv4Addr::new(10, 0, 0, 2), 80)).build();
        Self { frame, src }
    }
}

impl FlowFrames {
    /// Sets the address of flow 0.
    pub fn set_src(&mut self, src: Ipv4Addr) {
        self.src = src;
    }

    /// Sets the server's address.
    pub fn set_dst(&mut self, dst: Ipv4Addr) {
        self.frame[30..34].copy_from_slice(&dst.octets());
    }

    /// Sets the Ethernet destination.
    pub fn set_dst_mac(&mut self, mac: [u8; 6]) {
        self.frame[..6].copy_from_slice(&mac);
    }

    /// The frame of a flow. Numbers beyond 2^32 start over.
    pub fn flow(&mut self, number: u64) -> &[u8] {
        let host = (number >> 16) as u32;
        self.frame[26..30].copy_from_slice(&self.src.to_bits().wrapping_add(host).to_be_bytes());
        self.frame[34..36].copy_from_slice(&(number as u16).to_be_bytes());
        self.frame[24..26].fill(0);
        let checksum = internet_checksum(&self.frame[14..34]);
        self.frame[24..26].copy_from_slice(&checksum.to_be_bytes());
        // RFC 9293 §3.1: the pseudo header is addresses, protocol and length.
        self.frame[50..52].fill(0);
        let mut summed = [0; 32];
        summed[..8].copy_from_slice(&self.frame[26..34]);
        summed[9] = TCP;
        summed[11] = 20;
        summed[12..].copy_from_slice(&self.frame[34..54]);
        let checksum = internet_checksum(&summed);
        self.frame[50..52].copy_from_slice(&checksum.to_be_bytes());
        &self.frame
    }
}

/// Compares frames octet by octet and in order. Names the first difference only: the lists are
/// long.
///
/// # Panics
/// When they differ.
#[track_caller]
pub fn assert_same(sent: &[Vec<u8>], expected: &[Vec<u8>]) {
    for (i, (sent, expected)) in sent.iter().zip(expected).enumerate() {
        assert_eq!(sent, expected, "frame {i}");
    }
    assert_eq!(sent.len(), expected.len(), "frames");
}

/// The one's complement checksum of RFC 1071.
///
/// # Panics
/// Never.
#[must_use]
pub fn internet_checksum(octets: &[u8]) -> u16 {
    let mut sum: u32 = octets
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded to 16 bits")
}

#[cfg(test)]
mod tests;
