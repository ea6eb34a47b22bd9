//! Laws of the language, and its errors one by one.

use flowtracker_proto::filter::{Facts, MAX_STEPS};
use flowtracker_proto::key::WideKey;
use flowtracker_proto::table::{IPV4_FLOWS, KeyPart};
use proptest::prelude::*;
use proptest::sample::select;

use super::parse::{Comparison, Constant, MAX_LEN, Placed, parse};
use super::tree::Relation;
use super::types::Subject;
use super::*;

mod described;

const PLACES: [Place; 3] = [Place::Watch, Place::List, Place::Flush];
const RELATIONS: [Relation; 6] =
    [Relation::Eq, Relation::Ne, Relation::Lt, Relation::Le, Relation::Gt, Relation::Ge];

/// Trees whose text is not nested too deeply and whose program is not too long.
fn tree_of<L: Clone + std::fmt::Debug + 'static>(
    leaf: impl Strategy<Value = L> + 'static,
) -> impl Strategy<Value = Tree<L>> {
    let tree = leaf.prop_map(Tree::Is).prop_recursive(5, 24, 3, |part| {
        let parts = prop::collection::vec(part.clone(), 2..=3);
        prop_oneof![
            part.prop_map(|part| Tree::Not(Box::new(part))),
            parts.clone().prop_map(Tree::All),
            parts.clone().prop_map(Tree::Odd),
            parts.prop_map(Tree::Any),
        ]
    });
    tree.prop_filter("a program has 64 steps at most", |tree| steps(tree) <= MAX_STEPS)
}

fn steps<L>(tree: &Tree<L>) -> usize {
    match tree {
        Tree::Is(_) => 1,
        Tree::Not(part) => steps(part) + 1,
        Tree::All(parts) | Tree::Odd(parts) | Tree::Any(parts) => {
            parts.iter().map(steps).sum::<usize>() + parts.len() - 1
        }
    }
}

fn any_comparison() -> impl Strategy<Value = Comparison> {
    let bare = "[0-9a-zA-Z_.:/+-]{1,12}".prop_map(|text| Constant { text, quoted: false });
    let quoted = "[^\"]{0,12}".prop_map(|text| Constant { text, quoted: true });
    let name = "[A-Za-z_.][A-Za-z0-9_.-]{0,12}";
    (name, select(&RELATIONS), prop_oneof![bare, quoted]).prop_map(|(name, relation, constant)| Comparison {
        name: Placed { at: 0, value: name },
        relation: Placed { at: 0, value: relation },
        constant: Placed { at: 0, value: constant },
    })
}

/// Tests that the facts of [`any_facts`] often pass and often fail.
fn any_test(place: Place) -> impl Strategy<Value = Test> {
    let own = if place == Place::Watch { Subject::Cmd } else { Subject::MsecsSince };
    let mut subjects = vec![Subject::Prio, own];
    subjects.extend(IPV4_FLOWS.key.iter().map(Subject::Key));
    (select(subjects), select(&RELATIONS), 0_u128..3, 0_u32..=32).prop_map(
        |(subject, relation, value, length)| {
            let prefix = (0xffff_ffff << (32 - length)) & 0xffff_ffff;
            let (value, mask) = match subject {
                Subject::Key(field) => match field.part {
                    KeyPart::InputPort => (value + 1, 0xffff_ffff),
                    KeyPart::SrcAddr | KeyPart::DstAddr => ((value << 30 | value) & prefix, prefix),
                    KeyPart::Protocol => (value, 0xff),
                    KeyPart::SrcPort | KeyPart::DstPort => (value, 0xffff),
                },
                Subject::Prio => (value, 0xffff_ffff),
                Subject::MsecsSince => (value, u64::MAX.into()),
                Subject::Cmd => (value + 1, 0xff),
            };
            let order = matches!(subject, Subject::Prio | Subject::MsecsSince);
            let relation = if order || !relation.orders() { relation } else { Relation::Ne };
            Test { subject, relation, mask, value }
        },
    )
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let address = (0_u128..3).prop_map(|n| n << 30 | n);
    let key = (1_u32..4, address.clone(), address, 0_u8..3, 0_u16..3, 0_u16..3);
    (key, 0_u32..3, 0_u64..3, 1_u8..4).prop_map(|(key, prio, idle_ms, cmd)| {
        let (input_port, src_addr, dst_addr, protocol, src_port, dst_port) = key;
        let key = WideKey { input_port, src_addr, dst_addr, protocol, src_port, dst_port };
        Facts { key, prio, idle_ms, cmd }
    })
}

