//! [`LineTable`] as a [`FlowTable`]: lookup, insertion and removal of one key, and access by
//! position. What it does for a batch is in `probe`.

use super::flow_table::{FlowTable, Packets, Pos, Refresh, TableFull};
use super::line::Line;
use super::lines::LineTable;
use super::memory::Layout;
use super::probe::ProbeHome;
use super::sequence::{MAX_PROBES, beside, further};
use super::slots::SLOTS;
use super::store::Store;
use crate::arch::prefetch_near;
use crate::entry::{Cold, Counts, Mark};
use crate::hash::KeyHasher;
use crate::key::{Key, SlotKey};
use crate::timeout::Tick;

impl<L: Layout, K: Key> LineTable<L, K> {
    /// Looks a key up in one line.
    #[inline(always)]
    fn find_at(&self, at: usize, key: &K, in_slot: &SlotKey) -> Option<usize> {
        let slot = self.line(at).find(in_slot)?;
        if self.is_of(Self::pos(at, slot), key) {
            return Some(slot);
        }
        // Another key with the same fingerprint. A slot behind it may hold this key.
        let mut rest = slot + 1..SLOTS;
        rest.find(|&slot| self.line(at).key(slot) == Some(*in_slot) && self.is_of(Self::pos(at, slot), key))
    }

    /// Looks a key up along its probe sequence, after its home line.
    #[cold]
    fn lookup_displaced(&self, key: &K, in_slot: &SlotKey, home: usize) -> Option<Pos> {
        for at in self.after_home(home, in_slot) {
            let line = self.line(at);
            if let Some(slot) = self.find_at(at, key, in_slot) {
                return Some(Self::pos(at, slot));
            }
            if !line.is_passed() {
                return None;
            }
        }
        None
    }

    /// Calls `change` for each line of a key's probe sequence before the line `upto`.
    fn for_passed(&mut self, home: usize, key: &SlotKey, upto: usize, change: impl Fn(&mut Line)) {
        let mut spread = 0;
        let mut at = home;
        for step in 1..MAX_PROBES {
            change(self.line_mut(at));
            if step == 2 {
                spread = self.hasher.spread(key);
            }
            at = if step == 1 { beside(home) } else { further(self.line_count(), spread, step) };
            if at == upto {
                return;
            }
        }
    }
}

impl<L: Layout, K: Key> FlowTable for LineTable<L, K> {
    type Key = K;

    fn capacity(&self) -> u32 {
        self.capacity
    }

    fn positions(&self) -> u32 {
        (self.line_count() * SLOTS) as u32
    }

    fn len(&self) -> u32 {
        self.len
    }

    fn hash(&self, key: &K) -> K::Hash {
        self.hasher.hash(key)
    }

    #[inline]
    fn hash_burst(&self, keys: &[K], out: &mut [K::Hash]) {
        self.hasher.hash_burst(keys, out);
    }

    #[inline]
    fn prefetch_burst(&self, hashes: &[K::Hash], counting: bool) {
        for &hash in hashes {
            self.prefetch_line(self.home(hash), counting);
        }
    }

    #[inline]
    fn lookup_with_hash(&self, key: &K, hash: K::Hash) -> Option<Pos> {
        let home = self.home(hash);
        let in_slot = key.slot(&hash);
        match self.find_at(home, key, in_slot) {
            Some(slot) => Some(Self::pos(home, slot)),
            None if !self.line(home).is_passed() => None,
            None => self.lookup_displaced(key, in_slot, home),
        }
    }

    fn lookup(&self, key: &K) -> Option<Pos> {
        let pos = self.lookup_with_hash(key, self.hash(key))?;
        self.keys.holds(pos, key).then_some(pos)
    }

    #[inline(never)]
    fn probe_burst(
        &mut self,
        packets: Packets<'_, K>,
        from: usize,
        refresh: Refresh,
        next: &[K::Hash],
        vacancy: impl FnMut(Pos),
    ) -> u64 {
        debug_assert!(from != 0 || self.displaced.is_empty(), "the batch before has displaced keys left");
        let instructions = self.hasher.features();
        instructions.run(ProbeHome { table: self, packets, from, refresh, next, vacancy })
    }

