//! The mirrors of all data planes. Snapshots are made from them, and so are the differences after a
//! link was cut.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use flowtracker_proto::change::{EntryState, Report};
use flowtracker_proto::link::BadRecord;
use flowtracker_proto::v1::{DataplaneStats, Hello};

use crate::mirror::dataplane::{BadReport, Dataplane, DataplaneState};
use crate::mirror::log::EventLog;

/// Buckets of a table that one step of a sweep or of an expiry looks at, and so the most entries
/// that it removes.
const STEP: usize = 4096;

/// The entries of one data plane, under its name.
pub type SnapshotPart = (Arc<str>, Vec<EntryState>);

/// The mirrors of all data planes that are or were attached.
#[derive(Debug)]
pub struct Registry {
    dataplanes: BTreeMap<Arc<str>, Dataplane>,
    /// [`STEP`], but for tests.
    step: usize,
}

impl Default for Registry {
    fn default() -> Self {
        Self { dataplanes: BTreeMap::new(), step: STEP }
    }
}

impl Registry {
    /// Records that a link came up. `link` identifies it and must never be used twice.
    pub fn attach(&mut self, hello: &Hello, link: u64, wall_ns: u64) {
        let name: Arc<str> = hello.dataplane.as_str().into();
        let fresh = || Dataplane::new(name.clone(), hello.instance);
        self.dataplanes.entry(name.clone()).or_insert_with(fresh).attach(hello, link, wall_ns);
    }

    /// Records that a link went down. Its entries stay for [`DETACHED_FOR`]. Does nothing when
    /// another link has taken over.
    ///
    /// [`DETACHED_FOR`]: crate::mirror::dataplane::DETACHED_FOR
    pub fn detach(&mut self, name: &str, link: u64, now: Instant, wall_ns: u64) {
        if let Some(dataplane) = self.dataplanes.get_mut(name).filter(|d| d.is_on(link)) {
            dataplane.detach(now, wall_ns);
        }
    }

    /// Applies what a shard reports, in order, each with its time, and logs what that changes.
    /// Works in steps: true means that there is more to do, and `reports` then holds what follows.
    ///
    /// # Errors
    /// The first report that no sound data plane makes; those before it have been applied.
    pub fn apply_some(
        &mut self,
        log: &mut EventLog,
        name: &str,
        link: u64,
        shard: u32,
        reports: &mut impl Iterator<Item = Result<(u64, Report), BadRecord>>,
    ) -> Result<bool, BadReport> {
        match self.dataplanes.get_mut(name).filter(|d| d.is_on(link)) {
            Some(dataplane) => dataplane.apply_some(log, self.step, shard, reports),
            None => Err(BadReport::StaleLink),
        }
    }

    /// Removes data planes that are expired at `now`. Works in steps: true means that there is more
    /// to do.
    pub fn expire_some(&mut self, log: &mut EventLog, now: Instant, wall_ns: u64) -> bool {
        let Some((name, dataplane)) = self.dataplanes.iter_mut().find(|(_, d)| d.is_expired(now)) else {
            return false;
        };
        if !dataplane.expire_some(log, self.step, wall_ns) {
            let name = name.clone();
            self.dataplanes.remove(&name);
        }
        true
    }

    /// Returns a copy of all entries, by data plane.
    pub fn snapshot(&self) -> Vec<SnapshotPart> {
        self.dataplanes.iter().map(|(name, dataplane)| (name.clone(), dataplane.copy())).collect()
    }

    /// Returns all data planes, by name.
    pub fn dataplanes(&self) -> Vec<DataplaneState> {
        self.dataplanes.values().map(Dataplane::state).collect()
    }

    /// Returns how many data planes are attached.
    pub fn attached(&self) -> usize {
        self.dataplanes.values().filter(|d| d.is_attached()).count()
    }

    /// Returns whether `name` is or was attached.
    pub fn knows(&self, name: &str) -> bool {
        self.dataplanes.contains_key(name)
    }

    /// Keeps the last counters that `name` gave.
    pub fn keep_stats(&mut self, name: &str, stats: Arc<DataplaneStats>) {
        if let Some(dataplane) = self.dataplanes.get_mut(name) {
            dataplane.keep_stats(stats);
        }
    }
}

#[cfg(test)]
mod tests;
