//! Named cases, spelled out, that the random trials should find too.

mod laws;

use conntrack::arch::Features;
use conntrack::entry::ActorId;
use conntrack::event::EventBody;
use conntrack::table::{Counted, Layout, TableConfig, Uncounted};
use conntrack::test_support::frame::Ipv4Frame;
use conntrack::tracker::{Budget, Flush, Permission, Refusal, TableChange, TableRefusal, Write};
use conntrack::{
    Attributes, DeleteReason, Event, FlowKey, FlowKeyV6, FlowTable, HashKind, Hasher, HasherV6, LineTable,
    Now, Outcome, Parser, Permissions, Profiles, Shard, Tracker, TrackerConfig,
};
use laws::keys;

fn shard(entries: u32, config: TrackerConfig, now: Now) -> Shard<LineTable> {
    let hasher = Hasher::new(HashKind::Keyed, [3; 32], Features::detect());
    let table = LineTable::new(TableConfig { entries, hasher }).expect("a valid size");
    Shard::new(Parser::default(), Tracker::new(table, config, now).expect("memory"))
}

fn frames(keys: &[FlowKey]) -> Vec<Vec<u8>> {
    keys.iter().map(|key| Ipv4Frame::of(key).unpadded().build()).collect()
}

/// Returns keys that enter port 1, as the bursts of these tests do.
fn flows(count: usize) -> Vec<FlowKey> {
    let at_port_1 =
        |k: FlowKey| FlowKey::new(1, k.src_addr(), k.dst_addr(), k.protocol(), k.src_port(), k.dst_port());
    keys::random(77, count).into_iter().map(at_port_1).collect()
}

/// Returns a sink that appends every event to a list.
fn into(events: &mut Vec<Event>) -> impl FnMut(&Event) -> bool + '_ {
    |event| {
        events.push(*event);
        true
    }
}

fn refuse(_: &Event) -> bool {
    false
}

/// Advances until no report waits, and returns the events.
fn settle(shard: &mut Shard<LineTable>, now: Now) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..10_000 {
        shard.tracker.advance(now, Budget::default(), &mut into(&mut events));
        if shard.tracker.all_reported() && shard.tracker.caught_up(now) {
            return events;
        }
    }
    panic!("not settled");
}

#[test]
fn an_entry_takes_the_memory_that_the_documentation_says() {
    const ENTRIES: u32 = 1 << 18;
    let per_entry = |bytes: usize| bytes as f64 / f64::from(ENTRIES);
    let counted = shard(ENTRIES, TrackerConfig::default(), Now::from_ms(0));
    let (hot, all) = (per_entry(counted.tracker.table().hot_bytes()), per_entry(counted.tracker.bytes()));
    assert!((35.0..36.0).contains(&hot) && (95.0..96.0).contains(&all), "{hot} hot, {all} in all");
    let config = TrackerConfig { accounting: false, ..TrackerConfig::default() };
    let hasher = Hasher::new(HashKind::Keyed, [3; 32], Features::detect());
    let table =
        LineTable::<Uncounted>::laid_out(TableConfig { entries: ENTRIES, hasher }).expect("a valid size");
    let uncounted = Tracker::new(table, config, Now::from_ms(0)).expect("memory");
    let (hot, all) = (per_entry(uncounted.table().hot_bytes()), per_entry(uncounted.bytes()));
    assert!((35.0..36.0).contains(&hot) && (59.0..60.5).contains(&all), "{hot} hot, {all} in all");
    // IPv6 keeps whole keys beside the lines.
    let (counted, uncounted) = (ipv6_bytes::<Counted>(ENTRIES), ipv6_bytes::<Uncounted>(ENTRIES));
    let (counted, uncounted) = (per_entry(counted), per_entry(uncounted));
    assert!(
        (162.0..163.0).contains(&counted) && (126.5..127.5).contains(&uncounted),
        "{counted}, {uncounted}"
    );
}

fn ipv6_bytes<L: Layout>(entries: u32) -> usize {
    let hasher = HasherV6::new(HashKind::Keyed, [3; HasherV6::SECRET], Features::detect());
    let table = LineTable::<L, FlowKeyV6>::laid_out(TableConfig { entries, hasher }).expect("a valid size");
    Tracker::new(table, TrackerConfig::default(), Now::from_ms(0)).expect("memory").bytes()
}

