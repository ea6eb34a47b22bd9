use super::*;
use crate::export::wall::WallClock;
use crate::test_key::{TestKey, both_families};
use conntrack::event::Removed;
use conntrack::{Now, Tick};

both_families!(
    only_control_programs_are_named,
    times_of_an_entry_are_whole_milliseconds_rounded_up,
    an_idle_deletion_shows_at_least_its_aging,
    a_mark_names_its_table,
);

fn flow<K: TestKey>(creator: ActorId, updater: ActorId) -> Entry<K> {
    Entry { creator, updater, packets: 1 << 40, ..K::flow(1, 7).entry() }
}

fn only_control_programs_are_named<K: TestKey>() {
    let clock = WallClock::new(1_700_000_000_000_000_000, || None);
    let program = ActorId(ActorId::FIRST_CONTROL + 5);
    let mut named = Vec::new();
    for (creator, updater, actor) in [
        (ActorId::DATA_PATH, ActorId::NONE, ActorId::TIMER),
        (program, ActorId::NONE, ActorId::TIMER),
        (ActorId::DATA_PATH, program, program),
    ] {
        let body =
            EventBody::Deleted { entry: flow::<K>(creator, updater), reason: DeleteReason::Idle, actor };
        let Body::Deleted { entry, by, .. } = record(&Event { at_ns: 2_000_000_000, body }, &clock).body
        else {
            panic!("a deletion stays one")
        };
        named.push([entry.created_by, entry.updated_by, by]);
    }
    assert_eq!(named, [[0, 0, 0], [program.0, 0, 0], [0, program.0, program.0]]);
}

/// One rule for both times, in every event: the millisecond that has begun counts whole.
fn times_of_an_entry_are_whole_milliseconds_rounded_up<K: TestKey>() {
    let clock = WallClock::new(1_700_000_000_000_000_000, || None);
    // Created in the first nanosecond of a tick, between two ticks, and on one.
    for (at_creation, rounded_ms) in [(1_000_000_001, 1001), (1_000_400_000, 1001), (1_001_000_000, 1001)] {
        let now = Now::from_ns(at_creation);
        let entry = Entry {
            created_ms: now.stamp_ms(),
            last_used: now.stamp,
            ..flow::<K>(ActorId::DATA_PATH, ActorId::NONE)
        };
        let rounded_ns = clock.wall_ns(rounded_ms * 1_000_000);
        for seen_ns in [at_creation, 1_001_000_000, 1_700_000_123, 31_001_000_000, 31_001_200_000] {
            let shown = link_entry(&entry, seen_ns, &clock);
            assert_eq!((shown.create_ns, shown.last_used_ns), (rounded_ns, rounded_ns), "seen at {seen_ns}");
        }
    }
    // The difference is in 32 bits of milliseconds, so it begins again after 49.7 days.
    let entry = Entry { last_used: Tick(5), ..flow::<K>(ActorId::DATA_PATH, ActorId::NONE) };
    let turn_ms = 1 << 32;
    for (seen_ms, used_ms) in [(4, 5), (5, 5), (turn_ms + 4, turn_ms + 5), (turn_ms + 3, 5)] {
        let shown = link_entry(&entry, seen_ms * 1_000_000 + 7, &clock);
        assert_eq!(shown.last_used_ns, clock.wall_ns(used_ms * 1_000_000), "seen at {seen_ms} ms");
    }
}

fn an_idle_deletion_shows_at_least_its_aging<K: TestKey>() {
    let clock = WallClock::new(1_700_000_000_000_000_000, || None);
    let entry = flow::<K>(ActorId::DATA_PATH, ActorId::NONE);
    let at_end = 31_001_200_000;
    let deleted = link_entry(&entry, at_end, &clock);
    assert!(clock.wall_ns(at_end) - deleted.last_used_ns >= 30_000_000_000);
}

/// What is no entry says which table it is about.
fn a_mark_names_its_table<K: TestKey>() {
    let clock = WallClock::new(1_700_000_000_000_000_000, || None);
    let (family, removed) = (K::FAMILY, Removed { deleted: 7, failed: 3 });
    for (body, expected) in [
        (EventBody::ResyncBegin, Body::ResyncBegin(family)),
        (EventBody::ResyncEnd, Body::ResyncEnd(family)),
        (EventBody::Flushed(removed), Body::Flushed { family, deleted: 7, failed: 3 }),
        (EventBody::Purged(9), Body::Purged { family, deleted: 9 }),
        (EventBody::Loaded, Body::Loaded(family)),
    ] {
        assert_eq!(record(&Event::<K> { at_ns: 1, body }, &clock).body, expected);
    }
    let shown = present(&flow::<K>(ActorId::DATA_PATH, ActorId::NONE), 2_000_000_000, &clock);
    let Body::Present(entry) = shown.body else { panic!("{shown:?}") };
    assert_eq!(entry.key, K::flow(1, 7).link_key());
}
