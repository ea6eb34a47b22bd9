//! The IPv4 header (RFC 791 section 3.1).

use super::outcome::Outcome;

/// Length of a header without options.
pub(super) const MIN_HEADER: usize = 20;
/// Length of a header with all options that an IHL of 15 allows.
pub(super) const MAX_HEADER: usize = 60;
/// The bits of the fragment offset within the field of flags and offset.
pub(super) const OFFSET_MASK: u16 = 0x1fff;

/// The fields of a header that tracking needs.
pub(super) struct Header {
    /// Length of the header in bytes: IHL × 4, at least 20.
    pub(super) len: usize,
    /// Length of the packet in bytes, at least that of the header.
    pub(super) total_len: usize,
    /// Offset of a fragment, in units of 8 bytes; 0 for whole packets and first fragments.
    pub(super) fragment_offset: u16,
    /// Protocol number.
    pub(super) protocol: u8,
    /// Source and destination address, loaded little-endian.
    pub(super) addrs: u64,
}

impl Header {
    /// Reads the header at the start of a packet.
    ///
    /// # Errors
    /// [`Outcome::Truncated`] or [`Outcome::Malformed`].
    pub(super) fn parse(packet: &[u8]) -> Result<Header, Outcome> {
        let b: &[u8; MIN_HEADER] = packet.first_chunk().ok_or(Outcome::Truncated)?;
        let (version, ihl) = (b[0] >> 4, b[0] & 0x0f);
        let header = Header {
            len: usize::from(ihl) * 4,
            total_len: usize::from(u16::from_be_bytes([b[2], b[3]])),
            fragment_offset: u16::from_be_bytes([b[6], b[7]]) & OFFSET_MASK,
            protocol: b[9],
            addrs: u64::from_le_bytes([b[12], b[13], b[14], b[15], b[16], b[17], b[18], b[19]]),
        };
        if version != 4 || ihl < 5 || header.total_len < header.len {
            return Err(Outcome::Malformed);
        }
        Ok(header)
    }
}
