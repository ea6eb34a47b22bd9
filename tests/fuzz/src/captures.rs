//! The reader of captures, pcap and pcapng.
//!
//! Input: a file. Where it is cut, and in which pieces it comes, follows from its octets, so that
//! every capture is an input and every input can be opened by other readers.

mod reference;

use std::io::{self, ErrorKind, Read};

use dataplane::replay::capture::{MAX_CAPTURED, Reader};

/// A packet: its time, its octets, and its length on the wire.
type Packet = (Option<u64>, Vec<u8>, u32);

/// Compares the reader with a reader of whole files that follows the drafts alone, and with itself
/// when the file comes in pieces or ends too early.
///
/// # Panics
/// When they differ, a packet is not in the file, or the source is asked too often.
pub fn target(data: &[u8]) {
    let (packets, error) = read(data);
    let meant = reference::read(data);
    assert_eq!((&packets, error.is_none()), (&meant.packets, meant.whole), "{error:?}: {data:02x?}");
    lie_in_the_file(data, &packets);

    let seed = data.iter().fold(data.len() as u64, |sum, octet| sum.wrapping_mul(31) + u64::from(*octet));
    for longest in [1, 2 + seed % 64] {
        let mut pieces = Pieces { rest: data, longest, state: seed, asked: 0 };
        assert_eq!(read(&mut pieces), (packets.clone(), error.clone()), "in pieces of up to {longest}");
        // One look for each octet, as often for an interruption, and one at the end for each part.
        assert!(pieces.asked <= 4 * data.len() + 16, "{} times for {}", pieces.asked, data.len());
    }

    let end = (seed % (data.len() as u64 + 1)) as usize;
    let (first, _) = read(&data[..end]);
    assert!(packets.starts_with(&first), "of the first {end} octets: {first:?}");

    // Sections of pcapng follow one another, also in files that were put together.
    if data.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) && error.is_none() {
        let twice = [packets.as_slice(), &packets].concat();
        assert_eq!(read(data.repeat(2).as_slice()), (twice, None));
    }
}

/// Reads packets until the end, or until something is wrong.
fn read(source: impl Read) -> (Vec<Packet>, Option<String>) {
    let mut packets = Vec::new();
    let mut reader = match Reader::new(source) {
        Ok(reader) => reader,
        Err(error) => return (packets, Some(error.to_string())),
    };
    loop {
        match reader.next_packet() {
            Ok(Some(packet)) => {
                assert!(packet.octets.len() <= MAX_CAPTURED as usize);
                assert!(packet.octets.len() <= packet.length as usize, "{packet:?}");
                packets.push((packet.time_ns, packet.octets.to_vec(), packet.length));
            }
            Ok(None) => return (packets, None),
            Err(error) => return (packets, Some(error.to_string())),
        }
    }
}

/// Checks that the packets are parts of the file, one behind the other.
fn lie_in_the_file(mut file: &[u8], packets: &[Packet]) {
    for (_, octets, _) in packets.iter().filter(|(_, octets, _)| !octets.is_empty()) {
        let at = file.windows(octets.len()).position(|part| part == octets);
        let at = at.unwrap_or_else(|| panic!("{octets:02x?} is not in what is left of the file"));
        file = &file[at + octets.len()..];
    }
}

/// A source that gives a few octets at a time, and is interrupted now and then.
struct Pieces<'a> {
    rest: &'a [u8],
    longest: u64,
    state: u64,
    asked: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.asked += 1;
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let choice = self.state >> 33;
        if choice.is_multiple_of(7) {
            return Err(ErrorKind::Interrupted.into());
        }
        let count = (1 + choice % self.longest) as usize;
        let count = count.min(into.len()).min(self.rest.len());
        let (piece, rest) = self.rest.split_at(count);
        into[..count].copy_from_slice(piece);
        self.rest = rest;
        Ok(count)
    }
}
