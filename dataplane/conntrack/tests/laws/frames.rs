//! Ethernet frames, well formed and otherwise.

use std::net::Ipv4Addr;

use conntrack::FlowKey;
use conntrack::key::TCP;

/// What to put into a frame. Starts as a plain TCP segment.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// EtherTypes of the VLAN tags, outermost first.
    pub(crate) tags: Vec<u16>,
    pub(crate) ether_type: u16,
    pub(crate) version: u8,
    /// 32-bit words of IP options.
    pub(crate) option_words: u8,
    /// The IHL field, when it shall lie.
    pub(crate) ihl: Option<u8>,
    /// The total length field, when it shall lie.
    pub(crate) total_len: Option<u16>,
    /// Flags and fragment offset field.
    pub(crate) fragment: u16,
    pub(crate) protocol: u8,
    pub(crate) src: Ipv4Addr,
    pub(crate) dst: Ipv4Addr,
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    /// Bytes after the two ports.
    pub(crate) rest: usize,
}

impl Default for Frame {
    fn default() -> Self {
        Frame {
            tags: Vec::new(),
            ether_type: 0x0800,
            version: 4,
            option_words: 0,
            ihl: None,
            total_len: None,
            fragment: 0,
            protocol: TCP,
            src: Ipv4Addr::new(10, 0, 0, 1),
            dst: Ipv4Addr::new(10, 0, 0, 2),
            src_port: 36876,
            dst_port: 1234,
            rest: 16,
        }
    }
}

impl Frame {
    /// A plain frame of this flow.
    pub(crate) fn of(key: &FlowKey) -> Self {
        Frame {
            protocol: key.protocol(),
            src: key.src_addr(),
            dst: key.dst_addr(),
            src_port: key.src_port(),
            dst_port: key.dst_port(),
            ..Frame::default()
        }
    }

    /// The bytes, without padding.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut bytes = vec![0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1];
        for tag in &self.tags {
            bytes.extend(tag.to_be_bytes());
            bytes.extend([0x60, 0x07]);
        }
        bytes.extend(self.ether_type.to_be_bytes());
        let header_words = 5 + self.option_words;
        let total = u16::from(header_words) * 4 + 4 + self.rest as u16;
        bytes.push(self.version << 4 | self.ihl.unwrap_or(header_words));
        bytes.push(0);
        bytes.extend(self.total_len.unwrap_or(total).to_be_bytes());
        bytes.extend([0, 1]);
        bytes.extend(self.fragment.to_be_bytes());
        bytes.extend([64, self.protocol, 0, 0]);
        bytes.extend(self.src.octets());
        bytes.extend(self.dst.octets());
        bytes.extend(std::iter::repeat_n(1, usize::from(self.option_words) * 4));
        bytes.extend(self.src_port.to_be_bytes());
        bytes.extend(self.dst_port.to_be_bytes());
        bytes.extend(std::iter::repeat_n(0xa5, self.rest));
        bytes
    }
}
