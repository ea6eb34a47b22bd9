//! Ranges of the numbers that requests carry, for messages about a number that no message can
//! carry. The data plane checks all others and names the same ranges.

use std::ops::RangeInclusive;

/// Numbers of timer profiles (P4TC: at most 16 profiles a table).
pub const PROFILE_ID: RangeInclusive<u64> = 0..=15;
/// Aging time, milliseconds (P4TC: at most 10 days).
pub const AGING_MS: RangeInclusive<u64> = 1..=864_000_000;
