use super::*;
use crate::export::wall::WallClock;
use conntrack::{FlowKey, Now, test_support};
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

/// One rule for both times, in every event: the millisecond that has begun counts whole.
#[test]
fn times_of_an_entry_are_whole_milliseconds_rounded_up() {
    let clock = WallClock::new(1_700_000_000_000_000_000, || None);
    // Created in the first nanosecond of a tick, between two ticks, and on one.
    for (at_creation, rounded_ms) in [(1_000_000_001, 1001), (1_000_400_000, 1001), (1_001_000_000, 1001)] {
        let now = Now::from_ns(at_creation);
        let entry = Entry {
            created_ms: now.stamp_ms(),
            last_used: now.stamp,
            ..flow(ActorId::DATA_PATH, ActorId::NONE)
        };
        let rounded_ns = clock.wall_ns(rounded_ms * 1_000_000);
        for seen_ns in [at_creation, 1_001_000_000, 1_700_000_123, 31_001_000_000, 31_001_200_000] {
            let shown = link_entry(&entry, seen_ns, &clock);
            assert_eq!((shown.create_ns, shown.last_used_ns), (rounded_ns, rounded_ns), "seen at {seen_ns}");
        }
    }
    // The difference is in 32 bits of milliseconds, so it begins again after 49.7 days.
    let entry = Entry { last_used: Tick(5), ..flow(ActorId::DATA_PATH, ActorId::NONE) };
    let turn_ms = 1 << 32;
    for (seen_ms, used_ms) in [(4, 5), (5, 5), (turn_ms + 4, turn_ms + 5), (turn_ms + 3, 5)] {
        let shown = link_entry(&entry, seen_ms * 1_000_000 + 7, &clock);
        assert_eq!(shown.last_used_ns, clock.wall_ns(used_ms * 1_000_000), "seen at {seen_ms} ms");
    }
}

#[test]
fn an_idle_deletion_shows_at_least_its_aging() {
    let clock = WallClock::new(1_700_000_000_000_000_000, || None);
    let entry = flow(ActorId::DATA_PATH, ActorId::NONE);
    let at_end = 31_001_200_000;
    let deleted = link_entry(&entry, at_end, &clock);
    assert!(clock.wall_ns(at_end) - deleted.last_used_ns >= 30_000_000_000);
}
