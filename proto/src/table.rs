//! Descriptions of tables: names, and the fields of keys.
//!
//! A [`TableDescription`] drives introspection, filter expressions, key parsing, printed forms and
//! the paths of P4TC's commands. A further table needs a description in [`TABLES`] and a
//! [`Family`], which names it.

mod family;
#[cfg(any(test, feature = "test-support"))]
pub mod samples;

use std::fmt;

use serde::{Serialize, Serializer};
use thiserror::Error;

pub use self::family::Family;

/// The match type of every key field: all its bits are compared.
pub const MATCH_TYPE: &str = "exact";

/// The control half's P bit: events of the entry are published (P4TC hides the others).
pub const PERMISSION_PUBLISH: u32 = 1 << 8;
/// The control half's R bit: the entry may be read.
pub const PERMISSION_READ: u32 = 1 << 12;

/// What both tables of flows have in common.
const FLOWS: TableDescription = TableDescription {
    pipeline: "",
    pipeline_id: 0,
    name: "Main/ct_flow_table",
    aliases: &["Main/ct_tcp_table"],
    id: 1,
    miss_action: "Main/ct_flow_miss",
    key: &[],
};

/// The flows of IPv4.
pub static IPV4_FLOWS: TableDescription = TableDescription {
    pipeline: "flowtracker",
    pipeline_id: 1,
    key: &flow_key(FieldType::Ipv4, "hdr.ipv4.protocol"),
    ..FLOWS
};

/// The flows of IPv6.
pub static IPV6_FLOWS: TableDescription = TableDescription {
    pipeline: "flowtracker_ipv6",
    pipeline_id: 2,
    key: &flow_key(FieldType::Ipv6, "hdr.ipv6.nextHdr"),
    ..FLOWS
};

/// Returns the key of a table of flows with addresses of this type, whose protocol field has this
/// name.
const fn flow_key(addr: FieldType, protocol: &'static str) -> [KeyField; 6] {
    let mut key = [
        KeyField::new(1, "input_port", FieldType::Dev, KeyPart::InputPort),
        KeyField::new(2, "srcAddr", addr, KeyPart::SrcAddr),
        KeyField::new(3, "dstAddr", addr, KeyPart::DstAddr),
        KeyField::new(4, protocol, FieldType::Bit(8), KeyPart::Protocol),
        KeyField::new(5, "srcPort", FieldType::Be(16), KeyPart::SrcPort),
        KeyField::new(6, "dstPort", FieldType::Be(16), KeyPart::DstPort),
    ];
    key[3].aliases = &["protocol"];
    key
}

/// All tables, in the order of [`Family::ALL`].
pub static TABLES: &[&TableDescription] = &[&IPV4_FLOWS, &IPV6_FLOWS];

/// A table: its names and ids, and the fields of its key.
#[derive(Debug, PartialEq, Eq)]
pub struct TableDescription {
    /// Name of its pipeline; no two tables of [`TABLES`] share one.
    pub pipeline: &'static str,
    /// Id of its pipeline.
    pub pipeline_id: u32,
    /// Control block and name: `Main/ct_flow_table`.
    pub name: &'static str,
    /// Older names, control block included, that operators may still use.
    pub aliases: &'static [&'static str],
    /// Id within the pipeline.
    pub id: u32,
    /// Control block and name of the action that runs on a miss.
    pub miss_action: &'static str,
    /// The fields of the key, in the order of their ids, which count from 1. No two of them have
    /// the same [`KeyField::part`], and both addresses are among them.
    pub key: &'static [KeyField],
}

impl TableDescription {
    /// Returns the width of the key, bits.
    #[must_use]
    pub fn key_bits(&self) -> u32 {
        self.key.iter().map(|field| field.r#type.bits()).sum()
    }

    /// Returns the key field of this name or alias.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static KeyField> {
        self.key.iter().find(|field| field.name == name || field.aliases.contains(&name))
    }

    /// Returns the key field that holds `part`; `None` where the key has no such part.
    #[must_use]
    pub fn field_of(&self, part: KeyPart) -> Option<&'static KeyField> {
        self.key.iter().find(|field| field.part == part)
    }

    /// Returns the names of all key fields, then all their aliases.
    pub fn field_names(&self) -> impl Iterator<Item = &'static str> {
        let aliases = self.key.iter().flat_map(|field| field.aliases);
        self.key.iter().map(|field| field.name).chain(aliases.copied())
    }

    /// Returns true when `name`, control block included, is the table's name or one of its aliases.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|own| own == name)
    }

    /// Returns the name without its control block: `ct_flow_table`.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        without_block(self.name)
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// Returns the part of a name after its control block.
#[must_use]
pub fn without_block(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, short)| short)
}

