use super::*;
use proptest::prelude::*;

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

proptest! {
    /// Any order of the pairs and the compact form give the same key.
    #[test]
    fn order_does_not_matter(
        ports in any::<(u16, u16, u16)>(), addrs in any::<(u32, u32)>(), protocol: u8,
        order in Just([0, 1, 2, 3, 4, 5]).prop_shuffle(),
    ) {
        let key = FlowKey {
            input_port: u32::from(ports.0) + 1, src_addr: addrs.0, dst_addr: addrs.1,
            src_port: ports.1, dst_port: ports.2, protocol,
        };
        let p = key.to_proto();
        let values = [
            p.input_port, p.src_addr, p.dst_addr, p.protocol.to_string(), p.src_port.to_string(),
            p.dst_port.to_string(),
        ];
        let pairs: Vec<String> =
            order.iter().flat_map(|i| [KEY_FIELDS[*i].name.to_owned(), values[*i].clone()]).collect();
        prop_assert_eq!(parse(&pairs), Ok(key));
        prop_assert_eq!(parse(&[key.to_string()]), Ok(key));
    }
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let missing = parse(&words("srcAddr 10.0.0.1 protocol tcp srcPort 1 dstPort 2"));
    assert_eq!(missing, Err(KeyError::Missing(vec!["input_port", "dstAddr"])));
    for (text, named) in [
        ("srcAddr 10.0.0.1 srcAddr 10.0.0.1", "srcAddr"),
        ("tos 4", "tos"),
        ("srcPort", "srcPort"),
        ("port0/tcp/10.0.0.1:1", "port0/tcp"),
    ] {
        assert!(parse(&words(text)).unwrap_err().to_string().contains(named), "{text}");
    }
}
