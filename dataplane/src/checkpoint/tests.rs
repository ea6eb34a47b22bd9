//! A file means what was written, or it is refused.

mod damage;
mod killed;
mod live;

use std::collections::BTreeMap;
use std::io::Cursor;

use conntrack::table::{Counted, TableConfig};
use conntrack::test_support::{Random, any_entry};
use conntrack::tracker::{Budget, Cursor as Walk, Step};
use conntrack::{
    ActorId, Entry, Event, EventBody, FlowKey, FlowKeyV6, LineTable, Now, Profiles, Tracker, TrackerConfig,
};
use flowtracker_proto::table::Family;
use flowtracker_proto::v1;
use proptest::prelude::*;

use super::format::{ClockStep, Description, SavedAttributes, SavedPort, SavedTable};
use super::identity::Identity;
use super::read::{Checkpoint, Refused};
use super::restore::{Restored, restore};
use super::write::Writer;
use crate::lcore::clock::{Reading, first_ns};
use crate::lcore::saving::TableState;
use crate::test_key::{Table, TestKey};

const DAY_MS: u64 = 24 * 3600 * 1000;

/// The moment at which the files of these tests are written.
const AT: Reading = Reading { ns: 40 * DAY_MS * 1_000_000 + 77, unix_ns: 1_700_000_000_000_000_000 };

fn identity() -> Identity {
    let config = TrackerConfig::default();
    let state = TableState { attached: true, profiles: config.profiles, permissions: config.permissions };
    Identity {
        dataplane: "dp".to_owned(),
        ports: (0..3).map(|id| SavedPort { id, device: format!("net_null{id}") }).collect(),
        tables: Family::ALL.map(|family| (family, state)).into(),
    }
}

fn description() -> Description {
    let identity = identity();
    let table = |(family, state): &(Family, TableState)| SavedTable {
        pipeline: family.pipeline().to_owned(),
        at_start: Some(SavedAttributes::new(&state.profiles, state.permissions)),
        at_end: Some(SavedAttributes::new(&state.profiles, state.permissions)),
        detached: false,
    };
    let actor = v1::Actor { entity: 2, pid: 4711, process: "ctl".to_owned(), identity: "uid=0".to_owned() };
    Description {
        at_ns: AT.ns,
        unix_ns: AT.unix_ns,
        dataplane: identity.dataplane,
        ports: identity.ports,
        tables: identity.tables.iter().map(table).collect(),
        steps: vec![
            ClockStep { from_ns: 0, ms: 1_600_000_000_000 },
            ClockStep { from_ns: 9_000_000, ms: -5 },
        ],
        authors: vec![v1::Author { number: 16, actor: Some(actor) }],
    }
}

/// Returns the file of these entries and this description.
fn file(ipv4: &[Entry<FlowKey>], ipv6: &[Entry<FlowKeyV6>], description: &Description) -> Vec<u8> {
    let mut out = Writer::new(Cursor::new(Vec::new())).expect("memory");
    ipv4.iter().for_each(|entry| out.entry(entry, AT.ns).expect("memory"));
    ipv6.iter().for_each(|entry| out.entry(entry, AT.ns).expect("memory"));
    let (out, entries) = out.finish(description).expect("memory");
    assert_eq!(entries, (ipv4.len() + ipv6.len()) as u64);
    out.into_inner()
}

fn read(bytes: &[u8]) -> Result<Checkpoint<Cursor<&[u8]>>, Refused> {
    Checkpoint::read(Cursor::new(bytes), bytes.len() as u64)
}

/// Returns entries that a run may have had when the file was written.
fn entries<K: TestKey>(count: u16, seed: u64) -> Vec<Entry<K>> {
    let mut random = Random(seed);
    let entry = |port| {
        let key = K::flow(random.below(3) as u8 + 1, port);
        let (entry, last_used_ms) = any_entry(&mut random, key, AT.ns / 1_000_000);
        entry.used_at(last_used_ms, Now::from_ns(AT.ns))
    };
    (0..count).map(entry).collect()
}

fn tracker<K: TestKey>(entries: u32, seed: u64, now: Now) -> Tracker<Table<K>> {
    let table = LineTable::<Counted, K>::laid_out(TableConfig { entries, hasher: K::hasher(seed) });
    Tracker::new(table.expect("memory"), TrackerConfig::default(), now).expect("memory")
}

fn held<K: TestKey>(tracker: &Tracker<Table<K>>) -> Vec<Entry<K>> {
    let (mut walk, mut found) = (Walk::default(), Vec::new());
    while let Step::Entry(entry) = tracker.step(&mut walk, &mut { u32::MAX }) {
        found.push(entry);
    }
    found
}

fn by_key<K: TestKey>(entries: impl IntoIterator<Item = Entry<K>>) -> BTreeMap<Vec<u8>, Entry<K>> {
    entries.into_iter().map(|entry| (entry.key.bytes(), entry)).collect()
}

/// Port 0 is the first shard's, port 1 the second's, and port 2 is shared.
fn owners() -> BTreeMap<u16, Option<usize>> {
    BTreeMap::from([(0, Some(0)), (1, Some(1)), (2, None)])
}