#[test]
fn two_packets_of_a_new_flow_in_one_burst_are_one_entry_and_one_event() {
    // The pairs are neighbours, both ends of a slice of 64, and both sides of its border.
    for (len, first, second) in
        [(2, 0, 1), (64, 0, 63), (65, 0, 64), (128, 63, 64), (128, 0, 127), (200, 127, 128)]
    {
        let mut keys = flows(len);
        keys[second] = keys[first];
        let now = Now::from_ms(5);
        let mut shard = shard(1024, TrackerConfig::default(), now);
        let mut events = Vec::new();
        shard.burst(now, 1, &frames(&keys)[..], &mut into(&mut events), |_, _| {});
        let created: Vec<FlowKey> = events
            .iter()
            .map(|event| match event.body {
                EventBody::Created(entry) => entry.key,
                other => panic!("{other:?}"),
            })
            .collect();
        let mut expected = keys.clone();
        expected.remove(second);
        assert_eq!(created, expected, "frames {first} and {second} of {len}");
        assert_eq!(shard.tracker.table().len() as usize, len - 1);
        assert_eq!(shard.tracker.counters().outcome(Outcome::MissCreated) as usize, len - 1);
        assert_eq!(shard.tracker.counters().outcome(Outcome::Hit), 1);
        let entry = shard.tracker.get(&keys[first]).expect("there");
        assert_eq!((entry.packets, entry.bytes), (2, 2 * frames(&keys)[first].len() as u64));
    }
}

/// A frame that was parsed before a turn has the time of that turn, whenever its line is probed.
#[test]
fn a_frame_has_the_time_of_the_turn_after_it() {
    let frame = frames(&flows(1));
    let mut shard = shard(4, TrackerConfig::default(), Now::from_ms(0));
    let mut events = Vec::new();
    for ms in [10, 20, 500] {
        let now = Now::from_ms(ms);
        shard.receive(1, &frame[..], || now, &mut into(&mut events), |_, _| {});
        shard.tracker.turn(now, &mut into(&mut events));
        assert_eq!(
            shard.tracker.counters().outcome(Outcome::MissCreated),
            u64::from(ms > 10),
            "an outcome too early"
        );
    }
    shard.tracker.drain(Now::from_ms(9000), &mut into(&mut events));
    let entry = shard.tracker.get(&flows(1)[0]).expect("there");
    assert_eq!((entry.created_ms, entry.last_used, entry.packets), (10, Now::from_ms(500).stamp, 3));
    assert_eq!(events.iter().map(|event| event.at_ns).collect::<Vec<_>>(), [10_000_000]);
}

#[test]
fn one_flow_fills_a_whole_burst() {
    let key = flows(1)[0];
    let now = Now::from_ms(5);
    let mut shard = shard(1, TrackerConfig::default(), now);
    let mut events = Vec::new();
    shard.burst(now, 1, &frames(&[key; 256])[..], &mut into(&mut events), |_, _| {});
    assert_eq!(events.len(), 1);
    assert_eq!(shard.tracker.get(&key).map(|entry| entry.packets), Some(256));
}

#[test]
fn the_1025th_flow_is_counted_and_learned_once_there_is_room() {
    let keys = flows(1025);
    let frames = frames(&keys);
    let mut shard = shard(1024, TrackerConfig::default(), Now::from_ms(0));
    let mut events = Vec::new();
    shard.burst(Now::from_ms(0), 1, &frames[..1024], &mut into(&mut events), |_, _| {});
    assert_eq!((events.len(), shard.tracker.table().len()), (1024, 1024));
    let mut looked_up = 0;
    shard.burst(Now::from_ms(1), 1, &frames[1024..], &mut into(&mut events), |_, which| {
        looked_up += which.count_ones();
    });
    assert_eq!(looked_up, 1, "a frame of a full table is a tracked frame");
    assert_eq!((events.len(), shard.tracker.table().len()), (1024, 1024), "no entry, no event");
    assert_eq!(shard.tracker.counters().outcome(Outcome::MissFull), 1);
    assert_eq!(shard.tracker.get(&keys[1024]), None);

    let removal = shard.tracker.remove(
        Now::from_ms(2),
        &keys[500],
        DeleteReason::Control,
        ActorId(16),
        &mut |_: &Event| true,
    );
    assert!(matches!(removal, Write::Done(entry) if entry.key == keys[500]));
    shard.burst(Now::from_ms(3), 1, &frames[1024..], &mut into(&mut events), |_, _| {});
    assert_eq!(events.len(), 1025);
    assert_eq!(shard.tracker.get(&keys[1024]).map(|entry| entry.created_ms), Some(3));
    assert_eq!(shard.tracker.counters().outcome(Outcome::MissCreated), 1025);
    assert_eq!(shard.tracker.counters().outcome(Outcome::MissFull), 1);
}

