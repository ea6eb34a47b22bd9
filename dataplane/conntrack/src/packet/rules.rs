//! The rules by which one frame gets a key or an outcome.
//!
//! The order of the rules is a promise: each frame has exactly one outcome, and the first rule that
//! matches names it.

use super::families::{AnyKey, Families, Family, Handling};
use super::outcome::Outcome;
use super::plain::{plain_key, plain_key_v6};
use super::protocols::Protocols;
use super::{eth, ipv4, ipv6, ports};
use crate::arch::Baseline;
use crate::key::{FlowKey, FlowKeyV6};

/// Maximum number of bytes from the start of a frame that the parser reads: Ethernet, two VLAN
/// tags, an IPv6 header with as many extension headers as are walked, and the ports.
pub const MAX_HEADER: usize =
    eth::HEADER + 2 * eth::TAG + ipv6::HEADER + ipv6::MAX_EXTENSION_BYTES + ports::LEN;

const _: () = assert!(ipv4::MAX_HEADER <= ipv6::HEADER + ipv6::MAX_EXTENSION_BYTES);

/// Returns the key of a frame that entered `input_port` (DPDK port id + 1), where only IPv4 is
/// tracked.
///
/// `frame` may be the start of a longer frame when it holds [`MAX_HEADER`] bytes.
///
/// # Errors
/// The outcome of a frame that is not looked up.
#[inline]
pub fn parse(frame: &[u8], input_port: u8, protocols: Protocols) -> Result<FlowKey, Outcome> {
    let mut key = FlowKey::default();
    let plain = |start| plain_key(Baseline, start, input_port, protocols, &mut key);
    if frame.first_chunk().is_some_and(plain) { Ok(key) } else { parse_special(frame, input_port, protocols) }
}

/// Applies every rule, in order.
#[cold]
fn parse_special(frame: &[u8], input_port: u8, protocols: Protocols) -> Result<FlowKey, Outcome> {
    match eth::payload(frame)? {
        (Family::Ipv4, packet) => parse_ipv4(packet, input_port, protocols),
        (Family::Ipv6, _) => Err(Outcome::NotTrackedEthertype),
    }
}

/// Does what [`parse`] does, where both families are tracked.
///
/// # Errors
/// The outcome of a frame that is not looked up.
pub fn parse_both(frame: &[u8], input_port: u8, protocols: Protocols) -> Result<AnyKey, Outcome> {
    let mut key = FlowKey::default();
    let plain = |start| plain_key(Baseline, start, input_port, protocols, &mut key);
    if frame.first_chunk().is_some_and(plain) {
        return Ok(AnyKey::Ipv4(key));
    }
    let mut key = FlowKeyV6::default();
    let plain = |start| plain_key_v6(Baseline, start, input_port, protocols, &mut key);
    if frame.first_chunk().is_some_and(plain) {
        return Ok(AnyKey::Ipv6(key));
    }
    parse_any(frame, input_port, protocols, Families::BOTH)
}

/// Applies every rule, in order, to a frame of any family.
#[inline]
pub(super) fn parse_any(
    frame: &[u8],
    input_port: u8,
    protocols: Protocols,
    families: Families,
) -> Result<AnyKey, Outcome> {
    let (family, packet) = eth::payload(frame)?;
    match (families.handling(family), family) {
        (Handling::Off, _) => Err(Outcome::NotTrackedEthertype),
        (Handling::Detached, _) => Err(Outcome::Detached),
        (Handling::Tracked, Family::Ipv4) => parse_ipv4(packet, input_port, protocols).map(AnyKey::Ipv4),
        (Handling::Tracked, Family::Ipv6) => parse_ipv6(packet, input_port, protocols).map(AnyKey::Ipv6),
    }
}

fn parse_ipv4(packet: &[u8], input_port: u8, protocols: Protocols) -> Result<FlowKey, Outcome> {
    let header = ipv4::Header::parse(packet)?;
    if header.fragment_offset != 0 {
        return Err(Outcome::Fragment);
    }
    if !protocols.tracks(header.protocol) {
        return Err(Outcome::NotTrackedProtocol);
    }
    let ports = ports::read(packet, header.len, header.total_len)?;
    Ok(FlowKey::from_wire(input_port, header.protocol, header.addrs, ports))
}

fn parse_ipv6(packet: &[u8], input_port: u8, protocols: Protocols) -> Result<FlowKeyV6, Outcome> {
    let header = ipv6::Header::parse(packet)?;
    if !protocols.tracks(header.protocol) {
        return Err(Outcome::NotTrackedProtocol);
    }
    let ports = ports::read(packet, header.len, header.total_len)?;
    let mut key = FlowKeyV6::default();
    key.set(input_port, header.protocol, header.src, header.dst, ports);
    Ok(key)
}
