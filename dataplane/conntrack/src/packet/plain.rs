//! Plain frames: untagged, IPv4 without options, not a later fragment, of a tracked protocol. Those of
//! IPv6 are in `v6`.
//!
//! Nearly all frames are plain, and their fields lie at fixed offsets, so a few comparisons decide
//! and no rule has to be walked through. A frame that is not plain may still have a key: it is
//! parsed by every rule (`rules`).

#[cfg(test)]
mod tests;
mod v6;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(super) use v6::plain_key_v6;

use super::protocols::Protocols;
use super::{eth, ipv4, ports};
use crate::arch::Instructions;
use crate::key::{FlowKey, SlotKey};

/// Number of bytes from the start of a frame that a plain frame's fields take.
pub(super) const PLAIN: usize = eth::HEADER + ipv4::MIN_HEADER + ports::LEN;

/// Least total length (the field of the IPv4 header) of a plain frame, in bytes. The rules ask for
/// the header and the ports only; a power of two is one comparison less, and no TCP segment is so
/// short.
const LEAST_TOTAL_LEN: u16 = 32;

/// Writes the key of a plain frame to `key` and returns true. Returns false, and leaves `key` in
/// any state, when the frame is not plain.
///
/// The result is the same for all instructions.
#[inline(always)]
pub(super) fn plain_key<I: Instructions>(
    _: I,
    start: &[u8; PLAIN],
    input_port: u8,
    protocols: Protocols,
    key: &mut FlowKey,
) -> bool {
    #[cfg(target_arch = "x86_64")]
    if I::AVX {
        // SAFETY: there is a value of `I`, so the CPU has what its constants say.
        return unsafe { x86::plain_key(start, input_port, protocols, key) };
    }
    portable(start, input_port, protocols, key)
}

/// The twin without special instructions.
#[inline(always)]
fn portable(f: &[u8; PLAIN], input_port: u8, protocols: Protocols, key: &mut FlowKey) -> bool {
    // EtherType, version and IHL, in one word.
    let plain = u32::from_le_bytes([f[12], f[13], f[14], f[15]]) & 0x00ff_ffff == 0x0045_0008;
    let long = u16::from_be_bytes([f[16], f[17]]) >= LEAST_TOTAL_LEN;
    let first = u16::from_be_bytes([f[20], f[21]]) & ipv4::OFFSET_MASK == 0;
    if !(plain && long && first && protocols.tracks(f[23])) {
        return false;
    }
    let addrs = u64::from_le_bytes([f[26], f[27], f[28], f[29], f[30], f[31], f[32], f[33]]);
    let ports = u32::from_le_bytes([f[34], f[35], f[36], f[37]]);
    let FlowKey(SlotKey { lo, hi }) = FlowKey::from_wire(input_port, f[23], addrs, ports);
    // The words are stored one by one: a key that is returned by value is written as two words and
    // read as one, and the read has to wait until the words have left the store buffer.
    (key.0.lo, key.0.hi) = (lo, hi);
    true
}
