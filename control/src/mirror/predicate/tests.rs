use super::*;
use crate::api::filter::{self, Place};
use flowtracker_proto::table::Family;
use flowtracker_proto::test_support;
use flowtracker_proto::v1::DeleteReason;

fn predicate(filter: &str) -> Predicate {
    Predicate::new(String::new(), None, filter::program(filter, Place::Watch).expect(filter))
}

fn entry(src_port: u16) -> EntryState {
    test_support::state(format!("port1/udp/10.0.0.1:{src_port}-10.0.1.2:53").parse().expect("a key"))
}

fn wide_entry() -> EntryState {
    test_support::state("port1/udp/[2001:db8::1]:7-[2001:db8::2]:53".parse().expect("a key"))
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
        "family = 4",
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
    for change in Family::ALL.into_iter().flat_map(whole) {
        assert!(none.wants(&record(change)));
    }
    assert!(!none.wants(&record(Change::Created(entry(7)))));
    assert!(predicate("").everything() && !none.everything());
}

/// Returns the events about a table as a whole.
fn whole(family: Family) -> [Change; 3] {
    [Change::Flushed { family, deleted: 1, failed: 0 }, Change::Purged(family), Change::Loaded(family)]
}

#[test]
fn who_names_a_table_gets_nothing_of_the_other() {
    for (family, wanted, other) in
        [(Family::Ipv4, entry(7), wide_entry()), (Family::Ipv6, wide_entry(), entry(7))]
    {
        let predicate = Predicate::new(String::new(), Some(family), Program::ALL);
        assert!(!predicate.everything());
        assert!(predicate.wants_entry(&wanted) && !predicate.wants_entry(&other));
        assert!(predicate.wants(&record(Change::Created(wanted.clone()))));
        assert!(predicate.wants(&record(deleted(wanted))));
        assert!(!predicate.wants(&record(Change::Created(other.clone()))));
        assert!(!predicate.wants(&record(deleted(other))));
        for of in Family::ALL {
            assert!(whole(of).into_iter().all(|change| predicate.wants(&record(change)) == (of == family)));
        }
    }
}

#[test]
fn an_address_of_one_family_is_none_of_the_other() {
    for (filter, narrow, wide) in [
        ("key.srcAddr = 0.0.0.0/0", true, false),
        ("key.srcAddr = ::/0", false, true),
        ("key.srcAddr != ::/0", true, false),
        ("key.srcAddr = 2001:db8::/32 || key.dstAddr = 10.0.1.0/24", true, true),
        ("family != 4", false, true),
        ("key.hdr.ipv6.nextHdr = udp", true, true),
    ] {
        let predicate = predicate(filter);
        let wants = |entry| predicate.wants(&record(Change::Created(entry)));
        assert_eq!((wants(entry(7)), wants(wide_entry())), (narrow, wide), "{filter}");
    }
}
