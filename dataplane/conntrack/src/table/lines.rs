//! The table of the product: its parts, and where an entry may be in them.
//!
//! A key lives in its *home* line. When that was full at the key's insertion, the entry is
//! *displaced*: it lives in the line beside its home, or in the first line with room further along
//! its probe sequence (`sequence`). Each full line that it passed counts it. A lookup goes on only
//! while that count is not zero, and a removal takes the counts back. So there are no tombstones,
//! and no entry ever moves.
//!
//! That stability is worth more than the higher load that moving entries would allow: a position
//! names an entry for its whole life, so aging blocks, cold data and cursors of enumerations need
//! no repair, and an insertion is bounded whatever the keys.
//!
//! The scheme is that of F14 (Facebook's hash table, 2019) with slots wide enough for whole keys of
//! IPv4, so that one line answers most lookups. IPv6 keys have fingerprints in the slots.
//! `docs/table.md` has what was rejected, and why.

#[cfg(test)]
mod tests;

use super::config::{MAX_ENTRIES, TableConfig, TableConfigError};
use super::displaced::Displaced;
use super::flow_table::Pos;
use super::line::Line;
use super::memory::{Counted, Layout};
use super::sequence::{self, MAX_PROBES, beside, further};
use super::slots::SLOTS;
use super::store::Store;
use crate::hash::KeyHasher;
use crate::key::{FlowKey, Key, SlotKey};

/// The table of the product. Its memory is taken at creation and never grows.
pub struct LineTable<L = Counted, K: Key = FlowKey> {
    pub(super) memory: L,
    /// The whole keys.
    pub(super) keys: K::Store,
    /// Whole keys are compared even if slots cannot tell them apart.
    pub(super) verifying: bool,
    pub(super) len: u32,
    pub(super) capacity: u32,
    pub(super) hasher: K::Hasher,
    /// The keys that a probe has not found in their home lines and that have still to be followed.
    pub(super) displaced: Displaced,
    /// Most packets are being refused because the table is full, so there is nothing to count.
    pub(super) refusing: bool,
}

impl LineTable {
    /// Maximum number of entries of a table.
    pub const MAX_ENTRIES: u32 = MAX_ENTRIES;

    /// Returns an empty table with counters.
    ///
    /// # Errors
    /// As [`LineTable::laid_out`].
    pub fn new(config: TableConfig) -> Result<Self, TableConfigError> {
        Self::laid_out(config)
    }
}

impl<L: Layout, K: Key> LineTable<L, K> {
    /// Returns an empty table. It takes a line of 64 bytes for every 1.8 entries, and what the
    /// layout and the keys keep beside the lines.
    ///
    /// # Errors
    /// When the number of entries is 0 or above [`LineTable::MAX_ENTRIES`], or the memory cannot be
    /// had.
    pub fn laid_out(config: TableConfig<K>) -> Result<Self, TableConfigError> {
        let TableConfig { entries, hasher } = config;
        if entries == 0 || entries > MAX_ENTRIES {
            return Err(TableConfigError::Entries(entries));
        }
        // A load of 0.6, and some more lines, so that the entries of a tiny table have somewhere to
        // go. Lines come in pairs.
        let lines = ((u64::from(entries) * 5).div_ceil(9) as usize + 7).next_multiple_of(2);
        Ok(LineTable {
            memory: L::take(lines)?,
            keys: K::Store::take(lines * SLOTS)?,
            verifying: false,
            len: 0,
            capacity: entries,
            hasher,
            displaced: Displaced::new(),
            refusing: false,
        })
    }

    /// Makes every hit compare the whole key, so that keys with the same fingerprint have entries of
    /// their own. An IPv4 table does so anyway.
    #[must_use]
    pub fn verifying_keys(mut self) -> Self {
        self.verifying = true;
        self
    }

    /// Returns the size of the memory that every lookup touches, in bytes.
    #[must_use]
    pub fn hot_bytes(&self) -> usize {
        self.line_count() * size_of::<Line>()
    }

    /// Returns the size of all memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.memory.bytes() + self.keys.bytes()
    }

    /// Returns the number of lines. `n` lines divide the 2^32 hashes evenly and in order: the home
    /// line of a key with hash `h` is `h × n / 2^32`.
    #[must_use]
    pub fn lines(&self) -> u32 {
        self.line_count() as u32
    }

    /// Returns the displacement of the entry at a position: the number of lines that a lookup
    /// visits after the home line. `None` when the position is free.
    #[must_use]
    pub fn displacement(&self, pos: Pos) -> Option<u32> {
        let (at, slot) = Self::at(pos);
        let in_slot = self.memory.units().get(at).and_then(|unit| L::line(unit).key(slot))?;
        let home = self.home(self.hash_at(pos, in_slot));
        if at == home {
            return Some(0);
        }
        self.after_home(home, &in_slot).position(|line| line == at).map(|between| between as u32 + 1)
    }

    #[inline(always)]
    pub(super) fn line_count(&self) -> usize {
        self.memory.units().len()
    }

    #[inline(always)]
    pub(super) fn line(&self, at: usize) -> &Line {
        L::line(&self.memory.units()[at])
    }

    #[inline(always)]
    pub(super) fn line_mut(&mut self, at: usize) -> &mut Line {
        L::parts(&mut self.memory.units_mut()[at]).0
    }

    /// Returns the home line of keys with this hash.
    #[inline(always)]
    pub(super) fn home(&self, hash: K::Hash) -> usize {
        sequence::home(self.line_count(), K::home(hash))
    }

    /// Returns the hash of the key at a position, whose slot holds `in_slot`. A whole key that lies
    /// beside the lines is only read when there is no other way.
    #[inline(always)]
    pub(super) fn hash_at(&self, pos: Pos, in_slot: SlotKey) -> K::Hash {
        self.hasher.hash_of_slot(&in_slot).unwrap_or_else(|| self.hasher.hash(&self.keys.key(pos, in_slot)))
    }

    /// Returns true when the entry at a position is that of `key`, as far as lookups tell keys
    /// apart. Its slot holds the key's slot key.
    #[inline(always)]
    pub(super) fn is_of(&self, pos: Pos, key: &K) -> bool {
        K::Store::EXACT || !self.verifying || self.keys.holds(pos, key)
    }

    /// Iterates over the lines of a key's probe sequence after its home line.
    #[inline]
    pub(super) fn after_home<'a>(
        &'a self,
        home: usize,
        key: &'a SlotKey,
    ) -> impl Iterator<Item = usize> + 'a {
        let lines = self.line_count();
        let spread = core::cell::OnceCell::new();
        core::iter::once(beside(home)).chain(
            (2..MAX_PROBES)
                .map(move |step| further(lines, *spread.get_or_init(|| self.hasher.spread(key)), step)),
        )
    }

    /// Returns the position of a slot of a line.
    #[inline]
    pub(super) fn pos(line: usize, slot: usize) -> Pos {
        position(line, slot)
    }

    /// Returns the line and the slot of a position.
    #[inline]
    pub(super) fn at(pos: Pos) -> (usize, usize) {
        (pos.0 as usize / SLOTS, pos.0 as usize % SLOTS)
    }
}

/// Returns the position of a slot of a line.
#[inline(always)]
pub(super) fn position(line: usize, slot: usize) -> Pos {
    Pos((line * SLOTS + slot) as u32)
}
