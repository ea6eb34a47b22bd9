//! The contract of a flow table.

use crate::bits::members;
use crate::entry::{Cold, Counts, Mark};
use crate::key::{FlowKey, Key, SlotKey};
use crate::timeout::Tick;

/// Where an entry lives, from its insertion to its removal. In DPDK this is the `int32_t` position
/// that `rte_hash_add_key` returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pos(pub u32);

/// The table holds as many entries as it may (`-ENOSPC` of `rte_hash_add_key`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableFull;

impl core::fmt::Display for TableFull {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the table is full")
    }
}

impl core::error::Error for TableFull {}

/// Maximum number of keys of one bulk lookup (`RTE_HASH_LOOKUP_BULK_MAX`).
pub const BULK: usize = 64;

/// As many steps of [`FlowTable::probe_displaced`] as any key may need.
pub const ALL_STEPS: u32 = u32::MAX;

/// What a packet changes in its flow's entry.
#[derive(Clone, Copy, Debug)]
pub struct Refresh {
    /// The time of the packet, which becomes that of the entry's last use.
    pub stamp: Tick,
    /// Whether the packet is counted.
    pub counting: bool,
}

/// Up to [`BULK`] packets. The slices have the same length.
#[derive(Clone, Copy)]
pub struct Packets<'a, K: Key = FlowKey> {
    /// The keys of the packets.
    pub keys: &'a [K],
    /// The hashes of the keys.
    pub hashes: &'a [K::Hash],
    /// The lengths of the packets, in bytes.
    pub lens: &'a [u32],
}

impl<'a, K: Key> Packets<'a, K> {
    /// Returns the first `count` packets of these slices.
    #[inline(always)]
    #[must_use]
    pub fn first(count: usize, keys: &'a [K], hashes: &'a [K::Hash], lens: &'a [u32]) -> Self {
        Packets { keys: &keys[..count], hashes: &hashes[..count], lens: &lens[..count] }
    }
}

/// The hash of a key of a table.
pub type HashOf<T> = <<T as FlowTable>::Key as Key>::Hash;

/// A hash table from flow keys to positions, in the manner of DPDK's `rte_hash`: the same calls
/// with the same outcomes, for one thread.
///
/// Beside every key the table keeps the parts of an entry for the tracker: a [`Tick`] and a
/// [`Mark`], because the cache line that a lookup needs anyway is the cheapest place there is, and
/// [`Counts`] and a [`Cold`], because only the table knows what is near that line.
///
/// The keys of some tables are longer than what a lookup compares (`docs/table.md`). Such a table
/// finds the one entry for all keys with the same fingerprint, unless it verifies: then it compares
/// whole keys. All other calls are about whole keys.
pub trait FlowTable {
    /// The keys.
    type Key: Key;

    /// Returns the maximum number of entries.
    fn capacity(&self) -> u32;
    /// Returns a number that all positions are below.
    fn positions(&self) -> u32;
    /// Returns the number of entries (`rte_hash_count`).
    fn len(&self) -> u32;
    /// Returns true when there are no entries.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the hash of a key (`rte_hash_hash`).
    fn hash(&self, key: &Self::Key) -> HashOf<Self>;
    /// Writes the hashes of up to [`BULK`] keys to `out`.
    fn hash_burst(&self, keys: &[Self::Key], out: &mut [HashOf<Self>]);
    /// Prefetches what a probe of keys with these hashes needs first, with counters or without.
    fn prefetch_burst(&self, hashes: &[HashOf<Self>], counting: bool) {
        let _ = (hashes, counting);
    }

