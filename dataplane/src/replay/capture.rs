//! Captures of Ethernet frames, pcap and pcapng, one packet after the other.
//!
//! The crate `pcap-file` finds the blocks, and this file reads them. The crate's own reading is too
//! strict or too loose for real captures: it refuses a pcap packet that was cut by the snap length,
//! and a pcapng packet whose options lack the mark at their end (dpdk-dumpcap 22.11 writes these),
//! and it takes every pcapng time for nanoseconds.

use std::fs::File;
use std::io::{self, Chain, Cursor, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use pcap_file::pcap::PcapReader;
use pcap_file::pcapng::PcapNgReader;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::{
    ENHANCED_PACKET_BLOCK, INTERFACE_DESCRIPTION_BLOCK, PACKET_BLOCK, SECTION_HEADER_BLOCK,
    SIMPLE_PACKET_BLOCK,
};
use pcap_file::{DataLink, Endianness, PcapError, TsResolution};

use crate::replay::clock::LAST_NS;

/// A second, in nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// A capture that is being read.
pub(super) struct Capture {
    path: PathBuf,
    format: Format,
    /// Packets read so far.
    packets: u64,
    /// Octets of the present packet's block.
    block: Vec<u8>,
}

/// The file. Its first four octets, which say the format, have been read already.
type Source = Chain<Cursor<[u8; 4]>, File>;

enum Format {
    Pcap(PcapReader<Source>),
    PcapNg { reader: PcapNgReader<Source>, interfaces: Vec<Interface> },
}

/// One packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    /// When it was captured, Unix nanoseconds.
    pub(super) time_ns: u64,
    /// The octets that were captured.
    pub(super) octets: &'a [u8],
    /// Length of the frame in octets, captured or not.
    pub(super) length: u32,
}

/// Why a capture cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}{reason}", .path.display(), .packet.map_or(String::new(), |packet| format!("packet {packet}: ")))]
pub struct CaptureError {
    path: PathBuf,
    /// Number of the packet, from 1; `None` before the first one.
    packet: Option<u64>,
    reason: String,
}

impl Capture {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a capture of Ethernet frames.
    pub(super) fn open(path: &Path) -> Result<Self, CaptureError> {
        let refused = |reason| CaptureError { path: path.to_owned(), packet: None, reason };
        let format = Format::of(path).map_err(refused)?;
        Ok(Self { path: path.to_owned(), format, packets: 0, block: Vec::new() })
    }

    /// Returns the next packet, or `None` after the last one.
    ///
    /// # Errors
    /// When the file cannot be read, or its contents are impossible.
    pub(super) fn next(&mut self) -> Result<Option<Packet<'_>>, CaptureError> {
        self.packets += 1;
        let packet = match &mut self.format {
            Format::Pcap(reader) => next_pcap(reader),
            Format::PcapNg { reader, interfaces } => next_pcapng(reader, interfaces, &mut self.block),
        };
        packet.map_err(|reason| CaptureError { path: self.path.clone(), packet: Some(self.packets), reason })
    }
}

impl Format {
    fn of(path: &Path) -> Result<Self, String> {
        let mut file = File::open(path).map_err(|e| e.to_string())?;
        let mut magic = [0; 4];
        file.read_exact(&mut magic).map_err(|e| header_error(&e))?;
        let source = Cursor::new(magic).chain(file);
        if u32::from_be_bytes(magic) == SECTION_HEADER_BLOCK {
            let reader = PcapNgReader::new(source).map_err(|e| not_a_capture(&e))?;
            return Ok(Format::PcapNg { reader, interfaces: Vec::new() });
        }
        let reader = PcapReader::new(source).map_err(|e| not_a_capture(&e))?;
        ethernet(reader.header().datalink)?;
        Ok(Format::Pcap(reader))
    }
}

