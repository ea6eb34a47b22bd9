//! Ranges of the numbers that requests carry, for messages about a number that no message can
//! carry. The data plane checks all others and names the same ranges.

use std::ops::RangeInclusive;

/// Numbers of timer profiles (P4TC: at most 16 profiles a table).
pub const PROFILE_ID: RangeInclusive<u64> = 0..=15;
/// Aging time, milliseconds (P4TC: at most 10 days).
pub const AGING_MS: RangeInclusive<u64> = 1..=864_000_000;

/// Longest identity of a caller in an [`Actor`](crate::v1::Actor), bytes.
pub const IDENTITY: usize = 127;

/// Longest name of a program in an [`Actor`](crate::v1::Actor), bytes; the same as P4TC's.
pub const PROCESS: usize = 63;

/// Longest message of a data plane on its link, bytes.
pub const LINK_MESSAGE: usize = 512 << 10;
