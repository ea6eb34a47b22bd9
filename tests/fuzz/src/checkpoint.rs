//! The reader of checkpoints.
//!
//! Input: a file. Its checksum is made right where the rest of the head is, because the fuzzer would
//! never find a right one.

use std::io::Cursor;

use conntrack::{FlowKey, FlowKeyV6, Now};
use dataplane::checkpoint::format::{HEAD, Saved};
use dataplane::checkpoint::read::Checkpoint;
use dataplane::checkpoint::write::Writer;
use dataplane::lcore::family::TableKey;

/// Where the checksum is.
const CHECKSUM: std::ops::Range<usize> = 12..16;

/// A file that is read is written again, from what was read, with the same entries and description. A
/// file that was cut or extended is refused, and so is one with a wrong checksum.
///
/// # Panics
/// When another file comes out, or one is read that has no right checksum.
pub fn target(data: &[u8]) {
    // As it is. That it is read at all means that its checksum is right.
    let as_it_is = read(data).is_some();
    if data.len() < HEAD {
        assert!(!as_it_is, "shorter than a head");
        return;
    }
    let mut file = data.to_owned();
    file[CHECKSUM].copy_from_slice(&checksum(data).to_le_bytes());
    assert_eq!(as_it_is, file == data && read(&file).is_some(), "read with a wrong checksum");
    let Some((ipv4, ipv6, description)) = read(&file) else { return };

    let at_ns = description.at_ns;
    let mut out = Writer::new(Cursor::new(Vec::new())).expect("memory");
    write(&ipv4, at_ns, &mut out);
    write(&ipv6, at_ns, &mut out);
    let (written, entries) = out.finish(&description).expect("memory");
    assert_eq!(entries, (ipv4.len() + ipv6.len()) as u64);
    let again = read(&written.into_inner()).expect("what was written is read");
    assert!(again.2 == description, "{again:?}");
    let shown = |saved: &[Saved<FlowKey>]| format!("{:?}", entries_at(saved, at_ns));
    assert_eq!(shown(&again.0), shown(&ipv4));
    let shown = |saved: &[Saved<FlowKeyV6>]| format!("{:?}", entries_at(saved, at_ns));
    assert_eq!(shown(&again.1), shown(&ipv6));

    assert!(read(&file[..file.len() - 1]).is_none(), "one byte is missing");
    file.push(0);
    assert!(read(&file).is_none(), "one byte too many");
}

type File = (Vec<Saved<FlowKey>>, Vec<Saved<FlowKeyV6>>, dataplane::checkpoint::format::Description);

fn read(data: &[u8]) -> Option<File> {
    let mut checkpoint = Checkpoint::read(Cursor::new(data), data.len() as u64).ok()?;
    let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
    checkpoint.entries(|saved| ipv4.push(saved)).expect("it was checked");
    checkpoint.entries(|saved| ipv6.push(saved)).expect("it was checked");
    Some((ipv4, ipv6, checkpoint.description))
}

fn entries_at<K: TableKey>(saved: &[Saved<K>], at_ns: u64) -> Vec<conntrack::Entry<K>> {
    saved.iter().map(|saved| saved.entry(Now::from_ns(at_ns))).collect()
}

fn write<K: TableKey>(saved: &[Saved<K>], at_ns: u64, out: &mut Writer<Cursor<Vec<u8>>>) {
    for entry in entries_at(saved, at_ns) {
        out.entry(&entry, at_ns).expect("memory");
    }
}

/// The CRC-32 of IEEE 802.3, bit by bit, of everything but the checksum, which counts as 0.
fn checksum(file: &[u8]) -> u32 {
    let octets = file.iter().enumerate().map(|(at, octet)| if CHECKSUM.contains(&at) { 0 } else { *octet });
    !octets.fold(u32::MAX, |crc, octet| {
        (0..8).fold(crc ^ u32::from(octet), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}