/// A pipeline or a table that does not exist, in P4TC's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotFound {
    /// No pipeline has this name or id.
    #[error("{}", self.text())]
    Pipeline,
    /// The pipeline has no table of this name or id.
    #[error("{}", self.text())]
    Table,
}

impl NotFound {
    /// Returns P4TC's words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Pipeline => "Pipeline name not found",
            Self::Table => "Table name not found",
        }
    }
}

/// Returns the table of a pipeline.
///
/// # Errors
///
/// When there is no such pipeline.
pub fn of_pipeline(pipeline: &str) -> Result<&'static TableDescription, NotFound> {
    TABLES.iter().find(|table| table.pipeline == pipeline).copied().ok_or(NotFound::Pipeline)
}

/// Checks that an operator's word names this table: its name or an alias, with or without the
/// control block.
///
/// # Errors
///
/// When it names another one.
pub fn check_name(table: &TableDescription, word: &str) -> Result<(), NotFound> {
    let named = table.names().any(|name| name == word || without_block(name) == word);
    named.then_some(()).ok_or(NotFound::Table)
}

/// One field of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyField {
    /// Its number, from 1.
    pub id: u32,
    /// Its name.
    pub name: &'static str,
    /// Other names that are accepted on input.
    pub aliases: &'static [&'static str],
    /// Its type, which also gives its width.
    pub r#type: FieldType,
    /// The part of the key that it holds, which is a field of the API's `Key`.
    pub part: KeyPart,
}

impl KeyField {
    /// Makes a field without aliases.
    #[must_use]
    pub const fn new(id: u32, name: &'static str, r#type: FieldType, part: KeyPart) -> Self {
        assert!(r#type.bits() <= part.bits(), "the API's Key could not carry the field");
        Self { id, name, aliases: &[], r#type, part }
    }

    /// Returns the name that help texts show: the first alias, or else the name.
    #[must_use]
    pub fn everyday_name(&self) -> &'static str {
        self.aliases.first().copied().unwrap_or(self.name)
    }
}

/// Type of a key field, by P4TC's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A port of the data plane.
    Dev,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A number of this many bits.
    Bit(u32),
    /// A number of this many bits, most significant byte first in the packet.
    Be(u32),
}

impl FieldType {
    /// Returns its width, bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Dev | Self::Ipv4 => 32,
            Self::Ipv6 => 128,
            Self::Bit(bits) | Self::Be(bits) => bits,
        }
    }

    /// Returns a value with all its bits set.
    #[must_use]
    pub const fn mask(self) -> u128 {
        ones(self.bits())
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dev => f.write_str("dev"),
            Self::Ipv4 => f.write_str("ipv4"),
            Self::Ipv6 => f.write_str("ipv6"),
            Self::Bit(bits) => write!(f, "bit{bits}"),
            Self::Be(bits) => write!(f, "be{bits}"),
        }
    }
}

impl Serialize for FieldType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A part of a key. The API's `Key` has one field for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPart {
    /// The port on which frames enter.
    InputPort,
    /// The source address.
    SrcAddr,
    /// The destination address.
    DstAddr,
    /// The protocol above IP.
    Protocol,
    /// The source port.
    SrcPort,
    /// The destination port.
    DstPort,
}

impl KeyPart {
    /// All parts, in the order of the API's `Key`.
    pub const ALL: [Self; 6] =
        [Self::InputPort, Self::SrcAddr, Self::DstAddr, Self::Protocol, Self::SrcPort, Self::DstPort];

    /// Returns the name of the field of the API's `Key`.
    #[must_use]
    pub const fn api_name(self) -> &'static str {
        match self {
            Self::InputPort => "input_port",
            Self::SrcAddr => "src_addr",
            Self::DstAddr => "dst_addr",
            Self::Protocol => "protocol",
            Self::SrcPort => "src_port",
            Self::DstPort => "dst_port",
        }
    }

    /// Returns the largest width of a field, bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::InputPort => 32,
            Self::SrcAddr | Self::DstAddr => 128,
            Self::Protocol => 8,
            Self::SrcPort | Self::DstPort => 16,
        }
    }

    /// Returns a value with all bits set that the part may have.
    #[must_use]
    pub const fn mask(self) -> u128 {
        ones(self.bits())
    }
}

/// Returns a number whose lowest `bits` bits are set.
const fn ones(bits: u32) -> u128 {
    if bits == 0 { 0 } else { u128::MAX >> (u128::BITS - bits) }
}

#[cfg(test)]
mod tests;
