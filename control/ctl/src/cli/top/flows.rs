//! The flows of one listing after another: how fast each is, and which come first.
//!
//! A table may hold a million entries. Of each, only what its rates need is kept
//! until the next listing; rows are made for the few that come first in some order.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use flowtracker_proto::v1::Entry;
use hashbrown::HashMap;

use flowtracker_proto::key::FlowKey;

/// What rows can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Column {
    /// Packets a second
    Pps,
    /// Bytes a second
    #[value(name = "Bps", alias = "bps")]
    Bps,
    /// Packets since creation
    Packets,
    /// Bytes since creation
    Bytes,
    /// Time since creation
    Age,
    /// Time since the last packet
    Idle,
}

impl Column {
    const ALL: [Self; 6] = [Self::Pps, Self::Bps, Self::Packets, Self::Bytes, Self::Age, Self::Idle];
}

/// A column, and where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) column: Column,
    /// The smallest first, instead of the largest.
    pub(super) reversed: bool,
}

impl Order {
    /// The same direction by the next column.
    pub(super) fn next(self) -> Self {
        let at = self.column as usize + 1;
        Self { column: Column::ALL[at % Column::ALL.len()], ..self }
    }

    fn all() -> impl Iterator<Item = Self> {
        let both = |column| [false, true].map(|reversed| Self { column, reversed });
        Column::ALL.into_iter().flat_map(both)
    }

    /// Place of this order among all.
    fn index(self) -> usize {
        2 * self.column as usize + usize::from(self.reversed)
    }

    /// Equal rows go by data plane and key, so that they do not jump about.
    fn compare(self, a: &Row, b: &Row) -> Ordering {
        let value = match self.column {
            Column::Pps => a.pps().total_cmp(&b.pps()),
            Column::Bps => a.bps().total_cmp(&b.bps()),
            Column::Packets => a.packets.cmp(&b.packets),
            Column::Bytes => a.bytes.cmp(&b.bytes),
            Column::Age => a.age_ms.cmp(&b.age_ms),
            Column::Idle => a.idle_ms.cmp(&b.idle_ms),
        };
        let value = if self.reversed { value } else { value.reverse() };
        value.then_with(|| (&a.dataplane, a.key).cmp(&(&b.dataplane, b.key)))
    }
}

/// Per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Speed {
    pub(super) packets: f64,
    pub(super) bytes: f64,
}

/// A flow as it was when it was listed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) dataplane: Arc<str>,
    pub(super) key: FlowKey,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    /// `None` when it was seen for the first time and is older than that.
    pub(super) speed: Option<Speed>,
    pub(super) idle_ms: u64,
    pub(super) age_ms: u64,
}

impl Row {
    fn pps(&self) -> f64 {
        self.speed.map_or(-1.0, |speed| speed.packets)
    }

    fn bps(&self) -> f64 {
        self.speed.map_or(-1.0, |speed| speed.bytes)
    }
}

/// The rows that come first in one order, of many that are offered.
#[derive(Debug)]
struct First {
    order: Order,
    limit: usize,
    /// The first ones so far, in no order, and up to as many again that may not be.
    rows: Vec<Row>,
    /// Some row that is not before the last of the first ones.
    bar: Option<Row>,
}

impl First {
    fn offer(&mut self, row: &Row) {
        if self.bar.as_ref().is_some_and(|bar| self.order.compare(bar, row).is_lt()) {
            return;
        }
        self.rows.push(row.clone());
        if self.rows.len() >= 2 * self.limit {
            let (_, last, _) =
                self.rows.select_nth_unstable_by(self.limit - 1, |a, b| self.order.compare(a, b));
            self.bar = Some(last.clone());
            self.rows.truncate(self.limit);
        }
    }

    fn sorted(mut self) -> Vec<Row> {
        self.rows.sort_by(|a, b| self.order.compare(a, b));
        self.rows.truncate(self.limit);
        self.rows
    }
}

/// One complete look at the table.
#[derive(Debug)]
pub(super) struct Listing {
    firsts: Vec<Vec<Row>>,
    /// Flows that were listed.
    pub(super) flows: u64,
    /// When it began.
    pub(super) since: Duration,
    /// When it was complete.
    pub(super) until: Duration,
}

impl Listing {
    /// The rows that come first in this order.
    pub(super) fn rows(&self, order: Order) -> &[Row] {
        &self.firsts[order.index()]
    }
}

/// What is kept of a flow.
struct Flow {
    packets: u64,
    bytes: u64,
    at: Duration,
    /// The round that saw it last.
    round: u64,
}

