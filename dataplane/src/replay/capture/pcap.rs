//! pcap: a file header, and records of one packet each (draft-ietf-opsawg-pcap).

use std::io::Read;

use super::input::{Input, Order};
use super::link::Link;
use super::{Record, SECOND, check_captured, check_time, cut_short, no_header};

/// Times in microseconds.
const MICROSECONDS: u32 = 0xa1b2_c3d4;
/// Times in nanoseconds.
const NANOSECONDS: u32 = 0xa1b2_3c4d;
/// Times in microseconds, and records with eight more octets in their headers: the number of the
/// interface, the EtherType and the direction. A patched libpcap of the 1990s wrote these, and
/// libpcap still reads them.
const MODIFIED: u32 = 0xa1b2_cd34;

/// A pcap file whose header has been read.
pub(super) struct Pcap {
    order: Order,
    /// Nanoseconds of a unit of a time's fraction.
    unit_ns: u64,
    /// Octets of a record's header that follow its lengths.
    more: u64,
    /// The minor version, which says the order of the two lengths of a record.
    minor: u16,
    /// Length of the frame check sequence, in octets.
    fcs: u32,
}

impl Pcap {
    /// Reads the header behind its magic number. Returns `None` when that is not pcap's.
    ///
    /// # Errors
    /// When the header is incomplete, its version unknown, or its link type not Ethernet.
    pub(super) fn new(magic: [u8; 4], input: &mut Input<impl Read>) -> Result<Option<Self>, String> {
        let known = |order: Order| {
            let (unit_ns, more) = match order.u32(magic) {
                MICROSECONDS => (1_000, 0),
                NANOSECONDS => (1, 0),
                MODIFIED => (1_000, 8),
                _ => return None,
            };
            Some((order, unit_ns, more))
        };
        let Some((order, unit_ns, more)) = known(Order::Little).or_else(|| known(Order::Big)) else {
            return Ok(None);
        };
        let read = |input: &mut Input<_>| Ok([input.array()?, input.array()?]);
        let [major, minor] = read(input).map_err(|e| no_header(&e))?.map(|half| order.u16(half));
        if major != 2 || minor > 4 {
            return Err(format!(
                "its version is pcap {major}.{minor}: 2.4 and older ones from 2.0 are known"
            ));
        }
        // The time zone, the accuracy and the snap length say nothing about a packet: the first two
        // are always 0, and there are writers whose packets are longer than their snap length.
        input.skip(12).map_err(|e| no_header(&e))?;
        let link = Link::of_pcap(order.u32(input.array().map_err(|e| no_header(&e))?));
        link.check()?;
        Ok(Some(Pcap { order, unit_ns, more, minor, fcs: link.fcs }))
    }

    /// Reads the next packet, and leaves its octets in `octets`.
    pub(super) fn next(
        &self,
        input: &mut Input<impl Read>,
        octets: &mut Vec<u8>,
    ) -> Result<Option<Record>, String> {
        if input.at_end().map_err(|e| cut_short(&e))? {
            return Ok(None);
        }
        let header: [u8; 16] = input.array().map_err(|e| cut_short(&e))?;
        let (words, _) = header.as_chunks::<4>();
        let [seconds, fraction, first, second] = self.order.words([words[0], words[1], words[2], words[3]]);
        // Before 2.3 the length of the frame came first, and some wrote 2.3 and kept to that.
        let swapped = self.minor < 3 || (self.minor == 3 && first > second);
        let (captured, length) = if swapped { (second, first) } else { (first, second) };
        check_captured(captured)?;
        input.skip(self.more).and_then(|()| input.read(octets, captured)).map_err(|e| cut_short(&e))?;
        let time_ns = u64::from(seconds) * SECOND + u64::from(fraction) * self.unit_ns;
        Ok(Some(Record { time_ns: Some(check_time(time_ns.into())?), length, fcs: self.fcs }))
    }
}
