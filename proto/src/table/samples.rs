//! Descriptions of tables that do not exist: code that follows a description must follow these,
//! too.

use super::{FieldType, KeyField, KeyPart, TableDescription};

/// Six fields, wide addresses, other names.
pub static WIDE: TableDescription = TableDescription {
    pipeline: "wide",
    pipeline_id: 7,
    name: "Ingress/wide_table",
    aliases: &["Ingress/w"],
    id: 3,
    miss_action: "Ingress/wide_miss",
    key: &[
        KeyField::new(1, "in", FieldType::Dev, KeyPart::InputPort),
        KeyField::new(2, "src", FieldType::Ipv6, KeyPart::SrcAddr),
        KeyField::new(3, "dst", FieldType::Ipv6, KeyPart::DstAddr),
        KeyField {
            aliases: &["protocol"],
            ..KeyField::new(4, "hdr.next", FieldType::Bit(8), KeyPart::Protocol)
        },
        KeyField::new(5, "sport", FieldType::Be(16), KeyPart::SrcPort),
        KeyField::new(6, "dport", FieldType::Be(16), KeyPart::DstPort),
    ],
};

/// Three fields, one of them of a width that no integer type has.
pub static SMALL: TableDescription = TableDescription {
    pipeline: "small",
    pipeline_id: 8,
    name: "Main/pairs",
    aliases: &[],
    id: 1,
    miss_action: "Main/pair_miss",
    key: &[
        KeyField::new(1, "from", FieldType::Ipv4, KeyPart::SrcAddr),
        KeyField::new(2, "to", FieldType::Ipv4, KeyPart::DstAddr),
        KeyField::new(3, "class", FieldType::Bit(4), KeyPart::DstPort),
    ],
};
