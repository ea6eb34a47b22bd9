//! Classifies a frame by the rules alone: slow, and easy to check.

use std::net::Ipv4Addr;

use conntrack::{FlowKey, Outcome};

/// Returns the key of a frame that must be looked up, or the outcome of any other frame.
///
/// The first rule that matches decides:
/// 1. the Ethernet header or one of at most two VLAN tags is incomplete: truncated;
/// 2. the EtherType behind them is not 0x0800: not IPv4;
/// 3. fewer than 20 bytes of IP: truncated;
/// 4. version not 4, IHL below 5, or total length below the header's: malformed;
/// 5. fragment offset not 0: fragment;
/// 6. a protocol that is not tracked;
/// 7. the frame ends before the ports do: truncated;
/// 8. the total length ends before the ports do: malformed.
pub(crate) fn classify(frame: &[u8], input_port: u8, tracked: &[u8]) -> Result<FlowKey, Outcome> {
    let byte = |at: usize| frame.get(at).map(|&b| usize::from(b));
    let word = |at: usize| Some(byte(at)? << 8 | byte(at + 1)?);
    let truncated = Outcome::Truncated;

    let mut ip = 14;
    let mut kind = word(12).ok_or(truncated)?;
    let mut tags = 0;
    while tags < 2 && (kind == 0x8100 || kind == 0x88a8) {
        tags += 1;
        ip = 14 + 4 * tags;
        kind = word(ip - 2).ok_or(truncated)?;
    }
    if kind != 0x0800 {
        return Err(Outcome::NotTrackedEthertype);
    }

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
