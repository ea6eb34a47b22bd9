//! Captures of Ethernet frames, pcap and pcapng, one packet after the other.
//!
//! The reader walks records and blocks itself. What a replay needs of them is little: the time, the
//! octets and the length of each packet. It reads that, checks that, and skips the rest, as both
//! formats ask of a reader: reserved fields, comments, options and blocks of any kind are not
//! looked at, and options may end with their block. The crates that read captures decode every
//! block that they meet, and refuse a file for a comment that nobody asked for.
//!
//! A reader takes memory for one packet of at most [`MAX_CAPTURED`] octets and for the interfaces of
//! one section, at most [`MAX_INTERFACES`], whatever the file says.
//!
//! Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, and draft-ietf-opsawg-pcaplinktype.

mod input;
mod interface;
mod link;
mod pcap;
mod pcapng;

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::replay::clock::LAST_NS;
use input::Input;
use pcap::Pcap;
use pcapng::PcapNg;

/// The most octets of a packet that a capture may contain. It is libpcap's and Wireshark's bound for
/// Ethernet: a length beyond it is damage.
pub const MAX_CAPTURED: u32 = 262_144;

/// The most interfaces that a section of a pcapng file may describe. The numbers of interfaces in
/// the obsolete packet block have 16 bits.
pub const MAX_INTERFACES: usize = 65_536;

/// A second, in nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// A capture that is being read.
pub struct Reader<R> {
    input: Input<R>,
    format: Format,
    /// Packets read so far.
    packets: u64,
    /// Octets of the present packet.
    octets: Vec<u8>,
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// One packet.
#[derive(Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// When it was captured, Unix nanoseconds. A simple packet block of pcapng has no time.
    pub time_ns: Option<u64>,
    /// The octets of the frame that were captured, without the frame check sequence.
    pub octets: &'a [u8],
    /// Length of the frame in octets, captured or not, without the frame check sequence.
    pub length: u32,
}

/// Why a capture cannot be read, or not to its end: where, and what.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CaptureError(String);

/// What a format says of a packet whose octets it has read.
struct Record {
    time_ns: Option<u64>,
    /// Length of the frame on the wire, with its frame check sequence.
    length: u32,
    /// Length of the frame check sequence, in octets.
    fcs: u32,
}

impl Reader<File> {
    /// Opens a file.
    ///
    /// # Errors
    /// As [`Reader::new`].
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        Reader::new(File::open(path).map_err(|e| CaptureError(e.to_string()))?)
    }
}

impl<R: Read> Reader<R> {
    /// Reads the header of a capture: the file header of pcap, the first block of pcapng.
    ///
    /// # Errors
    /// When it is not the header of a capture, or of one whose version or link type is unknown here.
    pub fn new(source: R) -> Result<Self, CaptureError> {
        let mut input = Input::new(source);
        let format = Format::of(&mut input).map_err(CaptureError)?;
        Ok(Self { input, format, packets: 0, octets: Vec::new() })
    }

    /// Returns the next packet, or `None` after the last one.
    ///
    /// # Errors
    /// When the source fails, ends within a packet or block, or its contents are impossible. The
    /// error names the packet or the block, and the octet of the file at which it begins, from 0.
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, CaptureError> {
        let number = self.packets + 1;
        let (input, octets) = (&mut self.input, &mut self.octets);
        let record = match &mut self.format {
            Format::Pcap(pcap) => {
                let at = input.offset();
                pcap.next(input, octets).map_err(|e| format!("packet {number} at octet {at}: {e}"))
            }
            Format::PcapNg(pcapng) => {
                pcapng.next(input, octets).map_err(|e| format!("{}: {e}", pcapng.place(number)))
            }
        };
        let Some(record) = record.map_err(CaptureError)? else { return Ok(None) };
        self.packets = number;
        // What is missing of a frame is missing at its end, so its check sequence goes first.
        let captured = self.octets.len() as u32;
        let length = record.length.max(captured).saturating_sub(record.fcs);
        self.octets.truncate(length as usize);
        Ok(Some(Packet { time_ns: record.time_ns, octets: &self.octets, length }))
    }
}

impl Format {
    fn of(input: &mut Input<impl Read>) -> Result<Self, String> {
        let magic = input.array().map_err(|e| no_header(&e))?;
        if let Some(pcap) = Pcap::new(magic, input)? {
            return Ok(Format::Pcap(pcap));
        }
        if let Some(pcapng) = PcapNg::new(magic, input)? {
            return Ok(Format::PcapNg(pcapng));
        }
        // Wireshark reads compressed captures, so they are about.
        Err(match magic {
            [0x1f, 0x8b, ..] => "compressed by gzip: neither pcap nor pcapng".to_owned(),
            [0x28, 0xb5, 0x2f, 0xfd] => "compressed by zstd: neither pcap nor pcapng".to_owned(),
            [0x04, 0x22, 0x4d, 0x18] => "compressed by lz4: neither pcap nor pcapng".to_owned(),
            _ => "neither pcap nor pcapng".to_owned(),
        })
    }
}

/// Says why there is no header.
fn no_header(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => "no capture: it ends within the file's header".to_owned(),
        _ => error.to_string(),
    }
}

/// Says why a record or block cannot be read.
fn cut_short(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            "cut short: the file ends within it, or a length in it is wrong".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Refuses more captured octets than a frame can have.
fn check_captured(captured: u32) -> Result<u32, String> {
    if captured > MAX_CAPTURED {
        return Err(format!("its captured length is {captured}: at most {MAX_CAPTURED} octets are possible"));
    }
    Ok(captured)
}

/// Refuses a time that a replay's clock cannot have.
fn check_time(ns: i128) -> Result<u64, String> {
    let ns = u64::try_from(ns).ok().filter(|ns| *ns <= LAST_NS);
    ns.ok_or_else(|| "its time is before 1970 or after 2554".to_owned())
}

#[cfg(test)]
mod tests;
