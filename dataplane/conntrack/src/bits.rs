//! Sets of up to 64 frames of a batch: bit i stands for frame i.

use core::ops::Range;

/// Iterates over the members of a set, in ascending order.
#[inline(always)]
pub(crate) fn members(mut set: u64) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let first = set.trailing_zeros() as usize;
        set &= set.wrapping_sub(1);
        (first < 64).then_some(first)
    })
}

/// Returns the numbers of the range that are not in the set.
#[inline(always)]
pub(crate) fn others(set: u64, range: Range<usize>) -> u64 {
    below(range.end) & !below(range.start) & !set
}

/// Returns the set of all numbers below `end`, which is at most 64.
#[inline(always)]
pub(crate) fn below(end: usize) -> u64 {
    u64::MAX.checked_shr(u64::BITS - end as u32).unwrap_or(0)
}

#[cfg(test)]
mod tests;
