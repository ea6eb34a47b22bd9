//! One line of the table: three flows in a cache line.
//!
//! ```text
//! slot 0: 16 | slot 1: 16 | slot 2: 16 | stamps: 3 × 4 | passed: 2 | used: 1 | free: 1   (64 bytes)
//! ```
//!
//! A slot holds an IPv4 key, or the fingerprint of an IPv6 key, and in the 16 bits that these leave
//! free the mark of the entry.

use super::slots::{MARK_SHIFT, SLOTS, Slots, find, find_reported};
use crate::arch::Instructions;
use crate::entry::Mark;
use crate::key::{HI_KEY_BITS, SlotKey};
use crate::timeout::Tick;

/// A count of passed entries that has reached this value stays: it is no longer exact, so it may
/// never be counted down again. Lookups visit one line more then, and nothing else changes.
const PASSED_STICKY: u16 = u16::MAX;

/// Three flows.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Line {
    /// Keys and marks. A free slot is all zero; no key is, because no input port is 0.
    slots: Slots,
    pub(super) stamps: [Tick; SLOTS],
    /// Number of entries for which this line was full and that went on to another line.
    passed: u16,
    /// Occupied slots, a bit each.
    used: u8,
}

const _: () = assert!(size_of::<Line>() == 64);

impl Line {
    pub(super) const EMPTY: Line =
        Line { slots: [[0; 2]; SLOTS], stamps: [Tick(0); SLOTS], passed: 0, used: 0 };

    /// Returns the slot that holds `key`.
    #[inline(always)]
    pub(super) fn find(&self, key: &SlotKey) -> Option<usize> {
        find(&self.slots, key)
    }

    /// Returns the slot that holds `key`, if nothing about its entry is to be reported.
    #[inline(always)]
    pub(super) fn find_reported(&self, instructions: impl Instructions, key: &SlotKey) -> Option<usize> {
        // The compiler does not see that there are three, and would check each use of the slot.
        find_reported(instructions, &self.slots, key).map(|slot| slot.min(SLOTS - 1))
    }

    /// Returns the first free slot.
    #[inline]
    pub(super) fn free_slot(&self) -> Option<usize> {
        let slot = (!self.used).trailing_zeros() as usize;
        (slot < SLOTS).then_some(slot)
    }

    /// Returns true when entries that have passed this line may be in others.
    #[inline(always)]
    pub(super) fn is_passed(&self) -> bool {
        self.passed != 0
    }

    /// Returns the number of entries that have passed this line.
    #[cfg(test)]
    pub(super) fn passed(&self) -> u16 {
        self.passed
    }

    /// Counts an entry that passes this line.
    #[inline]
    pub(super) fn count_passed(&mut self) {
        self.passed = self.passed.saturating_add(1);
    }

    /// Takes back the count of an entry that has passed this line.
    #[inline]
    pub(super) fn uncount_passed(&mut self) {
        if self.passed != PASSED_STICKY {
            self.passed -= 1;
        }
    }

    /// Puts a key into a free slot, with a mark of zero.
    #[inline]
    pub(super) fn put(&mut self, slot: usize, key: &SlotKey) {
        self.slots[slot] = [key.lo, key.hi];
        self.used |= 1 << slot;
    }

    /// Frees a slot.
    #[inline]
    pub(super) fn clear(&mut self, slot: usize) {
        self.slots[slot] = [0; 2];
        self.used &= !(1 << slot);
    }

    /// Returns the key in a slot, or `None` when it is free.
    #[inline]
    pub(super) fn key(&self, slot: usize) -> Option<SlotKey> {
        let [lo, hi] = self.slots[slot];
        (hi != 0).then_some(SlotKey { lo, hi: hi & HI_KEY_BITS })
    }

    /// Returns the mark in an occupied slot.
    #[inline]
    pub(super) fn mark(&self, slot: usize) -> Mark {
        Mark((self.slots[slot][1] >> MARK_SHIFT) as u16)
    }

    /// Replaces the mark in an occupied slot.
    #[inline]
    pub(super) fn set_mark(&mut self, slot: usize, mark: Mark) {
        let hi = &mut self.slots[slot][1];
        *hi = *hi & HI_KEY_BITS | u64::from(mark.0) << MARK_SHIFT;
    }

    /// Returns true when no slot is occupied and no entry has passed.
    #[cfg(test)]
    pub(super) fn is_untouched(&self) -> bool {
        self.passed == 0 && self.used == 0
    }
}
