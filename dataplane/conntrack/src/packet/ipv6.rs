//! The IPv6 header and its extension headers (RFC 8200 sections 3 and 4).

use super::outcome::Outcome;

/// Length of the header.
pub(super) const HEADER: usize = 40;
/// Maximum number of extension headers that are walked. RFC 8200 knows seven in a reasonable order.
const MAX_EXTENSIONS: usize = 8;
/// Maximum length of all extension headers, in bytes.
pub(super) const MAX_EXTENSION_BYTES: usize = 256;

// The extension headers of IANA's registry that are walked (RFC 7045 section 2.1), by their protocol
// numbers. ESP is not one of them, because what follows it is encrypted.
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// Length of a fragment header.
const FRAGMENT_HEADER: usize = 8;
/// The bits of the fragment offset within the field that it shares with a flag.
const OFFSET_MASK: u16 = 0xfff8;

/// The fields of a header that tracking needs.
pub(super) struct Header<'a> {
    /// Length of the header and all extension headers, in bytes.
    pub(super) len: usize,
    /// Length of the packet in bytes; the largest number when it is in a jumbo payload option (RFC
    /// 2675), which is not read.
    pub(super) total_len: usize,
    /// Protocol number of the upper layer.
    pub(super) protocol: u8,
    /// Source address.
    pub(super) src: &'a [u8; 16],
    /// Destination address.
    pub(super) dst: &'a [u8; 16],
}

impl<'a> Header<'a> {
    /// Reads the header at the start of a packet and walks over the extension headers.
    ///
    /// # Errors
    /// [`Outcome::Truncated`], [`Outcome::Malformed`], [`Outcome::ExtensionLimit`] or
    /// [`Outcome::Fragment`].
    pub(super) fn parse(packet: &'a [u8]) -> Result<Self, Outcome> {
        let header: &[u8; HEADER] = packet.first_chunk().ok_or(Outcome::Truncated)?;
        let (fields, addrs) = header.split_at(8);
        let (Some(src), Some(dst)) = (addrs.first_chunk(), addrs.last_chunk()) else {
            unreachable!("two addresses")
        };
        if fields[0] >> 4 != 6 {
            return Err(Outcome::Malformed);
        }
        let chain = Chain::walk(packet, fields[6])?;
        let payload_len = usize::from(u16::from_be_bytes([fields[4], fields[5]]));
        let jumbo = payload_len == 0 && chain.hop_by_hop;
        let total_len = if jumbo { usize::MAX } else { HEADER + payload_len };
        Ok(Header { len: chain.end, total_len, protocol: chain.protocol, src, dst })
    }
}

/// The extension headers of a packet.
struct Chain {
    /// The end of the last one, in bytes from the start of the packet.
    end: usize,
    /// Protocol number of what follows.
    protocol: u8,
    /// One of them is a hop-by-hop options header.
    hop_by_hop: bool,
}

impl Chain {
    /// Walks over the headers that begin behind the IPv6 header, the first of which is a `first`.
    fn walk(packet: &[u8], first: u8) -> Result<Chain, Outcome> {
        let mut chain = Chain { end: HEADER, protocol: first, hop_by_hop: false };
        for _ in 0..MAX_EXTENSIONS {
            if !is_extension(chain.protocol) {
                return Ok(chain);
            }
            chain.step(packet)?;
        }
        if is_extension(chain.protocol) { Err(Outcome::ExtensionLimit) } else { Ok(chain) }
    }

    /// Walks over one header. The limit comes before the end of the frame.
    fn step(&mut self, packet: &[u8]) -> Result<(), Outcome> {
        let rest = packet.get(self.end..).unwrap_or_default();
        let &[next, units] = rest.first_chunk().ok_or(Outcome::Truncated)?;
        let len = match self.protocol {
            FRAGMENT => FRAGMENT_HEADER,
            // RFC 4302 section 2.2.
            AUTHENTICATION => (usize::from(units) + 2) * 4,
            _ => (usize::from(units) + 1) * 8,
        };
        if self.end + len > HEADER + MAX_EXTENSION_BYTES {
            return Err(Outcome::ExtensionLimit);
        }
        let header = rest.get(..len).ok_or(Outcome::Truncated)?;
        // What follows the header of a later fragment is somewhere within the packet.
        if self.protocol == FRAGMENT && u16::from_be_bytes([header[2], header[3]]) & OFFSET_MASK != 0 {
            return Err(Outcome::Fragment);
        }
        self.hop_by_hop |= self.protocol == HOP_BY_HOP;
        self.end += len;
        self.protocol = next;
        Ok(())
    }
}

fn is_extension(protocol: u8) -> bool {
    matches!(
        protocol,
        HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION | MOBILITY | HIP | SHIM6
    )
}
