//! Sets of up to 64 packets of a burst, a bit each.

use core::ops::Range;

/// Those that are in the set, from the first on.
#[inline(always)]
pub(crate) fn members(mut set: u64) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let first = set.trailing_zeros() as usize;
        set &= set.wrapping_sub(1);
        (first < 64).then_some(first)
    })
}

/// Those of the range that are not in the set.
#[inline(always)]
pub(crate) fn others(set: u64, range: Range<usize>) -> u64 {
    below(range.end) & !below(range.start) & !set
}

/// All below `end`, which is at most 64.
#[inline(always)]
pub(crate) fn below(end: usize) -> u64 {
    u64::MAX.checked_shr(u64::BITS - end as u32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn members_and_others_make_up_the_range() {
        let set = 1 | 1 << 5 | 1 << 63;
        assert_eq!(members(set).collect::<Vec<_>>(), [0, 5, 63]);
        for (start, end) in [(0, 64), (0, 0), (64, 64), (1, 63), (5, 6), (6, 5)] {
            let left: Vec<usize> = (start..end).filter(|i| ![0, 5, 63].contains(i)).collect();
            assert_eq!(members(others(set, start..end)).collect::<Vec<_>>(), left, "{start}..{end}");
        }
    }
}
