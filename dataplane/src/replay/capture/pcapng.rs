//! pcapng: blocks in sections (draft-ietf-opsawg-pcapng).

use std::io::Read;

use super::input::{Input, Order};
use super::interface::Interface;
use super::{MAX_INTERFACES, Record, check_captured, cut_short};

/// The type of a section header block, which is the same in either order of octets.
const SECTION_MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// What follows the length of a section header block, and says the order of octets.
const ORDER_MAGIC: u32 = 0x1a2b_3c4d;

const SECTION_HEADER: u32 = u32::from_be_bytes(SECTION_MAGIC);
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// The option of both packet blocks whose bits 5 to 8 are the length of the packet's frame check
/// sequence in octets, or 0.
const PACKET_FLAGS: u16 = 2;

/// Octets of a block around its body: its type, its length, and its length again.
const AROUND: u32 = 12;

/// A pcapng file whose first section header has been read.
pub(super) struct PcapNg {
    order: Order,
    /// The interfaces of the present section.
    interfaces: Vec<Interface>,
    /// Where the present block begins.
    at: u64,
    /// Its type, once it is known.
    kind: Option<u32>,
}

impl PcapNg {
    /// Reads the first block behind its type. Returns `None` when that is not a section header's.
    ///
    /// # Errors
    /// When the block is incomplete, or the version unknown.
    pub(super) fn new(magic: [u8; 4], input: &mut Input<impl Read>) -> Result<Option<Self>, String> {
        if magic != SECTION_MAGIC {
            return Ok(None);
        }
        let kind = Some(SECTION_HEADER);
        let mut file = PcapNg { order: Order::Little, interfaces: Vec::new(), at: 0, kind };
        file.section(input).map_err(|reason| format!("{}: {reason}", file.place(1)))?;
        Ok(Some(file))
    }

    /// Names the present block, and the packet in it.
    pub(super) fn place(&self, packet: u64) -> String {
        let at = self.at;
        let packet = |block| format!("packet {packet}: {block} at octet {at}");
        match self.kind {
            Some(SECTION_HEADER) => format!("section header block at octet {at}"),
            Some(INTERFACE_DESCRIPTION) => format!("interface description block at octet {at}"),
            Some(OBSOLETE_PACKET) => packet("obsolete packet block"),
            Some(SIMPLE_PACKET) => packet("simple packet block"),
            Some(ENHANCED_PACKET) => packet("enhanced packet block"),
            Some(other) => format!("block of type {other:#010x} at octet {at}"),
            None => format!("block at octet {at}"),
        }
    }

    /// Reads the next packet, and leaves its octets in `octets`.
    pub(super) fn next(
        &mut self,
        input: &mut Input<impl Read>,
        octets: &mut Vec<u8>,
    ) -> Result<Option<Record>, String> {
        loop {
            (self.at, self.kind) = (input.offset(), None);
            if input.at_end().map_err(|e| cut_short(&e))? {
                return Ok(None);
            }
            let kind = input.array().map_err(|e| cut_short(&e))?;
            if kind == SECTION_MAGIC {
                self.kind = Some(SECTION_HEADER);
                self.section(input)?;
                continue;
            }
            let kind = *self.kind.insert(self.order.u32(kind));
            let length = self.order.u32(input.array().map_err(|e| cut_short(&e))?);
            let mut body = Body::new(input, self.order, length)?;
            let mut record = None;
            match kind {
                INTERFACE_DESCRIPTION => {
                    if self.interfaces.len() == MAX_INTERFACES {
                        return Err(format!("its section has more than {MAX_INTERFACES} interfaces"));
                    }
                    self.interfaces.push(Interface::read(&mut body)?);
                }
                SIMPLE_PACKET => record = Some(self.simple(&mut body, octets)?),
                ENHANCED_PACKET | OBSOLETE_PACKET => record = Some(self.packet(kind, &mut body, octets)?),
                _ => {}
            }
            body.finish()?;
            if record.is_some() {
                return Ok(record);
            }
        }
    }

    /// Reads a section header block behind its type. A section has interfaces of its own.
    fn section(&mut self, input: &mut Input<impl Read>) -> Result<(), String> {
        let length = input.array().map_err(|e| cut_short(&e))?;
        let magic = input.array().map_err(|e| cut_short(&e))?;
        self.order = match (Order::Little.u32(magic), Order::Big.u32(magic)) {
            (ORDER_MAGIC, _) => Order::Little,
            (_, ORDER_MAGIC) => Order::Big,
            (_, other) => return Err(format!("its byte-order magic is {other:#010x}")),
        };
        self.interfaces.clear();
        let mut body = Body::new(input, self.order, self.order.u32(length))?;
        // The byte-order magic has been read. The length of the section is not needed.
        body.left = body.left.checked_sub(4).ok_or_else(too_short)?;
        let (major, minor) = (body.half()?, body.half()?);
        // A minor version of 2 was written once, and means 0.
        if major != 1 || !matches!(minor, 0 | 2) {
            return Err(format!("its version is pcapng {major}.{minor}: 1.0 and 1.2 are known"));
        }
        body.skip(8)?;
        body.finish()
    }

