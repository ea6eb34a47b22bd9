//! The wheel against a sorted map of deadlines.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::vec::Vec;

/// Everything that is due at `now`, in the order of the wheel.
fn drain(wheel: &mut Wheel, now: Tick) -> Vec<u32> {
    let mut due = Vec::new();
    loop {
        match wheel.take_due(now) {
            Some(block) => due.push(block),
            None if wheel.caught_up(now) => return due,
            None => {}
        }
    }
}

#[test]
fn every_aging_bucket_is_visited() {
    // One block in every bucket; time goes on in steps that share no factor with the wheel, some of
    // them longer than a turn.
    for (shift, step) in [(0, 1), (3, 7), (3, 1000), (3, 8192 * 8 + 3), (5, 333)] {
        let start = Tick(u32::MAX - 1000);
        let mut wheel = Wheel::new(BUCKETS as usize, shift, start);
        for block in 0..BUCKETS {
            wheel.schedule(block, start.plus(block << shift));
        }
        let mut seen = std::vec![false; BUCKETS as usize];
        let mut now = start;
        for _ in 0..(BUCKETS << shift) / step + 2 {
            now = now.plus(step);
            for block in drain(&mut wheel, now) {
                assert!(!core::mem::replace(&mut seen[block as usize], true), "block {block} twice");
            }
        }
        assert_eq!(seen.iter().filter(|s| !**s).count(), 0, "shift {shift}, step {step}");
    }
}

proptest! {
    /// Oracle: a sorted map of deadlines. Law: a block is given out within [due, due + width), or
    /// at the horizon when that comes first. Leaps of the cursor change nothing.
    #[test]
    fn a_block_comes_when_it_is_due(
        shift in 0u32..5,
        start: u32,
        steps in prop::collection::vec((1u32..500, 0u32..64, 0u32..200_000, any::<bool>()), 1..300),
    ) {
        let mut now = Tick(start);
        let mut wheel = Wheel::new(64, shift, now);
        let mut model: BTreeMap<u32, u64> = BTreeMap::new();
        let mut elapsed = 0u64;
        let horizon = u64::from((BUCKETS - 1) << shift);
        for (step, block, delay, leap) in steps {
            let due = elapsed + u64::from(delay);
            wheel.schedule(block, now.plus(delay));
            let bound = model.entry(block).or_insert(due);
            *bound = due.min(*bound);
            elapsed += u64::from(step);
            now = now.plus(step);
            if leap {
                let earliest = wheel.leap(now).map(|due| u64::from(due.since(now).cast_unsigned()));
                let expected = model.values().min().map(|due| u64::from((*due as u32).wrapping_sub(elapsed as u32)));
                prop_assert_eq!(earliest, expected);
            }
            for block in drain(&mut wheel, now) {
                let due = model.remove(&block).expect("scheduled");
                prop_assert!(elapsed >= due || elapsed + 1 >= horizon.min(due));
            }
            for (block, due) in &model {
                prop_assert!(elapsed < due + u64::from(1u32 << shift), "block {block} forgotten");
            }
        }
    }
}

/// A leap takes the cursor to the earliest deadline or to now, and no further, however far that is.
#[test]
fn a_leap_passes_what_is_empty_and_no_more() {
    const DAY: u32 = 86_400_000;
    for shift in [0, 3] {
        let start = Tick(u32::MAX - 5);
        let mut wheel = Wheel::new(4, shift, start);
        assert_eq!(wheel.leap(start.plus(DAY)), None);
        let (now, due) = (start.plus(2 * DAY), start.plus(12 * DAY));
        wheel.schedule(0, due.plus(5));
        wheel.schedule(1, due);
        wheel.schedule(3, due.plus(DAY));
        assert_eq!(wheel.leap(now), Some(due));
        // The bucket of now itself is not opened yet.
        assert!(wheel.behind(now) == 0 && wheel.take_due(now).is_none());
        assert_eq!(wheel.leap(due.plus(9)), Some(due), "it stops where a block waits");
        assert!(wheel.behind(due.plus(9)) >= 8 >> shift);
        let mut given = drain(&mut wheel, due.plus(16));
        given.sort_unstable();
        assert_eq!(given, [0, 1]);
        // A clock that has not gone on goes nowhere.
        let cursor = wheel.cursor;
        assert_eq!(wheel.leap(now), Some(due.plus(DAY)));
        assert_eq!(wheel.cursor, cursor);
        assert_eq!(drain(&mut wheel, due.plus(DAY + 8)), [3]);
    }
}
