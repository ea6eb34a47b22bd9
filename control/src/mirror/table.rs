//! The mirror of one table of a data plane: what it holds, as far as the shards have reported it.
//!
//! A method that adds or removes an entry, or changes its attributes, writes that to the event log
//! as well, so that mirror and log agree on these. Counts and times are refreshed without an event.
//!
//! # Resync
//!
//! At the start of a link a shard enumerates its part of the table between RESYNC_BEGIN and
//! RESYNC_END, while live reports continue in between. BEGIN gives the shard a new generation. Each
//! report that names an entry stamps it with the generation of its shard. END sweeps: it deletes
//! the entries that carry an older generation. So marking a million entries as unconfirmed costs
//! nothing.
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

use flowtracker_proto::change::{Change, Changed, EntryState, Report};
use flowtracker_proto::table::Family;
use flowtracker_proto::v1::{Actor, DeleteReason};
use hashbrown::hash_table::Entry as Slot;

use crate::mirror::bad_report::BadReport;
use crate::mirror::entries::{Entries, Mirrored};
use crate::mirror::log::EventLog;
use crate::mirror::room::Room;
use crate::mirror::seen::Seen;
use crate::mirror::shards::{Resync, Shards};
use crate::mirror::waiting::{Waited, Waiting};

/// What has become useless and may take long to drop: it is dropped where nobody waits for it.
pub(super) type Trash = Vec<Box<dyn Any + Send>>;

/// Where the changes of a data plane are written.
pub(super) struct Events<'a> {
    /// The log.
    pub(super) log: &'a mut EventLog,
    /// The name of the data plane.
    pub(super) dataplane: &'a Arc<str>,
}

impl Events<'_> {
    fn push(&mut self, time_ns: u64, change: Change) {
        self.log.push(Changed { time_ns, dataplane: self.dataplane.clone(), change });
    }

    /// Writes that an entry was found gone.
    fn lost(&mut self, time_ns: u64, entry: EntryState) {
        self.push(time_ns, Change::Deleted { entry, reason: DeleteReason::Resync, by: None });
    }
}

/// A sweep in progress.
#[derive(Debug)]
struct Sweep {
    /// The shard whose END has begun it.
    shard: u32,
    /// Deletes unconfirmed entries of all shards, not only of this one.
    whole: bool,
    /// The time of the END, which the deletions have too.
    time_ns: u64,
    /// The next bucket of the table.
    bucket: usize,
}

/// What is known of one table.
#[derive(Debug)]
pub(super) struct TableMirror {
    family: Family,
    /// The data plane runs the table, according to its present or its last Hello.
    runs: bool,
    room: Room,
    shards: Shards,
    /// Sweep nothing before every shard has finished its resync.
    sweep_whole: bool,
    sweep: Option<Sweep>,
    entries: Entries,
    /// The next bucket of the table from which [`TableMirror::remove_some`] removes entries.
    removed_to: usize,
    waiting: Waiting,
    trash: Trash,
}

impl TableMirror {
    /// Creates the mirror of a table that has not been reported yet.
    pub(super) fn new(family: Family) -> Self {
        Self {
            family,
            runs: false,
            room: Room::none(family),
            shards: Shards::default(),
            sweep_whole: false,
            sweep: None,
            entries: Entries::default(),
            removed_to: 0,
            waiting: Waiting::default(),
            trash: Trash::new(),
        }
    }

    /// Records that a link came up whose data plane has these shards, and whose table may hold
    /// `capacity` entries; `None` when it does not run the table. `restarted` says whether the data
    /// plane is another process than before.
    pub(super) fn attach(&mut self, shards: &[u32], capacity: Option<u64>, restarted: bool) {
        // A sweep that a cut link left undone stays due.
        self.sweep_whole |= restarted || !self.shards.are_within(shards);
        self.forget_reports();
        self.shards.reset(shards);
        self.runs = capacity.is_some();
        self.room.declare(capacity.unwrap_or(0), self.entries.len() != 0);
    }

    /// Drops what is under way. The next link's resync shows what has become of it.
    pub(super) fn forget_reports(&mut self) {
        self.trash.push(Box::new(std::mem::take(&mut self.waiting)));
        self.sweep = None;
        self.removed_to = 0;
    }

    /// Returns what has become useless.
    pub(super) fn trash(&mut self) -> &mut Trash {
        &mut self.trash
    }

