//! The mirror: what each data plane's table holds, as far as it has told us.
//!
//! Snapshots are made from the mirror, and so are the differences after a link
//! was cut. Every method that changes the mirror writes the same change to the
//! event log, so that mirror and log never disagree.
//!
//! # Resync
//!
//! At the start of a link a shard enumerates its table between RESYNC_BEGIN and
//! RESYNC_END, while live records go on in between. BEGIN gives the shard a new
//! generation; whatever names an entry from then on stamps it with that
//! generation; END deletes what carries an older one. So marking a million
//! entries as unconfirmed costs nothing.
//!
//! When the data plane was restarted, or runs on other lcores than before, an
//! entry's old shard says nothing about who would confirm it. Then nothing is
//! deleted before the last shard's END.

use std::collections::{BTreeMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flowtracker_proto::change::{Change, Changed, EntryState, Report};
use flowtracker_proto::link::BadRecord;
use flowtracker_proto::v1::{Actor, DataplaneStats, DeleteReason, Hello};
use hashbrown::hash_table::Entry as Slot;
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::mirror::log::EventLog;
use flowtracker_proto::key::FlowKey;

/// How long the entries of a detached data plane stay in the mirror.
pub const DETACHED_FOR: Duration = Duration::from_secs(600);

/// Entries that one call of [`Registry::expire_detached`] removes at most, so
/// that the lock is never held for long.
const EXPIRE_STEP: usize = 4096;

/// A report that the mirror refuses: the link is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReport {
    /// The link is no longer the one that speaks for this data plane.
    #[error("another link speaks for this data plane now")]
    StaleLink,
    /// The shard was not named in Hello.
    #[error("shard {0} was not named in Hello")]
    Shard(u32),
    /// The record cannot be read.
    #[error(transparent)]
    Record(#[from] BadRecord),
}

/// How a shard has shown that an entry exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Created,
    Updated,
    /// In an enumeration of its table.
    InTable,
}

#[derive(Debug)]
struct Mirrored {
    shard: u32,
    generation: u32,
    state: EntryState,
}

/// Mirrored entries by key. They lie in the table itself: at hundreds of thousands of events a second an allocation
/// for each is what costs most.
#[derive(Debug, Default)]
struct Entries {
    table: HashTable<Mirrored>,
    hasher: DefaultHashBuilder,
}

impl Entries {
    /// The place of this key, taken or free.
    fn slot(&mut self, key: &FlowKey) -> Slot<'_, Mirrored> {
        let hasher = &self.hasher;
        self.table.entry(hasher.hash_one(key), |e| e.state.key == *key, |e| hasher.hash_one(e.state.key))
    }
}

/// How far a shard's resync is on the present link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resync {
    Awaited,
    Running,
    Finished,
}

#[derive(Debug)]
struct Shard {
    generation: u32,
    resync: Resync,
    /// This shard's FLUSHED records that the other shards have not matched yet.
    flushes: VecDeque<(u64, u64)>,
    /// PURGED was seen here, but not yet on every shard.
    purged: bool,
    /// LOADED was seen here, but not yet on every shard.
    loaded: bool,
}

/// What is known of one data plane.
#[derive(Debug)]
struct Mirror {
    name: Arc<str>,
    instance: u64,
    version: String,
    ports: Vec<String>,
    /// The link that speaks for it; `None` while detached.
    link: Option<u64>,
    /// When the link last came up or went down, wall clock, Unix nanoseconds.
    since_ns: u64,
    /// When it went down.
    detached_at: Option<Instant>,
    shards: BTreeMap<u32, Shard>,
    last_generation: u32,
    /// Delete nothing before every shard has finished its resync.
    sweep_whole: bool,
    entries: Entries,
    /// Reports of shards that were purged while others were not yet, with their times.
    deferred: Vec<(u32, u64, Report)>,
    stats: Option<Arc<DataplaneStats>>,
}

