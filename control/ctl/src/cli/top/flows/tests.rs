use proptest::prelude::*;

use flowtracker_proto::key::FlowKeyV4;

use super::*;
use crate::cli::top::order::Column;

pub(in super::super) fn entry(dataplane: &str, src_port: u16, packets: u64, age_ms: u64) -> Entry {
    let key = FlowKey::V4(FlowKeyV4 {
        input_port: 1,
        src_addr: 0x0a00_0001,
        dst_addr: 0x0a00_0002,
        src_port,
        dst_port: 80,
        protocol: 6,
    });
    Entry {
        dataplane: dataplane.to_owned(),
        key: Some(key.to_proto()),
        packets,
        bytes: 100 * packets,
        idle_ms: age_ms / 2,
        created_ms_ago: age_ms,
        ..Entry::default()
    }
}

/// Runs a complete listing that begins and ends at `at` seconds.
pub(in super::super) fn list(flows: &mut Flows, at: u64, entries: &[Entry]) -> Listing {
    let at = Duration::from_secs(at);
    let mut round = flows.look(10, at);
    entries.iter().for_each(|entry| round.take(entry, at));
    round.finish(at)
}

const BY_PPS: Order = Order { column: Column::Pps, reversed: false };

fn src_port(row: &Row) -> u16 {
    row.key.widen().src_port
}

fn pps(listing: &Listing) -> Vec<(u16, Option<f64>)> {
    listing.rows(BY_PPS).iter().map(|row| (src_port(row), row.speed.map(|s| s.packets))).collect()
}

#[test]
fn a_rate_is_what_was_counted_since_the_last_look() {
    let mut flows = Flows::default();
    let first = list(&mut flows, 10, &[entry("a", 1, 100, 5_000), entry("a", 2, 500, 5_000)]);
    assert_eq!(pps(&first), [(1, None), (2, None)], "one look has no rates");
    let next = [
        entry("a", 1, 108, 9_000),
        entry("a", 2, 500, 9_000),
        // Created since.
        entry("a", 3, 80, 1_000),
        // On a data plane that was not there before.
        entry("b", 1, 1_000_000, 60_000),
    ];
    let second = list(&mut flows, 14, &next);
    assert_eq!(pps(&second), [(3, Some(20.0)), (1, Some(2.0)), (2, Some(0.0)), (1, None)]);
    let row = &second.rows(BY_PPS)[1];
    assert_eq!((row.speed.unwrap().bytes, row.packets, row.bytes), (200.0, 108, 10_800));
}

#[test]
fn a_flow_that_comes_again_counts_from_nothing() {
    let mut flows = Flows::default();
    list(&mut flows, 10, &[entry("a", 1, 100, 5_000), entry("a", 2, 100, 5_000)]);
    // One counter fell; the other flow is younger than the last listing.
    let again = list(&mut flows, 14, &[entry("a", 1, 40, 1_000), entry("a", 2, 200, 2_000)]);
    assert_eq!(pps(&again), [(2, Some(50.0)), (1, Some(10.0))]);
}

#[test]
fn what_is_not_listed_any_more_is_gone() {
    let mut flows = Flows::default();
    list(&mut flows, 10, &[entry("a", 1, 1, 5_000), entry("a", 2, 1, 5_000), entry("b", 1, 1, 5_000)]);
    let listing = list(&mut flows, 11, &[entry("a", 2, 1, 6_000)]);
    assert_eq!((pps(&listing), listing.flows), (vec![(2, Some(0.0))], 1));
    assert_eq!(flows.by_dataplane.len(), 1);
    assert_eq!(flows.by_dataplane["a"].len(), 1);
}

#[test]
fn a_look_that_is_given_up_takes_nothing_away() {
    let mut flows = Flows::default();
    list(&mut flows, 10, &[entry("a", 1, 100, 5_000), entry("a", 2, 100, 5_000)]);
    let mut cut = flows.look(10, Duration::from_secs(11));
    cut.take(&entry("a", 1, 110, 6_000), Duration::from_secs(11));
    drop(cut);
    let listing = list(&mut flows, 12, &[entry("a", 1, 130, 7_000), entry("a", 2, 120, 7_000)]);
    assert_eq!(pps(&listing), [(1, Some(20.0)), (2, Some(10.0))]);
}

#[test]
fn the_next_column_goes_round() {
    let mut order = Order { column: Column::Pps, reversed: true };
    let mut seen = Vec::new();
    for _ in Column::ALL {
        seen.push(order.column);
        order = order.next();
    }
    assert_eq!((seen, order), (Column::ALL.to_vec(), Order { column: Column::Pps, reversed: true }));
    for (at, order) in Order::all().enumerate() {
        assert_eq!(order.index(), at);
    }
}

proptest! {
    /// Oracle: all rows, sorted. Few values, so that most rows are equal in most columns.
    #[test]
    fn the_first_rows_are_those_of_the_whole_table_sorted(
        entries in proptest::collection::vec((0..60u16, 0..4u64, 0..4u64, prop::bool::ANY), 0..200),
        limit in 1..20usize,
    ) {
        let mut seen = std::collections::HashSet::new();
        let entries: Vec<Entry> = entries
            .into_iter()
            .filter(|(port, _, _, b)| seen.insert((*port, *b)))
            .map(|(port, packets, age, b)| entry(if b { "b" } else { "a" }, port, packets, age))
            .collect();
        let second = |limit| {
            let mut flows = Flows::default();
            let mut look = |at| {
                let mut round = flows.look(limit, at);
                entries.iter().for_each(|entry| round.take(entry, at));
                round.finish(at)
            };
            look(Duration::from_secs(1));
            look(Duration::from_secs(2))
        };
        let (all, few) = (second(1000), second(limit));
        let whole = all.rows(BY_PPS).to_vec();
        prop_assert_eq!(whole.len(), entries.len());
        for order in Order::all() {
            let mut sorted = whole.clone();
            sorted.sort_by(|a, b| order.compare(a, b));
            sorted.truncate(limit);
            let value = |row: &Row| match order.column {
                Column::Packets => Some(row.packets),
                Column::Age => Some(row.age_ms),
                _ => None,
            };
            let key = |row: &Row| (row.dataplane.clone(), row.key);
            let in_order = |a: &Row, b: &Row| match (value(a), value(b)) {
                (Some(x), Some(y)) if x != y => (x > y) != order.reversed,
                (Some(_), Some(_)) => key(a) < key(b),
                _ => true,
            };
            prop_assert!(sorted.windows(2).all(|pair| in_order(&pair[0], &pair[1])), "{:?}", order);
            let keys = |rows: &[Row]| rows.iter().map(key).collect::<Vec<_>>();
            prop_assert_eq!(keys(few.rows(order)), keys(&sorted));
        }
    }
}
