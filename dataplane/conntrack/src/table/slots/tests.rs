//! The twins of the comparison against each other.

use proptest::prelude::*;

use super::*;
use crate::arch::{Baseline, Features, Work};

struct Compare<'a>(&'a Slots, &'a SlotKey);

impl Work for Compare<'_> {
    type Result = Option<usize>;

    #[inline(always)]
    fn run(self, instructions: impl Instructions) -> Option<usize> {
        find_reported(instructions, self.0, self.1)
    }
}

/// The bits that are ignored, as the layout of a mark says.
#[test]
fn masks_are_those_of_the_mark() {
    assert_eq!((MARK, CLASS), (0xffff_0000_0000_0000, 0x00ff_0000_0000_0000));
}

proptest! {
    #[test]
    fn matching_twins_agree(key: (u64, u64), slots: [(u64, u64); 3], same in 0usize..4, flip in 0u32..256) {
        let key = SlotKey { lo: key.0, hi: key.1 & HI_KEY_BITS };
        let mut slots = slots.map(|(lo, hi)| [lo, hi]);
        if let Some(slot) = slots.get_mut(same) {
            // As the key, but for one bit or none, and with any mark.
            *slot = [key.lo, key.hi | slot[1] & !HI_KEY_BITS];
            if flip < 128 {
                slot[flip as usize / 64] ^= 1 << (flip % 64);
            }
        }
        prop_assert_eq!(find(&slots, &key), portable::<MARK>(&slots, &key));
        let reported = portable::<CLASS>(&slots, &key);
        prop_assert_eq!(find_reported(Baseline, &slots, &key), reported);
        for features in Features::all_present() {
            prop_assert_eq!(features.run(Compare(&slots, &key)), reported, "{}", features);
        }
    }
}
