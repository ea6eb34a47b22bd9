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
use crate::mirror::table::Trash;

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
    trash: Trash,
}

/// Whether a data plane was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It was.
    Attached,
    /// Not yet: a data plane that is away has to be removed first, by [`Registry::expire_some`].
    AfterRemoval,
    /// It was not: all places are taken by data planes that are attached.
    Full,
}

impl Default for Registry {
    fn default() -> Self {
        Self { dataplanes: BTreeMap::new(), step: STEP, trash: Trash::new() }
    }
}

impl Registry {
    /// Records that a link came up, unless there are `most` data planes besides its own. The one that
    /// has been away for longest gives its place. `link` identifies the link and must never be used
    /// twice.
    pub fn attach(&mut self, hello: &Hello, link: u64, most: usize, wall_ns: u64) -> Admission {
        if self.dataplanes.len() >= most && !self.knows(&hello.dataplane) {
            let away = self.dataplanes.values_mut().filter(|d| !d.is_attached());
            let Some(oldest) = away.min_by_key(|d| d.away_since()) else { return Admission::Full };
            oldest.drop_early();
            return Admission::AfterRemoval;
        }
        let name: Arc<str> = hello.dataplane.as_str().into();
        let fresh = || Dataplane::new(name.clone(), hello.instance);
        let dataplane = self.dataplanes.entry(name.clone()).or_insert_with(fresh);
        dataplane.attach(hello, link, wall_ns);
        self.trash.append(&mut dataplane.take_trash());
        Admission::Attached
    }

    /// Records that a link went down. Its entries stay for [`DETACHED_FOR`]. Does nothing when
    /// another link has taken over.
    ///
    /// [`DETACHED_FOR`]: crate::mirror::dataplane::DETACHED_FOR
    pub fn detach(&mut self, name: &str, link: u64, now: Instant, wall_ns: u64) {
        if let Some(dataplane) = self.dataplanes.get_mut(name).filter(|d| d.is_on(link)) {
            dataplane.detach(now, wall_ns);
            self.trash.append(&mut dataplane.take_trash());
        }
    }

    /// Takes what has become useless, so that it can be dropped where nobody waits.
    pub(super) fn take_trash(&mut self) -> Trash {
        std::mem::take(&mut self.trash)
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
            Some(dataplane) => {
                let more = dataplane.apply_some(log, self.step, shard, reports);
                self.trash.append(&mut dataplane.take_trash());
                more
            }
            None => Err(BadReport::StaleLink),
        }
    }

    /// Removes the entries of a data plane whose `link` has reported too many. Works in steps: true
    /// means that there is more to do.
    pub fn forfeit_some(&mut self, log: &mut EventLog, name: &str, link: u64, wall_ns: u64) -> bool {
        let dataplane = self.dataplanes.get_mut(name).filter(|d| d.is_on(link));
        dataplane.is_some_and(|dataplane| dataplane.remove_some(log, self.step, wall_ns))
    }

    /// Removes the entries in tables that the data plane of `link` no longer runs: no resync
    /// reports these as gone. Works in steps: true means that there is more to do.
    pub fn remove_foreign_some(&mut self, log: &mut EventLog, name: &str, link: u64, wall_ns: u64) -> bool {
        let dataplane = self.dataplanes.get_mut(name).filter(|d| d.is_on(link));
        dataplane.is_some_and(|dataplane| dataplane.remove_foreign(log, self.step, wall_ns))
    }

    /// Removes data planes that are expired at `now`. Works in steps: true means that there is more
    /// to do.
    pub fn expire_some(&mut self, log: &mut EventLog, now: Instant, wall_ns: u64) -> bool {
        let Some((name, dataplane)) = self.dataplanes.iter_mut().find(|(_, d)| d.is_expired(now)) else {
            return false;
        };
        if !dataplane.remove_some(log, self.step, wall_ns) {
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
