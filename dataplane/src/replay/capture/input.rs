//! The octets of a capture, in order.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read};

/// The octets of a capture, and the place up to which they have been read. A source may be a pipe:
/// nothing is read before it is needed, beyond what has come along with what was.
pub(super) struct Input<R> {
    source: BufReader<R>,
    offset: u64,
}

/// The order of the octets of a number. pcap says it of the file, pcapng of each section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The least significant octet is the first.
    Little,
    /// The most significant octet is the first.
    Big,
}

impl<R: Read> Input<R> {
    pub(super) fn new(source: R) -> Self {
        Input { source: BufReader::new(source), offset: 0 }
    }

    /// Returns the number of octets before the next one.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns true when there is no further octet.
    pub(super) fn at_end(&mut self) -> io::Result<bool> {
        loop {
            match self.source.fill_buf() {
                Ok(octets) => return Ok(octets.is_empty()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns the next octets.
    pub(super) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut octets = [0; N];
        self.source.read_exact(&mut octets)?;
        self.offset += N as u64;
        Ok(octets)
    }

    /// Replaces the contents of `octets` by the next `count` octets. What does not come is given no
    /// memory.
    pub(super) fn read(&mut self, octets: &mut Vec<u8>, count: u32) -> io::Result<()> {
        octets.clear();
        let found = self.source.by_ref().take(u64::from(count)).read_to_end(octets)?;
        self.passed(found as u64, u64::from(count))
    }

    /// Passes over the next `count` octets, and keeps none of them.
    pub(super) fn skip(&mut self, count: u64) -> io::Result<()> {
        let found = io::copy(&mut self.source.by_ref().take(count), &mut io::sink())?;
        self.passed(found, count)
    }

    fn passed(&mut self, found: u64, wanted: u64) -> io::Result<()> {
        self.offset += found;
        if found < wanted { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

impl Order {
    pub(super) fn u16(self, octets: [u8; 2]) -> u16 {
        match self {
            Order::Little => u16::from_le_bytes(octets),
            Order::Big => u16::from_be_bytes(octets),
        }
    }

    pub(super) fn u32(self, octets: [u8; 4]) -> u32 {
        match self {
            Order::Little => u32::from_le_bytes(octets),
            Order::Big => u32::from_be_bytes(octets),
        }
    }

    pub(super) fn i64(self, octets: [u8; 8]) -> i64 {
        match self {
            Order::Little => i64::from_le_bytes(octets),
            Order::Big => i64::from_be_bytes(octets),
        }
    }

    /// Returns words that follow one another.
    pub(super) fn words<const N: usize>(self, octets: [[u8; 4]; N]) -> [u32; N] {
        octets.map(|word| self.u32(word))
    }
}
