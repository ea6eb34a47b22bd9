//! Keys of the engine and of the link.

use conntrack::FlowKey;
use flowtracker_proto::key;

/// Returns the key of a command; `None` when it is not a key of this table.
pub(in crate::export) fn key(bytes: &[u8]) -> Option<FlowKey> {
    FlowKey::from_bytes(bytes.try_into().ok()?)
}

pub(super) fn link_key(key: &FlowKey) -> key::FlowKey {
    key::FlowKey {
        input_port: u32::from(key.input_port()),
        src_addr: key.src_addr().to_bits(),
        dst_addr: key.dst_addr().to_bits(),
        src_port: key.src_port(),
        dst_port: key.dst_port(),
        protocol: key.protocol(),
    }
}
