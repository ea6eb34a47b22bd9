//! The orders of flows, and the rows that come first in one.

use std::cmp::Ordering;
use std::sync::Arc;

use clap::ValueEnum;
use flowtracker_proto::key::FlowKey;

/// The columns that rows can be sorted by.
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
    pub(super) const ALL: [Self; 6] =
        [Self::Pps, Self::Bps, Self::Packets, Self::Bytes, Self::Age, Self::Idle];
}

/// A column and a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) column: Column,
    /// Whether the smallest comes first, instead of the largest.
    pub(super) reversed: bool,
}

impl Order {
    /// Returns the order by the next column, in the same direction.
    pub(super) fn next(self) -> Self {
        let at = self.column as usize + 1;
        Self { column: Column::ALL[at % Column::ALL.len()], ..self }
    }

    /// Returns every order, by its index.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let both = |column| [false, true].map(|reversed| Self { column, reversed });
        Column::ALL.into_iter().flat_map(both)
    }

    /// Returns the index of this order among all.
    pub(super) fn index(self) -> usize {
        2 * self.column as usize + usize::from(self.reversed)
    }

    /// Compares two rows. Equal rows are ordered by data plane and key, so that they keep their
    /// places.
    pub(super) fn compare(self, a: &Row, b: &Row) -> Ordering {
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

/// Rates of a flow, per second.
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
    /// `None` when the flow was seen for the first time and is older than the last listing.
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
pub(super) struct First {
    order: Order,
    limit: usize,
    /// The first rows so far, unordered, and up to as many again that may not be among them.
    rows: Vec<Row>,
    /// A row that is not before the last of the first rows.
    bar: Option<Row>,
}

impl First {
    pub(super) fn new(order: Order, limit: usize) -> Self {
        Self { order, limit, rows: Vec::new(), bar: None }
    }

    /// Keeps the row if it may be one of the first.
    pub(super) fn offer(&mut self, row: &Row) {
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

    /// Returns the first rows, in order.
    pub(super) fn sorted(mut self) -> Vec<Row> {
        self.rows.sort_by(|a, b| self.order.compare(a, b));
        self.rows.truncate(self.limit);
        self.rows
    }
}
