//! The description of the table: what pipeline, table and key are called and how wide they are.
//!
//! Introspection, filter expressions, key parsing and the forms in which entries are printed follow it.

use std::fmt;

use serde::{Serialize, Serializer};

pub use crate::show::{PIPELINE, TABLE};

/// Id of the only pipeline.
pub const PIPELINE_ID: u32 = 1;
/// Id of the only table.
pub const TABLE_ID: u32 = 1;
/// The control block and the table under the names that an operator may use; the last one is that of older templates.
pub const TABLE_NAMES: [&str; 2] = [TABLE, "Main/ct_tcp_table"];

/// Type of a key field, by P4TC's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A port of the data plane.
    Dev,
    /// An IPv4 address.
    Ipv4,
    /// A number of 8 bits.
    Bit8,
    /// A number of 16 bits, most significant byte first in the packet.
    Be16,
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dev => "dev",
            Self::Ipv4 => "ipv4",
            Self::Bit8 => "bit8",
            Self::Be16 => "be16",
        })
    }
}

impl Serialize for FieldType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How a key field is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchType {
    /// All bits count.
    Exact,
}

/// Which field of the key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPart {
    /// The port on which frames enter.
    InputPort,
    /// The source address.
    SrcAddr,
    /// The destination address.
    DstAddr,
    /// The IPv4 protocol.
    Protocol,
    /// The source port.
    SrcPort,
    /// The destination port.
    DstPort,
}

impl KeyPart {
    /// Its display name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InputPort => "input_port",
            Self::SrcAddr => "srcAddr",
            Self::DstAddr => "dstAddr",
            Self::Protocol => "hdr.ipv4.protocol",
            Self::SrcPort => "srcPort",
            Self::DstPort => "dstPort",
        }
    }
}

/// One field of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KeyField {
    /// Its number, from 1.
    pub id: u32,
    /// Its display name.
    pub name: &'static str,
    /// Its type.
    pub r#type: FieldType,
    /// How it is matched.
    pub match_type: MatchType,
    /// Its width, bits.
    pub bitwidth: u32,
    /// Which one it is.
    #[serde(skip)]
    pub part: KeyPart,
}

/// The key, by field id.
pub const KEY_FIELDS: [KeyField; 6] = {
    const fn field(id: u32, part: KeyPart, r#type: FieldType) -> KeyField {
        let bitwidth = match r#type {
            FieldType::Dev | FieldType::Ipv4 => 32,
            FieldType::Bit8 => 8,
            FieldType::Be16 => 16,
        };
        KeyField { id, name: part.name(), r#type, match_type: MatchType::Exact, bitwidth, part }
    }
    [
        field(1, KeyPart::InputPort, FieldType::Dev),
        field(2, KeyPart::SrcAddr, FieldType::Ipv4),
        field(3, KeyPart::DstAddr, FieldType::Ipv4),
        field(4, KeyPart::Protocol, FieldType::Bit8),
        field(5, KeyPart::SrcPort, FieldType::Be16),
        field(6, KeyPart::DstPort, FieldType::Be16),
    ]
};

/// The key field of this name; `protocol` stands for `hdr.ipv4.protocol`.
#[must_use]
pub fn key_field(name: &str) -> Option<&'static KeyField> {
    let name = if name == "protocol" { "hdr.ipv4.protocol" } else { name };
    KEY_FIELDS.iter().find(|field| field.name == name)
}
/// The control half's P bit: events of the entry are published (P4TC hides the others).
pub const PERMISSION_PUBLISH: u32 = 1 << 8;
/// The control half's R bit: the entry may be read.
pub const PERMISSION_READ: u32 = 1 << 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::permissions_text;

    #[test]
    fn the_bits_have_the_letters_that_they_are_named_after() {
        assert_eq!(permissions_text(PERMISSION_PUBLISH | PERMISSION_READ), "-R---P--------");
    }

    #[test]
    fn fields_are_found_by_name_and_the_protocol_by_its_alias() {
        for field in &KEY_FIELDS {
            assert_eq!(key_field(field.name), Some(field));
        }
        assert_eq!(key_field("protocol").map(|field| field.name), Some("hdr.ipv4.protocol"));
        assert_eq!((key_field("srcport"), key_field("")), (None, None));
    }
}
