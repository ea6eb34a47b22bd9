//! IPv6 keys that share a fingerprint. With the secret such keys can be made, which nobody can who does
//! not know it.

mod laws;

use std::collections::HashSet;

use conntrack::arch::Features;
use conntrack::event::EventBody;
use conntrack::hash::KeyHasher as _;
use conntrack::table::{Counted, TableConfig, Uncounted};
use conntrack::test_support::frame::Ipv6Frame;
use conntrack::tracker::{Budget, Refusal, Write};
use conntrack::{
    ActorId, Attributes, DeleteReason, Event, FlowKeyV6, FlowTable as _, HashKind, HasherV6, LineTable, Now,
    Outcome, Parser, Protocols, Shard, Tracker, TrackerConfig,
};
use laws::keys::{equal_fingerprint, secret_v6};
use laws::model::check_flows;
use laws::model::ops::{FLOWS, ops, setup};
use laws::tables::{Refusal as Full, lives_like_a_map, only_full_refuses};
use proptest::prelude::*;

const SEED: u64 = 77;
const BY: ActorId = ActorId(ActorId::FIRST_CONTROL);

fn hasher(kind: HashKind) -> HasherV6 {
    HasherV6::new(kind, secret_v6(SEED), Features::detect())
}

fn table(entries: u32) -> LineTable<Counted, FlowKeyV6> {
    LineTable::laid_out(TableConfig { entries, hasher: hasher(HashKind::Keyed) }).expect("a valid size")
}

/// Returns keys in groups of `together` that share a fingerprint.
fn groups(count: usize, together: usize) -> Vec<FlowKeyV6> {
    let groups = (0..).flat_map(|group| equal_fingerprint(SEED, group, together));
    groups.take(count).collect()
}

#[test]
fn keys_made_for_it_share_a_fingerprint() {
    let keys = equal_fingerprint(SEED, 0, 300);
    let distinct: HashSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len());
    for features in Features::all_present() {
        let hasher = HasherV6::new(HashKind::Keyed, secret_v6(SEED), features);
        assert!(keys.iter().all(|key| hasher.hash(key) == hasher.hash(&keys[0])));
        let other = HasherV6::new(HashKind::Keyed, secret_v6(SEED + 1), features);
        let distinct: HashSet<_> = keys.iter().map(|key| *other.hash(key).slot()).collect();
        assert_eq!(distinct.len(), keys.len(), "under another secret they differ");
    }
}

/// A table that verifies keeps the laws, however many keys share a fingerprint.
#[test]
fn a_verifying_table_lives_like_a_map() {
    for together in [2, 3, 5, 300] {
        let keys = groups(300, together);
        lives_like_a_map(&mut table(200).verifying_keys(), &keys, Full::OnlyFull, 1, 60_000);
        let config = TableConfig { entries: 50, hasher: hasher(HashKind::Keyed) };
        let mut uncounted =
            LineTable::<Uncounted, _>::laid_out(config).expect("a valid size").verifying_keys();
        lives_like_a_map(&mut uncounted, &keys, Full::OnlyFull, 2, 60_000);
        // All keys of a fingerprint have one probe sequence, which is long enough for some of them.
        if together < 300 {
            only_full_refuses(&mut table(250).verifying_keys(), &keys);
        }
    }
}

