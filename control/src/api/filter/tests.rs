//! Laws of the language, and its errors one by one.

use flowtracker_proto::filter::{Facts, MAX_STEPS};
use flowtracker_proto::key::WideKey;
use flowtracker_proto::table::{Family, FieldType, KeyPart, TABLES};
use proptest::prelude::*;
use proptest::sample::select;

use super::parse::{Comparison, Constant, MAX_LEN, Placed, parse};
use super::tree::Relation;
use super::types::Subject;
use super::*;

mod described;
mod errors;

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
    let mut subjects = vec![Subject::Family, Subject::Prio, own];
    subjects.extend(TABLES.iter().flat_map(|table| table.key).map(Subject::Key));
    (select(subjects), select(&RELATIONS), 0_u128..3, 0_u32..=8).prop_map(
        |(subject, relation, value, eighths)| {
            let (value, mask) = match subject {
                Subject::Key(field) => match field.part {
                    KeyPart::InputPort => (value + 1, 0xffff_ffff),
                    KeyPart::SrcAddr | KeyPart::DstAddr => {
                        let bits = field.r#type.bits();
                        let rest = bits - bits * eighths / 8;
                        let prefix = u128::MAX.checked_shl(rest).unwrap_or(0) & field.r#type.mask();
                        (address(bits, value) & prefix, prefix)
                    }
                    KeyPart::Protocol => (value, 0xff),
                    KeyPart::SrcPort | KeyPart::DstPort => (value, 0xffff),
                },
                Subject::Family => (4 + value / 2 * 2, 0xff),
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

/// One of three addresses of this width, which differ in their first two bits and in their last
/// two.
fn address(bits: u32, n: u128) -> u128 {
    n << (bits - 2) | n
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let key = (1_u32..4, 0_u128..3, 0_u128..3, 0_u8..3, 0_u16..3, 0_u16..3);
    (select(&Family::ALL), key, 0_u32..3, 0_u64..3, 1_u8..4).prop_map(|(family, key, prio, idle_ms, cmd)| {
        let (input_port, src, dst, protocol, src_port, dst_port) = key;
        let bits = if family == Family::Ipv4 { 32 } else { 128 };
        let (src_addr, dst_addr) = (address(bits, src), address(bits, dst));
        let key = WideKey { input_port, src_addr, dst_addr, protocol, src_port, dst_port };
        Facts { family, key, prio, idle_ms, cmd }
    })
}

/// What an expression means, said once more and without a stack.
fn means(tree: &Tree<Test>, facts: &Facts) -> bool {
    let is_ipv6 = facts.family == Family::Ipv6;
    let holds = |parts: &[Tree<Test>]| parts.iter().filter(|part| means(part, facts)).count();
    match tree {
        Tree::Is(test) => {
            let fact = match test.subject {
                Subject::Key(field) => match field.name {
                    "input_port" => facts.key.input_port.into(),
                    "srcAddr" | "dstAddr" if (field.r#type == FieldType::Ipv6) != is_ipv6 => {
                        return test.relation == Relation::Ne;
                    }
                    "srcAddr" => facts.key.src_addr,
                    "dstAddr" => facts.key.dst_addr,
                    "srcPort" => facts.key.src_port.into(),
                    "dstPort" => facts.key.dst_port.into(),
                    _ => facts.key.protocol.into(),
                },
                Subject::Family if is_ipv6 => 6,
                Subject::Family => 4,
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
    read(text, place).unwrap_or_else(|error| panic!("{}", error.caret(text))).expect("it is not empty")
}

/// Whatever it is, it is an expression, or an error that points into it.
fn check_text(text: &str) {
    for place in PLACES {
        match read(text, place) {
            Ok(tree) => {
                let canonical = tree.as_ref().map(Tree::to_string).unwrap_or_default();
                assert_eq!(read(&canonical, place).as_ref(), Ok(&tree), "{text:?}");
                assert!(program(text, place).is_ok(), "{text:?}");
            }
            Err(error) => {
                assert!((1..=text.chars().count() + 1).contains(&error.column()), "{error} of {text:?}");
                assert_eq!(error.caret(text).lines().count(), 2, "{error} of {text:?}");
                assert!(program(text, place).is_err());
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
        prop_assert_eq!(read(&text, place), Ok(Some(tree)));
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
            select(&["prio", "key.", "srcAddr", "family", "2001:db8::/32", "cmd", "param.act.x", "!", "(", ")", "&&", "^^", "||", "=", "<",
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
        ("key.srcAddr=2001:db8:0::1/128", "key.srcAddr = \"2001:db8::1\""),
        ("key.dstAddr /= \"2001:db8::1/33\"", "key.dstAddr != \"2001:db8::/33\""),
        ("key.srcAddr = ::ffff:10.0.0.1", "key.srcAddr = \"::ffff:10.0.0.1\""),
        ("key.srcAddr = ::10.0.0.1", "key.srcAddr = \"::10.0.0.1\""),
        ("key.srcAddr <> ::/0", "key.srcAddr != \"::/0\""),
        ("key.flowtracker_ipv6.Main.ct_flow_table.protocol = tcp", "key.hdr.ipv6.nextHdr = 6"),
        ("key.flowtracker_ipv6.Main.ct_flow_table.srcPort = 7", "key.srcPort = 7"),
        ("key.hdr.ipv6.nextHdr == 0x11", "key.hdr.ipv6.nextHdr = 17"),
        ("family == 0x6", "family = 6"),
        ("!family = 4", "!(family = 4)"),
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
    assert_eq!(read("", Place::List), Ok(None), "no text is no filter");
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
        assert!(read(text, Place::List).is_ok(), "{text}");
    }
}

#[test]
fn a_terminal_shows_the_place() {
    let text = "prio = 1 &&\tkey.dstport = 1";
    let refused = read(text, Place::List).expect_err("no such field");
    let shown =
        "prio = 1 && key.dstport = 1\n                ^ unknown key field \"dstport\"; did you mean dstPort?";
    assert_eq!(refused.caret(text), shown);
}

#[test]
fn a_request_is_refused_under_its_field() {
    use tonic_types::StatusExt as _;
    let refused = compile("prio", Place::List).expect_err("no relation");
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    let violations = refused.get_details_bad_request().expect("details").field_violations;
    assert_eq!((violations.len(), violations[0].field.as_str()), (1, "filter"));
    assert!(violations[0].description.starts_with("column 5: "), "{violations:?}");
    assert_eq!(compile("", Place::Flush).expect("everything"), None);
    assert_eq!(
        compile("prio = 64000", Place::Flush).expect("sound").map(|filter| filter.steps.len()),
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
    assert_eq!(read_so_far, 12);
}
