//! Entries of an earlier run are put back as they were, and expire when they would have.

mod laws;

use std::collections::BTreeMap;

use conntrack::arch::Features;
use conntrack::table::{Counted, TableConfig};
use conntrack::test_support::{Random, any_entry, entry};
use conntrack::tracker::{Budget, Cursor, NotRestored, Step};
use conntrack::{
    DeleteReason, Entry, Event, EventBody, FlowKey, FlowKeyV6, HashKind, LineTable, Now, Tracker,
    TrackerConfig,
};
use laws::keys::TestKey;

type TestTracker<K> = Tracker<LineTable<Counted, K>>;

fn tracker<K: TestKey>(entries: u32, kind: HashKind, now: Now) -> TestTracker<K> {
    let hasher = K::hasher(kind, [7; 80], Features::detect());
    let table = LineTable::laid_out(TableConfig { entries, hasher }).expect("a valid size");
    Tracker::new(table, TrackerConfig::default(), now).expect("memory")
}

fn entries<K: TestKey>(tracker: &TestTracker<K>) -> Vec<Entry<K>> {
    let (mut cursor, mut found) = (Cursor::default(), Vec::new());
    loop {
        match tracker.step(&mut cursor, &mut 64) {
            Step::Entry(entry) => found.push(entry),
            Step::Pause => {}
            Step::End => return found,
        }
    }
}

fn everything_comes_back<K: TestKey>(seed: u64, kind: HashKind) {
    let mut random = Random(seed);
    let start = Now::from_ns((1 << 36) * 1_000_000 + random.bits() % 1_000_000_000);
    let mut tracker = tracker::<K>(4000, kind, start);
    let mut meant = BTreeMap::new();
    for _ in 0..1000 {
        let key = K::random(&mut random);
        let (entry, last_used_ms) = any_entry(&mut random, key, start.ns / 1_000_000);
        let entry = entry.used_at(last_used_ms, start);
        tracker.restore(&entry).expect("there is room");
        assert_eq!(tracker.restore(&entry), Err(NotRestored::Exists));
        meant.insert(entry.key.bytes(), entry);
    }
    let found: BTreeMap<_, _> = entries(&tracker).into_iter().map(|e| (e.key.bytes(), e)).collect();
    assert_eq!(found, meant);

    // Time passes in steps of an aging bucket: whoever expires does so within one of them.
    let mut now = start;
    while now.ns < start.ns + 40_000_000_000 {
        now = Now::from_ns(now.ns + 8_000_000);
        let mut expired = Vec::new();
        let mut sink = |event: &Event<K>| {
            if let EventBody::Deleted { entry, reason: DeleteReason::Idle, .. } = event.body {
                expired.push(entry);
            }
            true
        };
        while !tracker.caught_up(now) {
            tracker.advance(now, Budget::default(), &mut sink);
        }
        for entry in expired {
            let known = meant.remove(&entry.key.bytes()).expect("each expires once");
            assert_eq!(entry, known);
            let late = entry.idle_ms(now.tick) - u64::from(entry.aging_ms);
            assert!(late <= 16, "{late} ms late: {entry:?}");
        }
        let due = |e: &Entry<K>| e.dynamic() && e.idle_ms(now.tick) > u64::from(e.aging_ms) + 16;
        assert_eq!(meant.values().find(|entry| due(entry)), None);
    }
    assert_eq!(entries(&tracker).len(), meant.len());
}

#[test]
fn entries_come_back_as_they_were_and_expire_when_they_would_have() {
    for seed in 0..4 {
        for kind in [HashKind::Keyed, HashKind::Crc, HashKind::Jhash] {
            everything_comes_back::<FlowKey>(seed, kind);
            everything_comes_back::<FlowKeyV6>(seed, kind);
        }
    }
}

#[test]
fn what_has_no_room_is_left_out() {
    let (mut random, now) = (Random(5), Now::from_ms(1 << 30));
    let mut tracker = tracker::<FlowKey>(10, HashKind::Keyed, now);
    let mut left_out = 0;
    for _ in 0..30 {
        let key = FlowKey::random(&mut random);
        let (entry, last_used_ms) = any_entry(&mut random, key, now.ns / 1_000_000);
        left_out += usize::from(tracker.restore(&entry.used_at(last_used_ms, now)) == Err(NotRestored::Full));
    }
    assert_eq!((entries(&tracker).len(), left_out), (10, 20));
}

#[test]
fn there_are_as_many_different_agings_as_classes() {
    let now = Now::from_ms(1 << 30);
    let mut tracker = tracker::<FlowKey>(1000, HashKind::Keyed, now);
    let (mut random, mut left_out) = (Random(6), 0);
    for aging_ms in 1..=300 {
        let entry = Entry { aging_ms, ..entry(FlowKey::random(&mut random)) }.used_at(1 << 30, now);
        left_out += usize::from(tracker.restore(&entry) == Err(NotRestored::TooManyAgings));
    }
    // 255 classes, four of them those of the profiles.
    assert_eq!(left_out, 300 - 251);
}

#[test]
fn a_detached_table_takes_nothing() {
    let now = Now::from_ms(1 << 30);
    let mut tracker = tracker::<FlowKey>(10, HashKind::Keyed, now);
    tracker.detach();
    assert_eq!(tracker.purge(u32::MAX), (0, true));
    assert_eq!(tracker.restore(&entry(FlowKey::random(&mut Random(1)))), Err(NotRestored::Detached));
    tracker.attach();
    assert_eq!(tracker.restore(&entry(FlowKey::random(&mut Random(1)))), Ok(()));
}
