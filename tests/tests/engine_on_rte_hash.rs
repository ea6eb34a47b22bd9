//! The engine's laws with the real `rte_hash` as its table, and a comparison of `rte_hash` with the
//! product's table, operation by operation.

#[path = "../../dataplane/conntrack/tests/laws/mod.rs"]
mod laws;

use conntrack::arch::Features;
use conntrack::table::{BULK, TableConfig};
use conntrack::test_support::Random;
use conntrack::{FlowKey, FlowTable, HashKind, Hasher, LineTable, Pos, TableFull};
use dpdk::hash::HashFunction;
use flowtracker_tests::collisions;
use flowtracker_tests::rte_table::RteTable;
use laws::keys;
use laws::model::ops::{moments, ops, setup};
use laws::model::{check, check_punctual};
use laws::tables::{Refusal, lives_like_a_map};
use proptest::prelude::*;

/// The product's hash functions that librte_hash has too.
const SHARED: [(HashKind, HashFunction); 2] =
    [(HashKind::Crc, HashFunction::Crc), (HashKind::Jhash, HashFunction::Jhash)];

fn line_table(entries: u32, kind: HashKind, init: u32) -> LineTable {
    let hasher = Hasher::new(kind, [5; 32], Features::detect()).with_init(init);
    LineTable::new(TableConfig { entries, hasher }).expect("a valid size")
}

fn function() -> impl Strategy<Value = HashFunction> {
    prop_oneof![Just(HashFunction::Crc), Just(HashFunction::Jhash)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lives_like_the_model(
        setup in setup(),
        capacity in 1..48u32,
        function in function(),
        ops in ops(120),
    ) {
        check(RteTable::with_headroom(capacity, function, 0), &setup, &ops);
    }

    #[test]
    fn deletes_within_one_aging_bucket(
        setup in setup(),
        capacity in 1..48u32,
        time in moments(300),
    ) {
        check_punctual(RteTable::with_headroom(capacity, HashFunction::Crc, 0), &setup, &time);
    }
}

#[test]
fn lives_as_a_map_does() {
    for (_, function) in SHARED {
        for (seed, entries) in [(1, 1), (2, 5), (3, 64), (4, 1000)] {
            let keys = keys::random(seed, entries * 3 / 2 + 2);
            let mut table = RteTable::new(entries as u32, function, 0);
            lives_like_a_map(&mut table, &keys, Refusal::AlsoCrowded, seed, 20_000);
        }
    }
}

/// The differences between the answers of two tables.
#[derive(Debug)]
struct Differences {
    /// The number of additions that `rte_hash` refused although it was not full, and that our table
    /// took.
    refused_early: usize,
    /// The smallest number of entries that `rte_hash` held at such an addition.
    fewest: u32,
}

/// Runs the same random operations on both tables, and checks that they give the same answers:
/// found or not, new or not, no space. Only `rte_hash` may refuse a key before it is full. Such a
/// key is removed from our table again, so that both go on with the same keys.
fn side_by_side(entries: u32, (kind, function): (HashKind, HashFunction), keys: &[FlowKey]) -> Differences {
    const INIT: u32 = 0x1234_5678;
    let mut ours = line_table(entries, kind, INIT);
    let mut theirs = RteTable::new(entries, function, INIT);
    let mut random = Random(u64::from(entries));
    let mut differences = Differences { refused_early: 0, fewest: u32::MAX };
    for turn in 0..60_000 {
        let key = keys[random.below(keys.len())];
        let hash = ours.hash(&key);
        assert_eq!(theirs.hash(&key), hash);
        // Additions prevail, then removals, so that the tables become full and empty.
        let adding = if turn / 10_000 % 2 == 0 { 60 } else { 20 };
        match random.below(100) {
            op if op < adding => {
                let known = ours.lookup(&key).is_some();
                let (our, their) = (ours.add_with_hash(&key, hash), theirs.add_with_hash(&key, hash));
                match (our, their) {
                    (Ok(_), Ok(_)) | (Err(TableFull), Err(TableFull)) => {}
                    (Ok(_), Err(TableFull)) => {
                        assert!(!known && theirs.len() < entries, "refused {key}, which it had");
                        differences.refused_early += 1;
                        differences.fewest = theirs.len().min(differences.fewest);
                        assert!(ours.delete(&key).is_some());
                    }
                    (Err(TableFull), Ok(_)) => panic!("we refused {key} with {} of {entries}", ours.len()),
                }
            }
            op if op < 80 => assert_eq!(ours.delete(&key).is_some(), theirs.delete(&key).is_some(), "{key}"),
            op if op < 90 => assert_eq!(ours.lookup(&key).is_some(), theirs.lookup(&key).is_some(), "{key}"),
            _ => {
                let burst: Vec<FlowKey> =
                    (0..random.below(BULK + 1)).map(|_| keys[random.below(keys.len())]).collect();
                let (mut hashes, mut places) = ([0; BULK], [Pos(0); BULK]);
                ours.hash_burst(&burst, &mut hashes);
                let our = ours.lookup_burst(&burst, &hashes, &mut places);
                let their = theirs.lookup_burst(&burst, &hashes, &mut places);
                assert_eq!(our, their);
            }
        }
        assert_eq!(ours.len(), theirs.len());
    }
    assert_eq!(entries_of(&ours), entries_of(&theirs));
    differences
}

/// Returns the keys of all entries, found by iteration, in sorted order.
fn entries_of<T: FlowTable<Key = FlowKey>>(table: &T) -> Vec<[u8; FlowKey::BYTES]> {
    let mut next = 0;
    let mut all: Vec<_> =
        std::iter::from_fn(|| table.iterate(&mut next)).map(|(_, key)| key.to_bytes()).collect();
    all.sort_unstable();
    all
}

#[test]
fn side_by_side_with_random_keys() {
    for shared in SHARED {
        for entries in [8, 100, 1024] {
            let roomy = keys::random(3, entries / 2);
            assert_eq!(side_by_side(entries as u32, shared, &roomy).refused_early, 0);
            // With more keys than fit, rte_hash refuses early, but only when it is almost full.
            let crowd = keys::random(4, entries * 3 / 2);
            let differences = side_by_side(entries as u32, shared, &crowd);
            assert!(differences.fewest as usize > entries * 3 / 4, "{entries}: {differences:?}");
        }
    }
}

#[test]
fn side_by_side_with_equal_crcs() {
    let shared = (HashKind::Crc, HashFunction::Crc);
    // Two buckets hold this number of keys, so the tables do not differ.
    assert_eq!(side_by_side(1024, shared, &collisions::crc(16)).refused_early, 0);
    // Of more keys than that, `rte_hash` takes 16 and refuses the others; our table takes all.
    let differences = side_by_side(1024, shared, &collisions::crc(200));
    assert!(differences.refused_early > 0 && differences.fewest == 16, "{differences:?}");
}
