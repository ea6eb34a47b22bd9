//! The match key: its compact form, its checks, and its texts.
//!
//! Three forms exist. [`FlowKey`] is what the service computes with,
//! [`Key`] is what the API carries, and the text
//! `port0/tcp/10.0.0.1:36876-10.0.0.2:1234` is what people paste.

use std::fmt;
use std::net::Ipv4Addr;
use std::num::IntErrorKind;
use std::str::FromStr;

use crate::v1::Key;

pub use crate::show::port_name;

use crate::table::KeyPart;

/// IPv4 protocol number of TCP (IANA).
pub const TCP: u8 = 6;
/// IPv4 protocol number of UDP (IANA).
pub const UDP: u8 = 17;

/// Highest DPDK port id: port ids are 16 bits wide.
const MAX_PORT_ID: u32 = 0xffff;

/// The 136-bit match key, host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowKey {
    /// DPDK port id + 1; never 0.
    pub input_port: u32,
    /// IPv4 source address, most significant byte first.
    pub src_addr: u32,
    /// IPv4 destination address, most significant byte first.
    pub dst_addr: u32,
    /// Source port of the segment.
    pub src_port: u16,
    /// Destination port of the segment.
    pub dst_port: u16,
    /// IPv4 protocol number.
    pub protocol: u8,
}

const _: () = assert!(size_of::<FlowKey>() == 20, "a million keys sit in the mirror");

/// One thing that is wrong with a field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field in the request message: `key.src_addr`.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

impl Violation {
    /// Says that `field` is wrong because of `description`.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into() }
    }
}

impl FlowKey {
    /// Checks a key of a request. Every field that is wrong is reported, each
    /// under its path below `path`.
    pub fn from_proto(key: Option<&Key>, path: &str) -> Result<Self, Vec<Violation>> {
        let Some(key) = key else {
            return Err(vec![Violation::new(path, "is missing: all six fields of the key are needed")]);
        };
        let mut wrong = Vec::new();
        let mut check = |field: &str, description: String| {
            wrong.push(Violation::new(format!("{path}.{field}"), description));
        };
        let input_port = parse_input_port(&key.input_port).unwrap_or_else(|why| {
            check("input_port", why);
            0
        });
        let src_addr = parse_addr(&key.src_addr).unwrap_or_else(|why| {
            check("src_addr", why);
            0
        });
        let dst_addr = parse_addr(&key.dst_addr).unwrap_or_else(|why| {
            check("dst_addr", why);
            0
        });
        let protocol = u8::try_from(key.protocol).unwrap_or_else(|_| {
            check("protocol", format!("{} is not in 0 to 255", key.protocol));
            0
        });
        let src_port = u16::try_from(key.src_port).unwrap_or_else(|_| {
            check("src_port", format!("{} is not in 0 to 65535", key.src_port));
            0
        });
        let dst_port = u16::try_from(key.dst_port).unwrap_or_else(|_| {
            check("dst_port", format!("{} is not in 0 to 65535", key.dst_port));
            0
        });
        if wrong.is_empty() {
            Ok(Self { input_port, src_addr, dst_addr, src_port, dst_port, protocol })
        } else {
            Err(wrong)
        }
    }

    /// Length of the P4TC form, bytes.
    pub const BYTES: usize = 17;

    /// Returns the key as P4TC lays it out: the port as the kernel's little-endian ifindex, then
    /// addresses, protocol and ports as on the wire.
    #[must_use]
    #[inline]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.input_port.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.src_addr.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.dst_addr.to_be_bytes());
        bytes[12] = self.protocol;
        bytes[13..15].copy_from_slice(&self.src_port.to_be_bytes());
        bytes[15..].copy_from_slice(&self.dst_port.to_be_bytes());
        bytes
    }

    /// Reads the form that [`FlowKey::to_bytes`] writes; `None` when the port is 0.
    #[must_use]
    #[inline]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let word = |at: usize| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        let input_port = u32::from_le_bytes(word(0));
        (input_port != 0).then(|| Self {
            input_port,
            src_addr: u32::from_be_bytes(word(4)),
            dst_addr: u32::from_be_bytes(word(8)),
            protocol: bytes[12],
            src_port: u16::from_be_bytes([bytes[13], bytes[14]]),
            dst_port: u16::from_be_bytes([bytes[15], bytes[16]]),
        })
    }

    /// The form of the API.
    #[must_use]
    pub fn to_proto(self) -> Key {
        Key {
            input_port: port_name(self.input_port),
            src_addr: Ipv4Addr::from_bits(self.src_addr).to_string(),
            dst_addr: Ipv4Addr::from_bits(self.dst_addr).to_string(),
            protocol: self.protocol.into(),
            src_port: self.src_port.into(),
            dst_port: self.dst_port.into(),
        }
    }
}

