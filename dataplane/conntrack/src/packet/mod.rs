//! From a frame to an outcome or a key.
//!
//! The order of the checks is a promise: each frame has exactly one outcome,
//! and the first rule that matches names it.

pub(crate) mod parser;
mod eth;
mod ipv4;
mod ports;

pub use parser::Frames;

use crate::arch::{Instructions as _, Narrow};
use crate::key::{FlowKey, TCP, UDP};

/// Bytes from the start of a frame that the parser may look at: Ethernet, two
/// VLAN tags, the longest IPv4 header, and the ports.
pub const MAX_HEADER: usize = eth::HEADER + 2 * eth::TAG + ipv4::MAX_HEADER + ports::LEN;

/// Where a received frame ended. Every frame has exactly one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Outcome {
    /// The key was in the table.
    Hit,
    /// The key was not in the table and is now.
    MissCreated,
    /// Not in the table, and the shard is full.
    MissFull,
    /// Not in the table, which lacks the data path's C permission.
    MissDenied,
    /// Ethernet, VLAN, IPv4 or port fields cut short by the end of the frame.
    Truncated,
    /// EtherType other than 0x0800 after at most two VLAN tags.
    NotIpv4,
    /// IPv4 header that contradicts itself: version, IHL or total length.
    Malformed,
    /// Fragment other than the first.
    Fragment,
    /// Protocol that is not tracked.
    NotTrackedProtocol,
    /// Received while the program was detached.
    Detached,
}

impl Outcome {
    /// All outcomes, in the order of their numbers.
    pub const ALL: [Outcome; 10] = [
        Outcome::Hit,
        Outcome::MissCreated,
        Outcome::MissFull,
        Outcome::MissDenied,
        Outcome::Truncated,
        Outcome::NotIpv4,
        Outcome::Malformed,
        Outcome::Fragment,
        Outcome::NotTrackedProtocol,
        Outcome::Detached,
    ];

    /// The name under which it is counted and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Hit => "hit",
            Outcome::MissCreated => "miss_created",
            Outcome::MissFull => "miss_full",
            Outcome::MissDenied => "miss_denied",
            Outcome::Truncated => "truncated",
            Outcome::NotIpv4 => "not_ipv4",
            Outcome::Malformed => "malformed",
            Outcome::Fragment => "fragment",
            Outcome::NotTrackedProtocol => "not_tracked_protocol",
            Outcome::Detached => "detached",
        }
    }
}

/// The IPv4 protocols that are tracked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocols {
    /// TCP only.
    Tcp,
    /// TCP and UDP.
    TcpUdp,
}

impl Protocols {
    /// True when frames of this IPv4 protocol are looked up.
    #[inline]
    #[must_use]
    pub fn tracks(self, protocol: u8) -> bool {
        protocol == TCP || (protocol == UDP && self == Protocols::TcpUdp)
    }
}

/// Reads the key of a frame that entered `input_port` (DPDK port id + 1).
///
/// `frame` may be shorter than the real frame when it holds [`MAX_HEADER`] bytes.
///
/// # Errors
/// The outcome of a frame that is not looked up.
#[inline]
pub fn parse(frame: &[u8], input_port: u8, protocols: Protocols) -> Result<FlowKey, Outcome> {
    let mut key = FlowKey::default();
    let plain = |start| Narrow.plain_key(start, input_port, protocols, &mut key);
    if frame.first_chunk().is_some_and(plain) { Ok(key) } else { parse_any(frame, input_port, protocols) }
}

/// As many bytes from the start of a frame as the plain case needs: untagged, no IP options, not a later fragment.
pub(crate) const PLAIN: usize = eth::HEADER + ipv4::MIN_HEADER + ports::LEN;

/// Reads the key in the plain case, if this is one; what is not goes through every rule. Packets whose total length is below 32
/// bytes do not count as plain, because that is one comparison less; no TCP segment is so short.
#[inline(always)]
pub(crate) fn plain_key(f: &[u8; PLAIN], input_port: u8, protocols: Protocols, key: &mut FlowKey) -> bool {
    let plain = u32::from_le_bytes([f[12], f[13], f[14], f[15]]) & 0x00ff_ffff == 0x0045_0008;
    let long = u16::from_be_bytes([f[16], f[17]]) >= 32;
    let first = u16::from_be_bytes([f[20], f[21]]) & ipv4::OFFSET_MASK == 0;
    if !(plain && long && first && protocols.tracks(f[23])) {
        return false;
    }
    let addrs = u64::from_le_bytes([f[26], f[27], f[28], f[29], f[30], f[31], f[32], f[33]]);
    let ports = u32::from_le_bytes([f[34], f[35], f[36], f[37]]);
    let FlowKey { lo, hi } = FlowKey::from_wire(input_port, f[23], addrs, ports);
    // One by one: a key that is handed over by value is written as two words and read as one, which holds up every packet until
    // the words have left the store buffer: 5 ns of 57, by `perf annotate`.
    (key.lo, key.hi) = (lo, hi);
    true
}

/// Every rule, in order.
#[cold]
fn parse_any(frame: &[u8], input_port: u8, protocols: Protocols) -> Result<FlowKey, Outcome> {
    let packet = eth::payload(frame)?;
    let header = ipv4::Header::parse(packet)?;
    if header.fragment_offset != 0 {
        return Err(Outcome::Fragment);
    }
    if !protocols.tracks(header.protocol) {
        return Err(Outcome::NotTrackedProtocol);
    }
    let ports = ports::read(packet, &header)?;
    Ok(FlowKey::from_wire(input_port, header.protocol, header.addrs, ports))
}
