//! The mirror of one data plane: what its table holds, as far as its shards have reported it.
//!
//! A method that adds or removes an entry, or changes its attributes, writes that to the event log
//! as well, so that mirror and log agree on these. Counts and times are refreshed without an event.
//!
//! # Resync
//!
//! At the start of a link a shard enumerates its table between RESYNC_BEGIN and RESYNC_END, while
//! live reports continue in between. BEGIN gives the shard a new generation. Each report that names
//! an entry stamps it with the generation of its shard. END sweeps: it deletes the entries that
//! carry an older generation. So marking a million entries as unconfirmed costs nothing.
//!
//! When the data plane was restarted, or runs on other lcores than before, the old shard of an
//! entry does not tell which shard would confirm it. Then nothing is swept before the last shard's
//! END.
//!
//! A sweep walks over the whole table, so it is done in steps. Reports that follow the END wait
//! until the sweep is over; only a new link can come in between, and it ends the sweep. What was
//! not swept is unconfirmed on the new link as well.

use std::any::Any;
use std::cmp::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flowtracker_proto::change::{Change, Changed, EntryState, Report};
use flowtracker_proto::link::BadRecord;
use flowtracker_proto::v1::{Actor, DataplaneStats, DeleteReason, Hello};
use hashbrown::hash_table::Entry as Slot;

pub use crate::mirror::bad_report::BadReport;
use crate::mirror::entries::{Entries, Mirrored};
use crate::mirror::log::EventLog;
use crate::mirror::room::Room;
use crate::mirror::seen::Seen;
use crate::mirror::shards::{Resync, Shards};
pub use crate::mirror::state::DataplaneState;
use crate::mirror::waiting::Waiting;

/// How long the entries of a detached data plane stay in the mirror.
pub const DETACHED_FOR: Duration = Duration::from_secs(600);

/// What has become useless and may take long to drop: it is dropped where nobody waits for it.
pub(super) type Trash = Vec<Box<dyn Any + Send>>;