    /// Reads an enhanced packet block, or the obsolete packet block.
    fn packet(
        &self,
        kind: u32,
        body: &mut Body<'_, impl Read>,
        octets: &mut Vec<u8>,
    ) -> Result<Record, String> {
        let number = if kind == ENHANCED_PACKET {
            body.word()?
        } else {
            let number = body.half()?;
            body.skip(2)?; // packets that were dropped
            u32::from(number)
        };
        let units = u64::from(body.word()?) << 32 | u64::from(body.word()?);
        let (captured, length) = (body.word()?, body.word()?);
        let interface = self.interface(number)?;
        body.read(octets, captured)?;
        let mut fcs = interface.link.fcs;
        let order = body.order();
        body.options(|code, value, _| {
            if let (PACKET_FLAGS, Ok(flags)) = (code, value.try_into()) {
                let of_packet = order.u32(flags) >> 5 & 0xf;
                fcs = if of_packet == 0 { fcs } else { of_packet };
            }
            Ok(())
        })?;
        Ok(Record { time_ns: Some(interface.unix_ns(units)?), length, fcs })
    }

    /// Reads a simple packet block: a packet of interface 0 whose time is not said.
    fn simple(&self, body: &mut Body<'_, impl Read>, octets: &mut Vec<u8>) -> Result<Record, String> {
        let length = body.word()?;
        let interface = self.interface(0)?;
        let limit = if interface.snap_length == 0 { u32::MAX } else { interface.snap_length };
        body.read(octets, length.min(limit))?;
        Ok(Record { time_ns: None, length, fcs: interface.link.fcs })
    }

    /// Returns an interface, which has to be one of Ethernet.
    fn interface(&self, number: u32) -> Result<Interface, String> {
        let Some(interface) = self.interfaces.get(number as usize) else {
            return Err(format!("there is no interface {number}"));
        };
        interface.link.check()?;
        Ok(*interface)
    }
}

fn too_short() -> String {
    "its block is too short".to_owned()
}

/// The part of a block between its two lengths.
pub(super) struct Body<'a, R> {
    input: &'a mut Input<R>,
    order: Order,
    /// The length of the block.
    length: u32,
    /// Octets of the body that have not been read.
    left: u32,
}

impl<'a, R: Read> Body<'a, R> {
    fn new(input: &'a mut Input<R>, order: Order, length: u32) -> Result<Self, String> {
        if length < AROUND || !length.is_multiple_of(4) {
            return Err(format!(
                "its length is {length}: at least {AROUND} and a multiple of 4 are possible"
            ));
        }
        Ok(Body { input, order, length, left: length - AROUND })
    }

    pub(super) fn order(&self) -> Order {
        self.order
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.left = self.left.checked_sub(N as u32).ok_or_else(too_short)?;
        self.input.array().map_err(|e| cut_short(&e))
    }

    pub(super) fn half(&mut self) -> Result<u16, String> {
        Ok(self.order.u16(self.array()?))
    }

    pub(super) fn word(&mut self) -> Result<u32, String> {
        Ok(self.order.u32(self.array()?))
    }

    pub(super) fn skip(&mut self, count: u32) -> Result<(), String> {
        self.left = self.left.checked_sub(count).ok_or_else(too_short)?;
        self.input.skip(count.into()).map_err(|e| cut_short(&e))
    }

    /// Reads the octets of a packet, and skips what fills their last word.
    fn read(&mut self, octets: &mut Vec<u8>, captured: u32) -> Result<(), String> {
        let left = self.left.checked_sub(check_captured(captured)?);
        self.left = left.ok_or_else(|| "it is longer than its block".to_owned())?;
        self.input.read(octets, captured).map_err(|e| cut_short(&e))?;
        self.skip(self.left % 4)
    }

    /// Hands out the options of a block: the code, the value up to its eighth octet, and its length.
    /// They end with a mark or with the block.
    pub(super) fn options(
        &mut self,
        mut option: impl FnMut(u16, &[u8], u16) -> Result<(), String>,
    ) -> Result<(), String> {
        while self.left >= 4 {
            let (code, length) = (self.half()?, self.half()?);
            if code == 0 {
                break;
            }
            if u32::from(length) > self.left {
                return Err(format!("its option {code} is longer than what is left of its block"));
            }
            let mut value = [0; 8];
            let kept = usize::from(length.min(8));
            for octet in &mut value[..kept] {
                [*octet] = self.array()?;
            }
            option(code, &value[..kept], length)?;
            self.skip(u32::from(length) - kept as u32)?;
            self.skip(self.left % 4)?;
        }
        Ok(())
    }

    /// Skips what is left of the block, and checks that its end is one.
    fn finish(self) -> Result<(), String> {
        self.input.skip(self.left.into()).map_err(|e| cut_short(&e))?;
        let again = self.order.u32(self.input.array().map_err(|e| cut_short(&e))?);
        if again != self.length {
            return Err(format!("its length is {} in front and {again} at its end", self.length));
        }
        Ok(())
    }
}
