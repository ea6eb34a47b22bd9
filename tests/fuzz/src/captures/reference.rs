//! A reader of captures that has the whole file in memory, written from the drafts
//! (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng) and the limits that `dataplane replay` names.

use conntrack::Profiles;

use super::Packet;

/// The most octets of a packet.
const LONGEST: usize = 262_144;
/// The last time that a packet may have: the longest aging and an hour after it fit into 64 bits.
const LATEST: i128 = u64::MAX as i128 - (Profiles::MAX_AGING_MS as i128 + 3_600_000) * 1_000_000;
const SECOND: i128 = 1_000_000_000;

/// What a file holds.
pub(super) struct Meant {
    /// The packets before the first thing that is wrong.
    pub(super) packets: Vec<Packet>,
    /// Nothing is wrong.
    pub(super) whole: bool,
}

/// Reads a file.
pub(super) fn read(file: &[u8]) -> Meant {
    let mut packets = Vec::new();
    let whole = pcap(file, &mut packets).or_else(|| pcapng(file, &mut packets));
    Meant { packets, whole: whole.unwrap_or(false) }
}

/// Octets in one of the two orders.
#[derive(Clone, Copy)]
struct Octets<'a> {
    octets: &'a [u8],
    big: bool,
}

impl<'a> Octets<'a> {
    /// Returns the number in `width` octets from `at` on; `None` when they are not all there.
    fn number(self, at: usize, width: usize) -> Option<u64> {
        let octets = self.octets.get(at..at + width)?;
        let place = |at: usize| if self.big { 8 * (width - 1 - at) } else { 8 * at };
        Some(octets.iter().enumerate().map(|(at, octet)| u64::from(*octet) << place(at)).sum())
    }

    fn half(self, at: usize) -> Option<u64> {
        self.number(at, 2)
    }

    fn word(self, at: usize) -> Option<u64> {
        self.number(at, 4)
    }

    fn part(self, at: usize, length: usize) -> Option<&'a [u8]> {
        self.octets.get(at..at.checked_add(length)?)
    }
}

/// Returns the packet with these numbers; `None` when they are impossible.
fn packet(time: Option<i128>, octets: &[u8], length: u64, check_sequence: u64) -> Option<Packet> {
    if octets.len() > LONGEST || time.is_some_and(|time| !(0..=LATEST).contains(&time)) {
        return None;
    }
    let length = length.max(octets.len() as u64).saturating_sub(check_sequence);
    let kept = octets.len().min(length as usize);
    Some((time.map(|time| time as u64), octets[..kept].to_vec(), length as u32))
}

/// Reads a pcap file. Returns whether it is whole; `None` when it is none.
fn pcap(file: &[u8], packets: &mut Vec<Packet>) -> Option<bool> {
    let (unit, more, big) = match file.get(..4)? {
        [0xa1, 0xb2, 0xc3, 0xd4] => (1000, 0, true),
        [0xd4, 0xc3, 0xb2, 0xa1] => (1000, 0, false),
        [0xa1, 0xb2, 0x3c, 0x4d] => (1, 0, true),
        [0x4d, 0x3c, 0xb2, 0xa1] => (1, 0, false),
        [0xa1, 0xb2, 0xcd, 0x34] => (1000, 8, true),
        [0x34, 0xcd, 0xb2, 0xa1] => (1000, 8, false),
        _ => return None,
    };
    let file = Octets { octets: file, big };
    let Some(link) = file.word(20) else { return Some(false) };
    let (major, minor) = (file.half(4)?, file.half(6)?);
    if major != 2 || minor > 4 || link & 0xffff != 1 {
        return Some(false);
    }
    let check_sequence = if link & 0x0400_0000 == 0 { 0 } else { 2 * (link >> 28) };
    let mut record = |at: usize| {
        let (first, second) = (file.word(at + 8)?, file.word(at + 12)?);
        let (captured, length) = match minor {
            0..=2 => (second, first),
            3 => (first.min(second), first.max(second)),
            _ => (first, second),
        };
        let time = i128::from(file.word(at)?) * SECOND + i128::from(file.word(at + 4)? * unit);
        let (from, count) = (at + 16 + more, captured as usize);
        packets.push(packet(Some(time), file.part(from, count)?, length, check_sequence)?);
        Some(from + count)
    };
    let mut at = 24;
    while at < file.octets.len() {
        let Some(next) = record(at) else { return Some(false) };
        at = next;
    }
    Some(true)
}

/// An interface of pcapng.
struct Interface {
    link: u64,
    snap_length: u64,
    check_sequence: u64,
    /// `if_tsresol`.
    resolution: u8,
    /// `if_tsoffset`, seconds.
    offset: i64,
}

