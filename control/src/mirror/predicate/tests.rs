use super::*;
use crate::api::filter::{self, Place};
use flowtracker_proto::key::FlowKey;
use flowtracker_proto::table::IPV4_FLOWS;
use flowtracker_proto::test_support;
use flowtracker_proto::v1::DeleteReason;

fn predicate(filter: &str) -> Predicate {
    Predicate::new(String::new(), filter::program(&IPV4_FLOWS, filter, Place::Watch).expect(filter))
}

fn entry(src_port: u16) -> EntryState {
    let key: FlowKey = "port1/udp/10.0.0.1:1-10.0.1.2:53".parse().expect("a key");
    test_support::state(FlowKey { src_port, ..key })
}

fn record(change: Change) -> Changed {
    Changed { time_ns: 1, dataplane: "dp".into(), change }
}

fn deleted(entry: EntryState) -> Change {
    Change::Deleted { entry, reason: DeleteReason::Idle, by: None }
}

#[test]
fn every_name_asks_for_its_own_part_of_the_event() {
    for yes in [
        "key.input_port = port1",
        "key.srcAddr = 10.0.0.0/24",
        "key.dstAddr = 10.0.1.0/24",
        "key.protocol = udp",
        "key.srcPort = 7",
        "key.dstPort = 53",
        "prio = 64000",
        "cmd = update",
    ] {
        let updated = record(Change::Updated(entry(7)));
        assert!(predicate(yes).wants(&updated), "{yes}");
        assert!(!predicate(&format!("!{yes}")).wants(&updated), "{yes}");
    }
}

/// An entry of a snapshot has no `cmd`: it is wanted if and only if some event about it is.
#[test]
fn a_snapshot_holds_what_some_event_could_speak_of() {
    for (filter, seven, eight) in [
        ("key.srcPort = 7", true, false),
        ("cmd = delete", true, true),
        ("cmd = delete && key.srcPort = 7", true, false),
        ("!(cmd = delete) && key.srcPort = 7", true, false),
        ("!(cmd = delete || key.srcPort = 7)", false, true),
        ("cmd = create || key.srcPort = 7", true, true),
        ("cmd = delete ^^ key.srcPort = 7", true, true),
        ("cmd = create && cmd = delete", false, false),
        ("!(cmd = create || cmd = update || cmd = delete)", false, false),
        ("cmd = create && key.srcPort = 7 || cmd = delete && key.srcPort = 8", true, true),
    ] {
        let predicate = predicate(filter);
        for (src_port, wanted) in [(7, seven), (8, eight)] {
            let entry = entry(src_port);
            let events =
                [Change::Created(entry.clone()), Change::Updated(entry.clone()), deleted(entry.clone())];
            assert_eq!(predicate.wants_entry(&entry), wanted, "{filter} of {src_port}");
            assert_eq!(events.map(record).iter().any(|event| predicate.wants(event)), wanted, "{filter}");
        }
    }
}

#[test]
fn what_is_not_about_an_entry_passes_every_filter() {
    let none = predicate("cmd = create && cmd = delete");
    for change in [Change::Flushed { deleted: 1, failed: 0 }, Change::Purged, Change::Loaded] {
        assert!(none.wants(&record(change)));
    }
    assert!(!none.wants(&record(Change::Created(entry(7)))));
    assert!(predicate("").everything() && !none.everything());
}
