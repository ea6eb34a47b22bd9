//! Laws of a flow table, judged by a `HashMap`.

use std::array;
use std::collections::{HashMap, HashSet};

use conntrack::entry::{Counts, Mark};
use conntrack::table::{ALL_STEPS, BULK, HashOf, Packets, Refresh};
use conntrack::test_support::Random;
use conntrack::{FlowTable, Pos, TableFull, Tick};

use super::keys::TestKey;

/// When a table may refuse a new key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// Only when it holds as many entries as it may.
    OnlyFull,
    /// Also earlier, when a key's buckets are full.
    AlsoCrowded,
}

/// The entries that a table should hold: position, stamp and mark by key.
type Expected<K> = HashMap<K, (Pos, Tick, Mark)>;

/// Runs random operations on a table, and checks that it answers each as a `HashMap` does. The
/// share of additions varies, so the table becomes full and empty. Returns the number of additions
/// that were refused although there was room.
pub(crate) fn lives_like_a_map<K: TestKey, T: FlowTable<Key = K>>(
    table: &mut T,
    keys: &[K],
    refusal: Refusal,
    seed: u64,
    operations: usize,
) -> usize {
    let mut random = Random(seed);
    let mut map = Expected::new();
    let mut refused_early = 0;
    for turn in 0..operations {
        let key = keys[random.below(keys.len())];
        let swing = turn * 8 / operations % 2 * 40;
        match random.below(100) {
            op if op < 20 + swing => match table.add(&key) {
                Ok(pos) => {
                    let fresh = (pos, Tick(random.bits() as u32), some_mark(&mut random));
                    match map.get(&key) {
                        Some(&(at, ..)) => assert_eq!(pos, at, "an add of {key:?} that is there moved it"),
                        None => {
                            assert!(map.len() < table.capacity() as usize, "more than fits");
                            assert_eq!(table.mark(pos), Mark::default(), "an old mark on a new entry");
                            table.set_stamp(pos, fresh.1);
                            table.set_mark(pos, fresh.2);
                            let counts = counts_of(table, &key);
                            if let Some(kept) = table.counts_mut(pos) {
                                *kept = counts;
                            }
                            map.insert(key, fresh);
                        }
                    }
                }
                Err(TableFull) => {
                    assert!(!map.contains_key(&key), "{key:?} is there");
                    if map.len() < table.capacity() as usize {
                        assert_eq!(
                            refusal,
                            Refusal::AlsoCrowded,
                            "refused {key:?} with {} entries",
                            map.len()
                        );
                        refused_early += 1;
                    }
                }
            },
            op if op < 70 => {
                let was = map.remove(&key).map(|(pos, ..)| pos);
                assert_eq!(table.delete(&key), was);
            }
            op if op < 80 => {
                if let Some((pos, stamp, mark)) = map.get_mut(&key) {
                    *stamp = Tick(random.bits() as u32);
                    *mark = some_mark(&mut random);
                    table.set_stamp(*pos, *stamp);
                    table.set_mark(*pos, *mark);
                }
            }
            op if op < 90 => {
                assert_eq!(table.lookup(&key), map.get(&key).map(|&(pos, ..)| pos));
                assert_eq!(table.lookup_with_hash(&key, table.hash(&key)), table.lookup(&key));
            }
            _ => {
                let burst: Vec<K> =
                    (0..random.below(BULK + 1)).map(|_| keys[random.below(keys.len())]).collect();
                bulk_agrees(table, &burst, &map);
                let counting = random.below(2) == 1;
                let refresh = Refresh { stamp: Tick(random.bits() as u32), counting };
                probe_agrees(table, &burst, &mut map, refresh);
            }
        }
        assert_eq!(table.len() as usize, map.len());
        if turn % (operations / 16).max(1) == 0 {
            holds_exactly(table, &map);
        }
    }
    holds_exactly(table, &map);
    for key in map.keys() {
        assert!(table.delete(key).is_some());
    }
    is_empty_and_whole(table, keys);
    refused_early
}

/// Returns a random mark. Half of the marks say that nothing is to be reported.
fn some_mark(random: &mut Random) -> Mark {
    let bits = random.bits();
    Mark(if bits >> 32 & 1 == 1 { bits as u16 } else { bits as u16 & 0xff })
}

