//! Classic capture files (draft-ietf-opsawg-pcap), which are written little-endian and read in
//! either time resolution, and pcapng, block by block.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

const MAGIC_MICROSECONDS: u32 = 0xa1b2_c3d4;
const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
const LINKTYPE_ETHERNET: u32 = 1;
const SNAP_LENGTH: u32 = 65_535;

/// Unit of the fraction of a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Millionths of a second, which most tools write.
    Microseconds,
    /// Billionths of a second, which DPDK's net_pcap writes.
    Nanoseconds,
}

impl Resolution {
    fn nanoseconds(self) -> u64 {
        match self {
            Self::Microseconds => 1_000,
            Self::Nanoseconds => 1,
        }
    }
}

/// One captured frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Time of capture, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The octets captured.
    pub frame: Vec<u8>,
}

/// Writes a capture of Ethernet frames. Times are truncated to `resolution`.
///
/// # Errors
/// Errors of the file system; `InvalidInput` for a time beyond the year 2106 or a frame beyond 4
/// GiB, which the format cannot hold.
pub fn write<'a>(
    path: &Path,
    resolution: Resolution,
    packets: impl IntoIterator<Item = (u64, &'a [u8])>,
) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let magic = match resolution {
        Resolution::Microseconds => MAGIC_MICROSECONDS,
        Resolution::Nanoseconds => MAGIC_NANOSECONDS,
    };
    out.write_all(&magic.to_le_bytes())?;
    out.write_all(&2u16.to_le_bytes())?;
    out.write_all(&4u16.to_le_bytes())?;
    for word in [0, 0, SNAP_LENGTH, LINKTYPE_ETHERNET] {
        out.write_all(&word.to_le_bytes())?;
    }
    for (time_ns, frame) in packets {
        let narrow = |n: u64| u32::try_from(n).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
        let seconds = narrow(time_ns / 1_000_000_000)?;
        let fraction = narrow(time_ns % 1_000_000_000 / resolution.nanoseconds())?;
        let length = narrow(frame.len() as u64)?;
        for word in [seconds, fraction, length, length] {
            out.write_all(&word.to_le_bytes())?;
        }
        out.write_all(frame)?;
    }
    out.flush()
}

/// Writes frames one microsecond apart, from the first second of 2024 on.
///
/// # Errors
/// As [`write()`].
pub fn write_frames(path: &Path, frames: &[Vec<u8>]) -> io::Result<()> {
    const START_NS: u64 = 1_704_067_200_000_000_000;
    let timed = frames.iter().zip(0u64..).map(|(frame, i)| (START_NS + 1_000 * i, frame.as_slice()));
    write(path, Resolution::Microseconds, timed)
}

/// Reads a whole little-endian capture of Ethernet frames.
///
/// # Errors
/// Errors of the file system; `InvalidData` for another format, byte order or link type, or for a
/// packet cut by the snap length; `UnexpectedEof` for a file that ends inside a packet.
pub fn read(path: &Path) -> io::Result<Vec<Packet>> {
    let mut input = BufReader::new(File::open(path)?);
    let mut header = [0; 24];
    input.read_exact(&mut header)?;
    let resolution = match word(&header, 0) {
        MAGIC_MICROSECONDS => Resolution::Microseconds,
        MAGIC_NANOSECONDS => Resolution::Nanoseconds,
        other => return Err(invalid(format!("magic number {other:#010x}"))),
    };
    if word(&header, 20) != LINKTYPE_ETHERNET {
        return Err(invalid(format!("link type {}", word(&header, 20))));
    }
    let mut packets = Vec::new();
    loop {
        let mut record = [0; 16];
        match input.read(&mut record[..1])? {
            0 => return Ok(packets),
            _ => input.read_exact(&mut record[1..])?,
        }
        let (captured, original) = (word(&record, 8), word(&record, 12));
        if captured != original {
            return Err(invalid(format!("{captured} of {original} octets captured")));
        }
        let mut frame = vec![0; captured as usize];
        input.read_exact(&mut frame)?;
        let fraction = u64::from(word(&record, 4)) * resolution.nanoseconds();
        packets.push(Packet { time_ns: u64::from(word(&record, 0)) * 1_000_000_000 + fraction, frame });
    }
}

/// Reads a capture as [`read`] does, without the times.
///
/// # Errors
/// As [`read`].
pub fn read_frames(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    Ok(read(path)?.into_iter().map(|packet| packet.frame).collect())
}

