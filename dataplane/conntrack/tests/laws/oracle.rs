//! Classifies a frame by the rules alone: slow, and easy to check.

use std::net::{Ipv4Addr, Ipv6Addr};

use conntrack::{FlowKey, FlowKeyV6, Outcome};

/// Returns the key of a frame that must be looked up, or the outcome of any other frame.
///
/// The first rule that matches decides:
/// 1. the Ethernet header or one of at most two VLAN tags is incomplete: truncated;
/// 2. the EtherType behind them is not 0x0800: not tracked;
/// 3. fewer than 20 bytes of IP: truncated;
/// 4. version not 4, IHL below 5, or total length below the header's: malformed;
/// 5. fragment offset not 0: fragment;
/// 6. a protocol that is not tracked;
/// 7. the frame ends before the ports do: truncated;
/// 8. the total length ends before the ports do: malformed.
pub(crate) fn classify(frame: &[u8], input_port: u8, tracked: &[u8]) -> Result<FlowKey, Outcome> {
    let (kind, ip) = ethernet(frame)?;
    if kind != 0x0800 {
        return Err(Outcome::NotTrackedEthertype);
    }
    let byte = |at: usize| frame.get(at).map(|&b| usize::from(b));
    let word = |at: usize| Some(byte(at)? << 8 | byte(at + 1)?);
    let truncated = Outcome::Truncated;

    byte(ip + 19).ok_or(truncated)?;
    let field = |offset: usize| byte(ip + offset).unwrap_or_else(|| unreachable!("20 bytes are there"));
    let header = field(0) % 16 * 4;
    let total = field(2) * 256 + field(3);
    if field(0) / 16 != 4 || header < 20 || total < header {
        return Err(Outcome::Malformed);
    }
    if (field(6) * 256 + field(7)) % 8192 != 0 {
        return Err(Outcome::Fragment);
    }
    let protocol = field(9) as u8;
    if !tracked.contains(&protocol) {
        return Err(Outcome::NotTrackedProtocol);
    }
    let src_port = word(ip + header).ok_or(truncated)?;
    let dst_port = word(ip + header + 2).ok_or(truncated)?;
    if total < header + 4 {
        return Err(Outcome::Malformed);
    }
    let addr = |at: usize| {
        Ipv4Addr::new(field(at) as u8, field(at + 1) as u8, field(at + 2) as u8, field(at + 3) as u8)
    };
    Ok(FlowKey::new(input_port, addr(12), addr(16), protocol, src_port as u16, dst_port as u16))
}

/// Returns the EtherType behind at most two VLAN tags, and where what follows it begins.
fn ethernet(frame: &[u8]) -> Result<(usize, usize), Outcome> {
    let word = |at: usize| Some(usize::from(*frame.get(at)?) << 8 | usize::from(*frame.get(at + 1)?));
    let mut kind = word(12).ok_or(Outcome::Truncated)?;
    let mut ip = 14;
    let mut tags = 0;
    while tags < 2 && (kind == 0x8100 || kind == 0x88a8) {
        tags += 1;
        ip = 14 + 4 * tags;
        kind = word(ip - 2).ok_or(Outcome::Truncated)?;
    }
    Ok((kind, ip))
}

/// Does what [`classify`] does, where only IPv6 is tracked.
///
/// The first rule that matches decides:
/// 1. the Ethernet header or one of at most two VLAN tags is incomplete: truncated;
/// 2. the EtherType behind them is not 0x86dd: not tracked;
/// 3. fewer than 40 bytes of IP: truncated;
/// 4. version not 6: malformed;
/// 5. for each extension header in turn: it is the ninth, or ends more than 256 bytes behind the
///    fixed header: extension limit; the frame ends inside it: truncated; it is a fragment header
///    whose offset is not 0: fragment. A header that ends before its second byte has no length yet,
///    so only its number can exceed the limit;
/// 6. an upper protocol that is not tracked;
/// 7. the frame ends before the ports do: truncated;
/// 8. the payload length ends before the ports do: malformed, unless it is 0 and one of the headers
///    holds hop-by-hop options.
pub(crate) fn classify_v6(frame: &[u8], input_port: u8, tracked: &[u8]) -> Result<FlowKeyV6, Outcome> {
    let (kind, ip) = ethernet(frame)?;
    if kind != 0x86dd {
        return Err(Outcome::NotTrackedEthertype);
    }
    let packet = &frame[ip..];
    if packet.len() < 40 {
        return Err(Outcome::Truncated);
    }
    if packet[0] / 16 != 6 {
        return Err(Outcome::Malformed);
    }
    let mut next = packet[6];
    let mut offset = 40;
    let mut numbers = Vec::new();
    while [0, 43, 44, 51, 60, 135, 139, 140].contains(&next) {
        numbers.push(next);
        if numbers.len() == 9 {
            return Err(Outcome::ExtensionLimit);
        }
        if packet.len() < offset + 2 {
            return Err(Outcome::Truncated);
        }
        let field = usize::from(packet[offset + 1]);
        let length = match next {
            44 => 8,
            51 => 4 * field + 8,
            _ => 8 * field + 8,
        };
        if offset + length - 40 > 256 {
            return Err(Outcome::ExtensionLimit);
        }
        if packet.len() < offset + length {
            return Err(Outcome::Truncated);
        }
        if next == 44 && usize::from(packet[offset + 2]) * 32 + usize::from(packet[offset + 3]) / 8 != 0 {
            return Err(Outcome::Fragment);
        }
        next = packet[offset];
        offset += length;
    }
    if !tracked.contains(&next) {
        return Err(Outcome::NotTrackedProtocol);
    }
    if packet.len() < offset + 4 {
        return Err(Outcome::Truncated);
    }
    let payload = usize::from(packet[4]) * 256 + usize::from(packet[5]);
    let jumbo = payload == 0 && numbers.contains(&0);
    if !jumbo && 40 + payload < offset + 4 {
        return Err(Outcome::Malformed);
    }
    let addr = |at: usize| Ipv6Addr::from(<[u8; 16]>::try_from(&packet[at..at + 16]).expect("16 bytes"));
    let port = |at: usize| u16::from(packet[at]) << 8 | u16::from(packet[at + 1]);
    Ok(FlowKeyV6::new(input_port, addr(8), addr(24), next, port(offset), port(offset + 2)))
}
