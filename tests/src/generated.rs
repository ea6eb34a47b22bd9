//! The flows of the traffic generator by number: their frames and their keys.

use std::net::{Ipv4Addr, Ipv6Addr};

use conntrack::test_support::frame::{FlowFrames, Ipv6Frame, internet_checksum};
use flowtracker_proto::v1;

use crate::oracle::Key;

/// IANA protocol number of TCP.
const TCP: u8 = 6;
/// Where every flow goes.
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const SERVER6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
const SERVER_PORT: u16 = 80;
/// Source addresses of flow 0.
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 0);
const FIRST6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0);

/// Returns whether a flow is of IPv6, where a generator with this number of ports sends both
/// families: every other flow of each port is.
#[must_use]
pub fn is_ipv6(number: u64, ports: u64) -> bool {
    number / ports % 2 == 1
}

/// Returns the key of a flow of a generator with this number of ports that sends both families.
#[must_use]
pub fn key(number: u64, ports: u64) -> v1::Key {
    let host = (number >> 16) as u32;
    let (src, dst) = if is_ipv6(number, ports) {
        (Ipv6Addr::from_bits(FIRST6.to_bits() + u128::from(host)).into(), SERVER6.into())
    } else {
        (Ipv4Addr::from_bits(FIRST.to_bits().wrapping_add(host)).into(), SERVER.into())
    };
    let port = (number % ports) as u16;
    Key { port, src, dst, protocol: TCP, src_port: number as u16, dst_port: SERVER_PORT }.to_proto()
}

/// Frames of both families, which are rewritten for flow after flow, with right checksums.
#[derive(Clone, Debug)]
pub struct Frames {
    ipv4: FlowFrames,
    /// `None` where only IPv4 is sent.
    ipv6: Option<Ipv6Frames>,
}

impl Frames {
    /// Returns the frames of IPv4, as they are set up, and of IPv6 where that is sent too.
    #[must_use]
    pub fn new(ipv4: FlowFrames, with_ipv6: bool) -> Self {
        Self { ipv4, ipv6: with_ipv6.then(Ipv6Frames::default) }
    }

    /// Returns the frame of a flow of a generator with this number of ports.
    pub fn flow(&mut self, number: u64, ports: u64) -> &[u8] {
        match &mut self.ipv6 {
            Some(ipv6) if is_ipv6(number, ports) => ipv6.flow(number),
            _ => self.ipv4.flow(number),
        }
    }
}

/// Where the fields of a plain TCP/IPv6 frame are.
const SRC: usize = 14 + 8;
const PORTS: usize = 14 + 40;
const CHECKSUM: usize = PORTS + 16;

/// The twin of [`FlowFrames`] for IPv6.
#[derive(Clone, Debug)]
struct Ipv6Frames {
    frame: Vec<u8>,
}

impl Default for Ipv6Frames {
    fn default() -> Self {
        Self { frame: Ipv6Frame::tcp((FIRST6, 0), (SERVER6, SERVER_PORT)).build() }
    }
}

impl Ipv6Frames {
    fn flow(&mut self, number: u64) -> &[u8] {
        let host = (number >> 16) as u32;
        self.frame[SRC + 12..SRC + 16].copy_from_slice(&host.to_be_bytes());
        self.frame[PORTS..PORTS + 2].copy_from_slice(&(number as u16).to_be_bytes());
        self.frame[CHECKSUM..CHECKSUM + 2].fill(0);
        // RFC 8200 section 8.1: the pseudo header is addresses, length and next header.
        let mut octets = self.frame[SRC..].to_vec();
        octets.extend([0, (self.frame.len() - PORTS) as u8, 0, TCP]);
        let checksum = internet_checksum(&octets);
        self.frame[CHECKSUM..CHECKSUM + 2].copy_from_slice(&checksum.to_be_bytes());
        &self.frame
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::oracle::classify;

    #[test]
    fn frames_have_the_keys_that_are_said() {
        let mut frames = Frames::new(FlowFrames::default(), true);
        let mut seen = HashSet::new();
        for ports in [1, 2, 4] {
            seen.clear();
            for number in (0..100).chain(65_530..65_600).chain([1 << 24, (1 << 32) - 1]) {
                let frame = frames.flow(number, ports);
                let found =
                    classify(frame, (number % ports) as u16, &[TCP]).expect("a plain frame").to_proto();
                assert_eq!(found, key(number, ports));
                assert!(seen.insert(format!("{found:?}")), "{number} is a flow of its own");
            }
        }
        let mut frames = Frames::new(FlowFrames::default(), false);
        assert!((0..10).all(|number| frames.flow(number, 1)[12..14] == [0x08, 0x00]));
    }

    /// A receiver adds up pseudo header and segment, checksum included, to all ones.
    #[test]
    fn checksums_of_ipv6_are_right() {
        let mut frames = Ipv6Frames::default();
        for number in [0, 1, 65_535, 65_536, 123_456_789, u64::from(u32::MAX)] {
            let frame = frames.flow(number);
            let mut octets = frame[SRC..PORTS].to_vec();
            octets.extend([0, 0, 0, 20, 0, 0, 0, TCP]);
            octets.extend_from_slice(&frame[PORTS..]);
            let mut sum: u32 = octets.chunks(2).map(|p| u32::from(u16::from_be_bytes([p[0], p[1]]))).sum();
            while sum > 0xffff {
                sum = (sum & 0xffff) + (sum >> 16);
            }
            assert_eq!(sum, 0xffff, "flow {number}");
        }
    }
}