/// Reads a whole little-endian pcapng capture (draft-ietf-opsawg-pcapng) and returns frames with
/// the number of their interface. Options are ignored, because DPDK 22.11 omits the mark at their
/// end.
///
/// # Errors
/// Errors of the file system; `InvalidData` for another format or byte order, a block that
/// contradicts itself or a packet cut by the snap length.
pub fn read_pcapng(path: &Path) -> io::Result<Vec<(u32, Vec<u8>)>> {
    const SECTION_HEADER: u32 = 0x0a0d_0d0a;
    const ENHANCED_PACKET: u32 = 6;
    const BYTE_ORDER: u32 = 0x1a2b_3c4d;
    let octets = std::fs::read(path)?;
    if octets.len() < 4 || word(&octets, 0) != SECTION_HEADER {
        return Err(invalid("not pcapng".to_owned()));
    }
    let mut rest = octets.as_slice();
    let mut packets = Vec::new();
    while !rest.is_empty() {
        let length = rest.get(4..8).map_or(0, |length| word(length, 0) as usize);
        // A block of interest has a type, a length, at least one word, and the length again.
        let block = rest.get(..length).filter(|block| block.len() >= 16);
        let block = block.ok_or_else(|| invalid(format!("block of {length} octets, {} left", rest.len())))?;
        match word(block, 0) {
            SECTION_HEADER if word(block, 8) != BYTE_ORDER => {
                return Err(invalid("other byte order".to_owned()));
            }
            ENHANCED_PACKET => {
                let header = block.get(8..28).ok_or_else(|| invalid("short packet block".to_owned()))?;
                let (interface, captured, original) = (word(header, 0), word(header, 12), word(header, 16));
                if captured != original {
                    return Err(invalid(format!("{captured} of {original} octets captured")));
                }
                let frame = block.get(28..28 + captured as usize);
                let frame = frame.ok_or_else(|| invalid("packet beyond its block".to_owned()))?;
                packets.push((interface, frame.to_vec()));
            }
            _ => {}
        }
        rest = &rest[length..];
    }
    Ok(packets)
}

/// A pcapng capture (draft-ietf-opsawg-pcapng) under construction, in either byte order.
#[derive(Clone, Debug)]
pub struct PcapNg {
    big_endian: bool,
    octets: Vec<u8>,
}

/// An option of a pcapng block: its code and value.
pub type PcapNgOption<'a> = (u16, &'a [u8]);

/// `if_tsresol`: the unit of an interface's times.
pub const IF_TSRESOL: u16 = 9;
/// `if_fcslen`: length of an interface's frame check sequence.
pub const IF_FCSLEN: u16 = 13;
/// `if_tsoffset`: seconds to add to an interface's times.
pub const IF_TSOFFSET: u16 = 14;

impl PcapNg {
    /// Returns a capture that holds only the header of its section.
    #[must_use]
    pub fn new(big_endian: bool) -> Self {
        Self::with_options(big_endian, &[])
    }

    /// Returns a capture that holds only the header of its section, with the octets of options.
    #[must_use]
    pub fn with_options(big_endian: bool, options: &[u8]) -> Self {
        let mut capture = Self { big_endian, octets: Vec::new() };
        let mut body = capture.words(&[0x1a2b_3c4d]);
        body.extend([capture.half(1), capture.half(0)].concat());
        body.extend([0xff; 8]); // length of the section: not said
        body.extend_from_slice(options);
        capture.block(0x0a0d_0d0a, &body);
        capture
    }

    /// Returns the octets so far.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Adds an interface; the first one is number 0.
    pub fn interface(&mut self, link_type: u16, options: &[PcapNgOption]) {
        let mut body = [self.half(link_type), self.half(0)].concat();
        body.extend(self.words(&[SNAP_LENGTH]));
        body.extend(self.options(options));
        if !options.is_empty() {
            body.extend([0; 4]);
        }
        self.block(1, &body);
    }

    /// Adds a packet: an enhanced packet block. `units` is its time in the interface's unit,
    /// `length` that of the frame.
    pub fn packet(&mut self, interface: u32, units: u64, frame: &[u8], length: u32) {
        let captured = u32::try_from(frame.len()).expect("a short frame");
        let mut body = self.words(&[interface, (units >> 32) as u32, units as u32, captured, length]);
        body.extend_from_slice(frame);
        body.resize(body.len().next_multiple_of(4), 0);
        self.block(6, &body);
    }

    /// Adds a block of any type.
    pub fn block(&mut self, kind: u32, body: &[u8]) {
        let length = u32::try_from(12 + body.len()).expect("a short block");
        let (head, tail) = (self.words(&[kind, length]), self.words(&[length]));
        self.octets.extend([&head, body, &tail].concat());
    }

