//! The buckets of `LcoreStats.loop_time`: the bucket of a time, and the quantiles of the counts.
//!
//! They are log-linear, as in an HDR histogram: each doubling has eight buckets, so the relative
//! error of a quantile is at most an eighth.

use std::ops::Range;

/// Buckets per doubling of the time.
const PER_OCTAVE: u64 = 8;
/// Width of the first buckets, nanoseconds.
const FINEST_NS: u64 = 8;
/// The start of the last bucket, nanoseconds.
const LONGEST_NS: u64 = 1 << 30;

/// Number of buckets.
pub const BUCKETS: usize = index(LONGEST_NS) + 1;

/// Returns the bucket of a time, as if the number of buckets had no limit.
#[inline]
const fn index(ns: u64) -> usize {
    let units = ns / FINEST_NS;
    let doublings = (units | PER_OCTAVE).ilog2() - PER_OCTAVE.ilog2();
    (doublings as u64 * PER_OCTAVE + (units >> doublings)) as usize
}

/// Returns the bucket that counts a time of `ns` nanoseconds.
#[inline]
#[must_use]
pub const fn bucket(ns: u64) -> usize {
    let index = index(ns);
    if index < BUCKETS { index } else { BUCKETS - 1 }
}

/// Returns the times that a bucket counts, nanoseconds. The last has no end.
#[must_use]
pub const fn bounds(bucket: usize) -> Range<u64> {
    let end = if bucket + 1 < BUCKETS { begin(bucket + 1) } else { u64::MAX };
    begin(bucket)..end
}

const fn begin(bucket: usize) -> u64 {
    let (octave, nth) = (bucket as u64 / PER_OCTAVE, bucket as u64 % PER_OCTAVE);
    if octave == 0 { nth * FINEST_NS } else { ((PER_OCTAVE + nth) << (octave - 1)) * FINEST_NS }
}

/// Returns the bucket in which a quantile lies, in thousandths: 999 of 1000 counted times are no
/// longer than `quantile(…, 999)`, and 1000 gives the longest. Returns `None` when nothing was
/// counted.
#[must_use]
pub fn quantile(counts: &[u64], per_mille: u32) -> Option<Range<u64>> {
    let total: u64 = counts.iter().sum();
    let rank = (u128::from(total) * u128::from(per_mille)).div_ceil(1000).max(1);
    let mut so_far = 0;
    let found = counts.iter().position(|count| {
        so_far += u128::from(*count);
        so_far >= rank
    });
    found.map(bounds)
}

/// Returns the counts since `before`, an earlier reading of the same histogram. After a restart
/// these are all counts.
#[must_use]
pub fn since(counts: &[u64], before: &[u64]) -> Vec<u64> {
    let earlier = || before.iter().copied().chain(std::iter::repeat(0));
    if before.len() > counts.len() || counts.iter().zip(earlier()).any(|(now, then)| *now < then) {
        return counts.to_vec();
    }
    counts.iter().zip(earlier()).map(|(now, then)| now - then).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns times of every magnitude.
    fn times() -> impl Strategy<Value = u64> {
        (0..40u32, any::<u64>()).prop_map(|(bits, random)| random % (1 << bits))
    }

    fn counted(times: &[u64]) -> Vec<u64> {
        let mut counts = vec![0; BUCKETS];
        times.iter().for_each(|ns| counts[bucket(*ns)] += 1);
        counts
    }

    #[test]
    fn the_buckets_follow_each_other_and_are_an_eighth_wide() {
        assert_eq!(BUCKETS, 201);
        assert_eq!(bounds(0).start, 0);
        for b in 0..BUCKETS {
            let Range { start, end } = bounds(b);
            assert_eq!((bucket(start), bucket(end - 1)), (b, b));
            if b + 1 < BUCKETS {
                assert_eq!(bounds(b + 1).start, end);
                assert!(end - start <= (start / 8).max(8), "{start}..{end}");
            }
        }
        assert_eq!(bounds(BUCKETS - 1), LONGEST_NS..u64::MAX);
    }

    /// The definition in the contract.
    #[test]
    fn the_bounds_are_the_documented_ones() {
        for b in 0..BUCKETS as u64 {
            let documented = if b < 16 { 8 * b } else { (8 + b % 8) * (1 << (b / 8 - 1)) * 8 };
            assert_eq!(bounds(b as usize).start, documented, "bucket {b}");
        }
    }

    #[test]
    fn nothing_counted_has_no_quantile() {
        assert_eq!(quantile(&[], 500), None);
        assert_eq!(quantile(&[0; BUCKETS], 500), None);
    }

    proptest! {
        #[test]
        fn a_time_is_within_the_bounds_of_its_bucket(ns in times()) {
            prop_assert!(bounds(bucket(ns)).contains(&ns));
        }

        /// Oracle: the sorted times themselves.
        #[test]
        fn the_quantile_is_among_the_times_of_its_bucket(
            mut sample in proptest::collection::vec(times(), 1..400),
            per_mille in 0..=1000u32,
        ) {
            sample.sort_unstable();
            let range = quantile(&counted(&sample), per_mille).unwrap();
            // The shortest time that a sufficient share of the sample does not exceed.
            let at = |ns: &&u64| sample.iter().filter(|other| other <= ns).count() * 1000 >= sample.len() * per_mille as usize;
            let oracle = sample.iter().find(at).unwrap();
            prop_assert!(range.contains(oracle), "{range:?} {oracle}");
        }

        #[test]
        fn a_difference_counts_what_came_between(
            first in proptest::collection::vec(times(), 0..50),
            then in proptest::collection::vec(times(), 0..50),
        ) {
            let all: Vec<u64> = first.iter().chain(&then).copied().collect();
            let sent = |times: &[u64]| {
                let mut counts = counted(times);
                counts.truncate(counts.iter().rposition(|n| *n != 0).map_or(0, |last| last + 1));
                counts
            };
            let mut between = since(&sent(&all), &sent(&first));
            between.resize(BUCKETS, 0);
            prop_assert_eq!(between, counted(&then));
            // A data plane that was restarted has lower counts.
            if !first.is_empty() {
                prop_assert_eq!(since(&[], &sent(&first)), Vec::<u64>::new());
            }
        }
    }
}
