use super::*;
use crate::test_key::{TestKey, both_families};

both_families!(keys_survive_the_wire);

fn keys_survive_the_wire<K: TestKey>() {
    let flow = K::flow(3, 65535);
    let bytes = flow.link_key().to_bytes();
    assert_eq!(bytes.len(), K::BYTES);
    assert_eq!(bytes, flow.bytes(), "both sides have one form");
    assert_eq!(flow.link_key().family(), K::FAMILY);
    assert_eq!(flow.link_key().widen(), flow.wide());
    assert_eq!(K::from_command(&bytes), Some(flow));
    assert_eq!(K::from_command(&bytes[1..]), None);
    for port in [[0, 0], [0, 1]] {
        let mut bytes = bytes.clone();
        bytes[..2].copy_from_slice(&port);
        assert_eq!(K::from_command(&bytes), None, "port {port:?}");
    }
}

#[test]
fn a_key_of_one_table_is_none_of_the_other() {
    let (v4, v6) = (<FlowKey as TestKey>::flow(1, 1), <FlowKeyV6 as TestKey>::flow(1, 1));
    assert_eq!(FlowKey::from_command(&v6.bytes()), None);
    assert_eq!(FlowKeyV6::from_command(&v4.bytes()), None);
}

#[test]
fn each_choice_of_families_has_its_tables() {
    for (tracked, expected) in [
        (Tracked::Both, &[Family::Ipv4, Family::Ipv6][..]),
        (Tracked::Ipv4, &[Family::Ipv4]),
        (Tracked::Ipv6, &[Family::Ipv6]),
    ] {
        assert_eq!(families(tracked).collect::<Vec<_>>(), expected);
    }
}