/// One data plane, for display.
#[derive(Clone, Debug)]
pub struct DataplaneState {
    /// Its name.
    pub name: Arc<str>,
    /// True while its link is up.
    pub attached: bool,
    /// True once its resync is finished.
    pub synced: bool,
    /// Version of its program.
    pub version: String,
    /// When the link last came up or went down, wall clock, Unix nanoseconds.
    pub since_ns: u64,
    /// Entries mirrored.
    pub entries: u64,
    /// Names of its ports.
    pub ports: Vec<String>,
    /// The last counters that it gave.
    pub stats: Option<Arc<DataplaneStats>>,
}

/// Mirrored entries of one data plane.
pub type SnapshotPart = (Arc<str>, Vec<EntryState>);

/// The mirrors of all data planes that are or were attached.
#[derive(Debug, Default)]
pub struct Registry {
    mirrors: BTreeMap<Arc<str>, Mirror>,
}

impl Registry {
    /// A link came up. `link` identifies it and must never be used twice.
    pub fn attach(&mut self, hello: &Hello, link: u64, wall_ns: u64) {
        let name: Arc<str> = hello.dataplane.as_str().into();
        let mirror = self.mirrors.entry(name.clone()).or_insert_with(|| Mirror {
            name,
            instance: hello.instance,
            version: String::new(),
            ports: Vec::new(),
            link: None,
            since_ns: 0,
            detached_at: None,
            shards: BTreeMap::new(),
            last_generation: 0,
            sweep_whole: false,
            entries: Entries::default(),
            deferred: Vec::new(),
            stats: None,
        });
        let vanished = mirror.shards.keys().any(|shard| !hello.shards.contains(shard));
        // A sweep that a cut link left undone stays due.
        mirror.sweep_whole |= vanished || mirror.instance != hello.instance;
        mirror.instance = hello.instance;
        mirror.version.clone_from(&hello.version);
        mirror.ports.clone_from(&hello.ports);
        mirror.link = Some(link);
        mirror.since_ns = wall_ns;
        mirror.detached_at = None;
        mirror.deferred.clear();
        mirror.shards.clear();
        for shard in &hello.shards {
            mirror.last_generation += 1;
            let fresh = Shard {
                generation: mirror.last_generation,
                resync: Resync::Awaited,
                flushes: VecDeque::new(),
                purged: false,
                loaded: false,
            };
            mirror.shards.insert(*shard, fresh);
        }
    }

    /// The link went down; its entries stay for [`DETACHED_FOR`]. Does nothing
    /// when another link has taken over.
    pub fn detach(&mut self, name: &str, link: u64, now: Instant, wall_ns: u64) {
        let Some(mirror) = self.mirrors.get_mut(name).filter(|m| m.link == Some(link)) else { return };
        mirror.link = None;
        mirror.since_ns = wall_ns;
        mirror.detached_at = Some(now);
        mirror.deferred.clear();
    }

    /// Applies what a shard reports to have happened at `time_ns`, and logs what it changes.
    pub fn apply(
        &mut self,
        log: &mut EventLog,
        name: &str,
        link: u64,
        shard: u32,
        time_ns: u64,
        report: Report,
    ) -> Result<(), BadReport> {
        match self.mirrors.get_mut(name) {
            Some(mirror) if mirror.link == Some(link) => mirror.apply(log, shard, time_ns, report),
            _ => Err(BadReport::StaleLink),
        }
    }

    /// Lets go of data planes that were detached for [`DETACHED_FOR`] at `now`.
    /// Works in steps: true means that more is to be done.
    pub fn expire_detached(&mut self, log: &mut EventLog, now: Instant, wall_ns: u64) -> bool {
        let due = |m: &&mut Mirror| {
            m.link.is_none()
                && m.detached_at.is_some_and(|at| now.saturating_duration_since(at) >= DETACHED_FOR)
        };
        let Some(mirror) = self.mirrors.values_mut().find(due) else { return false };
        for gone in mirror.entries.table.extract_if(|_| true).take(EXPIRE_STEP) {
            log.push(lost(&mirror.name, gone.state, wall_ns));
        }
        if mirror.entries.table.is_empty() {
            let name = mirror.name.clone();
            self.mirrors.remove(&name);
        }
        true
    }

