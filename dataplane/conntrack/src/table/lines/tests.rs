//! What the counts of passed entries add up to, and the figures that the documentation gives.

use super::*;
use crate::arch::Features;
use crate::hash::{HashKind, Hasher};
use crate::key::TCP;
use crate::table::FlowTable as _;
use crate::table::line::Line;
use core::net::Ipv4Addr;
use std::vec::Vec;

fn lines(table: &LineTable) -> impl Iterator<Item = &Line> {
    (0..table.line_count()).map(|at| table.line(at))
}

/// What an entry counted in the lines that it passed is taken back when it goes, so that lookups do
/// not get longer with the table's age: a full table whose entries come and go is after 80
/// generations what it was after a few.
#[test]
fn removals_take_their_counts_back() {
    const ENTRIES: u32 = 600;
    for kind in [HashKind::Keyed, HashKind::Crc, HashKind::Jhash] {
        let hasher = Hasher::new(kind, [1; 32], Features::detect());
        let mut table = LineTable::new(TableConfig { entries: ENTRIES, hasher }).expect("a valid size");
        let mut present: Vec<FlowKey> = Vec::new();
        let mut passed = [0u64; 5];
        for turn in 0..50_000u32 {
            let key = FlowKey::new(1, Ipv4Addr::from(turn), Ipv4Addr::new(10, 0, 0, 2), TCP, 1, 2);
            if present.len() == ENTRIES as usize {
                // Now one of the old ones, now one of the young ones.
                let gone = present.swap_remove(turn.wrapping_mul(0x9e37_79b9) as usize % present.len());
                assert!(table.delete(&gone).is_some());
            }
            table.add(&key).expect("there is room");
            present.push(key);
            passed[turn as usize / 10_000] += lines(&table).map(|line| u64::from(line.passed())).sum::<u64>();
        }
        assert!(0 < passed[1] && passed[4] < passed[1] * 5 / 4, "{kind:?}: {passed:?}");
        for key in present {
            assert!(table.delete(&key).is_some());
        }
        assert!(lines(&table).all(Line::is_untouched));
    }
}

/// The figures that the documentation gives: hot bytes per entry, and how many further lines an
/// entry at full capacity stands for, when the table is fresh and when it has long been kept full
/// by flows that come and go.
#[test]
fn the_documented_figures_hold() {
    const ENTRIES: u32 = 50_000;
    let hasher = Hasher::new(HashKind::Keyed, [1; 32], Features::detect());
    let mut table = LineTable::new(TableConfig { entries: ENTRIES, hasher }).expect("a valid size");
    assert!(table.hot_bytes() as f64 / f64::from(ENTRIES) < 36.0);
    let key = |n: u32| FlowKey::new(1, Ipv4Addr::from(n), Ipv4Addr::new(10, 0, 0, 2), TCP, 1, 2);
    let further = |table: &LineTable| {
        lines(table).map(|line| f64::from(line.passed())).sum::<f64>() / f64::from(ENTRIES)
    };
    for n in 0..ENTRIES {
        table.add(&key(n)).expect("there is room");
    }
    let fresh = further(&table);
    // First in, first out: ten times the table's content.
    for n in ENTRIES..ENTRIES * 11 {
        assert!(table.delete(&key(n - ENTRIES)).is_some());
        table.add(&key(n)).expect("there is room");
    }
    let worn = further(&table);
    // The displacements of the entries add up to what the lines have counted.
    let displaced: u32 = (0..table.positions()).filter_map(|pos| table.displacement(Pos(pos))).sum();
    assert_eq!(f64::from(displaced) / f64::from(ENTRIES), worn);
    assert!((0.13..0.16).contains(&fresh) && (0.42..0.50).contains(&worn), "{fresh} fresh, {worn} worn");
}
