//! Compares our table with a `HashMap`: random keys, keys that all collide, and every hash, for the
//! keys of both families.

mod laws;

use std::collections::HashSet;

use conntrack::arch::Features;
use conntrack::hash::KeyHasher as _;
use conntrack::table::{Counted, Layout, TableConfig, TableConfigError, Uncounted};
use conntrack::test_support::Random;
use conntrack::{FlowKey, FlowKeyV6, FlowTable, HashKind, Hasher, HasherV6, LineTable};
use laws::keys::{self, TestKey};
use laws::tables::{Refusal, lives_like_a_map, only_full_refuses, survives_generations};

const KINDS: [HashKind; 3] = [HashKind::Keyed, HashKind::Crc, HashKind::Jhash];

fn hasher<K: TestKey>(kind: HashKind, seed: u64) -> K::Hasher {
    K::hasher(kind, keys::secret_v6(seed), Features::detect())
}

fn table<K: TestKey>(entries: u32, hasher: K::Hasher) -> LineTable<Counted, K> {
    laid_out(entries, hasher)
}

fn laid_out<L: Layout, K: TestKey>(entries: u32, hasher: K::Hasher) -> LineTable<L, K> {
    LineTable::laid_out(TableConfig { entries, hasher }).expect("a valid size")
}

/// Returns keys that share one home line in a table of up to 1024 entries (576 lines), for any
/// hash.
fn crowded<K: TestKey>(hasher: &K::Hasher, count: usize) -> Vec<K> {
    keys::crowded(|key| K::home(hasher.hash(key)), 600, count)
}

/// Makes a test of a law for the keys of each family.
macro_rules! for_both {
    ($($(#[$about:meta])* $law:ident)*) => {
        $($(#[$about])* mod $law {
            #[test]
            fn ipv4() {
                super::of::$law::<conntrack::FlowKey>();
            }

            #[test]
            fn ipv6() {
                super::of::$law::<conntrack::FlowKeyV6>();
            }
        })*
    };
}

for_both! {
    lives_like_a_map_with_random_keys
    lives_like_a_map_with_keys_of_one_home
    lives_like_a_map_with_equal_crcs
    only_full_refuses_random_keys
    only_full_refuses_equal_crcs
    a_saturated_count_loses_no_key
    survives_many_generations
}

#[test]
fn keys_made_for_it_have_equal_crcs() {
    let keys = keys::equal_crc(65_540);
    for init in [0, 1, 0xdead_beef, u32::MAX] {
        let crc = hasher::<FlowKey>(HashKind::Crc, 1).with_init(init);
        assert!(keys.iter().all(|key| crc.hash(key) == crc.hash(&keys[0])));
    }
    assert!(keys[..65_536].iter().all(|key| key.dst_port() == 80), "towards one service");
    let distinct: HashSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len());
    let keys = keys::equal_crc_v6(65_540);
    for init in [0, 1, 0xdead_beef, u32::MAX] {
        let crc = hasher::<FlowKeyV6>(HashKind::Crc, 1).with_init(init);
        assert!(keys.iter().all(|key| crc.hash(key).home() == crc.hash(&keys[0]).home()));
    }
    let distinct: HashSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len());
}

/// The laws, for the keys of any family.
mod of {
    use super::*;

    pub(super) fn lives_like_a_map_with_random_keys<K: TestKey>() {
        for kind in KINDS {
            for (seed, entries) in [(1, 1), (2, 5), (3, 64), (4, 1000)] {
                // There are half as many keys again as fit, so the table is full for a part of the
                // time.
                let keys = keys::random::<K>(seed, entries * 3 / 2 + 2);
                let (counted, uncounted) = (hasher::<K>(kind, seed), hasher::<K>(kind, seed));
                let mut table = laid_out::<Counted, K>(entries as u32, counted);
                let refused = lives_like_a_map(&mut table, &keys, Refusal::OnlyFull, seed, 40_000);
                assert_eq!(refused, 0);
                let mut table = laid_out::<Uncounted, K>(entries as u32, uncounted);
                let refused = lives_like_a_map(&mut table, &keys, Refusal::OnlyFull, seed, 40_000);
                assert_eq!(refused, 0);
            }
        }
    }

