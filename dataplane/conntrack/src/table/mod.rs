//! The flow table: what it promises, and our own implementation.

mod lines;
mod memory;

pub(crate) use lines::filled;
pub use lines::{LineTable, TableConfig, TableConfigError};
pub use memory::{Counted, Layout, Uncounted};

use crate::bits::members;
use crate::entry::{Cold, Counts, Mark};
use crate::key::FlowKey;
use crate::timeout::Tick;

/// Where an entry lives: stable from its insertion to its removal.
/// In DPDK this is the `int32_t position` that `rte_hash_add_key` returns.
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

/// Most keys of one bulk lookup (`RTE_HASH_LOOKUP_BULK_MAX`).
pub const BULK: usize = 64;

/// As many steps as a key may need.
pub const ALL_STEPS: u32 = u32::MAX;

/// What a packet does to its flow's entry.
#[derive(Clone, Copy, Debug)]
pub struct Touch {
    /// When it came.
    pub stamp: Tick,
    /// Whether it is counted.
    pub counting: bool,
}

/// What is known of the packets of a burst, at most [`BULK`]: slices of the same length.
#[derive(Clone, Copy, Debug)]
pub struct Packets<'a> {
    /// Their flows,
    pub keys: &'a [FlowKey],
    /// the hashes of these,
    pub hashes: &'a [u32],
    /// and how many bytes each has.
    pub lens: &'a [u32],
}

impl<'a> Packets<'a> {
    /// The first `count` of what the slices hold.
    #[inline(always)]
    #[must_use]
    pub fn first(count: usize, keys: &'a [FlowKey], hashes: &'a [u32], lens: &'a [u32]) -> Self {
        Packets { keys: &keys[..count], hashes: &hashes[..count], lens: &lens[..count] }
    }
}

/// A hash table from flow keys to positions, in the manner of DPDK's
/// `rte_hash`: the same calls with the same outcomes, one thread.
///
/// Beside every key the table keeps a [`Tick`] and a [`Mark`] for the tracker,
/// because the cache line that a lookup fetches is the cheapest place there is,
/// and [`Counts`] and a [`Cold`], because only the table can know what is near that line.
pub trait FlowTable {
    /// Entries it may hold.
    fn capacity(&self) -> u32;
    /// All positions are below this.
    fn positions(&self) -> u32;
    /// Entries it holds (`rte_hash_count`).
    fn len(&self) -> u32;
    /// True when it holds none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The hash of a key (`rte_hash_hash`).
    fn hash(&self, key: &FlowKey) -> u32;
    /// The hashes of up to [`BULK`] keys.
    fn hash_burst(&self, keys: &[FlowKey], out: &mut [u32]);
    /// Asks the cache for what the touch of keys with these hashes needs first, with counters or without, if the table knows.
    fn prefetch_burst(&self, hashes: &[u32], counting: bool) {
        let _ = (hashes, counting);
    }

