//! What pipeline, table, key and actions are: the one description of them.
//!
//! P4TC's user space learns names, ids and types from an introspection file. This is that file's content. The API gives
//! it as JSON ([`document`]), filter expressions are typed against it ([`crate::api::filter`]), and entries are printed by it
//! ([`crate::render`]).

use std::fmt;

use serde::{Serialize, Serializer};

pub use flowtracker_proto::show::{PIPELINE, TABLE};

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

/// When an action may run.
#[derive(Clone, Copy, Debug, Serialize)]
enum ActionScope {
    DefaultOnly,
}

#[derive(Debug, Serialize)]
struct Action {
    id: u32,
    name: &'static str,
    action_scope: ActionScope,
    annotations: [&'static str; 1],
    /// No action of this program has any.
    params: [(); 0],
    default_hit_action: bool,
    default_miss_action: bool,
}

#[derive(Debug, Serialize)]
struct Table {
    name: &'static str,
    id: u32,
    tentries: u64,
    #[serde(serialize_with = "hexadecimal")]
    permissions: u32,
    nummask: u32,
    keysize: u32,
    keyfields: [KeyField; 6],
    actions: [Action; 1],
}

#[derive(Debug, Serialize)]
struct Document {
    schema_version: &'static str,
    pipeline_name: &'static str,
    id: u32,
    externs: [(); 0],
    tables: [Table; 1],
}

fn hexadecimal<S: Serializer>(number: &u32, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(&format_args!("{number:#x}"))
}

/// The introspection document of a table that may hold `max_entries` and has these permission bits, as JSON.
#[must_use]
pub fn document(max_entries: u64, permissions: u32) -> String {
    let miss = Action {
        id: 1,
        name: "Main/ct_flow_miss",
        action_scope: ActionScope::DefaultOnly,
        annotations: ["defaultonly"],
        params: [],
        default_hit_action: false,
        default_miss_action: true,
    };
    let table = Table {
        name: TABLE,
        id: TABLE_ID,
        tentries: max_entries,
        permissions,
        // What the P4 compiler writes for every table; an exact one uses a single mask.
        nummask: 8,
        keysize: KEY_FIELDS.iter().map(|field| field.bitwidth).sum(),
        keyfields: KEY_FIELDS,
        actions: [miss],
    };
    let document = Document {
        schema_version: "1.0.0",
        pipeline_name: PIPELINE,
        id: PIPELINE_ID,
        externs: [],
        tables: [table],
    };
    serde_json::to_string(&document).expect("names and numbers have a JSON form")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_p4tcs() {
        let field = |id: u32, name: &str, r#type: &str, bitwidth: u32| {
            format!(
                r#"{{"id":{id},"name":"{name}","type":"{type}","match_type":"exact","bitwidth":{bitwidth}}}"#
            )
        };
        let fields = [
            field(1, "input_port", "dev", 32),
            field(2, "srcAddr", "ipv4", 32),
            field(3, "dstAddr", "ipv4", 32),
            field(4, "hdr.ipv4.protocol", "bit8", 8),
            field(5, "srcPort", "be16", 16),
            field(6, "dstPort", "be16", 16),
        ];
        let golden = [
            r#"{"schema_version":"1.0.0","pipeline_name":"flowtracker","id":1,"externs":[],"tables":["#,
            r#"{"name":"Main/ct_flow_table","id":1,"tentries":1048576,"permissions":"0x3dfc","#,
            r#""nummask":8,"keysize":136,"keyfields":["#,
            &fields.join(","),
            r#"],"actions":[{"id":1,"name":"Main/ct_flow_miss","action_scope":"DefaultOnly","#,
            r#""annotations":["defaultonly"],"params":[],"#,
            r#""default_hit_action":false,"default_miss_action":true}]}]}"#,
        ];
        assert_eq!(document(1 << 20, 0x3dfc), golden.concat());
    }

    #[test]
    fn capacity_and_permissions_are_the_tables_own() {
        let document: serde_json::Value = serde_json::from_str(&document(1024, 0)).expect("JSON");
        let table = &document["tables"][0];
        assert_eq!((&table["tentries"], &table["permissions"]), (&1024.into(), &"0x0".into()));
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
