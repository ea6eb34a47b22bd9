use proptest::prelude::*;

use flowtracker_proto::key::FlowKey;
use flowtracker_proto::table::IPV4_FLOWS;

use super::*;

const FIELDS: [&str; 6] = [
    "input_port port0",
    "srcAddr 10.0.0.1",
    "dstAddr 10.0.0.2/32",
    "hdr.ipv4.protocol 0x6",
    "srcPort 36876",
    "dstPort 02322",
];
const KEY: &str = "port0/tcp/10.0.0.1:36876-10.0.0.2:1234";

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn said<T: std::fmt::Debug>(read: Result<T, Error>) -> String {
    match read {
        Err(Error::Said(message)) => message,
        other => panic!("{other:?} is not refused"),
    }
}

proptest! {
    /// Fields and attributes may stand in any order, in each of several entries.
    #[test]
    fn order_does_not_matter(
        order in Just((0..11).collect::<Vec<_>>()).prop_shuffle(), by_profile: bool, count in 1_usize..=16,
    ) {
        let aging = if by_profile { "profile_id 2" } else { "aging 0x1388" };
        let others = ["dynamic", aging, "permissions 1dbc", "action NoAction", "tblid 1"];
        let parts: Vec<&str> = FIELDS.into_iter().chain(others).collect();
        let text = order.iter().map(|i| parts[*i]).collect::<Vec<_>>().join(" ");
        let entry = || Entry {
            key: KEY.parse::<FlowKey>().unwrap().to_proto(),
            attributes: Attributes {
                dynamic: Some(true),
                profile: by_profile.then_some(2),
                aging: (!by_profile).then_some(5000),
                permissions: Some(0x1dbc),
            },
        };
        let expected: Vec<_> = (0..count).map(|_| entry()).collect();
        let text = vec![text; count].join(" entry ");
        prop_assert_eq!(create(&IPV4_FLOWS, &words(&text)).unwrap(), expected);
    }

    #[test]
    fn no_words_make_the_readers_panic(
        text in "((input_port|srcPort|entry|filter|aging|permissions|action|param|tbl_attrs|timer_profile|id|pipeid|tblid|dynamic|[0-9]{1,3}|/) ?){0,12}",
    ) {
        let words = words(&text);
        drop((create(&IPV4_FLOWS, &words), update(&IPV4_FLOWS, &words), choice(&IPV4_FLOWS, &words)));
    }
}

#[test]
fn what_is_wrong_with_a_write_is_said() {
    let seventeen = vec![KEY; 17].join(" entry ");
    for (text, message) in [
        ("".to_owned(), "Must specify entry for create or update"),
        ("filter prio = 1".to_owned(), "Filter may only be specified for dump and flush"),
        (format!("{KEY} filter prio = 1"), "Filter may only be specified for dump and flush"),
        ("srcPort 1 dynamic".to_owned(), "Key blob size and table key size differ"),
        (format!("{KEY} entry"), "Key blob size and table key size differ"),
        ("entry entry".to_owned(), "Key blob size and table key size differ"),
        (format!("{KEY} prio 1"), "Mustn't specify entry priority for exact"),
        (format!("{KEY} priority 64000"), "Mustn't specify entry priority for exact"),
        (format!("{KEY} action"), "\"action\" has no value"),
        (format!("{KEY} action NoAction param a 1"), "NoAction has no parameters"),
        (format!("{KEY} action ct_flow_miss"), "Action not allowed as entry action"),
        (format!("{KEY} dynamic aging 1 profile_id 1"), "Must specify either aging or profile ID"),
        (format!("{KEY} dynamic aging 1x"), "aging: \"1x\" is not a number"),
        (
            format!("{KEY} permissions 4000"),
            "permissions: \"4000\" is not a hexadecimal number of 14 bits, such as 0x1dbc",
        ),
        (format!("{KEY} pipeid 2"), "Pipeline name not found"),
        (format!("tblid 2 {KEY}"), "Table name not found"),
        (format!("{KEY} colour red"), "Unknown key field \"port0/tcp/10.0.0.1:36876-10.0.0.2:1234\""),
        ("colour red".to_owned(), "Unknown key field \"colour\""),
        (seventeen, "At most 16 entries may be named"),
    ] {
        assert_eq!(said(create(&IPV4_FLOWS, &words(&text))), message, "{text}");
        assert_eq!(said(update(&IPV4_FLOWS, &words(&text))), message, "{text}");
    }
}

#[test]
fn a_timer_needs_a_dynamic_entry_at_creation_only() {
    for (attribute, message) in [("aging 5", AGING_ALONGSIDE), ("profile_id 5", PROFILE_ALONGSIDE)] {
        let text = words(&format!("{KEY} {attribute}"));
        assert_eq!(said(create(&IPV4_FLOWS, &text)), message);
        assert!(matches!(update(&IPV4_FLOWS, &text), Ok(Write::Entries(entries)) if entries.len() == 1));
    }
    let table = update(&IPV4_FLOWS, &words("pipeid 1 tblid 1 tbl_attrs tbl_permissions 1"));
    assert!(matches!(table, Ok(Write::Table(TableChange { permissions: Some(1), .. }))));
    assert_eq!(
        said(create(&IPV4_FLOWS, &words("tbl_attrs tbl_permissions 1"))),
        "Table attributes may only be updated"
    );
}

#[test]
fn a_choice_is_all_or_a_filter_or_keys() {
    assert_eq!(choice(&IPV4_FLOWS, &words("tblid 1")).unwrap(), Choice::All);
    let filter = "tblid 1 pipeid 1 filter key.dstPort = 80 && ! prio > 1";
    assert_eq!(
        choice(&IPV4_FLOWS, &words(filter)).unwrap(),
        Choice::Filter("key.dstPort = 80 && ! prio > 1".to_owned())
    );
    let two = choice(&IPV4_FLOWS, &words(&format!("{KEY} entry {}", FIELDS.join(" ")))).unwrap();
    assert!(matches!(two, Choice::Entries(entries) if entries.len() == 2 && entries[0] == entries[1]));
    for (text, message) in [
        ("filter".to_owned(), "Filter has no expression"),
        ("filter prio = 1 filter prio = 2".to_owned(), "Unable to add two filters"),
        (format!("{KEY} filter prio = 1"), "Filter may only be specified for dump and flush"),
        (format!("dynamic {KEY}"), "Unknown key field \"dynamic\""),
    ] {
        assert_eq!(said(choice(&IPV4_FLOWS, &words(&text))), message, "{text}");
    }
}

/// The data plane refuses the numbers that a message can carry, and names the same range.
#[test]
fn one_field_has_one_range() {
    let create = |attributes: &str| create(&IPV4_FLOWS, &words(&format!("{KEY} dynamic {attributes}")));
    for (attributes, message) in [
        ("profile_id 99999999999", "profile_id: 99999999999 is not in 0 to 15"),
        ("profile_id 99999999999999999999", "profile_id: 99999999999999999999 is not in 0 to 15"),
        ("aging 99999999999999999999", "aging: 99999999999999999999 is not in 1 to 864000000"),
    ] {
        assert_eq!(said(create(attributes)), message);
    }
    for attributes in ["profile_id 255", "profile_id 4294967295", "aging 0", "aging 864000001"] {
        assert!(create(attributes).is_ok(), "{attributes}");
    }
}