/// Returns the counts that this key's entry has in a table that keeps counters.
fn counts_of<K: TestKey, T: FlowTable<Key = K>>(table: &T, key: &K) -> Counts {
    let hash = u64::from(K::home(table.hash(key)));
    Counts { packets: 1 + hash, bytes: !hash }
}

/// Checks that a bulk lookup finds what single lookups find.
fn bulk_agrees<K: TestKey, T: FlowTable<Key = K>>(table: &T, burst: &[K], map: &Expected<K>) {
    let (mut hashes, mut places) = ([HashOf::<T>::default(); BULK], [Pos(u32::MAX); BULK]);
    table.hash_burst(burst, &mut hashes);
    let found = table.lookup_burst(burst, &hashes, &mut places);
    assert_eq!(found.checked_shr(burst.len() as u32).unwrap_or(0), 0, "found a key that was not asked");
    for (i, key) in burst.iter().enumerate() {
        assert_eq!(hashes[i], table.hash(key));
        let place = (found >> i & 1 == 1).then_some(places[i]);
        assert_eq!(place, map.get(key).map(|&(pos, ..)| pos), "key {i} of {}", burst.len());
    }
}

/// Checks a probe. It stamps the entries that a bulk lookup finds, and counts them if `refresh`
/// says so, except those whose mark has a bit in its upper byte.
fn probe_agrees<K: TestKey, T: FlowTable<Key = K>>(
    table: &mut T,
    burst: &[K],
    map: &mut Expected<K>,
    refresh: Refresh,
) {
    let mut hashes = [HashOf::<T>::default(); BULK];
    table.hash_burst(burst, &mut hashes);
    let mut vacancies = Vec::new();
    let lens: [u32; BULK] = array::from_fn(|i| 60 + i as u32);
    let packets = |count| Packets { keys: &burst[..count], hashes: &hashes[..count], lens: &lens[..count] };
    // For each entry, the counts that it had, and the counts that the probe must give it.
    let mut counts: HashMap<u32, [Counts; 2]> = HashMap::new();
    for (key, len) in burst.iter().zip(lens) {
        let Some((pos, _, mark)) = map.get(key) else { continue };
        if let Some(kept) = table.counts_mut(*pos) {
            let [_, expected] = counts.entry(pos.0).or_insert([*kept, Counts::default()]);
            if refresh.counting && mark.0 >> 8 == 0 {
                expected.packets += 1;
                expected.bytes += u64::from(len);
            }
            *kept = Counts::default();
        }
    }
    // The probe has two parts, as a tracker probes the bursts of two ports.
    let first = burst.len() / 3;
    let next = &hashes[first..burst.len()];
    let mut hits = table.probe_burst(packets(first), 0, refresh, next, |pos| vacancies.push(pos));
    assert_eq!(hits.checked_shr(first as u32).unwrap_or(0), 0, "a hit that was not asked for");
    hits |= table.probe_displaced(packets(first), 1, refresh);
    hits |= table.probe_burst(packets(burst.len()), first, refresh, &[], |pos| vacancies.push(pos));
    hits |= table.probe_displaced(packets(burst.len()), ALL_STEPS, refresh);
    assert_eq!(hits.checked_shr(burst.len() as u32).unwrap_or(0), 0, "a hit that was not asked for");
    for (i, key) in burst.iter().enumerate() {
        let mut expected = false;
        if let Some((pos, was, mark)) = map.get_mut(key) {
            if mark.0 >> 8 == 0 {
                (*was, expected) = (refresh.stamp, true);
            }
            assert_eq!(table.stamp(*pos), *was, "key {i} of {}", burst.len());
        }
        assert_eq!(hits >> i & 1 == 1, expected, "key {i} of {}", burst.len());
    }
    // The vacancies are places for new entries: at most one per packet, and none in a full table.
    assert!(vacancies.iter().all(|pos| pos.0 < table.positions()));
    assert!(vacancies.len() <= if table.len() < table.capacity() { burst.len() } else { 0 });
    for (pos, [before, expected]) in counts {
        assert_eq!(table.counts(Pos(pos)), expected, "{:?}", refresh.counting);
        table.counts_mut(Pos(pos)).into_iter().for_each(|kept| *kept = before);
    }
}

