//! The ports: the first four bytes of TCP (RFC 9293 section 3.1) and of UDP (RFC 768).

use super::{Outcome, ipv4};

/// Source and destination port.
pub(super) const LEN: usize = 4;

/// Both ports, loaded little-endian.
pub(super) fn read(packet: &[u8], header: &ipv4::Header) -> Result<u32, Outcome> {
    let ports = packet[header.len.min(packet.len())..].first_chunk().ok_or(Outcome::Truncated)?;
    if header.total_len < header.len + LEN {
        return Err(Outcome::Malformed);
    }
    Ok(u32::from_le_bytes(*ports))
}