/// A text of a caller, in quotes; of a long one the beginning. A message with all
/// of it would not fit into the trailers that carry it.
pub fn quoted(text: &str) -> String {
    let (shown, rest) = beginning(text);
    format!("{shown:?}{rest}")
}

/// The beginning of a text, and how much is left out.
fn beginning(text: &str) -> (&str, String) {
    const MOST: usize = 64;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => (&text[..end], format!("… ({} bytes)", text.len())),
        None => (text, String::new()),
    }
}

/// Reads `portN`, or the number N + 1 that P4TC shows as interface index.
pub fn parse_input_port(text: &str) -> Result<u32, String> {
    let wrong = || {
        if text.is_empty() {
            "is missing: a port such as port0 is needed".to_owned()
        } else {
            format!("{} is not a port: port0, port1, … or a port id + 1", quoted(text))
        }
    };
    match text.strip_prefix("port") {
        Some(id) => decimal(id).filter(|id| *id <= MAX_PORT_ID).map(|id| id + 1).ok_or_else(wrong),
        None => decimal(text).filter(|n| (1..=MAX_PORT_ID + 1).contains(n)).ok_or_else(wrong),
    }
}

/// Reads a dotted decimal IPv4 address, which `/32` may follow.
pub fn parse_addr(text: &str) -> Result<u32, String> {
    if text.is_empty() {
        return Err("is missing: an IPv4 address is needed".to_owned());
    }
    let bare = text.strip_suffix("/32").unwrap_or(text);
    Ipv4Addr::from_str(bare).map(u32::from).map_err(|_| format!("{} is not an IPv4 address", quoted(text)))
}

/// Reads a decimal number as it is printed: digits only, no leading zero.
fn decimal(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.parse().ok()
}

/// The compact form, `port0/tcp/10.0.0.1:36876-10.0.0.2:1234`.
impl fmt::Display for FlowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", port_name(self.input_port))?;
        match self.protocol {
            TCP => f.write_str("tcp")?,
            UDP => f.write_str("udp")?,
            other => write!(f, "{other}")?,
        }
        let (src, dst) = (Ipv4Addr::from(self.src_addr), Ipv4Addr::from(self.dst_addr));
        write!(f, "/{src}:{}-{dst}:{}", self.src_port, self.dst_port)
    }
}

/// Reads the compact form.
impl FromStr for FlowKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape =
            || format!("{} is not a key: port0/tcp/10.0.0.1:36876-10.0.0.2:1234 is one", quoted(text));
        let (port, rest) = text.split_once('/').ok_or_else(shape)?;
        let (protocol, ends) = rest.split_once('/').ok_or_else(shape)?;
        let (src, dst) = ends.split_once('-').ok_or_else(shape)?;
        let (src_addr, src_port) = src.rsplit_once(':').ok_or_else(shape)?;
        let (dst_addr, dst_port) = dst.rsplit_once(':').ok_or_else(shape)?;
        let of = |part: KeyPart| move |why| format!("{}: {why}", part.name());
        Ok(Self {
            input_port: parse_input_port(port).map_err(of(KeyPart::InputPort))?,
            src_addr: parse_addr(src_addr).map_err(of(KeyPart::SrcAddr))?,
            dst_addr: parse_addr(dst_addr).map_err(of(KeyPart::DstAddr))?,
            src_port: parse_number(src_port).map_err(of(KeyPart::SrcPort))?,
            dst_port: parse_number(dst_port).map_err(of(KeyPart::DstPort))?,
            protocol: parse_protocol(protocol).map_err(of(KeyPart::Protocol))?,
        })
    }
}

/// Reads `tcp`, `udp` or a protocol number.
pub fn parse_protocol(text: &str) -> Result<u8, String> {
    match text {
        "tcp" => Ok(TCP),
        "udp" => Ok(UDP),
        number => parse_number(number),
    }
}