#[test]
fn without_the_data_path_create_permission_nothing_is_learned() {
    let keys = flows(3);
    let permissions = Permissions::new(0x3dfc & !Permissions::DATA_CREATE).expect("14 bits");
    let config = TrackerConfig { permissions, ..TrackerConfig::default() };
    let mut shard = shard(8, config, Now::from_ms(0));
    let mut looked_up = 0;
    let mut sink = |event: &Event| panic!("{event:?}");
    shard
        .burst(Now::from_ms(0), 1, &frames(&keys)[..], &mut sink, |_, which| looked_up += which.count_ones());
    assert_eq!(looked_up, 3);
    assert_eq!(shard.tracker.counters().outcome(Outcome::MissDenied), 3);
    assert!(shard.tracker.table().is_empty() && shard.tracker.all_reported());
}

#[test]
fn without_the_control_plane_delete_permission_an_entry_only_expires() {
    let key = flows(1)[0];
    let permissions = Permissions::new(0x3dfc & !Permissions::CONTROL_DELETE).expect("14 bits");
    let config = TrackerConfig { permissions, ..TrackerConfig::default() };
    let mut shard = shard(8, config, Now::from_ms(0));
    shard.burst(Now::from_ms(0), 1, &frames(&[key])[..], &mut |_: &Event| true, |_, _| {});
    let before = shard.tracker.get(&key);
    let mut sink = |event: &Event| panic!("a denied deletion told {event:?}");
    let removal = shard.tracker.remove(Now::from_ms(1), &key, DeleteReason::Control, ActorId(16), &mut sink);
    assert_eq!(removal, Write::Refused(Refusal::Denied(Permission::Delete)));
    assert_eq!(shard.tracker.get(&key), before);
    let events = settle(&mut shard, Now::from_ms(30_008));
    assert!(matches!(
        events[..],
        [Event { body: EventBody::Deleted { reason: DeleteReason::Idle, .. }, .. }]
    ));
}