    pub(super) fn lives_like_a_map_with_keys_of_one_home<K: TestKey>() {
        for kind in KINDS {
            for (seed, entries) in [(5, 7), (6, 64), (7, 1000)] {
                let hasher = hasher::<K>(kind, seed);
                let keys = crowded::<K>(&hasher, entries * 3 / 2);
                let mut table = table::<K>(entries as u32, hasher);
                lives_like_a_map(&mut table, &keys, Refusal::OnlyFull, seed, 20_000);
            }
        }
    }

    pub(super) fn lives_like_a_map_with_equal_crcs<K: TestKey>() {
        let keys = K::equal_crc(30_000);
        let mut table = table(20_000, hasher::<K>(HashKind::Crc, 8));
        lives_like_a_map(&mut table, &keys, Refusal::OnlyFull, 8, 200_000);
    }

    pub(super) fn only_full_refuses_random_keys<K: TestKey>() {
        for entries in [1, 2, 3, 7, 1024, 65_536] {
            for seed in 0..4 {
                let keys = keys::random::<K>(seed, entries + 8);
                for kind in KINDS {
                    only_full_refuses(&mut table(entries as u32, hasher::<K>(kind, seed)), &keys);
                }
            }
        }
    }

    /// A table takes 65,536 source ports of one pair of hosts, which all collide, as an attacker would
    /// choose them.
    pub(super) fn only_full_refuses_equal_crcs<K: TestKey>() {
        for entries in [1, 2, 3, 7, 1024, 65_536] {
            let keys = K::equal_crc(entries + 8);
            for seed in 0..4 {
                only_full_refuses(&mut table(entries as u32, hasher::<K>(HashKind::Crc, seed)), &keys);
            }
        }
    }

    /// More keys lie behind one full line than its count can hold. The count is no longer exact then,
    /// but no key is lost, even when all of them are removed and added again.
    pub(super) fn a_saturated_count_loses_no_key<K: TestKey>() {
        let keys = K::equal_crc(70_000);
        let mut table = table(70_000, hasher::<K>(HashKind::Crc, 9));
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

    pub(super) fn survives_many_generations<K: TestKey>() {
        for kind in KINDS {
            for entries in [3, 100, 1000] {
                let keys = keys::random::<K>(10, entries * 4);
                survives_generations(&mut table(entries as u32, hasher::<K>(kind, 10)), &keys, 200);
            }
            let hasher = hasher::<K>(kind, 11);
            let keys = crowded::<K>(&hasher, 400);
            survives_generations(&mut table::<K>(200, hasher), &keys, 100);
        }
    }
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    for entries in [0, LineTable::MAX_ENTRIES + 1, u32::MAX] {
        let made = LineTable::new(TableConfig { entries, hasher: hasher::<FlowKey>(HashKind::Keyed, 1) });
        assert_eq!(made.err(), Some(TableConfigError::Entries(entries)));
    }
}

/// A burst's hashes are the hashes of its keys, with and without special instructions.
#[test]
fn bursts_hash_like_single_keys() {
    for seed in 12..44 {
        for kind in KINDS {
            let init = seed as u32 * 0x0101_0101;
            let secret = Random(seed).secret();
            let with = |features| Hasher::new(kind, secret, features).with_init(init);
            hash_alike::<FlowKey>(seed, Features::all_present().map(with));
            let with = |features| HasherV6::new(kind, keys::secret_v6(seed), features).with_init(init);
            hash_alike::<FlowKeyV6>(seed, Features::all_present().map(with));
        }
    }
}

fn hash_alike<K: TestKey>(seed: u64, hashers: [K::Hasher; 3]) {
    let keys = keys::random::<K>(seed, 64);
    let expected: Vec<K::Hash> = keys.iter().map(|key| hashers[0].hash(key)).collect();
    for hasher in hashers {
        assert!(keys.iter().zip(&expected).all(|(key, hash)| hasher.hash(key) == *hash));
        for count in 0..=keys.len() {
            let mut hashes = [K::Hash::default(); 64];
            hasher.hash_burst(&keys[..count], &mut hashes);
            assert_eq!(hashes[..count], expected[..count], "a burst of {count}");
        }
    }
}
