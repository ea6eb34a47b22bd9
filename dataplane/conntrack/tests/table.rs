//! Compares our table with a `HashMap`: random keys, keys that all collide, and every hash.

mod laws;

use conntrack::arch::Features;
use conntrack::table::{Counted, Layout, TableConfig, TableConfigError, Uncounted};
use conntrack::test_support::Random;
use conntrack::{FlowKey, FlowTable, HashKind, Hasher, LineTable};
use laws::keys;
use laws::tables::{Refusal, lives_like_a_map, only_full_refuses, survives_generations};

const KINDS: [HashKind; 3] = [HashKind::Keyed, HashKind::Crc, HashKind::Jhash];

fn hasher(kind: HashKind, seed: u64) -> Hasher {
    Hasher::new(kind, Random(seed).secret(), Features::detect())
}

fn table(entries: u32, hasher: Hasher) -> LineTable {
    laid_out(entries, hasher)
}

fn laid_out<L: Layout>(entries: u32, hasher: Hasher) -> LineTable<L> {
    LineTable::laid_out(TableConfig { entries, hasher }).expect("a valid size")
}

/// Returns keys that share one home line in a table of up to 1024 entries (576 lines), for any
/// hash.
fn crowded(hasher: &Hasher, count: usize) -> Vec<FlowKey> {
    keys::crowded(|key| hasher.hash(key), 600, count)
}

#[test]
fn keys_made_for_it_have_equal_crcs() {
    let keys = keys::equal_crc(65_540);
    for init in [0, 1, 0xdead_beef, u32::MAX] {
        let crc = hasher(HashKind::Crc, 1).with_init(init);
        assert!(keys.iter().all(|key| crc.hash(key) == crc.hash(&keys[0])));
    }
    assert!(keys[..65_536].iter().all(|key| key.dst_port() == 80), "towards one service");
    let distinct: std::collections::HashSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len());
}

#[test]
fn lives_like_a_map_with_random_keys() {
    for kind in KINDS {
        for (seed, entries) in [(1, 1), (2, 5), (3, 64), (4, 1000)] {
            // There are half as many keys again as fit, so the table is full for a part of the
            // time.
            let keys = keys::random(seed, entries * 3 / 2 + 2);
            let (counted, uncounted) = (hasher(kind, seed), hasher(kind, seed));
            let mut table = laid_out::<Counted>(entries as u32, counted);
            let refused = lives_like_a_map(&mut table, &keys, Refusal::OnlyFull, seed, 40_000);
            assert_eq!(refused, 0);
            let mut table = laid_out::<Uncounted>(entries as u32, uncounted);
            let refused = lives_like_a_map(&mut table, &keys, Refusal::OnlyFull, seed, 40_000);
            assert_eq!(refused, 0);
        }
    }
}

#[test]
fn lives_like_a_map_with_keys_of_one_home() {
    for kind in KINDS {
        for (seed, entries) in [(5, 7), (6, 64), (7, 1000)] {
            let hasher = hasher(kind, seed);
            let keys = crowded(&hasher, entries * 3 / 2);
            let mut table = table(entries as u32, hasher);
            lives_like_a_map(&mut table, &keys, Refusal::OnlyFull, seed, 20_000);
        }
    }
}

#[test]
fn lives_like_a_map_with_equal_crcs() {
    let keys = keys::equal_crc(30_000);
    let mut table = table(20_000, hasher(HashKind::Crc, 8));
    lives_like_a_map(&mut table, &keys, Refusal::OnlyFull, 8, 200_000);
}

#[test]
fn only_full_refuses_random_keys() {
    for entries in [1, 2, 3, 7, 1024, 65_536] {
        for seed in 0..4 {
            let keys = keys::random(seed, entries + 8);
            for kind in KINDS {
                only_full_refuses(&mut table(entries as u32, hasher(kind, seed)), &keys);
            }
        }
    }
}

/// A table takes 65,536 source ports of one pair of hosts, which all collide, as an attacker would
/// choose them.
#[test]
fn only_full_refuses_equal_crcs() {
    for entries in [1, 2, 3, 7, 1024, 65_536] {
        let keys = keys::equal_crc(entries + 8);
        for seed in 0..4 {
            only_full_refuses(&mut table(entries as u32, hasher(HashKind::Crc, seed)), &keys);
        }
    }
}

/// More keys lie behind one full line than its count can hold. The count is no longer exact then,
/// but no key is lost, even when all of them are removed and added again.
#[test]
fn a_saturated_count_loses_no_key() {
    let keys = keys::equal_crc(70_000);
    let mut table = table(70_000, hasher(HashKind::Crc, 9));
    for _ in 0..2 {
        for key in &keys {
            table.add(key).expect("there is room");
        }
        assert!(keys.iter().all(|key| table.lookup(key).is_some()));
        for key in &keys {
            assert!(table.delete(key).is_some());
            assert_eq!(table.lookup(key), None);
        }
        assert!(table.is_empty());
    }
}

#[test]
fn survives_many_generations() {
    for kind in KINDS {
        for entries in [3, 100, 1000] {
            let keys = keys::random(10, entries * 4);
            survives_generations(&mut table(entries as u32, hasher(kind, 10)), &keys, 200);
        }
        let hasher = hasher(kind, 11);
        let keys = crowded(&hasher, 400);
        survives_generations(&mut table(200, hasher), &keys, 100);
    }
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    for entries in [0, LineTable::MAX_ENTRIES + 1, u32::MAX] {
        let made = LineTable::new(TableConfig { entries, hasher: hasher(HashKind::Keyed, 1) });
        assert_eq!(made.err(), Some(TableConfigError::Entries(entries)));
    }
}

/// A burst's hashes are the hashes of its keys, with and without special instructions.
#[test]
fn bursts_hash_like_single_keys() {
    for seed in 12..44 {
        let keys = keys::random(seed, 64);
        for kind in KINDS {
            let secret = Random(seed).secret();
            let with = |features| Hasher::new(kind, secret, features).with_init(seed as u32 * 0x0101_0101);
            let (fast, slow) = (with(Features::detect()), with(Features::PORTABLE));
            let expected: Vec<u32> = keys.iter().map(|key| fast.hash(key)).collect();
            assert!(keys.iter().zip(&expected).all(|(key, hash)| slow.hash(key) == *hash));
            for count in 0..=keys.len() {
                for hasher in [&fast, &slow] {
                    let mut hashes = [0; 64];
                    hasher.hash_burst(&keys[..count], &mut hashes);
                    assert_eq!(hashes[..count], expected[..count], "{kind:?}, a burst of {count}");
                }
            }
        }
    }
}
