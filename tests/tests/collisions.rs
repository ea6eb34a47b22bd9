//! Flows that an attacker chose to collide: the product's table takes them all, and librte_hash
//! does not.
//!
//! The tests measure no time, but no operation may take long: for any keys, an insertion, a lookup
//! and a removal visit at most 128 lines (`MAX_PROBES` of `table/lines.rs`). All the flows share
//! their home line. After it each flow has its own sequence of lines, which depends on the secret,
//! so that none comes close to that bound.

use conntrack::arch::Features;
use conntrack::table::{BULK, TableConfig};
use conntrack::{FlowKey, FlowTable, HashKind, Hasher, LineTable, Pos, TableFull};
use dpdk::hash::HashFunction;
use flowtracker_tests::collisions;
use flowtracker_tests::rte_table::RteTable;

/// The places of an `rte_hash` for keys of one hash: two buckets of eight.
const TWO_BUCKETS: usize = 16;
/// A table that all collisions of one service fill, and one in which they are few.
const SIZES: [u32; 2] = [1 << 16, 1 << 20];
/// Initial values of the hash functions.
const INITS: [u32; 3] = [0, u32::MAX, 0xdead_beef];

fn table(entries: u32, hasher: Hasher) -> LineTable {
    LineTable::new(TableConfig { entries, hasher }).expect("a valid size")
}

/// Checks which of the keys bulk lookups find, each at its given place, and returns their number.
fn found(table: &LineTable, keys: &[FlowKey], places: &[Pos]) -> usize {
    let mut found = 0;
    for (keys, places) in keys.chunks(BULK).zip(places.chunks(BULK)) {
        let (mut hashes, mut out) = ([0; BULK], [Pos(u32::MAX); BULK]);
        table.hash_burst(keys, &mut hashes);
        let hits = table.lookup_burst(keys, &hashes, &mut out);
        for (i, (key, place)) in keys.iter().zip(places).enumerate() {
            let hit = (hits >> i & 1 == 1).then_some(out[i]);
            assert_eq!(hit, table.lookup(key), "{key}");
            assert!(hit.is_none_or(|pos| pos == *place), "{key} was moved");
            found += usize::from(hit.is_some());
        }
    }
    found
}

/// Checks that all of the keys are taken, found and removed, the first ones first.
fn takes_finds_and_removes(table: &mut LineTable, keys: &[FlowKey]) {
    let places: Vec<Pos> = keys
        .iter()
        .map(|key| table.add(key).unwrap_or_else(|full| panic!("{full} with {} entries", table.len())))
        .collect();
    assert_eq!(table.len() as usize, keys.len());
    assert_eq!(found(table, keys, &places), keys.len());
    // At most 0.6 of the lines are ever full, so an entry lies beyond 60 of them once in 10^13
    // times.
    let farthest = places.iter().map(|pos| table.displacement(*pos).expect("it is there")).max();
    assert!(farthest < Some(60), "{farthest:?} lines away from home");
    let half = keys.len() / 2;
    for (key, place) in keys[..half].iter().zip(&places) {
        assert_eq!(table.delete(key), Some(*place));
    }
    assert_eq!(found(table, &keys[..half], &places), 0);
    assert_eq!(found(table, &keys[half..], &places[half..]), keys.len() - half);
    for (key, place) in keys[half..].iter().zip(&places[half..]) {
        assert_eq!(table.delete(key), Some(*place));
    }
    assert_eq!(found(table, keys, &places), 0);
    assert!(table.is_empty());
}

#[test]
fn flows_of_one_crc_are_taken_found_and_removed() {
    let flows = collisions::crc(collisions::PER_SERVICE);
    for entries in SIZES {
        for (secret, init) in (1..).zip(INITS) {
            let hasher = Hasher::new(HashKind::Crc, [secret; 32], Features::detect()).with_init(init);
            assert!(flows.iter().all(|key| hasher.hash(key) == hasher.hash(&flows[0])));
            takes_finds_and_removes(&mut table(entries, hasher), &flows);
        }
    }
}

/// An `rte_hash` refuses the 17th key and all keys after it, in an empty table of any size and for
/// every initial value.
#[test]
fn an_rte_hash_refuses_the_17th_flow_of_one_crc() {
    let flows = collisions::crc(collisions::PER_SERVICE);
    for entries in SIZES {
        for init in INITS {
            let mut table = RteTable::new(entries, HashFunction::Crc, init);
            let taken: Vec<bool> = flows.iter().map(|key| table.add(key) != Err(TableFull)).collect();
            assert!(taken[..TWO_BUCKETS].iter().all(|taken| *taken));
            assert!(!taken[TWO_BUCKETS..].iter().any(|taken| *taken));
            assert_eq!(table.len() as usize, TWO_BUCKETS);
        }
    }
}

/// Flows of one line fill the whole table, for every hash function, even if the attacker knows its
/// secret.
#[test]
fn flows_of_one_line_are_taken_found_and_removed() {
    for kind in [HashKind::Keyed, HashKind::Crc, HashKind::Jhash] {
        for entries in [1, 3, 64, 1000, 4096] {
            let hasher = Hasher::new(kind, [7; 32], Features::detect());
            let mut table = table(entries, hasher.clone());
            let flows = collisions::in_one_line(&hasher, table.lines(), entries as usize + 1);
            takes_finds_and_removes(&mut table, &flows[..entries as usize]);
            for key in &flows[..entries as usize] {
                assert!(table.add(key).is_ok());
            }
            assert_eq!(table.add(&flows[entries as usize]), Err(TableFull), "{kind:?}, {entries} entries");
        }
    }
}
