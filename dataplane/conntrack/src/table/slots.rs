//! Which slot of a line holds a key.
//!
//! All slots are compared, whatever the first comparisons say, so there is no branch to mispredict.

#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::arch::Instructions;
use crate::entry::Mark;
use crate::key::{HI_KEY_BITS, SlotKey};

/// Number of slots of a line.
pub(crate) const SLOTS: usize = 3;

/// The slots of a line: the words of a [`SlotKey`], whose free bits are the entry's mark.
pub(super) type Slots = [[u64; 2]; SLOTS];

/// Position of the mark in the second word of a slot.
pub(super) const MARK_SHIFT: u32 = HI_KEY_BITS.trailing_ones();

/// The bits of a slot's second word that hold the mark: a comparison that ignores them finds a key.
const MARK: u64 = !HI_KEY_BITS;
/// The bits of a slot's second word that hold the aging class: a comparison that ignores them, and
/// no more of the mark, finds a key about whose entry nothing is to be reported.
const CLASS: u64 = (Mark::CLASS as u64) << MARK_SHIFT;

/// Returns the slot that holds `key`, whatever its mark.
#[inline(always)]
pub(super) fn find(slots: &Slots, key: &SlotKey) -> Option<usize> {
    baseline::<MARK>(slots, key)
}

/// Returns the slot that holds `key`, if nothing about its entry is to be reported
/// ([`Mark::pending`]).
///
/// The result is the same for all instructions.
#[inline(always)]
pub(super) fn find_reported<I: Instructions>(_: I, slots: &Slots, key: &SlotKey) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if I::AVX512 {
        // SAFETY: there is a value of `I`, so the CPU has what its constants say.
        return unsafe { x86::avx512::<CLASS>(slots, key) };
    }
    baseline::<CLASS>(slots, key)
}

/// Compares with the instructions that every CPU of its kind has. `IGNORED` are bits of the slots'
/// second words, whole bytes of them.
#[inline(always)]
fn baseline<const IGNORED: u64>(slots: &Slots, key: &SlotKey) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    {
        x86::sse2::<IGNORED>(slots, key)
    }
    #[cfg(not(target_arch = "x86_64"))]
    portable::<IGNORED>(slots, key)
}

/// The twin without special instructions.
#[cfg_attr(all(target_arch = "x86_64", not(test)), expect(dead_code, reason = "SSE2 is part of x86_64"))]
fn portable<const IGNORED: u64>(slots: &Slots, key: &SlotKey) -> Option<usize> {
    slots.iter().position(|&[lo, hi]| ((lo ^ key.lo) | ((hi ^ key.hi) & !IGNORED)) == 0)
}