/// What an expression means, said once more and without a stack.
fn means(tree: &Tree<Test>, facts: &Facts) -> bool {
    let holds = |parts: &[Tree<Test>]| parts.iter().filter(|part| means(part, facts)).count();
    match tree {
        Tree::Is(test) => {
            let fact = match test.subject {
                Subject::Key(field) => match field.name {
                    "input_port" => facts.key.input_port.into(),
                    "srcAddr" => facts.key.src_addr,
                    "dstAddr" => facts.key.dst_addr,
                    "srcPort" => facts.key.src_port.into(),
                    "dstPort" => facts.key.dst_port.into(),
                    _ => facts.key.protocol.into(),
                },
                Subject::Prio => facts.prio.into(),
                Subject::MsecsSince => facts.idle_ms.into(),
                Subject::Cmd => facts.cmd.into(),
            };
            let order = (fact & test.mask).cmp(&test.value);
            match test.relation {
                Relation::Eq => order.is_eq(),
                Relation::Ne => order.is_ne(),
                Relation::Lt => order.is_lt(),
                Relation::Le => order.is_le(),
                Relation::Gt => order.is_gt(),
                Relation::Ge => order.is_ge(),
            }
        }
        Tree::Not(part) => !means(part, facts),
        Tree::All(parts) => holds(parts) == parts.len(),
        Tree::Odd(parts) => holds(parts) % 2 == 1,
        Tree::Any(parts) => holds(parts) > 0,
    }
}

fn typed(text: &str, place: Place) -> Tree<Test> {
    read(&IPV4_FLOWS, text, place)
        .unwrap_or_else(|error| panic!("{}", error.caret(text)))
        .expect("it is not empty")
}

