//! The shards of one table on the present link: how far their resync is, and what each has reported
//! of what they report together.

use std::collections::{BTreeMap, VecDeque};

use crate::mirror::bad_report::BadReport;

/// The FLUSHED of one shard that may wait for those of the others. A data plane has fewer flushes
/// under way than commands fit in front of its lcores.
const FLUSHES: usize = 1024;

/// How far a shard's resync is on the present link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resync {
    Awaited,
    Running,
    /// The enumeration has ended; the entries that it has not confirmed are being swept.
    Sweeping,
    Finished,
}

#[derive(Debug)]
struct Shard {
    generation: u32,
    /// The mirrored entries that carry this generation.
    confirmed: usize,
    resync: Resync,
    /// The FLUSHED of this shard that the other shards have not matched yet.
    flushes: VecDeque<(u64, u64)>,
    /// PURGED has come from this shard, but not yet from every shard.
    purged: bool,
    /// LOADED has come from this shard, but not yet from every shard.
    loaded: bool,
}

/// The shards by the id of their lcore.
#[derive(Debug, Default)]
pub(super) struct Shards {
    by_id: BTreeMap<u32, Shard>,
    last_generation: u32,
    /// The mirrored entries that the present link has confirmed.
    confirmed: usize,
}

impl Shards {
    /// Starts over with these shards, whose resyncs are awaited.
    pub(super) fn reset(&mut self, ids: &[u32]) {
        self.by_id.clear();
        self.confirmed = 0;
        for id in ids {
            self.last_generation = self.last_generation.wrapping_add(1);
            let fresh = Shard {
                generation: self.last_generation,
                confirmed: 0,
                resync: Resync::Awaited,
                flushes: VecDeque::new(),
                purged: false,
                loaded: false,
            };
            self.by_id.insert(*id, fresh);
        }
    }

    /// Returns whether all of them are among `ids`.
    pub(super) fn are_within(&self, ids: &[u32]) -> bool {
        self.by_id.keys().all(|id| ids.contains(id))
    }

    /// Returns the generation with which entries that `id` reports are stamped.
    pub(super) fn generation(&self, id: u32) -> Option<u32> {
        self.by_id.get(&id).map(|shard| shard.generation)
    }

    /// Starts the resync of `id` with a new generation.
    pub(super) fn begin_resync(&mut self, id: u32) {
        self.last_generation = self.last_generation.wrapping_add(1);
        if let Some(shard) = self.by_id.get_mut(&id) {
            (shard.generation, shard.resync) = (self.last_generation, Resync::Running);
            self.confirmed -= std::mem::take(&mut shard.confirmed);
        }
    }

    /// Returns how many mirrored entries the present link has confirmed.
    pub(super) fn confirmed(&self) -> usize {
        self.confirmed
    }

    /// Counts one more entry that carries the generation of `id`.
    pub(super) fn confirm(&mut self, id: u32) {
        if let Some(shard) = self.by_id.get_mut(&id) {
            shard.confirmed += 1;
            self.confirmed += 1;
        }
    }

    /// Takes in that an entry no longer carries this generation of `id`, or is gone.
    pub(super) fn unconfirm(&mut self, id: u32, generation: u32) {
        if let Some(shard) = self.by_id.get_mut(&id).filter(|shard| shard.generation == generation) {
            shard.confirmed -= 1;
            self.confirmed -= 1;
        }
    }

    /// Takes in that no entry is left.
    pub(super) fn unconfirm_all(&mut self) {
        self.confirmed = 0;
        self.by_id.values_mut().for_each(|shard| shard.confirmed = 0);
    }

    /// Sets how far the resync of `id` is.
    pub(super) fn set_resync(&mut self, id: u32, resync: Resync) {
        if let Some(shard) = self.by_id.get_mut(&id) {
            shard.resync = resync;
        }
    }

    /// Returns whether the resync of every shard is finished.
    pub(super) fn are_synced(&self) -> bool {
        self.by_id.values().all(|shard| shard.resync == Resync::Finished)
    }

    /// Returns whether `id` has reported PURGED and waits for the others; `None` when it is no
    /// shard of this link.
    pub(super) fn is_purged(&self, id: u32) -> Option<bool> {
        self.by_id.get(&id).map(|shard| shard.purged)
    }

    /// Takes in that `id` is purged. Returns true once every shard is; then none waits any longer.
    pub(super) fn purge(&mut self, id: u32) -> bool {
        if let Some(shard) = self.by_id.get_mut(&id) {
            shard.purged = true;
        }
        let all = self.by_id.values().all(|shard| shard.purged);
        if all {
            self.by_id.values_mut().for_each(|shard| shard.purged = false);
        }
        all
    }

    /// Takes in that `id` is loaded. Returns true for the first shard of each load, so that LOADED
    /// precedes new entries.
    pub(super) fn load(&mut self, id: u32) -> bool {
        let first = self.by_id.values().all(|shard| !shard.loaded);
        if let Some(shard) = self.by_id.get_mut(&id) {
            shard.loaded = true;
        }
        if self.by_id.values().all(|shard| shard.loaded) {
            self.by_id.values_mut().for_each(|shard| shard.loaded = false);
        }
        first
    }

    /// Takes in that a flush has ended on `id`: entries deleted, and entries left. Returns the sums
    /// once every shard has reported its part; a sum that is too large for its type is the largest
    /// number.
    ///
    /// # Errors
    /// Too many flushes of this shard wait for the others.
    pub(super) fn flush(
        &mut self,
        id: u32,
        deleted: u64,
        failed: u64,
    ) -> Result<Option<(u64, u64)>, BadReport> {
        if let Some(shard) = self.by_id.get_mut(&id) {
            if shard.flushes.len() == FLUSHES {
                return Err(BadReport::Flushes(FLUSHES));
            }
            shard.flushes.push_back((deleted, failed));
        }
        if self.by_id.values().any(|shard| shard.flushes.is_empty()) {
            return Ok(None);
        }
        let parts = self.by_id.values_mut().filter_map(|shard| shard.flushes.pop_front());
        let sum =
            |(deleted, failed): (u64, u64), (d, f)| (deleted.saturating_add(d), failed.saturating_add(f));
        Ok(Some(parts.fold((0, 0), sum)))
    }
}
