//! Expressions follow the descriptions of the tables, whatever they are.

use flowtracker_proto::filter::Facts;
use flowtracker_proto::key::WideKey;
use flowtracker_proto::table::samples::{SMALL, WIDE};
use flowtracker_proto::table::{Family, TABLES, TableDescription};

use super::super::{Place, program_of, read_of};

fn matches(table: &'static TableDescription, text: &str, key: &str) -> bool {
    let family = if key.contains('[') { Family::Ipv6 } else { Family::Ipv4 };
    let facts = Facts { family, key: WideKey::parse(table, key).expect(key), ..Facts::default() };
    let local = program_of(&[table], text, Place::List).unwrap_or_else(|why| panic!("{text}: {why}"));
    let linked = flowtracker_proto::filter::Program::from_proto(local.to_proto().as_ref()).expect(text);
    assert_eq!(linked, local, "the link carries all of {text}");
    linked.matches(&facts)
}

#[test]
fn operands_widths_and_types_are_those_of_the_table() {
    let wide = "port1/tcp/[2001:db8::5]:53-[fe80::2]:1024";
    let small = "10.0.0.1-10.0.0.2:9";
    for (table, text, key, holds) in [
        (&WIDE, "key.src = 2001:db8::5", wide, true),
        (&WIDE, "key.src = 2001:db8::6", wide, false),
        (&WIDE, "key.src = \"2001:db8::/32\"", wide, true),
        (&WIDE, "key.src = \"2001:db9::/32\"", wide, false),
        (&WIDE, "key.src = \"::/0\" && key.dst != \"fe80::/127\"", wide, true),
        (&WIDE, "key.dst = \"fe80::/65\" && key.in = port1 && key.protocol = tcp", wide, true),
        (&WIDE, "key.wide.Ingress.w.sport = 53 && key.hdr.next = 6 && key.dport = 1024", wide, true),
        (&SMALL, "key.from = 10.0.0.0/31 && key.to = 10.0.0.2 && key.class = 9", small, true),
        (&SMALL, "key.class = 0x8", small, false),
    ] {
        assert_eq!(matches(table, text, key), holds, "{text}");
    }
}

#[test]
fn canonical_texts_and_refusals_are_those_of_the_table() {
    for (table, text, canonical) in [
        (&WIDE, "key.src=2001:db8:0::1/128", "key.src = \"2001:db8::1\""),
        (&WIDE, "key.dst /= \"2001:db8::1/33\"", "key.dst != \"2001:db8::/33\""),
        (&WIDE, "key.protocol=udp", "key.hdr.next = 17"),
        (&SMALL, "key.from = 10.0.0.0/8 ^^ key.class = 017", "key.from = \"10.0.0.0/8\" ^^ key.class = 15"),
    ] {
        let tree = read_of(&[table], text, Place::List).expect(text).expect("it is not empty");
        assert_eq!(tree.to_string(), canonical);
        assert_eq!(read_of(&[table], canonical, Place::List), Ok(Some(tree)));
    }
    for (table, text, message) in [
        (&WIDE, "key.vlan = 1", "the fields are in, src, dst, hdr.next, sport, dport"),
        (
            &WIDE,
            "key.src = 10.0.0.1",
            "\"10.0.0.1\" is not an IPv6 address or prefix, such as \"2001:db8::/32\"",
        ),
        (&WIDE, "key.src = ::/129", "the prefix length of \"::/129\" is not in 0 to 128"),
        (&WIDE, "key.flowtracker.Main.x.src = ::1", "Pipeline name not found: \"flowtracker\" is not wide"),
        (&SMALL, "key.class = 16", "16 is not in 0 to 15"),
        (&SMALL, "key.small.Main.other.class = 1", "Table name not found: \"Main/other\" is not Main/pairs"),
    ] {
        let refused = program_of(&[table], text, Place::List).expect_err(text);
        assert!(refused.message().contains(message), "{text}: {}", refused.message());
    }
    assert!(!TABLES.contains(&&WIDE) && !TABLES.contains(&&SMALL));
}