    /// Returns the position of a key (`rte_hash_lookup_with_hash`).
    fn lookup_with_hash(&self, key: &Self::Key, hash: HashOf<Self>) -> Option<Pos>;
    /// Looks up to [`BULK`] keys up (`rte_hash_lookup_with_hash_bulk_data`). Bit i of the result
    /// says whether key i was found; its position is `out[i]` then.
    fn lookup_burst(&self, keys: &[Self::Key], hashes: &[HashOf<Self>], out: &mut [Pos]) -> u64 {
        let mut found = 0;
        for (i, (key, &hash)) in keys.iter().zip(hashes).enumerate() {
            if let Some(pos) = self.lookup_with_hash(key, hash) {
                out[i] = pos;
                found |= 1 << i;
            }
        }
        found
    }
    /// Refreshes the entries of the packets from the `from`-th on: one visit of an entry for what
    /// is otherwise a lookup, a stamp and two counts. Entries about which something is still to be
    /// reported ([`Mark::pending`]) are left alone. Bit i of the result says whether the entry of
    /// packet i was refreshed.
    ///
    /// Meanwhile the table prefetches the lines of the keys that come later, whose hashes are
    /// `next`. If there is room for new entries, it also prefetches the places where those of
    /// unknown keys are likely to be put, and calls `vacancy` with each.
    ///
    /// Some packets may be left for [`FlowTable::probe_displaced`], which must have followed, with
    /// [`ALL_STEPS`] in the end, before anything is added or removed and before another batch is
    /// probed.
    fn probe_burst(
        &mut self,
        packets: Packets<'_, Self::Key>,
        from: usize,
        refresh: Refresh,
        next: &[HashOf<Self>],
        vacancy: impl FnMut(Pos),
    ) -> u64 {
        let _ = vacancy;
        self.prefetch_burst(next, refresh.counting);
        let mut places = [Pos(0); BULK];
        let found = self.lookup_burst(&packets.keys[from..], &packets.hashes[from..], &mut places);
        let mut hits = 0u64;
        for i in members(found) {
            if self.mark(places[i]).pending() {
                continue;
            }
            self.set_stamp(places[i], refresh.stamp);
            hits |= 1 << i;
            if let (true, Some(counts)) = (refresh.counting, self.counts_mut(places[i])) {
                counts.count(packets.lens[from + i]);
            }
        }
        hits.checked_shl(from as u32).unwrap_or(0)
    }
    /// Goes on with the packets that [`FlowTable::probe_burst`] has left, for at most `steps`
    /// steps, each of which prefetches what the next one needs. The result is as there.
    fn probe_displaced(&mut self, packets: Packets<'_, Self::Key>, steps: u32, refresh: Refresh) -> u64 {
        let _ = (packets, steps, refresh);
        0
    }
    /// Adds a key, or finds it when it is there already (`rte_hash_add_key_with_hash`). Returns its
    /// position.
    ///
    /// # Errors
    /// When the table is full.
    fn add_with_hash(&mut self, key: &Self::Key, hash: HashOf<Self>) -> Result<Pos, TableFull>;
    /// Removes the entry at an occupied position.
    fn remove_at(&mut self, pos: Pos);
    /// Returns the key at a position, or `None` when it is free (`rte_hash_get_key_with_position`).
    fn key_at(&self, pos: Pos) -> Option<Self::Key>;
    /// Returns what the slot at a position holds of a key, or `None` when it is free. Whole keys that
    /// lie elsewhere are not read.
    fn slot_at(&self, pos: Pos) -> Option<SlotKey> {
        self.key_at(pos).map(|_| SlotKey::default())
    }
    /// Returns the key at a position, for which [`FlowTable::slot_at`] has returned this.
    fn key_of(&self, pos: Pos, in_slot: SlotKey) -> Self::Key {
        let _ = in_slot;
        self.key_at(pos).unwrap_or_default()
    }

    /// Returns the tick kept beside the key at an occupied position.
    fn stamp(&self, pos: Pos) -> Tick;
    /// Replaces that tick.
    fn set_stamp(&mut self, pos: Pos, stamp: Tick);
    /// Returns the mark kept beside the key at an occupied position. It is zero after an add.
    fn mark(&self, pos: Pos) -> Mark;
    /// Replaces that mark.
    fn set_mark(&mut self, pos: Pos, mark: Mark);
    /// Prefetches what the other calls need of a position.
    fn prefetch_at(&self, pos: Pos);
    /// Returns the cold part kept at a position. Adding and removing entries do not change it.
    fn cold(&self, pos: Pos) -> &Cold;
    /// Returns the cold part kept at a position, to be changed.
    fn cold_mut(&mut self, pos: Pos) -> &mut Cold;
    /// Returns the counts kept at a position. Adding and removing entries do not change them. They
    /// are zero in a table without counters.
    fn counts(&self, pos: Pos) -> Counts;
    /// Returns the counts kept at a position, to be changed, or `None` in a table without counters.
    fn counts_mut(&mut self, pos: Pos) -> Option<&mut Counts>;

    /// Returns the position of a key (`rte_hash_lookup`).
    fn lookup(&self, key: &Self::Key) -> Option<Pos> {
        self.lookup_with_hash(key, self.hash(key))
    }
    /// Adds a key and returns its position (`rte_hash_add_key`).
    ///
    /// # Errors
    /// When the table is full.
    fn add(&mut self, key: &Self::Key) -> Result<Pos, TableFull> {
        self.add_with_hash(key, self.hash(key))
    }
    /// Removes a key and returns the position where it was (`rte_hash_del_key`).
    fn delete(&mut self, key: &Self::Key) -> Option<Pos> {
        let pos = self.lookup(key)?;
        self.remove_at(pos);
        Some(pos)
    }
    /// Returns the next entry at or after `*next`, which moves past it (`rte_hash_iterate`).
    fn iterate(&self, next: &mut u32) -> Option<(Pos, Self::Key)> {
        while *next < self.positions() {
            let pos = Pos(*next);
            *next += 1;
            if let Some(key) = self.key_at(pos) {
                return Some((pos, key));
            }
        }
        None
    }
}
