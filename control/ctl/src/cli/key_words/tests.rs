use super::*;
use flowtracker_proto::table::IPV4_FLOWS;
use flowtracker_proto::table::samples::{SMALL, WIDE};
use proptest::prelude::*;

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Returns a table and a key of it.
fn any_key() -> impl Strategy<Value = (&'static TableDescription, WideKey)> {
    let tables: Vec<&'static TableDescription> = vec![&IPV4_FLOWS, &WIDE, &SMALL];
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
