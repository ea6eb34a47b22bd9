//! The errors of the language, one by one.

use super::*;

#[test]
fn every_error_says_what_and_where() {
    use Place::{Flush, List, Watch};
    for (place, text, error) in [
        (List, " ", "column 2: a comparison is missing, such as key.dstPort = 1234"),
        (List, "prio = 1 &&", "column 12: a comparison is missing, such as key.dstPort = 1234"),
        (List, "prio = 1 && )", "column 13: a comparison such as key.dstPort = 1234 is due, not \")\""),
        (List, "!= 1", "column 1: a comparison such as key.dstPort = 1234 is due, not \"!\""),
        (
            List,
            "1234 = key.dstPort",
            "column 1: the name goes to the left and the constant to the right: key.dstPort = 1234",
        ),
        (
            List,
            "\"10.0.0.1\" = key.srcAddr",
            "column 1: the name goes to the left and the constant to the right: key.dstPort = 1234",
        ),
        (List, "prio", "column 5: after \"prio\" a relation is missing: = != < <= > or >="),
        (List, "prio is 1", "column 6: after \"prio\" a relation is missing: = != < <= > or >="),
        (List, "prio =", "column 7: a constant is missing"),
        (List, "prio = )", "column 8: a constant is due, not \")\""),
        (List, "prio = 1 prio = 2", "column 10: before \"prio\" an operator is missing: && ^^ or ||"),
        (List, "prio = 1 & prio = 2", "column 10: \"&\" is not an operator; did you mean &&?"),
        (List, "(prio = 1 OR prio = 2)", "column 11: \"OR\" is not an operator; did you mean ||?"),
        (List, "prio = 1 = 1", "column 10: a comparison has one relation: join two comparisons with &&"),
        (List, "prio = 1)", "column 9: this parenthesis was never opened"),
        (List, "prio = 2 && (prio = 1 ", "column 13: this parenthesis is not closed"),
        (List, "key.srcAddr = \"10.0.0.1", "column 15: this string has no closing quote"),
        (
            List,
            "prio = 1 && key.dstport = 1",
            "column 17: unknown key field \"dstport\"; did you mean dstPort?",
        ),
        (List, "key.src_addr = 1", "column 5: unknown key field \"src_addr\"; did you mean srcAddr?"),
        (
            List,
            "key.vlan = 1",
            "column 5: unknown key field \"vlan\": the fields are input_port, srcAddr, dstAddr, hdr.ipv4.protocol, srcPort, dstPort, hdr.ipv6.nextHdr",
        ),
        (
            List,
            "key.other.Main.ct_flow_table.srcPort = 1",
            "column 5: Pipeline name not found: \"other\" is not flowtracker or flowtracker_ipv6",
        ),
        (
            List,
            "key.flowtracker.Main.nat.srcPort = 1",
            "column 17: Table name not found: \"Main/nat\" is not Main/ct_flow_table",
        ),
        (
            List,
            "key.flowtracker.Main.ct_flow_table.srcport = 1",
            "column 36: unknown key field \"srcport\"; did you mean srcPort?",
        ),
        (List, "srcPort = 1", "column 1: unknown name \"srcPort\"; did you mean key.srcPort?"),
        (List, "pri = 1", "column 1: unknown name \"pri\"; did you mean prio?"),
        (
            Watch,
            "msec_since = 1",
            "column 1: unknown name \"msec_since\": there are key.FIELD, family, prio and cmd",
        ),
        (Flush, "msec_since = 1", "column 1: unknown name \"msec_since\"; did you mean msecs_since?"),
        (
            List,
            "cmd = create",
            "column 1: cmd has no meaning for entries: it is known to a stream of events only",
        ),
        (
            Watch,
            "msecs_since > 1",
            "column 1: msecs_since has no meaning for a stream of events: it is known to lists and flushes only",
        ),
        (
            List,
            "param.act.Main.send.port = 1",
            "column 1: \"param.act.Main.send.port\" cannot be asked: entries of this table carry no action parameters",
        ),
        (
            List,
            "key.srcPort >= 1024",
            "column 13: Compare with key operand isn't allowed: of a key field only = and != can be asked",
        ),
        (Watch, "cmd > create", "column 5: Unable to compare command: of cmd only = and != can be asked"),
        (Watch, "cmd = get", "column 7: cmd is create, update or delete, not \"get\""),
        (Watch, "cmd = \"create\"", "column 7: leave the quotes out: only addresses and ports may have them"),
        (List, "prio = \"1\"", "column 8: leave the quotes out: only addresses and ports may have them"),
        (List, "prio = 4294967296", "column 8: 4294967296 is not in 0 to 4294967295"),
        (List, "prio = -1", "column 8: \"-1\" is not a number"),
        (List, "prio = 08", "column 8: \"08\" is not a number"),
        (List, "key.srcPort = 65536", "column 15: 65536 is not in 0 to 65535"),
        (List, "key.protocol = 256", "column 16: 256 is not in 0 to 255"),
        (List, "key.protocol = icmp", "column 16: \"icmp\" is not a number"),
        (
            Flush,
            "msecs_since > 18446744073709551616",
            "column 15: 18446744073709551616 is not in 0 to 18446744073709551615",
        ),
        (
            List,
            "key.input_port = eth0",
            "column 18: \"eth0\" is not a port: port0, port1, … or a port id + 1",
        ),
        (
            List,
            "key.srcAddr = 10.0.0.256",
            "column 15: \"10.0.0.256\" is not an IPv4 address or prefix, such as \"10.0.0.0/24\"",
        ),
        (
            List,
            "key.srcAddr = 2001:db8::g",
            "column 15: \"2001:db8::g\" is not an IPv6 address or prefix, such as \"2001:db8::/32\"",
        ),
        (
            List,
            "key.srcAddr = \"fe80::1%eth0\"",
            "column 15: \"fe80::1%eth0\" is not an IPv6 address or prefix, such as \"2001:db8::/32\"",
        ),
        (List, "key.srcAddr = ::/129", "column 15: the prefix length of \"::/129\" is not in 0 to 128"),
        (
            List,
            "key.flowtracker.Main.ct_flow_table.srcAddr = ::1",
            "column 46: \"::1\" is not an IPv4 address or prefix, such as \"10.0.0.0/24\"",
        ),
        (
            List,
            "key.flowtracker.Main.ct_flow_table.hdr.ipv6.nextHdr = 6",
            "column 36: unknown key field \"hdr.ipv6.nextHdr\"; did you mean hdr.ipv4.protocol?",
        ),
        (List, "family = 5", "column 10: family is 4 or 6, not \"5\""),
        (Watch, "family = ipv6", "column 10: \"ipv6\" is not a number"),
        (List, "family >= 4", "column 8: of family only = and != can be asked"),
        (List, "family = \"6\"", "column 10: leave the quotes out: only addresses and ports may have them"),
        (List, "famliy = 6", "column 1: unknown name \"famliy\"; did you mean family?"),
        (
            List,
            "key.srcAddr = 10.0.0.0/33",
            "column 15: the prefix length of \"10.0.0.0/33\" is not in 0 to 32",
        ),
        (
            List,
            "key.srcAddr = 10.0.0.0/+8",
            "column 15: \"10.0.0.0/+8\" is not an IPv4 address or prefix, such as \"10.0.0.0/24\"",
        ),
        (
            List,
            "(((((prio = 1))))) && !((((!!prio = 1))))",
            "column 29: Recursion limit (5) exceeded: too many ! and ( are open at a time",
        ),
        (
            List,
            "key.dstPort = 1 && é = 2",
            "column 20: a comparison such as key.dstPort = 1234 is due, not \"é\"",
        ),
        (
            Watch,
            "key.srcAddr = \"é\" && x",
            "column 23: after \"x\" a relation is missing: = != < <= > or >=",
        ),
    ] {
        let refused = read(text, place).expect_err(text);
        assert_eq!(refused.to_string(), error, "{text}");
        let p4tcs = ["Compare with", "Unable to", "Recursion", "Pipeline name", "Table name"];
        assert_eq!(refused.p4tc().is_some(), p4tcs.iter().any(|text| refused.message().starts_with(text)));
        assert!(refused.p4tc().is_none_or(|text| refused.message().starts_with(text)));
    }
}

#[test]
fn what_is_too_much_is_refused_where_it_gets_too_much() {
    let sum = vec!["prio = 1"; 32].join(" || ");
    assert!(read(&sum, Place::List).is_ok(), "63 steps");
    let refused = read(&format!("!({sum}) || prio = 1"), Place::List).expect_err("66 steps");
    assert!(refused.message().starts_with("the expression is too long"), "{refused}");
    assert_eq!(refused.column(), sum.len() + 5, "at the second ||, the 65th step");

    let long = format!("{}prio = 1", " ".repeat(MAX_LEN - 8));
    assert!(read(&long, Place::List).is_ok());
    let refused = read(&format!("{long}é"), Place::List).expect_err("too long");
    assert_eq!(refused.to_string(), "column 4097: the expression is longer than 4096 bytes");
    for word in
        ["x".repeat(65), format!("prio = {}", "1".repeat(65)), format!("prio = \"{}\"", "é".repeat(33))]
    {
        let refused = read(&word, Place::List).expect_err("no word is so long");
        assert!(refused.message().starts_with("no name and no constant is longer than 64"), "{refused}");
    }
    let refused = read(&"(".repeat(MAX_LEN), Place::List).expect_err("too deep");
    assert_eq!(refused.column(), 6);
}