/// Under `crc` and `jhash`, keys of one fingerprint have different home lines.
#[test]
fn a_verifying_table_lives_like_a_map_with_the_hashes_of_rte_hash() {
    for kind in [HashKind::Crc, HashKind::Jhash] {
        let config = TableConfig { entries: 200, hasher: hasher(kind) };
        let mut table = LineTable::<Counted, _>::laid_out(config).expect("a valid size").verifying_keys();
        lives_like_a_map(&mut table, &groups(300, 3), Full::OnlyFull, 3, 60_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// So does a tracker of such a table.
    #[test]
    fn a_verifying_tracker_lives_like_the_model(
        setup in setup(),
        capacity in 1..48u32,
        together in 2..5usize,
        ops in ops(120),
    ) {
        check_flows(table(capacity).verifying_keys(), &setup, &ops, groups(FLOWS, together));
    }
}

/// Runs a shard of IPv6 without verification.
struct Rig {
    shard: Shard<LineTable<Counted, FlowKeyV6>>,
    events: Vec<Event<FlowKeyV6>>,
}

impl Rig {
    fn new() -> Self {
        let tracker = Tracker::new(table(10), TrackerConfig::default(), Now::from_ms(0)).expect("memory");
        let parser = Parser::new(Protocols::Tcp, Features::detect());
        Rig { shard: Shard::new(parser, tracker), events: Vec::new() }
    }

    fn burst(&mut self, ms: u64, keys: &[FlowKeyV6]) {
        let frames: Vec<_> = keys.iter().map(|key| Ipv6Frame::of(key).build()).collect();
        let mut sink = |event: &Event<FlowKeyV6>| {
            self.events.push(*event);
            true
        };
        self.shard.burst(Now::from_ms(ms), 1, &frames[..], &mut sink, |_, _| {});
    }

    /// Returns the keys of the events since the last call, `+` for created and `-` for deleted ones.
    fn told(&mut self) -> Vec<(char, FlowKeyV6)> {
        let told = self.events.drain(..).map(|event| match event.body {
            EventBody::Created(entry) => ('+', entry.key),
            EventBody::Deleted { entry, .. } => ('-', entry.key),
            other => panic!("{other:?}"),
        });
        told.collect()
    }

    fn count(&self, outcome: Outcome) -> u64 {
        self.shard.counters().outcome(outcome)
    }
}

/// Without verification there is one entry for all keys of a fingerprint, in the burst that creates it
/// and afterwards. It shows the key that created it.
#[test]
fn packets_of_one_fingerprint_are_hits_of_one_entry() {
    let keys = equal_fingerprint(SEED, 0, 3);
    let [a, b, c] = [keys[0], keys[1], keys[2]];
    let mut rig = Rig::new();
    rig.burst(0, &[a, b, a]);
    assert_eq!(rig.told(), [('+', a)]);
    rig.burst(1, &[c, b]);
    assert_eq!(rig.told(), []);
    assert_eq!((rig.count(Outcome::MissCreated), rig.count(Outcome::Hit)), (1, 4));
    let tracker = &rig.shard.tracker;
    let entry = tracker.get(&a).expect("the entry of its own key");
    assert_eq!((entry.key, entry.packets), (a, 5));
    assert_eq!((tracker.get(&b), tracker.get(&c)), (None, None));
    assert_eq!(tracker.table().len(), 1);
}

/// What control programs do is about whole keys.
#[test]
fn writes_compare_whole_keys() {
    let keys = equal_fingerprint(SEED, 0, 2);
    let [a, b] = [keys[0], keys[1]];
    let mut rig = Rig::new();
    rig.burst(0, &[a]);
    rig.told();
    let now = Now::from_ms(1);
    let mut sink = |event: &Event<FlowKeyV6>| panic!("{event:?}");
    let attributes = Attributes::default();
    let tracker = &mut rig.shard.tracker;
    let made = tracker.create(now, &b, &attributes, BY, &mut sink);
    assert_eq!(made, Write::Refused(Refusal::FingerprintCollision));
    assert_eq!(tracker.create(now, &a, &attributes, BY, &mut sink), Write::Refused(Refusal::Exists));
    let updated = tracker.update(now, &b, &attributes, BY, &mut sink);
    assert_eq!(updated, Write::Refused(Refusal::NotFound));
    let removed = tracker.remove(now, &b, DeleteReason::Control, BY, &mut sink);
    assert_eq!(removed, Write::Refused(Refusal::NotFound));
    let mut open = |_: &Event<FlowKeyV6>| true;
    assert!(matches!(tracker.remove(now, &a, DeleteReason::Control, BY, &mut open), Write::Done(_)));
    assert!(matches!(tracker.create(now, &b, &attributes, BY, &mut open), Write::Done(_)));
}

/// An entry that has expired, and whose DELETED waits, is reported under its own key when a packet of
/// the other key ends it, or a control program creates the other.
#[test]
fn a_dying_entry_gives_way_to_the_other_key() {
    let keys = equal_fingerprint(SEED, 0, 2);
    let [a, b] = [keys[0], keys[1]];
    let end = Now::from_ms(40_000);
    let dying = || {
        let mut rig = Rig::new();
        rig.burst(0, &[a]);
        let mut closed = |_: &Event<FlowKeyV6>| false;
        while !rig.shard.tracker.caught_up(end) {
            rig.shard.tracker.advance(end, Budget::default(), &mut closed);
        }
        assert_eq!(rig.shard.tracker.table().len(), 1);
        rig.told();
        rig
    };
    let mut rig = dying();
    rig.burst(40_001, &[b]);
    assert_eq!(rig.told(), [('-', a), ('+', b)]);

    // The sink refuses, so the reports of the old entry go through the backlog.
    let mut rig = dying();
    let frame = [Ipv6Frame::of(&b).build()];
    rig.shard.burst(end, 1, &frame[..], &mut |_: &Event<FlowKeyV6>| false, |_, _| {});
    assert_eq!(rig.shard.tracker.get(&b).map(|entry| entry.key), Some(b));
    let mut told = Vec::new();
    let mut sink = |event: &Event<FlowKeyV6>| {
        told.push(*event);
        true
    };
    rig.shard.tracker.advance(end, Budget::default(), &mut sink);
    rig.events = told;
    assert_eq!(rig.told(), [('-', a), ('+', b)]);

    let mut rig = dying();
    let mut told = Vec::new();
    let mut sink = |event: &Event<FlowKeyV6>| {
        told.push(*event);
        true
    };
    let made = rig.shard.tracker.create(end, &b, &Attributes::default(), BY, &mut sink);
    assert!(matches!(made, Write::Done(entry) if entry.key == b));
    rig.events = told;
    assert_eq!(rig.told(), [('-', a), ('+', b)]);
}
