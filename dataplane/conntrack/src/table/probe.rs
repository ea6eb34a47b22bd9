//! Probing a batch: what a hit needs of the table, for many packets together.
//!
//! Most entries are in their home lines, so all home lines come first, in a loop that deals with
//! hits and calls nothing ([`ProbeHome`]). Between two of them it prefetches one line of the batch
//! that comes next: one, because a CPU has room for a limited number of lines on their way and
//! stalls at more. Keys that were not found there, and whose home line has been passed, are noted
//! as displaced and followed later along their probe sequences, all together a step at a time
//! ([`LineTable::follow_displaced`]).

use super::displaced::DisplacedKey;
use super::flow_table::{BULK, FlowTable, Packets, Pos, Refresh};
use super::line::Line;
use super::lines::{LineTable, position};
use super::memory::Layout;
use super::sequence::{self, MAX_PROBES, beside, further};
use super::slots::SLOTS;
use super::store::Store;
use crate::arch::{Baseline, Instructions, Work, prefetch, prefetch_near};
use crate::bits::{members, others};
use crate::entry::Counts;
use crate::hash::KeyHasher;
use crate::key::{Key, SlotKey};
use crate::timeout::Tick;

/// The arguments of [`FlowTable::probe_burst`].
pub(super) struct ProbeHome<'a, L, K: Key, V> {
    pub(super) table: &'a mut LineTable<L, K>,
    pub(super) packets: Packets<'a, K>,
    pub(super) from: usize,
    pub(super) refresh: Refresh,
    pub(super) next: &'a [K::Hash],
    pub(super) vacancy: V,
}

impl<L: Layout, K: Key, V: FnMut(Pos)> Work for ProbeHome<'_, L, K, V> {
    type Result = u64;

    #[inline(always)]
    fn run(self, instructions: impl Instructions) -> u64 {
        match (self.refresh.counting, self.table.refusing) {
            (false, _) => self.probe::<false, false>(instructions),
            (true, false) => self.probe::<true, false>(instructions),
            (true, true) => self.probe::<true, true>(instructions),
        }
    }
}

impl<L: Layout, K: Key, V: FnMut(Pos)> ProbeHome<'_, L, K, V> {
    /// Does what [`FlowTable::probe_burst`] promises. It is compiled for whether packets are
    /// counted and whether most are refused, because asking for each packet costs a good part of
    /// what counting in this place saves (`docs/performance.md`).
    #[inline(always)]
    fn probe<const COUNTS: bool, const REFUSING: bool>(self, instructions: impl Instructions) -> u64 {
        let ProbeHome { table, packets, from, refresh, next, mut vacancy } = self;
        let count = packets.keys.len();
        assert!(count <= BULK);
        let Packets { keys, hashes, lens } =
            Packets::first(count, packets.keys, packets.hashes, packets.lens);
        let verifying = !K::Store::EXACT && table.verifying;
        let units = table.memory.units_mut();
        let mut hits = 0u64;
        let mut next = next.iter();
        for i in from..count {
            if let Some(&hash) = next.next() {
                prefetch_unit::<L>(&units[sequence::home(units.len(), K::home(hash))], COUNTS, REFUSING);
            }
            let home = sequence::home(units.len(), K::home(hashes[i]));
            let (line, counts) = L::parts(&mut units[home]);
            let in_slot = keys[i].slot(&hashes[i]);
            let found = if verifying {
                find_verified(line, &table.keys, home, &keys[i], in_slot)
            } else {
                line.find_reported(instructions, in_slot)
            };
            if let Some(slot) = found {
                let counts = if COUNTS { counts } else { None };
                refresh_slot(&mut line.stamps, counts, slot, refresh.stamp, lens[i]);
                hits |= 1 << i;
            }
        }
        // The misses have a loop of their own: a call in the loop above would cost the hits,
        // because nothing stays in registers over it.
        let missing = others(hits, from..count);
        let mostly_new = 2 * missing.count_ones() as usize > count - from;
        for i in members(missing) {
            table.not_at_home(table.home(hashes[i]), i as u16, COUNTS, mostly_new, &mut vacancy);
        }
        table.prefetch_burst(next.as_slice(), COUNTS);
        table.refusing = table.len == table.capacity && mostly_new;
        hits
    }
}