    /// A copy of all entries, by data plane.
    pub fn snapshot(&self) -> Vec<SnapshotPart> {
        let copy = |m: &Mirror| m.entries.table.iter().map(|e| e.state.clone()).collect();
        self.mirrors.values().map(|m| (m.name.clone(), copy(m))).collect()
    }

    /// All data planes, by name.
    pub fn dataplanes(&self) -> Vec<DataplaneState> {
        self.mirrors
            .values()
            .map(|m| DataplaneState {
                name: m.name.clone(),
                attached: m.link.is_some(),
                synced: m.link.is_some() && m.is_synced(),
                version: m.version.clone(),
                since_ns: m.since_ns,
                entries: m.entries.table.len() as u64,
                ports: m.ports.clone(),
                stats: m.stats.clone(),
            })
            .collect()
    }

    /// How many data planes are attached.
    pub fn attached(&self) -> usize {
        self.mirrors.values().filter(|m| m.link.is_some()).count()
    }

    /// True when `name` is or was attached.
    pub fn knows(&self, name: &str) -> bool {
        self.mirrors.contains_key(name)
    }

    /// Keeps the counters that `name` gave last.
    pub fn keep_stats(&mut self, name: &str, stats: Arc<DataplaneStats>) {
        if let Some(mirror) = self.mirrors.get_mut(name) {
            mirror.stats = Some(stats);
        }
    }
}

impl Mirror {
    fn is_synced(&self) -> bool {
        self.shards.values().all(|s| s.resync == Resync::Finished)
    }

    fn apply(
        &mut self,
        log: &mut EventLog,
        shard_id: u32,
        time_ns: u64,
        report: Report,
    ) -> Result<(), BadReport> {
        let Some(shard) = self.shards.get_mut(&shard_id) else { return Err(BadReport::Shard(shard_id)) };
        if shard.purged {
            // One LIFECYCLE stands for all shards, and it empties the watchers'
            // state: what a shard says after its part of the purge has to
            // follow that event.
            self.deferred.push((shard_id, time_ns, report));
            return Ok(());
        }
        match report {
            Report::ResyncBegin => {
                self.last_generation += 1;
                shard.generation = self.last_generation;
                shard.resync = Resync::Running;
            }
            Report::ResyncEnd => {
                shard.resync = Resync::Finished;
                if !self.sweep_whole {
                    self.sweep(log, Some(shard_id), time_ns);
                } else if self.is_synced() {
                    self.sweep(log, None, time_ns);
                    self.sweep_whole = false;
                }
            }
            Report::Present(state) => self.upsert(log, shard_id, state, Seen::InTable),
            Report::Change(Change::Created(state)) => self.upsert(log, shard_id, state, Seen::Created),
            Report::Change(Change::Updated(state)) => self.upsert(log, shard_id, state, Seen::Updated),
            Report::Change(Change::Deleted { entry, reason, by }) => self.delete(log, entry, reason, by),
            Report::Change(Change::Flushed { deleted, failed }) => {
                shard.flushes.push_back((deleted, failed));
                self.report_flush(log, time_ns);
            }
            Report::Change(Change::Purged) => {
                shard.purged = true;
                if self.shards.values().all(|s| s.purged) {
                    return self.report_purge(log, time_ns);
                }
            }
            Report::Change(Change::Loaded) => {
                // The first shard speaks for all, so that LOADED precedes new entries.
                let first = self.shards.values().all(|s| !s.loaded);
                if let Some(shard) = self.shards.get_mut(&shard_id) {
                    shard.loaded = true;
                }
                if first {
                    log.push(Changed { time_ns, dataplane: self.name.clone(), change: Change::Loaded });
                }
                if self.shards.values().all(|s| s.loaded) {
                    self.shards.values_mut().for_each(|s| s.loaded = false);
                }
            }
        }
        Ok(())
    }

