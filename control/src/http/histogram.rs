//! Histograms in Prometheus' form, from the counts of the data plane.

use std::ops::Range;

use flowtracker_proto::loop_time;

/// Upper bounds of the loop time's buckets, nanoseconds: every doubling in the usual range of a
/// poll loop, then three for rare, long iterations. Each is also a bound of the source's buckets,
/// so no count has to be split.
const LOOP_NS: [u64; 14] = [
    1 << 7,
    1 << 8,
    1 << 9,
    1 << 10,
    1 << 11,
    1 << 12,
    1 << 13,
    1 << 14,
    1 << 15,
    1 << 16,
    1 << 17,
    1 << 20,
    1 << 25,
    1 << 30,
];

/// Upper bounds of the lateness' buckets, milliseconds: those of the source.
const LATENESS_MS: [u64; 15] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];

/// Numbers of observations by upper bound, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Histogram {
    /// A lower bound of the sum. The source keeps no sum, so each observation counts as the lower
    /// bound of its bucket.
    pub(crate) sum: f64,
    /// Number of observations.
    pub(crate) count: u64,
    /// Upper bounds, ascending to infinity, each with the number of observations above the bound
    /// before it.
    pub(crate) buckets: Vec<(f64, u64)>,
}

/// Returns the histogram of `LcoreStats.loop_time`.
pub(crate) fn loop_time(counts: &[u64]) -> Histogram {
    gather(counts, loop_time::bounds, &LOOP_NS, 1e9)
}

/// Returns the histogram of `LcoreStats.expiry_lateness_log2_ms`.
pub(crate) fn lateness(counts: &[u64]) -> Histogram {
    let bounds = |bucket| if bucket == 0 { 0..1 } else { 1_u64 << (bucket - 1)..1_u64 << bucket };
    gather(counts, bounds, &LATENESS_MS, 1e3)
}

/// Sums source buckets, the i-th of which counts what lies within `bounds(i)`, into buckets that
/// end at `ends`.
fn gather(counts: &[u64], bounds: impl Fn(usize) -> Range<u64>, ends: &[u64], per_second: f64) -> Histogram {
    let seconds = |units: u64| units as f64 / per_second;
    let upper = ends.iter().map(|end| seconds(*end)).chain([f64::INFINITY]);
    let mut buckets: Vec<_> = upper.map(|upper| (upper, 0)).collect();
    let (mut sum, mut observed) = (0.0, 0_u64);
    for (bucket, count) in counts.iter().enumerate().filter(|(_, count)| **count != 0) {
        // Counts from a link may be anything. What all of them together have beyond the largest
        // number is left out, so that no sum of some of them wraps.
        let count = (*count).min(u64::MAX - observed);
        observed += count;
        let Range { start, end } = bounds(bucket);
        buckets[ends.partition_point(|upper| *upper < end)].1 += count;
        sum += seconds(start) * count as f64;
    }
    Histogram { sum, count: observed, buckets }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the bucket in which the data plane counts a lateness.
    fn lateness_bucket(ms: u64) -> usize {
        (u64::BITS - ms.leading_zeros()).min(15) as usize
    }

    fn counted(values: &[u64], buckets: usize, bucket: impl Fn(u64) -> usize) -> Vec<u64> {
        let mut counts = vec![0; buckets];
        values.iter().for_each(|value| counts[bucket(*value)] += 1);
        counts
    }

    /// Checks a histogram against the values that it was made from.
    fn check(histogram: &Histogram, values: &[u64], per_second: f64) -> Result<(), TestCaseError> {
        prop_assert_eq!(histogram.count, values.len() as u64);
        prop_assert!(histogram.buckets.is_sorted_by(|a, b| a.0 < b.0));
        prop_assert_eq!(histogram.buckets.last().map(|(upper, _)| *upper), Some(f64::INFINITY));
        let mut so_far = 0;
        for (upper, count) in &histogram.buckets {
            so_far += count;
            // The source's buckets exclude their upper bound, Prometheus' include it; the values
            // are whole units.
            let below = values.iter().filter(|value| (**value as f64) < upper * per_second).count();
            prop_assert_eq!(so_far, below as u64, "up to {}", upper);
        }
        let sum = values.iter().map(|value| *value as f64).sum::<f64>() / per_second;
        prop_assert!(histogram.sum <= sum * (1.0 + 1e-9), "{} is more than {}", histogram.sum, sum);
        Ok(())
    }

    /// Values of every size.
    fn values() -> impl Strategy<Value = Vec<u64>> {
        let value = (0..40u32, any::<u64>()).prop_map(|(bits, random)| random % (1 << bits));
        proptest::collection::vec(value, 0..200)
    }

    proptest! {
        #[test]
        fn loop_times_are_all_there(values in values()) {
            let histogram = loop_time(&counted(&values, loop_time::BUCKETS, loop_time::bucket));
            check(&histogram, &values, 1e9)?;
            // Each observation may lack an eighth of its bucket's lower bound, or 8 ns, unless the
            // last bucket counts it.
            if values.iter().all(|ns| *ns < 1 << 30) {
                let sum: f64 = values.iter().map(|ns| *ns as f64 / 1e9).sum();
                prop_assert!(histogram.sum * 1.125 + values.len() as f64 * 8e-9 >= sum);
            }
        }

        #[test]
        fn lateness_is_all_there(values in values()) {
            let histogram = lateness(&counted(&values, 16, lateness_bucket));
            check(&histogram, &values, 1e3)?;
            if values.iter().all(|ms| *ms < 1 << 14) {
                let sum: f64 = values.iter().map(|ms| *ms as f64 / 1e3).sum();
                prop_assert!(histogram.sum * 2.0 >= sum);
            }
        }

        /// A later histogram has no smaller count under any bound, as a counter requires.
        #[test]
        fn more_observations_never_lower_a_count(before in values(), more in values()) {
            let all: Vec<_> = before.iter().chain(&more).copied().collect();
            let of = |values: &[u64]| loop_time(&counted(values, loop_time::BUCKETS, loop_time::bucket));
            let (then, now) = (of(&before), of(&all));
            prop_assert!(then.sum <= now.sum);
            prop_assert!(then.buckets.iter().zip(&now.buckets).all(|(a, b)| a.0 == b.0 && a.1 <= b.1));
        }
    }

    #[test]
    fn counts_beyond_the_largest_number_are_left_out() {
        let histogram = lateness(&[1, u64::MAX - 3, 7, 1]);
        assert_eq!(histogram.count, u64::MAX);
        assert_eq!(histogram.buckets.iter().map(|(_, count)| count).sum::<u64>(), u64::MAX);
    }

    #[test]
    fn bounds_are_bounds_of_the_source() {
        let ends: Vec<_> = (0..loop_time::BUCKETS).map(|bucket| loop_time::bounds(bucket).end).collect();
        assert!(LOOP_NS.iter().all(|end| ends.contains(end)) && LOOP_NS.is_sorted());
    }

    /// The link leaves out empty buckets at the end.
    #[test]
    fn nothing_counted_has_all_its_buckets() {
        for histogram in [loop_time(&[]), lateness(&[])] {
            assert!(histogram.buckets.len() > 10);
            assert_eq!((histogram.count, histogram.sum), (0, 0.0));
            assert!(histogram.buckets.iter().all(|(_, count)| *count == 0));
        }
    }
}
