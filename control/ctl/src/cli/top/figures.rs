//! Differences between two answers of GetStats: rates, and the lcores' polls.

use std::ops::AddAssign;

use crate::render::printable::one_line;
use crate::render::tables;
use flowtracker_proto::v1::{DataplaneStats, GetStatsResponse, LcoreStats, PortStats, TableStats};
use flowtracker_proto::{Timestamp, loop_time};

/// Things per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rates {
    pub(super) created: f64,
    pub(super) expired: f64,
    pub(super) deleted: f64,
    pub(super) packets: f64,
    pub(super) bits: f64,
    pub(super) dropped: f64,
}

impl AddAssign for Rates {
    fn add_assign(&mut self, more: Self) {
        self.created += more.created;
        self.expired += more.expired;
        self.deleted += more.deleted;
        self.packets += more.packets;
        self.bits += more.bits;
        self.dropped += more.dropped;
    }
}

/// The work of an lcore between two answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lcore {
    pub(super) lcore: u32,
    pub(super) polls: u64,
    pub(super) busy_polls: u64,
    /// Counts in the buckets of [`loop_time`].
    pub(super) loop_time: Vec<u64>,
    pub(super) stalled: bool,
}

/// How full a table is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Fill {
    pub(super) entries: u64,
    pub(super) capacity: u64,
}

impl AddAssign for Fill {
    fn add_assign(&mut self, more: Self) {
        self.entries += more.entries;
        self.capacity += more.capacity;
    }
}

/// One data plane.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plane {
    pub(super) name: String,
    pub(super) live: bool,
    pub(super) fill: Fill,
    /// The tables, where there are several, and the name of the pipeline of each.
    pub(super) tables: Vec<(String, Fill)>,
    /// Frames lost since its start.
    pub(super) dropped: u64,
    /// `None` until there are two answers, and while it is away.
    pub(super) rates: Option<Rates>,
    /// Empty when there are no rates.
    pub(super) lcores: Vec<Lcore>,
}

/// The last answer, and its difference from the one before.
#[derive(Debug, Default)]
pub(super) struct Figures {
    last: Vec<DataplaneStats>,
    /// Ordered by name.
    pub(super) planes: Vec<Plane>,
}

impl Figures {
    /// Takes the next answer.
    pub(super) fn take(&mut self, response: GetStatsResponse) {
        let before = |name: &str| self.last.iter().find(|plane| plane.dataplane == name);
        self.planes =
            response.dataplanes.iter().map(|plane| between(before(&plane.dataplane), plane)).collect();
        self.last = response.dataplanes;
    }

    /// Returns the sum of all data planes; it has no rates when none of them has any.
    pub(super) fn sum(&self) -> Plane {
        let mut sum = Plane::default();
        for plane in &self.planes {
            sum.fill += plane.fill;
            for (pipeline, fill) in &plane.tables {
                match sum.tables.iter_mut().find(|(known, _)| known == pipeline) {
                    Some((_, sum)) => *sum += *fill,
                    None => sum.tables.push((pipeline.clone(), *fill)),
                }
            }
            sum.dropped += plane.dropped;
            if let Some(rates) = plane.rates {
                *sum.rates.get_or_insert_default() += rates;
            }
        }
        sum
    }
}

fn between(before: Option<&DataplaneStats>, now: &DataplaneStats) -> Plane {
    let lcores = |count: fn(&LcoreStats) -> u64| now.lcores.iter().map(count).sum();
    let mut plane = Plane {
        name: one_line(&now.dataplane).into_owned(),
        live: now.live,
        fill: Fill { entries: lcores(|l| l.entries), capacity: lcores(|l| l.capacity) },
        tables: Vec::new(),
        dropped: lcores(|l| l.tx_dropped) + now.ports.iter().map(lost).sum::<u64>(),
        rates: None,
        lcores: Vec::new(),
    };
    let tables = tables(&now.lcores);
    if tables.len() > 1 {
        let fill = |t: TableStats| (t.pipeline, Fill { entries: t.entries, capacity: t.capacity });
        plane.tables = tables.into_iter().map(fill).collect();
    } else if let [only] = &tables[..] {
        plane.fill = Fill { entries: only.entries, capacity: only.capacity };
    }
    let seconds = before.map_or(0.0, |before| seconds(now.time) - seconds(before.time));
    if let Some(before) = before
        && now.live
        && seconds > 0.0
    {
        let nothing = DataplaneStats::default();
        // A data plane that was restarted counts from 0 again.
        let before = if restarted(before, now) { &nothing } else { before };
        plane.rates = Some(rates(before, now, seconds));
        plane.lcores = now.lcores.iter().map(|lcore| polls(before, lcore)).collect();
    }
    plane
}

/// Returns true if the data plane was restarted. An lcore polls all the time, so a lower count of
/// polls means a new process.
fn restarted(before: &DataplaneStats, now: &DataplaneStats) -> bool {
    now.lcores.iter().any(|lcore| earlier(before, lcore).is_some_and(|then| lcore.polls < then.polls))
}

fn earlier<'a>(before: &'a DataplaneStats, now: &LcoreStats) -> Option<&'a LcoreStats> {
    before.lcores.iter().find(|then| then.lcore == now.lcore)
}

fn rates(before: &DataplaneStats, now: &DataplaneStats, seconds: f64) -> Rates {
    let grown = |count: fn(&DataplaneStats) -> u64| count(now).saturating_sub(count(before)) as f64 / seconds;
    Rates {
        created: grown(|d| of_lcores(d, |l| l.outcomes.map_or(0, |o| o.miss_created))),
        expired: grown(|d| of_lcores(d, |l| l.expired)),
        deleted: grown(|d| of_lcores(d, |l| l.deleted)),
        packets: grown(|d| of_lcores(d, |l| l.rx)),
        bits: 8.0 * grown(|d| d.ports.iter().map(|p| p.rx_bytes).sum()),
        dropped: grown(|d| of_lcores(d, |l| l.tx_dropped) + d.ports.iter().map(lost).sum::<u64>()),
    }
}

fn of_lcores(stats: &DataplaneStats, count: fn(&LcoreStats) -> u64) -> u64 {
    stats.lcores.iter().map(count).sum()
}

/// Returns the frames that arrived and were not received.
fn lost(port: &PortStats) -> u64 {
    port.rx_missed + port.rx_nombuf
}

fn polls(before: &DataplaneStats, now: &LcoreStats) -> Lcore {
    let nothing = LcoreStats::default();
    let before = earlier(before, now).unwrap_or(&nothing);
    Lcore {
        lcore: now.lcore,
        polls: now.polls.saturating_sub(before.polls),
        busy_polls: now.busy_polls.saturating_sub(before.busy_polls),
        loop_time: loop_time::since(&now.loop_time, &before.loop_time),
        stalled: now.stalled,
    }
}

fn seconds(time: Option<Timestamp>) -> f64 {
    time.map_or(0.0, |time| time.seconds as f64 + f64::from(time.nanos) / 1e9)
}

#[cfg(test)]
mod tests;