/// Whatever it is, it is an expression, or an error that points into it.
fn check_text(text: &str) {
    for place in PLACES {
        match read(&IPV4_FLOWS, text, place) {
            Ok(tree) => {
                let canonical = tree.as_ref().map(Tree::to_string).unwrap_or_default();
                assert_eq!(read(&IPV4_FLOWS, &canonical, place).as_ref(), Ok(&tree), "{text:?}");
                assert!(program(&IPV4_FLOWS, text, place).is_ok(), "{text:?}");
            }
            Err(error) => {
                assert!((1..=text.chars().count() + 1).contains(&error.column()), "{error} of {text:?}");
                assert_eq!(error.caret(text).lines().count(), 2, "{error} of {text:?}");
                assert!(program(&IPV4_FLOWS, text, place).is_err());
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_parsed_back(tree in tree_of(any_comparison())) {
        prop_assert_eq!(parse(&tree.to_string()), Ok(tree));
    }

    #[test]
    fn canonical_text_is_the_same_expression(
        (place, tree) in select(&PLACES).prop_flat_map(|place| (Just(place), tree_of(any_test(place)))),
    ) {
        let text = tree.to_string();
        prop_assert_eq!(read(&IPV4_FLOWS, &text, place), Ok(Some(tree)));
    }

    #[test]
    fn the_program_does_what_the_expression_means(
        tree in select(&PLACES).prop_flat_map(|place| tree_of(any_test(place))),
        facts in prop::collection::vec(any_facts(), 20),
    ) {
        let program = postfix::program(&tree);
        for facts in &facts {
            prop_assert_eq!(program.matches(facts), means(&tree, facts), "{} of {:?}", tree, facts);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,80}") {
        check_text(&text);
    }

    #[test]
    fn nor_does_one_that_looks_like_an_expression(
        words in prop::collection::vec(
            select(&["prio", "key.", "srcAddr", "cmd", "param.act.x", "!", "(", ")", "&&", "^^", "||", "=", "<",
                "/=", "\"", "10.0.0.0/8", "port0", "0x", "7", " ", "é", "create", "msecs_since", "\n"][..]),
            0..30,
        ),
    ) {
        check_text(&words.concat());
    }

    #[test]
    fn nor_does_a_slip_of_the_pen(
        tree in tree_of(any_test(Place::Watch)),
        slips in prop::collection::vec((any::<prop::sample::Index>(), 0..3, "[ !&|^()\"=<>.0-9a-zé]"), 1..4),
    ) {
        let mut text: Vec<char> = tree.to_string().chars().collect();
        for (at, kind, other) in slips {
            let (at, other) = (at.index(text.len()), other.chars().next().expect("one"));
            match kind {
                0 => text[at] = other,
                1 => text.insert(at, other),
                _ if text.len() > 1 => drop(text.remove(at)),
                _ => {}
            }
        }
        check_text(&text.into_iter().collect::<String>());
    }
}

#[test]
fn one_expression_has_many_spellings_and_one_canonical_text() {
    for (text, canonical) in [
        ("key.srcAddr=10.0.0.1", "key.srcAddr = \"10.0.0.1\""),
        ("key.srcAddr == \"10.0.0.1/32\"", "key.srcAddr = \"10.0.0.1\""),
        ("key.srcAddr = \"10.0.0.77/24\"", "key.srcAddr = \"10.0.0.0/24\""),
        ("key.dstAddr <> 0.0.0.0/0", "key.dstAddr != \"0.0.0.0/0\""),
        ("key.dstAddr /= 128.0.0.0/1", "key.dstAddr != \"128.0.0.0/1\""),
        ("key.flowtracker.Main.ct_flow_table.srcPort != 0x10", "key.srcPort != 16"),
        ("key.flowtracker.Main.ct_tcp_table.hdr.ipv4.protocol = tcp", "key.hdr.ipv4.protocol = 6"),
        ("key.protocol = udp", "key.hdr.ipv4.protocol = 17"),
        ("key.hdr.ipv4.protocol=010", "key.hdr.ipv4.protocol = 8"),
        ("key.input_port = 2", "key.input_port = port1"),
        ("key.input_port = \"port0\"", "key.input_port = port0"),
        ("\tprio<=4294967295\n", "prio <= 4294967295"),
        ("cmd=delete&&key.dstPort=1234", "cmd = delete && key.dstPort = 1234"),
        ("((prio = 1))", "prio = 1"),
        ("!prio = 1", "!(prio = 1)"),
        ("! ! prio = 1", "!!(prio = 1)"),
        ("!(prio = 1) && prio = 2", "!(prio = 1) && prio = 2"),
        ("!prio = 1 && prio = 2", "!(prio = 1) && prio = 2"),
        (
            "prio = 1 || prio = 2 ^^ prio = 3 && prio = 4 ^^ prio = 5",
            "prio = 1 || prio = 2 ^^ prio = 3 && prio = 4 ^^ prio = 5",
        ),
        ("prio = 1 || (prio = 2 ^^ (prio = 3 && prio = 4))", "prio = 1 || prio = 2 ^^ prio = 3 && prio = 4"),
        ("((prio = 1 || prio = 2) && prio = 3)", "(prio = 1 || prio = 2) && prio = 3"),
        ("(prio = 1 && prio = 2) && prio = 3", "(prio = 1 && prio = 2) && prio = 3"),
    ] {
        let tree = typed(text, Place::Watch);
        assert_eq!(tree.to_string(), canonical, "{text}");
        assert_eq!(typed(canonical, Place::Watch), tree);
    }
    assert_eq!(typed("msecs_since > 18446744073709551615", Place::Flush).to_string().len(), 34);
    assert_eq!(read(&IPV4_FLOWS, "", Place::List), Ok(None), "no text is no filter");
}

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
            "column 5: unknown key field \"vlan\": the fields are input_port, srcAddr, dstAddr, hdr.ipv4.protocol, srcPort, dstPort",
        ),
        (
            List,
            "key.other.Main.ct_flow_table.srcPort = 1",
            "column 5: Pipeline name not found: \"other\" is not flowtracker",
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
        (Watch, "msec_since = 1", "column 1: unknown name \"msec_since\": there are key.FIELD, prio and cmd"),
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
            "key.srcAddr = ::1",
            "column 15: \"::1\" is not an IPv4 address or prefix, such as \"10.0.0.0/24\"",
        ),
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
            "column 29: Recursion limit (5) exceeded: so many ! and ( may be open at a time",
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
        let refused = read(&IPV4_FLOWS, text, place).expect_err(text);
        assert_eq!(refused.to_string(), error, "{text}");
        let p4tcs = ["Compare with", "Unable to", "Recursion", "Pipeline name", "Table name"];
        assert_eq!(refused.p4tc().is_some(), p4tcs.iter().any(|text| refused.message().starts_with(text)));
        assert!(refused.p4tc().is_none_or(|text| refused.message().starts_with(text)));
    }
}