/// Does what [`Line::find_reported`] does, and compares whole keys. `at` is the number of the line.
#[inline(never)]
fn find_verified<K: Key>(
    line: &Line,
    keys: &K::Store,
    at: usize,
    key: &K,
    in_slot: &SlotKey,
) -> Option<usize> {
    (0..SLOTS).find(|&slot| {
        line.key(slot) == Some(*in_slot) && !line.mark(slot).pending() && keys.holds(position(at, slot), key)
    })
}

/// Stamps an entry of a line, and counts a packet of it if there are counters.
#[inline(always)]
fn refresh_slot<const N: usize>(
    stamps: &mut [Tick; N],
    counts: Option<&mut [Counts; N]>,
    slot: usize,
    stamp: Tick,
    len: u32,
) {
    stamps[slot] = stamp;
    if let Some(counts) = counts {
        counts[slot].count(len);
    }
}

/// Prefetches a line, and its counters if packets are counted there.
#[inline(always)]
fn prefetch_unit<L: Layout>(unit: &L::Unit, counting: bool, refusing: bool) {
    if counting && refusing {
        prefetch_near(L::line(unit));
        return;
    }
    prefetch(L::line(unit));
    if let (true, Some(counts)) = (counting, L::counts(unit)) {
        prefetch(counts);
    }
}

impl<L: Layout, K: Key> LineTable<L, K> {
    /// Prefetches the line `at`, in which a key may be, and its counters if packets are counted.
    #[inline(always)]
    pub(super) fn prefetch_line(&self, at: usize, counting: bool) {
        prefetch_unit::<L>(&self.memory.units()[at], counting, self.refusing);
    }

    /// Deals with a key that was not found in its home line: notes it as displaced if it may be
    /// elsewhere, and prefetches what comes next for it, its next line or the place of a new entry.
    #[inline]
    fn not_at_home(
        &mut self,
        home: usize,
        key: u16,
        counting: bool,
        mostly_new: bool,
        vacancy: &mut impl FnMut(Pos),
    ) {
        let unit = &self.memory.units()[home];
        let line = L::line(unit);
        // For the displaced entries of known flows this would be two page walks for nothing, and so
        // it would for all packets of a full table.
        if (!line.is_passed() || mostly_new) && self.len != self.capacity {
            if let Some(counts) = L::counts(unit) {
                prefetch(counts);
            }
            // When no slot is free, the entry goes to the line beside this one, whose cold data lie
            // beside this line's.
            let pos = Self::pos(home, line.free_slot().unwrap_or(0));
            prefetch(self.cold(pos));
            self.keys.prefetch(pos);
            vacancy(pos);
        }
        if line.is_passed() {
            let next = beside(home);
            self.prefetch_line(next, counting);
            self.displaced.push(DisplacedKey { spread: 0, at: next as u32, key, step: 1 });
        }
    }

    /// Does what [`FlowTable::probe_displaced`] promises. The keys go on together, a step at a
    /// time, so that the lines of some arrive while those of others are compared.
    #[inline(never)]
    pub(super) fn follow_displaced(&mut self, packets: Packets<'_, K>, steps: u32, refresh: Refresh) -> u64 {
        let Packets { keys, hashes, lens } = packets;
        let verifying = !K::Store::EXACT && self.verifying;
        let mut hits = 0;
        let mut steps = steps;
        while self.displaced.len != 0 && steps != 0 {
            steps -= 1;
            let mut left = 0;
            for i in 0..self.displaced.len {
                let DisplacedKey { spread, at, key, step } = self.displaced.keys[i];
                let index = usize::from(key);
                let (line, counts) = L::parts(&mut self.memory.units_mut()[at as usize]);
                let in_slot = keys[index].slot(&hashes[index]);
                let found = if verifying {
                    find_verified(line, &self.keys, at as usize, &keys[index], in_slot)
                } else {
                    line.find_reported(Baseline, in_slot)
                };
                if let Some(slot) = found {
                    let counts = if refresh.counting { counts } else { None };
                    refresh_slot(&mut line.stamps, counts, slot, refresh.stamp, lens[index]);
                    hits |= 1 << index;
                } else if line.is_passed() && u32::from(step) + 1 < MAX_PROBES {
                    let step = step + 1;
                    let spread = if step == 2 { self.hasher.spread(in_slot) } else { spread };
                    let next = further(self.line_count(), spread, step.into());
                    self.prefetch_line(next, refresh.counting);
                    self.displaced.keys[left] = DisplacedKey { spread, at: next as u32, key, step };
                    left += 1;
                }
            }
            self.displaced.len = left;
        }
        hits
    }
}