impl Interface {
    fn time(&self, units: u64) -> i128 {
        let power = u32::from(self.resolution & 0x7f);
        let base: u128 = if self.resolution & 0x80 == 0 { 10 } else { 2 };
        // A resolution that does not fit is so fine that no 64-bit count of it reaches a nanosecond.
        let parts = base.checked_pow(power).unwrap_or(u128::MAX);
        let ns = u128::from(units) * SECOND as u128 / parts;
        ns as i128 + i128::from(self.offset) * SECOND
    }
}

/// Reads a pcapng file. Returns whether it is whole; `None` when it is none.
fn pcapng(file: &[u8], packets: &mut Vec<Packet>) -> Option<bool> {
    if !file.starts_with(b"\x0a\x0d\x0d\x0a") {
        return None;
    }
    let (mut rest, mut big, mut interfaces) = (file, false, Vec::new());
    let mut block = || {
        if rest.starts_with(b"\x0a\x0d\x0d\x0a") {
            big = match rest.get(8..12)? {
                b"\x1a\x2b\x3c\x4d" => true,
                b"\x4d\x3c\x2b\x1a" => false,
                _ => return None,
            };
        }
        let all = Octets { octets: rest, big };
        let length = all.word(4).filter(|length| *length >= 12 && length % 4 == 0)? as usize;
        let body = all.part(8, length - 12)?;
        if all.word(length - 4)? != length as u64 {
            return None;
        }
        let kind = all.word(0)?;
        rest = &rest[length..];
        let body = Octets { octets: body, big };
        match kind {
            0x0a0d_0d0a => {
                let version = (body.half(4)?, body.half(6)?);
                interfaces.clear();
                (body.octets.len() >= 16 && [(1, 0), (1, 2)].contains(&version)).then_some(())?;
            }
            1 => interfaces.push(interface(body)?),
            2 => {
                let of = interfaces.get(body.half(0)? as usize)?;
                packets.push(timed(body, of)?);
            }
            6 => {
                let of = interfaces.get(body.word(0)? as usize)?;
                packets.push(timed(body, of)?);
            }
            3 => {
                let (length, of) = (body.word(0)?, interfaces.first().filter(|of| of.link == 1)?);
                let captured = if of.snap_length == 0 { length } else { length.min(of.snap_length) };
                let octets = body.part(4, captured as usize)?;
                packets.push(packet(None, octets, length, of.check_sequence)?);
            }
            _ => {}
        }
        Some(!rest.is_empty())
    };
    loop {
        match block() {
            Some(true) => {}
            Some(false) => return Some(true),
            None => return Some(false),
        }
    }
}

fn interface(body: Octets<'_>) -> Option<Interface> {
    let mut made = Interface {
        link: body.half(0)?,
        snap_length: body.word(4)?,
        check_sequence: 0,
        resolution: 6,
        offset: 0,
    };
    for (code, value) in options(body, 8)? {
        match code {
            9 => made.resolution = *value.octets.first().filter(|_| value.octets.len() == 1)?,
            13 => {
                let length = *value.octets.first().filter(|_| value.octets.len() == 1)?;
                made.check_sequence = u64::from(if length < 16 { length } else { length / 8 });
            }
            14 => {
                (value.octets.len() == 8).then_some(())?;
                made.offset = value.number(0, 8)? as i64;
            }
            _ => {}
        }
    }
    Some(made)
}

/// Reads an enhanced packet block or an obsolete one, which differ in their first four octets.
fn timed(body: Octets<'_>, of: &Interface) -> Option<Packet> {
    let units = body.word(4)? << 32 | body.word(8)?;
    let (captured, length) = (body.word(12)? as usize, body.word(16)?);
    let octets = body.part(20, captured)?;
    let mut check_sequence = of.check_sequence;
    for (code, value) in options(body, 20 + captured.next_multiple_of(4))? {
        if code == 2 && value.octets.len() == 4 {
            let said = value.word(0)? >> 5 & 15;
            check_sequence = if said == 0 { check_sequence } else { said };
        }
    }
    (of.link == 1).then_some(())?;
    packet(Some(of.time(units)), octets, length, check_sequence)
}

/// Returns the options from `at` on; `None` when one is longer than its block.
fn options(body: Octets<'_>, mut at: usize) -> Option<Vec<(u64, Octets<'_>)>> {
    let mut found = Vec::new();
    while at + 4 <= body.octets.len() {
        let (code, length) = (body.half(at)?, body.half(at + 2)? as usize);
        if code == 0 {
            break;
        }
        found.push((code, Octets { octets: body.part(at + 4, length)?, big: body.big }));
        at += 4 + length.next_multiple_of(4);
    }
    Some(found)
}
