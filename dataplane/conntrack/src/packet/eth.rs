//! Ethernet II and VLAN tags (IEEE 802.3, 802.1Q, 802.1ad).

use super::families::Family;
use super::outcome::Outcome;

/// Length of the header: destination, source, EtherType.
pub(super) const HEADER: usize = 14;
/// Length of a VLAN tag: tag control information and the next EtherType.
pub(super) const TAG: usize = 4;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const SERVICE_VLAN: u16 = 0x88a8;

/// Returns the bytes after the Ethernet header and at most two VLAN tags, when they are of a family.
pub(super) fn payload(frame: &[u8]) -> Result<(Family, &[u8]), Outcome> {
    let ether_type = |at: usize| frame.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
    let mut end = HEADER;
    let mut kind = ether_type(end - 2).ok_or(Outcome::Truncated)?;
    for _ in 0..2 {
        if kind != VLAN && kind != SERVICE_VLAN {
            break;
        }
        end += TAG;
        kind = ether_type(end - 2).ok_or(Outcome::Truncated)?;
    }
    match kind {
        IPV4 => Ok((Family::Ipv4, &frame[end..])),
        IPV6 => Ok((Family::Ipv6, &frame[end..])),
        _ => Err(Outcome::NotTrackedEthertype),
    }
}
