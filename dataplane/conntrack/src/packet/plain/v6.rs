//! Plain frames of IPv6: untagged, without extension headers, of a tracked protocol.

use super::super::protocols::Protocols;
use super::super::{eth, ipv6, ports};
#[cfg(target_arch = "x86_64")]
use super::x86;
use crate::arch::Instructions;
use crate::key::FlowKeyV6;

/// Number of bytes from the start of a frame that a plain frame's fields take.
pub(in crate::packet) const PLAIN_V6: usize = eth::HEADER + ipv6::HEADER + ports::LEN;

/// Least payload length (the field of the IPv6 header) of a plain frame, in bytes: that of a UDP
/// header. The rules ask for the ports only.
pub(super) const LEAST_PAYLOAD_LEN: u16 = 8;

/// Does what [`plain_key`](super::plain_key) does, with frames of IPv6.
#[inline(always)]
pub(in crate::packet) fn plain_key_v6<I: Instructions>(
    _: I,
    start: &[u8; PLAIN_V6],
    input_port: u8,
    protocols: Protocols,
    key: &mut FlowKeyV6,
) -> bool {
    #[cfg(target_arch = "x86_64")]
    let plain = if I::AVX {
        // SAFETY: there is a value of `I`, so the CPU has what its constants say.
        unsafe { x86::is_plain_v6(start, protocols) }
    } else {
        portable(start, protocols)
    };
    #[cfg(not(target_arch = "x86_64"))]
    let plain = portable(start, protocols);
    if plain {
        let (Some(src), Some(dst)) = (start[22..].first_chunk(), start[38..].first_chunk()) else {
            unreachable!("{PLAIN_V6} bytes")
        };
        let ports = u32::from_le_bytes([start[54], start[55], start[56], start[57]]);
        key.set(input_port, start[20], src, dst, ports);
    }
    plain
}

/// The twin without special instructions.
#[inline(always)]
fn portable(f: &[u8; PLAIN_V6], protocols: Protocols) -> bool {
    // EtherType and version.
    let plain = u32::from_le_bytes([f[12], f[13], f[14], 0]) & 0x00f0_ffff == 0x0060_dd86;
    let long = u16::from_be_bytes([f[18], f[19]]) >= LEAST_PAYLOAD_LEN;
    plain && long && protocols.tracks(f[20])
}
