//! The rules of IPv6 frames (RFC 8200 section 4, RFC 4302 section 2.2, RFC 2675 section 2).

use std::net::Ipv6Addr;

use super::{Key, Outcome, be16};

const HOP_BY_HOP: u8 = 0;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
/// The other extension headers that are walked: routing, destination options, mobility, host
/// identity and shim6.
const OTHERS: [u8; 5] = [43, 60, 135, 139, 140];

/// Octets of the fixed header.
const FIXED: usize = 40;
/// The most extension headers that are walked.
const MOST: usize = 8;
/// The most octets of extension headers that are walked.
const MOST_OCTETS: usize = 256;

/// Classifies a packet, which begins with the fixed header.
pub(super) fn classify(packet: &[u8], port: u16, tracked_protocols: &[u8]) -> Result<Key, Outcome> {
    if packet.len() < FIXED {
        return Err(Outcome::Truncated);
    }
    if packet[0] >> 4 != 6 {
        return Err(Outcome::Malformed);
    }
    let (protocol, upper, may_be_jumbo) = walk(packet)?;
    if !tracked_protocols.contains(&protocol) {
        return Err(Outcome::NotTrackedProtocol);
    }
    let (Some(src_port), Some(dst_port)) = (be16(packet, upper), be16(packet, upper + 2)) else {
        return Err(Outcome::Truncated);
    };
    let payload_length = usize::from(u16::from_be_bytes([packet[4], packet[5]]));
    let says_nothing = payload_length == 0 && may_be_jumbo;
    if !says_nothing && FIXED + payload_length < upper + 4 {
        return Err(Outcome::Malformed);
    }
    let addr = |at: usize| {
        let octets: [u8; 16] = packet[at..at + 16].try_into().expect("the header is whole");
        Ipv6Addr::from(octets).into()
    };
    Ok(Key { port, src: addr(8), dst: addr(24), protocol, src_port, dst_port })
}

/// Walks the extension headers. Returns the protocol behind them, where it begins, and whether one
/// of them holds hop-by-hop options.
fn walk(packet: &[u8]) -> Result<(u8, usize, bool), Outcome> {
    let (mut next, mut at, mut may_be_jumbo) = (packet[6], FIXED, false);
    for walked in 0.. {
        let is_walked = [HOP_BY_HOP, FRAGMENT, AUTHENTICATION].contains(&next) || OTHERS.contains(&next);
        if !is_walked {
            break;
        }
        if walked == MOST {
            return Err(Outcome::ExtensionLimit);
        }
        // A header has no length before its second octet, the fragment header's included.
        let length = usize::from(*packet.get(at + 1).ok_or(Outcome::Truncated)?);
        let end = at
            + match next {
                FRAGMENT => 8,
                AUTHENTICATION => 4 * (length + 2),
                _ => 8 * (length + 1),
            };
        if end > FIXED + MOST_OCTETS {
            return Err(Outcome::ExtensionLimit);
        }
        if end > packet.len() {
            return Err(Outcome::Truncated);
        }
        if next == FRAGMENT && be16(packet, at + 2).is_some_and(|field| field >> 3 != 0) {
            return Err(Outcome::Fragment);
        }
        may_be_jumbo |= next == HOP_BY_HOP;
        next = packet[at];
        at = end;
    }
    Ok((next, at, may_be_jumbo))
}