/// All flows that were there at the last listing. Times are on any clock that does not go back.
#[derive(Default)]
pub(super) struct Flows {
    by_dataplane: HashMap<Arc<str>, HashMap<FlowKey, Flow>>,
    round: u64,
    /// When the last complete round began.
    listed: Option<Duration>,
}

impl Flows {
    /// Begins to look at the whole table, for the first `limit` rows in every order.
    pub(super) fn look(&mut self, limit: usize, now: Duration) -> Round<'_> {
        self.round += 1;
        let limit = limit.max(1);
        let firsts = Order::all().map(|order| First { order, limit, rows: Vec::new(), bar: None }).collect();
        Round { flows: self, firsts, listed: 0, since: now }
    }
}

/// A look at the table. One that is given up leaves the flows as it has found them.
pub(super) struct Round<'a> {
    flows: &'a mut Flows,
    firsts: Vec<First>,
    listed: u64,
    since: Duration,
}

impl Round<'_> {
    /// An entry, as it came at `now`.
    pub(super) fn take(&mut self, entry: &Entry, now: Duration) {
        // The service names every key in full.
        let Ok(key) = FlowKey::from_proto(entry.key.as_ref(), "key") else { return };
        let Flows { by_dataplane, round, listed } = &mut *self.flows;
        let dataplane = match by_dataplane.get_key_value(entry.dataplane.as_str()) {
            Some((name, _)) => name.clone(),
            None => Arc::from(entry.dataplane.as_str()),
        };
        let known = by_dataplane.entry(dataplane.clone()).or_default();
        let flow = Flow { packets: entry.packets, bytes: entry.bytes, at: now, round: *round };
        let before = known.insert(key, flow);
        let row = Row {
            dataplane,
            key,
            packets: entry.packets,
            bytes: entry.bytes,
            speed: speed(entry, now, before.as_ref(), *listed),
            idle_ms: entry.idle_ms,
            age_ms: entry.created_ms_ago,
        };
        self.firsts.iter_mut().for_each(|first| first.offer(&row));
        self.listed += 1;
    }

    /// All entries have come: what was not among them is gone.
    pub(super) fn finish(self, now: Duration) -> Listing {
        let round = self.flows.round;
        self.flows.by_dataplane.retain(|_, known| {
            known.retain(|_, flow| flow.round == round);
            !known.is_empty()
        });
        self.flows.listed = Some(self.since);
        Listing {
            firsts: self.firsts.into_iter().map(First::sorted).collect(),
            flows: self.listed,
            since: self.since,
            until: now,
        }
    }
}

/// How fast a flow was since it was seen `before`, or since the last look at the table, which did not have it.
fn speed(entry: &Entry, now: Duration, before: Option<&Flow>, listed: Option<Duration>) -> Option<Speed> {
    let age = Duration::from_millis(entry.created_ms_ago);
    // Another flow with this key may have been there before.
    let same = |flow: &&Flow| {
        flow.packets <= entry.packets && flow.bytes <= entry.bytes && now.saturating_sub(flow.at) <= age
    };
    let (since, packets, bytes) = match before.filter(same) {
        Some(flow) => (flow.at, flow.packets, flow.bytes),
        None => (listed.filter(|listed| age <= now.saturating_sub(*listed))?, 0, 0),
    };
    let seconds = now.saturating_sub(since).as_secs_f64();
    let per_second = |grown: u64| grown as f64 / seconds;
    (seconds > 0.0).then(|| Speed {
        packets: per_second(entry.packets - packets),
        bytes: per_second(entry.bytes - bytes),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(in super::super) fn entry(dataplane: &str, src_port: u16, packets: u64, age_ms: u64) -> Entry {
        let key = FlowKey {
            input_port: 1,
            src_addr: 0x0a00_0001,
            dst_addr: 0x0a00_0002,
            src_port,
            dst_port: 80,
            protocol: 6,
        };
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

    /// A complete look that begins and ends at `at` seconds.
    pub(in super::super) fn list(flows: &mut Flows, at: u64, entries: &[Entry]) -> Listing {
        let at = Duration::from_secs(at);
        let mut round = flows.look(10, at);
        entries.iter().for_each(|entry| round.take(entry, at));
        round.finish(at)
    }

    const BY_PPS: Order = Order { column: Column::Pps, reversed: false };

    fn pps(listing: &Listing) -> Vec<(u16, Option<f64>)> {
        listing.rows(BY_PPS).iter().map(|row| (row.key.src_port, row.speed.map(|s| s.packets))).collect()
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
        // One counter fell; the other flow is younger than the last look.
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
}
