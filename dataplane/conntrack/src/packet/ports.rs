//! The ports: the first four bytes of TCP (RFC 9293 section 3.1) and of UDP (RFC 768).

use super::outcome::Outcome;

/// Length of both ports.
pub(super) const LEN: usize = 4;

/// Returns both ports of a packet, loaded little-endian: the source port is the lower half. They
/// begin behind `header_len` bytes; the packet has `total_len` bytes by its header.
///
/// # Errors
/// [`Outcome::Truncated`] when the frame ends before them, [`Outcome::Malformed`] when the packet
/// does.
pub(super) fn read(packet: &[u8], header_len: usize, total_len: usize) -> Result<u32, Outcome> {
    let ports = packet[header_len.min(packet.len())..].first_chunk().ok_or(Outcome::Truncated)?;
    if total_len < header_len + LEN {
        return Err(Outcome::Malformed);
    }
    Ok(u32::from_le_bytes(*ports))
}