/// Checks that iteration meets exactly these entries, each once, and that reads agree with it.
fn holds_exactly<K: TestKey, T: FlowTable<Key = K>>(table: &T, map: &Expected<K>) {
    let mut met = HashSet::new();
    let (mut next, mut count) = (0, 0);
    while let Some((pos, key)) = table.iterate(&mut next) {
        assert!(pos.0 < table.positions());
        assert!(met.insert(key), "{key:?} met twice");
        assert_eq!(map.get(&key), Some(&(pos, table.stamp(pos), table.mark(pos))), "{key:?}");
        assert_eq!(table.key_at(pos), Some(key));
        assert!([counts_of(table, &key), Counts::default()].contains(&table.counts(pos)), "{key:?}");
        count += 1;
    }
    assert_eq!(count, map.len());
    assert_eq!(table.len() as usize, map.len());
    assert_eq!(table.is_empty(), map.is_empty());
}

/// Checks that the table has no entry and no occupied position, and that it finds none of these
/// keys.
pub(crate) fn is_empty_and_whole<K: TestKey, T: FlowTable<Key = K>>(table: &T, absent: &[K]) {
    assert!(table.is_empty());
    assert_eq!(table.iterate(&mut 0), None);
    assert!((0..table.positions()).all(|pos| table.key_at(Pos(pos)).is_none()));
    for burst in absent.chunks(BULK) {
        assert!(burst.iter().all(|key| table.lookup(key).is_none()));
        bulk_agrees(table, burst, &Expected::new());
    }
}

/// Checks that a table takes as many keys as it may hold, refuses the next, and takes one after
/// each removal. `keys` must have at least capacity + 1 elements. The table is empty afterwards.
pub(crate) fn only_full_refuses<K: TestKey, T: FlowTable<Key = K>>(table: &mut T, keys: &[K]) {
    let capacity = table.capacity() as usize;
    let (fitting, more) = keys.split_at(capacity);
    let mut places = HashSet::with_capacity(capacity);
    for (i, key) in fitting.iter().enumerate() {
        let pos = table.add(key).unwrap_or_else(|full| panic!("{full} with {i} of {capacity} entries"));
        assert!(places.insert(pos.0), "one place for two keys");
    }
    assert_eq!(table.len() as usize, capacity);
    assert_eq!(table.add(&more[0]), Err(TableFull));
    assert_eq!(table.add(&fitting[0]).ok(), table.lookup(&fitting[0]), "a key that is there needs no room");
    assert!(fitting.iter().all(|key| table.lookup(key).is_some()));
    // Each of three keys, the first, a middle and the last one added, makes room in turn.
    for gone in [0, capacity / 2, capacity - 1] {
        assert!(table.delete(&fitting[gone]).is_some());
        assert_eq!(table.lookup(&fitting[gone]), None);
        assert!(table.add(&more[0]).is_ok());
        assert_eq!(table.add(&fitting[gone]), Err(TableFull));
        assert!(table.delete(&more[0]).is_some());
        assert!(table.add(&fitting[gone]).is_ok());
    }
    for key in fitting {
        assert!(table.delete(key).is_some());
    }
    is_empty_and_whole(table, keys);
}

/// Sends many generations of keys through one table, of which half is renewed each time. Checks
/// that no key is lost, and that removed keys are not found.
pub(crate) fn survives_generations<K: TestKey, T: FlowTable<Key = K>>(
    table: &mut T,
    keys: &[K],
    generations: usize,
) {
    let capacity = table.capacity() as usize;
    let mut random = Random(capacity as u64);
    let mut present: Vec<K> = Vec::new();
    let mut fresh = keys.iter().copied().cycle();
    let mut set: HashSet<K> = HashSet::new();
    for _ in 0..generations {
        while present.len() < capacity {
            let key = fresh.next().expect("an endless cycle");
            if set.insert(key) {
                table.add(&key).expect("only a full table refuses");
                present.push(key);
            }
        }
        for _ in 0..capacity.div_ceil(2) {
            let gone = present.swap_remove(random.below(present.len()));
            set.remove(&gone);
            assert!(table.delete(&gone).is_some());
        }
        assert_eq!(table.len() as usize, set.len());
        assert!(keys.iter().all(|key| table.lookup(key).is_some() == set.contains(key)));
    }
    for key in present {
        assert!(table.delete(&key).is_some());
    }
    is_empty_and_whole(table, keys);
}
