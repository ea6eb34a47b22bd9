use super::*;
use crate::export::wall::WallClock;
use conntrack::test_support;
use std::net::Ipv4Addr;

#[test]
fn keys_survive_the_wire() {
    let flow = FlowKey::new(3, Ipv4Addr::new(10, 1, 2, 3), Ipv4Addr::new(192, 168, 0, 9), 17, 65535, 53);
    let bytes = link_key(&flow).to_bytes();
    assert_eq!(bytes, flow.to_bytes(), "both sides have one form");
    assert_eq!(key(&bytes), Some(flow));
    assert_eq!(key(&bytes[1..]), None);
    for port in [[0, 0], [0, 1]] {
        let mut bytes = bytes;
        bytes[..2].copy_from_slice(&port);
        assert_eq!(key(&bytes), None, "port {port:?}");
    }
}

fn flow(creator: ActorId, updater: ActorId) -> Entry {
    Entry { creator, updater, packets: 1 << 40, ..test_support::entry(test_support::flow(1, 7)) }
}

#[test]
fn only_control_programs_are_named() {
    let clock = WallClock::new(1_700_000_000_000_000_000, || None);
    let program = ActorId(ActorId::FIRST_CONTROL + 5);
    let mut named = Vec::new();
    for (creator, updater, actor) in [
        (ActorId::DATA_PATH, ActorId::NONE, ActorId::TIMER),
        (program, ActorId::NONE, ActorId::TIMER),
        (ActorId::DATA_PATH, program, program),
    ] {
        let body = EventBody::Deleted { entry: flow(creator, updater), reason: DeleteReason::Idle, actor };
        let Body::Deleted { entry, by, .. } = record(&Event { at_ns: 2_000_000_000, body }, &clock).body
        else {
            panic!("a deletion stays one")
        };
        named.push([entry.created_by, entry.updated_by, by]);
    }
    assert_eq!(named, [[0, 0, 0], [program.0, 0, 0], [0, program.0, program.0]]);
}

#[test]
fn an_idle_deletion_shows_at_least_its_aging_and_a_creation_no_age() {
    let clock = WallClock::new(1_700_000_000_000_000_000, || None);
    let entry = flow(ActorId::DATA_PATH, ActorId::NONE);
    let (at_creation, at_end) = (1_000_400_000, 31_001_200_000);
    let created = link_entry(&entry, at_creation, &clock);
    assert!(created.last_used_ns <= clock.wall_ns(at_creation));
    assert!(created.create_ns <= clock.wall_ns(at_creation));
    let deleted = link_entry(&entry, at_end, &clock);
    assert!(clock.wall_ns(at_end) - deleted.last_used_ns >= 30_000_000_000);
    assert_eq!(deleted.create_ns, created.create_ns);
}
