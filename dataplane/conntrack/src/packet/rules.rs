//! The rules by which one frame gets a key or an outcome.
//!
//! The order of the rules is a promise: each frame has exactly one outcome, and the first rule that
//! matches names it.

use super::outcome::Outcome;
use super::plain::plain_key;
use super::protocols::Protocols;
use super::{eth, ipv4, ports};
use crate::arch::Baseline;
use crate::key::FlowKey;

/// Maximum number of bytes from the start of a frame that the parser reads: Ethernet, two VLAN
/// tags, the longest IPv4 header, and the ports.
pub const MAX_HEADER: usize = eth::HEADER + 2 * eth::TAG + ipv4::MAX_HEADER + ports::LEN;

/// Returns the key of a frame that entered `input_port` (DPDK port id + 1).
///
/// `frame` may be the start of a longer frame when it holds [`MAX_HEADER`] bytes.
///
/// # Errors
/// The outcome of a frame that is not looked up.
#[inline]
pub fn parse(frame: &[u8], input_port: u8, protocols: Protocols) -> Result<FlowKey, Outcome> {
    let mut key = FlowKey::default();
    let plain = |start| plain_key(Baseline, start, input_port, protocols, &mut key);
    if frame.first_chunk().is_some_and(plain) { Ok(key) } else { parse_any(frame, input_port, protocols) }
}

/// Applies every rule, in order.
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
