use super::*;
use crate::table::samples::{SMALL, WIDE};
use crate::table::{Family, IPV4_FLOWS, IPV6_FLOWS};
use proptest::prelude::*;

fn any_key() -> impl Strategy<Value = FlowKey> {
    let addr = prop_oneof![any::<u128>(), any::<u32>().prop_map(u128::from), Just(0), (0..16_u128)];
    let addrs = (any::<bool>(), addr.clone(), addr);
    (1_u32..=65536, addrs, any::<u16>(), any::<u16>(), any::<u8>()).prop_map(
        |(input_port, (wide, src, dst), src_port, dst_port, protocol)| match wide {
            false => FlowKey::V4(FlowKeyV4 {
                input_port,
                src_addr: src as u32,
                dst_addr: dst as u32,
                src_port,
                dst_port,
                protocol,
            }),
            true => FlowKey::V6(FlowKeyV6 {
                input_port,
                src_addr: src.to_be_bytes(),
                dst_addr: dst.to_be_bytes(),
                src_port,
                dst_port,
                protocol,
            }),
        },
    )
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(key in any_key()) {
        prop_assert_eq!(key.to_string().parse::<FlowKey>(), Ok(key));
        for family in [None, Some(key.family())] {
            prop_assert_eq!(FlowKey::from_proto(family, Some(&key.to_proto()), "key"), Ok(key));
        }
        let bytes = key.to_bytes();
        let read = match key {
            FlowKey::V4(_) => bytes.first_chunk().and_then(FlowKeyV4::from_bytes).map(FlowKey::V4),
            FlowKey::V6(_) => bytes.first_chunk().and_then(FlowKeyV6::from_bytes).map(FlowKey::V6),
        };
        prop_assert_eq!(read, Some(key));
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
    let wrong = FlowKey::from_proto(None, Some(&key), "key").unwrap_err();
    let fields: Vec<_> = wrong.iter().map(|v| v.field.as_str()).collect();
    assert_eq!(
        fields,
        ["key.input_port", "key.src_addr", "key.dst_addr", "key.protocol", "key.src_port", "key.dst_port"]
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

/// Returns keys of a table, with the widths that it describes.
fn any_key_of(table: &'static TableDescription) -> impl Strategy<Value = WideKey> {
    prop::collection::vec(any::<u128>(), table.key.len()).prop_map(|values| {
        let mut key = WideKey::default();
        for (field, value) in table.key.iter().zip(values) {
            let value = match field.r#type {
                FieldType::Dev => value % 65536 + 1,
                other => value & other.mask(),
            };
            key.set(field.part, value);
        }
        key
    })
}

fn check(table: &'static TableDescription, key: &WideKey) {
    assert_eq!(WideKey::parse(table, &key.compact(table).to_string()).as_ref(), Ok(key));
    assert_eq!(WideKey::from_proto(table, Some(&key.to_proto(table)), "key").as_ref(), Ok(key));
    for field in table.key {
        let value = key.get(field.part);
        assert_eq!(parse_value(field, &value_text(field, value)), Ok(value));
        let carried = carried_text(&key.to_proto(table), field.part);
        assert_eq!(carried, value_text(field, value));
    }
}

proptest! {
    #[test]
    fn keys_of_other_tables_are_read_back_as_well(wide in any_key_of(&WIDE), small in any_key_of(&SMALL)) {
        check(&WIDE, &wide);
        check(&SMALL, &small);
    }

    /// The layout of P4TC's key bytes is that of the described fields.
    #[test]
    fn the_bytes_of_a_key_are_its_fields_one_after_the_other(key in any_key()) {
        let mut bytes = Vec::new();
        for field in key.table().key {
            let len = (field.r#type.bits() / u8::BITS) as usize;
            let value = key.widen().get(field.part);
            match field.r#type {
                FieldType::Dev => bytes.extend_from_slice(&value.to_le_bytes()[..len]),
                _ => bytes.extend_from_slice(&value.to_be_bytes()[16 - len..]),
            }
        }
        prop_assert_eq!(&key.to_bytes()[..], &bytes[..]);
    }
}

#[test]
fn the_compact_form_has_the_parts_that_the_key_has() {
    for (table, text) in [
        (&IPV4_FLOWS, "port0/tcp/10.0.0.1:36876-10.0.0.2:1234"),
        (&IPV6_FLOWS, "port0/tcp/[2001:db8::1]:53660-[::1.2.3.4]:1234"),
        (&WIDE, "port3/udp/[2001:db8::1]:53-[fe80::2]:1024"),
        (&SMALL, "10.0.0.1-10.0.0.2:9"),
    ] {
        let key = WideKey::parse(table, text).expect(text);
        assert_eq!(key.compact(table).to_string(), text);
    }
    for (table, text, message) in [
        (
            &WIDE,
            "port0/tcp/10.0.0.1:1-10.0.0.2:2",
            "is not a key: port0/tcp/[2001:db8::1]:36876-[2001:db8::2]:1234",
        ),
        (&WIDE, "port0/tcp/[10.0.0.1]:1-[::2]:2", "src: \"10.0.0.1\" is not an IPv6 address"),
        (&WIDE, "port0/tcp/[::1]:1-[::2]:65536", "dport: 65536 is not in 0 to 65535"),
        (&SMALL, "10.0.0.1-10.0.0.2:16", "class: 16 is not in 0 to 15"),
        (&SMALL, "port0/10.0.0.1-10.0.0.2:1", "from: \"port0/10.0.0.1\" is not an IPv4 address"),
    ] {
        let refused = WideKey::parse(table, text).unwrap_err();
        assert!(refused.contains(message), "{text}: {refused}");
    }
    let refused = WideKey::from_proto(&SMALL, None, "key").unwrap_err();
    assert_eq!(refused[0].description, "is missing: all three fields of the key are needed");
}

#[test]
fn a_key_has_addresses_of_one_family() {
    let key = |src: &str, dst: &str| Key {
        input_port: "port0".into(),
        src_addr: src.into(),
        dst_addr: dst.into(),
        protocol: 6,
        src_port: 1,
        dst_port: 2,
    };
    let read = |family, src, dst| {
        let wrong = |wrong: Vec<Violation>| wrong.into_iter().map(|v| v.field).collect::<Vec<_>>();
        FlowKey::from_proto(family, Some(&key(src, dst)), "key").map(|key| key.family()).map_err(wrong)
    };
    let [v4, v6] = Family::ALL;
    assert_eq!(read(None, "10.0.0.1", "10.0.0.2/32"), Ok(v4));
    assert_eq!(read(None, "2001:db8::1/128", "::"), Ok(v6));
    assert_eq!(read(None, "::ffff:10.0.0.1", "::10.0.0.2"), Ok(v6), "a mapped address is one of IPv6");
    let dst = Err(vec!["key.dst_addr".to_owned()]);
    assert_eq!(read(None, "10.0.0.1", "::2"), dst);
    assert_eq!(read(None, "::1", "10.0.0.2"), dst);
    assert_eq!(read(Some(v6), "::1", "fe80::1%eth0"), dst, "zones are refused");
    let both = Err(vec!["key.src_addr".to_owned(), "key.dst_addr".to_owned()]);
    assert_eq!(read(Some(v6), "10.0.0.1", "10.0.0.2"), both);
    assert_eq!(read(Some(v4), "::1", "::2"), both);
    assert_eq!(read(None, "", "::2"), Err(vec!["key.src_addr".to_owned()]), "the other address decides");
}
