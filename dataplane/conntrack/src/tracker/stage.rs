//! A batch on its way through the stages, and how far it has come.

use crate::batch::{Batch, CAPACITY};
use crate::hash::BURST;
use crate::key::Key;
use crate::table::{BULK, FlowTable, Packets};
use crate::timeout::Now;

// A whole batch is hashed, and probed, in one call.
const _: () = assert!(CAPACITY <= BURST && CAPACITY <= BULK);

/// A batch with what the stages know about it.
///
/// Stages are kept with the tracker, because on the stack they would have to be cleared for each
/// burst.
pub(super) struct Stage<K: Key> {
    /// The keys and lengths of the frames.
    pub(super) batch: Batch<K>,
    /// The time of all its frames; valid from [`Tracker::turn`](super::Tracker::turn) on.
    pub(super) at: Now,
    /// The hashes of the first `hashed` keys.
    hashes: [K::Hash; CAPACITY],
    hashed: usize,
    /// Number of frames that have been probed.
    pub(super) probed: usize,
    /// The frames that were hits so far, a bit each.
    pub(super) hits: u64,
}

impl<K: Key> Stage<K> {
    /// Returns an empty stage.
    pub(super) fn new(now: Now) -> Self {
        Stage {
            batch: Batch::new(),
            at: now,
            hashes: [K::Hash::default(); CAPACITY],
            hashed: 0,
            probed: 0,
            hits: 0,
        }
    }

    /// Returns the number of keys that have not been hashed.
    #[inline(always)]
    pub(super) fn unhashed(&self) -> usize {
        self.batch.len() - self.hashed
    }

    /// Hashes the keys that were parsed since the last call and returns their hashes.
    #[inline(always)]
    pub(super) fn hash(&mut self, table: &impl FlowTable<Key = K>) -> &[K::Hash] {
        let new = self.hashed..self.batch.len();
        self.hashed = new.end;
        let hashes = &mut self.hashes[new.clone()];
        table.hash_burst(self.batch.keys(new), hashes);
        hashes
    }

    /// Returns the first `count` packets, for the table. All of them have been hashed.
    #[inline(always)]
    pub(super) fn packets(&self, count: usize) -> Packets<'_, K> {
        debug_assert!(count <= self.hashed);
        Packets {
            keys: self.batch.keys(0..count),
            hashes: &self.hashes[..count],
            lens: self.batch.lens(0..count),
        }
    }

    /// Removes all frames.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.batch.clear();
        (self.hashed, self.probed, self.hits) = (0, 0, 0);
    }
}