    /// Finds a key (`rte_hash_lookup_with_hash`).
    fn lookup_with_hash(&self, key: &FlowKey, hash: u32) -> Option<Pos>;
    /// Finds up to [`BULK`] keys (`rte_hash_lookup_with_hash_bulk_data`): bit i
    /// of the answer says whether key i was found, and then at `out[i]`.
    fn lookup_burst(&self, keys: &[FlowKey], hashes: &[u32], out: &mut [Pos]) -> u64 {
        let mut found = 0;
        for (i, (key, &hash)) in keys.iter().zip(hashes).enumerate() {
            if let Some(pos) = self.lookup_with_hash(key, hash) {
                out[i] = pos;
                found |= 1 << i;
            }
        }
        found
    }
    /// Stamps the entries of the packets, from the `from`-th on, of those entries about which nothing has still to be told
    /// ([`Mark::pending`]), and counts the packets there if that is to be done: one visit for what is otherwise three or four.
    /// Bit i of the answer says whether that was done for packet i.
    ///
    /// On the way it asks the cache for the lines of keys that come later, whose hashes are `next`, and for what is kept at
    /// positions where entries of keys that are not there are likely to be put, if there is room; `vacancy` is told of these.
    ///
    /// Some may be left for [`FlowTable::touch_rest`], which must follow, with [`ALL_STEPS`] in the end, before anything is
    /// added or removed.
    fn touch_burst(
        &mut self,
        packets: Packets<'_>,
        from: usize,
        touch: Touch,
        next: &[u32],
        vacancy: impl FnMut(Pos),
    ) -> u64 {
        let _ = vacancy;
        self.prefetch_burst(next, touch.counting);
        let mut places = [Pos(0); BULK];
        let found = self.lookup_burst(&packets.keys[from..], &packets.hashes[from..], &mut places);
        let mut touched = 0u64;
        for i in members(found) {
            if self.mark(places[i]).pending() {
                continue;
            }
            self.set_stamp(places[i], touch.stamp);
            touched |= 1 << i;
            if let (true, Some(counts)) = (touch.counting, self.counts_mut(places[i])) {
                counts.count(packets.lens[from + i]);
            }
        }
        touched.checked_shl(from as u32).unwrap_or(0)
    }
    /// Goes on with what [`FlowTable::touch_burst`] has left undone for these packets: at most so many steps, each of which asks
    /// the cache for what the next one needs. Bits as there; when no step is left, all has been done.
    fn touch_rest(&mut self, packets: Packets<'_>, steps: u32, touch: Touch) -> u64 {
        let _ = (packets, steps, touch);
        0
    }
    /// Adds a key, or finds it when it is there already (`rte_hash_add_key_with_hash`).
    ///
    /// # Errors
    /// When the table is full.
    fn add_with_hash(&mut self, key: &FlowKey, hash: u32) -> Result<Pos, TableFull>;
    /// Removes the entry at a position that is occupied.
    fn remove_at(&mut self, pos: Pos);
    /// The key at a position; `None` when it is free (`rte_hash_get_key_with_position`).
    fn key_at(&self, pos: Pos) -> Option<FlowKey>;

    /// The tick kept beside the key at an occupied position.
    fn stamp(&self, pos: Pos) -> Tick;
    /// Replaces that tick.
    fn set_stamp(&mut self, pos: Pos, stamp: Tick);
    /// The mark kept beside the key at an occupied position; zero after an add.
    fn mark(&self, pos: Pos) -> Mark;
    /// Replaces that mark.
    fn set_mark(&mut self, pos: Pos, mark: Mark);
    /// Fetches what the other calls need of a position that is about to be looked at.
    fn prefetch_at(&self, pos: Pos);
    /// What is kept at a position; as it was left, whatever was added or removed there.
    fn cold(&self, pos: Pos) -> &Cold;
    /// The same, to be changed.
    fn cold_mut(&mut self, pos: Pos) -> &mut Cold;
    /// What was counted at a position; as it was left, and zero in a table that keeps no counters.
    fn counts(&self, pos: Pos) -> Counts;
    /// The same, to be changed; `None` in a table that keeps no counters.
    fn counts_mut(&mut self, pos: Pos) -> Option<&mut Counts>;

    /// Finds a key (`rte_hash_lookup`).
    fn lookup(&self, key: &FlowKey) -> Option<Pos> {
        self.lookup_with_hash(key, self.hash(key))
    }
    /// Adds a key (`rte_hash_add_key`).
    ///
    /// # Errors
    /// When the table is full.
    fn add(&mut self, key: &FlowKey) -> Result<Pos, TableFull> {
        self.add_with_hash(key, self.hash(key))
    }
    /// Removes a key and says where it was (`rte_hash_del_key`).
    fn delete(&mut self, key: &FlowKey) -> Option<Pos> {
        let pos = self.lookup(key)?;
        self.remove_at(pos);
        Some(pos)
    }
    /// The next entry at or after `*next`, which moves past it (`rte_hash_iterate`).
    fn iterate(&self, next: &mut u32) -> Option<(Pos, FlowKey)> {
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