    /// Returns the number of entries.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns all entries, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &EntryState> {
        self.entries.iter()
    }

    /// Returns whether the mirror shows what the data plane has: its shards have finished their
    /// resync, or it does not run the table and nothing is left of it.
    pub(super) fn is_synced(&self) -> bool {
        if self.runs { self.shards.are_synced() } else { self.entries.len() == 0 }
    }

    /// Returns whether the data plane runs the table.
    pub(super) fn runs(&self) -> bool {
        self.runs
    }

    /// Removes some entries, whatever has confirmed them: looks at `step` buckets.
    pub(super) fn remove_some(&mut self, events: &mut Events<'_>, step: usize, wall_ns: u64) {
        let Self { entries, removed_to, .. } = self;
        if !entries.remove_some(removed_to, step, |_| true, |gone| events.lost(wall_ns, gone)) {
            *removed_to = 0;
        }
    }

    /// Returns whether a sweep is in progress.
    pub(super) fn is_sweeping(&self) -> bool {
        self.sweep.is_some()
    }

    /// Takes the next report that has waited and is due now.
    pub(super) fn next_due(&mut self) -> Option<Waited> {
        self.waiting.next_due()
    }

    /// Takes in what a shard reports of this table. Where the report begins a sweep, the reports of
    /// this data plane that follow have to wait for the end of that.
    ///
    /// # Errors
    /// No sound data plane makes this report.
    pub(super) fn apply(
        &mut self,
        events: &mut Events<'_>,
        (shard, time_ns, report): Waited,
    ) -> Result<(), BadReport> {
        if !self.runs {
            return Err(BadReport::Table(self.family.pipeline()));
        }
        if self.shards.is_purged(shard).ok_or(BadReport::Shard(shard))? {
            self.room.check_waiting(self.waiting.len())?;
            self.waiting.defer((shard, time_ns, report));
            return Ok(());
        }
        match report {
            Report::ResyncBegin(_) => self.shards.begin_resync(shard),
            Report::ResyncEnd(_) => self.end_resync(shard, time_ns),
            Report::Present(state) => self.upsert(events, shard, state, Seen::InTable)?,
            Report::Change(Change::Created(state)) => self.upsert(events, shard, state, Seen::Created)?,
            Report::Change(Change::Updated(state)) => self.upsert(events, shard, state, Seen::Updated)?,
            Report::Change(Change::Deleted { entry, reason, by }) => self.delete(events, entry, reason, by),
            Report::Change(Change::Flushed { family, deleted, failed }) => {
                if let Some((deleted, failed)) = self.shards.flush(shard, deleted, failed)? {
                    events.push(time_ns, Change::Flushed { family, deleted, failed });
                }
            }
            Report::Change(Change::Purged(family)) => {
                if self.shards.purge(shard) {
                    self.trash.push(Box::new(std::mem::take(&mut self.entries)));
                    self.shards.unconfirm_all();
                    events.push(time_ns, Change::Purged(family));
                    self.waiting.release();
                }
            }
            Report::Change(Change::Loaded(family)) => {
                if self.shards.load(shard) {
                    events.push(time_ns, Change::Loaded(family));
                }
            }
        }
        Ok(())
    }

    /// Takes in that the shard has this entry.
    fn upsert(
        &mut self,
        events: &mut Events<'_>,
        shard: u32,
        state: EntryState,
        seen: Seen,
    ) -> Result<(), BadReport> {
        let generation = self.shards.generation(shard).unwrap_or_default();
        let (held, time_ns) = (self.entries.len(), state.as_of_ns);
        let mut place = match self.entries.slot(&state.key) {
            Slot::Occupied(place) => place,
            Slot::Vacant(place) => {
                self.room.check_confirmed(self.shards.confirmed())?;
                self.room.check_in_all(held)?;
                self.shards.confirm(shard);
                events.push(time_ns, Change::Created(state.clone()));
                place.insert(Mirrored { shard, generation, state });
                return Ok(());
            }
        };
        let known = place.get_mut();
        // Only times of one resync and what follows it are comparable: a link may begin with an
        // earlier time than the last one had, when the data plane's clock was set back.
        let order = match known.generation == generation {
            true => known.state.as_of_ns.cmp(&time_ns),
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
            events.lost(time_ns, former);
            events.push(time_ns, Change::Created(state));
            return Ok(());
        }
        // A report that repeats the known state causes no event. An older repetition must not turn
        // times back, and a repetition with other attributes must not change them without an event.
        let same = known.state.same_attributes(&state);
        if !seen.repeats(same, order) {
            events.push(time_ns, Change::Updated(state.clone()));
        } else if order.is_gt() || !same {
            return Ok(());
        }
        known.state = state;
        Ok(())
    }

    /// Takes in that an entry was deleted.
    fn delete(
        &mut self,
        events: &mut Events<'_>,
        state: EntryState,
        reason: DeleteReason,
        by: Option<Arc<Actor>>,
    ) {
        let Slot::Occupied(place) = self.entries.slot(&state.key) else {
            tracing::debug!(dataplane = %events.dataplane, key = %state.key, "deletion of an unknown entry");
            return;
        };
        let (known, _) = place.remove();
        self.shards.unconfirm(known.shard, known.generation);
        let time_ns = state.as_of_ns;
        if known.state.create_ns == state.create_ns {
            events.push(time_ns, Change::Deleted { entry: state, reason, by });
        } else {
            // The deleted entry was never reported, but the known one under its key is gone too.
            events.lost(time_ns, known.state);
        }
    }

    /// Takes in that the shard has enumerated its part, and begins a sweep where one is due.
    fn end_resync(&mut self, shard: u32, time_ns: u64) {
        self.shards.set_resync(shard, Resync::Finished);
        let whole = self.sweep_whole;
        if !whole || self.shards.are_synced() {
            self.sweep = Some(Sweep { shard, whole, time_ns, bucket: 0 });
            self.shards.set_resync(shard, Resync::Sweeping);
        }
    }

    /// Sweeps on: deletes what no shard has confirmed among the next `step` buckets.
    pub(super) fn sweep_some(&mut self, events: &mut Events<'_>, step: usize) {
        let Some(Sweep { shard, whole, time_ns, bucket }) = &mut self.sweep else { return };
        let (shard, whole, time_ns) = (*shard, *whole, *time_ns);
        let shards = &self.shards;
        let unconfirmed = |entry: &Mirrored| {
            (whole || entry.shard == shard) && shards.generation(entry.shard) != Some(entry.generation)
        };
        if !self.entries.remove_some(bucket, step, unconfirmed, |gone| events.lost(time_ns, gone)) {
            self.sweep = None;
            self.sweep_whole &= !whole;
            self.shards.set_resync(shard, Resync::Finished);
            if self.shards.confirmed() == self.entries.len() {
                self.room.settle();
            }
        }
    }
}