    /// Adds the sections of another capture.
    pub fn append(&mut self, other: &Self) {
        self.octets.extend_from_slice(&other.octets);
    }

    /// Returns the octets of options, without the mark at their end.
    #[must_use]
    pub fn options(&self, options: &[PcapNgOption]) -> Vec<u8> {
        let mut octets = Vec::new();
        for (code, value) in options {
            octets.extend(self.half(*code));
            octets.extend(self.half(u16::try_from(value.len()).expect("short")));
            octets.extend_from_slice(value);
            octets.resize(octets.len().next_multiple_of(4), 0);
        }
        octets
    }

    fn half(&self, half: u16) -> [u8; 2] {
        if self.big_endian { half.to_be_bytes() } else { half.to_le_bytes() }
    }

    /// Returns words as octets, in the byte order of the capture.
    #[must_use]
    pub fn words(&self, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|w| if self.big_endian { w.to_be_bytes() } else { w.to_le_bytes() }).collect()
    }
}

fn word(octets: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(octets[at..at + 4].try_into().expect("four octets"))
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(resolution: Resolution) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.pcap");
        // Whole microseconds, so that both resolutions keep them.
        let packets: Vec<Packet> = [0usize, 1, 60, 1514, 9014]
            .iter()
            .map(|&len| Packet {
                time_ns: 1_700_000_000_123_456_000 + 1_000 * len as u64,
                frame: vec![0xa5; len],
            })
            .collect();
        write(&path, resolution, packets.iter().map(|p| (p.time_ns, p.frame.as_slice()))).expect("written");
        assert_eq!(read(&path).expect("read"), packets);
    }

    #[test]
    fn what_is_written_is_read_in_microseconds() {
        round_trip(Resolution::Microseconds);
    }

    #[test]
    fn what_is_written_is_read_in_nanoseconds() {
        round_trip(Resolution::Nanoseconds);
    }

    #[test]
    fn a_cut_file_is_an_error_at_every_length() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (whole, cut) = (folder.path().join("whole"), folder.path().join("cut"));
        write_frames(&whole, &[vec![1; 60], vec![2; 60]]).expect("written");
        let octets = std::fs::read(&whole).expect("read");
        for len in 0..octets.len() {
            std::fs::write(&cut, &octets[..len]).expect("written");
            let complete_packets = (len >= 24 && (len - 24).is_multiple_of(76)).then(|| (len - 24) / 76);
            match (read(&cut), complete_packets) {
                (Ok(packets), Some(count)) => assert_eq!(packets.len(), count, "cut at {len}"),
                (Err(_), None) => {}
                (result, _) => panic!("cut at {len}: {result:?}"),
            }
        }
    }

    #[test]
    fn another_format_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a");
        std::fs::write(&path, [0; 64]).expect("written");
        assert_eq!(read(&path).expect_err("refused").kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn pcapng_that_is_built_is_read() {
        let mut capture = PcapNg::new(false);
        capture.interface(1, &[(IF_TSRESOL, &[9]), (2, b"port0")]);
        capture.interface(1, &[]);
        capture.block(5, &[0; 12]);
        capture.packet(1, 7, &[9, 8, 7], 3);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.pcapng");
        std::fs::write(&path, capture.octets()).expect("written");
        assert_eq!(read_pcapng(&path).expect("read"), [(1, vec![9, 8, 7])]);
    }

    /// dpdk-dumpcap 22.11 writes such packet blocks, whose options have no end mark.
    #[test]
    fn pcapng_packets_are_found_between_other_blocks() {
        let block = |kind: u32, body: &[u8]| {
            let length = u32::try_from(12 + body.len()).expect("short").to_le_bytes();
            [&kind.to_le_bytes()[..], &length, body, &length].concat()
        };
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let packet = |captured: u32, original: u32| {
            block(
                6,
                &[words(&[1, 0, 7, captured, original]), vec![9, 8, 7, 0], words(&[0x0004_0002, 1])].concat(),
            )
        };
        let section = block(0x0a0d_0d0a, &words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]));
        let interface = block(1, &words(&[1, 0]));

        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.pcapng");
        let read = |octets: &[u8]| {
            std::fs::write(&path, octets).expect("written");
            read_pcapng(&path)
        };
        let whole = [section.clone(), interface, packet(3, 3)].concat();
        assert_eq!(read(&whole).expect("read"), [(1, vec![9, 8, 7])]);
        for cut in [&whole[..whole.len() - 1], &[section, packet(3, 4)].concat(), &packet(3, 3), b""] {
            assert_eq!(read(cut).expect_err("refused").kind(), io::ErrorKind::InvalidData);
        }
    }
}