fn not_a_capture(error: &PcapError) -> String {
    match error {
        PcapError::IoError(error) => header_error(error),
        PcapError::InvalidField("PcapHeader: wrong magic number") => "neither pcap nor pcapng".to_owned(),
        other => format!("no capture that can be read: {other}"),
    }
}

fn header_error(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => "no capture: it ends within the file's header".to_owned(),
        _ => error.to_string(),
    }
}

/// Says what is wrong where a packet should be.
fn not_a_packet(error: &PcapError) -> String {
    match error {
        PcapError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            "cut short: the file ends within it, or a length in it is wrong".to_owned()
        }
        PcapError::IoError(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// Refuses what is not Ethernet.
fn ethernet(link: DataLink) -> Result<(), String> {
    let name = match link {
        DataLink::ETHERNET => return Ok(()),
        DataLink::Unknown(number) => number.to_string(),
        known => format!("{known:?} ({})", u32::from(known)),
    };
    Err(format!("its link type is {name}: only Ethernet frames can enter a port"))
}

fn next_pcap(reader: &mut PcapReader<Source>) -> Result<Option<Packet<'_>>, String> {
    let unit = match reader.header().ts_resolution {
        TsResolution::MicroSecond => 1_000,
        TsResolution::NanoSecond => 1,
    };
    let Some(packet) = reader.next_raw_packet() else { return Ok(None) };
    let packet = packet.map_err(|e| not_a_packet(&e))?;
    let time_ns = u64::from(packet.ts_sec) * SECOND + u64::from(packet.ts_frac) * unit;
    let std::borrow::Cow::Borrowed(octets) = packet.data else {
        unreachable!("a packet that was just read is borrowed from the reader")
    };
    Ok(Some(Packet { time_ns, octets, length: packet.orig_len.max(packet.incl_len) }))
}

/// An interface of a pcapng file, as far as reading its packets needs it.
struct Interface {
    link: DataLink,
    /// Units of its clock in a second.
    resolution: Resolution,
    /// Seconds to add to its times.
    offset_s: i64,
}

/// `if_tsresol` of pcapng.
#[derive(Clone, Copy)]
enum Resolution {
    /// A second has ten to the power of this many units.
    Decimal(u32),
    /// A second has two to the power of this many units.
    Binary(u32),
}

impl Interface {
    fn new(block: &InterfaceDescriptionBlock<'_>) -> Self {
        let mut interface = Self { link: block.linktype, resolution: Resolution::Decimal(6), offset_s: 0 };
        for option in &block.options {
            match option {
                InterfaceDescriptionOption::IfTsResol(exponent) => {
                    interface.resolution = match exponent & 0x7f {
                        power if exponent & 0x80 == 0 => Resolution::Decimal(power.into()),
                        power => Resolution::Binary(power.into()),
                    };
                }
                InterfaceDescriptionOption::IfTsOffset(seconds) => {
                    interface.offset_s = seconds.cast_signed();
                }
                _ => {}
            }
        }
        interface
    }

    /// Converts a time of this interface to Unix nanoseconds. Returns `None` when it is before 1970
    /// or after 2554.
    fn unix_ns(&self, units: u64) -> Option<u64> {
        let units = u128::from(units);
        let ns = match self.resolution {
            Resolution::Decimal(power @ ..=9) => units * 10u128.pow(9 - power),
            // The bound keeps the power within 128 bits; it divides any number of units to zero.
            Resolution::Decimal(power) => units / 10u128.pow((power - 9).min(38)),
            Resolution::Binary(power) => (units * u128::from(SECOND)) >> power,
        };
        // 64 bits of seconds are 94 bits of nanoseconds: no overflow.
        let ns = ns.cast_signed() + i128::from(self.offset_s) * i128::from(SECOND);
        u64::try_from(ns).ok().filter(|ns| *ns <= LAST_NS)
    }
}

fn next_pcapng<'a>(
    reader: &mut PcapNgReader<Source>,
    interfaces: &mut Vec<Interface>,
    octets: &'a mut Vec<u8>,
) -> Result<Option<Packet<'a>>, String> {
    let kind = loop {
        let Some(block) = reader.next_raw_block() else { return Ok(None) };
        let block = block.map_err(|e| not_a_packet(&e))?;
        match block.type_ {
            SECTION_HEADER_BLOCK => interfaces.clear(),
            INTERFACE_DESCRIPTION_BLOCK => {
                drop(block);
                interfaces.extend(reader.interfaces().last().map(Interface::new));
            }
            ENHANCED_PACKET_BLOCK | PACKET_BLOCK => {
                octets.clear();
                octets.extend_from_slice(&block.body);
                break block.type_;
            }
            SIMPLE_PACKET_BLOCK => return Err("it has no time (a simple packet block)".to_owned()),
            _ => {}
        }
    };
    // Both kinds of packet blocks are five words, the captured octets, and options.
    let (header, data) = octets.split_first_chunk::<20>().ok_or("its block is too short")?;
    let words = header.as_chunks::<4>().0;
    let word = |i: usize| match reader.section().endianness {
        Endianness::Little => u32::from_le_bytes(words[i]),
        Endianness::Big => u32::from_be_bytes(words[i]),
    };
    let interface = match (kind, reader.section().endianness) {
        (ENHANCED_PACKET_BLOCK, _) => word(0),
        // The obsolete kind has 16 bits of interface number, and a count of drops after it.
        (_, Endianness::Little) => word(0) & 0xffff,
        (_, Endianness::Big) => word(0) >> 16,
    };
    let Some(interface) = interfaces.get(interface as usize) else {
        return Err(format!("there is no interface {interface}"));
    };
    ethernet(interface.link)?;
    let time_ns = interface
        .unix_ns(u64::from(word(1)) << 32 | u64::from(word(2)))
        .ok_or("its time is before 1970 or after 2554")?;
    let (captured, length) = (word(3), word(4));
    let octets = data.get(..captured as usize).ok_or("it is longer than its block")?;
    Ok(Some(Packet { time_ns, octets, length: length.max(captured) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(resolution: Resolution, offset_s: i64) -> Interface {
        Interface { link: DataLink::ETHERNET, resolution, offset_s }
    }

    #[test]
    fn times_of_any_resolution_are_nanoseconds() {
        use Resolution::{Binary, Decimal};
        for (resolution, units, ns) in [
            (Decimal(6), 1_700_000_000_123_456, Some(1_700_000_000_123_456_000)),
            (Decimal(9), 1_700_000_000_123_456_789, Some(1_700_000_000_123_456_789)),
            (Decimal(0), 7, Some(7_000_000_000)),
            (Decimal(3), 7, Some(7_000_000)),
            (Decimal(12), 7_999, Some(7)),
            (Decimal(127), u64::MAX, Some(0)),
            (Binary(0), 7, Some(7_000_000_000)),
            (Binary(20), 3 << 19, Some(1_500_000_000)),
            (Binary(127), u64::MAX, Some(0)),
            (Decimal(9), LAST_NS, Some(LAST_NS)),
            (Decimal(9), LAST_NS + 1, None),
            (Decimal(6), u64::MAX, None),
            (Decimal(0), u64::MAX, None),
        ] {
            assert_eq!(interface(resolution, 0).unix_ns(units), ns);
        }
        assert_eq!(interface(Decimal(6), 5).unix_ns(1), Some(5_000_001_000));
        assert_eq!(interface(Decimal(6), -1).unix_ns(1_000_001), Some(1_000));
        assert_eq!(interface(Decimal(6), -1).unix_ns(999_999), None);
        assert_eq!(interface(Decimal(0), i64::MAX).unix_ns(u64::MAX), None);
        assert_eq!(interface(Decimal(0), i64::MIN).unix_ns(u64::MAX), None);
    }
}
