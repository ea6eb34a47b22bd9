//! Sets of frames against lists of numbers.

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