    /// The shard says that this entry exists.
    fn upsert(&mut self, log: &mut EventLog, shard: u32, state: EntryState, seen: Seen) {
        let generation = self.shards.get(&shard).map_or(0, |s| s.generation);
        let name = &self.name;
        let note = |change| Changed { time_ns: state.as_of_ns, dataplane: name.clone(), change };
        let mut place = match self.entries.slot(&state.key) {
            Slot::Occupied(place) => place,
            Slot::Vacant(place) => {
                log.push(note(Change::Created(state.clone())));
                place.insert(Mirrored { shard, generation, state });
                return;
            }
        };
        let known = place.get_mut();
        (known.shard, known.generation) = (shard, generation);
        if known.state.create_ns != state.create_ns {
            // Another entry under the same key: the end of the former was missed.
            let former = std::mem::replace(&mut known.state, state.clone());
            log.push(lost(name, former, state.as_of_ns));
            log.push(note(Change::Created(state.clone())));
            return;
        }
        // What waited in a ring may be older than what the resync has told of
        // already; that is not an event again, and must not turn time back.
        let same = known.state.same_attributes(&state);
        let told = match seen {
            Seen::Updated => same && known.state.as_of_ns >= state.as_of_ns,
            Seen::Created => same || known.state.as_of_ns >= state.as_of_ns,
            Seen::InTable => same,
        };
        if !told {
            log.push(note(Change::Updated(state.clone())));
        } else if known.state.as_of_ns > state.as_of_ns {
            return;
        }
        known.state = state;
    }

    fn delete(
        &mut self,
        log: &mut EventLog,
        state: EntryState,
        reason: DeleteReason,
        by: Option<Arc<Actor>>,
    ) {
        let Slot::Occupied(place) = self.entries.slot(&state.key) else {
            tracing::debug!(dataplane = %self.name, key = %state.key, "deletion of an unknown entry");
            return;
        };
        let (known, _) = place.remove();
        let time_ns = state.as_of_ns;
        if known.state.create_ns == state.create_ns {
            let change = Change::Deleted { entry: state, reason, by };
            log.push(Changed { time_ns, dataplane: self.name.clone(), change });
        } else {
            // The entry deleted was never told of, but the one known is gone too.
            log.push(lost(&self.name, known.state, time_ns));
        }
    }

    /// Deletes what no shard has confirmed: entries of `only`, or of all shards.
    fn sweep(&mut self, log: &mut EventLog, only: Option<u32>, time_ns: u64) {
        let shards = &self.shards;
        let unconfirmed = |e: &mut Mirrored| {
            only.is_none_or(|shard| shard == e.shard)
                && shards.get(&e.shard).is_none_or(|s| s.generation != e.generation)
        };
        for gone in self.entries.table.extract_if(unconfirmed) {
            log.push(lost(&self.name, gone.state, time_ns));
        }
    }

    /// One FLUSHED per flush, when every shard has reported its part.
    fn report_flush(&mut self, log: &mut EventLog, time_ns: u64) {
        if self.shards.values().any(|s| s.flushes.is_empty()) {
            return;
        }
        let (mut deleted, mut failed) = (0, 0);
        for (d, f) in self.shards.values_mut().filter_map(|s| s.flushes.pop_front()) {
            deleted += d;
            failed += f;
        }
        let change = Change::Flushed { deleted, failed };
        log.push(Changed { time_ns, dataplane: self.name.clone(), change });
    }

    /// Every shard is purged: the entries go, with one event for all of them.
    fn report_purge(&mut self, log: &mut EventLog, time_ns: u64) -> Result<(), BadReport> {
        self.entries.table.clear();
        self.shards.values_mut().for_each(|s| s.purged = false);
        log.push(Changed { time_ns, dataplane: self.name.clone(), change: Change::Purged });
        for (shard, time_ns, report) in std::mem::take(&mut self.deferred) {
            self.apply(log, shard, time_ns, report)?;
        }
        Ok(())
    }
}

/// The event for an entry that was found gone.
fn lost(name: &Arc<str>, entry: EntryState, time_ns: u64) -> Changed {
    let change = Change::Deleted { entry, reason: DeleteReason::Resync, by: None };
    Changed { time_ns, dataplane: name.clone(), change }
}