    #[inline]
    fn probe_displaced(&mut self, packets: Packets<'_, K>, steps: u32, refresh: Refresh) -> u64 {
        if self.displaced.is_empty() { 0 } else { self.follow_displaced(packets, steps, refresh) }
    }

    fn add_with_hash(&mut self, key: &K, hash: K::Hash) -> Result<Pos, TableFull> {
        debug_assert!(self.displaced.is_empty(), "an add before the end of a probe");
        if let Some(pos) = self.lookup_with_hash(key, hash) {
            return Ok(pos);
        }
        if self.len == self.capacity {
            return Err(TableFull);
        }
        let home = self.home(hash);
        let in_slot = key.slot(&hash);
        let mut at = home;
        let mut slot = self.line(home).free_slot();
        if slot.is_none() {
            let mut after = self.after_home(home, in_slot);
            while slot.is_none() {
                at = after.next().ok_or(TableFull)?;
                slot = self.line(at).free_slot();
            }
            drop(after);
            // There is room: only now is the entry counted in the lines that it passed.
            self.for_passed(home, in_slot, at, Line::count_passed);
        }
        let slot = slot.unwrap_or_default();
        self.line_mut(at).put(slot, in_slot);
        self.keys.put(Self::pos(at, slot), key);
        self.len += 1;
        Ok(Self::pos(at, slot))
    }

    #[inline(always)]
    fn remove_at(&mut self, pos: Pos) {
        debug_assert!(self.displaced.is_empty(), "a removal before the end of a probe");
        let (at, slot) = Self::at(pos);
        let Some(in_slot) = self.slot_at(pos) else { return };
        let home = self.home(self.hash_at(pos, in_slot));
        if home != at {
            self.for_passed(home, &in_slot, at, Line::uncount_passed);
        }
        self.line_mut(at).clear(slot);
        self.len -= 1;
    }

    #[inline(always)]
    fn key_at(&self, pos: Pos) -> Option<K> {
        self.slot_at(pos).map(|in_slot| self.keys.key(pos, in_slot))
    }

    #[inline(always)]
    fn slot_at(&self, pos: Pos) -> Option<SlotKey> {
        let (at, slot) = Self::at(pos);
        if at < self.line_count() { self.line(at).key(slot) } else { None }
    }

    #[inline(always)]
    fn key_of(&self, pos: Pos, in_slot: SlotKey) -> K {
        self.keys.key(pos, in_slot)
    }

    #[inline]
    fn stamp(&self, pos: Pos) -> Tick {
        let (at, slot) = Self::at(pos);
        self.line(at).stamps[slot]
    }

    #[inline]
    fn set_stamp(&mut self, pos: Pos, stamp: Tick) {
        let (at, slot) = Self::at(pos);
        self.line_mut(at).stamps[slot] = stamp;
    }

    #[inline]
    fn mark(&self, pos: Pos) -> Mark {
        let (at, slot) = Self::at(pos);
        self.line(at).mark(slot)
    }

    #[inline]
    fn set_mark(&mut self, pos: Pos, mark: Mark) {
        let (at, slot) = Self::at(pos);
        self.line_mut(at).set_mark(slot, mark);
    }

    #[inline]
    fn prefetch_at(&self, pos: Pos) {
        let (at, _) = Self::at(pos);
        if at < self.line_count() {
            prefetch_near(self.line(at));
        }
    }

    #[inline]
    fn cold(&self, pos: Pos) -> &Cold {
        &self.memory.cold()[pos.0 as usize]
    }

    #[inline]
    fn cold_mut(&mut self, pos: Pos) -> &mut Cold {
        &mut self.memory.cold_mut()[pos.0 as usize]
    }

    #[inline]
    fn counts(&self, pos: Pos) -> Counts {
        let (at, slot) = Self::at(pos);
        L::counts(&self.memory.units()[at]).map_or(Counts::ZERO, |counts| counts[slot])
    }

    #[inline]
    fn counts_mut(&mut self, pos: Pos) -> Option<&mut Counts> {
        let (at, slot) = Self::at(pos);
        let (_, counts) = L::parts(&mut self.memory.units_mut()[at]);
        counts.map(|counts| &mut counts[slot])
    }
}