/// While the sink takes nothing, an entry expires and its flow goes on. The old entry ends, a new
/// one starts, and both are reported in this order.
#[test]
fn a_packet_for_a_dying_entry_ends_it_and_starts_a_new_one() {
    for announced in [true, false] {
        let key = flows(1)[0];
        let frame = frames(&[key]);
        let mut shard = shard(1, TrackerConfig::default(), Now::from_ms(0));
        shard.burst(Now::from_ms(0), 1, &frame[..], &mut |_: &Event| announced, |_, _| {});
        let late = Now::from_ms(30_008);
        while !shard.tracker.caught_up(late) {
            shard.tracker.advance(late, Budget::default(), &mut refuse);
        }
        assert!(!shard.tracker.all_reported() && shard.tracker.get(&key).is_none());
        assert_eq!(shard.tracker.table().len(), 1, "it keeps its place until it is reported");
        let again = Now::from_ms(30_010);
        shard.burst(again, 1, &frame[..], &mut refuse, |_, _| {});
        assert_eq!(shard.tracker.get(&key).map(|entry| (entry.created_ms, entry.packets)), Some((30_010, 1)));
        assert_eq!(shard.tracker.counters().outcome(Outcome::MissCreated), 2);

        let told: Vec<(u64, bool)> = settle(&mut shard, again)
            .into_iter()
            .map(|event| match event.body {
                EventBody::Created(entry) => (entry.created_ms, true),
                EventBody::Deleted { entry, reason, actor } => {
                    assert_eq!((reason, actor), (DeleteReason::Idle, ActorId::TIMER));
                    (entry.created_ms, false)
                }
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [(0, true), (0, false), (30_010, true)];
        assert_eq!(told, expected[usize::from(announced)..]);
    }
}

/// The memory for reports of replaced entries is bounded. When it is used up, a dying entry stays,
/// its packets pass as `miss_full`, and nothing is lost.
#[test]
fn replaced_entries_that_nobody_hears_of_are_bounded() {
    let keys = flows(200);
    let frames = frames(&keys);
    let mut shard = shard(200, TrackerConfig::default(), Now::from_ms(0));
    shard.burst(Now::from_ms(0), 1, &frames[..], &mut refuse, |_, _| {});
    let late = Now::from_ms(30_008);
    while !shard.tracker.caught_up(late) {
        shard.tracker.advance(late, Budget::default(), &mut refuse);
    }
    assert!(keys.iter().all(|key| shard.tracker.get(key).is_none()), "all are dying");
    shard.burst(late, 1, &frames[..], &mut refuse, |_, _| {});
    let full = shard.tracker.counters().outcome(Outcome::MissFull);
    let replaced = keys.iter().filter(|key| shard.tracker.get(key).is_some()).count();
    assert!(replaced >= 32 && full > 0, "{replaced} replaced, {full} refused");
    assert_eq!(replaced + full as usize, 200);

    // Each flow is reported created and deleted, and created once more if it was replaced.
    let events = settle(&mut shard, late);
    assert_eq!(events.len(), 400 + replaced);
    for key in &keys {
        let told: Vec<bool> = events
            .iter()
            .filter_map(|event| match event.body {
                EventBody::Created(entry) => (entry.key == *key).then_some(true),
                EventBody::Deleted { entry, .. } => (entry.key == *key).then_some(false),
                _ => None,
            })
            .collect();
        let expected = [true, false, true];
        assert_eq!(told, expected[..2 + usize::from(shard.tracker.get(key).is_some())]);
    }
    assert_eq!(shard.tracker.table().len() as usize, replaced);
}

#[test]
fn removal_while_the_sink_is_full_can_be_finished_later() {
    let key = flows(1)[0];
    let mut shard = shard(8, TrackerConfig::default(), Now::from_ms(0));
    shard.burst(Now::from_ms(0), 1, &frames(&[key])[..], &mut refuse, |_, _| {});
    let before = shard.tracker.get(&key);
    let remove = |shard: &mut Shard<LineTable>, room: usize| {
        let mut events = Vec::new();
        let mut sink = |event: &Event| {
            let takes = events.len() < room;
            if takes {
                events.push(event.body);
            }
            takes
        };
        let removal =
            shard.tracker.remove(Now::from_ms(1), &key, DeleteReason::Control, ActorId(16), &mut sink);
        (removal, events)
    };
    // The sink first has no room, then room for the CREATED that has not been reported, then for
    // the DELETED.
    assert_eq!(remove(&mut shard, 0), (Write::Busy, vec![]));
    let created = EventBody::Created(before.expect("there"));
    assert_eq!(remove(&mut shard, 1), (Write::Busy, vec![created]));
    assert_eq!(shard.tracker.get(&key), before);
    let (removal, events) = remove(&mut shard, 1);
    assert_eq!(removal, Write::Done(before.expect("there")));
    assert!(matches!(
        events[..],
        [EventBody::Deleted { reason: DeleteReason::Control, actor: ActorId(16), .. }]
    ));
    assert_eq!(remove(&mut shard, 9).0, Write::Refused(Refusal::NotFound));
    assert!(settle(&mut shard, Now::from_ms(2)).is_empty());
}

/// One call of `advance` does no more than its budget allows, however much work waits.
#[test]
fn one_call_does_no_more_than_its_budget() {
    let keys = flows(3000);
    let frames = frames(&keys);
    let mut shard = shard(3000, TrackerConfig::default(), Now::from_ms(0));
    shard.burst(Now::from_ms(0), 1, &frames[..], &mut refuse, |_, _| {});
    let late = Now::from_ms(30_008);
    let one = |blocks, pending, resync| Budget { blocks, pending, resync };
    let call = |shard: &mut Shard<LineTable>, budget| {
        let mut events = Vec::new();
        shard.tracker.advance(late, budget, &mut into(&mut events));
        events.len()
    };
    // Nothing is reported without a budget for it. With one, the creations are reported block by
    // block.
    assert_eq!(call(&mut shard, one(0, 0, 0)), 0);
    let told = call(&mut shard, one(0, 1, 0));
    assert!((1..=12).contains(&told), "{told} creations");
    while !shard.tracker.all_reported() {
        assert!(call(&mut shard, one(0, 2, 0)) <= 24);
    }
    // A slice of a resync reports at most one entry per position, its begin and its end.
    shard.tracker.start_resync();
    while !shard.tracker.all_reported() {
        assert!(call(&mut shard, one(0, 0, 10)) <= 12);
    }
    // All entries expire while the sink is full, and then each flow has a packet. The reports that
    // are kept for replaced entries come in slices too.
    while !shard.tracker.caught_up(late) {
        shard.tracker.advance(late, one(16, 0, 0), &mut refuse);
    }
    shard.burst(late, 1, &frames[..], &mut refuse, |_, _| {});
    assert!(shard.tracker.counters().outcome(Outcome::MissCreated) >= 3032);
    while !shard.tracker.all_reported() {
        // A block has at most the kept reports of 12 entries, and two events for each of 12 entries
        // of the table.
        assert!(call(&mut shard, one(0, 1, 0)) <= 12 + 24);
    }
    // The deletions are reported block by block.
    let later = Now::from_ms(60_100);
    while !shard.tracker.caught_up(later) {
        let mut events = Vec::new();
        shard.tracker.advance(later, one(3, 0, 0), &mut into(&mut events));
        assert!(events.len() <= 36);
    }
    assert!(shard.tracker.table().is_empty());
}

#[test]
fn a_packet_after_the_deadline_and_before_the_removal_is_a_hit() {
    let key = flows(1)[0];
    let packet = frames(&[key]);
    let mut shard = shard(8, TrackerConfig::default(), Now::from_ms(0));
    shard.burst(Now::from_ms(0), 1, &packet[..], &mut |_: &Event| true, |_, _| {});
    // Aging does not run in between.
    let mut sink = |event: &Event| panic!("{event:?}");
    shard.burst(Now::from_ms(31_000), 1, &packet[..], &mut sink, |_, _| {});
    assert_eq!(shard.tracker.counters().outcome(Outcome::Hit), 1);
    assert_eq!(shard.tracker.get(&key).map(|entry| (entry.created_ms, entry.packets)), Some((0, 2)));
    assert_eq!(settle(&mut shard, Now::from_ms(60_999)), []);
    assert_eq!(settle(&mut shard, Now::from_ms(61_008)).len(), 1);
}

#[test]
fn get_does_not_refresh() {
    let key = flows(1)[0];
    let mut shard = shard(8, TrackerConfig::default(), Now::from_ms(0));
    shard.burst(Now::from_ms(0), 1, &frames(&[key])[..], &mut |_: &Event| true, |_, _| {});
    for _ in 0..100 {
        assert!(shard.tracker.get(&key).is_some());
    }
    assert_eq!(settle(&mut shard, Now::from_ms(30_008)).len(), 1);
    assert_eq!(shard.tracker.get(&key), None);
}

/// An entry keeps its aging when profiles change, and at most 255 different agings can be in use at
/// a time. One more is refused and changes nothing. When the last entry with an old aging has gone,
/// there is room again.
#[test]
fn a_256th_aging_is_refused_until_an_old_one_has_gone() {
    let mut config = TrackerConfig::default();
    let agings = |n: u64| [1000 + n, 500_000];
    let profiles = |n: u64| Profiles::new(&agings(n)).expect("distinct");
    config.profiles = profiles(0);
    let mut shard = shard(400, config, Now::from_ms(0));
    let change = |n: u64| TableChange { profiles: profiles(n), permissions: config.permissions };
    let keys = flows(300);
    let frames = frames(&keys);
    // Each aging has one entry, and two agings belong to the profiles.
    let refused = (0..300).find(|&n| {
        shard.burst(Now::from_ms(0), 1, &frames[n..=n], &mut |_: &Event| true, |_, _| {});
        shard.tracker.change_table(&change(n as u64 + 1)).is_err()
    });
    let last = refused.expect("there are no 300 agings");
    assert_eq!(last + 1 + 1, 255, "those of the entries, and the other profile's");
    for more in [change(last as u64 + 1), change(700)] {
        assert_eq!(shard.tracker.hold(&more), Err(TableRefusal::TooManyAgings));
        assert_eq!(shard.tracker.change_table(&more), Err(TableRefusal::TooManyAgings));
    }
    shard.tracker.change_table(&change(7)).expect("an aging that entries have is no further one");
    shard.tracker.change_table(&change(last as u64)).expect("nor is this");
    for (n, key) in keys[..=last].iter().enumerate() {
        assert_eq!(shard.tracker.get(key).map(|entry| u64::from(entry.aging_ms)), Some(agings(n as u64)[0]));
    }
    shard.burst(Now::from_ms(0), 1, &frames[299..], &mut |_: &Event| true, |_, _| {});
    assert_eq!(
        shard.tracker.get(&keys[299]).map(|entry| entry.aging_ms),
        Some(1000 + last as u32),
        "none changed"
    );

    // Each entry ends at its own time. After the first one has ended, its class is free.
    let events = settle(&mut shard, Now::from_ms(1000 + 8));
    let gone = |key: &FlowKey, events: &[Event]| {
        events.iter().any(|e| matches!(e.body, EventBody::Deleted { entry, .. } if entry.key == *key))
    };
    assert!(gone(&keys[0], &events) && !gone(&keys[20], &events));
    shard.tracker.change_table(&change(700)).expect("there is room again");
    let events = settle(&mut shard, Now::from_ms(1000 + 300 + 8));
    assert!(keys[20..=last].iter().all(|key| gone(key, &events)));
    assert!(shard.tracker.table().is_empty());
}

/// Expires the entries while the sink refuses every event.
fn expire_unheard(shard: &mut Shard<LineTable>, now: Now) {
    while !shard.tracker.caught_up(now) {
        shard.tracker.advance(now, Budget::default(), &mut refuse);
    }
    assert!(!shard.tracker.all_reported());
}

/// Every way in which an entry ends frees its aging: any number of agings find room, one after the
/// other.
#[test]
fn every_end_of_an_entry_gives_its_aging_back() {
    const BY: ActorId = ActorId(ActorId::FIRST_CONTROL);
    type End = fn(&mut Shard<LineTable>, Now, &FlowKey);
    let remove: End = |shard, late, key| {
        let removal = shard.tracker.remove(late, key, DeleteReason::Control, BY, &mut |_: &Event| true);
        assert!(matches!(removal, Write::Done(_)), "{removal:?}");
    };
    let idle: End = |shard, late, _| drop(settle(shard, late));
    let replaced: End = |shard, late, key| {
        expire_unheard(shard, late);
        shard.burst(late, 1, &frames(&[*key])[..], &mut refuse, |_, _| {});
        settle(shard, late);
    };
    let created_anew: End = |shard, late, key| {
        expire_unheard(shard, late);
        let made = shard.tracker.create(late, key, &Attributes::default(), BY, &mut |_: &Event| true);
        assert!(matches!(made, Write::Done(_)), "{made:?}");
    };
    let updated: End = |shard, late, key| {
        let other = Attributes { profile_id: Some(1), ..Attributes::default() };
        let update = shard.tracker.update(late, key, &other, BY, &mut |_: &Event| true);
        assert!(matches!(update, Write::Done(_)), "{update:?}");
    };
    let flushed: End = |shard, late, _| {
        let all = shard.tracker.flush(late, &mut Flush::new(late, BY), 1000, |_| true, &mut |_: &Event| true);
        assert!(all);
    };
    let purged: End = |shard, _, _| {
        shard.tracker.detach();
        assert_eq!(shard.tracker.purge(1000), (1, true));
        shard.tracker.attach();
    };
    let key = flows(1)[0];
    for (way, end) in [remove, idle, replaced, created_anew, updated, flushed, purged].iter().enumerate() {
        let mut shard = shard(1, TrackerConfig::default(), Now::from_ms(0));
        for round in 0..300 {
            let profiles = Profiles::new(&[1000 + round, 500_000]).expect("distinct");
            let permissions = shard.tracker.permissions();
            let changed = shard.tracker.change_table(&TableChange { profiles, permissions });
            assert_eq!(changed, Ok(()), "way {way}, round {round}");
            let start = round * 10_000;
            let mut sink = |_: &Event| true;
            shard.burst(Now::from_ms(start), 1, &frames(&[key])[..], &mut sink, |_, _| {});
            let late = Now::from_ms(start + 5000);
            end(&mut shard, late, &key);
            if shard.tracker.get(&key).is_some() {
                remove(&mut shard, late, &key);
            }
            assert!(shard.tracker.table().is_empty());
        }
    }
}

const WRITER: ActorId = ActorId(ActorId::FIRST_CONTROL);

/// Of the fourteen bits, only those that P4TC enforces have an effect, each on its own operation.
/// With any other bit clear, every operation succeeds.
#[test]
fn each_permission_bit_denies_its_own_and_nothing_else() {
    for bit in (0..14).map(|n| 1 << n) {
        let permissions = Permissions::new(0x3fff & !bit).expect("14 bits");
        let config = TrackerConfig { permissions, ..TrackerConfig::default() };
        let mut shard = shard(8, config, Now::from_ms(0));
        let keys = flows(2);
        let mut events = Vec::new();
        let packets = frames(&keys[..1]);
        for ms in [0, 1] {
            shard.burst(Now::from_ms(ms), 1, &packets[..], &mut into(&mut events), |_, _| {});
        }
        let learned = bit != Permissions::DATA_CREATE;
        assert_eq!(shard.tracker.counters().outcome(Outcome::Hit), u64::from(learned), "{bit:#x}");
        let now = Now::from_ms(2);
        let plain = Attributes::default();
        let denied = |write, permission| write == Write::Refused(Refusal::Denied(permission));
        let created = shard.tracker.create(now, &keys[1], &plain, WRITER, &mut into(&mut events));
        assert_eq!(denied(created, Permission::Create), bit == Permissions::CONTROL_CREATE, "{bit:#x}");
        let key = if learned { &keys[0] } else { &keys[1] };
        let updated = shard.tracker.update(now, key, &plain, WRITER, &mut into(&mut events));
        assert_eq!(denied(updated, Permission::Update), bit == Permissions::CONTROL_UPDATE, "{bit:#x}");
        let deleted = shard.tracker.remove(now, key, DeleteReason::Control, WRITER, &mut into(&mut events));
        assert_eq!(denied(deleted, Permission::Delete), bit == Permissions::CONTROL_DELETE, "{bit:#x}");
        let written = [created, updated, deleted].iter().filter(|w| matches!(w, Write::Done(_))).count();
        assert_eq!(events.len(), usize::from(learned) + written, "what is denied is no event: {bit:#x}");
    }
}

#[test]
fn what_control_creates_is_static_unless_it_is_to_be_dynamic() {
    let keys = flows(2);
    let mut shard = shard(2, TrackerConfig::default(), Now::from_ms(0));
    let mut events = Vec::new();
    let dynamic = Attributes { dynamic: Some(true), profile_id: Some(1), ..Attributes::default() };
    for (key, attributes) in keys.iter().zip([Attributes::default(), dynamic]) {
        let write = shard.tracker.create(Now::from_ms(0), key, &attributes, WRITER, &mut into(&mut events));
        assert!(matches!(write, Write::Done(entry) if entry.permissions.bits() == 0x1dbc), "{write:?}");
    }
    let twice = shard.tracker.create(Now::from_ms(1), &keys[0], &dynamic, WRITER, &mut into(&mut events));
    assert_eq!(twice, Write::Refused(Refusal::Exists));
    let third = flows(3)[2];
    let full = shard.tracker.create(Now::from_ms(1), &third, &dynamic, WRITER, &mut into(&mut events));
    assert_eq!(full, Write::Refused(Refusal::Full));
    assert_eq!(events.len(), 2, "what is refused is no event");
    assert_eq!(settle(&mut shard, Now::from_ms(59_999)), []);
    assert_eq!(settle(&mut shard, Now::from_ms(60_008)).len(), 1);
    assert_eq!(settle(&mut shard, Now::from_ms(600_000)), []);
    assert!(shard.tracker.get(&keys[0]).is_some_and(|entry| !entry.dynamic()));
}

#[test]
fn an_update_restarts_the_timer_and_keeps_what_it_does_not_name() {
    let key = flows(1)[0];
    let mut shard = shard(2, TrackerConfig::default(), Now::from_ms(0));
    shard.burst(Now::from_ms(5), 1, &frames(&[key])[..], &mut |_: &Event| true, |_, _| {});
    let before = shard.tracker.get(&key).expect("learned");
    let plain = Attributes::default();
    let now = Now::from_ms(20_000);
    let write = shard.tracker.update(now, &key, &plain, WRITER, &mut |_: &Event| true);
    let after = shard.tracker.get(&key).expect("updated");
    assert_eq!(write, Write::Done(after));
    assert_eq!(after, conntrack::Entry { last_used: now.stamp, updater: WRITER, ..before });
    let missing = shard.tracker.update(now, &flows(2)[1], &plain, WRITER, &mut |_: &Event| true);
    assert_eq!(missing, Write::Refused(Refusal::NotFound));
    assert_eq!(settle(&mut shard, Now::from_ms(49_999)), []);
    assert_eq!(settle(&mut shard, Now::from_ms(50_008)).len(), 1);
}