/// Law: what a file gives back is what was written, `away_ms` later; each entry with a timer expires
/// in the aging bucket of its old deadline.
fn comes_back<K: TestKey>(file: &[u8], meant: &[Entry<K>], away_ms: u64, seed: u64) {
    let mut checkpoint = read(file).expect("a sound file");
    let unix_ns = AT.unix_ns + away_ms * 1_000_000;
    let now = Now::from_ns(first_ns(unix_ns, Some(AT)));
    assert!(now.ns - AT.ns - away_ms * 1_000_000 < 1_000_000, "ticks are whole milliseconds of Unix time");
    let mut shards = [tracker::<K>(700, seed, now), tracker::<K>(900, seed + 1, now)];
    let state = identity().state(K::FAMILY, &checkpoint.description).expect("it is in the file");
    let restored =
        restore(&mut checkpoint, &mut shards.each_mut(), &owners(), state, now).expect("it can be read");

    for (port, shard) in shards.iter_mut().enumerate() {
        let meant = meant.iter().filter(|entry| usize::from(entry.key.input_port()) == port + 1);
        let mut meant = by_key(meant.map(|entry| entry.used_at(entry.last_used_ms(AT.ns), now)));
        assert_eq!(by_key(held(shard)), meant);
        for ms in 0..100 {
            let now = Now::from_ns(now.ns + ms * 8_000_000);
            let mut sink = |event: &Event<K>| {
                let EventBody::Deleted { entry, .. } = event.body else { panic!("{event:?}") };
                assert_eq!(meant.remove(&entry.key.bytes()), Some(entry));
                let late = entry.idle_ms(now.tick) - u64::from(entry.aging_ms);
                assert!(late <= 16, "{late} ms late: {entry:?}");
                true
            };
            while !shard.caught_up(now) {
                shard.advance(now, Budget::default(), &mut sink);
            }
            let due = |e: &&Entry<K>| e.dynamic() && e.idle_ms(now.tick) >= u64::from(e.aging_ms) + 16;
            assert_eq!(meant.values().find(due), None);
        }
    }
    let of_port = |port: u8| meant.iter().filter(|e| e.key.input_port() == port).count() as u64;
    let all = Restored { entries: of_port(1) + of_port(2), no_shard: of_port(3), no_room: 0 };
    assert_eq!(restored, all);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everything_comes_back_after_any_time_away(
        counts: (u8, u8),
        away_ms in prop_oneof![Just(0u64), 0u64..100_000, 0u64..60 * DAY_MS],
        seed: u32,
    ) {
        let ipv4 = entries::<FlowKey>(counts.0.into(), seed.into());
        let ipv6 = entries::<FlowKeyV6>(counts.1.into(), u64::from(seed) + 1);
        let description = description();
        let file = file(&ipv4, &ipv6, &description);
        prop_assert_eq!(&read(&file).expect("sound").description, &description);
        comes_back(&file, &ipv4, away_ms, seed.into());
        comes_back(&file, &ipv6, away_ms, seed.into());
    }
}

#[test]
fn what_has_no_room_is_counted() {
    let ipv4: Vec<_> = entries::<FlowKey>(600, 3);
    let bytes = file(&ipv4, &[], &description());
    let now = Now::from_ns(AT.ns);
    let mut shards = [tracker::<FlowKey>(50, 1, now), tracker::<FlowKey>(900, 2, now)];
    let mut checkpoint = read(&bytes).expect("sound");
    let state = identity().state(Family::Ipv4, &checkpoint.description).expect("it is in the file");
    let restored = restore(&mut checkpoint, &mut shards.each_mut(), &owners(), state, now).expect("sound");
    let of_port = |port: u8| ipv4.iter().filter(|e| e.key.input_port() == port).count() as u64;
    let meant = Restored { entries: 50 + of_port(2), no_shard: of_port(3), no_room: of_port(1) - 50 };
    assert_eq!(restored, meant);
}

#[test]
fn what_was_changed_at_run_time_comes_back_unless_the_flags_were_changed_too() {
    let changed = SavedAttributes { profiles: vec![1_000, 60_000, 90_000, 120_000], permissions: 0x3dbc };
    let mut description = description();
    description.tables[1].at_end = Some(changed.clone());
    description.tables[1].detached = true;
    let bytes = file(&[], &entries::<FlowKeyV6>(5, 1), &description);
    let mut checkpoint = read(&bytes).expect("sound");

    let state = identity().state(Family::Ipv6, &checkpoint.description).expect("it is in the file");
    let mut shards = [tracker::<FlowKeyV6>(10, 1, Now::from_ns(AT.ns))];
    let now = Now::from_ns(AT.ns);
    let restored = restore(&mut checkpoint, &mut shards.each_mut(), &owners(), state, now).expect("sound");
    let [shard] = &shards;
    assert_eq!(SavedAttributes::new(shard.profiles(), shard.permissions()), changed);
    assert!(!shard.attached(), "it was detached, and it has no entries");
    assert_eq!((restored, held(shard).len()), (Restored::default(), 0));

    // The other table is as the flags have it.
    let ipv4 = identity().state(Family::Ipv4, &checkpoint.description).expect("it is in the file");
    assert_eq!(ipv4, identity().tables[0].1);
    // Flags that say something else than at the last start are meant.
    let mut flags = identity();
    flags.tables[1].1.profiles = Profiles::new(&[5, 60_000, 90_000, 120_000]).expect("valid");
    let state = flags.state(Family::Ipv6, &checkpoint.description).expect("it is in the file");
    assert_eq!(state, TableState { attached: false, ..flags.tables[1].1 });
}
