//! What is known of one data plane: its link, and the mirrors of its tables.
//!
//! Each report names a table, and each table has a mirror of its own (module `table`): so a purge drops
//! one map, and each table is resynced, flushed and bounded on its own. The data plane is synced
//! when all its tables are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flowtracker_proto::change::{EntryState, Report};
use flowtracker_proto::link::BadRecord;
use flowtracker_proto::table::Family;
use flowtracker_proto::v1::{DataplaneStats, Hello};

pub use crate::mirror::bad_report::BadReport;
use crate::mirror::capacities::Capacities;
use crate::mirror::log::EventLog;
pub use crate::mirror::state::DataplaneState;
use crate::mirror::table::{Events, TableMirror, Trash};

/// How long the entries of a detached data plane stay in the mirror.
pub const DETACHED_FOR: Duration = Duration::from_secs(600);

/// What is known of one data plane.
#[derive(Debug)]
pub(super) struct Dataplane {
    name: Arc<str>,
    instance: u64,
    version: String,
    ports: Vec<String>,
    /// The link that reports for it; `None` while detached.
    link: Option<u64>,
    /// When the link last came up or went down, wall clock, Unix nanoseconds.
    since_ns: u64,
    /// When it went down.
    detached_at: Option<Instant>,
    /// Its entries are to go, although it has not been away for long enough.
    dropped: bool,
    /// By family.
    tables: [TableMirror; Family::ALL.len()],
    stats: Option<Arc<DataplaneStats>>,
}

impl Dataplane {
    /// Creates a data plane that has not attached yet.
    pub(super) fn new(name: Arc<str>, instance: u64) -> Self {
        Self {
            name,
            instance,
            version: String::new(),
            ports: Vec::new(),
            link: None,
            since_ns: 0,
            detached_at: None,
            dropped: false,
            tables: Family::ALL.map(TableMirror::new),
            stats: None,
        }
    }

    /// Records that its link came up.
    pub(super) fn attach(&mut self, hello: &Hello, link: u64, wall_ns: u64) {
        let restarted = self.instance != hello.instance;
        self.instance = hello.instance;
        self.version.clone_from(&hello.version);
        self.ports.clone_from(&hello.ports);
        self.link = Some(link);
        self.since_ns = wall_ns;
        self.detached_at = None;
        self.dropped = false;
        let capacities = Capacities::of(hello);
        for (family, table) in Family::ALL.into_iter().zip(&mut self.tables) {
            table.attach(&hello.shards, capacities.get(family), restarted);
        }
    }

    /// Records that its link went down.
    pub(super) fn detach(&mut self, now: Instant, wall_ns: u64) {
        self.link = None;
        self.since_ns = wall_ns;
        self.detached_at = Some(now);
        self.tables.iter_mut().for_each(TableMirror::forget_reports);
    }

    /// Takes what has become useless.
    pub(super) fn take_trash(&mut self) -> Trash {
        self.tables.iter_mut().flat_map(|table| table.trash().drain(..)).collect()
    }

    /// Returns whether its link is up.
    pub(super) fn is_attached(&self) -> bool {
        self.link.is_some()
    }

    /// Returns whether its link is this one.
    pub(super) fn is_on(&self, link: u64) -> bool {
        self.link == Some(link)
    }

    /// Returns when it went down; `None` while its link is up.
    pub(super) fn away_since(&self) -> Option<Instant> {
        self.detached_at.filter(|_| self.link.is_none())
    }

    /// Lets it go before its time, unless its link comes up again.
    pub(super) fn drop_early(&mut self) {
        self.dropped = true;
    }

    /// Returns whether it has been detached for [`DETACHED_FOR`] at `now`, or is let go before.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        let long = |at| now.saturating_duration_since(at) >= DETACHED_FOR;
        self.away_since().is_some_and(|at| self.dropped || long(at))
    }

    /// Removes some of the entries of a data plane that is let go: looks at `step` buckets. Returns
    /// whether there is more to do.
    pub(super) fn remove_some(&mut self, log: &mut EventLog, step: usize, wall_ns: u64) -> bool {
        self.remove_from(|_| true, log, step, wall_ns)
    }

    /// Removes some of the entries in tables that the data plane no longer runs: looks at `step`
    /// buckets. Returns whether there is more to do.
    pub(super) fn remove_foreign(&mut self, log: &mut EventLog, step: usize, wall_ns: u64) -> bool {
        self.remove_from(|table| !table.runs(), log, step, wall_ns)
    }

    fn remove_from(
        &mut self,
        concerned: impl Fn(&TableMirror) -> bool,
        log: &mut EventLog,
        step: usize,
        wall_ns: u64,
    ) -> bool {
        let mut events = Events { log, dataplane: &self.name };
        let mut concerned = self.tables.iter_mut().filter(|table| concerned(table) && table.len() > 0);
        concerned.next().is_some_and(|table| {
            table.remove_some(&mut events, step, wall_ns);
            true
        })
    }

    /// Returns a copy of the entries.
    pub(super) fn copy(&self) -> Vec<EntryState> {
        let mut copy = Vec::with_capacity(self.entries());
        self.tables.iter().for_each(|table| copy.extend(table.iter().cloned()));
        copy
    }

    /// Keeps the last counters that it gave.
    pub(super) fn keep_stats(&mut self, stats: Arc<DataplaneStats>) {
        self.stats = Some(stats);
    }

    /// Returns what is shown of it.
    pub(super) fn state(&self) -> DataplaneState {
        DataplaneState {
            name: self.name.clone(),
            attached: self.link.is_some(),
            synced: self.link.is_some() && self.tables.iter().all(TableMirror::is_synced),
            version: self.version.clone(),
            since_ns: self.since_ns,
            entries: self.entries() as u64,
            ports: self.ports.clone(),
            stats: self.stats.clone(),
        }
    }

    fn entries(&self) -> usize {
        self.tables.iter().map(TableMirror::len).sum()
    }

    /// Applies what `shard` reports, in order, each with its time. Works in steps, because a sweep
    /// looks at a whole table, and many reports may have waited for a purge: at most `step`
    /// buckets or reports in one call. Returns whether there is more to do; `reports` then holds
    /// what follows.
    pub(super) fn apply_some(
        &mut self,
        log: &mut EventLog,
        step: usize,
        shard: u32,
        reports: &mut impl Iterator<Item = Result<(u64, Report), BadRecord>>,
    ) -> Result<bool, BadReport> {
        let mut events = Events { log, dataplane: &self.name };
        if let Some(table) = self.tables.iter_mut().find(|table| table.is_sweeping()) {
            table.sweep_some(&mut events, step);
            return Ok(true);
        }
        for _ in 0..step {
            let waited = self.tables.iter_mut().find_map(TableMirror::next_due);
            let next = match waited {
                Some(waited) => waited,
                None => match reports.next() {
                    Some(report) => report.map(|(time_ns, report)| (shard, time_ns, report))?,
                    None => return Ok(false),
                },
            };
            let table = &mut self.tables[next.2.family() as usize];
            table.apply(&mut events, next)?;
            if table.is_sweeping() {
                break;
            }
        }
        Ok(true)
    }
}
