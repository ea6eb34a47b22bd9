//! How far a data plane's host's clock was set during an entry's life.

/// Steps up to this number of milliseconds (37 hours) are exact; longer ones are in whole seconds.
const EXACT_MS: i64 = 1 << 27;
/// Milliseconds of a second.
const SECOND: i64 = 1000;

/// How far the wall clock was set forward between two of its readings; negative when it was set
/// backward.
///
/// An age is the difference of two times less this step. It takes four bytes because it is kept for
/// each entry. Steps up to 37 hours are exact to the millisecond, longer ones to half a second, up to
/// 63 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockStep(i32);

impl ClockStep {
    /// The clock was not set.
    pub const NONE: Self = Self(0);

    /// Makes a step of milliseconds.
    #[must_use]
    #[inline]
    pub fn of_ms(ms: i64) -> Self {
        let beyond = ms.saturating_abs() - EXACT_MS;
        if beyond <= 0 {
            return Self(ms as i32);
        }
        let seconds = (beyond + SECOND / 2) / SECOND;
        let code = (EXACT_MS + seconds).min(i64::from(i32::MAX));
        Self((ms.signum() * code) as i32)
    }

    /// Returns the step between two wall-clock times that were `age_ms` milliseconds apart.
    #[must_use]
    #[inline]
    pub fn between(since_ns: u64, time_ns: u64, age_ms: u64) -> Self {
        Self::of_ms(shown_ms(since_ns, time_ns).saturating_sub_unsigned(age_ms))
    }

    /// Returns the step in milliseconds.
    #[must_use]
    #[inline]
    pub fn ms(self) -> i64 {
        let code = i64::from(self.0);
        let beyond = code.abs() - EXACT_MS;
        if beyond <= 0 { code } else { code.signum() * (EXACT_MS + beyond * SECOND) }
    }

    /// Returns the form in which a record carries it.
    #[must_use]
    pub fn to_bits(self) -> u32 {
        self.0 as u32
    }

    /// Reads the form in which a record carries it.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self(bits as i32)
    }
}

/// Returns the whole milliseconds from one wall-clock time to another, rounded down.
#[inline]
fn shown_ms(since_ns: u64, time_ns: u64) -> i64 {
    match time_ns.checked_sub(since_ns) {
        Some(ns) => (ns / 1_000_000) as i64,
        None => -((since_ns - time_ns).div_ceil(1_000_000) as i64),
    }
}

/// Returns how long ago `since_ns` was at `time_ns`, in whole milliseconds, when the clock was set by
/// `step` in between; 0 when it was not earlier.
#[must_use]
#[inline]
pub fn age_ms(since_ns: u64, time_ns: u64, step: ClockStep) -> u64 {
    u64::try_from(shown_ms(since_ns, time_ns).saturating_sub(step.ms())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const YEARS_63: i64 = 63 * 365 * 86_400_000;

    proptest! {
        #[test]
        fn a_step_is_kept_as_exactly_as_promised(ms in prop_oneof![-YEARS_63..=YEARS_63, -2 * EXACT_MS..=2 * EXACT_MS]) {
            let kept = ClockStep::of_ms(ms);
            let error = (kept.ms() - ms).abs();
            prop_assert!(error <= if ms.abs() <= EXACT_MS { 0 } else { 500 }, "{} kept as {}", ms, kept.ms());
            prop_assert_eq!(ClockStep::of_ms(kept.ms()), kept);
            prop_assert_eq!(ClockStep::from_bits(kept.to_bits()), kept);
        }

        /// Any bytes of a peer are a step.
        #[test]
        fn no_bits_make_an_age_overflow(bits: u32, since: u64, time: u64) {
            let _ = age_ms(since, time, ClockStep::from_bits(bits));
        }
    }

    #[test]
    fn an_age_is_that_of_a_clock_that_nobody_sets() {
        const HOUR: i64 = 3_600_000;
        let (since, age) = (1_700_000_000_000_000_000_i64, 30_000);
        for step in [0, 1, HOUR, -HOUR, 10 * HOUR, -30 * HOUR] {
            let time = since + (age as i64 + step) * 1_000_000 + 999_999;
            let (since, time) = (since as u64, time as u64);
            assert_eq!(ClockStep::between(since, time, age), ClockStep::of_ms(step));
            assert_eq!(age_ms(since, time, ClockStep::of_ms(step)), age);
        }
        assert_eq!(age_ms(5, 4, ClockStep::NONE), 0);
        for extreme in [i64::MIN, i64::MAX] {
            assert!(ClockStep::of_ms(extreme).ms().abs() > YEARS_63);
        }
    }
}
