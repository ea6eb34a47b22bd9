//! The fields of the match key as P4TC's introspection describes them.

use flowtracker_proto::v1::Key;

/// One field of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyField {
    /// The name that is shown and read.
    pub name: &'static str,
    /// Its number, from 1.
    pub id: u32,
    /// Its width.
    pub bits: u32,
    /// P4TC's name of its type.
    pub kind: &'static str,
}

const fn field(id: u32, name: &'static str, bits: u32, kind: &'static str) -> KeyField {
    KeyField { name, id, bits, kind }
}

/// All fields, in id order; each matches exactly.
pub const KEY_FIELDS: [KeyField; 6] = [
    field(1, "input_port", 32, "dev"),
    field(2, "srcAddr", 32, "ipv4"),
    field(3, "dstAddr", 32, "ipv4"),
    field(4, "hdr.ipv4.protocol", 8, "bit8"),
    field(5, "srcPort", 16, "be16"),
    field(6, "dstPort", 16, "be16"),
];

/// The values of a key as P4TC shows them, in the order of [`KEY_FIELDS`].
pub fn values(key: &Key) -> [String; 6] {
    [
        key.input_port.clone(),
        format!("{}/32", key.src_addr),
        format!("{}/32", key.dst_addr),
        format!("{}/0xff", key.protocol),
        format!("{}/0xffff", key.src_port),
        format!("{}/0xffff", key.dst_port),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widths_add_up_to_the_key() {
        assert_eq!(KEY_FIELDS.iter().map(|field| field.bits).sum::<u32>(), 136);
        assert!(KEY_FIELDS.iter().zip(1..).all(|(field, id)| field.id == id));
    }
}