/// Reads a number as P4TC does: decimal, `0x` hexadecimal or `0` octal.
pub fn parse_number<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let (digits, radix) = if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        (hex, 16)
    } else if text.len() > 1 && text.starts_with('0') {
        (&text[1..], 8)
    } else {
        (text, 10)
    };
    if digits.starts_with('+') {
        return Err(format!("{} is not a number", quoted(text)));
    }
    let most = (1_u128 << (8 * size_of::<T>())) - 1;
    let number = u64::from_str_radix(digits, radix).map_err(|e| match e.kind() {
        IntErrorKind::PosOverflow => {
            let (digits, rest) = beginning(text);
            format!("{digits}{rest} is not in 0 to {most}")
        }
        _ => format!("{} is not a number", quoted(text)),
    })?;
    T::try_from(number).map_err(|_| format!("{number} is not in 0 to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_key() -> impl Strategy<Value = FlowKey> {
        (1_u32..=65536, any::<u32>(), any::<u32>(), any::<u16>(), any::<u16>(), any::<u8>()).prop_map(
            |(input_port, src_addr, dst_addr, src_port, dst_port, protocol)| FlowKey {
                input_port,
                src_addr,
                dst_addr,
                src_port,
                dst_port,
                protocol,
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(key in any_key()) {
            prop_assert_eq!(key.to_string().parse::<FlowKey>(), Ok(key));
            prop_assert_eq!(FlowKey::from_proto(Some(&key.to_proto()), "key"), Ok(key));
            prop_assert_eq!(FlowKey::from_bytes(&key.to_bytes()), Some(key));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,60}") {
            let _ = text.parse::<FlowKey>();
            let _ = parse_number::<u16>(&text);
        }
    }

    #[test]
    fn every_wrong_field_is_reported_under_its_path() {
        let key = Key {
            input_port: "eth0".into(),
            src_addr: "10.0.0".into(),
            dst_addr: "10.0.0.2/24".into(),
            protocol: 256,
            src_port: 65536,
            dst_port: 70000,
        };
        let wrong = FlowKey::from_proto(Some(&key), "key").unwrap_err();
        let fields: Vec<_> = wrong.iter().map(|v| v.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "key.input_port",
                "key.src_addr",
                "key.dst_addr",
                "key.protocol",
                "key.src_port",
                "key.dst_port"
            ]
        );
    }

    #[test]
    fn the_compact_form_names_the_part_that_is_wrong() {
        for (text, message) in [
            ("eth0/tcp/10.0.0.1:1-10.0.0.2:2", "input_port: \"eth0\" is not a port"),
            ("port0/icmp/10.0.0.1:1-10.0.0.2:2", "hdr.ipv4.protocol: \"icmp\" is not a number"),
            ("port0/tcp/10.0.0.256:1-10.0.0.2:2", "srcAddr: \"10.0.0.256\" is not an IPv4 address"),
            ("port0/tcp/10.0.0.1:1-10.0.0:2", "dstAddr: \"10.0.0\" is not an IPv4 address"),
            ("port0/tcp/10.0.0.1:65536-10.0.0.2:2", "srcPort: 65536 is not in 0 to 65535"),
            ("port0/tcp/10.0.0.1:1-10.0.0.2:", "dstPort: \"\" is not a number"),
            ("port0/tcp/10.0.0.1:1", "\"port0/tcp/10.0.0.1:1\" is not a key"),
        ] {
            let refused = text.parse::<FlowKey>().unwrap_err();
            assert!(refused.starts_with(message), "{text}: {refused}");
        }
    }

    #[test]
    fn ports_are_read_by_name_and_by_number() {
        assert_eq!(parse_input_port("port0"), Ok(1));
        assert_eq!(parse_input_port("1"), Ok(1));
        assert_eq!(parse_input_port("port65535"), Ok(65536));
        for wrong in ["", "0", "port", "port-1", "port+1", "port01", "port65536", "65537", "eth0", " 1"] {
            assert!(parse_input_port(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(parse_number::<u16>("0x4d2"), Ok(1234));
        assert_eq!(parse_number::<u16>("02322"), Ok(1234));
        assert!(parse_number::<u16>("65536").is_err());
        let far = parse_number::<u16>("99999999999999999999").unwrap_err();
        assert_eq!(far, "99999999999999999999 is not in 0 to 65535");
    }
}
