use super::*;
use flowtracker_proto::table::samples::{SMALL, WIDE};
use flowtracker_proto::table::{IPV4_FLOWS, IPV6_FLOWS};
use proptest::prelude::*;

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Returns a table and a key of it.
fn any_key() -> impl Strategy<Value = (&'static TableDescription, WideKey)> {
    let tables: Vec<&'static TableDescription> = vec![&IPV4_FLOWS, &IPV6_FLOWS, &WIDE, &SMALL];
    (prop::sample::select(tables), any::<(u16, u128, u128, u8, u16, u16)>()).prop_map(|(table, values)| {
        let (port, src, dst, protocol, src_port, dst_port) = values;
        let whole = WideKey {
            input_port: u32::from(port) + 1,
            src_addr: src,
            dst_addr: dst,
            protocol,
            src_port,
            dst_port,
        };
        let mut key = WideKey::default();
        for field in table.key {
            key.set(field.part, whole.get(field.part) & field.r#type.mask());
        }
        (table, key)
    })
}

proptest! {
    /// Any order of the pairs and the compact form give the same key.
    #[test]
    fn order_does_not_matter((table, key) in any_key(), order in Just((0..6).collect::<Vec<_>>()).prop_shuffle()) {
        let carried = key.to_proto(table);
        let fields = order.into_iter().filter_map(|at: usize| table.key.get(at));
        let pairs: Vec<String> = fields
            .flat_map(|field| [field.name.to_owned(), key::carried_text(&carried, field.part)])
            .collect();
        prop_assert_eq!(parse(table, &pairs), Ok(key));
        prop_assert_eq!(parse(table, &[key.compact(table).to_string()]), Ok(key));
    }
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let missing = parse(&IPV4_FLOWS, &words("srcAddr 10.0.0.1 protocol tcp srcPort 1 dstPort 2"));
    assert_eq!(missing, Err(KeyError::Missing(vec!["input_port", "dstAddr"])));
    for (text, named) in [
        ("srcAddr 10.0.0.1 srcAddr 10.0.0.1", "srcAddr"),
        ("tos 4", "tos"),
        ("srcPort", "srcPort"),
        ("port0/tcp/10.0.0.1:1", "port0/tcp"),
    ] {
        assert!(parse(&IPV4_FLOWS, &words(text)).unwrap_err().to_string().contains(named), "{text}");
    }
}

proptest! {
    /// Every key of a table is recognized as one of its family, in both forms.
    #[test]
    fn addresses_tell_the_family((table, key) in any_key()) {
        let of_table = [Family::Ipv4, Family::Ipv6].into_iter().find(|family| family.table() == table);
        if let Some(of_table) = of_table {
            let carried = key.to_proto(table);
            let pairs = |name: fn(&KeyField) -> &'static str| -> Vec<String> {
                let pair = |field: &KeyField| [name(field).to_owned(), key::carried_text(&carried, field.part)];
                table.key.iter().flat_map(pair).collect()
            };
            prop_assert_eq!(family(&pairs(|field| field.name)), of_table);
            prop_assert_eq!(family(&pairs(KeyField::everyday_name)), of_table);
            prop_assert_eq!(family(&[key.compact(table).to_string()]), of_table);
        }
    }
}

#[test]
fn a_key_of_two_families_is_refused_at_its_field() {
    for (text, due) in [
        ("srcAddr 10.0.0.1 dstAddr ::1", "srcAddr: \"10.0.0.1\" is not an IPv6 address"),
        ("srcAddr ::1 dstAddr 10.0.0.2", "dstAddr: \"10.0.0.2\" is not an IPv6 address"),
        ("srcAddr fe80::1%eth0 dstAddr ::1", "srcAddr: \"fe80::1%eth0\" is not an IPv6 address"),
    ] {
        let words = words(&format!("{text} input_port 1 protocol 6 srcPort 1 dstPort 2"));
        assert_eq!(parse(family(&words).table(), &words), Err(KeyError::Wrong(due.to_owned())));
    }
    for text in ["port0/tcp/[::1]:1-10.0.0.2:2", "port0/tcp/2001:db8::1:1-2001:db8::2:2"] {
        let words = words(text);
        let refused = parse(family(&words).table(), &words).unwrap_err().to_string();
        assert!(refused.contains("is not a key: port0/tcp/[2001:db8::1]:36876"), "{refused}");
    }
}