#[test]
fn what_is_too_much_is_refused_where_it_gets_too_much() {
    let sum = vec!["prio = 1"; 32].join(" || ");
    assert!(read(&IPV4_FLOWS, &sum, Place::List).is_ok(), "63 steps");
    let refused = read(&IPV4_FLOWS, &format!("!({sum}) || prio = 1"), Place::List).expect_err("66 steps");
    assert!(refused.message().starts_with("the expression is too long"), "{refused}");
    assert_eq!(refused.column(), sum.len() + 5, "at the second ||, the 65th step");

    let long = format!("{}prio = 1", " ".repeat(MAX_LEN - 8));
    assert!(read(&IPV4_FLOWS, &long, Place::List).is_ok());
    let refused = read(&IPV4_FLOWS, &format!("{long}é"), Place::List).expect_err("too long");
    assert_eq!(refused.to_string(), "column 4097: the expression is longer than 4096 bytes");
    for word in
        ["x".repeat(65), format!("prio = {}", "1".repeat(65)), format!("prio = \"{}\"", "é".repeat(33))]
    {
        let refused = read(&IPV4_FLOWS, &word, Place::List).expect_err("no word is so long");
        assert!(refused.message().starts_with("no name and no constant is longer than 64"), "{refused}");
    }
    let refused = read(&IPV4_FLOWS, &"(".repeat(MAX_LEN), Place::List).expect_err("too deep");
    assert_eq!(refused.column(), 6);
}

#[test]
fn what_p4tc_takes_is_not_nested_too_deeply_here() {
    // P4TC's own limit is a depth of five operations above a comparison.
    for text in [
        "!!!!!(prio = 1)",
        "(((((prio = 1 && prio = 2) || prio = 3) && prio = 4) || prio = 5) && prio = 6)",
        "!(!(!(prio = 1)))",
        "!(!(prio = 1 || prio = 2) && prio = 3)",
    ] {
        assert!(read(&IPV4_FLOWS, text, Place::List).is_ok(), "{text}");
    }
}

#[test]
fn a_terminal_shows_the_place() {
    let text = "prio = 1 &&\tkey.dstport = 1";
    let refused = read(&IPV4_FLOWS, text, Place::List).expect_err("no such field");
    let shown =
        "prio = 1 && key.dstport = 1\n                ^ unknown key field \"dstport\"; did you mean dstPort?";
    assert_eq!(refused.caret(text), shown);
}

#[test]
fn a_request_is_refused_under_its_field() {
    use tonic_types::StatusExt as _;
    let refused = compile(&IPV4_FLOWS, "prio", Place::List).expect_err("no relation");
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    let violations = refused.get_details_bad_request().expect("details").field_violations;
    assert_eq!((violations.len(), violations[0].field.as_str()), (1, "filter"));
    assert!(violations[0].description.starts_with("column 5: "), "{violations:?}");
    assert_eq!(compile(&IPV4_FLOWS, "", Place::Flush).expect("everything"), None);
    assert_eq!(
        compile(&IPV4_FLOWS, "prio = 64000", Place::Flush).expect("sound").map(|filter| filter.steps.len()),
        Some(1)
    );
}

/// Every example of the page is an expression, in the place where it is used.
#[test]
fn the_examples_of_the_documentation_work() {
    let page = include_str!("../../../docs/filters.md");
    let between = |line: &'static str, from: &str| Some(line.split_once(from)?.1.split_once('\'')?.0);
    let mut read_so_far = 0;
    for line in page.lines().filter(|line| line.starts_with("ctl ") || line.starts_with("grpcurl ")) {
        let places = [
            (Place::Watch, ["ctl watch ", "ctl mon ", "/WatchEvents"]),
            (Place::List, ["ctl list ", "ctl p4ctrl get ", "/ListEntries"]),
            (Place::Flush, ["ctl flush ", "ctl p4ctrl delete ", "/FlushEntries"]),
        ];
        let used = places.iter().find(|(_, marks)| marks.iter().any(|mark| line.contains(mark)));
        let place = used.expect(line).0;
        let text = match between(line, " -d '") {
            Some(request) => {
                let request: serde_json::Value = serde_json::from_str(request).expect(line);
                request["filter"].as_str().expect(line).to_owned()
            }
            None => between(line, " filter '").expect(line).to_owned(),
        };
        typed(&text, place);
        read_so_far += 1;
    }
    assert_eq!(read_so_far, 10);
}