/// A sweep in progress.
#[derive(Debug)]
struct Sweep {
    /// The shard whose END has begun it.
    shard: u32,
    /// Deletes unconfirmed entries of all shards, not only of this one.
    whole: bool,
    /// The time of the END, which is that of the deletions.
    time_ns: u64,
    /// The next bucket of the table.
    bucket: usize,
}

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
    /// The next bucket of the table from which expiry removes entries.
    expired_to: usize,
    room: Room,
    shards: Shards,
    /// Sweep nothing before every shard has finished its resync.
    sweep_whole: bool,
    sweep: Option<Sweep>,
    entries: Entries,
    waiting: Waiting,
    trash: Trash,
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
            expired_to: 0,
            room: Room::default(),
            shards: Shards::default(),
            sweep_whole: false,
            sweep: None,
            entries: Entries::default(),
            waiting: Waiting::default(),
            trash: Trash::new(),
            stats: None,
        }
    }

    /// Records that its link came up.
    pub(super) fn attach(&mut self, hello: &Hello, link: u64, wall_ns: u64) {
        let vanished = !self.shards.are_within(&hello.shards);
        // A sweep that a cut link left undone stays due.
        self.sweep_whole |= vanished || self.instance != hello.instance;
        self.instance = hello.instance;
        self.version.clone_from(&hello.version);
        self.ports.clone_from(&hello.ports);
        self.link = Some(link);
        self.since_ns = wall_ns;
        self.detached_at = None;
        (self.dropped, self.expired_to) = (false, 0);
        self.forget_reports();
        self.shards.reset(&hello.shards);
        let capacity = hello.capacities.iter().fold(0_u64, |sum, table| sum.saturating_add(table.entries));
        self.room.declare(capacity, self.entries.len() != 0);
    }

    /// Records that its link went down.
    pub(super) fn detach(&mut self, now: Instant, wall_ns: u64) {
        self.link = None;
        self.since_ns = wall_ns;
        self.detached_at = Some(now);
        self.expired_to = 0;
        self.forget_reports();
    }

    /// Drops what is under way. The next link's resync shows what has become of it.
    fn forget_reports(&mut self) {
        self.trash.push(Box::new(std::mem::take(&mut self.waiting)));
        self.sweep = None;
    }

    /// Takes what has become useless.
    pub(super) fn take_trash(&mut self) -> Trash {
        std::mem::take(&mut self.trash)
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
        let Self { name, entries, expired_to, .. } = self;
        entries.remove_some(expired_to, step, |_| true, |gone| log.push(lost(name, gone, wall_ns)))
    }

    /// Returns a copy of the entries.
    pub(super) fn copy(&self) -> Vec<EntryState> {
        self.entries.iter().cloned().collect()
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
            synced: self.link.is_some() && self.shards.are_synced(),
            version: self.version.clone(),
            since_ns: self.since_ns,
            entries: self.entries.len() as u64,
            ports: self.ports.clone(),
            stats: self.stats.clone(),
        }
    }

    /// Applies what `shard` reports, in order, each with its time. Works in steps, because a sweep
    /// looks at the whole table, and many reports may have waited for a purge: at most `step`
    /// buckets or reports in one call. Returns whether there is more to do; `reports` then holds
    /// what follows.
    pub(super) fn apply_some(
        &mut self,
        log: &mut EventLog,
        step: usize,
        shard: u32,
        reports: &mut impl Iterator<Item = Result<(u64, Report), BadRecord>>,
    ) -> Result<bool, BadReport> {
        if self.sweep.is_some() {
            self.sweep_some(log, step);
            return Ok(true);
        }
        for _ in 0..step {
            if let Some((shard, time_ns, report)) = self.waiting.next_due() {
                self.apply(log, shard, time_ns, report)?;
            } else if let Some(report) = reports.next() {
                let (time_ns, report) = report?;
                self.apply(log, shard, time_ns, report)?;
            } else {
                return Ok(false);
            }
            if self.sweep.is_some() {
                break;
            }
        }
        Ok(true)
    }

    fn apply(
        &mut self,
        log: &mut EventLog,
        shard: u32,
        time_ns: u64,
        report: Report,
    ) -> Result<(), BadReport> {
        if self.shards.is_purged(shard).ok_or(BadReport::Shard(shard))? {
            self.room.check_waiting(self.waiting.len())?;
            self.waiting.defer((shard, time_ns, report));
            return Ok(());
        }
        match report {
            Report::ResyncBegin => self.shards.begin_resync(shard),
            Report::ResyncEnd => self.end_resync(shard, time_ns),
            Report::Present(state) => self.upsert(log, shard, state, Seen::InTable)?,
            Report::Change(Change::Created(state)) => self.upsert(log, shard, state, Seen::Created)?,
            Report::Change(Change::Updated(state)) => self.upsert(log, shard, state, Seen::Updated)?,
            Report::Change(Change::Deleted { entry, reason, by }) => self.delete(log, entry, reason, by),
            Report::Change(Change::Flushed { deleted, failed }) => {
                if let Some((deleted, failed)) = self.shards.flush(shard, deleted, failed)? {
                    self.push(log, time_ns, Change::Flushed { deleted, failed });
                }
            }
            Report::Change(Change::Purged) => {
                if self.shards.purge(shard) {
                    self.trash.push(Box::new(std::mem::take(&mut self.entries)));
                    self.shards.unconfirm_all();
                    self.push(log, time_ns, Change::Purged);
                    self.waiting.release();
                }
            }
            Report::Change(Change::Loaded) => {
                if self.shards.load(shard) {
                    self.push(log, time_ns, Change::Loaded);
                }
            }
        }
        Ok(())
    }

    /// Takes in that the shard has this entry.
    fn upsert(
        &mut self,
        log: &mut EventLog,
        shard: u32,
        state: EntryState,
        seen: Seen,
    ) -> Result<(), BadReport> {
        let generation = self.shards.generation(shard).unwrap_or_default();
        let (name, held) = (&self.name, self.entries.len());
        let note = |change| Changed { time_ns: state.as_of_ns, dataplane: name.clone(), change };
        let mut place = match self.entries.slot(&state.key) {
            Slot::Occupied(place) => place,
            Slot::Vacant(place) => {
                self.room.check_confirmed(self.shards.confirmed())?;
                self.room.check_in_all(held)?;
                self.shards.confirm(shard);
                log.push(note(Change::Created(state.clone())));
                place.insert(Mirrored { shard, generation, state });
                return Ok(());
            }
        };
        let known = place.get_mut();
        // Only times of one resync and what follows it are comparable: a link may begin with an
        // earlier time than the last one had, when the data plane's clock was set back.
        let order = match known.generation == generation {
            true => known.state.as_of_ns.cmp(&state.as_of_ns),
            false => Ordering::Less,
        };
        if known.generation != generation {
            self.shards.unconfirm(known.shard, known.generation);
            self.room.check_confirmed(self.shards.confirmed())?;
            self.shards.confirm(shard);
        }
        (known.shard, known.generation) = (shard, generation);
        if known.state.create_ns != state.create_ns {
            // Another entry under the same key: the deletion of the former was missed.
            let former = std::mem::replace(&mut known.state, state.clone());
            log.push(lost(name, former, state.as_of_ns));
            log.push(note(Change::Created(state.clone())));
            return Ok(());
        }
        // What repeats the known state is no event, and a repetition that is older than the known
        // state must not turn time back.
        if !seen.repeats(known.state.same_attributes(&state), order) {
            log.push(note(Change::Updated(state.clone())));
        } else if order.is_gt() {
            return Ok(());
        }
        known.state = state;
        Ok(())
    }

    /// Takes in that an entry was deleted.
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
        self.shards.unconfirm(known.shard, known.generation);
        let time_ns = state.as_of_ns;
        if known.state.create_ns == state.create_ns {
            let change = Change::Deleted { entry: state, reason, by };
            log.push(Changed { time_ns, dataplane: self.name.clone(), change });
        } else {
            // The deleted entry was never reported, but the known one under its key is gone too.
            log.push(lost(&self.name, known.state, time_ns));
        }
    }

    /// Takes in that the shard has enumerated its table, and begins a sweep where one is due.
    fn end_resync(&mut self, shard: u32, time_ns: u64) {
        self.shards.set_resync(shard, Resync::Finished);
        let whole = self.sweep_whole;
        if !whole || self.shards.are_synced() {
            self.sweep = Some(Sweep { shard, whole, time_ns, bucket: 0 });
            self.shards.set_resync(shard, Resync::Sweeping);
        }
    }

    /// Sweeps on: deletes what no shard has confirmed among the next `step` buckets.
    fn sweep_some(&mut self, log: &mut EventLog, step: usize) {
        let Some(Sweep { shard, whole, time_ns, bucket }) = &mut self.sweep else { return };
        let (shard, whole, time_ns) = (*shard, *whole, *time_ns);
        let shards = &self.shards;
        let unconfirmed = |entry: &Mirrored| {
            (whole || entry.shard == shard) && shards.generation(entry.shard) != Some(entry.generation)
        };
        let gone = |gone| log.push(lost(&self.name, gone, time_ns));
        if !self.entries.remove_some(bucket, step, unconfirmed, gone) {
            self.sweep = None;
            self.sweep_whole &= !whole;
            self.shards.set_resync(shard, Resync::Finished);
            if self.shards.confirmed() == self.entries.len() {
                self.room.settle();
            }
        }
    }

    fn push(&self, log: &mut EventLog, time_ns: u64, change: Change) {
        log.push(Changed { time_ns, dataplane: self.name.clone(), change });
    }
}

/// Returns the event for an entry that was found gone.
fn lost(name: &Arc<str>, entry: EntryState, time_ns: u64) -> Changed {
    let change = Change::Deleted { entry, reason: DeleteReason::Resync, by: None };
    Changed { time_ns, dataplane: name.clone(), change }
}
